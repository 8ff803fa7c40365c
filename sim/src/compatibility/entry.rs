//! What came of a cell.

use serde::Serialize;

use super::cell::{ARTICLE_PROFILE, Cell};
use super::claims::Expected;
use super::coordinates::{Aware, Behind, ControlPort};
use crate::cause::{Cause, Details};
use crate::remedy::Remedy;
use crate::scenario::language::Mode;
use crate::scenario::{Mismatch, Verdict};

/// A cell, and what came of playing it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its name: what a user types where a scenario's can stand.
    pub name: String,
    /// Its line for people.
    pub title: String,
    /// Who is behind a router.
    pub behind: Behind,
    /// The port of the control connection.
    pub control_port: ControlPort,
    /// How the data connection is made.
    pub mode: Mode,
    /// Whose software knows of its NAT.
    pub aware: Aware,
    /// The routers' profile, as it was given.
    pub profile: String,
    /// The cell that has the same scenario, where this one's awareness has no meaning.
    pub same_as: Option<String>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The catalogue's rows that speak of it.
    pub article: Vec<&'static str>,
    /// That none does: what it comes to rests on the profile's assumed values, or on a mode newer than the article.
    pub assumed: bool,
    /// What helps, where it fails: most practical first, each tried.
    pub remedies: Vec<Remedy>,
    /// What the article says otherwise than it was, and where two grounds differ.
    pub mismatches: Vec<Mismatch>,
    /// What a user types to have it explained.
    pub explain: String,
    /// Whether it could not be played because the machine lacks something.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lacking: bool,
    /// The cell itself.
    #[serde(skip)]
    pub cell: Cell,
}

/// Whether a transfer works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Works {
    /// It does: login and transfer.
    Works,
    /// It does not.
    Fails,
    /// It could not be played.
    NotPlayed,
}

/// What came of a cell's session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Whether a transfer works.
    pub outcome: Works,
    /// The control connection: `ok` or `failed`.
    pub control: String,
    /// The data connection: `ok` or `failed`.
    pub data: String,
    /// The reply that ended the transfer, or refused it.
    pub reply: String,
    /// What the client's router did with the announcement: `rewritten`, `left alone: REASON`, `silent`.
    pub gateway: String,
    /// The announcement as its sender sent it, and as the other end got it.
    pub announced: Option<Announced>,
    /// The data connection's SYN on the wire of the end that dials, and on that of the end that is dialled.
    pub data_syn_at_client: String,
    /// The same on the server's wire.
    pub data_syn_at_server: String,
    /// Why it failed.
    pub cause: Option<Cause>,
    /// What the cause has to do with here.
    #[serde(skip_serializing_if = "Details::is_empty")]
    pub details: Details,
    /// The cause in words; for a cell that was not played, why not.
    pub because: Option<String>,
}

/// A line that says where to dial, at both ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Announced {
    /// As it was sent.
    pub sent: String,
    /// As it arrived; empty if it did not.
    pub arrived: String,
}

impl Entry {
    /// Of a cell that was played, with what helps.
    pub fn played(cell: &Cell, verdict: Verdict, remedies: Vec<Remedy>) -> Self {
        let Some(step) = verdict.steps.into_iter().next() else {
            return Self::not_played(cell, "its scenario has no step");
        };
        let seen = |what: &str| {
            let seen = step.seen.iter().find(|seen| seen.what == what);
            seen.map(|seen| seen.was.clone()).unwrap_or_default()
        };
        let (control, data) = (seen("control"), seen("data"));
        let outcome = if control == "ok" && data == "ok" { Works::Works } else { Works::Fails };
        let [by_client, by_server] = [["client-sent", "server-saw"], ["server-sent", "client-saw"]];
        let announced = announced(&by_client.map(seen), &["PORT ", "EPRT "])
            .or_else(|| announced(&by_server.map(seen), &["227 ", "229 "]));
        let outcome = Outcome {
            outcome,
            control,
            data,
            reply: seen("reply"),
            gateway: seen("gateway"),
            announced,
            data_syn_at_client: seen("data-syn-at-client"),
            data_syn_at_server: seen("data-syn-at-server"),
            cause: step.cause,
            because: step.cause.map(|cause| cause.to_string()),
            details: step.details,
        };
        Self { mismatches: step.mismatches, remedies, ..Self::new(cell, outcome) }
    }

    /// Of one that could not be played, and why.
    pub fn not_played(cell: &Cell, because: impl Into<String>) -> Self {
        let outcome = Outcome {
            outcome: Works::NotPlayed,
            control: String::new(),
            data: String::new(),
            reply: String::new(),
            gateway: String::new(),
            announced: None,
            data_syn_at_client: String::new(),
            data_syn_at_server: String::new(),
            cause: None,
            details: Details::default(),
            because: Some(because.into()),
        };
        Self::new(cell, outcome)
    }

    /// The same, because the machine lacks something.
    pub fn lacking(cell: &Cell, because: impl Into<String>) -> Self {
        Self { lacking: true, ..Self::not_played(cell, because) }
    }

    fn new(cell: &Cell, outcome: Outcome) -> Self {
        Self {
            name: cell.to_string(),
            title: cell.title(),
            behind: cell.behind,
            control_port: cell.control,
            mode: cell.mode,
            aware: cell.aware,
            profile: cell.profile.to_string(),
            same_as: (!cell.awareness_applies()).then(|| cell.essence().to_string()),
            outcome,
            article: cell.claim().map(|claim| claim.rows.to_vec()).unwrap_or_default(),
            assumed: cell.claim().is_none(),
            remedies: Vec::new(),
            mismatches: Vec::new(),
            explain: cell.explain_command(),
            lacking: false,
            cell: cell.clone(),
        }
    }

    /// Whether it is a gap in what the article says: of this router, but not of this cell. Of other routers it never
    /// speaks.
    pub fn is_unspoken(&self) -> bool {
        self.assumed && (self.profile == ARTICLE_PROFILE || self.behind == Behind::Nobody)
    }

    /// Whether it is as the article says, where the article speaks of it.
    pub fn is_as_claimed(&self) -> Option<bool> {
        let claim = self.cell.claim()?;
        Some(match claim.expected {
            Expected::Works => self.outcome.outcome == Works::Works,
            Expected::Fails(cause) => {
                self.outcome.outcome == Works::Fails
                    && self.outcome.control == "ok"
                    && self.outcome.cause == Some(cause)
            }
        })
    }
}

/// The last line that begins with one of these words, of those that were sent and those that arrived.
fn announced([sent, arrived]: &[String; 2], words: &[&str]) -> Option<Announced> {
    let last = |lines: &str| {
        lines.lines().rev().find(|line| words.iter().any(|word| line.starts_with(word))).map(str::to_owned)
    };
    last(sent).map(|sent| Announced { sent, arrived: last(arrived).unwrap_or_default() })
}
