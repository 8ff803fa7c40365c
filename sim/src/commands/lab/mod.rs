//! `quirknat lab`: a scenario's topology in namespaces, to work in by hand.

mod down;
mod exec;
mod hold;
mod list;
mod recording;
mod terminal;
mod up;

use clap::Subcommand;

use crate::exit::Failure;
use crate::lab::control::ControlError;
use crate::lab::registry::RegistryError;

/// What to do with a lab.
#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// Brings a scenario's hosts, routers and links up, in the background
    Up(up::UpArgs),
    /// Runs a program on a host, or a shell without one
    Exec(exec::ExecArgs),
    /// The labs that are up: hosts, addresses, forwards, live translations
    List(list::ListArgs),
    /// Takes a lab down, with all that runs in it
    Down(down::DownArgs),
    /// Holds a lab for the others
    #[command(hide = true)]
    Hold(hold::HoldArgs),
}

/// Carries a command out.
pub fn run(command: &LabCommand) -> Result<(), Failure> {
    match command {
        LabCommand::Up(args) => up::run(args),
        LabCommand::Exec(args) => exec::run(args),
        LabCommand::List(args) => list::run(args),
        LabCommand::Down(args) => down::run(args),
        LabCommand::Hold(args) => hold::run(args),
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Folder { .. }
            | RegistryError::NotOwn(_)
            | RegistryError::Writable(_)
            | RegistryError::TooLong(_) => Self::environment(error),
            _ => Self::usage(error),
        }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Refused(why) => Self::usage(why),
            other => Self::environment(other),
        }
    }
}
