//! Scenarios: a small internet and what happens in it, as a file a person writes.

mod builtin;
mod check;
mod compare;
mod describe;
mod judge;
pub mod language;
mod play;
mod resolve;
mod verdict;

use std::path::{Path, PathBuf};

use quirknat_router::diagnostic::{Diagnostic, ReadError, from_toml, read_text};

pub use builtin::{Builtin, builtin};
pub use compare::compare;
pub use language::Scenario;
pub(crate) use play::Stage;
pub use play::{PlayError, Played, play, play_on};
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
}

impl Scenario {
    /// The scenario that a file's text describes; `file_name` is for its diagnostics.
    pub fn from_toml(file_name: &str, text: &str) -> Result<Self, ScenarioError> {
        let invalid = |diagnostic| ScenarioError::Invalid(Box::new(diagnostic));
        let mut scenario: Self = from_toml(file_name, text).map_err(invalid)?;
        scenario.folder = Path::new(file_name).parent().map_or_else(PathBuf::new, Path::to_path_buf);
        check::check(&scenario, file_name, text).map_err(invalid)?;
        Ok(scenario)
    }

    /// The scenario in a file.
    pub fn from_file(path: &Path) -> Result<Self, ScenarioError> {
        Self::from_toml(&path.display().to_string(), &read_text(path)?)
    }
}

#[cfg(test)]
mod tests;
