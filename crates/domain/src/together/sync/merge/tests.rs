use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::together::kinds::Changeable;

const PARTY: Profile = wire::floor::guests::Guest::PROFILE;

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        other => panic!("not an object: {other}"),
    }
}

/// A party, with some fields that are otherwise.
fn party(version: i32, otherwise: Value) -> Fields {
    let mut party = fields(json!({
        "id": "g", "version": version, "lastUpdated": version, "guestName": "John Doe",
        "partySize": 2, "status": "waiting", "tableId": null, "tableIds": [], "waitPosition": 1,
        "notes": null, "phone": null, "tags": [],
    }));
    party.extend(fields(otherwise));
    party
}

fn conflict(in_fields: &[&str]) -> Verdict {
    Verdict::Conflict(in_fields.iter().map(|field| (*field).to_owned()).collect())
}

#[test]
fn whether_a_change_still_fits() {
    let base = || party(3, json!({}));
    let seated =
        json!({"status": "seated", "tableId": "t1", "tableIds": ["t1"], "waitPosition": null});
    for (what, base_version, base, present, asks, verdict) in [
        (
            "nothing happened",
            Some(3),
            None,
            base(),
            json!({"notes": "x"}),
            Verdict::Apply,
        ),
        (
            "no version: overwrite",
            None,
            None,
            party(9, json!({"notes": "y"})),
            json!({"notes": "x"}),
            Verdict::Apply,
        ),
        (
            "only what counts changed",
            Some(3),
            Some(base()),
            party(4, json!({"waitPosition": 5, "totalVisits": 8})),
            json!({"notes": "x"}),
            Verdict::Apply,
        ),
        (
            "another field",
            Some(3),
            Some(base()),
            party(4, json!({"partySize": 5})),
            json!({"notes": "x"}),
            Verdict::Merge,
        ),
        (
            "the same field, otherwise",
            Some(3),
            Some(base()),
            party(4, json!({"notes": "y"})),
            json!({"notes": "x", "partySize": 4}),
            conflict(&["notes"]),
        ),
        (
            "the same field, to the same value",
            Some(3),
            Some(base()),
            party(4, json!({"notes": "x", "partySize": 5})),
            json!({"notes": "x"}),
            Verdict::Apply,
        ),
        (
            "one the same, one other",
            Some(3),
            Some(base()),
            party(4, json!({"notes": "x"})),
            json!({"notes": "x", "partySize": 5}),
            Verdict::Merge,
        ),
        (
            "seated elsewhere",
            Some(3),
            Some(base()),
            party(4, seated.clone()),
            json!({"status": "seated", "tableId": "t2"}),
            conflict(&["tableIds"]),
        ),
        (
            "seated by somebody, called off by me",
            Some(3),
            Some(base()),
            party(4, seated.clone()),
            json!({"status": "cancelled"}),
            conflict(&["status"]),
        ),
        (
            "called off by somebody, seated by me",
            Some(3),
            Some(base()),
            party(4, json!({"status": "cancelled"})),
            json!({"tableId": "t2"}),
            conflict(&["status"]),
        ),
        (
            "moved by somebody, done by me",
            Some(3),
            Some(party(3, seated.clone())),
            party(4, json!({"status": "seated", "tableIds": ["t2"]})),
            json!({"status": "completed"}),
            Verdict::Merge,
        ),
        (
            "forgotten",
            Some(3),
            None,
            party(9, json!({})),
            json!({"notes": "x"}),
            Verdict::Unknown,
        ),
        (
            "forgotten, but as I want it",
            Some(3),
            None,
            party(9, json!({"notes": "x"})),
            json!({"notes": "x"}),
            Verdict::Apply,
        ),
        (
            "from the future",
            Some(12),
            None,
            party(9, json!({})),
            json!({"notes": "x"}),
            Verdict::Unknown,
        ),
    ] {
        let asked = asked(&PARTY, asks, &present);
        let found = judge(
            &PARTY,
            base_version,
            base.as_ref(),
            &present,
            Wish::Fields(&asked),
        );
        assert_eq!(found, verdict, "{what}");
    }
}

