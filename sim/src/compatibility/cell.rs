//! A place in the picture, and its name.

use std::fmt;
use std::sync::Arc;

use super::coordinates::{Aware, Behind, ControlPort, Coordinate};
use crate::scenario::language::Mode;
use crate::scenario::path_safe;

/// The profile of the router that the article is about.
pub const ARTICLE_PROFILE: &str = "linksys-befsr41-1.39";

/// A place in the picture. [`Display`](fmt::Display) writes the name that a user types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Who is behind a router.
    pub behind: Behind,
    /// The port of the control connection.
    pub control: ControlPort,
    /// How the data connection is made.
    pub mode: Mode,
    /// Whose software knows of its NAT.
    pub aware: Aware,
    /// The routers' profile: a built-in one's name, or a file's path.
    pub profile: Arc<str>,
}

impl Cell {
    /// Every cell of a profile, in order: the awareness changes first.
    pub fn all(profile: &str) -> Vec<Self> {
        let profile: Arc<str> = profile.into();
        let mut cells = Vec::new();
        for &behind in Behind::ALL {
            for &control in ControlPort::ALL {
                for &mode in Mode::ALL {
                    let at = |aware| Self { behind, control, mode, aware, profile: Arc::clone(&profile) };
                    cells.extend(Aware::ALL.iter().map(|aware| at(*aware)));
                }
            }
        }
        cells
    }

    /// Whether the end that knows of its NAT has one. Where it has none, there is nothing for it to announce, and the
    /// cell is the same scenario as the one where nobody knows.
    pub fn awareness_applies(&self) -> bool {
        match self.aware {
            Aware::Neither => true,
            Aware::Client => self.behind.has_client(),
            Aware::Server => self.behind.has_server(),
        }
    }

    /// The cell with the same scenario in which awareness has a meaning: mostly itself.
    #[must_use]
    pub fn essence(&self) -> Self {
        let aware = if self.awareness_applies() { self.aware } else { Aware::Neither };
        Self { aware, ..self.clone() }
    }

    /// The name of its scenario: what a user types, as far as a file can be called so.
    pub fn scenario_name(&self) -> String {
        path_safe(&self.to_string(), "[]=,")
    }

    /// What a user types to have it explained.
    pub fn explain_command(&self) -> String {
        // As a POSIX shell reads it: between single quotes all but a quote stands for itself.
        let quoted = format!("'{}'", self.to_string().replace('\'', r"'\''"));
        format!("quirknat explain {quoted}")
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { behind, control, mode, aware, profile } = self;
        write!(
            formatter,
            "matrix[behind={},control={},mode={},aware={}",
            behind.word(),
            control.word(),
            mode.word(),
            aware.word()
        )?;
        if &**profile != ARTICLE_PROFILE {
            write!(formatter, ",profile={profile}")?;
        }
        formatter.write_str("]")
    }
}
