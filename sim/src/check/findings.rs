//! What probes find.

use std::collections::BTreeMap;

use super::report::{Behaviour, Verdict};

/// What a probe found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// A verdict with its evidence for each requirement.
    pub(super) rows: BTreeMap<&'static str, (Verdict, String)>,
    pub(super) behaviour: Behaviour,
}

impl Findings {
    pub(super) fn absorb(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.behaviour.extend(other.behaviour);
    }

    pub(super) fn say(&mut self, id: &'static str, verdict: Verdict, evidence: impl Into<String>) {
        self.rows.insert(id, (verdict, evidence.into()));
    }

    pub(super) fn judge(&mut self, id: &'static str, holds: bool, evidence: impl Into<String>) {
        let verdict = if holds { Verdict::Holds } else { Verdict::DoesNotHold };
        self.say(id, verdict, evidence);
    }

    /// One requirement of several lifetimes: one that does not hold decides, else one that was not measured.
    pub(super) fn judge_all(&mut self, id: &'static str, told: &[(&str, (Verdict, String))]) {
        let order = [Verdict::DoesNotHold, Verdict::NotMeasured, Verdict::NotApplicable];
        let decisive = order.into_iter().find(|verdict| told.iter().any(|(_, (told, _))| told == verdict));
        let evidence: Vec<String> = told.iter().map(|(when, (_, told))| format!("{when}: {told}")).collect();
        self.say(id, decisive.unwrap_or(Verdict::Holds), evidence.join("; "));
    }

    pub(super) fn behaves(&mut self, key: &'static str, value: impl Into<String>) {
        self.behaviour.insert(key, value.into());
    }
}
