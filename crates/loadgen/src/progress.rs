//! Bars, where somebody sees them.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::AbortHandle;
use tokio::time::sleep;

/// A bar that moves by the clock, until it is aborted.
pub(crate) fn seconds(length: Duration) -> AbortHandle {
    tokio::spawn(async move {
        let bar = count("s");
        bar.set_length(length.as_secs());
        for _ in 0..length.as_secs() {
            sleep(Duration::from_secs(1)).await;
            bar.inc(1);
        }
        bar.finish_and_clear();
    })
    .abort_handle()
}

/// A bar that counts something. It clears itself when it is dropped.
pub(crate) fn count(what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0).with_finish(indicatif::ProgressFinish::AndClear);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar.with_message(what)
}
