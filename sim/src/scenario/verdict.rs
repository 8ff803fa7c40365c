//! What came of a scenario.

use serde::{Deserialize, Serialize};

use crate::cause::{Cause, Details, Found};

/// What came of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Whether every step was as expected.
    pub as_expected: bool,
    /// The steps.
    pub steps: Vec<StepVerdict>,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepVerdict {
    /// What it was, in a line.
    pub step: String,
    /// Why what was expected of it is an assumption, where it is one.
    pub assumed: Option<String>,
    /// What was seen of it, for comparison between backends: each with a key.
    pub seen: Vec<Seen>,
    /// Why it failed, where it did and the cause is known.
    pub cause: Option<Cause>,
    /// What the cause has to do with here.
    #[serde(default, skip_serializing_if = "Details::is_empty")]
    pub details: Details,
    /// What was not as expected.
    pub mismatches: Vec<Mismatch>,
}

impl StepVerdict {
    /// Why it failed, with what that has to do with here.
    pub fn found(&self) -> Option<Found> {
        Some(Found { cause: self.cause?, details: self.details.clone() })
    }
}

/// One thing seen of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What.
    pub what: String,
    /// How it was.
    pub was: String,
}

/// One expectation that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mismatch {
    /// The expectation's key.
    pub what: String,
    /// Its value.
    pub expected: String,
    /// What was seen.
    pub seen: String,
}
