//! What is true of the fields of every request: how they are named, left out and cleared.
#![expect(
    clippy::unwrap_used,
    reason = "what a test needs and cannot get fails the test"
)]

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::ToSchema;
use wire::floor::availability::CreateHold;
use wire::floor::guests::{CreateGuest, UpdateGuest};
use wire::floor::reservations::{CheckIn, CreateReservation, SeatReservation, UpdateReservation};
use wire::floor::tables::{CreateTable, UpdateTable};
use wire::menu::categories::{CreateCategory, UpdateCategory};
use wire::menu::dishes::{CreateDish, UpdateDish};
use wire::people::auth::UpdateMe;
use wire::people::invitations::Invite;
use wire::people::users::UpdateUser;
use wire::rooms::UpdateSettings;
use wire::venue::restaurants::UpdateRestaurant;

/// Looks at a request.
trait Look {
    fn at<T: Serialize + DeserializeOwned + ToSchema>(&mut self, is_patch: bool);
}

/// Looks at every request whose fields are read by the attributes of `fields`.
fn at_all(look: &mut impl Look) {
    look.at::<CreateGuest>(false);
    look.at::<CreateTable>(false);
    look.at::<CreateReservation>(false);
    look.at::<CheckIn>(false);
    look.at::<SeatReservation>(false);
    look.at::<CreateHold>(false);
    look.at::<CreateCategory>(false);
    look.at::<CreateDish>(false);
    look.at::<Invite>(false);
    look.at::<UpdateGuest>(true);
    look.at::<UpdateTable>(true);
    look.at::<UpdateReservation>(true);
    look.at::<UpdateCategory>(true);
    look.at::<UpdateDish>(true);
    look.at::<UpdateUser>(true);
    look.at::<UpdateMe>(true);
    look.at::<UpdateRestaurant>(true);
    look.at::<UpdateSettings>(true);
}

/// What a request says that has this one field; or why it cannot be read.
fn read<T: Serialize + DeserializeOwned>(field: &str, value: &Value) -> Result<Value, String> {
    let request = json!({ field: value });
    let read: T = serde_json::from_value(request).map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(read).unwrap())
}

/// The fields, as OpenAPI names them.
fn fields<T: ToSchema>() -> Vec<String> {
    let schema = serde_json::to_value(T::schema()).unwrap();
    let fields = schema.get("properties").and_then(Value::as_object);
    fields.unwrap().keys().cloned().collect()
}

/// A field's name, as older clients write it.
fn small(camel: &str) -> String {
    let mut small = String::new();
    for c in camel.chars() {
        if c.is_uppercase() {
            small.push('_');
        }
        small.extend(c.to_lowercase());
    }
    small
}

fn samples() -> Vec<Value> {
    let id = "f9174969-1ab8-43f0-9a2b-eb1099990b4b";
    vec![
        json!(null),
        json!("x"),
        json!(5),
        json!(true),
        json!([]),
        json!(["a"]),
        json!([id]),
        json!(id),
        json!("2026-12-24T18:00:00Z"),
        json!({}),
    ]
}

#[test]
fn fields_may_be_named_as_older_clients_name_them() {
    struct Names(usize);
    impl Look for Names {
        fn at<T: Serialize + DeserializeOwned + ToSchema>(&mut self, _: bool) {
            let nothing = read::<T>("nothing", &json!(null));
            for field in fields::<T>() {
                let is_read = samples().into_iter().any(|value| {
                    let small = read::<T>(&small(&field), &value);
                    assert_eq!(read::<T>(&field, &value), small, "{field}: {value}");
                    small != nothing
                });
                assert!(is_read, "{}: {field} is never read", T::name());
                self.0 += 1;
            }
        }
    }
    let mut names = Names(0);
    at_all(&mut names);
    assert!(names.0 > 100, "{} fields", names.0);
}

#[test]
fn null_clears_or_is_refused_and_what_is_absent_is_left() {
    struct Nulls;
    impl Look for Nulls {
        fn at<T: Serialize + DeserializeOwned + ToSchema>(&mut self, is_patch: bool) {
            let nothing = read::<T>("nothing", &json!(null)).unwrap();
            for field in fields::<T>() {
                match read::<T>(&field, &json!(null)) {
                    Ok(said) if is_patch => {
                        assert_eq!(said.get(&field), Some(&json!(null)), "{field}");
                    }
                    Ok(said) => assert_eq!(said, nothing, "{field}"),
                    Err(error) => assert!(error.contains("null"), "{field}: {error}"),
                }
            }
            if is_patch {
                let mut left = nothing.as_object().unwrap().values();
                assert!(left.all(|value| *value == json!(false)), "{nothing}");
            }
        }
    }
    at_all(&mut Nulls);
}

#[test]
fn lists_are_read_to_their_end_and_no_further() {
    let tags = |count: usize| json!(vec!["tag"; count]);
    assert!(read::<CreateGuest>("tags", &tags(30)).is_ok());
    assert!(read::<UpdateGuest>("tags", &tags(30)).is_ok());
    for more in [
        read::<CreateGuest>("tags", &tags(31)),
        read::<UpdateGuest>("tags", &tags(31)),
    ] {
        assert_eq!(more, Err("must have at most 30 entries".to_owned()));
    }
}

#[test]
fn what_is_new_is_a_change_of_nothing() {
    let new = json!({"guestName": "Ada", "partySize": 2, "tags": ["regular"]});
    let new: CreateGuest = serde_json::from_value(new).unwrap();
    let change = UpdateGuest::from(new);
    assert_eq!(change.guest_name.as_deref(), Some("Ada"));
    assert_eq!(change.tags, Some(Some(vec!["regular".to_owned()])));
    assert_eq!((change.phone, change.status), (Some(None), None));
}
