//! One interface of a capture: finds the sessions in its packets as they go by. What it keeps is bounded: a number of
//! connections, of sessions, and of octets of dialogue; of data connections no octet.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::packet::TcpFlags;
use smoltcp::time::{Duration, Instant};

use super::flows::{Ends, Flow, Flows};
use super::guess::{self, Tells};
use super::packet::Read;
use crate::session::{
    Account, Announcement, Connection, DataAttempt, Dialogue, Fate, Line, Reading, Segment, Speaker,
};

/// Sessions that are kept.
const MOST_SESSIONS: usize = 10_000;
/// Octets of dialogue that are kept, of all sessions together and of one.
const MOST_TEXT: usize = 64 << 20;
const LONGEST_DIALOGUE: usize = 2 << 20;
/// Data connections that are kept of one session.
const MOST_DATA: usize = 1_000;
/// Announcements of one session that are waited for.
const MOST_AWAITED: usize = 64;
/// Segments with payload after which a connection is known to be none of FTP's.
const LOOKS: u8 = 8;
/// A SYN is sent again after a second, and after two more (RFC 6298 §2): longer silence than this is an answer.
const SILENCE: Duration = Duration::from_secs(3);
/// Where FTP over TLS without AUTH is at home.
const IMPLICIT_TLS: u16 = 990;
const CONTROL: u16 = 21;

/// What an interface's packets tell of sessions.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    flows: Flows,
    sessions: BTreeMap<u32, Session>,
    serial: u32,
    /// Where a data connection is awaited, and whose.
    awaited: BTreeMap<SocketAddrV4, u32>,
    /// By the client's end of the control connection.
    by_client: BTreeMap<SocketAddrV4, u32>,
    /// The newest session between two hosts, the client first.
    by_hosts: BTreeMap<(Ipv4Addr, Ipv4Addr), u32>,
    text: usize,
    /// The first packet's time, and the latest.
    span: Option<(Instant, Instant)>,
    seen: Seen,
}

/// What there was besides sessions.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// IPv4 packets.
    pub(super) packets: u64,
    /// Fragments, which are not put together.
    pub(super) fragments: u64,
    /// Packets whose headers the capture does not hold.
    pub(super) cut: u64,
    /// TCP segments that belong to no control connection.
    pub(super) beside: u64,
    /// Sessions beyond those that are kept.
    pub(super) sessions_beyond: u64,
}

/// A session in the making.
#[derive(Debug)]
struct Session {
    control: Connection,
    reading: Reading,
    lines: Vec<Line>,
    text: usize,
    /// Lines that were not kept.
    beyond: u64,
    is_ftp: bool,
    implicit_tls: bool,
    data: Vec<Connection>,
    awaited: VecDeque<SocketAddrV4>,
}

/// A session as one interface saw it.
#[derive(Debug, Clone)]
pub(super) struct Tracked {
    pub(super) account: Account,
    pub(super) began: Instant,
    /// The beginning was not seen.
    pub(super) joined: bool,
    pub(super) encrypted: bool,
    /// Lines that were not kept.
    pub(super) beyond: u64,
}

