//! What sessions follow and how events are made in it: a restaurant of ours, or a channel of
//! nginx's module Nchan. The sessions and their measure are the same for both.

use rand::Rng;
use wire::Seq;

use super::args::Common;
use super::arrivals::{Pace, Turn};
use super::commands::{Group, Setup, Target};
use super::frame_text::Mark;
use super::link::Answer;
use super::requests::{self, Asked, Work};
use super::restaurant::{House, Ledger};
use super::worker::Worker;
use super::write::Notes;

/// How many connections are opened at the same time, at first.
pub(crate) const AT_ONCE: usize = 200;

/// How many parties are changed in turn.
const GUESTS: usize = 50;

/// Whom the sessions are to follow.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Choice {
    /// Whose sockets are measured.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) target: Target,
    /// Where Nchan is subscribed to; `{channel}` stands for one that is new.
    #[arg(long, default_value = "ws://127.0.0.1:8080/sub/{channel}")]
    subscribe: String,
    /// Where Nchan is told what to pass on.
    #[arg(long, default_value = "http://127.0.0.1:8080/pub/{channel}")]
    publish: String,
    /// How long Nchan's messages are: as long as ours (`frame_bytes`).
    #[arg(long, default_value_t = 1100)]
    payload_bytes: usize,
    /// Only these kinds of events: `guest_updated`.
    #[arg(long)]
    types: Option<String>,
    /// Processes that hold the sessions; by default as many as the limit of open files needs.
    #[arg(long)]
    pub(crate) processes: Option<usize>,
}

/// What the sessions follow.
pub(crate) enum Subject {
    Ours {
        house: Box<House>,
        types: Option<String>,
    },
    Nchan {
        publish: Worker,
        payload_bytes: usize,
    },
}

/// What became of events.
pub(crate) struct Made {
    pub(crate) asked: Asked,
    /// The number of the last one.
    pub(crate) head: Seq,
    /// The positions that were told.
    pub(crate) told: Vec<Seq>,
}

impl Choice {
    /// A restaurant of ours.
    pub(crate) fn ours(processes: Option<usize>) -> Self {
        Self {
            target: Target::Qtable,
            subscribe: String::new(),
            publish: String::new(),
            payload_bytes: 0,
            types: None,
            processes,
        }
    }

    /// Finds the workers and makes sure that there is something to follow.
    pub(crate) async fn open(&self, common: &Common) -> anyhow::Result<(Vec<Worker>, Subject)> {
        match self.target {
            Target::Qtable => {
                let house = House::open(common, GUESTS).await?;
                let (house, types) = (Box::new(house), self.types.clone());
                Ok((common.workers().await?, Subject::Ours { house, types }))
            }
            Target::Nchan => {
                let channel = format!("load-{:016x}", rand::rng().random::<u64>());
                let at = |url: &str| url.replace("{channel}", &channel);
                let subject = Subject::Nchan {
                    publish: Worker::find(&at(&self.publish)).await?,
                    payload_bytes: self.payload_bytes,
                };
                Ok((vec![Worker::find(&at(&self.subscribe)).await?], subject))
            }
        }
    }
}

impl Subject {
    /// What sessions have to know.
    pub(crate) fn setup(&self, workers: &[Worker]) -> Setup {
        let (target, group) = match self {
            Self::Ours { house, types } => {
                let Group { mut path, token } = house.group();
                if let Some(types) = types {
                    path.push_str("&types=");
                    path.push_str(types);
                }
                (Target::Qtable, Group { path, token })
            }
            Self::Nchan { .. } => {
                let path = workers.first().map(|worker| worker.path.clone());
                let (path, token) = (path.unwrap_or_default(), None);
                (Target::Nchan, Group { path, token })
            }
        };
        Setup {
            target,
            workers: workers.to_vec(),
            groups: vec![group],
            part: 0,
            parts: 1,
            at_once: AT_ONCE,
            stays: 0.0,
        }
    }

    /// Makes events through the first worker. Numbers of Nchan's go on after `head`.
    pub(crate) async fn make(
        &self,
        workers: &[Worker],
        connections: usize,
        pace: Pace,
        head: Seq,
        is_marked: bool,
    ) -> anyhow::Result<Made> {
        match self {
            Self::Ours { house, .. } => {
                let notes = Notes::new(std::slice::from_ref(&**house), is_marked);
                let first = workers.get(..1).unwrap_or_default();
                let asked = requests::ask(first, connections, pace, &notes).await?;
                let told = notes.into_told().into_iter().flatten().collect();
                let head = house.head().await?;
                Ok(Made { asked, head, told })
            }
            Self::Nchan {
                publish,
                payload_bytes,
            } => {
                let messages = Messages {
                    publish,
                    length: *payload_bytes,
                    before: head,
                    is_marked,
                };
                // One connection: nobody but the publisher numbers what Nchan passes on.
                let one = std::slice::from_ref(publish);
                let asked = requests::ask(one, 1, pace, &messages).await?;
                let made = Seq::try_from(asked.answered())?;
                let told = (head + 1..=head + made).collect();
                let head = head + made;
                Ok(Made { asked, head, told })
            }
        }
    }

    /// Compares what was told of changes after `before` with the log, where there is one.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn audit(&self, before: Seq, told: &[Seq]) -> anyhow::Result<Ledger> {
        match self {
            Self::Ours { house, .. } => house.audit(before, told).await,
            Self::Nchan { .. } => Ok(Ledger::default()),
        }
    }

    /// Where the log stands.
    pub(crate) async fn head(&self) -> anyhow::Result<Seq> {
        match self {
            Self::Ours { house, .. } => house.head().await,
            Self::Nchan { .. } => Ok(0),
        }
    }
}

/// What is published to Nchan: as long as our events, and read by the same sessions.
struct Messages<'a> {
    publish: &'a Worker,
    length: usize,
    before: Seq,
    is_marked: bool,
}

impl Work for Messages<'_> {
    fn ask(&self, turn: Turn, _worker: usize, request: &mut Vec<u8>) -> bool {
        let seq = self.before + 1 + Seq::try_from(turn.number).unwrap_or(Seq::MAX / 2);
        let at = turn.at;
        // The subscribers are all at the worker 0, and this is not it.
        let mark = Mark { at, worker: 9 }.text();
        let notes = if self.is_marked { &mark } else { "" };
        let body = message(seq, notes, self.length);
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            self.publish.path,
            self.publish.authority,
            body.len()
        );
        request.extend(head.as_bytes());
        request.extend(body.as_bytes());
        true
    }

    fn answer(&self, _turn: Turn, _answer: &Answer<'_>) {}
}

/// A message as events are: type, number, and notes in what is told.
fn message(seq: Seq, notes: &str, length: usize) -> String {
    let begin = format!("{{\"type\":\"guest_updated\",\"seq\":{seq},\"data\":{{\"padding\":\"");
    let end = format!("\",\"notes\":\"{notes}\"}}}}");
    let padding = "x".repeat(length.saturating_sub(begin.len() + end.len()));
    format!("{begin}{padding}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::frame_text::{Told, read};

    #[test]
    fn messages_are_as_long_as_events_and_read_alike() {
        let mark = Mark { at: 77, worker: 9 };
        for (seq, length) in [(1, 1100), (1_000_000, 1100), (5, 300)] {
            let message = message(seq, &mark.text(), length);
            assert_eq!(message.len(), length);
            serde_json::from_str::<serde_json::Value>(&message).unwrap();
            let mark = Some(mark);
            assert_eq!(read(message.as_bytes()), Told::Event { seq, mark });
        }
    }
}
