//! Forgetting what nobody needs: every [`Sweep`] in rounds of its own, in small batches.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use domain::sweeps::{Often, Retention, Round, Sweep};

use crate::state::AppState;

/// How many batches go in a row.
const IN_A_ROW: usize = 200;

/// How often a sweep looks for rows.
pub(super) const fn period(sweep: &Sweep) -> Duration {
    match sweep.often {
        Often::Minutely => Duration::from_secs(60),
        Often::Seldom => Duration::from_secs(600),
    }
}

/// Sweeps until nothing is left, or for long enough; how many rows went.
pub(super) async fn run(state: Arc<AppState>, sweep: Sweep) -> domain::Result<usize> {
    let keep = |time| TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
    let retention = Retention {
        events: keep(state.config.live.retention),
        audit: keep(state.config.live.audit_retention),
    };
    let mut swept = 0;
    for _ in 0..IN_A_ROW {
        let gone = state
            .db
            .transaction(sweep.name, async move |conn, now| {
                let round = Round {
                    now,
                    retention,
                    batch: sweep.batch,
                };
                (sweep.run)(conn, round).await
            })
            .await?;
        if gone == 0 {
            break;
        }
        swept += gone;
    }
    Ok(swept)
}
