//! Who may do what to whom, and that there is always an owner.

use domain::Result;
use wire::Role;
use wire::people::users::{UpdateUser, User};
use wire::{ErrorCode, RestaurantId, UserId};

use crate::support::{TestDb, code, scope};

fn with_role(role: Role) -> UpdateUser {
    UpdateUser {
        role: Some(role),
        ..UpdateUser::default()
    }
}

fn inactive() -> UpdateUser {
    UpdateUser {
        is_active: Some(false),
        ..UpdateUser::default()
    }
}

/// What may happen to a member, tried by somebody with a role on a new member each.
async fn try_all(db: &TestDb, id: RestaurantId, actor: Role, target: Role) -> Vec<bool> {
    let by = scope(id, actor, None);
    let member = db.member(id, target).await;
    let reset = db.reset_link(&by, member.id).await;
    let mut done = vec![
        allowed(db.invite(&by, target).await.map(drop)),
        allowed(reset),
    ];
    for patch in [
        inactive(),
        with_role(Role::Staff),
        with_role(Role::Manager),
        with_role(Role::Owner),
    ] {
        let user = db.member(id, target).await;
        done.push(allowed(db.update_user(&by, user.id, &patch, None).await));
    }
    let user = db.member(id, target).await;
    done.push(allowed(db.delete_user(&by, user.id, None).await));
    done
}

#[track_caller]
fn allowed<T: std::fmt::Debug>(result: Result<T>) -> bool {
    match result {
        Ok(_) => true,
        refused => {
            assert_eq!(code(refused), ErrorCode::Forbidden);
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_do_what_to_whom() {
    let db = TestDb::new().await;
    let id = db.restaurant().await.restaurant_id;
    // invite, reset, deactivate, make staff, make manager, make owner, delete
    let nothing = [false; 7];
    let everything = [true; 7];
    let all_but_owner = [true, true, true, true, true, false, true];
    for (actor, target, expected) in [
        (Role::Staff, Role::Staff, nothing),
        (Role::Staff, Role::Manager, nothing),
        (Role::Staff, Role::Owner, nothing),
        (Role::Manager, Role::Staff, all_but_owner),
        (Role::Manager, Role::Manager, all_but_owner),
        (Role::Manager, Role::Owner, nothing),
        (Role::Owner, Role::Staff, everything),
        (Role::Owner, Role::Manager, everything),
        (Role::Owner, Role::Owner, everything),
        (Role::Admin, Role::Owner, everything),
    ] {
        let found = try_all(&db, id, actor, target).await;
        assert_eq!(found, expected, "{actor} on {target}");
    }
}

async fn owners(db: &TestDb, id: RestaurantId) -> usize {
    db.sql(&format!(
        "SELECT FROM memberships WHERE restaurant_id = '{id}' AND role = 'owner' AND is_active"
    ))
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_active_owner_stays() {
    let db = TestDb::new().await;
    let made = db.restaurant().await;
    let (id, last) = (made.restaurant_id, made.user_id);
    let oneself = scope(id, Role::Owner, Some(last));
    // Neither a manager nor an owner who was deactivated helps.
    db.member(id, Role::Manager).await;
    let asleep = db.member(id, Role::Owner).await;
    db.update_user(&oneself, asleep.id, &inactive(), None)
        .await
        .unwrap();

    for actor in [oneself, scope(id, Role::Admin, None)] {
        for patch in [with_role(Role::Manager), with_role(Role::Staff), inactive()] {
            let refused = db.update_user(&actor, last, &patch, None).await;
            assert_eq!(code(refused), ErrorCode::LastOwner);
        }
        assert_eq!(
            code(db.delete_user(&actor, last, None).await),
            ErrorCode::LastOwner
        );
    }
    // What leaves an owner an owner is no danger.
    let same = UpdateUser {
        first_name: Some("Ada".to_owned()),
        role: Some(Role::Owner),
        is_active: Some(true),
        ..UpdateUser::default()
    };
    db.update_user(&oneself, last, &same, None).await.unwrap();
    // The one asleep may go.
    db.delete_user(&oneself, asleep.id, None).await.unwrap();

    // With another owner, one may step down.
    let heir = db.member(id, Role::Owner).await;
    db.update_user(&oneself, last, &with_role(Role::Staff), None)
        .await
        .unwrap();
    let by_heir = scope(id, Role::Owner, Some(heir.id));
    assert_eq!(
        code(db.delete_user(&by_heir, heir.id, None).await),
        ErrorCode::LastOwner
    );
    assert_eq!(owners(&db, id).await, 1);
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Delete,
    Demote,
    Deactivate,
}

async fn remove(db: &TestDb, id: RestaurantId, by: UserId, owner: UserId, way: Way) -> Result<()> {
    let by = scope(id, Role::Owner, Some(by));
    let patch = match way {
        Way::Delete => return db.delete_user(&by, owner, None).await,
        Way::Demote => with_role(Role::Staff),
        Way::Deactivate => inactive(),
    };
    let changed: User = db.update_user(&by, owner, &patch, None).await?;
    assert_eq!(changed.id, owner);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owners_who_remove_each_other_leave_one() {
    let db = TestDb::new().await;
    for (one_way, two_way) in [
        (Way::Delete, Way::Delete),
        (Way::Demote, Way::Delete),
        (Way::Deactivate, Way::Demote),
        (Way::Delete, Way::Deactivate),
    ] {
        for removes_oneself in [false, true] {
            let made = db.restaurant().await;
            let (id, one) = (made.restaurant_id, made.user_id);
            let two = db.member(id, Role::Owner).await.id;
            let (by_one, by_two) = if removes_oneself {
                (one, two)
            } else {
                (two, one)
            };
            let (first, second) = tokio::join!(
                remove(&db, id, by_one, one, one_way),
                remove(&db, id, by_two, two, two_way),
            );
            let refused = match (first, second) {
                (Ok(()), refused) | (refused, Ok(())) => refused,
                both => panic!("{both:?}"),
            };
            assert_eq!(
                code(refused),
                ErrorCode::LastOwner,
                "{one_way:?} {two_way:?}"
            );
            assert_eq!(owners(&db, id).await, 1);
            assert_eq!(
                db.events(id).await.len(),
                2,
                "one of them joined, one of them left"
            );
        }
    }
}
