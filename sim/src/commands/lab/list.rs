//! `quirknat lab list`: the labs that are up, and how they stand.

use std::fmt::Write as _;
use std::thread;

use clap::Args;
use serde_json::json;

use crate::commands::print;
use crate::exit::Failure;
use crate::lab::control::{self, ControlError, NetworkStatus, Status};
use crate::lab::registry::Registry;

/// What to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// This lab only
    name: Option<String>,
    /// One JSON document instead of lines
    #[arg(long)]
    json: bool,
}

/// Lists them. No lab is no error, but where one was named.
pub(super) fn run(args: &ListArgs) -> Result<(), Failure> {
    let registry = Registry::open()?;
    let names = match &args.name {
        Some(name) => vec![registry.find(Some(name))?],
        None => registry.names()?,
    };
    let mut labs = Vec::new();
    for (name, status) in names.iter().zip(ask_all(&registry, &names)) {
        match status {
            Ok(status) => labs.push(status),
            // It went down meanwhile, or is stuck: the others are told of all the same.
            Err(error) if args.name.is_none() => log::warn!("{name}: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
    if args.json {
        return print(&format!("{:#}\n", json!({ "labs": labs })));
    }
    if labs.is_empty() {
        return print(if names.is_empty() { "no lab is up\n" } else { "no lab answers\n" });
    }
    let texts: Vec<String> = labs.iter().map(describe).collect();
    print(&texts.join("\n"))
}

/// Side by side, since each that is stuck takes seconds.
fn ask_all(registry: &Registry, names: &[String]) -> Vec<Result<Status, ControlError>> {
    let ask = |name: &String| control::status(&registry.socket(name));
    thread::scope(|scope| {
        let asked: Vec<_> = names.iter().map(|name| scope.spawn(move || ask(name))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap_or(Err(ControlError::Unexpected))).collect()
    })
}

/// A lab for people.
pub(super) fn describe(status: &Status) -> String {
    let mut text = String::new();
    let Status { name, title, process, seconds, .. } = status;
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{name}: {title} (process {process}, up {seconds} s)");
    let width = status.hosts.iter().map(|host| host.name.len()).max().unwrap_or_default();
    for host in &status.hosts {
        let servers = host.ftp_servers.iter().map(|port| format!("ftp server on {port}"));
        let all: Vec<String> = servers.chain(host.programs.iter().cloned()).collect();
        let what = if all.is_empty() { String::new() } else { format!("  {}", all.join(", ")) };
        let _ = writeln!(text, "  host {:width$}  {:15} on {}{what}", host.name, host.address, host.on);
    }
    for network in &status.networks {
        describe_network(network, &mut text);
    }
    text
}

fn describe_network(network: &NetworkStatus, text: &mut String) {
    let NetworkStatus { name, profile, lan, wan, on, .. } = network;
    let _ = writeln!(text, "  network {name}  {lan}, router {profile}, {wan} on {on}");
    for forward in &network.forwards {
        let _ = writeln!(text, "    forward {forward}");
    }
    if let Some(host) = network.dmz {
        let _ = writeln!(text, "    dmz host {host}");
    }
    for translation in &network.translations {
        let seconds = translation.expires_in_seconds;
        let _ = writeln!(text, "    {} ({seconds} s)", translation.translation);
    }
}
