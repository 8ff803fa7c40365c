//! Judges a step: what was expected beside what was seen, on the wires first.

mod decisive;
mod ftp;
mod general;
mod log;
mod mask;
mod messages;
mod program;

use super::done::{Done, DoneWhat};
use super::language::{Outcome, Step};
use super::stage::Stage;
use super::{Mismatch, Seen, StepVerdict, describe};
use crate::cause::{Cause, Details, Finding};
use crate::world::Backend;
use mask::Mask;

/// Holds what was seen of a step against what was expected.
pub(super) fn judge<B: Backend>(stage: &Stage<'_, B>, step: &Step, done: Option<&Done>) -> StepVerdict {
    let mut findings = Findings::default();
    match done {
        None => findings.mismatch("step", "it begins", "never begun: the steps beside it took too long"),
        Some(Done { since, what }) => {
            let mask = Mask::new(stage.scenario);
            match what {
                DoneWhat::Ftp { control, outcome, log, served } => {
                    let client = ftp::as_known_to_the_server(stage, *since, *control);
                    let server_log = served.iter().find(|(whose, _)| Some(*whose) == client);
                    let server_log = server_log.map(|(_, log)| log.as_slice()).unwrap_or_default();
                    let ended =
                        ftp::Ended { control: *control, outcome: outcome.as_ref(), logs: [log, server_log] };
                    ftp::judge(stage, step, *since, &ended, &mask, &mut findings);
                    log::judge(&step.expect, log, server_log, &mask, &mut findings);
                }
                DoneWhat::Exchange { outcome, seen } => {
                    messages::judge_exchange(&step.expect, outcome.as_ref(), seen, &mask, &mut findings);
                    if outcome.as_ref().is_none_or(|outcome| outcome.failure.is_some()) {
                        findings.because(messages::cause(stage, step, *since));
                    }
                }
                DoneWhat::Ping { outcome } => {
                    messages::judge_ping(&step.expect, outcome.as_ref(), &mut findings);
                }
                DoneWhat::Run { end } => program::judge(stage, step, *since, end, &mask, &mut findings),
                DoneWhat::Plain => {}
            }
            general::judge(stage, &step.expect, *since, &mut findings);
            decisive::note(stage, *since, &mask, &mut findings);
        }
    }
    if let Some(expected) = step.expect.cause.as_ref().map(|cause| *cause.get_ref())
        && findings.cause != Some(expected)
    {
        let seen = findings.cause.map_or_else(|| "none that could be told".to_owned(), |cause| key(&cause));
        findings.mismatch("cause", &key(&expected), &seen);
    }
    let Findings { seen, cause, details, mismatches } = findings;
    let assumed = step.assumed.as_ref().map(|why| why.get_ref().clone());
    StepVerdict { step: describe::step(step), assumed, seen, cause, details, mismatches }
}

/// What is found out about a step.
#[derive(Default)]
struct Findings {
    seen: Vec<Seen>,
    cause: Option<Cause>,
    details: Details,
    mismatches: Vec<Mismatch>,
}

impl Findings {
    fn mismatch(&mut self, what: &str, expected: &str, seen: &str) {
        let (what, expected, seen) = (what.to_owned(), expected.to_owned(), seen.to_owned());
        self.mismatches.push(Mismatch { what, expected, seen });
    }

    /// Notes why it failed, if that can be told.
    fn because(&mut self, finding: Finding) {
        if let Finding::Cause(found) = finding {
            (self.cause, self.details) = (Some(found.cause), found.details);
        }
    }

    /// Notes that something was so.
    fn saw(&mut self, what: &str, was: impl Into<String>) {
        self.seen.push(Seen { what: what.to_owned(), was: was.into() });
    }

    /// An outcome, and in words why.
    fn outcome(&mut self, what: &str, expected: Option<Outcome>, (outcome, words): &(Outcome, String)) {
        self.saw(what, if *outcome == Outcome::Ok { "ok" } else { "failed" });
        if let Some(expected) = expected.filter(|expected| expected != outcome) {
            self.mismatch(what, if expected == Outcome::Ok { "ok" } else { "failed" }, words);
        }
    }

    /// A number.
    fn count(&mut self, what: &str, expected: Option<u32>, seen: u32) {
        self.saw(what, seen.to_string());
        if let Some(expected) = expected.filter(|expected| *expected != seen) {
            self.mismatch(what, &expected.to_string(), &seen.to_string());
        }
    }
}

/// The name that something has in files.
fn key(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether `text` is what `pattern` says, where `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    wildmatch::WildMatchPattern::<'*', '\u{0}'>::new(pattern).matches(text)
}
