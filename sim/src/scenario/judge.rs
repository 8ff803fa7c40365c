//! Judges a step: what was expected beside what was seen, on the wires first.

use std::net::SocketAddrV4;

use quirknat_router::event::EventKind;
use serde::Serialize;
use smoltcp::time::Instant;

use super::{Expect, FtpStep, Outcome};
use crate::ftp::{ClientOutcome, Reply, TransferOutcome};
use crate::wire::{Connection, connections};
use crate::world::World;

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepVerdict {
    /// What it was, in a line.
    pub step: String,
    /// What was not as expected.
    pub mismatches: Vec<Mismatch>,
}

/// One expectation that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// The expectation's key.
    pub what: String,
    /// Its value.
    pub expected: String,
    /// What was seen.
    pub seen: String,
}

/// What a step was to transfer, beside what there is.
pub(super) enum Transferred {
    /// A listing, whose text is the server's own.
    Listing,
    /// A file from the server, with its bytes there.
    Fetched(Vec<u8>),
    /// A file to the server, with its bytes here and, if it is there now, there.
    Stored { sent: Vec<u8>, arrived: Option<Vec<u8>> },
}

/// What is known of a step once it is over.
pub(super) struct Observed {
    outcome: Option<ClientOutcome>,
    transfer: Transferred,
    at_client: Side,
    at_server: Side,
    gateway: String,
}

/// What one end's wire saw: the first connection is the control connection, each other one is for data.
struct Side {
    control: Option<Connection>,
    data: Vec<Connection>,
}

impl Side {
    fn new(world: &World, wire: usize, since: Instant) -> Self {
        let mut data = connections(world.record(), wire, since);
        let control = if data.is_empty() { None } else { Some(data.remove(0)) };
        Self { control, data }
    }

    fn commands(&self) -> Vec<String> {
        self.control.as_ref().map(Connection::lines_sent).unwrap_or_default()
    }

    fn replies(&self) -> Vec<String> {
        self.control.as_ref().map(Connection::lines_received).unwrap_or_default()
    }
}

impl Observed {
    pub(super) fn new(
        world: &World,
        since: Instant,
        (client_wire, server_wire): (usize, usize),
        client_router: Option<&str>,
        outcome: Option<ClientOutcome>,
        transfer: Transferred,
    ) -> Self {
        Self {
            outcome,
            transfer,
            at_client: Side::new(world, client_wire, since),
            at_server: Side::new(world, server_wire, since),
            gateway: gateway(world, since, client_router),
        }
    }

    fn control(&self) -> (Outcome, String) {
        match &self.outcome {
            None => (Outcome::Failed, "failed: the session did not end".to_owned()),
            Some(ClientOutcome { control: Ok(()), .. }) => (Outcome::Ok, "ok".to_owned()),
            Some(ClientOutcome { control: Err(failure), .. }) => {
                (Outcome::Failed, format!("failed: {failure}"))
            }
        }
    }

    fn data(&self) -> (Outcome, String) {
        let failed = |why: &dyn std::fmt::Display| (Outcome::Failed, format!("failed: {why}"));
        let transfer = self.outcome.as_ref().and_then(|outcome| outcome.transfers.first());
        let complete = match (transfer, &self.transfer) {
            (None, _) => return failed(&"the session did not end"),
            (Some(TransferOutcome::Failed { what, .. }), _) => return failed(what),
            (Some(TransferOutcome::Received(bytes)), Transferred::Fetched(wanted)) => bytes == wanted,
            (Some(TransferOutcome::Sent { .. }), Transferred::Stored { sent, arrived }) => {
                arrived.as_ref() == Some(sent)
            }
            (Some(_), _) => true,
        };
        if complete {
            (Outcome::Ok, "ok".to_owned())
        } else {
            failed(&"the bytes that arrived are not those that were sent")
        }
    }

    /// The code of the reply that ended the transfer or refused it, on the client's wire.
    fn reply(&self) -> Option<u16> {
        match self.outcome.as_ref()?.transfers.first()? {
            TransferOutcome::Failed { reply, .. } => reply.as_ref().map(|reply: &Reply| reply.code),
            _ => {
                self.at_client.replies().iter().rev().filter_map(|line| code(line)).find(|code| *code != 221)
            }
        }
    }
}

