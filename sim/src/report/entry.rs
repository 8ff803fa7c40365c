//! What a report says of one scenario. It is a type of its own, since `quirknat merge` reads it back from documents.

use serde::{Deserialize, Serialize};

use crate::cause::{Cause, Details, Found};
use crate::remedy::{Remedy, suggest};
use crate::scenario::{Mismatch, Scenario, StepVerdict, Verdict};

/// A scenario in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the undivided run, from 1.
    pub position: usize,
    /// Its name.
    pub name: String,
    /// Its title; empty if it could not be read.
    pub title: String,
    /// Whether all of it was as expected.
    pub as_expected: bool,
    /// Why it could not be played to its end, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether that is because the machine lacks something: privilege, a device, a program.
    #[serde(default, skip_serializing_if = "is_false")]
    pub lacking: bool,
    /// Why it was not played, where it cannot be on this backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// A step of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it was, in a line.
    pub step: String,
    /// Why what was expected of it is an assumption, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumed: Option<String>,
    /// Why it failed, where it did and the cause is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What the cause has to do with here.
    #[serde(default, skip_serializing_if = "Details::is_empty")]
    pub details: Details,
    /// What would help, where it was not as expected: most practical first, each tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<Remedy>,
    /// What was not as expected.
    pub mismatches: Vec<Mismatch>,
}

impl Step {
    /// Why it failed, in words, where that is known.
    pub fn because(&self) -> Option<String> {
        let found = Found { cause: self.cause?, details: self.details.clone() };
        Some(format!("{}: {found}", found.cause.key()))
    }
}

impl Entry {
    /// What came of a scenario that was played.
    pub fn played(position: usize, verdict: Verdict) -> Self {
        let step = |StepVerdict { step, assumed, cause, details, mismatches, .. }: StepVerdict| Step {
            step,
            assumed,
            cause,
            details,
            remedies: Vec::new(),
            mismatches,
        };
        Self {
            position,
            name: verdict.name,
            title: verdict.title,
            as_expected: verdict.as_expected,
            error: None,
            lacking: false,
            skipped: None,
            steps: verdict.steps.into_iter().map(step).collect(),
        }
    }

    /// Finds what would help where it was not as expected; `scenario` is the one that was played.
    #[must_use]
    pub fn with_remedies(mut self, scenario: &Scenario, seed: u64) -> Self {
        for (position, step) in self.steps.iter_mut().enumerate() {
            if let Some(cause) = step.cause.filter(|_| !step.mismatches.is_empty()) {
                let found = Found { cause, details: step.details.clone() };
                step.remedies = suggest(scenario, position, &found, seed);
            }
        }
        self
    }

    /// A scenario that cannot be played on this backend.
    pub fn skipped(position: usize, name: &str, title: &str, because: String) -> Self {
        Self {
            position,
            name: name.to_owned(),
            title: title.to_owned(),
            as_expected: true,
            error: None,
            lacking: false,
            skipped: Some(because),
            steps: Vec::new(),
        }
    }

    /// A scenario that could not be played to its end.
    pub fn not_played(position: usize, name: &str, error: impl Into<String>) -> Self {
        Self {
            position,
            name: name.to_owned(),
            title: String::new(),
            as_expected: false,
            error: Some(error.into()),
            lacking: false,
            skipped: None,
            steps: Vec::new(),
        }
    }
    /// The same, because the machine lacks something.
    pub fn lacking(position: usize, name: &str, error: impl Into<String>) -> Self {
        Self { lacking: true, ..Self::not_played(position, name, error) }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if hands over a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}
