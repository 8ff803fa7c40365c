//! `quirknat profile list|show|diff|attacks|check`: what the built-in routers are, all that is known of one, where two differ,
//! what attacks come to on one, and what one does.

use clap::Subcommand;
use quirknat_router::profile::{Profile, builtin};
use serde_json::{Value, json};

use super::check::CheckArgs;
use super::print;
use crate::attack::{suffer, text};
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
    /// The values in which two profiles differ, each with its evidence
    Diff {
        /// A built-in profile's name, or a file
        #[arg(value_name = "NAME|FILE")]
        one: String,
        /// Another
        #[arg(value_name = "NAME|FILE")]
        other: String,
        /// One JSON document instead
        #[arg(long)]
        json: bool,
    },
    /// What known attacks on FTP gateways come to: which hole opens, for whom, how long
    Attacks {
        /// Built-in profiles' names, or files; all built-in ones without any
        #[arg(value_name = "NAME|FILE")]
        profiles: Vec<String>,
        /// One JSON document instead
        #[arg(long)]
        json: bool,
    },
    /// What the RFCs ask of a NAT, measured against a profile or against the router between two interfaces
    Check(CheckArgs),
}

/// Carries out a profile command.
pub fn run(command: &ProfileCommand) -> Result<(), Failure> {
    match command {
        ProfileCommand::List { json } => list(*json),
        ProfileCommand::Show { profile, json } => show(profile, *json),
        ProfileCommand::Diff { one, other, json } => diff([one, other], *json),
        ProfileCommand::Attacks { profiles, json } => attacks(profiles, *json),
        ProfileCommand::Check(args) => super::check::run(args),
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

fn attacks(names: &[String], as_json: bool) -> Result<(), Failure> {
    let all = || builtin().iter().map(|entry| entry.name.to_owned()).collect();
    let names: Vec<String> = if names.is_empty() { all() } else { names.to_vec() };
    let mut routers = Vec::new();
    for name in &names {
        let profile = Profile::resolve(name).map_err(Failure::usage)?;
        let suffered = suffer(&profile);
        if as_json {
            routers.push(json!({ "profile": profile.name, "attacks": suffered }));
        } else {
            print(&text(&profile, &suffered))?;
        }
    }
    if as_json { print(&format!("{:#}\n", json!({ "routers": routers }))) } else { Ok(()) }
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

fn diff(names: [&String; 2], as_json: bool) -> Result<(), Failure> {
    let read = |name: &String| -> Result<(String, Value), Failure> {
        let profile = Profile::resolve(name).map_err(Failure::usage)?;
        Ok((profile.name.clone(), serde_json::to_value(&profile).map_err(Failure::usage)?))
    };
    let [one, other] = [read(names[0])?, read(names[1])?];
    let mut differences = Vec::new();
    differing(&one.1, &other.1, "", &mut differences);
    if as_json {
        let list: Vec<_> = differences
            .iter()
            .map(|(path, one, other)| json!({"value": path, "one": one, "other": other}))
            .collect();
        return print(&format!("{:#}\n", json!({"one": one.0, "other": other.0, "differences": list})));
    }
    let width = one.0.len().max(other.0.len());
    for (path, first, second) in differences {
        print(&format!("{path}\n"))?;
        for (name, stated) in [(&one.0, first), (&other.0, second)] {
            print(&format!("    {name:width$}  {}\n", in_words(stated)))?;
        }
    }
    Ok(())
}

/// The values that are not the same, with the path of each; where only the evidence differs, they are.
fn differing<'a>(
    one: &'a Value,
    other: &'a Value,
    path: &str,
    into: &mut Vec<(String, &'a Value, &'a Value)>,
) {
    let (Some(table), Some(others)) = (one.as_object(), other.as_object()) else { return };
    if let (Some(value), Some(other_value)) = (table.get("value"), others.get("value")) {
        if value != other_value {
            into.push((path.to_owned(), one, other));
        }
        return;
    }
    // Both are whole profiles: they have the same keys.
    for (key, inner) in table {
        let Some(other_inner) = others.get(key) else { continue };
        let inner_path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        differing(inner, other_inner, &inner_path, into);
    }
}

/// As in `"drop" (assumed: no source names it)`.
fn in_words(stated: &Value) -> String {
    let value = &stated["value"];
    match (stated["evidence"].as_str(), stated["source"].as_str()) {
        (Some(evidence), Some(source)) => format!("{value} ({evidence}: {source})"),
        _ => value.to_string(),
    }
}
