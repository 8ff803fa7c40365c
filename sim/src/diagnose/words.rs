//! The facts in words, for both forms of the report.

use std::net::SocketAddrV4;

use smoltcp::time::Instant;

use super::facts::Facts;
use super::material::{Medium, Observed};
use crate::cause::Finding;
use crate::scenario::language::Mode;
use crate::session::{DataAttempt, End, Ending, Fate, Line, Speaker};

/// `1 session`, `2 sessions`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Who with whom, and how.
pub(super) fn title(facts: &Facts<'_>) -> String {
    let view = facts.views().next();
    let ends = view.map(|view| (view.account.client, view.account.server));
    let ends =
        ends.map_or_else(String::new, |(client, server)| format!("{} with {}", end(client), end(server)));
    let mode = facts.mode().map_or_else(String::new, |mode| format!(", {}", name(mode)));
    let transfer = facts.transfer();
    let command = transfer.as_ref().map(|transfer| transfer.command.as_str());
    // The mode says it.
    let is_setup =
        |command: &&str| ["PORT", "EPRT", "PASV", "EPSV"].iter().any(|verb| command.starts_with(verb));
    let command = command.filter(|command| !is_setup(command));
    let command = command.map_or_else(String::new, |command| format!(", {command}"));
    format!("{ends}{mode}{command}")
}

fn end(end: End) -> String {
    match (end.ip, end.port) {
        (Some(ip), Some(port)) => format!("{ip}:{port}"),
        (Some(ip), None) => ip.to_string(),
        (None, Some(port)) => format!("port {port}"),
        (None, None) => "somebody".to_owned(),
    }
}

/// The mode's name in FTP.
pub(super) fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::Port => "PORT",
        Mode::Pasv => "PASV",
        Mode::Eprt => "EPRT",
        Mode::Epsv => "EPSV",
        Mode::NoCommand => "no command",
    }
}

/// The control connection.
pub(super) fn control(facts: &Facts<'_>) -> String {
    let port =
        facts.control_port().map_or_else(|| "port not known".to_owned(), |port| format!("port {port}"));
    let established = match facts.established() {
        Some(true) => "established",
        Some(false) => "not established",
        None => "not known to be established",
    };
    let encrypted =
        if facts.encrypted() { ", encrypted from AUTH on: nothing is seen of what follows" } else { "" };
    format!("{port}, {established}{encrypted}")
}

/// How the data connection was to be made.
pub(super) fn mode(facts: &Facts<'_>) -> String {
    let Some(mode) = facts.mode() else {
        return "not known: no command for a data connection is in the material".to_owned();
    };
    let who = match mode {
        Mode::Port | Mode::Eprt => "the client listens, the server dials",
        Mode::Pasv | Mode::Epsv => "the server listens, the client dials",
        Mode::NoCommand => "the server dials the client's control port (RFC 959 §3.2)",
    };
    format!("{}: {who}", name(mode))
}

/// What was announced, and as what it arrived.
pub(super) fn announced(facts: &Facts<'_>) -> Option<String> {
    let views = [facts.at_client, facts.at_server].map(|view| view.and_then(Facts::announced));
    let by = views.iter().flatten().next()?.by;
    let [at_client, at_server] = views;
    // The announcer's own side first.
    let (own, other) = if by == Speaker::Client { (at_client, at_server) } else { (at_server, at_client) };
    let who = if by == Speaker::Client { "the client" } else { "the server" };
    let whom = if by == Speaker::Client { "the server" } else { "the client" };
    Some(match (own, other) {
        (Some(own), Some(other)) if facts.rewritten() == Some(true) => {
            format!(
                "{who} says {} ({}), {whom} gets {} ({}): rewritten on the way",
                own.to, own.line, other.to, other.line
            )
        }
        (Some(own), Some(_)) => format!("{} ({}), which arrives as it was sent", own.to, own.line),
        // A log can fool its reader: what a gateway made of the line is not in it.
        (Some(own), None) => {
            format!("{} ({}), as {who} sent it; what arrived, only {whom}'s side tells", own.to, own.line)
        }
        (None, Some(other)) => {
            format!("{} ({}), as it arrived; what {who} sent, only {who}'s side tells", other.to, other.line)
        }
        (None, None) => return None,
    })
}

