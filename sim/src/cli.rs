//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::profile::ProfileCommand;
use crate::commands::router::RouterArgs;
use crate::commands::run::RunArgs;
use crate::commands::schema::SchemaArgs;
use crate::commands::{profile, router, run, schema};
use crate::exit::Failure;

/// A home router in userspace, as data, with the FTP quirks of its firmware.
#[derive(Debug, Parser)]
#[command(
    name = "quirknat",
    version,
    after_help = "Exit status: 0 as expected, 1 something was not as expected, 2 wrong usage or an invalid file, \
                  3 the environment lacks something.\nRUST_LOG=info shows the router's decisions on stderr."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays scenarios: a line each, and what was not as expected
    Run(RunArgs),
    /// A live router on TUN devices, until SIGINT or SIGTERM
    Router(RouterArgs),
    /// The routers there are, and what is known of them
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// The JSON Schema of scenario files, for editors and generators
    Schema(SchemaArgs),
}

impl Cli {
    /// Carries the command out.
    pub fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Run(args) => run::run(args),
            Command::Router(args) => router::run(args),
            Command::Profile(command) => profile::run(command),
            Command::Schema(args) => schema::run(args),
        }
    }
}
