//! Reports of runs: what is known of each scenario, and the shapes it is told in. Each is written as the results come,
//! and holds nothing of a scenario that was told.

mod entry;
pub(crate) mod escape;
mod json;
mod junit;
mod outlet;
mod partition;
mod progress;
mod text;

use std::io;

use serde::{Deserialize, Serialize};

use crate::exit::Failure;

pub use entry::{Entry, Step};
pub(crate) use escape::for_line;
pub use json::{Document, Json};
pub use junit::Junit;
pub use outlet::{Format, Outlet};
pub use partition::Partition;
pub use progress::Progress;
pub use text::{Text, names_width};

/// What a report says of the run as a whole before its first scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The seed of all that is random.
    pub seed: u64,
    /// Where the hosts were.
    pub backend: String,
    /// How many scenarios the undivided run has.
    pub total: usize,
    /// Which of them were to be played here; all, if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Scenarios that were as expected.
    pub as_expected: usize,
    /// Scenarios that were not.
    pub not_as_expected: usize,
    /// Of these, scenarios that could not be played because the machine lacks something.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lacking: usize,
    /// Scenarios that cannot be played on the backend.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: usize,
    /// Whether it was ended before its last scenario.
    pub interrupted: bool,
}

impl Summary {
    /// Counts a scenario.
    pub fn count(&mut self, entry: &Entry) {
        if entry.skipped.is_some() {
            self.skipped += 1;
        } else if entry.as_expected {
            self.as_expected += 1;
        } else {
            self.not_as_expected += 1;
            self.lacking += usize::from(entry.lacking);
        }
    }

    /// What the run comes to, once all is told.
    pub fn verdict(&self) -> Result<(), Failure> {
        match (self.not_as_expected, self.lacking) {
            (0, _) => Ok(()),
            (_, 0) => Err(Failure::Unexpected),
            (_, lacking) => Err(Failure::environment(format!(
                "scenarios that could not be played here, since this machine lacks something: {lacking}"
            ))),
        }
    }

    /// Scenarios so far.
    pub fn played(&self) -> usize {
        self.as_expected + self.not_as_expected + self.skipped
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if hands over a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A report in one shape. Call [`begin`](Self::begin) first, then [`entry`](Self::entry) for each scenario in its
/// order, and [`end`](Self::end) in any case, also after an interruption: it completes the document.
pub trait Report {
    /// What stands before the first scenario.
    fn begin(&mut self, header: &Header) -> io::Result<()>;
    /// A scenario.
    fn entry(&mut self, entry: &Entry) -> io::Result<()>;
    /// What stands after the last one. Nothing stays in a buffer.
    fn end(&mut self, summary: &Summary) -> io::Result<()>;
}

#[cfg(test)]
mod tests;
