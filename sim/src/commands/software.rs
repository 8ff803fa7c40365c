//! `quirknat software list|show`: the FTP software that scenarios can name.

use clap::Subcommand;
use quirknat_router::diagnostic::help_with_choices;
use serde_json::json;

use super::print;
use crate::exit::Failure;
use crate::software::{Software, names, text};

/// The software commands.
#[derive(Debug, Subcommand)]
pub enum SoftwareCommand {
    /// The FTP software that scenarios can name, a line each
    List {
        /// One JSON document instead
        #[arg(long)]
        json: bool,
    },
    /// How one behaves, each value with its evidence
    Show {
        /// Its name
        name: String,
        /// One JSON document instead
        #[arg(long)]
        json: bool,
    },
}

/// Carries out a software command.
pub fn run(command: &SoftwareCommand) -> Result<(), Failure> {
    match command {
        SoftwareCommand::List { json } => list(*json),
        SoftwareCommand::Show { name, json } => show(name, *json),
    }
}

fn list(as_json: bool) -> Result<(), Failure> {
    let all: Vec<Software> = names().filter_map(Software::named).collect();
    if as_json {
        let list: Vec<_> = all
            .iter()
            .map(|one| {
                let (server, client) = (one.server.is_some(), one.client.is_some());
                json!({"name": one.name, "title": one.title, "server": server, "client": client})
            })
            .collect();
        return print(&format!("{:#}\n", json!({ "software": list })));
    }
    let width = all.iter().map(|one| one.name.len()).max().unwrap_or_default();
    for one in all {
        let what = if one.server.is_some() { "server" } else { "client" };
        print(&format!("{:width$}  {what}  {}\n", one.name, one.title))?;
    }
    Ok(())
}

fn show(name: &str, as_json: bool) -> Result<(), Failure> {
    let Some((software, text)) = Software::named(name).zip(text(name)) else {
        let known: Vec<&str> = names().collect();
        let help = help_with_choices(name, "software there is:", &known);
        return Err(Failure::usage(format!("unknown software `{name}`\n{help}")));
    };
    if as_json {
        let document = serde_json::to_value(&software).map_err(Failure::usage)?;
        return print(&format!("{document:#}\n"));
    }
    print(text)
}
