//! What crossed a wire, read off its packets: TCP connections, their bytes put in order, and the lines of a control
//! connection. It knows nothing of the programs that sent them.

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::packet::{Packet, Protocol, TcpFlags};
use smoltcp::time::Instant;

use super::dialogue::{Dialogue, Line, Speaker};
use super::fate::{Ending, Fate};
use super::stream::{Cursor, Mark, Stream};
use crate::net::Crossing;

/// A TCP connection, or an attempt at one, as one wire saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// When its first SYN crossed; of one that was already there, when it was first seen.
    pub opened_at: Instant,
    /// Who sent it.
    pub from: SocketAddrV4,
    /// To whom.
    pub to: SocketAddrV4,
    /// Whether the other end answered it with SYN and ACK.
    pub answered: bool,
    /// Whether the other end answered its SYN with a reset.
    pub refused: bool,
    /// Whether an ICMP error about its SYN came back.
    pub unreachable: bool,
    /// How it ended; `None` while it lasts.
    pub ended: Option<Ending>,
    /// When its last segment crossed.
    pub last_at: Instant,
    /// Segments so far.
    segments: usize,
    /// SYNs of the end that opened it, so far.
    syns: u32,
    /// The sequence number of its SYN, where that was seen.
    initial: Option<u32>,
    sent: Stream,
    received: Stream,
}

/// A TCP segment, and how much of it is known.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// Who sent it.
    pub source: SocketAddrV4,
    /// To whom.
    pub destination: SocketAddrV4,
    /// Its flags.
    pub flags: TcpFlags,
    /// Its sequence number.
    pub sequence: u32,
    /// Its acknowledgement number; meaningless without [`TcpFlags::ACK`].
    pub acknowledgement: u32,
    /// Its payload, as far as it is known.
    pub payload: &'a [u8],
    /// The payload's length, in octets.
    pub length: u32,
}

impl Connection {
    /// The connection that `segment` opens, or that it is the first one seen of. The segment is not taken in yet.
    pub fn begin(at: Instant, segment: &Segment<'_>) -> Self {
        let opens = segment.flags.has(TcpFlags::SYN) && !segment.flags.has(TcpFlags::ACK);
        Self {
            opened_at: at,
            from: segment.source,
            to: segment.destination,
            answered: !opens,
            refused: false,
            unreachable: false,
            ended: None,
            last_at: at,
            segments: 0,
            syns: 0,
            initial: opens.then_some(segment.sequence),
            sent: if opens { Stream::after_syn(segment.sequence) } else { Stream::default() },
            received: Stream::default(),
        }
    }

    /// What became of the attempt to open it.
    pub fn fate(&self) -> Fate {
        if self.answered {
            Fate::Opened
        } else if self.refused {
            Fate::Refused
        } else if self.unreachable {
            Fate::Unreachable
        } else {
            Fate::NoAnswer
        }
    }

    /// Whether its beginning was seen.
    pub fn was_seen_opening(&self) -> bool {
        self.initial.is_some()
    }

    /// Whether a SYN between its ends is its own, sent again.
    pub fn began_with(&self, syn: &Segment<'_>) -> bool {
        self.initial == Some(syn.sequence) && syn.source == self.from
    }

    /// Whether its SYN was sent again.
    pub fn tried_again(&self) -> bool {
        self.syns > 1
    }

    /// Octets of payload in both directions, as far as they were seen.
    pub fn carried(&self) -> u64 {
        self.sent.carried() + self.received.carried()
    }

    /// Keeps none of its bytes from here on: it is no control connection.
    pub fn keep_no_bytes(&mut self) {
        self.sent.end();
        self.received.end();
    }

    /// What was said on it, line by line as the lines' ends crossed; the end that opened it is the client.
    pub fn dialogue(&self) -> Dialogue {
        Dialogue { lines: Reading::default().read(self) }
    }

    /// Takes in a segment between its two ends.
    pub fn take(&mut self, at: Instant, segment: &Segment<'_>) {
        self.segments += 1;
        self.last_at = at;
        let mark = Mark { segment: self.segments, at };
        let Segment { flags, payload, length, .. } = *segment;
        let is_syn = flags.has(TcpFlags::SYN);
        // A SYN takes a sequence number of its own before the first byte.
        let sequence = segment.sequence.wrapping_add(u32::from(is_syn));
        let from_opener = segment.source == self.from;
        if from_opener {
            self.syns += u32::from(is_syn);
        } else {
            self.refused |= flags.has(TcpFlags::RST) && !self.answered;
            if is_syn && !self.answered {
                self.answered = true;
                self.received = Stream::after_syn(segment.sequence);
            }
        }
        let (own, other) = if from_opener {
            (&mut self.sent, &mut self.received)
        } else {
            (&mut self.received, &mut self.sent)
        };
        own.take(mark, sequence, payload, length);
        if flags.has(TcpFlags::ACK) {
            other.acknowledged(mark, segment.acknowledgement);
        }
        if flags.has(TcpFlags::RST) && self.answered {
            self.ended.get_or_insert(Ending::Reset);
        } else if flags.has(TcpFlags::FIN) {
            self.ended.get_or_insert(Ending::Closed);
        }
    }
}