impl Tracker {
    /// Takes in a packet.
    pub(super) fn packet(&mut self, at: Instant, read: &Read<'_>) {
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first, last.max(at)));
        self.seen.packets += 1;
        match read {
            Read::Tcp(segment) => self.segment(at, segment),
            Read::Error { from, to } => self.unreachable(*from, *to),
            Read::Fragment => self.seen.fragments += 1,
            Read::Cut => self.seen.cut += 1,
            Read::Other => {}
        }
    }

    fn segment(&mut self, at: Instant, segment: &Segment<'_>) {
        let ends = Ends::of(segment.source, segment.destination);
        let opens = segment.flags.has(TcpFlags::SYN) && !segment.flags.has(TcpFlags::ACK);
        if opens && !self.is_repeated(ends, segment) {
            self.open(at, ends, segment);
        }
        let Some(flow) = self.flows.get_mut(ends) else {
            if segment.length > 0 {
                self.flows.insert(ends, Flow::Undecided { connection: None, looked: 0 });
                self.look(at, ends, segment);
            }
            self.seen.beside += 1;
            return;
        };
        match *flow {
            Flow::Control(session) => self.control(at, session, ends, segment),
            Flow::Data(session, number) => {
                self.seen.beside += 1;
                let data = self.sessions.get_mut(&session).and_then(|session| session.data.get_mut(number));
                if let Some(connection) = data {
                    connection.take(at, segment);
                }
            }
            Flow::Undecided { .. } => {
                self.seen.beside += 1;
                self.look(at, ends, segment);
            }
            Flow::Other => self.seen.beside += 1,
        }
    }

    /// Whether a SYN is that of a connection already known.
    fn is_repeated(&mut self, ends: Ends, syn: &Segment<'_>) -> bool {
        let sessions = &self.sessions;
        let connection = match self.flows.get_mut(ends) {
            Some(Flow::Undecided { connection, .. }) => connection.as_deref(),
            Some(Flow::Control(session)) => sessions.get(session).map(|session| &session.control),
            Some(Flow::Data(session, number)) => {
                sessions.get(session).and_then(|session| session.data.get(*number))
            }
            Some(Flow::Other) | None => None,
        };
        connection.is_some_and(|connection| connection.began_with(syn))
    }

    fn open(&mut self, at: Instant, ends: Ends, syn: &Segment<'_>) {
        let mut connection = Connection::begin(at, syn);
        let flow = match self.belongs_to(syn) {
            Some(serial) => {
                let Some(session) = self.sessions.get_mut(&serial) else { return };
                if session.data.len() >= MOST_DATA {
                    return self.flows.insert(ends, Flow::Other);
                }
                connection.keep_no_bytes();
                session.data.push(connection);
                Flow::Data(serial, session.data.len() - 1)
            }
            None => Flow::Undecided { connection: Some(Box::new(connection)), looked: 0 },
        };
        self.flows.insert(ends, flow);
    }

    /// The session whose data connection this SYN opens.
    fn belongs_to(&self, syn: &Segment<'_>) -> Option<u32> {
        if let Some(session) = self.awaited.get(&syn.destination) {
            return Some(*session);
        }
        // Without a command the server dials the client's control port (RFC 959 §3.2).
        let session = |serial: &u32| self.sessions.get(serial).map(|session| &session.control);
        if let Some(serial) = self.by_client.get(&syn.destination)
            && session(serial).is_some_and(|control| control.to.ip() == syn.source.ip())
        {
            return Some(*serial);
        }
        // Where the announcement was not seen, the port that a server dials from tells.
        let serial = self.by_hosts.get(&(*syn.destination.ip(), *syn.source.ip()))?;
        let control = session(serial)?;
        (syn.source.port().checked_add(1) == Some(control.to.port())).then_some(*serial)
    }

    /// Looks whether a connection that is not known yet is a control connection.
    fn look(&mut self, at: Instant, ends: Ends, segment: &Segment<'_>) {
        let Some(Flow::Undecided { connection, looked }) = self.flows.get_mut(ends) else { return };
        if segment.length == 0 {
            if let Some(connection) = connection {
                connection.take(at, segment);
            }
            return;
        }
        let implicit_tls = matches!(segment.payload, [0x16, 3, ..])
            && [segment.source.port(), segment.destination.port()].contains(&IMPLICIT_TLS);
        let Some(speaker) = guess::speaker(segment.payload).or(implicit_tls.then(|| {
            if segment.destination.port() == IMPLICIT_TLS { Speaker::Client } else { Speaker::Server }
        })) else {
            *looked += 1;
            if *looked >= LOOKS {
                self.flows.insert(ends, Flow::Other);
            }
            return;
        };
        let control = match connection.take() {
            Some(connection) => *connection,
            None if speaker == Speaker::Client => Connection::begin(at, segment),
            None => {
                let turned = Segment { source: segment.destination, destination: segment.source, ..*segment };
                Connection::begin(at, &turned)
            }
        };
        // A server says nothing like a command, nor a client anything like a reply.
        if (control.from == segment.source) != (speaker == Speaker::Client) {
            return self.flows.insert(ends, Flow::Other);
        }
        if self.sessions.len() >= MOST_SESSIONS || self.text >= MOST_TEXT {
            self.seen.sessions_beyond += 1;
            return self.flows.insert(ends, Flow::Other);
        }
        self.serial += 1;
        let serial = self.serial;
        self.by_client.insert(control.from, serial);
        self.by_hosts.insert((*control.from.ip(), *control.to.ip()), serial);
        self.sessions.insert(
            serial,
            Session {
                control,
                reading: Reading::default(),
                lines: Vec::new(),
                text: 0,
                beyond: 0,
                is_ftp: implicit_tls,
                implicit_tls,
                data: Vec::new(),
                awaited: VecDeque::new(),
            },
        );
        self.flows.insert(ends, Flow::Control(serial));
        self.control(at, serial, ends, segment);
    }

    fn control(&mut self, at: Instant, serial: u32, ends: Ends, segment: &Segment<'_>) {
        let Some(session) = self.sessions.get_mut(&serial) else { return };
        session.control.take(at, segment);
        if session.implicit_tls {
            return session.control.keep_no_bytes();
        }
        for line in session.reading.go_on(&mut session.control) {
            match guess::tells(&line, session.lines.is_empty()) {
                Tells::Ftp => session.is_ftp = true,
                Tells::NotFtp if !session.is_ftp => {
                    self.flows.insert(ends, Flow::Other);
                    return self.forget(serial);
                }
                Tells::NotFtp | Tells::Nothing => {}
            }
            if let Some(announcement) = line.announces() {
                await_data(&mut self.awaited, serial, session, line.by, announcement);
            }
            if session.text >= LONGEST_DIALOGUE || self.text >= MOST_TEXT {
                session.beyond += 1;
                continue;
            }
            let length = line.text.len() + size_of::<Line>();
            session.text += length;
            self.text += length;
            session.lines.push(line);
        }
    }

    fn forget(&mut self, serial: u32) {
        let Some(session) = self.sessions.remove(&serial) else { return };
        self.text -= session.text;
        for awaited in session.awaited {
            self.awaited.remove(&awaited);
        }
        self.by_client.remove(&session.control.from);
    }

    fn unreachable(&mut self, from: SocketAddrV4, to: SocketAddrV4) {
        let connection = match self.flows.get_mut(Ends::of(from, to)) {
            Some(Flow::Undecided { connection, .. }) => connection.as_deref_mut(),
            Some(Flow::Control(session)) => {
                self.sessions.get_mut(session).map(|session| &mut session.control)
            }
            Some(Flow::Data(session, number)) => {
                self.sessions.get_mut(session).and_then(|session| session.data.get_mut(*number))
            }
            Some(Flow::Other) | None => None,
        };
        if let Some(connection) = connection.filter(|connection| connection.from == from) {
            connection.unreachable = true;
        }
    }

    /// What was seen, from the first packet to the last one.
    pub(super) fn span(&self) -> Option<(Instant, Instant)> {
        self.span
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// The sessions, in the order in which they began.
    pub(super) fn into_sessions(self) -> Vec<Tracked> {
        let last = self.span.map_or(Instant::ZERO, |(_, last)| last);
        let mut found: Vec<(Instant, Tracked)> = Vec::new();
        for session in self.sessions.into_values() {
            // A greeting alone may be anybody's.
            if session.is_ftp || session.control.to.port() == CONTROL || greets_as_ftp(&session.lines) {
                found.push((session.control.opened_at, session.into_tracked(last)));
            }
        }
        for flow in self.flows.into_flows() {
            let Flow::Undecided { connection: Some(control), .. } = flow else { continue };
            if control.to.port() == CONTROL && !control.answered {
                let account = Account {
                    client: control.from.into(),
                    server: control.to.into(),
                    established: (fate(&control, last) != Fate::Unknown).then_some(false),
                    ..Account::default()
                };
                let began = control.opened_at;
                let tracked = Tracked { account, began, joined: false, encrypted: false, beyond: 0 };
                found.push((control.opened_at, tracked));
            }
        }
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, tracked)| tracked).collect()
    }
}

