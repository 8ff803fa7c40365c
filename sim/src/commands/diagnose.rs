//! `quirknat diagnose`: what a user's own captures and logs tell of FTP sessions that failed.

use std::fmt::Write as _;
use std::path::PathBuf;

use anstream::{AutoStream, ColorChoice};
use clap::Args;
use quirknat_router::profile::Profile;

use super::print;
use crate::diagnose::log::Format;
use crate::diagnose::{Diagnosis, Material, Stated, diagnose, json, text};
use crate::exit::Failure;

/// What is to be looked at.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit status: 0 no session failed, 1 a session failed or cannot be told, 2 a file cannot be read or there is no \
                        FTP session in it. Passwords are never shown."
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
    /// A router of your own to compare with, beside the built-in ones. Repeatable
    #[arg(long, value_name = "NAME|FILE")]
    profile: Vec<String>,
    /// Only the session of this number
    #[arg(long, value_name = "N", conflicts_with = "all")]
    session: Option<usize>,
    /// Whose log a file is, where its lines do not tell: curl, vsftpd, transcript, …
    #[arg(long, value_name = "PROGRAM")]
    log_format: Option<Format>,
    /// The details of all sessions, not of those that failed alone
    #[arg(long)]
    all: bool,
    /// One JSON document instead
    #[arg(long)]
    json: bool,
}

/// Reads, puts together, and reports.
pub fn run(args: &DiagnoseArgs) -> Result<(), Failure> {
    let profiles = profiles(&args.profile)?;
    let mut material = Material::default();
    let stated = [(&args.files, None), (&args.lan, Some(Stated::Lan)), (&args.wan, Some(Stated::Wan))];
    for (files, stated) in stated {
        for file in files {
            material.read(file, stated, args.log_format).map_err(Failure::usage)?;
        }
    }
    if material.observed.is_empty() {
        return Err(no_session(&material));
    }
    let is_chosen = |number: usize| args.session.is_none_or(|chosen| chosen == number);
    let wants_details =
        |number: usize, fine: bool| is_chosen(number) && (!fine || args.all || args.session.is_some());
    let mut diagnoses = diagnose(&material, &profiles, wants_details);
    let count = diagnoses.len();
    diagnoses.retain(|diagnosis| is_chosen(diagnosis.number));
    if diagnoses.is_empty() {
        return Err(Failure::usage(format!("--session: there are {count} sessions, numbered from 1")));
    }
    if args.json {
        print(&format!("{:#}\n", json(&material, &diagnoses)))?;
    } else {
        let coloured = AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
        let details = |diagnosis: &Diagnosis| wants_details(diagnosis.number, diagnosis.is_fine());
        print(&text(&material, &diagnoses, coloured, details))?;
    }
    if diagnoses.iter().all(Diagnosis::is_fine) { Ok(()) } else { Err(Failure::Unexpected) }
}

/// A user's profiles, checked, as a scenario names them: files by their whole paths.
fn profiles(named: &[String]) -> Result<Vec<String>, Failure> {
    let resolved = |name: &String| {
        let profile = Profile::resolve(name).map_err(Failure::usage)?;
        let is_builtin = Profile::named(name).is_ok();
        let path = std::path::absolute(name).map_err(Failure::usage)?;
        let path = path.to_str().ok_or_else(|| Failure::usage("--profile: the path is not UTF-8"))?;
        Ok(if is_builtin { profile.name } else { path.to_owned() })
    };
    named.iter().map(resolved).collect()
}

/// What was seen instead, and what to record.
fn no_session(material: &Material) -> Failure {
    let mut message = "there is no FTP session in it".to_owned();
    for source in &material.sources {
        for note in &source.notes {
            // Writing to a string cannot fail.
            let _ = write!(
                message,
                "
  {}: {note}",
                source.name
            );
        }
    }
    message.push_str(
        "\nbegin to capture before the client connects, and without a filter on ports, as with\n  \
         tcpdump -i any -s 0 -w session.pcap host SERVER",
    );
    Failure::usage(message)
}
