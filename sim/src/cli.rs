//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::diagnose::DiagnoseArgs;
use crate::commands::explain::ExplainArgs;
use crate::commands::lab::LabCommand;
use crate::commands::matrix::MatrixArgs;
use crate::commands::merge::MergeArgs;
use crate::commands::profile::ProfileCommand;
use crate::commands::replay::ReplayArgs;
use crate::commands::router::RouterArgs;
use crate::commands::run::RunArgs;
use crate::commands::schema::SchemaArgs;
use crate::commands::software::SoftwareCommand;
use crate::commands::supervise::SuperviseArgs;
use crate::commands::{
    diagnose, explain, lab, matrix, merge, profile, replay, router, run, schema, software, supervise,
};
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
    #[command(flatten)]
    color: colorchoice_clap::Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays scenarios: a line each, and what was not as expected
    Run(RunArgs),
    /// What works for whom, and why not: who is behind NAT × control port × mode × NAT-aware software
    Matrix(MatrixArgs),
    /// What crossed the wire in a scenario, LAN view beside WAN view, and why it worked or did not
    Explain(ExplainArgs),
    /// One report from the --json reports of a divided run's parts
    Merge(MergeArgs),
    /// A live router on TUN devices, until SIGINT or SIGTERM
    Router(RouterArgs),
    /// What went wrong in your own captures and logs of FTP, and what helps
    Diagnose(DiagnoseArgs),
    /// A capture's LAN packets through a router of your choice: the translated capture out
    Replay(ReplayArgs),
    /// A scenario's topology in network namespaces, to work in by hand
    #[command(subcommand)]
    Lab(LabCommand),
    /// The routers there are, and what is known of them
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// The FTP software that scenarios can name
    #[command(subcommand)]
    Software(SoftwareCommand),
    /// Stands between a lab and a real program
    #[command(hide = true)]
    Supervise(SuperviseArgs),
    /// The JSON Schema of scenario files, for editors and generators
    Schema(SchemaArgs),
}

impl Cli {
    /// Makes `--color` the choice of all that is written from here on.
    pub fn choose_colours(&self) {
        self.color.write_global();
    }

    /// Carries the command out.
    pub fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Run(args) => run::run(args),
            Command::Matrix(args) => matrix::run(args),
            Command::Explain(args) => explain::run(args),
            Command::Merge(args) => merge::run(args),
            Command::Router(args) => router::run(args),
            Command::Diagnose(args) => diagnose::run(args),
            Command::Replay(args) => replay::run(args),
            Command::Lab(command) => lab::run(command),
            Command::Profile(command) => profile::run(command),
            Command::Software(command) => software::run(command),
            Command::Supervise(args) => supervise::run(args),
            Command::Schema(args) => schema::run(args),
        }
    }
}
