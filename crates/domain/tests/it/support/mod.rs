//! A database per test, a clock that stands until the test moves it, and restaurants to work in.

mod clock;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use diesel_async::RunQueryDsl;
use domain::clock::Clock;
use domain::db::{Actor, Db, DbConfig, Scope, Tx};
use domain::people::accounts;
use domain::people::accounts::Registered;
use domain::people::invitations;
use domain::people::invitations::Made;
use domain::people::sessions;
use domain::people::sessions::{NewSession, Opened};
use domain::{Error, Result, log};
use serde_json::Value;
use testkit::database::{Template, TestDatabase, admin_url};
use testkit::wait::{DEADLINE, until};
use tokio::runtime::Handle;
use tokio::sync::{Notify, OnceCell};
use wire::Role;
use wire::people::auth::Register;
use wire::people::invitations::{
    AcceptInvitation, ConfirmInvitation, Invitation, InvitationFace, Invite,
};
use wire::people::users::{UpdateUser, User};
use wire::{ErrorCode, InvitationId, RestaurantId, SessionId, UserId};

use self::clock::ManualClock;

static TEMPLATE: OnceCell<Template> = OnceCell::const_new();

/// What no test verifies a password against.
pub(crate) const HASH: &str = "the hash of a password";

/// How long devices stay logged in.
pub(crate) const TTL: TimeDelta = TimeDelta::days(30);

/// A migrated database of one test. Fields are dropped in order: the pool before its database.
pub(crate) struct TestDb {
    pub(crate) db: Db,
    pub(crate) clock: ManualClock,
    people: AtomicU32,
    _database: TestDatabase,
}

impl TestDb {
    /// Needs a multi-thread runtime, as the migrations do.
    pub(crate) async fn new() -> Self {
        let template = TEMPLATE
            .get_or_init(async || {
                let key = domain::migrations::fingerprint();
                Template::prepare(&admin_url(), key, async |url| {
                    domain::migrations::run(&url).await.unwrap();
                })
                .await
            })
            .await;
        let database = template.create().await;
        let clock = ManualClock::new();
        let config = DbConfig {
            url: database.url.clone(),
            pool_size: 8,
            threads: 0,
            wait: Duration::from_secs(10),
            clock: {
                let clock = clock.clone();
                Clock::new(move || clock.now())
            },
            observer: Arc::new(()),
        };
        Self {
            db: Db::new(config, Handle::current()).unwrap(),
            clock,
            people: AtomicU32::new(0),
            _database: database,
        }
    }

    /// An address that nobody has.
    pub(crate) fn address(&self) -> String {
        let number = self.people.fetch_add(1, Ordering::SeqCst);
        format!("Person{number:03}@example.com")
    }

    /// A restaurant and its owner.
    pub(crate) async fn restaurant(&self) -> Registered {
        let input = Register {
            restaurant_name: "Chez Nous".to_owned(),
            email: self.address(),
            password: "long enough".to_owned(),
            first_name: "Ada".to_owned(),
            last_name: "Byron".to_owned(),
            time_zone: None,
        };
        self.register(&input).await.unwrap()
    }

    pub(crate) async fn register(&self, input: &Register) -> Result<Registered> {
        self.db
            .transaction("register", async |conn, now| {
                accounts::register(conn, now, input, HASH).await
            })
            .await
    }

    /// A new member with a new account.
    pub(crate) async fn member(&self, restaurant: RestaurantId, role: Role) -> User {
        let owner = scope(restaurant, Role::Owner, None);
        self.join(&owner, &self.address(), role).await.unwrap()
    }

    /// Makes an address a member: it is invited, accepts with its account or a new one, and is
    /// confirmed.
    pub(crate) async fn join(&self, by: &Scope, email: &str, role: Role) -> Result<User> {
        let made = self.invite(by, role).await?;
        let user = self.accept(&made.secret, email).await?;
        self.confirm(by, made.invitation.id, None).await?;
        self.db
            .read("get", async |conn| {
                domain::people::users::get(conn, by.restaurant_id, user).await
            })
            .await
    }

