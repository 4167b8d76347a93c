//! One change of one thing, whatever it is: what batches, transactions of clients and offline
//! queues consist of. The work is done by the operations of each kind of thing.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;
use wire::together::atomic::{Entity, Op};
use wire::{ErrorCode, FieldError, ItemError};

use super::locks::{self, Touched};
use super::present::{self, Thing};
use crate::db::Tx;
pub use crate::rooms::Change;
use crate::{Error, Result, rooms};

/// What is done to a thing that has ids `I`, is made of a `C` and changed by a `U`.
#[derive(Clone, Debug)]
pub enum Edit<I, C, U> {
    /// Made, under an id of the client's if it chose one.
    Create(Option<I>, Arc<C>),
    /// Changed.
    Update(I, Arc<U>),
    /// Removed.
    Delete(I),
}

impl<I: Copy + Into<Uuid>, C, U> Edit<I, C, U> {
    pub(crate) fn op(&self) -> Op {
        match self {
            Self::Create(..) => Op::Create,
            Self::Update(..) => Op::Update,
            Self::Delete(_) => Op::Delete,
        }
    }

    pub(crate) fn id(&self) -> Option<Uuid> {
        match self {
            Self::Create(id, _) => id.map(Into::into),
            Self::Update(id, _) | Self::Delete(id) => Some((*id).into()),
        }
    }
}

/// One of several changes, as it was read.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its place in its list.
    pub index: usize,
    /// What it is about, if that could be read.
    pub entity: Option<Entity>,
    /// Which, if that could be read.
    pub id: Option<Uuid>,
    /// The version for which it was made.
    pub version: Option<i32>,
    /// The change, or why it could not be read.
    pub change: std::result::Result<Change, Vec<FieldError>>,
}

impl Item {
    /// The kind of thing of which it makes one, where several of those that come one after the other
    /// are made in one go.
    pub(super) fn comes_along(&self) -> Option<Entity> {
        let change = self.change.as_ref().ok()?;
        change.comes_along().then(|| change.entity())
    }
}

/// What a change did.
#[derive(Clone, Debug)]
pub struct Changed {
    /// What was done.
    pub op: Op,
    /// To what kind of thing.
    pub entity: Entity,
    /// To which.
    pub id: Uuid,
    /// The thing after it; `None` when it is gone.
    pub state: Option<Value>,
}

/// Locks everything that the changes will touch.
pub(super) async fn lock<'i>(tx: &mut Tx<'_>, items: impl Iterator<Item = &'i Item>) -> Result<()> {
    let mut touched = Touched::default();
    for change in items.filter_map(|item| item.change.as_ref().ok()) {
        change.touch(&mut touched);
    }
    locks::lock_all(tx, &touched).await
}

/// Makes all changes, in their order, or none: everything is locked before the first write, and
/// each change that cannot be made is named.
///
/// # Errors
/// [`Error::Items`].
pub(super) async fn all_or_nothing(tx: &mut Tx<'_>, items: &[Item]) -> Result<Vec<Changed>> {
    rooms::begin(tx);
    lock(tx, items.iter()).await?;
    let versions = compare_versions(tx, items).await?;
    let (mut done, mut failed) = (Vec::with_capacity(items.len()), Vec::new());
    let mut rest = items.iter().zip(versions).peekable();
    while let Some((item, version)) = rest.next() {
        let mut those = vec![item];
        let kind = item.comes_along();
        let results = if kind.is_some() {
            while let Some((item, _)) = rest.next_if(|(item, _)| item.comes_along() == kind) {
                those.push(item);
            }
            come(tx, &those).await?
        } else {
            vec![make(tx, item, version).await?]
        };
        for (item, result) in those.into_iter().zip(results) {
            match result {
                Ok(changed) => done.push(changed),
                Err(error) => failed.push(failure(item, error)?),
            }
        }
    }
    if failed.is_empty() {
        rooms::finish(tx).await?;
        return Ok(done);
    }
    Err(Error::Items {
        failed,
        more: 0,
        of: items.len(),
    })
}