/// What became of the data connections, the last attempt of each view.
pub(super) fn data(facts: &Facts<'_>) -> Vec<String> {
    let one = |view: Option<&Observed>, side: &str| {
        let view = view?;
        let text = match Facts::data(view) {
            Some(last) => attempt(last),
            None if facts
                .source(view)
                .is_some_and(|source| !source.sees_data && source.medium == Medium::Capture) =>
            {
                "cannot be told: the capture has nothing but control connections".to_owned()
            }
            None if view.encrypted => {
                "cannot be told: what was announced is encrypted, so no connection can be tied to it"
                    .to_owned()
            }
            None if facts.mode().is_none() => "none".to_owned(),
            None if facts.source(view).is_some_and(|source| source.medium != Medium::Capture) => {
                "the log tells of none".to_owned()
            }
            None => "no attempt is seen".to_owned(),
        };
        Some(format!("at the {side}: {text}"))
    };
    [one(facts.at_client, "client"), one(facts.at_server, "server")].into_iter().flatten().collect()
}

/// An attempt at a data connection.
pub(super) fn attempt(attempt: &DataAttempt) -> String {
    let place = |end: Option<SocketAddrV4>| end.map_or_else(|| "?".to_owned(), |end| end.to_string());
    let ends = match (attempt.from, attempt.to) {
        (None, None) => "data connection".to_owned(),
        (from, to) => format!("{} > {}", place(from), place(to)),
    };
    let carried = attempt.carried.map_or_else(String::new, |carried| format!(", {carried} octets"));
    let fate = match (attempt.fate, attempt.ended) {
        (Fate::Opened, Some(Ending::Closed)) => format!("opened{carried}, closed"),
        (Fate::Opened, Some(Ending::Reset)) => format!("opened{carried}, then reset"),
        (Fate::Opened, None) => format!("opened{carried}"),
        (Fate::Refused, _) => "refused".to_owned(),
        (Fate::Unreachable, _) => "an ICMP error came back".to_owned(),
        (Fate::NoAnswer, _) => "nothing came back".to_owned(),
        (Fate::Unknown, _) => "what became of it is not known".to_owned(),
    };
    format!("{ends}: {fate}")
}

/// What is to be known of a view.
pub(super) fn notes(view: &Observed) -> Vec<String> {
    let mut notes = view.notes.clone();
    if view.joined {
        notes.push(
            "the control connection was there before what is seen of it: its beginning is missing".to_owned(),
        );
    }
    notes
}

/// How far the two views' clocks are apart, where it is more than the way between them takes.
pub(super) fn clocks_apart(facts: &Facts<'_>) -> Option<String> {
    let first = |view: Option<&Observed>| {
        let lines = &view?.account.dialogue.lines;
        let command = lines.iter().find(|line| line.by == Speaker::Client && line.at.is_some())?;
        Some((command.text.clone(), command.at?))
    };
    let ((said, here), (heard, there)) = (first(facts.at_client)?, first(facts.at_server)?);
    let apart = there.total_micros().checked_sub(here.total_micros())?;
    let text = format!("{}.{:03} s", apart.unsigned_abs() / 1_000_000, apart.unsigned_abs() / 1000 % 1000);
    let word = if apart > 0 { "ahead" } else { "behind" };
    (said == heard && apart.unsigned_abs() > 2_000_000)
        .then(|| format!("the second one's clock is {text} {word}"))
}

/// A time since the session's beginning, in seconds.
pub(super) fn since(start: Option<Instant>, at: Option<Instant>) -> String {
    let Some((start, at)) = start.zip(at) else { return String::new() };
    let micros = at.total_micros().saturating_sub(start.total_micros()).max(0);
    format!("{}.{:03}", micros / 1_000_000, micros / 1000 % 1000)
}

/// What to record, so that more can be told.
pub(super) fn wanted(finding: &Finding, facts: &Facts<'_>) -> Vec<String> {
    let mut wanted: Vec<String> = match finding {
        Finding::Undecided { wanted } | Finding::Unseen { wanted } => {
            wanted.iter().map(ToString::to_string).collect()
        }
        Finding::Cause(_) | Finding::NoFailure => Vec::new(),
    };
    let filtered = |view: &Observed| {
        let source = facts.source(view);
        source.is_some_and(|source| source.medium == Medium::Capture && !source.sees_data)
    };
    let is_fine = matches!(finding, Finding::NoFailure);
    if !is_fine && wanted.is_empty() && facts.views().any(filtered) && facts.mode().is_some() {
        wanted.push("the data connection's packets: capture without a filter on the control port".to_owned());
    }
    wanted
}

/// A line's mark in JSON.
pub(super) fn speaker(line: &Line) -> &'static str {
    if line.by == Speaker::Client { "client" } else { "server" }
}