    pub(crate) async fn invite(&self, by: &Scope, role: Role) -> Result<Made> {
        let input = Invite {
            role: Some(role),
            ..Invite::default()
        };
        let create = async |tx: &mut Tx<'_>| invitations::create(tx, &input).await;
        Ok(self.db.write("invite", by, create).await?.value)
    }

    /// Accepts with the account of an address, which is made if there is none.
    pub(crate) async fn accept(&self, secret: &str, email: &str) -> Result<UserId> {
        let account = self
            .db
            .read("account", async |conn| {
                accounts::for_login(conn, email).await
            })
            .await?;
        if let Some(account) = account {
            self.accept_as(secret, account.user_id).await?;
            return Ok(account.user_id);
        }
        let input = AcceptInvitation {
            secret: secret.to_owned(),
            email: Some(email.to_owned()),
            password: Some("long enough".to_owned()),
            first_name: " Sam ".to_owned(),
            last_name: String::new(),
        };
        let scope = invitations::scope_of(secret, None, None)?;
        let register = async |tx: &mut Tx<'_>| invitations::register(tx, &input, HASH).await;
        Ok(self.db.write("register", &scope, register).await?.value)
    }

    /// Accepts with an account.
    pub(crate) async fn accept_as(&self, secret: &str, user: UserId) -> Result<InvitationFace> {
        let scope = invitations::scope_of(secret, Some(user), None)?;
        let accept = async |tx: &mut Tx<'_>| invitations::accept(tx, secret).await;
        Ok(self.db.write("accept", &scope, accept).await?.value)
    }

    pub(crate) async fn confirm(
        &self,
        by: &Scope,
        id: InvitationId,
        user_id: Option<UserId>,
    ) -> Result<Invitation> {
        let input = ConfirmInvitation { user_id };
        let confirm = async |tx: &mut Tx<'_>| invitations::confirm(tx, id, &input).await;
        Ok(self.db.write("confirm", by, confirm).await?.value)
    }

    pub(crate) async fn update_user(
        &self,
        scope: &Scope,
        id: UserId,
        patch: &UpdateUser,
        version: Option<i32>,
    ) -> Result<User> {
        let update =
            async |tx: &mut Tx<'_>| domain::people::users::update(tx, id, patch, version).await;
        Ok(self.db.write("users.update", scope, update).await?.value)
    }

    /// A link for a new password.
    pub(crate) async fn reset_link(&self, by: &Scope, id: UserId) -> Result<String> {
        let make = async |tx: &mut Tx<'_>| domain::people::users::make_reset_link(tx, id).await;
        Ok(self.db.write("users.reset_link", by, make).await?.value.0)
    }

