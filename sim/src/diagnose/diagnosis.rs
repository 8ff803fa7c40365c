//! What came of each session: the cause, as the one finder has it, and the routers that would do the same.

use super::candidates::{Comparison, candidates};
use super::facts::Facts;
use super::material::Material;
use super::rebuild::NotRebuilt;
use super::sessions::{Session, sessions};
use crate::cause::{Evidence, Finding, find};

/// A session, diagnosed.
#[derive(Debug)]
pub struct Diagnosis {
    /// Its number, from 1.
    pub number: usize,
    /// Its views.
    pub session: Session,
    /// Why it failed, if it did.
    pub finding: Finding,
    /// Which routers would do exactly this, or why that cannot be told. Looked for where a session is not fine.
    pub candidates: Option<Result<Comparison, NotRebuilt>>,
}

impl Diagnosis {
    /// Whether nothing failed, as far as the material goes.
    pub fn is_fine(&self) -> bool {
        matches!(self.finding, Finding::NoFailure)
    }

    /// Whether it failed.
    pub fn is_failure(&self) -> bool {
        matches!(self.finding, Finding::Cause(_) | Finding::Undecided { .. })
    }

    /// Whether the material does not tell if it failed.
    pub fn is_unseen(&self) -> bool {
        matches!(self.finding, Finding::Unseen { .. })
    }
}

/// Diagnoses all sessions of the material. `profiles` are files of users' own, beside the built-in ones; `wanted` says
/// which sessions' candidates are looked for, given its number and whether it is fine.
pub fn diagnose(
    material: &Material,
    profiles: &[String],
    wanted: impl Fn(usize, bool) -> bool,
) -> Vec<Diagnosis> {
    let diagnosis = |(number, session): (usize, Session)| {
        let facts = Facts::of(material, &session);
        let account = |view: Option<&super::Observed>| view.map(|view| view.account.clone());
        let (at_client, at_server) = (account(facts.at_client), account(facts.at_server));
        let evidence =
            Evidence { at_client: at_client.as_ref(), at_server: at_server.as_ref(), ..Evidence::default() };
        let finding = find(&evidence);
        let is_fine = matches!(finding, Finding::NoFailure);
        let candidates = wanted(number, is_fine).then(|| candidates(&facts, profiles));
        Diagnosis { number, session, finding, candidates }
    };
    (1..).zip(sessions(material)).map(diagnosis).collect()
}
