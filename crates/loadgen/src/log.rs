//! The log, read page by page: what everybody should have heard.

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;
use wire::floor::snapshot::Floor;
use wire::live::events::{EventKind, seq_of};
use wire::together::sync::Delta;
use wire::{Epoch, Position, Seq};

use crate::floor_state::Party;
use crate::http::Api;
use crate::socket::fingerprint;

/// One life of a restaurant's log, from its first event.
#[derive(Clone, Debug)]
pub(crate) struct LogCopy {
    pub(crate) epoch: Epoch,
    /// Event `n` is at `n - 1`.
    pub(crate) entries: Vec<Entry>,
}

/// An event, in brief.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: EventKind,
    /// Of its bytes.
    pub(crate) hash: u64,
    /// The client's transaction that it completes.
    pub(crate) completes: Option<Uuid>,
    /// The party that it is about, as it was then; none when it was removed.
    pub(crate) party: Option<(Uuid, Option<Party>)>,
}

impl LogCopy {
    /// The number of the last event.
    pub(crate) fn head(&self) -> Seq {
        Seq::try_from(self.entries.len()).unwrap_or(Seq::MAX)
    }

    /// The event `seq`.
    pub(crate) fn get(&self, seq: Seq) -> Option<&Entry> {
        self.entries.get(usize::try_from(seq.checked_sub(1)?).ok()?)
    }
}

/// What is looked at of a snapshot.
#[derive(Debug, Deserialize)]
pub(crate) struct Snapshot {
    #[serde(flatten)]
    pub(crate) floor: Floor,
    pub(crate) epoch: Epoch,
    pub(crate) seq: Seq,
}

/// The restaurant as it is now, and where its log stands.
pub(crate) async fn snapshot(api: &Api) -> anyhow::Result<Snapshot> {
    api.get(&api.path("/sync/full")).await?.expect()
}

/// Where a restaurant's log stands.
pub(crate) async fn head(api: &Api) -> anyhow::Result<Position> {
    let Snapshot { epoch, seq, .. } = snapshot(api).await?;
    Ok(Position { epoch, seq })
}

/// Reads a whole log.
pub(crate) async fn read(api: &Api) -> anyhow::Result<LogCopy> {
    let Position { epoch, .. } = head(api).await?;
    let mut entries = Vec::new();
    let beginning = Position { epoch, seq: 0 };
    each(api, beginning, |_, frame| {
        entries.push(entry(frame)?);
        Ok(())
    })
    .await?;
    Ok(LogCopy { epoch, entries })
}

/// Shows each event after a position, with its number, in their order.
pub(crate) async fn each(
    api: &Api,
    since: Position,
    mut show: impl FnMut(Seq, &str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Position { epoch, mut seq } = since;
    loop {
        let path = api.path(&format!("/sync/delta?since={seq}&epoch={epoch}&limit=1000"));
        let page: Delta = api.get(&path).await?.expect()?;
        anyhow::ensure!(page.epoch == epoch, "the log was renewed while it was read");
        for event in &page.events {
            let found = seq_of(event.get()).context("the number of an event")?;
            seq += 1;
            anyhow::ensure!(found == seq, "the log has {found} where {seq} belongs");
            show(seq, event.get())?;
        }
        anyhow::ensure!(
            page.seq == seq,
            "a page says {} and ends with {seq}",
            page.seq
        );
        if !page.has_more {
            return Ok(());
        }
    }
}

fn entry(frame: &str) -> anyhow::Result<Entry> {
    #[derive(Deserialize)]
    struct Frame {
        #[serde(rename = "type")]
        kind: EventKind,
        transaction_id: Option<Uuid>,
        guest_id: Option<Uuid>,
        #[serde(default)]
        data: Data,
    }
    #[derive(Default, Deserialize)]
    struct Data {
        version: Option<i32>,
        status: Option<Value>,
    }
    let read: Frame = serde_json::from_str(frame).context("an event of the log")?;
    let is_end = read.kind == EventKind::AtomicTransactionComplete;
    let party = match (read.guest_id, read.data.version, read.data.status) {
        (Some(id), Some(version), Some(status)) => Some((
            id,
            Some(Party::new(version, serde_json::from_value(status)?)),
        )),
        (Some(id), _, _) => Some((id, None)),
        _ => None,
    };
    Ok(Entry {
        kind: read.kind,
        hash: fingerprint(frame),
        completes: read.transaction_id.filter(|_| is_end),
        party,
    })
}
