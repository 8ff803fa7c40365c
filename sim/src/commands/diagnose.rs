//! `quirknat diagnose`: what a user's own captures and logs tell of FTP sessions that failed.

use std::path::PathBuf;

use clap::Args;

use super::print;
use crate::diagnose::log::Format;
use crate::diagnose::{Material, MaterialError, Stated, sessions, text};
use crate::exit::Failure;

/// What is to be looked at.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 no session failed, 1 a session failed or it cannot be told, 2 a file cannot be \
                        read or there is no FTP session in it."
)]
pub struct DiagnoseArgs {
    /// A capture (pcap, pcapng), or a client's or server's log; several of one session are put together
    #[arg(value_name = "FILE", required_unless_present_any = ["lan", "wan"])]
    files: Vec<PathBuf>,
    /// A file that was recorded inside the router. Repeatable
    #[arg(long, value_name = "FILE")]
    lan: Vec<PathBuf>,
    /// A file that was recorded outside the router. Repeatable
    #[arg(long, value_name = "FILE")]
    wan: Vec<PathBuf>,
    /// Only the session of this number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    session: Option<u32>,
    /// Whose log a file is, where its lines do not tell: curl, vsftpd, transcript, …
    #[arg(long, value_name = "PROGRAM")]
    log_format: Option<Format>,
    /// The details of all sessions, not of those that failed alone
    #[arg(long)]
    all: bool,
}

/// Reads, puts together, and reports.
pub fn run(args: &DiagnoseArgs) -> Result<(), Failure> {
    let mut material = Material::default();
    let stated = [(&args.files, None), (&args.lan, Some(Stated::Lan)), (&args.wan, Some(Stated::Wan))];
    for (files, stated) in stated {
        for file in files {
            material.read(file, stated, args.log_format).map_err(|error| told(&error))?;
        }
    }
    let found = sessions(&material);
    print(&text(&material, &found))
}

fn told(error: &MaterialError) -> Failure {
    Failure::usage(error)
}
