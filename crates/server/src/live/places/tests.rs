use domain::clock::new_id;

use super::*;

fn places() -> Places {
    Places::new(SharesConfig {
        all: 12,
        strangers: 6,
        of_account: 3,
        of_restaurant: 5,
        of_address: 8,
        of_visitor: 2,
    })
}

fn somebody(account: Option<UserId>, restaurant: RestaurantId, address: &str) -> Wanted {
    Wanted {
        account,
        restaurant,
        address: Some(address.parse().unwrap()),
    }
}

/// Takes as many as there are.
fn fill(places: &Places, wanted: impl Fn() -> Wanted) -> (Vec<Place>, String) {
    let mut taken = Vec::new();
    loop {
        match places.take(wanted()) {
            Ok(place) => taken.push(place),
            Err(refused) => {
                assert_eq!(refused.code(), ErrorCode::TooMany);
                return (taken, refused.sentence().to_owned());
            }
        }
    }
}

#[test]
fn nobody_has_more_than_a_share() {
    let (ann, house) = (new_id(), new_id());
    let home = "192.0.2.1";
    for (wanted, share, whose) in [
        (
            Box::new(|| somebody(Some(ann), house, home)) as Box<dyn Fn() -> Wanted>,
            3,
            "Your account",
        ),
        (
            Box::new(|| somebody(Some(new_id()), house, home)),
            5,
            "The restaurant",
        ),
        (
            Box::new(|| somebody(Some(new_id()), new_id(), home)),
            8,
            "Your address",
        ),
        (
            Box::new(|| somebody(None, new_id(), home)),
            2,
            "from your address",
        ),
    ] {
        let places = places();
        let (taken, refusal) = fill(&places, wanted);
        assert_eq!(taken.len(), share, "{refusal}");
        assert!(refusal.contains(whose), "{refusal}");
        // Everybody else finds a place.
        let other = somebody(Some(new_id()), new_id(), "198.51.100.1");
        drop(places.take(other).unwrap());
        drop(
            places
                .take(somebody(None, new_id(), "198.51.100.1"))
                .unwrap(),
        );
        drop(taken);
        assert!(places.0.taken.lock().by.is_empty());
        assert_eq!(places.taken(), (0, 0));
    }
}

#[test]
fn strangers_do_not_take_what_staff_needs() {
    let (places, house) = (places(), new_id());
    let addresses = std::cell::Cell::new(0);
    let crowd = || {
        addresses.set(addresses.get() + 1);
        somebody(None, house, &format!("198.51.100.{}", addresses.get()))
    };
    let (watching, refusal) = fill(&places, crowd);
    assert_eq!(watching.len(), 5, "{refusal}");
    let elsewhere = places.take(somebody(None, new_id(), "192.0.2.1")).unwrap();
    let (more, refusal) = fill(&places, || somebody(None, new_id(), "203.0.113.1"));
    assert!(more.is_empty() && refusal.contains("watching"), "{refusal}");
    assert_eq!(places.taken(), (6, 6));
    let (staff, refusal) = fill(&places, || somebody(Some(new_id()), house, "192.0.2.1"));
    assert_eq!(staff.len(), 5, "{refusal}");
    drop((watching, elsewhere, staff));
    assert!(places.0.taken.lock().by.is_empty());
}

#[test]
fn a_home_has_one_address() {
    let places = places();
    let enter = |address| places.take(somebody(None, new_id(), address));
    let first = enter("192.0.2.1").unwrap();
    let _second = enter("::ffff:192.0.2.1").unwrap();
    enter("192.0.2.1").unwrap_err();
    let _other = enter("192.0.2.2").unwrap();
    drop(first);
    drop(enter("192.0.2.1").unwrap());
    let _home = [enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap()];
    enter("2001:db8::3").unwrap_err();
    drop(enter("2001:db8:0:1::1").unwrap());
}
