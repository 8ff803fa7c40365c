//! `quirknat profile list|show`: what the built-in routers are, and all that is known of one.

use clap::Subcommand;
use quirknat_router::profile::{Profile, builtin};
use serde_json::json;

use super::print;
use crate::exit::Failure;

/// The profile commands.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// The built-in profiles, a line each
    List {
        /// One JSON document instead
        #[arg(long)]
        json: bool,
    },
    /// A profile whole, each value with its evidence; the TOML is a file to start your own from
    Show {
        /// A built-in profile's name, or a file
        #[arg(value_name = "NAME|FILE")]
        profile: String,
        /// One JSON document instead
        #[arg(long)]
        json: bool,
    },
}

/// Carries out a profile command.
pub fn run(command: &ProfileCommand) -> Result<(), Failure> {
    match command {
        ProfileCommand::List { json } => list(*json),
        ProfileCommand::Show { profile, json } => show(profile, *json),
    }
}

fn list(as_json: bool) -> Result<(), Failure> {
    let mut profiles = Vec::new();
    for entry in builtin() {
        profiles.push(Profile::named(entry.name).map_err(Failure::usage)?);
    }
    if as_json {
        let list: Vec<_> =
            profiles.iter().map(|profile| json!({"name": profile.name, "title": profile.title})).collect();
        return print(&format!("{:#}\n", json!({ "profiles": list })));
    }
    let width = profiles.iter().map(|profile| profile.name.len()).max().unwrap_or_default();
    for profile in profiles {
        print(&format!("{:width$}  {}\n", profile.name, profile.title))?;
    }
    Ok(())
}

fn show(name: &str, as_json: bool) -> Result<(), Failure> {
    let profile = Profile::resolve(name).map_err(Failure::usage)?;
    if as_json {
        let document = serde_json::to_value(&profile).map_err(Failure::usage)?;
        return print(&format!("{document:#}\n"));
    }
    match builtin().iter().find(|entry| entry.name == name) {
        Some(entry) => print(entry.toml),
        None => print(&std::fs::read_to_string(name).map_err(Failure::usage)?),
    }
}
