//! Writes that a client may send again: the answer is kept in the transaction that does the work.

use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;

use super::bulkhead::Purpose;
use super::pool::Db;
use super::tx::{Scope, Tx};
use super::write::{Body, Committed, Finished, Trace, append};
use crate::Result;
use crate::remembered::{self, Once};

/// What a request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<A> {
    /// It was done now.
    New(A),
    /// It had been done before: what was kept of the answer then.
    Kept(String),
}

/// Operations of one restaurant, the append of their events, and the answer that is kept.
struct Answered<F, G> {
    scope: Scope,
    once: Once,
    body: F,
    answer: G,
}

impl<T, A, F, G> Body for Answered<F, G>
where
    F: AsyncFn(&mut Tx<'_>) -> Result<T>,
    G: Fn(Committed<T>) -> Result<(Committed<A>, String)>,
{
    type Value = Committed<Answer<A>>;

    async fn run(
        &self,
        conn: &mut AsyncPgConnection,
        now: DateTime<Utc>,
    ) -> Result<Finished<Self::Value>> {
        let mut tx = Tx::new(conn, self.scope, now);
        if let Some(kept) = remembered::claim_once(&mut tx, &self.once).await? {
            let value = Committed {
                value: Answer::Kept(kept),
                appended: None,
            };
            return Ok(Finished { value, trace: None });
        }
        let value = (self.body)(&mut tx).await?;
        let (conn, appended) = append(tx).await?;
        let trace = appended.as_ref().and_then(Trace::of);
        let (answer, kept) = (self.answer)(Committed { value, appended })?;
        remembered::keep_once(conn, self.scope.restaurant_id, &self.once, kept).await?;
        let value = Committed {
            value: Answer::New(answer.value),
            appended: answer.appended,
        };
        Ok(Finished { value, trace })
    }
}

impl Db {
    /// Like [`Db::write`] for a request that may be sent again: the first time it is done, and what
    /// `answer` makes of it is kept, all in one transaction; from then on it is answered with what
    /// was kept. A refusal rolls everything back, so nothing is kept of it.
    ///
    /// # Errors
    /// As [`Db::write`]; `in_progress` while another worker does it; [`crate::Error::Invalid`] when
    /// the key was used for another request.
    pub async fn write_once<T, A>(
        &self,
        operation: &'static str,
        scope: &Scope,
        once: Once,
        body: impl AsyncFn(&mut Tx<'_>) -> Result<T>,
        answer: impl Fn(Committed<T>) -> Result<(Committed<A>, String)>,
    ) -> Result<Committed<Answer<A>>> {
        let body = Answered {
            scope: *scope,
            once,
            body,
            answer,
        };
        let purpose = Purpose::Write(scope.restaurant_id);
        self.run(operation, purpose, &body).await
    }
}
