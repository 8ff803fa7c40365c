//! Cells by their name, or by a part of it.

use std::sync::Arc;

use quirknat_router::diagnostic::help_with_choices;
use thiserror::Error;

use super::cell::{ARTICLE_PROFILE, Cell};
use super::coordinates::{Aware, Behind, ControlPort, Coordinate};
use crate::scenario::language::Mode;

/// The word that a cell's name begins with.
const NAME: &str = "matrix";
/// The coordinate that comes last, since a path may hold any character.
const PROFILE: &str = "profile";
const KEYS: [&str; 5] = [Behind::KEY, ControlPort::KEY, Mode::KEY, Aware::KEY, PROFILE];

/// The cells with the coordinates that a name states; one that it leaves out may be any. The profile is that of the
/// article's router where none is stated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    behind: Option<Behind>,
    control: Option<ControlPort>,
    mode: Option<Mode>,
    aware: Option<Aware>,
    profile: Arc<str>,
}

/// Why a name is no cell's.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SelectionError {
    /// It is not closed, or a part of it is no coordinate with a value.
    #[error(
        "`{name}` names no cell of the matrix\nwrite {NAME}[behind=client,control=2121,mode=port,aware=neither]"
    )]
    Malformed {
        /// As it was given.
        name: String,
    },
    /// There is no such coordinate.
    #[error("`{key}` is no coordinate of the matrix\n{}", help_with_choices(key, "coordinates are:", &KEYS))]
    UnknownKey {
        /// As it was given.
        key: String,
    },
    /// A coordinate has no such value.
    #[error(
        "`{key}` of a cell of the matrix cannot be `{value}`\n{}",
        help_with_choices(value, "it can be:", choices)
    )]
    UnknownValue {
        /// Which coordinate.
        key: &'static str,
        /// As it was given.
        value: String,
        /// What there is.
        choices: Vec<&'static str>,
    },
    /// A coordinate is stated twice.
    #[error("`{key}` is stated twice in a cell's name")]
    Twice {
        /// Which.
        key: &'static str,
    },
}

impl Selection {
    /// What `name` selects; `None` if it is not about the matrix at all.
    pub fn parse(name: &str) -> Option<Result<Self, SelectionError>> {
        let rest = name.strip_prefix(NAME)?;
        let malformed = || SelectionError::Malformed { name: name.to_owned() };
        if rest.is_empty() {
            return Some(Self::of_coordinates("", &malformed));
        }
        let inner = rest.strip_prefix('[')?;
        Some(match inner.strip_suffix(']') {
            Some(coordinates) => Self::of_coordinates(coordinates, &malformed),
            None => Err(malformed()),
        })
    }

    fn of_coordinates(
        mut text: &str,
        malformed: &dyn Fn() -> SelectionError,
    ) -> Result<Self, SelectionError> {
        let (mut behind, mut control, mut mode, mut aware, mut profile) = (None, None, None, None, None);
        while !text.is_empty() {
            let (key, after) = text.split_once('=').ok_or_else(malformed)?;
            let (value, rest) =
                if key == PROFILE { (after, "") } else { after.split_once(',').unwrap_or((after, "")) };
            text = rest;
            match key {
                Behind::KEY => state(&mut behind, value)?,
                ControlPort::KEY => state(&mut control, value)?,
                Mode::KEY => state(&mut mode, value)?,
                Aware::KEY => state(&mut aware, value)?,
                PROFILE if value.is_empty() => return Err(malformed()),
                PROFILE => profile = Some(value),
                _ => return Err(SelectionError::UnknownKey { key: key.to_owned() }),
            }
        }
        Ok(Self { behind, control, mode, aware, profile: profile.unwrap_or(ARTICLE_PROFILE).into() })
    }

    /// The selected cells, in their order; at least one.
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells = Cell::all(&self.profile);
        cells.retain(|cell| {
            fits(self.behind, cell.behind)
                && fits(self.control, cell.control)
                && fits(self.mode, cell.mode)
                && fits(self.aware, cell.aware)
        });
        cells
    }
}

fn state<C: Coordinate>(place: &mut Option<C>, value: &str) -> Result<(), SelectionError> {
    if place.is_some() {
        return Err(SelectionError::Twice { key: C::KEY });
    }
    let found = C::ALL.iter().copied().find(|known| known.word() == value);
    *place = Some(found.ok_or_else(|| SelectionError::UnknownValue {
        key: C::KEY,
        value: value.to_owned(),
        choices: C::ALL.iter().map(|known| known.word()).collect(),
    })?);
    Ok(())
}

fn fits<C: Coordinate>(wanted: Option<C>, value: C) -> bool {
    wanted.is_none_or(|wanted| wanted == value)
}
