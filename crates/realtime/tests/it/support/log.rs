//! A log in memory that fails, hides and loses what the test wants.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytestring::ByteString;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use realtime::{Commit, Event, Head, Log, LogError, Own, Page};
use tokio::sync::Semaphore;
use wire::live::events::EventKind;
use wire::{Epoch, RestaurantId, Seq};

pub(crate) struct FakeLog {
    books: Mutex<HashMap<RestaurantId, Book>>,
    /// Every question is answered with an error.
    pub(crate) away: AtomicBool,
    /// Every question panics.
    pub(crate) broken: AtomicBool,
    /// Without permits, questions wait.
    answers: Semaphore,
    /// While they wait, the answer grows old.
    slow_answers: AtomicBool,
    pub(crate) questions: AtomicUsize,
    /// Of those, pages of events.
    pub(crate) reads: AtomicUsize,
}

impl Default for FakeLog {
    fn default() -> Self {
        Self {
            books: Mutex::default(),
            away: AtomicBool::default(),
            broken: AtomicBool::default(),
            answers: Semaphore::new(Semaphore::MAX_PERMITS),
            slow_answers: AtomicBool::default(),
            questions: AtomicUsize::default(),
            reads: AtomicUsize::default(),
        }
    }
}

#[derive(Clone)]
struct Book {
    epoch: Epoch,
    pruned: Seq,
    events: Vec<Event>,
    /// Tells apart what was written under the same number.
    edition: u32,
}

impl Book {
    fn head(&self) -> Head {
        Head {
            epoch: self.epoch,
            last_seq: self.events.last().map_or(self.pruned, |event| event.seq),
            pruned_seq: self.pruned,
        }
    }

    fn next(&self) -> Event {
        let seq = self.head().last_seq + 1;
        Event {
            seq,
            kind: EventKind::GuestUpdated,
            frame: format!(
                "{{\"seq\":{seq},\"in\":\"{}.{}\",\"data\":\"a name\"}}",
                self.epoch, self.edition
            )
            .into(),
            public_frame: None,
            own: None,
        }
    }
}

impl FakeLog {
    pub(crate) fn open(&self, id: RestaurantId, epoch: Epoch) {
        let book = Book {
            epoch,
            pruned: 0,
            events: Vec::new(),
            edition: 0,
        };
        self.books.lock().insert(id, book);
    }

    /// Commits a transaction with `n` events.
    pub(crate) fn append(&self, id: RestaurantId, n: usize) -> Commit {
        self.append_as(id, &vec![(EventKind::GuestUpdated, false); n])
    }

    /// Commits a transaction with events of these kinds, with or without a public frame.
    pub(crate) fn append_as(&self, id: RestaurantId, events: &[(EventKind, bool)]) -> Commit {
        self.change(id, |book| {
            let first = book.events.len();
            for (kind, public) in events {
                let mut event = book.next();
                event.kind = *kind;
                event.public_frame = public.then(|| format!("{{\"public\":{}}}", event.seq).into());
                book.events.push(event);
            }
            Commit {
                restaurant_id: id,
                epoch: book.epoch,
                committed_at_ms: 990,
                events: book.events[first..].to_vec(),
                traced: None,
            }
        })
    }

    /// Commits an event that concerns things which are followed by themselves.
    pub(crate) fn append_own(&self, id: RestaurantId, own: impl FnOnce(Seq) -> Own) -> Commit {
        let mut commit = self.append(id, 1);
        self.change(id, |book| {
            if let (Some(event), Some(stored)) = (commit.events.last_mut(), book.events.last_mut())
            {
                event.own = Some(Arc::new(own(event.seq)));
                stored.own.clone_from(&event.own);
            }
        });
        commit
    }

    /// Commits an erasure: the name goes out of all that was said, which keeps its numbers.
    pub(crate) fn erase(&self, id: RestaurantId) -> Commit {
        self.change(id, |book| {
            for event in &mut book.events {
                event.frame = event.frame.replace("a name", "nobody").into();
            }
        });
        self.append_as(id, &[(EventKind::PersonErased, false)])
    }

    pub(crate) fn frame(&self, id: RestaurantId, seq: Seq) -> ByteString {
        self.event(id, seq).frame
    }

