//! When two addresses are one.

use domain::people::accounts;
use domain::people::accounts::{Account, Filled};
use domain::privacy;
use serde_json::json;
use wire::Role;
use wire::UserId;
use wire::people::auth::Register;
use wire::{ErrorCode, RestaurantId};

use crate::house::House;
use crate::sql::Sql;
use crate::support::{TestDb, code, fields, scope};

fn registration(email: &str) -> Register {
    Register {
        restaurant_name: "Chez Nous".to_owned(),
        email: email.to_owned(),
        password: "long enough".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: String::new(),
        time_zone: None,
    }
}

async fn account(db: &TestDb, email: &str) -> Option<UserId> {
    let read = db.db.read("account", async |conn| {
        accounts::for_login(conn, email).await
    });
    let found: Option<Account> = read.await.unwrap();
    found.map(|account| account.user_id)
}

async fn fill(db: &TestDb) -> Filled {
    let filling = db.db.transaction("fill", async |conn, _| {
        accounts::fill_keys(conn, None, 100).await
    });
    filling.await.unwrap()
}

/// An account as the release before made it.
async fn old_account(db: &TestDb, sql: &Sql, email: &str) -> UserId {
    let made = db.register(&registration(&db.address())).await.unwrap();
    let id = made.user_id;
    let email = email.replace('\'', "''");
    let change = format!("UPDATE users SET email = '{email}', email_key = NULL WHERE id = '{id}'");
    assert_eq!(sql.change(&change).await, 1);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_in_every_spelling() {
    let db = TestDb::new().await;
    for (email, others, not) in [
        (
            "iiiiii@example.com",
            &["IIIIII@EXAMPLE.com", " iiiiii@Example.com "][..],
            &["İİİİİİ@example.com", "ıııııı@example.com"][..],
        ),
        (
            "Élodie@bücher.de",
            &["e\u{301}LODIE@BÜCHER.DE", "élodie@xn--bcher-kva.de"],
            &["elodie@bücher.de", "élodie@bucher.de"],
        ),
    ] {
        let made = db.register(&registration(email)).await.unwrap().user_id;
        assert_eq!(account(&db, email).await, Some(made));
        for other in others {
            assert_eq!(account(&db, other).await, Some(made), "{other}");
            let again = db.register(&registration(other)).await;
            assert_eq!(code(again), ErrorCode::EmailTaken, "{other}");
        }
        for other in not {
            assert_eq!(account(&db, other).await, None, "{other}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_tell_apart_is_refused() {
    let db = TestDb::new().await;
    for email in [
        "ann\u{200B}@example.com",
        "ann\u{FE0F}@example.com",
        "ann\u{202E}@example.com",
        "\u{2800}@example.com",
        "аnn@example.com",
        "ann@аpple.com",
        "ａnn@example.com",
        "İnn@example.com",
    ] {
        let error = db.register(&registration(email)).await;
        assert_eq!(fields(error), ["email"], "{}", email.escape_unicode());
    }
    for (name, first) in [
        ("\u{200B}", "Ada"),
        ("\u{2800}\u{2800}", "Ada"),
        ("Chez\u{202E}Nous", "Ada"),
        ("Chez Nous", "A\u{200D}da"),
        ("Chez Nous", "A\u{3164}da"),
    ] {
        let input = Register {
            restaurant_name: name.to_owned(),
            first_name: first.to_owned(),
            ..registration("ann@example.com")
        };
        let error = db.register(&input).await;
        assert_eq!(fields(error).len(), 1, "{}", name.escape_unicode());
    }
    let blank = Register {
        password: " \u{00A0}\t     ".to_owned(),
        ..registration("ann@example.com")
    };
    let error = db.register(&blank).await;
    assert_eq!(fields(error), ["password"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_before_are_found_and_get_their_keys() {
    let db = TestDb::new().await;
    let sql = Sql::beside(&db).await;
    let plain = old_account(&db, &sql, "Ann@Example.com").await;
    // What the locale of the database takes for one, or did not see.
    let first = old_account(&db, &sql, "bob@xn--bcher-kva.de").await;
    let second = old_account(&db, &sql, "bob@bücher.de").await;
    let none = old_account(&db, &sql, "b b@example.com").await;
    let check = async || {
        assert_eq!(account(&db, "ann@example.com").await, Some(plain));
        assert_eq!(account(&db, "ANN@example.com").await, Some(plain));
        assert_eq!(account(&db, "bob@xn--bcher-kva.de").await, Some(first));
        assert_eq!(account(&db, "bob@bücher.de").await, Some(second));
        assert_eq!(account(&db, "b b@example.com").await, Some(none));
        assert_eq!(account(&db, "B B@example.com").await, None);
    };
    check().await;
    let taken = db.register(&registration("ann@EXAMPLE.com")).await;
    assert_eq!(code(taken), ErrorCode::EmailTaken);

    let filled = fill(&db).await;
    assert_eq!(filled.keyed, 2);
    assert_eq!(filled.without, [second, none]);
    check().await;
    assert_eq!(account(&db, "BOB@bücher.de").await, Some(first));
    // It does not take the key away when it is asked again.
    assert_eq!(fill(&db).await.without, [second, none]);
    let keys: Vec<Option<String>> = sql.all("SELECT email_key FROM users ORDER BY id").await;
    assert_eq!(
        keys,
        [
            Some("ann@example.com".to_owned()),
            Some("bob@xn--bcher-kva.de".to_owned()),
            None,
            None
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_listed_by_key_page_by_page() {
    let db = TestDb::new().await;
    let sql = Sql::beside(&db).await;
    let made = db.register(&registration("m@example.com")).await.unwrap();
    let here: RestaurantId = made.restaurant_id;
    let owner = scope(here, Role::Owner, Some(made.user_id));
    for email in [
        "Zoe@example.com",
        "ann@example.com",
        "Bob@example.com",
        "z@example.com",
    ] {
        db.join(&owner, email, Role::Staff).await.unwrap();
    }
    // One that the release before has just made.
    sql.change("UPDATE users SET email_key = NULL WHERE email = 'z@example.com'")
        .await;
    let (mut cursor, mut seen) = (None::<String>, Vec::new());
    loop {
        let page = db
            .db
            .read("list", async |conn| {
                domain::people::users::list(conn, here, Some(2), cursor.as_deref()).await
            })
            .await
            .unwrap();
        seen.extend(page.items.into_iter().map(|user| user.email));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(
        seen,
        [
            "ann@example.com",
            "Bob@example.com",
            "m@example.com",
            "z@example.com",
            "Zoe@example.com"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_found_by_any_spelling_and_no_other_person() {
    let house = House::open().await;
    let sql = Sql::beside(&house.test).await;
    let with = async |name: &str, email: &str| {
        let party = house.tablet.add_guest(name, 2).await;
        let patch = serde_json::from_value(json!({"email": email})).unwrap();
        house
            .tablet
            .write(async |tx| domain::floor::guests::update(tx, party.id, &patch, None).await)
            .await
            .unwrap();
        party.id
    };
    let meant = with("Ann", "Élodie@bücher.de").await;
    let other = with("Bob", "iii@example.com").await;
    // Taken before addresses were looked at closely; the locale folds it onto the other.
    let old = with("Eve", "old@example.com").await;
    let change = format!("UPDATE guests SET email = 'İİİ@example.com' WHERE id = '{old}'");
    assert_eq!(sql.change(&change).await, 1);
    let found = async |email: &str| {
        let (here, now) = (house.id(), house.test.clock.now());
        let query = serde_json::from_value(json!({"email": email})).unwrap();
        let read = house.db().snapshot("test", async |conn| {
            privacy::export(conn, here, &query, now).await
        });
        let export = read.await.unwrap();
        export
            .guests
            .iter()
            .map(|guest| guest.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(found("élodie@xn--bcher-kva.de").await, [meant]);
    assert_eq!(found("ÉLODIE@BÜCHER.de").await, [meant]);
    assert_eq!(found("III@example.com").await, [other]);
}
