//! The subcommands: what a user types, put into calls.

pub mod lab;
pub mod merge;
pub mod profile;
pub mod router;
pub mod run;
pub mod software;
pub mod supervise;

use std::io::Write;
use std::path::Path;

use crate::exit::Failure;
use crate::scenario::{Scenario, ScenarioError, builtin};

/// The scenario that a user names: a file's, or a built-in one; and how it is called.
pub(crate) fn read_scenario(path: &Path) -> Result<(String, Scenario), Failure> {
    let entry = builtin().iter().find(|entry| path.as_os_str() == entry.name);
    let scenario = match entry.filter(|_| !path.exists()) {
        Some(entry) => Scenario::from_toml(&format!("{}.toml", entry.name), entry.toml),
        None => Scenario::from_file(path),
    };
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    match scenario {
        Ok(scenario) => Ok((name, scenario)),
        Err(ScenarioError::Invalid(diagnostic)) => Err(Failure::Invalid(diagnostic)),
        Err(other @ ScenarioError::Unreadable(_)) => Err(Failure::usage(other)),
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
