//! All cells of one profile or several, and what they have in common.

use serde::Serialize;

use super::cell::Cell;
use super::coordinates::Coordinate;
use super::coordinates::{Aware, Behind, ControlPort};
use super::entry::{Entry, Works};
use crate::cause::Cause;
use crate::scenario::language::Mode;

/// The picture. As JSON it is one object, whose `cells` is the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Document {
    /// The seed of all that is random.
    pub seed: u64,
    /// Where the hosts were: `sim`, `netns` or `both`.
    pub backend: String,
    /// The profiles, in the order they were asked for.
    pub profiles: Vec<ProfileNamed>,
    /// The causes there are: those that the article speaks of first, each in the order they come.
    pub causes: Vec<CauseCount>,
    /// The cells: profile by profile, each in the order of [`Cell::all`].
    pub cells: Vec<Entry>,
}

/// A profile and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProfileNamed {
    /// As it was given: a built-in one's name, or a file's path.
    pub given: String,
    /// The name it has.
    pub name: String,
    /// Its line for people.
    pub title: String,
    /// Whether it is a file of the user's.
    pub is_file: bool,
}

/// A cause, and how often it is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CauseCount {
    /// The cause; `None` where what was seen did not tell it.
    pub cause: Option<Cause>,
    /// In words.
    pub because: String,
    /// How it comes about.
    pub explanation: &'static str,
    /// In how many cells, those without a meaning of their own left out.
    pub cells: usize,
    /// A cell that has it: the first that the article speaks of, or else the first.
    pub example: String,
    /// What a user types to have that one explained.
    pub explain: String,
    #[serde(skip)]
    is_spoken_of: bool,
}

impl CauseCount {
    /// Takes a cell as example if it is a better one.
    fn prefer(&mut self, entry: &Entry) {
        if !self.is_spoken_of && !entry.article.is_empty() {
            self.is_spoken_of = true;
            (self.example, self.explain) = (entry.name.clone(), entry.explain.clone());
        }
    }

    /// The cause as files spell it.
    pub fn key(&self) -> &'static str {
        self.cause.map_or("no cause found", Cause::key)
    }
}

impl Document {
    /// The picture that these cells make.
    pub fn new(seed: u64, backend: &str, profiles: Vec<ProfileNamed>, cells: Vec<Entry>) -> Self {
        let causes = count(&cells);
        Self { seed, backend: backend.to_owned(), profiles, causes, cells }
    }

    /// A profile's cells.
    pub fn of<'a>(&'a self, profile: &'a ProfileNamed) -> impl Iterator<Item = &'a Entry> {
        self.cells.iter().filter(move |entry| entry.profile == profile.given)
    }

    /// The cell at a place.
    pub fn at(
        &self,
        profile: &ProfileNamed,
        (behind, control, mode, aware): (Behind, ControlPort, Mode, Aware),
    ) -> Option<&Entry> {
        let place = (behind, control, mode, aware);
        self.cells.iter().find(|entry| {
            entry.profile == profile.given
                && (entry.behind, entry.control_port, entry.mode, entry.aware) == place
        })
    }

    /// A word for a cell's place that can stand in an address.
    pub fn anchor(&self, cell: &Cell) -> String {
        anchor(self.profiles.iter().map(|profile| profile.given.as_str()), cell)
    }

    /// A failed cell's number among the causes, from 1.
    pub fn cause_number(&self, entry: &Entry) -> Option<usize> {
        if entry.outcome.outcome != Works::Fails {
            return None;
        }
        self.causes.iter().position(|known| known.cause == entry.outcome.cause).map(|place| place + 1)
    }

    /// Whether it comes to something else than the same place does with the first profile.
    pub fn differs(&self, entry: &Entry) -> bool {
        let place = (entry.behind, entry.control_port, entry.mode, entry.aware);
        let first = self.profiles.first().and_then(|first| self.at(first, place));
        let result = |entry: &Entry| (entry.outcome.outcome, entry.outcome.cause);
        first.is_some_and(|first| result(first) != result(entry))
    }

    /// Cells that are not as the article says, or differ between grounds.
    pub fn not_as_expected(&self) -> impl Iterator<Item = &Entry> {
        self.cells.iter().filter(|entry| !entry.mismatches.is_empty())
    }
}

fn count(cells: &[Entry]) -> Vec<CauseCount> {
    let mut causes: Vec<CauseCount> = Vec::new();
    for entry in cells.iter().filter(|entry| entry.outcome.outcome == Works::Fails && entry.same_as.is_none())
    {
        let cause = entry.outcome.cause;
        match causes.iter_mut().find(|known| known.cause == cause) {
            Some(known) => {
                known.cells += 1;
                known.prefer(entry);
            }
            None => causes.push(CauseCount {
                cause,
                because: cause
                    .map_or_else(|| "what was seen does not tell".to_owned(), |cause| cause.to_string()),
                explanation: cause.map_or("", Cause::explanation),
                cells: 1,
                example: entry.name.clone(),
                explain: entry.explain.clone(),
                is_spoken_of: !entry.article.is_empty(),
            }),
        }
    }
    causes.sort_by_key(|known| !known.is_spoken_of);
    causes
}

/// A word for a cell's place that can stand in an address: `client-2121-port-neither`, with the profile's number where
/// it is not the first of `profiles`.
pub fn anchor<'a>(mut profiles: impl Iterator<Item = &'a str>, cell: &Cell) -> String {
    let Cell { behind, control, mode, aware, profile } = cell;
    let place = [behind.word(), control.word(), mode.word(), aware.word()].join("-");
    match profiles.position(|known| *known == **profile) {
        Some(number @ 1..) => format!("{place}-{}", number + 1),
        _ => place,
    }
}
