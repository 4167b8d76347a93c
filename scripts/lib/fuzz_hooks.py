"""What the fuzzer has to know of QTable: how to log in, and which things there are.

Random ids name nothing, and nearly every answer would be 404. So most ids are replaced by those of
the demo restaurant's things, chosen by what was generated, so that a seed repeats itself.
"""

import json
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


# Moments that a parser takes and a database does not. Schemas generate none of these.
TIMES = ("since", "until", "updatedSince", "reservationTime", "from")
ODD_TIMES = (
    "-5000-01-01T00:00:00Z",
    "+262142-12-31T23:59:59Z",
    "2026-12-31T23:59:60Z",
)
ODD_DATES = ("-5000-01-01", "+262142-12-31", "0000-01-01")


def chance(generated):
    return zlib.crc32(str(generated).encode())


def real(name, generated):
    """Most ids become real ones, some times odd ones; the rest stays what it was."""
    odd = ODD_TIMES if name in TIMES else ODD_DATES if name == "date" else None
    if odd and isinstance(generated, str) and chance(generated) % 4 == 0:
        return odd[chance(generated) // 4 % len(odd)]
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


# An answer that is an error is short, whatever was asked.
LONGEST_ERROR = 16 * 1024
# Far more than any answer takes on a busy machine; what grows faster than what was sent takes longer.
SLOWEST = 5


def check_cost(what, status, seconds, size):
    assert seconds < SLOWEST, f"{what} was answered after {seconds:.1f} s"
    assert status < 400 or size <= LONGEST_ERROR, f"{what} got an error of {size} bytes"
    assert status != 500, f"{what} got 500"


@schemathesis.check
def bounded_cost(ctx, response, case):
    size = len(response.content)
    check_cost("the request", response.status_code, response.elapsed, size)


def worst_of(body):
    """A body that was generated, with what nobody should have to read in and around it."""
    key, nul = "k" * 60_000, ["\0"] * 4_000
    yield "a long name over NULs", {**body, key: nul}
    yield "NULs in every field", {name: nul for name in body}
    yield "long names", {**body, **{f"{key}{number}": "\0" for number in range(4)}}
    deep = json.dumps(body)[:-1] + (", " if body else "")
    yield "depth", deep + '"x": ' + "[" * 40_000 + "]" * 40_000 + "}"
    yield "empty objects in every field", {name: [{}] * 20_000 for name in body}
    yield "long texts in every field", {name: "\x01" * 10_000 for name in body}


TRIED = set()


@schemathesis.check
def worst_bodies(ctx, response, case):
    """Once for each operation, as the worst is the same each time."""
    operation = case.operation.label
    if operation in TRIED or not isinstance(case.body, dict):
        return
    TRIED.add(operation)
    request = response.request
    headers = {
        name: value
        for name, value in request.headers.items()
        if name.lower() in ("authorization", "content-type")
    }
    for what, body in worst_of(case.body):
        data = body if isinstance(body, str) else json.dumps(body)
        answer = requests.request(
            request.method, request.url, data=data, headers=headers, timeout=10
        )
        seconds = answer.elapsed.total_seconds()
        check_cost(
            f"{what} to {operation}", answer.status_code, seconds, len(answer.content)
        )


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
