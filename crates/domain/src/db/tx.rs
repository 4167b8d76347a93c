//! An open write transaction of one restaurant, and the changes that it will tell.

use chrono::{DateTime, Utc};
use diesel_async::{AsyncPgConnection, TransactionManager};
use wire::Role;
use wire::live::events::{Action, EventKind};
use wire::{ErrorCode, RestaurantId, SessionId, TransactionId, UserId};

use super::event::{Event, Told};
use super::kept::Kept;
use super::pool::Manager;
use super::request::RequestId;
use crate::audit::Entry;
use crate::remembered::Once;
use crate::{Error, Result};

/// Who does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account; `None` for the passing of time.
    pub user_id: Option<UserId>,
    /// The device.
    pub session_id: Option<SessionId>,
    /// What the actor may do in the restaurant.
    pub role: Role,
}

impl Actor {
    /// The passing of time: whatever the system does by itself.
    pub const SYSTEM: Self = Self {
        user_id: None,
        session_id: None,
        role: Role::Admin,
    };

    /// Refuses what nobody below a role may do, with a sentence for people.
    ///
    /// # Errors
    /// `forbidden`.
    pub(crate) fn check_role(self, least: Role, sentence: &str) -> Result<()> {
        if self.role < least {
            return Err(Error::refused(ErrorCode::Forbidden, sentence));
        }
        Ok(())
    }
}

/// Where a transaction works, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The restaurant whose rows and log are written.
    pub restaurant_id: RestaurantId,
    /// Who does it.
    pub actor: Actor,
    /// The client's transaction of which all events are part.
    pub transaction_id: Option<TransactionId>,
    /// The request that asked for it.
    pub request_id: Option<RequestId>,
    /// The client's request, when it may be sent again: see [`crate::db::Db::write_once`].
    pub once: Option<Once>,
}

impl Scope {
    /// A scope outside any transaction of the client's, and of no request.
    #[must_use]
    pub const fn new(restaurant_id: RestaurantId, actor: Actor) -> Self {
        Self {
            restaurant_id,
            actor,
            transaction_id: None,
            request_id: None,
            once: None,
        }
    }
}

/// An open write transaction. Operations work in it; [`crate::db::Db::write`] opens and commits it.
pub struct Tx<'c> {
    /// For statements.
    pub conn: &'c mut AsyncPgConnection,
    /// The time at which the transaction began; every row and event in it carries this one.
    pub now: DateTime<Utc>,
    /// What stays as it is in this transaction, whatever is done in it, or is kept up by those who
    /// change it.
    pub(crate) kept: Kept,
    /// What was read and is so until something is told of.
    pub(crate) seen: Kept,
    scope: Scope,
    told: Told,
}

impl<'c> Tx<'c> {
    pub(super) fn new(conn: &'c mut AsyncPgConnection, scope: Scope, now: DateTime<Utc>) -> Self {
        Self {
            conn,
            now,
            kept: Kept::default(),
            seen: Kept::default(),
            scope,
            told: Told::default(),
        }
    }

    /// The restaurant that is written.
    #[must_use]
    pub const fn restaurant_id(&self) -> RestaurantId {
        self.scope.restaurant_id
    }

    /// Who does it.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        self.scope.actor
    }

    /// Tells of an event: appends it to the log when the transaction commits.
    ///
    /// An entity has one event per transaction: telling of it again replaces its state, and keeps
    /// what was first before it, the weightier kind, and the first action in the order of
    /// [`Action`]. What was seen before may be otherwise now.
    ///
    /// # Errors
    /// When what the event tells cannot be written as JSON, which does not happen.
    pub fn tell(&mut self, event: Event) -> Result<()> {
        let change = event.into_change()?;
        self.seen.clear();
        self.told.merge(change);
        Ok(())
    }

    /// Tells the audit, and nobody else.
    pub(crate) fn audit(&mut self, entry: Entry) {
        self.told.note(entry);
    }

    /// Runs a part that may fail without the rest: what it did to rows and what it told are undone
    /// when it is refused, and the transaction goes on.
    ///
    /// # Errors
    /// What is no answer to a client ([`crate::Error::is_answer`]) ends the whole transaction.
    pub async fn attempt<T>(
        &mut self,
        part: impl AsyncFnOnce(&mut Self) -> Result<T>,
    ) -> Result<Result<T>> {
        <Manager as TransactionManager<_>>::begin_transaction(self.conn).await?;
        match self.undoing(part).await {
            Ok(value) => {
                <Manager as TransactionManager<_>>::commit_transaction(self.conn).await?;
                Ok(Ok(value))
            }
            Err(error) => {
                let undone =
                    <Manager as TransactionManager<_>>::rollback_transaction(self.conn).await;
                if !error.is_answer() {
                    return Err(error);
                }
                undone?;
                Ok(Err(error))
            }
        }
    }

    /// The same for a part that is refused before it writes, if at all: the database has nothing to
    /// undo, and is not asked to.
    ///
    /// # Errors
    /// As [`Tx::attempt`].
    pub(crate) async fn attempt_in_memory<T>(
        &mut self,
        part: impl AsyncFnOnce(&mut Self) -> Result<T>,
    ) -> Result<Result<T>> {
        match self.undoing(part).await {
            Err(error) if !error.is_answer() => Err(error),
            result => Ok(result),
        }
    }

    /// Runs a part; what it told, and what it learned, is forgotten when it fails.
    async fn undoing<T>(&mut self, part: impl AsyncFnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = std::mem::take(&mut self.told);
        let (kept, seen) = (self.kept.clone(), self.seen.clone());
        let result = part(self).await;
        let told = std::mem::replace(&mut self.told, before);
        if result.is_ok() {
            self.told.extend(told);
        } else {
            (self.kept, self.seen) = (kept, seen);
        }
        result
    }

    /// Tells that the client's transaction is complete, after everything else that is told; if
    /// nothing is, this is not either.
    ///
    /// # Errors
    /// As [`Tx::tell`].
    pub fn tell_complete(&mut self) -> Result<()> {
        let Some(transaction) = self.scope.transaction_id else {
            return Ok(());
        };
        let Some(affected) = self.told.affected() else {
            return Ok(());
        };
        let kind = EventKind::AtomicTransactionComplete;
        self.tell(Event::new(
            kind,
            transaction,
            Action::InfoUpdated,
            &affected,
        ))
    }

    pub(super) fn into_told(self) -> (&'c mut AsyncPgConnection, Scope, Told) {
        (self.conn, self.scope, self.told)
    }
}

impl std::fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx")
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
