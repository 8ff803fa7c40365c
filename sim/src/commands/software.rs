//! `quirknat software list|show`: the FTP software that scenarios can name.

use std::fmt::Write;

use clap::Subcommand;
use quirknat_router::diagnostic::help_with_choices;
use serde_json::{Value, json};

use super::print;
use crate::exit::Failure;
use crate::ftp::DataMode;
use crate::software::{Software, Treatment, names};

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
    let width = |text: fn(&Software) -> &str| all.iter().map(|one| text(one).len()).max().unwrap_or_default();
    let (names, titles) = (width(|one| &one.name), width(|one| &one.title));
    for one in &all {
        let role = if one.server.is_some() { "server" } else { "client" };
        let Software { name, title, .. } = one;
        print(&format!("{name:names$}  {role}  {title:titles$}  {}\n", in_short(one)))?;
    }
    Ok(())
}

/// What matters first of it behind a router.
fn in_short(software: &Software) -> String {
    let client = software.client.iter().map(|client| {
        let others = client.modes.iter().filter(|mode| **mode != *client.mode).map(|mode| verb(*mode));
        let others: Vec<&str> = others.collect();
        let others = if others.is_empty() { String::new() } else { format!(", or {}", others.join(", ")) };
        format!("{}{others}{}", verb(*client.mode), told(*client.announce, *client.data_ports))
    });
    let server = software.server.iter().map(|server| {
        let foreign = match *server.foreign_port {
            Treatment::Refuse => "refuses a foreign PORT",
            Treatment::Accept => "dials a foreign PORT",
            Treatment::Replace => "dials the client whatever PORT says",
            Treatment::ReplacePrivate => "dials the client where PORT names a private address",
        };
        format!("{foreign}{}", told(*server.passive_address, *server.passive_ports))
    });
    client.chain(server).collect::<Vec<_>>().join("; ")
}

fn verb(mode: DataMode) -> &'static str {
    if mode == DataMode::NoCommand { "no command" } else { mode.verb() }
}

fn told(address: bool, ports: bool) -> &'static str {
    match (address, ports) {
        (true, true) => "; can be told address and ports",
        (true, false) => "; can be told an address",
        (false, true) => "; can be told ports",
        (false, false) => "",
    }
}

fn show(name: &str, as_json: bool) -> Result<(), Failure> {
    let Some(software) = Software::named(name) else {
        let known: Vec<&str> = names().collect();
        let help = help_with_choices(name, "software there is:", &known);
        return Err(Failure::usage(format!("unknown software `{name}`\n{help}")));
    };
    let document = serde_json::to_value(&software).map_err(Failure::usage)?;
    if as_json {
        return print(&format!("{document:#}\n"));
    }
    print(&format!("{}: {}\n{}", software.name, software.title, in_words(&document)))
}

/// Each value of its parts, with how it is known and where from.
fn in_words(document: &Value) -> String {
    let mut text = String::new();
    for part in ["client", "server"] {
        let Some(values) = document.get(part).and_then(Value::as_object) else { continue };
        let width = values.keys().map(String::len).max().unwrap_or_default();
        let _ = writeln!(text, "\n{part}");
        for (key, stated) in values {
            let _ = writeln!(text, "  {key:width$}  {}", worded(&stated["value"]));
            let (evidence, source) = (worded(&stated["evidence"]), worded(&stated["source"]));
            let _ = writeln!(text, "  {:width$}    {evidence}: {source}", "");
        }
    }
    text
}

fn worded(value: &Value) -> String {
    let list = |values: &[Value], between: &str| values.iter().map(worded).collect::<Vec<_>>().join(between);
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => list(values, ", "),
        Value::Object(turn) if turn.contains_key("on") => {
            let on = turn["on"].as_array().map(|on| list(on, " or ")).unwrap_or_default();
            format!("from {} to {} when {on}", worded(&turn["from"]), worded(&turn["to"]))
        }
        Value::Object(setting) => {
            let part = |key: &str| setting.get(key).map(worded).unwrap_or_default();
            format!("`{}` says {} and does {}", part("label"), part("says"), part("does"))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_what_matters_behind_a_router() {
        let in_short = |name| in_short(&Software::named(name).unwrap());
        assert_eq!(in_short("flashfxp"), "PORT, or PASV; can be told address and ports");
        assert_eq!(
            in_short("proftpd"),
            "dials the client where PORT names a private address; can be told address and ports"
        );
        assert_eq!(in_short("netscape"), "PASV");
    }

    #[test]
    fn every_value_is_shown_in_words_with_its_evidence() {
        let words = |name| in_words(&serde_json::to_value(Software::named(name).unwrap()).unwrap());
        let msie = words("msie-5.5");
        assert!(msie.contains("`Use Passive FTP` says pasv and does port\n"), "{msie}");
        assert!(words("curl").contains("from epsv to pasv when refused or not-opened"), "{}", words("curl"));
        for name in names() {
            assert!(!words(name).contains(['{', '[', '"']), "{}", words(name));
        }
    }
}