/// Notes where the data connection is to come: where it was announced, or the announcer's own address.
fn await_data(
    all: &mut BTreeMap<SocketAddrV4, u32>,
    serial: u32,
    session: &mut Session,
    by: Speaker,
    announcement: Announcement,
) {
    let sender = if by == Speaker::Client { session.control.from } else { session.control.to };
    let announced = announcement.leads_to(session.control.to);
    for end in [announced, SocketAddrV4::new(*sender.ip(), announced.port())] {
        if !session.awaited.contains(&end) {
            session.awaited.push_back(end);
        }
        all.insert(end, serial);
    }
    while session.awaited.len() > MOST_AWAITED {
        if let Some(oldest) = session.awaited.pop_front()
            && all.get(&oldest) == Some(&serial)
        {
            all.remove(&oldest);
        }
    }
}

fn greets_as_ftp(lines: &[Line]) -> bool {
    lines.iter().any(|line| line.by == Speaker::Server && line.text.to_ascii_uppercase().contains("FTP"))
}

/// What became of an attempt, in a capture that ends at `last`: silence takes its time to be one.
fn fate(connection: &Connection, last: Instant) -> Fate {
    match connection.fate() {
        Fate::NoAnswer if !connection.tried_again() && last < connection.opened_at + SILENCE => Fate::Unknown,
        fate => fate,
    }
}

