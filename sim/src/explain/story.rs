//! What is told of a scenario: one model, for all the forms it is told in. Times are microseconds of the scenario's
//! clock; bytes have the argument of PASS replaced by `*`, octet by octet, and are as they crossed otherwise.

use std::fmt::Write as _;
use std::ops::Range;

use serde::{Serialize, Serializer};

use crate::cause::{Cause, Details};
use crate::net::NetworkEvent;
use crate::scenario::language::BackendName;
use crate::scenario::{Mismatch, Station, WayWire};

/// A scenario, explained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Story {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Where its hosts were.
    pub backend: BackendName,
    /// The seed of all that was random.
    pub seed: u64,
    /// Whether all of it was as the scenario expects.
    pub as_expected: bool,
    /// What is hidden in all bytes and lines.
    pub hidden: &'static str,
    /// Its FTP sessions; those that were asked for.
    pub steps: Vec<StepStory>,
    /// What was not as expected in steps that are not told.
    pub elsewhere: Vec<Elsewhere>,
}

/// Something that was not as expected in a step that is not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// The step's number.
    pub step: usize,
    /// What it was.
    pub what: String,
    /// What was not as expected.
    pub mismatches: Vec<Mismatch>,
}

/// An FTP session, explained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepStory {
    /// The step's number, from 1.
    pub number: usize,
    /// What it was, in a line.
    pub step: String,
    /// Why what is expected of it is an assumption, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumed: Option<String>,
    /// When it began.
    pub since_us: i64,
    /// When all of it was over.
    pub until_us: i64,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed, where it did and the cause is known.
    pub cause: Option<Explained>,
    /// What would help, most practical first.
    pub remedies: Vec<String>,
    /// What was not as expected.
    pub mismatches: Vec<Mismatch>,
    /// What a packet passes between client and server, in this order.
    pub stations: Vec<Station>,
    /// The wires between them.
    pub wires: Vec<WayWire>,
    /// The parts of the way within which no address is translated.
    pub views: Vec<View>,
    /// What crossed, in order of time.
    pub rows: Vec<Row>,
    /// Bare acknowledgements that are not among the rows.
    pub acknowledgements: usize,
    /// What each end says of it.
    pub logs: Logs,
    /// What the routers held, over time.
    pub table: Vec<Entry>,
}

/// How a session ended; each as the scenario language says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The control connection: `ok` or `failed`; none of a real program, which does not say.
    pub control: Option<String>,
    /// The data connection.
    pub data: Option<String>,
    /// The last reply to the transfer.
    pub reply: Option<String>,
    /// Of a real program.
    pub program: Option<String>,
}

/// A cause with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// Its name.
    pub cause: Cause,
    /// A sentence.
    pub text: String,
    /// How it comes about.
    pub explanation: &'static str,
    /// What it has to do with here.
    pub details: Details,
}

/// A part of the way within which no address is translated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    /// What it is called.
    pub name: String,
    /// The station it begins at, from the client.
    pub from: usize,
    /// The station it ends at.
    pub to: usize,
}

impl View {
    /// Its wires.
    pub fn wires(&self) -> Range<usize> {
        self.from..self.to
    }
}

/// What a ladder has one after the other.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "row", rename_all = "kebab-case")]
pub enum Row {
    /// A packet, from where it was sent to where it ended.
    Packet(Box<Packet>),
    /// Something that no packet of the session brought about.
    Note(Decision),
}

/// A packet, from where it was sent to where it ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Packet {
    /// Its number in the ladder, from 1.
    pub number: usize,
    /// When it was first seen.
    pub at_us: i64,
    /// What it belongs to.
    pub part: Part,
    /// Which way it went.
    pub towards: Towards,
    /// The wires it crossed, in the order it did.
    pub legs: Vec<Leg>,
    /// What the routers did with it and because of it.
    pub decisions: Vec<Decision>,
    /// How it ended.
    pub end: End,
    /// Whether the same octets of its connection were sent before.
    pub again: bool,
    /// Packets like it that are told with it.
    pub more: Option<More>,
}

impl Packet {
    /// The stations it went from and to; of one that was dropped, where it was.
    pub fn span(&self) -> Option<(usize, usize)> {
        let mut wires = self.legs.iter().filter_map(|leg| leg.wire);
        let first = wires.next()?;
        let last = wires.next_back().unwrap_or(first);
        Some(match self.towards {
            Towards::Server => (first, last + 1),
            Towards::Client => (first + 1, last),
        })
    }
}

