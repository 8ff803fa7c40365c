//! An FTP session: its two connections, and the lines of its dialogue on both wires.

use std::net::SocketAddrV4;

use quirknat_router::event::EventKind;
use smoltcp::time::Instant;

use super::mask::Mask;
use super::{Findings, key};
use crate::cause::{Evidence, Finding, Witness, find};
use crate::ftp::{ClientOutcome, Direction, Reply, TranscriptLine, TransferOutcome};
use crate::net::{Network, NetworkEvent};
use crate::scenario::contents::contents;
use crate::scenario::language::{Expect, FtpStep, Outcome, Step};
use crate::scenario::stage::Stage;
use crate::session::{Account, Connection, Dialogue, Line, Speaker, View, beyond_routers};
use crate::world::Backend;

/// What a step was to transfer, beside what there is.
enum Transferred {
    /// A listing, whose text is the server's own.
    Listing,
    /// A file from the server, with its bytes there.
    Fetched(Vec<u8>),
    /// A file to the server, with its bytes here and, if it is there now, there.
    Stored { sent: Vec<u8>, arrived: Option<Vec<u8>> },
}

/// What is known of a session once it is over.
pub(super) struct Session {
    outcome: Option<ClientOutcome>,
    transfer: Transferred,
    pub(super) at_client: View,
    pub(super) at_server: View,
}

/// What came of a session, as its ends have it.
pub(super) struct Ended<'a> {
    /// Both ends of the control connection as the client knows them, if it was opened.
    pub(super) control: Option<(SocketAddrV4, SocketAddrV4)>,
    pub(super) outcome: Option<&'a ClientOutcome>,
    /// The client's log, and the server's.
    pub(super) logs: [&'a [TranscriptLine]; 2],
}

pub(super) fn judge<B: Backend>(
    stage: &Stage<'_, B>,
    step: &Step,
    since: Instant,
    ended: &Ended<'_>,
    mask: &Mask,
    findings: &mut Findings,
) {
    let Ended { control, outcome, logs } = *ended;
    let Some(ftp) = step.ftp.as_ref().map(toml::Spanned::get_ref) else { return };
    let network = stage.world.network();
    let (client, server) = (ftp.client.get_ref().as_str(), ftp.server.get_ref().as_str());
    let (at_client, at_server) = views(stage, since, control, (client, server));
    let session =
        Session { outcome: outcome.cloned(), transfer: transferred(stage, ftp), at_client, at_server };
    let (control, data) = (session.control(), session.data());
    let router = stage.host(client).and_then(|host| host.network);
    let ends = session.at_client.control.as_ref().map(|control| (control.from, control.to));
    let gateway = gateway(network, since, router, ends);

    findings.outcome("control", step.expect.control, &control);
    findings.outcome("data", step.expect.data, &data);
    session.judge_mode(&step.expect, findings);
    let reply = session.reply();
    let reply_words = reply.map_or_else(|| "no reply".to_owned(), |code| code.to_string());
    findings.saw("reply", reply_words.clone());
    if let Some(expected) = step.expect.reply.filter(|expected| reply != Some(*expected)) {
        findings.mismatch("reply", &expected.to_string(), &reply_words);
    }
    judge_wires(&step.expect, &session.at_client, &session.at_server, mask, findings);
    judge_gateway(&step.expect, &gateway, findings);
    if control.0 == Outcome::Failed || data.0 == Outcome::Failed {
        let [client_log, server_log] = logs;
        let views = [(&session.at_client, client_log), (&session.at_server, server_log)];
        findings.because(why(stage, since, (client, server), views));
    }
}

/// Why a session between these hosts failed, which is known. Each end's wire is heard; where it is encrypted, the end's
/// own log of what was said.
pub(super) fn why<B: Backend>(
    stage: &Stage<'_, B>,
    since: Instant,
    (client, server): (&str, &str),
    sides: [(&View, &[TranscriptLine]); 2],
) -> Finding {
    let address = |name| stage.host(name).map(|host| host.address);
    let [(at_client, client_log), (at_server, server_log)] = sides;
    let at_client = account(at_client, client_log, [Speaker::Client, Speaker::Server]);
    let at_server = account(at_server, server_log, [Speaker::Server, Speaker::Client]);
    find(&Evidence {
        at_client: Some(&at_client),
        at_server: Some(&at_server),
        client: address(client),
        server: address(server),
        network: Some(Witness { network: stage.world.network(), since }),
        failed: Some(true),
    })
}