impl Session {
    fn into_tracked(self, last: Instant) -> Tracked {
        let [one, other] = [*self.control.from.ip(), *self.control.to.ip()];
        let lines = &self.lines;
        // Where both ends have one address, who was announced to whom tells.
        let to_client = |to: SocketAddrV4| {
            let announced = |line: &Line| {
                line.by == Speaker::Client
                    && line.announces().is_some_and(|announced| announced.leads_to(to) == to)
            };
            lines.iter().any(announced)
        };
        let dials = |connection: &Connection| {
            let is_client = *connection.from.ip() == one && (one != other || !to_client(connection.to));
            if is_client { Speaker::Client } else { Speaker::Server }
        };
        let attempt = |connection: &Connection| DataAttempt {
            at: Some(connection.opened_at),
            dialled_by: Some(dials(connection)),
            from: Some(connection.from),
            to: Some(connection.to),
            fate: fate(connection, last),
            carried: Some(connection.carried()),
            ended: connection.ended,
        };
        let account = Account {
            client: self.control.from.into(),
            server: self.control.to.into(),
            established: Some(self.control.answered),
            data: self.data.iter().map(attempt).collect(),
            dialogue: Dialogue::default(),
        };
        let account = Account { dialogue: Dialogue { lines: self.lines }, ..account };
        Tracked {
            account,
            began: self.control.opened_at,
            joined: !self.control.was_seen_opening(),
            encrypted: self.implicit_tls || self.reading.is_encrypted(),
            beyond: self.beyond,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAID: &[u8] = b"USER a\r\nPASS Open5esame\r\nPORT 192,168,1,100,65,43\r\nLIST\r\n";

    proptest! {
        /// Pieces of a dialogue in any order, cut, repeated and missing, with and without the connection's beginning.
        #[test]
        fn no_order_of_segments_shows_a_password_or_makes_it_panic(
            pieces in prop::collection::vec((any::<bool>(), 0_usize..60, 0_usize..20, 0_usize..20, any::<u8>()), 0..40),
            initial in any::<u32>(),
            opens in any::<bool>(),
        ) {
            let client = SocketAddrV4::new(Ipv4Addr::new(192, 168, 1, 100), 4000);
            let server = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 9), 2121);
            let mut tracker = Tracker::default();
            let mut take = |from_client: bool, flags: u8, sequence: u32, acknowledgement: u32, payload: &[u8], more: usize| {
                let (source, destination) = if from_client { (client, server) } else { (server, client) };
                let length = u32::try_from(payload.len() + more).unwrap();
                let flags = TcpFlags(flags);
                let segment = Segment { source, destination, flags, sequence, acknowledgement, payload, length };
                tracker.packet(Instant::ZERO, &Read::Tcp(segment));
            };
            if opens {
                take(true, TcpFlags::SYN, initial, 0, b"", 0);
            }
            for (from_client, at, length, more, flags) in pieces {
                let at = at.min(SAID.len());
                let text = &SAID[at..(at + length).min(SAID.len())];
                let offset = u32::try_from(at).unwrap();
                let sequence = initial.wrapping_add(1).wrapping_add(offset);
                if from_client {
                    take(true, flags & 0x1d, sequence, 0, text, more);
                } else {
                    take(false, flags & 0x1d, 7, sequence, b"200 ok\r\n", 0);
                }
            }
            let said = format!("{:?}", tracker.into_sessions());
            for part in ["Open5esame", "pen5", "esam", "same"] {
                prop_assert!(!said.contains(part), "{said}");
            }
        }
    }
}
