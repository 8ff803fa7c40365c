//! `quirknat lab down`: takes labs down.

use std::io::Read as _;

use clap::Args;

use crate::commands::print;
use crate::exit::Failure;
use crate::lab::control::{self, Request};
use crate::lab::registry::Registry;

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

/// Takes them down, and waits until they are gone.
pub(super) fn run(args: &DownArgs) -> Result<(), Failure> {
    let registry = Registry::open()?;
    let names = if args.all { registry.names()? } else { vec![registry.find(args.name.as_deref())?] };
    for name in &names {
        let (_, mut connection) = control::ask(&registry.socket(name), &Request::Down)?;
        // The lab's process closes it by ending; the answer's time limit holds for this too.
        let mut rest = Vec::new();
        if let Err(error) = connection.read_to_end(&mut rest) {
            return Err(Failure::environment(format!("the lab {name} does not end: {error}")));
        }
        let _ = std::fs::remove_file(registry.log(name));
        print(&format!("{name} is down\n"))?;
    }
    Ok(())
}
