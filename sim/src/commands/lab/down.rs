//! `quirknat lab down`: takes labs down.

use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use clap::Args;

use crate::commands::print;
use crate::exit::Failure;
use crate::lab::control::{self, ControlError, Request};
use crate::lab::registry::Registry;

/// Programs in the lab get some seconds each to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// What to take down.
#[derive(Debug, Args)]
pub struct DownArgs {
    /// The lab, where several are up
    #[arg(conflicts_with = "all")]
    name: Option<String>,
    /// All that are up
    #[arg(long)]
    all: bool,
}

/// Takes them down, and waits until they are gone. One that does not end does not keep the others up.
pub(super) fn run(args: &DownArgs) -> Result<(), Failure> {
    let registry = Registry::open()?;
    let names = if args.all { registry.names()? } else { vec![registry.find(args.name.as_deref())?] };
    let mut failed = Vec::new();
    for name in &names {
        match take_down(&registry.socket(name)) {
            Ok(()) => print(&format!("{name} is down\n"))?,
            Err(error) => failed.push(format!("the lab {name} is not down: {error}")),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::environment(failed.join("\n"))) }
}

fn take_down(socket: &Path) -> Result<(), ControlError> {
    let (_, mut connection) = control::ask(socket, &Request::Down)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    // The end of the lab's process closes it.
    let mut rest = Vec::new();
    match connection.read_to_end(&mut rest) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(control::late(PATIENCE).into()),
        // A connection that ends with questions unread is reset.
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error.into()),
        _ => Ok(()),
    }
}