    pub(crate) fn event(&self, id: RestaurantId, seq: Seq) -> Event {
        self.change(id, |book| {
            let found = book.events.iter().find(|event| event.seq == seq);
            found.unwrap_or_else(|| panic!("no event {seq}")).clone()
        })
    }

    pub(crate) fn head(&self, id: RestaurantId) -> Head {
        self.change(id, |book| book.head())
    }

    pub(crate) fn prune(&self, id: RestaurantId, until: Seq) {
        self.change(id, |book| {
            book.events.retain(|event| event.seq > until);
            book.pruned = until;
        });
    }

    /// Loses the end, as a crash without a new timeline would.
    pub(crate) fn lose_after(&self, id: RestaurantId, seq: Seq) {
        self.change(id, |book| {
            book.events.retain(|event| event.seq <= seq);
            book.edition += 1;
        });
    }

    /// Loses an event in the middle.
    pub(crate) fn lose(&self, id: RestaurantId, seq: Seq) {
        self.change(id, |book| book.events.retain(|event| event.seq != seq));
    }

    /// Begins a new life, after losing the end.
    pub(crate) fn renew(&self, id: RestaurantId, epoch: Epoch, keep: Seq) {
        self.lose_after(id, keep);
        self.change(id, |book| book.epoch = epoch);
    }

    pub(crate) fn remove(&self, id: RestaurantId) {
        self.books.lock().remove(&id);
    }

    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// Questions wait until they are let go, and are answered then.
    pub(crate) fn hold(&self) {
        self.answers.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Questions are answered now, but the answers arrive only when they are let go.
    pub(crate) fn hold_answers(&self) {
        self.slow_answers.store(true, Ordering::SeqCst);
        self.hold();
    }

    pub(crate) fn let_go(&self) {
        self.answers
            .add_permits(Semaphore::MAX_PERMITS - self.answers.available_permits());
    }

    pub(crate) fn questions(&self) -> usize {
        self.questions.load(Ordering::SeqCst)
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    fn change<T>(&self, id: RestaurantId, change: impl FnOnce(&mut Book) -> T) -> T {
        change(self.books.lock().get_mut(&id).expect("a restaurant"))
    }

    async fn answer<T>(
        &self,
        answer: impl FnOnce(&HashMap<RestaurantId, Book>) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        if self.slow_answers.load(Ordering::SeqCst) {
            let answer = answer(&self.books.lock());
            let _permit = self.answers.acquire().await;
            return answer;
        }
        let _permit = self.answers.acquire().await;
        assert!(!self.broken.load(Ordering::SeqCst), "the log is broken");
        if self.away.load(Ordering::SeqCst) {
            return Err(LogError::unavailable("the log is away"));
        }
        answer(&self.books.lock())
    }

    async fn page(
        &self,
        id: RestaurantId,
        which: impl FnOnce(&Book) -> Vec<Event>,
    ) -> Result<Page, LogError> {
        self.answer(|books| {
            let book = books.get(&id).ok_or(LogError::NotFound)?;
            Ok(Page {
                head: book.head(),
                events: which(book),
            })
        })
        .await
    }
}

impl Log for FakeLog {
    fn heads<'a>(
        &'a self,
        ids: &'a [RestaurantId],
    ) -> BoxFuture<'a, Result<Vec<(RestaurantId, Head)>, LogError>> {
        self.answer(|books| {
            let heads = ids
                .iter()
                .filter_map(|id| Some((*id, books.get(id)?.head())));
            Ok(heads.collect())
        })
        .boxed()
    }

    fn read(
        &self,
        id: RestaurantId,
        after: Seq,
        limit: usize,
    ) -> BoxFuture<'_, Result<Page, LogError>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.page(id, move |book| {
            let events = book.events.iter().filter(|event| event.seq > after);
            events.take(limit).cloned().collect()
        })
        .boxed()
    }

    fn tail(&self, id: RestaurantId, count: usize) -> BoxFuture<'_, Result<Page, LogError>> {
        self.page(id, move |book| {
            let first = book.events.len().saturating_sub(count);
            book.events[first..].to_vec()
        })
        .boxed()
    }
}
