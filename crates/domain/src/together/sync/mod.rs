//! What a client did while it was offline: each change is made if it still fits, and only once
//! however often the queue is sent.

mod merge;
mod own;
mod words;

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use uuid::Uuid;
use wire::together::atomic::{Entity, Op};
use wire::together::sync::{Outcome, SyncResult};
use wire::{ErrorCode, FieldError};

use self::merge::{Verdict, Wish};
pub use self::own::Own;
use super::changes::{self, Change, Changed, Item};
use super::kinds::Fields;
use super::present::{self, Thing};
use crate::db::Tx;
use crate::remembered::{self, Kind, Request};
use crate::{Error, Result, log, rooms};

/// The most changes of one queue.
pub const MOST: usize = 1000;

/// How many changes are made in one transaction: so that the floor does not wait for a long queue.
pub const PER_TRANSACTION: usize = 50;

/// One change of a queue, as it was read. The item's version is the one that the client had.
#[derive(Clone, Debug)]
pub struct Queued {
    /// The client's id of it.
    pub client_id: String,
    /// What tells it from another change with the same id: [`crate::meaning`].
    pub fingerprint: [u8; 32],
    /// The change.
    pub item: Item,
}

/// Refuses a queue that is too long.
///
/// # Errors
/// [`Error::Invalid`].
pub fn check(count: usize) -> Result<()> {
    changes::check_count("operations", count, MOST)
}

/// Makes what still fits of a part of a queue, and says of each change what became of it. `own` is
/// what earlier parts of the queue did; returned is what they and this one did.
///
/// # Errors
/// When the database is away; no change of this part is made then.
pub async fn apply(tx: &mut Tx<'_>, part: &[Queued], own: &Own) -> Result<(Vec<SyncResult>, Own)> {
    let mut own = own.clone();
    let requests: Vec<Request> = part
        .iter()
        .map(|queued| Request {
            key: queued.client_id.clone(),
            fingerprint: queued.fingerprint,
        })
        .collect();
    let mut known: HashMap<&str, (Vec<u8>, SyncResult)> = HashMap::new();
    let past = remembered::claim(tx, Kind::Sync, &requests).await?;
    for queued in part {
        if let Some(past) = past.get(&queued.client_id) {
            let result = serde_json::from_str(&past.result)?;
            known.insert(&queued.client_id, (past.fingerprint.clone(), result));
        }
    }
    rooms::begin(tx);
    changes::lock(tx, part.iter().map(|queued| &queued.item)).await?;
    let (mut results, mut answers) = (Vec::with_capacity(part.len()), Vec::new());
    let mut rest = part.iter().peekable();
    while let Some(queued) = rest.next() {
        match known.get(queued.client_id.as_str()) {
            Some((fingerprint, result)) if *fingerprint == queued.fingerprint => {
                own.recall(queued, result)?;
                results.push(result.clone());
                continue;
            }
            Some(_) => {
                results.push(reused(queued));
                continue;
            }
            None => {}
        }
        let mut those = vec![queued];
        let kind = queued.item.comes_along();
        let made = if let Some(entity) = kind {
            let mut ids = HashSet::from([queued.client_id.as_str()]);
            let mut things: HashSet<Uuid> = queued.item.id.into_iter().collect();
            while let Some(next) = rest.next_if(|next| {
                next.item.comes_along() == kind
                    && !known.contains_key(next.client_id.as_str())
                    && ids.insert(&next.client_id)
                    && next.item.id.is_none_or(|id| things.insert(id))
            }) {
                those.push(next);
            }
            come(tx, entity, &those, &mut own).await?
        } else {
            vec![decide(tx, queued, &mut own).await?]
        };
        for (queued, result) in those.into_iter().zip(made) {
            answers.push((queued.client_id.clone(), serde_json::to_string(&result)?));
            let known_now = (queued.fingerprint.to_vec(), result.clone());
            known.insert(&queued.client_id, known_now);
            results.push(result);
        }
    }
    rooms::finish(tx).await?;
    remembered::keep(tx.conn, tx.restaurant_id(), Kind::Sync, answers).await?;
    Ok((results, own))
}

/// Makes things of one kind that come one after the other, each under ids of its own.
async fn come(
    tx: &mut Tx<'_>,
    entity: Entity,
    part: &[&Queued],
    own: &mut Own,
) -> Result<Vec<SyncResult>> {
    let chosen = part.iter().filter_map(|queued| queued.item.id);
    let chosen: Vec<Thing> = chosen.map(|id| (entity, id)).collect();
    let present = present::all(tx, &chosen).await?;
    let there = |queued: &Queued| present.get(&(entity, queued.item.id?));
    let new = part.iter().filter(|queued| there(queued).is_none());
    let new: Vec<&Item> = new.map(|queued| &queued.item).collect();
    let mut made = if new.is_empty() {
        Vec::new().into_iter()
    } else {
        changes::come(tx, &new).await?.into_iter()
    };
    let mut results = Vec::with_capacity(part.len());
    for queued in part {
        let result = match fields(there(queued).cloned()) {
            Some(present) => taken(queued, entity, &present),
            None => match made.next() {
                Some(Ok(done)) => applied(queued, done, None, None, own),
                Some(Err(error)) => refused(queued, error, None)?,
                None => return Err(Error::Internal("a thing was left out".to_owned())),
            },
        };
        results.push(result);
    }
    Ok(results)
}

