//! The signs that cells are shown by, the same in every shape, and the words around them.

use std::fmt;

use super::coordinates::{Aware, Behind, Coordinate};
use super::document::{Document, ProfileNamed};
use super::entry::{Entry, Works};
use crate::report::for_line;
use crate::scenario::language::Mode;

/// The marks, each with its meaning in [`legend`].
pub(super) const WORKS: &str = "✓";
pub(super) const FAILS: &str = "✗";
pub(super) const NOT_PLAYED: &str = "!";
pub(super) const SAME: &str = "=";
pub(super) const UNSPOKEN: &str = "~";
pub(super) const DIFFERS: &str = "≠";

/// What stands for a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sign {
    pub(super) kind: Kind,
    /// The article speaks of this router, and not of this cell.
    pub(super) is_unspoken: bool,
    /// It is not as with the first profile.
    pub(super) differs: bool,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Works,
    /// By the cause of this number.
    Fails(usize),
    NotPlayed,
    /// Awareness has no meaning here.
    Same,
}

impl Sign {
    /// The sign of a cell of `document`.
    pub(super) fn of(document: &Document, entry: &Entry) -> Self {
        if entry.same_as.is_some() {
            return Self { kind: Kind::Same, is_unspoken: false, differs: false };
        }
        let kind = match entry.outcome.outcome {
            Works::Works => Kind::Works,
            Works::Fails => Kind::Fails(document.cause_number(entry).unwrap_or_default()),
            Works::NotPlayed => Kind::NotPlayed,
        };
        Self { kind, is_unspoken: entry.is_unspoken(), differs: document.differs(entry) }
    }

    /// What came of it, without what is to be noted of it.
    pub(super) fn main(self) -> String {
        match self.kind {
            Kind::Works => WORKS.to_owned(),
            Kind::Fails(number) => format!("{FAILS}{number}"),
            Kind::NotPlayed => NOT_PLAYED.to_owned(),
            Kind::Same => SAME.to_owned(),
        }
    }

    /// That the article does not speak of it.
    pub(super) fn unspoken(self) -> &'static str {
        if self.is_unspoken { UNSPOKEN } else { "" }
    }

    /// That it is not as with the first profile.
    pub(super) fn other(self) -> &'static str {
        if self.differs { DIFFERS } else { "" }
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}{}", self.main(), self.unspoken(), self.other())
    }
}

/// What the marks mean that occur in a document.
pub(super) fn legend(document: &Document) -> Vec<(&'static str, &'static str)> {
    let mut words = vec![(WORKS, "works"), ("✗N", "fails by cause N")];
    if document.cells.iter().any(Entry::is_unspoken) {
        words.push((UNSPOKEN, "assumed: the article does not speak of it"));
    }
    words.push((SAME, "no NAT there to know of: as neither"));
    if document.profiles.len() > 1 {
        words.push((DIFFERS, "not as with the first profile"));
    }
    if document.cells.iter().any(|entry| entry.outcome.outcome == Works::NotPlayed) {
        words.push((NOT_PLAYED, "could not be played"));
    }
    words
}

/// A number of cells.
pub(super) fn cells(number: usize) -> String {
    if number == 1 { "1 cell".to_owned() } else { format!("{number} cells") }
}

/// As a mode is written on the wire.
pub(super) fn mode_name(mode: Mode) -> String {
    match mode {
        Mode::NoCommand => "no command".to_owned(),
        mode => mode.word().to_uppercase(),
    }
}

/// Who is behind a router.
pub(super) fn behind_name(behind: Behind) -> &'static str {
    match behind {
        Behind::Nobody => "Nobody behind a router",
        Behind::Client => "Client behind the router",
        Behind::Server => "Server behind the router",
        Behind::Both => "Both behind such routers",
    }
}

/// Whose software knows of its NAT.
pub(super) fn aware_name(aware: Aware) -> &'static str {
    match aware {
        Aware::Neither => "no software knows of its NAT",
        Aware::Client => "the client knows of its NAT",
        Aware::Server => "the server knows of its NAT",
    }
}

/// What a profile is called: a file's with its path.
pub(super) fn called(profile: &ProfileNamed) -> String {
    if profile.is_file {
        format!("{} ({})", for_line(&profile.name), for_line(&profile.given))
    } else {
        for_line(&profile.name).into_owned()
    }
}
