//! Scenarios: a small internet and what happens in it, as a file a person writes.

mod builtin;
mod check;
mod compare;
mod contents;
mod describe;
mod done;
mod edit;
mod judge;
mod kept;
pub mod language;
mod matrix;
mod play;
mod profiles;
mod resolve;
mod stage;
mod verdict;

use std::path::Path;

use quirknat_router::diagnostic::{Diagnostic, ReadError};

pub use builtin::{Builtin, builtin};
pub use compare::compare;
pub use kept::{Log, PlayedSession, PlayedStep, Station, WayWire};
pub use language::Scenario;
pub use matrix::ScenarioFile;
pub(crate) use matrix::path_safe;
pub use play::{PlayError, Played, play, play_on};
pub(crate) use stage::Stage;
pub use verdict::{Mismatch, Seen, StepVerdict, Verdict};

use resolve::INTERNET;

/// Why a scenario cannot be played. All of it is the user's to mend.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Its file could not be read as text.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// It says something that makes no scenario.
    #[error("{0}")]
    Invalid(Box<Diagnostic>),
    /// Its matrix has fewer cells.
    #[error("there is no cell {index}: the file makes {cells}, counted from 0")]
    NoSuchCell {
        /// The one asked for.
        index: usize,
        /// How many there are.
        cells: usize,
    },
}

impl Scenario {
    /// The scenario that a file's text describes; `file_name` is for its diagnostics. A file with a matrix is none: see
    /// [`ScenarioFile`].
    pub fn from_toml(file_name: &str, text: &str) -> Result<Self, ScenarioError> {
        ScenarioFile::from_toml(file_name, text)?.into_only()
    }

    /// The scenario in a file, likewise.
    pub fn from_file(path: &Path) -> Result<Self, ScenarioError> {
        ScenarioFile::read(path)?.into_only()
    }
}

#[cfg(test)]
mod tests;