/// Holds what was seen against what was expected.
pub(super) fn judge(step: &FtpStep, expect: &Expect, seen: &Observed) -> StepVerdict {
    let mut mismatches = Mismatches(Vec::new());
    for (what, expected, (outcome, words)) in
        [("control", expect.control, seen.control()), ("data", expect.data, seen.data())]
    {
        if let Some(expected) = expected.filter(|expected| *expected != outcome) {
            mismatches.add(what, if expected == Outcome::Ok { "ok" } else { "failed" }, &words);
        }
    }
    if let Some(expected) = expect.reply.filter(|expected| seen.reply() != Some(*expected)) {
        let words = seen.reply().map_or_else(|| "no reply".to_owned(), |code| code.to_string());
        mismatches.add("reply", &expected.to_string(), &words);
    }
    let client_commands = seen.at_client.commands();
    let server_commands = seen.at_server.commands();
    let (server_replies, client_replies) = (seen.at_server.replies(), seen.at_client.replies());
    mismatches.line("client-sent", expect.client_sent.as_deref(), &client_commands);
    mismatches.line("server-saw", expect.server_saw.as_deref(), &server_commands);
    mismatches.line("server-sent", expect.server_sent.as_deref(), &server_replies);
    mismatches.line("client-saw", expect.client_saw.as_deref(), &client_replies);
    mismatches.syn("data-syn-at-client", expect.data_syn_at_client.as_deref(), &seen.at_client.data);
    mismatches.syn("data-syn-at-server", expect.data_syn_at_server.as_deref(), &seen.at_server.data);
    if let Some(expected) = expect.gateway.as_deref().filter(|expected| *expected != seen.gateway) {
        mismatches.add("gateway", expected, &seen.gateway);
    }
    StepVerdict { step: describe(step), mismatches: mismatches.0 }
}

struct Mismatches(Vec<Mismatch>);

impl Mismatches {
    fn add(&mut self, what: &str, expected: &str, seen: &str) {
        let (what, expected, seen) = (what.to_owned(), expected.to_owned(), seen.to_owned());
        self.0.push(Mismatch { what, expected, seen });
    }

    /// A line must be there to the letter. The one with the same first word is what was seen in its place.
    fn line(&mut self, what: &str, expected: Option<&str>, lines: &[String]) {
        let Some(expected) = expected else { return };
        if lines.iter().any(|line| line == expected) {
            return;
        }
        let word = expected.split(' ').next().unwrap_or_default();
        let instead = lines.iter().find(|line| line.split(' ').next() == Some(word));
        let seen = instead.map_or_else(|| format!("no {word} at all"), Clone::clone);
        self.add(what, expected, &seen);
    }

    fn syn(&mut self, what: &str, expected: Option<&str>, data: &[Connection]) {
        let Some(expected) = expected else { return };
        let seen: Vec<String> = data.iter().map(|connection| arrow(connection.from, connection.to)).collect();
        let holds = match expected {
            "none" => data.is_empty(),
            pattern => data.iter().any(|connection| {
                pattern.split_once(" > ").is_some_and(|(from, to)| {
                    matches_end(from, connection.from) && matches_end(to, connection.to)
                })
            }),
        };
        if !holds {
            let seen = if seen.is_empty() { "none".to_owned() } else { seen.join(", ") };
            self.add(what, expected, &seen);
        }
    }
}

fn arrow(from: SocketAddrV4, to: SocketAddrV4) -> String {
    format!("{from} > {to}")
}

fn matches_end(pattern: &str, end: SocketAddrV4) -> bool {
    match pattern.strip_suffix(":*") {
        Some(address) => address == end.ip().to_string(),
        None => pattern == end.to_string(),
    }
}

fn code(line: &str) -> Option<u16> {
    let (digits, rest) = line.split_at_checked(3)?;
    if rest.starts_with(' ') { digits.parse().ok() } else { None }
}

/// What the client's router did with announcements since `since`.
fn gateway(world: &World, since: Instant, router: Option<&str>) -> String {
    let own = world.events().iter().filter(|event| Some(event.router.as_str()) == router);
    let mut words: Vec<String> = Vec::new();
    for event in own.filter(|event| event.event.at >= since) {
        let done = match &event.event.kind {
            EventKind::CommandRewritten { .. } => "rewritten".to_owned(),
            EventKind::CommandLeftAlone { reason, .. } => {
                let reason = serde_json::to_value(reason).unwrap_or_default();
                format!("left alone: {}", reason.as_str().map_or_else(|| reason.to_string(), str::to_owned))
            }
            _ => continue,
        };
        if !words.contains(&done) {
            words.push(done);
        }
    }
    if words.is_empty() { "silent".to_owned() } else { words.join(", ") }
}

fn describe(step: &FtpStep) -> String {
    let mode = match step.mode {
        super::Mode::Port => "PORT",
        super::Mode::Pasv => "PASV",
        super::Mode::NoCommand => "no command",
    };
    let what = match (&step.get, &step.put) {
        (Some(file), _) => format!("get {}", file.get_ref()),
        (None, Some(put)) => format!("put {}", put.name),
        (None, None) => "list".to_owned(),
    };
    format!("ftp {} to {}, {mode}, {what}", step.client.get_ref(), step.server.get_ref())
}