/// A control connection's dialogue in the reading: the lines that came since the last time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    sent: Cursor,
    received: Cursor,
    asks_for_tls: bool,
    encrypted: bool,
}

impl Reading {
    /// What was said since, line by line as the lines' ends crossed; the connection keeps it no longer. Behind the 234 to
    /// an AUTH (RFC 4217 §4) there are no lines to be read.
    pub fn go_on(&mut self, connection: &mut Connection) -> Vec<Line> {
        let lines = self.read(connection);
        connection.sent.forget(&mut self.sent);
        connection.received.forget(&mut self.received);
        if self.encrypted {
            connection.keep_no_bytes();
        }
        lines
    }

    fn read(&mut self, connection: &Connection) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut read = |stream: &Stream, cursor: &mut Cursor, speaker| {
            lines.extend(std::iter::from_fn(|| stream.next_line(cursor, speaker)));
        };
        read(&connection.sent, &mut self.sent, Speaker::Client);
        read(&connection.received, &mut self.received, Speaker::Server);
        lines.sort_by_key(|(segment, _)| *segment);
        let mut said = Vec::new();
        for (_, line) in lines {
            if self.encrypted {
                break;
            }
            match (line.verb().as_deref(), line.code()) {
                (Some(verb), _) => self.asks_for_tls = verb == "AUTH",
                (_, Some(234)) => self.encrypted = self.asks_for_tls,
                _ => {}
            }
            said.push(line);
        }
        said
    }

    /// Whether what follows is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }
}

/// The connections that were opened on `wire` from `since` on, in order.
pub fn connections(record: &[Crossing], wire: usize, since: Instant) -> Vec<Connection> {
    put_together(record, wire, |crossing| crossing.at >= since)
}

/// The connections with this end that were ever opened on `wire`, in order.
pub(super) fn connections_of(record: &[Crossing], wire: usize, end: SocketAddrV4) -> Vec<Connection> {
    let is_its = |(from, to)| from == end || to == end;
    put_together(record, wire, |crossing| endpoints(&crossing.bytes).is_some_and(is_its))
}

/// Both ends of a packet, as its first octets say.
pub fn endpoints(packet: &[u8]) -> Option<(SocketAddrV4, SocketAddrV4)> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let address = |at: usize| packet.get(at..)?.first_chunk::<4>().copied().map(Ipv4Addr::from);
    let port = |at: usize| packet.get(header + at..)?.first_chunk::<2>().copied().map(u16::from_be_bytes);
    Some((SocketAddrV4::new(address(12)?, port(0)?), SocketAddrV4::new(address(16)?, port(2)?)))
}

fn put_together(record: &[Crossing], wire: usize, wanted: impl Fn(&Crossing) -> bool) -> Vec<Connection> {
    let mut found: Vec<Connection> = Vec::new();
    for crossing in
        record.iter().filter(|crossing| crossing.wire == wire && !crossing.lost && wanted(crossing))
    {
        let mut bytes = crossing.bytes.clone();
        let Ok(packet) = Packet::parse(&mut bytes) else { continue };
        let (Some((Protocol::Tcp, source, destination)), Some(tcp)) = (packet.session(), packet.tcp()) else {
            continue;
        };
        let payload = packet.tcp_payload();
        let segment = Segment {
            source,
            destination,
            flags: tcp.flags,
            sequence: tcp.sequence,
            acknowledgement: tcp.acknowledgement,
            payload,
            length: u32::try_from(payload.len()).unwrap_or_default(),
        };
        note(&mut found, crossing.at, &segment);
    }
    found
}

fn note(found: &mut Vec<Connection>, at: Instant, segment: &Segment<'_>) {
    let ends = (segment.source, segment.destination);
    let known = found.iter_mut().rev().find(|connection| {
        (connection.from, connection.to) == ends || (connection.to, connection.from) == ends
    });
    let opens = segment.flags.has(TcpFlags::SYN) && !segment.flags.has(TcpFlags::ACK);
    match known {
        Some(connection) => connection.take(at, segment),
        None if opens => {
            let mut connection = Connection::begin(at, segment);
            connection.take(at, segment);
            found.push(connection);
        }
        None => {}
    }
}