fn account(view: &View, log: &[TranscriptLine], [own, other]: [Speaker; 2]) -> Account {
    let mut account = Account::from(view);
    let is_encrypted = account.dialogue.lines.last().is_some_and(|line| line.code() == Some(234));
    if is_encrypted && !log.is_empty() {
        let line = |line: &TranscriptLine| {
            let by = if line.direction == Direction::Sent { own } else { other };
            Line::new(Some(line.at), by, &line.text)
        };
        account.dialogue = Dialogue { lines: log.iter().map(line).collect() };
    }
    account
}

/// What the wires of both ends saw.
pub(super) fn views<B: Backend>(
    stage: &Stage<'_, B>,
    since: Instant,
    control: Option<(SocketAddrV4, SocketAddrV4)>,
    (client, server): (&str, &str),
) -> (View, View) {
    let network = stage.world.network();
    let wire = |name| stage.host(name).and_then(|host| network.wire_of(host.id)).unwrap_or_default();
    let at_client = View::new(network, wire(client), since, control);
    let known = control.or(at_client.control.as_ref().map(|control| (control.from, control.to)));
    let beyond = known.map(|ends| beyond_routers(network, since, ends));
    (at_client, View::new(network, wire(server), since, beyond))
}

/// A session's client, as its server knows it, from the two ends that the client knows.
pub(super) fn as_known_to_the_server<B: Backend>(
    stage: &Stage<'_, B>,
    since: Instant,
    control: Option<(SocketAddrV4, SocketAddrV4)>,
) -> Option<SocketAddrV4> {
    Some(beyond_routers(stage.world.network(), since, control?).0)
}

/// The lines and the data connections' SYNs, on both wires.
pub(super) fn judge_wires(
    expect: &Expect,
    at_client: &View,
    at_server: &View,
    mask: &Mask,
    findings: &mut Findings,
) {
    let lines = [
        ("client-sent", &expect.client_sent, at_client.commands()),
        ("server-saw", &expect.server_saw, at_server.commands()),
        ("server-sent", &expect.server_sent, at_server.replies()),
        ("client-saw", &expect.client_saw, at_client.replies()),
    ];
    for (what, expected, lines) in lines {
        if let Some(expected) = expected {
            line(what, expected, &lines, findings);
        }
        findings.saw(what, mask.text(&lines.join("\n")));
    }
    let syns = [
        ("data-syn-at-client", &expect.data_syn_at_client, &at_client.data),
        ("data-syn-at-server", &expect.data_syn_at_server, &at_server.data),
    ];
    for (what, expected, data) in syns {
        let seen: Vec<String> = data.iter().map(arrow).collect();
        let seen = if seen.is_empty() { "none".to_owned() } else { seen.join(", ") };
        if let Some(expected) = expected
            && !syn_fits(expected, data)
        {
            findings.mismatch(what, expected, &seen);
        }
        findings.saw(what, mask.text(&seen));
    }
}

pub(super) fn judge_gateway(expect: &Expect, gateway: &str, findings: &mut Findings) {
    findings.saw("gateway", gateway);
    if let Some(expected) = expect.gateway.as_deref().filter(|expected| *expected != gateway) {
        findings.mismatch("gateway", expected, gateway);
    }
}

/// A line must be there to the letter. The one with the same first word is what was seen in its place.
fn line(what: &str, expected: &str, lines: &[String], findings: &mut Findings) {
    if lines.iter().any(|line| line == expected) {
        return;
    }
    let word = expected.split(' ').next().unwrap_or_default();
    let instead = lines.iter().find(|line| line.split(' ').next() == Some(word));
    let seen = instead.map_or_else(|| format!("no {word} at all"), Clone::clone);
    findings.mismatch(what, expected, &seen);
}

