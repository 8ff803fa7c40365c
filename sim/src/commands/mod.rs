//! The subcommands: what a user types, put into calls.

pub mod check;
pub mod diagnose;
pub mod explain;
pub mod lab;
pub mod matrix;
pub mod merge;
pub mod profile;
pub mod replay;
pub mod router;
pub mod run;
pub mod schema;
pub mod software;
mod source;
pub mod supervise;

use std::io::Write;
use std::path::Path;

use quirknat_router::diagnostic::{help_with_choices, word_list};

use crate::exit::Failure;
use crate::scenario::{Scenario, ScenarioError};
use source::Source;

/// The scenario that a user names: a file's, a built-in one, or a cell of the matrix; and how it is called. Of a file with a matrix, the cell
/// of this name.
pub(crate) fn read_scenario(path: &Path, cell: Option<&str>) -> Result<(String, Scenario), Failure> {
    let sources = Source::named(path)?;
    let [source] = sources.as_slice() else {
        return Err(not_one(path, &sources));
    };
    let file = source.read().map_err(invalid)?;
    let names = || (0..file.cells()).map(|index| file.cell_name(index));
    let index = match cell {
        None if file.cells() == 1 => Some(0),
        None => None,
        Some(cell) => names().position(|name| name == cell),
    };
    let Some(index) = index else {
        let names: Vec<String> = names().collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let help = help_with_choices(cell.unwrap_or_default(), "cells there are:", &names);
        return Err(Failure::usage(match cell {
            Some(cell) => format!("no cell `{cell}` in {}\n{help}", path.display()),
            None => format!("{} has a matrix: choose one of its cells with --cell\n{help}", path.display()),
        }));
    };
    file.cell(index).map_err(invalid)
}

/// Where one scenario is wanted, and a name stands for several.
fn not_one(path: &Path, sources: &[Source]) -> Failure {
    /// More would hide the message.
    const SHOWN: usize = 6;
    let names: Vec<String> = sources.iter().take(SHOWN).map(Source::name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let list = word_list("choose one:", &names);
    let more = sources.len() - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Failure::usage(format!("`{}` is {} scenarios\n{list}{more}", path.display(), sources.len()))
}

/// What is wrong with a scenario file, as a way for a command to end.
pub(crate) fn invalid(error: ScenarioError) -> Failure {
    match error {
        ScenarioError::Invalid(diagnostic) => Failure::Invalid(diagnostic),
        other @ (ScenarioError::Unreadable(_) | ScenarioError::NoSuchCell { .. }) => Failure::usage(other),
    }
}

/// Writes a result to stdout. A reader that went away ends the command quietly, as in any pipe.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::environment(format!("cannot write to stdout: {error}"))),
    }
}