async fn decide(tx: &mut Tx<'_>, queued: &Queued, own: &mut Own) -> Result<SyncResult> {
    let change = match &queued.item.change {
        Ok(change) => change,
        Err(fields) => return refused(queued, Error::Invalid(fields.clone()), None),
    };
    let profile = rooms::profile(change.entity());
    let present = match change.id() {
        Some(id) => fields(present::one(tx, (change.entity(), id)).await?),
        None => None,
    };
    let verdict = match (change.op(), &present) {
        (Op::Create, None) => Verdict::Apply,
        (Op::Create, Some(present)) => return Ok(taken(queued, change.entity(), present)),
        // What shall go is gone.
        (Op::Delete, None) => return Ok(result(queued, Outcome::Applied, None)),
        (Op::Update, None) if queued.item.version.is_some() => {
            let sentence = words::removed(profile);
            return Ok(conflict(queued, sentence, &[], None));
        }
        (Op::Update, None) => Verdict::Apply,
        (Op::Update | Op::Delete, Some(present)) => judge(tx, queued, change, present, own).await?,
    };
    let name = words::name(profile, present.as_ref());
    let message = match verdict {
        Verdict::Apply => None,
        Verdict::Merge => Some(words::merged(&name)),
        Verdict::Conflict(clashes) => {
            let sentence = words::conflict(profile, &name, &clashes);
            return Ok(conflict(queued, sentence, &clashes, present.as_ref()));
        }
        Verdict::Unknown => {
            return Ok(conflict(
                queued,
                words::unknown(&name),
                &[],
                present.as_ref(),
            ));
        }
    };
    // The version was looked at; the rows are locked.
    match changes::attempt(tx, change, None).await? {
        Ok(done) => Ok(applied(queued, done, message, present.as_ref(), own)),
        Err(error) => refused(queued, error, present),
    }
}

/// Notes what was made.
fn applied(
    queued: &Queued,
    done: Changed,
    message: Option<String>,
    present: Option<&Fields>,
    own: &mut Own,
) -> SyncResult {
    let after = fields(done.state.clone());
    own.note(done.entity, done.id, present, after.as_ref());
    let outcome = match message {
        None => Outcome::Applied,
        Some(_) => Outcome::Merged,
    };
    SyncResult {
        id: Some(done.id),
        message,
        ..result(queued, outcome, done.state)
    }
}

fn taken(queued: &Queued, entity: Entity, present: &Fields) -> SyncResult {
    let name = words::name(rooms::profile(entity), Some(present));
    conflict(queued, words::taken(&name), &[], Some(present))
}

/// Whether a change of a thing that is there still fits.
async fn judge(
    tx: &mut Tx<'_>,
    queued: &Queued,
    change: &Change,
    present: &Fields,
    own: &Own,
) -> Result<Verdict> {
    let profile = rooms::profile(change.entity());
    let asked = merge::asked(profile, change.asked()?, present);
    let wish = match change.op() {
        Op::Delete => Wish::Removal,
        Op::Create | Op::Update => Wish::Fields(&asked),
    };
    let base = match (queued.item.version, change.id()) {
        (Some(version), Some(id)) if !is_version(present, version) => {
            match own.base(change.entity(), id, version) {
                Some(base) => Some(base),
                None => {
                    let logged = log::state_at(tx.conn, tx.restaurant_id(), id, version).await?;
                    fields(logged).map(|base| own.over(change.entity(), id, version, base))
                }
            }
        }
        _ => None,
    };
    Ok(merge::judge(
        profile,
        queued.item.version,
        base.as_ref(),
        present,
        wish,
    ))
}

fn is_version(state: &Fields, version: i32) -> bool {
    state.get("version").and_then(Value::as_i64) == Some(i64::from(version))
}

fn fields(state: Option<Value>) -> Option<Fields> {
    match state {
        Some(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}

fn result(queued: &Queued, status: Outcome, current: Option<Value>) -> SyncResult {
    SyncResult {
        client_id: queued.client_id.clone(),
        status,
        entity: queued.item.entity,
        id: queued.item.id,
        message: None,
        code: None,
        fields: Vec::new(),
        current,
    }
}

fn conflict(
    queued: &Queued,
    sentence: String,
    clashes: &[String],
    present: Option<&Fields>,
) -> SyncResult {
    let current = present.map(|present| Value::Object(present.clone()));
    SyncResult {
        message: Some(sentence),
        code: Some(ErrorCode::Conflict),
        fields: clashes
            .iter()
            .map(|field| FieldError {
                field: field.clone(),
                message: "was changed by somebody else".to_owned(),
            })
            .collect(),
        ..result(queued, Outcome::Conflict, current)
    }
}

/// What the rules refuse: a conflict where somebody else's doing is in the way.
fn refused(queued: &Queued, error: Error, present: Option<Fields>) -> Result<SyncResult> {
    let failure = changes::failure(&queued.item, error)?;
    let status = match failure.code {
        ErrorCode::TableOccupied
        | ErrorCode::TableUnavailable
        | ErrorCode::InvalidTransition
        | ErrorCode::TableNumberTaken
        | ErrorCode::Conflict => Outcome::Conflict,
        _ => Outcome::Rejected,
    };
    Ok(SyncResult {
        message: Some(failure.error),
        code: Some(failure.code),
        fields: failure.fields,
        ..result(queued, status, present.map(Value::Object))
    })
}

/// The id was used for another change.
fn reused(queued: &Queued) -> SyncResult {
    SyncResult {
        message: Some("This clientId was used for another change.".to_owned()),
        code: Some(ErrorCode::Invalid),
        fields: vec![FieldError {
            field: "clientId".to_owned(),
            message: "was used for another change".to_owned(),
        }],
        ..result(queued, Outcome::Rejected, None)
    }
}