fn syn_fits(expected: &str, data: &[Connection]) -> bool {
    match expected {
        "none" => data.is_empty(),
        pattern => data.iter().any(|connection| {
            pattern.split_once(" > ").is_some_and(|(from, to)| {
                matches_end(from, connection.from) && matches_end(to, connection.to)
            })
        }),
    }
}

fn arrow(connection: &Connection) -> String {
    format!("{} > {}", connection.from, connection.to)
}

fn matches_end(pattern: &str, end: SocketAddrV4) -> bool {
    match pattern.strip_suffix(":*") {
        Some(address) => address == end.ip().to_string(),
        None => pattern == end.to_string(),
    }
}

fn transferred<B: Backend>(stage: &Stage<'_, B>, step: &FtpStep) -> Transferred {
    let there = |name: &str| stage.host(step.server.get_ref()).and_then(|server| server.files.get(name));
    match (&step.get, &step.put) {
        (Some(file), _) => Transferred::Fetched(there(file.get_ref()).unwrap_or_default()),
        (None, Some(put)) => {
            Transferred::Stored { sent: contents(&put.name, put.size), arrived: there(&put.name) }
        }
        (None, None) => Transferred::Listing,
    }
}

impl Session {
    fn control(&self) -> (Outcome, String) {
        match &self.outcome {
            None => (Outcome::Failed, "failed: the session did not end".to_owned()),
            Some(ClientOutcome { control: Ok(()), .. }) => (Outcome::Ok, "ok".to_owned()),
            Some(ClientOutcome { control: Err(failure), .. }) => {
                (Outcome::Failed, format!("failed: {failure}"))
            }
        }
    }

    /// The ways that were tried, and which of them carried the transfer.
    fn judge_mode(&self, expect: &Expect, findings: &mut Findings) {
        let tried = self.outcome.as_ref().and_then(|outcome| outcome.modes.first());
        let words: Vec<String> = tried
            .into_iter()
            .flatten()
            .map(|tried| match &tried.failure {
                None => tried.mode.to_string(),
                Some(failure) => format!("{} failed: {failure}", tried.mode),
            })
            .collect();
        let words = if words.is_empty() { "none".to_owned() } else { words.join(", ") };
        let carried = self.outcome.as_ref().and_then(|outcome| outcome.carried_by(0));
        if let Some(expected) = expect.mode.filter(|expected| carried != Some(*expected)) {
            findings.mismatch("mode", &expected.to_string(), &words);
        }
        findings.saw("mode", words);
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
    pub(super) fn reply(&self) -> Option<u16> {
        if let TransferOutcome::Failed { reply, .. } = self.outcome.as_ref()?.transfers.first()? {
            return reply.as_ref().map(|reply: &Reply| reply.code);
        }
        let replies = self.at_client.replies();
        replies.iter().rev().filter_map(|line| code(line)).find(|code| *code != 221)
    }
}

fn code(line: &str) -> Option<u16> {
    let (digits, rest) = line.split_at_checked(3)?;
    if rest.starts_with(' ') { digits.parse().ok() } else { None }
}

/// What a router did with announcements since `since`: on the control connection between these ends, if they are known.
pub(super) fn gateway(
    network: &Network,
    since: Instant,
    router: Option<&str>,
    control: Option<(SocketAddrV4, SocketAddrV4)>,
) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut serial = None;
    for event in network.events().iter().filter(|event| event.at() >= since) {
        let NetworkEvent::Router { router: whose, event } = event else { continue };
        if Some(&**whose) != router {
            continue;
        }
        let (translation, done) = match &event.kind {
            EventKind::TranslationCreated { translation, inside, remote, .. }
                if control == Some((*inside, *remote)) =>
            {
                serial = Some(*translation);
                continue;
            }
            EventKind::CommandRewritten { translation, .. } => (translation, "rewritten".to_owned()),
            EventKind::CommandLeftAlone { translation, reason, .. } => {
                (translation, format!("left alone: {}", key(reason)))
            }
            _ => continue,
        };
        if serial.is_none_or(|serial| serial == *translation) && !words.contains(&done) {
            words.push(done);
        }
    }
    if words.is_empty() { "silent".to_owned() } else { words.join(", ") }
}
