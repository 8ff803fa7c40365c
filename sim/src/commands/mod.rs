//! The subcommands: what a user types, put into calls.

pub mod profile;
pub mod router;
pub mod run;
pub mod schema;

use std::io::Write;

use crate::exit::Failure;

/// Writes a result to stdout. A reader that went away ends the command quietly, as in any pipe.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::environment(format!("cannot write to stdout: {error}"))),
    }
}