/// What a packet belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The control connection.
    Control,
    /// A data connection.
    Data,
    /// An ICMP error about either.
    Icmp,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Towards {
    /// To the server.
    Server,
    /// To the client.
    Client,
}

/// A packet on one wire.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Leg {
    /// Which of the way's wires; none where it left the way.
    pub wire: Option<usize>,
    /// The wire's name.
    pub wire_name: String,
    /// When it crossed.
    pub at_us: i64,
    /// What it says, in lines.
    pub lines: Vec<Line>,
    /// The packet.
    #[serde(serialize_with = "as_hex")]
    pub bytes: Vec<u8>,
    /// Its fields, in order, down to the payload.
    pub fields: Vec<Field>,
    /// The octets that are not those of the wire before or the wire behind: what a router rewrote.
    pub rewritten: Vec<Range<usize>>,
}

/// A line of what a packet says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The text.
    pub text: String,
    /// The characters of it that differ from the view before or the view behind.
    pub rewritten: Vec<Range<usize>>,
    /// The endpoint that it announces, worked out.
    pub announces: Option<String>,
}

/// A field of a packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The header.
    pub of: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// Its octets.
    pub octets: Range<usize>,
    /// Whether a router rewrote it.
    pub rewritten: bool,
}

/// Something that a router, a wire or a change of the network did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// When.
    pub at_us: i64,
    /// Where: a station; none for what is elsewhere.
    pub station: Option<usize>,
    /// Who: a router by its network, or what lost a packet.
    pub by: String,
    /// What, in words.
    pub text: String,
    /// What kind of thing it is.
    pub weight: Weight,
    /// The event.
    pub event: NetworkEvent,
}

/// What a reader should make of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// A packet ended.
    Ended,
    /// An announcement was rewritten, a forward opened or used.
    Helped,
    /// An announcement was left alone.
    LeftAlone,
    /// Bookkeeping.
    Plain,
}

/// How a packet ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum End {
    /// It arrived at the other end.
    Arrived,
    /// It ended at a station, for this reason.
    Stopped {
        /// Where, if it is on the way.
        station: Option<usize>,
        /// Why.
        reason: String,
    },
    /// It left the way from client to server.
    Elsewhere {
        /// To where.
        wire: String,
    },
    /// It was still under way.
    UnderWay,
}

/// Packets that are told with another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct More {
    /// How many.
    pub packets: usize,
    /// Octets of all, the first one's too.
    pub octets: usize,
    /// When the last one was first seen.
    pub until_us: i64,
}

/// What each end says of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Logs {
    /// Lines of both logs, those beside each other that are the same line of the dialogue.
    pub rows: Vec<LogRow>,
    /// What a real program wrote, in place of a client's log.
    pub output: Option<Output>,
    /// Whether there is a server's log.
    pub has_server: bool,
    /// What a reader should know before he trusts one of them.
    pub moral: Vec<String>,
}

/// A line of the dialogue in both logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogRow {
    /// Whether the client said it.
    pub by_client: bool,
    /// As the client's log has it.
    pub client: Option<LogLine>,
    /// As the server's log has it.
    pub server: Option<LogLine>,
}

impl LogRow {
    /// Whether both have it, in other words.
    pub fn differs(&self) -> bool {
        matches!((&self.client, &self.server), (Some(client), Some(server)) if client.text != server.text)
    }
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// When it was sent, or came.
    pub at_us: i64,
    /// The line.
    pub text: String,
    /// The characters that are not those of the other log.
    pub differing: Option<Range<usize>>,
}

/// What a real program wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Output {
    /// To stdout.
    pub stdout: String,
    /// To stderr.
    pub stderr: String,
}

/// What a router held: a translation or a forward of its gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The router's network.
    pub router: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its number at its router.
    pub id: u32,
    /// It in words.
    pub text: String,
    /// What made it, or whom it lets in.
    pub why: String,
    /// When it was made.
    pub since_us: i64,
    /// When connections came in through it, of a forward.
    pub used_us: Vec<i64>,
    /// When it ended, and why; none if it never did.
    pub ended: Option<EntryEnd>,
    /// When it would have ended, as was last said.
    pub expires_s: Option<u32>,
}

/// What a router holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A translation.
    Translation,
    /// A forward.
    Forward,
}

/// The end of something held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryEnd {
    /// When.
    pub at_us: i64,
    /// Why.
    pub reason: String,
}

fn as_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    serializer.serialize_str(&text)
}
