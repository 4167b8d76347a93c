"""What the fuzzer has to know of QTable: how to log in, and which things there are.

Random ids name nothing, and nearly every answer would be 404. So most ids are replaced by those of
the demo restaurant's things, chosen by what was generated, so that a seed repeats itself.
"""

import os
import zlib

import requests
import schemathesis

URL = os.environ["FUZZ_URL"]
RESTAURANT = os.environ["FUZZ_RESTAURANT"]


def log_in():
    credentials = {
        "email": os.environ["FUZZ_EMAIL"],
        "password": os.environ["FUZZ_PASSWORD"],
    }
    answer = requests.post(f"{URL}/api/v1/auth/login", json=credentials, timeout=10)
    answer.raise_for_status()
    return answer.json()


def known_things():
    me = log_in()
    headers = {"Authorization": f"Bearer {me['access_token']}"}

    def ids(noun):
        path = f"{URL}/api/v1/restaurants/{RESTAURANT}/{noun}"
        answer = requests.get(path, headers=headers, timeout=10)
        answer.raise_for_status()
        # Not oneself: a new password would end the run.
        return sorted(one["id"] for one in answer.json() if one["id"] != me["user_id"])

    floor = requests.get(
        f"{URL}/api/v1/dashboard/{RESTAURANT}", headers=headers, timeout=10
    )
    floor.raise_for_status()
    guests, tables, bookings = ids("guests"), ids("tables"), ids("reservations")
    return {
        "rid": [RESTAURANT],
        "restaurant_id": [RESTAURANT],
        "gid": guests,
        "guestId": guests,
        "tid": tables,
        "tableId": tables,
        "tableIds": tables,
        "id": bookings,
        "reservationId": bookings,
        "uid": ids("users"),
        "iid": ids("invitations"),
        "epoch": [floor.json()["epoch"]],
    }


THINGS = known_things()


@schemathesis.auth()
class Token:
    """Got anew after a 401: the fuzzer logs itself out, too."""

    def get(self, case, context):
        return log_in()["access_token"]

    def set(self, case, token, context):
        case.headers["Authorization"] = f"Bearer {token}"


def chance(generated):
    return zlib.crc32(str(generated).encode())


def real(name, generated):
    """Most ids become real ones; the rest stays what it was."""
    things = THINGS.get(name)
    if not things or not isinstance(generated, str):
        return generated
    number = chance(generated)
    if number % 8 == 0:
        return generated
    return things[number // 8 % len(things)]


def with_real_ids(name, value):
    if isinstance(value, dict):
        return {key: with_real_ids(key, one) for key, one in value.items()}
    if isinstance(value, list):
        return [with_real_ids(name, one) for one in value]
    return real(name, value)


@schemathesis.hook
def before_call(context, case, **kwargs):
    # Nearly all of them are refused, and what comes after them is not looked at.
    for name in ("If-Match", "Idempotency-Key"):
        if case.headers and name in case.headers and chance(case.headers[name]) % 4:
            del case.headers[name]
    for part in ("path_parameters", "query", "body"):
        value = getattr(case, part)
        if isinstance(value, (dict, list)):
            setattr(case, part, with_real_ids(part, value))