    /// Uses it.
    pub(crate) async fn reset(&self, secret: &str) -> Result<()> {
        let scope = domain::people::users::reset_scope(secret)?;
        let reset = async |tx: &mut Tx<'_>| {
            domain::people::users::reset_password(tx, secret, "a new hash").await
        };
        self.db.write("users.reset_password", &scope, reset).await?;
        Ok(())
    }

    pub(crate) async fn delete_user(
        &self,
        scope: &Scope,
        id: UserId,
        version: Option<i32>,
    ) -> Result<()> {
        let delete = async |tx: &mut Tx<'_>| domain::people::users::delete(tx, id, version).await;
        self.db.write("users.delete", scope, delete).await?;
        Ok(())
    }

    /// Logs a device in.
    pub(crate) async fn login(&self, user: UserId, restaurant: Option<RestaurantId>) -> Opened {
        let auth_version = self.auth_version(user).await;
        let new = NewSession {
            user_id: user,
            auth_version,
            restaurant_id: restaurant,
            device_name: None,
        };
        self.open(&new).await.unwrap()
    }

    pub(crate) async fn open(&self, new: &NewSession) -> Result<Opened> {
        self.db
            .transaction("open", async |conn, now| {
                sessions::open(conn, now, new, TTL).await
            })
            .await
    }

    pub(crate) async fn is_live(&self, session: SessionId) -> bool {
        let now = self.clock.now();
        self.db
            .read("standing", async |conn| {
                sessions::standing(conn, now, session).await
            })
            .await
            .unwrap()
            .is_some_and(|standing| standing.role_now().is_some())
    }

    pub(crate) async fn auth_version(&self, user: UserId) -> i32 {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Integer)]
            auth_version: i32,
        }
        self.db
            .read("auth_version", async |conn| {
                let row: Row = diesel::sql_query("SELECT auth_version FROM users WHERE id = $1")
                    .bind::<diesel::sql_types::Uuid, _>(user)
                    .get_result(conn)
                    .await?;
                Ok(row.auth_version)
            })
            .await
            .unwrap()
    }

    /// A statement that has no operation.
    pub(crate) async fn sql(&self, statement: &str) -> usize {
        self.db
            .read("sql", async |conn| {
                Ok(diesel::sql_query(statement).execute(conn).await?)
            })
            .await
            .unwrap()
    }

    /// All events of a restaurant, whose numbers have no gap.
    pub(crate) async fn events(&self, restaurant: RestaurantId) -> Vec<Value> {
        let page = self
            .db
            .read("events", async |conn| {
                log::read(conn, restaurant, 0, 1000).await
            })
            .await
            .unwrap();
        let seqs: Vec<i64> = page.events.iter().map(|event| event.seq).collect();
        assert!(seqs.iter().copied().eq(1..=page.head.last_seq), "{seqs:?}");
        page.events
            .iter()
            .map(|event| serde_json::from_str(&event.frame).unwrap())
            .collect()
    }

    /// Does something while an account's password is being changed from [`HASH`] and the change is
    /// not committed before whoever does it waits for that.
    pub(crate) async fn during_password_change<T>(
        &self,
        user: UserId,
        device: SessionId,
        something: impl Future<Output = T>,
    ) -> T {
        let (changed, go_on) = (Notify::new(), Notify::new());
        let change = self.db.transaction("password", async |conn, now| {
            accounts::change_password(conn, now, user, device, HASH, "the first").await?;
            changed.notify_one();
            go_on.notified().await;
            Ok(())
        });
        let commit = async {
            self.until_somebody_waits().await;
            go_on.notify_one();
        };
        let meanwhile = async {
            changed.notified().await;
            tokio::join!(Box::pin(something), commit).0
        };
        let (committed, result) = tokio::join!(Box::pin(change), meanwhile);
        committed.unwrap();
        result
    }

    /// Returns when some statement waits for a lock.
    pub(crate) async fn until_somebody_waits(&self) {
        until("a statement that waits for a lock", DEADLINE, async || {
            let waiting = self
                .sql(
                    "SELECT FROM pg_stat_activity \
                     WHERE datname = current_database() AND wait_event_type = 'Lock'",
                )
                .await;
            (waiting > 0).then_some(())
        })
        .await;
    }
}

/// Somebody with a role, in a restaurant.
pub(crate) fn scope(restaurant: RestaurantId, role: Role, user: Option<UserId>) -> Scope {
    let actor = Actor {
        user_id: user,
        session_id: None,
        role,
    };
    Scope::new(restaurant, actor)
}

/// Why it was refused.
#[track_caller]
pub(crate) fn code<T: std::fmt::Debug>(result: Result<T>) -> ErrorCode {
    match result {
        Err(Error::Refused { code, .. }) => code,
        Err(Error::Invalid(_)) => ErrorCode::Invalid,
        Err(Error::NotFound(_)) => ErrorCode::NotFound,
        Err(Error::Stale(_)) => ErrorCode::StaleVersion,
        Err(Error::Crowded(_)) => ErrorCode::TooMany,
        Err(Error::Unavailable(_)) => ErrorCode::Unavailable,
        other => panic!("not refused: {other:?}"),
    }
}

/// The fields that are at fault.
#[track_caller]
pub(crate) fn fields<T: std::fmt::Debug>(result: Result<T>) -> Vec<String> {
    match result {
        Err(Error::Invalid(faults)) => faults.into_iter().map(|fault| fault.field).collect(),
        other => panic!("no fields are at fault: {other:?}"),
    }
}
