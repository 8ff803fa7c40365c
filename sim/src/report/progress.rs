//! How far a run is, on a line of stderr that stays in its place. It is one line without a bar, so no crate draws it.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, never, tick};

use super::Summary;

/// A shorter run shows none.
const SHOWN_AFTER: Duration = Duration::from_secs(1);
/// Between two looks at the clock.
const INTERVAL: Duration = Duration::from_millis(250);
/// To the line's beginning, and clears it.
const CLEAR: &str = "\r\x1b[K";

/// The progress line.
#[derive(Debug)]
pub struct Progress {
    /// Since when the run goes; `None` where nobody looks.
    since: Option<Instant>,
    total: usize,
    shown: bool,
    /// As of the last tick.
    elapsed: Duration,
}

impl Progress {
    /// Of a run of `total` scenarios that begins now. It is silent unless stderr is a terminal that can clear a line.
    #[expect(
        clippy::disallowed_methods,
        reason = "a person waits by the wall clock; no result depends on it"
    )]
    pub fn start(total: usize) -> Self {
        let capable = std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        let since = (capable && io::stderr().is_terminal()).then(Instant::now);
        Self { since, total, shown: false, elapsed: Duration::ZERO }
    }

    /// Says when to [`show`](Self::show) it.
    pub fn ticks(&self) -> Receiver<Instant> {
        if self.since.is_some() { tick(INTERVAL) } else { never() }
    }

    /// Draws the line as of `now`.
    pub fn show(&mut self, now: Instant, summary: &Summary) {
        self.elapsed = self.since.map(|since| now.saturating_duration_since(since)).unwrap_or_default();
        if self.elapsed >= SHOWN_AFTER {
            self.draw(summary);
        }
    }

    /// Does what writes to stdout; where that is the same terminal, takes the line away for the while.
    pub fn aside(&mut self, stdout_is_terminal: bool, summary: &Summary, write: impl FnOnce()) {
        let in_the_way = self.shown && stdout_is_terminal;
        if in_the_way {
            self.clear();
        }
        write();
        if in_the_way {
            self.draw(summary);
        }
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            write(CLEAR);
        }
    }

    fn draw(&mut self, summary: &Summary) {
        write(format!("{CLEAR}{}", line(self.total, self.elapsed, summary)).as_str());
        self.shown = true;
    }
}

/// Where stderr cannot be written to, nobody misses it.
fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

fn line(total: usize, elapsed: Duration, summary: &Summary) -> String {
    let (played, failed, seconds) = (summary.played(), summary.not_as_expected, elapsed.as_secs());
    format!("{played}/{total} played, {failed} not as expected, {}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_the_run_is() {
        let summary = Summary { as_expected: 10, not_as_expected: 2, ..Summary::default() };
        let text = line(400, Duration::from_secs(65), &summary);
        assert_eq!(text, "12/400 played, 2 not as expected, 1:05");
    }
}