#[test]
fn whether_a_thing_may_still_be_removed() {
    let base = party(3, json!({}));
    for (present, base_known, verdict) in [
        (party(3, json!({})), false, Verdict::Apply),
        (party(4, json!({"waitPosition": 2})), true, Verdict::Apply),
        (party(4, json!({"notes": "x"})), true, conflict(&["notes"])),
        (party(4, json!({})), false, Verdict::Unknown),
    ] {
        let base = base_known.then_some(&base);
        assert_eq!(
            judge(&PARTY, Some(3), base, &present, Wish::Removal),
            verdict
        );
    }
}

#[test]
fn what_is_asked_is_written_as_the_thing_has_it() {
    let present = party(1, json!({}));
    for (patch, expected) in [
        (json!({"allowOverCapacity": false}), json!({})),
        (json!({"tableId": "t1"}), json!({"tableIds": ["t1"]})),
        (json!({"tableId": null}), json!({"tableIds": []})),
        (
            json!({"tableId": "t1", "tableIds": ["t1", "t2"]}),
            json!({"tableIds": ["t1", "t2"]}),
        ),
        (
            json!({"tableIds": null, "tags": null}),
            json!({"tableIds": [], "tags": []}),
        ),
        (json!({"notes": "  x "}), json!({"notes": "x"})),
        (json!({"notes": " "}), json!({"notes": null})),
        (json!(null), json!({})),
    ] {
        assert_eq!(
            Value::Object(asked(&PARTY, patch.clone(), &present)),
            expected,
            "{patch}"
        );
    }
}

const NAMES: [&str; 4] = ["notes", "partySize", "phone", "guestName"];

/// Some fields with small values, so that they often meet.
fn some_fields() -> impl Strategy<Value = Fields> {
    proptest::collection::btree_map(0..NAMES.len(), 0..3_i32, 0..=NAMES.len()).prop_map(|fields| {
        let named = fields.into_iter();
        named
            .map(|(field, value)| (NAMES[field].to_owned(), json!(value)))
            .collect()
    })
}

fn over(base: &Fields, fields: &Fields) -> Fields {
    let mut all = base.clone();
    all.extend(fields.clone());
    all
}

proptest! {
    /// Nothing that somebody else did is ever lost, and nothing is refused without a reason.
    #[test]
    fn nobodys_change_is_lost(start in some_fields(), theirs in some_fields(), mine in some_fields()) {
        let base = over(&party(3, json!({})), &start);
        let present = over(&over(&base, &theirs), &fields(json!({"version": 4})));
        let result = over(&present, &mine);
        let overwritten: Vec<&str> = NAMES
            .into_iter()
            .filter(|field| base[*field] != present[*field] && present[*field] != result[*field])
            .collect();
        match judge(&PARTY, Some(3), Some(&base), &present, Wish::Fields(&mine)) {
            Verdict::Apply | Verdict::Merge => prop_assert!(overwritten.is_empty(), "{overwritten:?}"),
            Verdict::Conflict(clashes) => {
                let mut overwritten = overwritten;
                overwritten.sort_unstable();
                let mut clashes: Vec<&str> = clashes.iter().map(String::as_str).collect();
                clashes.sort_unstable();
                prop_assert_eq!(clashes, overwritten);
            }
            Verdict::Unknown => prop_assert!(false, "the base is known"),
        }
    }

    /// Of two changes that are merged the order does not matter.
    #[test]
    fn merging_is_fair(start in some_fields(), theirs in some_fields(), mine in some_fields()) {
        let base = over(&party(3, json!({})), &start);
        let version = fields(json!({"version": 4}));
        let verdicts = [(&theirs, &mine), (&mine, &theirs)].map(|(first, second)| {
            let present = over(&over(&base, first), &version);
            let verdict = judge(&PARTY, Some(3), Some(&base), &present, Wish::Fields(second));
            (!matches!(verdict, Verdict::Conflict(_)), over(&present, second))
        });
        let [(a_fits, a), (b_fits, b)] = verdicts;
        if a_fits && b_fits {
            prop_assert_eq!(a, b);
        }
    }
}
