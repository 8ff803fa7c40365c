//! What was measured, and what of it holds.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::catalogue::{REQUIREMENTS, Requirement};
use super::findings::Findings;
use crate::explain::wrap;

/// What measuring says of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was seen to hold.
    Holds,
    /// It was seen not to.
    DoesNotHold,
    /// It says nothing of a router like this one.
    NotApplicable,
    /// It would have taken longer, or more, than was allowed.
    NotMeasured,
}

impl Verdict {
    /// In the order they are counted in.
    const ALL: [Self; 4] = [Self::Holds, Self::DoesNotHold, Self::NotApplicable, Self::NotMeasured];

    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::DoesNotHold => "does not hold",
            Self::NotApplicable => "not applicable",
            Self::NotMeasured => "not measured",
        }
    }

    fn of_several(self) -> &'static str {
        match self {
            Self::Holds => "hold",
            Self::DoesNotHold => "do not hold",
            Self::NotApplicable | Self::NotMeasured => self.text(),
        }
    }
}

/// One requirement, measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which.
    #[serde(flatten)]
    pub requirement: Requirement,
    /// Whether it holds.
    pub verdict: Verdict,
    /// What was seen.
    pub evidence: String,
}

/// What a profile would say of the router, as far as it was measured: values by their profile's keys.
pub type Behaviour = BTreeMap<&'static str, String>;

/// All that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The requirements, in the catalogue's order.
    pub requirements: Vec<Finding>,
    /// Values of the router's.
    pub behaviour: Behaviour,
}

impl Report {
    pub(super) fn new(findings: Findings, filter: &str) -> Self {
        let wanted = REQUIREMENTS.iter().filter(|requirement| requirement.id.contains(filter));
        let requirements = wanted
            .filter_map(|requirement| {
                let (verdict, evidence) = findings.rows.get(requirement.id)?.clone();
                Some(Finding { requirement: *requirement, verdict, evidence })
            })
            .collect();
        Self { requirements, behaviour: findings.behaviour }
    }

    /// How many of the requirements have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.requirements.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// For people: a requirement with its evidence below it, the values measured, the counts.
    pub fn text(&self) -> String {
        /// As wide as the project's other reports.
        const COLUMNS: usize = 118;
        let width =
            |length: fn(&Finding) -> usize| self.requirements.iter().map(length).max().unwrap_or_default();
        let verdict_width = width(|finding| finding.verdict.text().len());
        let id_width = width(|finding| finding.requirement.id.len());
        let indent = verdict_width + 2;
        let mut text = String::new();
        // Writing to a string cannot fail.
        for Finding { requirement, verdict, evidence } in &self.requirements {
            let (verdict, id) = (verdict.text(), requirement.id);
            let Requirement { source, statement, .. } = requirement;
            let _ = writeln!(text, "{verdict:verdict_width$}  {id:id_width$}  {statement} ({source})");
            for piece in wrap(evidence, COLUMNS - indent) {
                let _ = writeln!(text, "{:indent$}{}", "", piece.text);
            }
        }
        if !self.behaviour.is_empty() {
            let key_width = self.behaviour.keys().map(|key| key.len()).max().unwrap_or_default();
            text.push_str("\nas a profile says it:\n");
            for (key, value) in &self.behaviour {
                let _ = writeln!(text, "    {key:key_width$}  {value}");
            }
        }
        let counts = Verdict::ALL.map(|verdict| format!("{} {}", self.count(verdict), verdict.of_several()));
        let _ = writeln!(text, "\n{} requirements: {}", self.requirements.len(), counts.join(", "));
        text
    }
}
