//! The platform's administrators.

use domain::Result;
use domain::people::accounts;
use domain::people::accounts::AdminAccount;
use wire::ErrorCode;
use wire::Role;

use crate::support::{HASH, TestDb, code};

async fn create(db: &TestDb, email: &str, hash: &str, resets: bool) -> Result<AdminAccount> {
    db.db
        .transaction("admin", async |conn, now| {
            accounts::create_admin(conn, now, email, hash, resets).await
        })
        .await
}

async fn hash(db: &TestDb, email: &str) -> (String, bool) {
    let account = db
        .db
        .read("account", async |conn| {
            accounts::for_login(conn, email).await
        })
        .await
        .unwrap()
        .unwrap();
    (account.password_hash, account.is_admin)
}

#[tokio::test(flavor = "multi_thread")]
async fn made_once() {
    let db = TestDb::new().await;
    let made = create(&db, " admin@example.com", "first", false)
        .await
        .unwrap();
    let AdminAccount::Created(id) = made else {
        panic!("{made:?}")
    };
    let device = db.login(id, None).await.session_id;
    assert!(db.is_live(device).await, "an admin needs no restaurant");

    let again = create(&db, "ADMIN@example.com", "second", false)
        .await
        .unwrap();
    assert_eq!(again, AdminAccount::Unchanged(id));
    assert_eq!(
        hash(&db, "admin@example.com").await,
        ("first".to_owned(), true)
    );
    assert!(db.is_live(device).await);

    let reset = create(&db, "admin@example.com", "third", true)
        .await
        .unwrap();
    assert_eq!(reset, AdminAccount::PasswordReset(id));
    assert_eq!(
        hash(&db, "admin@example.com").await,
        ("third".to_owned(), true)
    );
    assert!(!db.is_live(device).await);

    assert_eq!(
        code(create(&db, "nobody", "x", false).await),
        ErrorCode::Invalid
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_start_at_once_make_one() {
    let db = TestDb::new().await;
    let (one, two) = tokio::join!(
        create(&db, "admin@example.com", "x", false),
        create(&db, "admin@example.com", "y", false),
    );
    let made = [one.unwrap(), two.unwrap()];
    let created = made
        .iter()
        .filter(|one| matches!(one, AdminAccount::Created(_)))
        .count();
    let unchanged = made
        .iter()
        .filter(|one| matches!(one, AdminAccount::Unchanged(_)))
        .count();
    assert_eq!((created, unchanged), (1, 1), "{made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_registered_with_the_address_before_is_out() {
    let db = TestDb::new().await;
    let email = db.address();
    let restaurant = db.restaurant().await.restaurant_id;
    let owner = crate::support::scope(restaurant, Role::Owner, None);
    let user = db.join(&owner, &email, Role::Staff).await.unwrap();
    let device = db.login(user.id, Some(restaurant)).await.session_id;
    assert_eq!(hash(&db, &email).await, (HASH.to_owned(), false));

    let promoted = create(&db, &email, "the operator's", false).await.unwrap();
    assert_eq!(promoted, AdminAccount::Promoted(user.id));
    assert_eq!(hash(&db, &email).await, ("the operator's".to_owned(), true));
    assert!(!db.is_live(device).await);
}