/// Makes a change that may fail without the rest.
async fn make(tx: &mut Tx<'_>, item: &Item, version: Version) -> Result<Result<Changed>> {
    let (change, version, before) = match (&item.change, version) {
        (Ok(change), Version::Left { version, before }) => (change, version, before),
        (Ok(_), Version::Stale(present)) => return Ok(Err(Error::Stale(Box::new(present)))),
        (Err(fields), _) => return Ok(Err(Error::Invalid(fields.clone()))),
    };
    let made = attempt(tx, change, version).await?;
    Ok(made.map_err(|error| match (error, before) {
        // Of what is undone now, the client must hear nothing.
        (Error::Stale(_), Some(before)) => Error::Stale(Box::new(before)),
        (error, _) => error,
    }))
}

/// Makes a change; one that is refused leaves nothing behind.
///
/// # Errors
/// What is no answer to a client.
pub(super) async fn attempt(
    tx: &mut Tx<'_>,
    change: &Change,
    version: Option<i32>,
) -> Result<Result<Changed>> {
    let apply = async |tx: &mut Tx<'_>| Box::pin(change.apply(tx, version)).await;
    if change.is_refused_first(tx) {
        tx.attempt_in_memory(apply).await
    } else {
        tx.attempt(apply).await
    }
}

/// Makes things of one kind that come one after the other ([`Item::comes_along`]): in one go, which
/// needs no part of its own for each.
pub(super) async fn come(tx: &mut Tx<'_>, items: &[&Item]) -> Result<Vec<Result<Changed>>> {
    let changes = items.iter().filter_map(|item| item.change.as_ref().ok());
    let changes: Vec<&Change> = changes.collect();
    Change::make_all(tx, &changes).await
}

/// What became of the version for which a change was made.
enum Version {
    /// It is to be compared when the change's turn comes, if there is one; the thing was like this
    /// before the first write.
    Left {
        version: Option<i32>,
        before: Option<Value>,
    },
    /// It is not that of the thing, which is like this.
    Stale(Value),
}

/// Compares the versions for which changes were made with those that are there, before the first
/// write: one change may touch what another is about (who is seated moves up who waits), and the
/// versions in between are nobody's. What is left to compare is that of a thing which an earlier
/// change of the list is about, too.
async fn compare_versions(tx: &mut Tx<'_>, items: &[Item]) -> Result<Vec<Version>> {
    let compared = |item: &Item| {
        let change = item.change.as_ref().ok()?;
        let is_compared = item.version.is_some() && change.op() != Op::Create;
        Some((change.entity(), change.id()?)).filter(|_| is_compared)
    };
    let things: Vec<Thing> = items.iter().filter_map(compared).collect();
    let present = present::all(tx, &things).await?;
    let mut named = HashSet::new();
    let versions = items.iter().map(|item| {
        let Ok(change) = &item.change else {
            return Version::Left {
                version: None,
                before: None,
            };
        };
        let is_first = named.insert((change.entity(), change.id()));
        let before = compared(item).and_then(|thing| present.get(&thing).cloned());
        let is = before
            .as_ref()
            .and_then(|state| state.get("version")?.as_i64());
        match (before, item.version) {
            (Some(state), Some(version)) if is_first && is != Some(version.into()) => {
                Version::Stale(state)
            }
            (before @ Some(_), _) if is_first => Version::Left {
                version: None,
                before,
            },
            (before, version) => Version::Left { version, before },
        }
    });
    Ok(versions.collect())
}

/// Names a change that cannot be made.
///
/// # Errors
/// What is no answer to a client.
pub(super) fn failure(item: &Item, error: Error) -> Result<ItemError> {
    let sentence = error.to_string();
    let (code, fields, current) = match error {
        Error::Refused { code, .. } => (code, Vec::new(), None),
        Error::NotFound(_) => (ErrorCode::NotFound, Vec::new(), None),
        Error::Stale(current) => (ErrorCode::StaleVersion, Vec::new(), Some(*current)),
        Error::Invalid(fields) => (ErrorCode::Invalid, fields, None),
        error => return Err(error),
    };
    let sentence = match fields.as_slice() {
        [] => sentence,
        [one] => format!("{} {}.", one.field, one.message),
        _ => "Some fields are not right.".to_owned(),
    };
    Ok(ItemError {
        index: item.index,
        line: None,
        entity: item.entity,
        id: item.id,
        code,
        error: sentence,
        fields,
        current,
    })
}

/// Refuses more changes at once than are taken.
pub(super) fn check_count(field: &str, count: usize, most: usize) -> Result<()> {
    if count > most {
        return Err(Error::invalid(
            field,
            format!("must be at most {most} at once"),
        ));
    }
    Ok(())
}
