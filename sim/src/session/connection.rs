//! What crossed a wire, read off its packets: TCP connections, their bytes put in order, and the lines of a control
//! connection. It knows nothing of the programs that sent them.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use quirknat_router::packet::{Packet, Protocol, TcpFlags, TcpHeader};
use smoltcp::time::Instant;

use super::dialogue::{Dialogue, Line, Speaker};
use super::fate::Fate;
use crate::net::Crossing;

/// A TCP connection, or an attempt at one, as one wire saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// When its first SYN crossed.
    pub opened_at: Instant,
    /// Who sent it.
    pub from: SocketAddrV4,
    /// To whom.
    pub to: SocketAddrV4,
    /// Whether the other end answered it with SYN and ACK.
    pub answered: bool,
    /// Whether the other end answered its SYN with a reset.
    pub refused: bool,
    /// Segments with bytes in them, so far.
    segments: usize,
    sent: Bytes,
    received: Bytes,
}

impl Connection {
    /// What became of the attempt to open it. ICMP errors are not looked at: nothing tells them from silence here.
    pub fn fate(&self) -> Fate {
        match (self.answered, self.refused) {
            (true, _) => Fate::Opened,
            (false, true) => Fate::Refused,
            (false, false) => Fate::NoAnswer,
        }
    }

    /// What was said on it, line by line as the lines' ends crossed; the end that opened it is the client.
    pub fn dialogue(&self) -> Dialogue {
        let mut lines = self.sent.lines(Speaker::Client);
        lines.extend(self.received.lines(Speaker::Server));
        lines.sort_by_key(|(segment, _)| *segment);
        Dialogue { lines: lines.into_iter().map(|(_, line)| line).collect() }
    }
}

impl Connection {
    fn take(&mut self, at: Instant, source: SocketAddrV4, tcp: &TcpHeader, payload: &[u8]) {
        self.segments += 1;
        let mark = Mark { segment: self.segments, at };
        if source == self.from {
            self.sent.take(mark, tcp.sequence, payload);
            return;
        }
        self.refused |= tcp.flags.has(TcpFlags::RST) && !self.answered;
        if tcp.flags.has(TcpFlags::SYN) && !self.answered {
            self.answered = true;
            self.received = Bytes::after_syn(tcp.sequence);
        }
        self.received.take(mark, tcp.sequence, payload);
    }
}

/// The connections that were opened on `wire` from `since` on, in order.
pub fn connections(record: &[Crossing], wire: usize, since: Instant) -> Vec<Connection> {
    let mut found: Vec<Connection> = Vec::new();
    for crossing in
        record.iter().filter(|crossing| crossing.wire == wire && crossing.at >= since && !crossing.lost)
    {
        let mut bytes = crossing.bytes.clone();
        let Ok(packet) = Packet::parse(&mut bytes) else { continue };
        let (Some((Protocol::Tcp, source, destination)), Some(tcp)) = (packet.session(), packet.tcp()) else {
            continue;
        };
        note(&mut found, crossing.at, (source, destination), &tcp, packet.tcp_payload());
    }
    found
}

fn note(
    found: &mut Vec<Connection>,
    at: Instant,
    (source, destination): (SocketAddrV4, SocketAddrV4),
    tcp: &TcpHeader,
    payload: &[u8],
) {
    let is_syn = tcp.flags.has(TcpFlags::SYN);
    let known = found.iter_mut().rev().find(|connection| {
        (connection.from, connection.to) == (source, destination)
            || (connection.from, connection.to) == (destination, source)
    });
    match known {
        Some(connection) => connection.take(at, source, tcp, payload),
        None if is_syn && !tcp.flags.has(TcpFlags::ACK) => found.push(Connection {
            opened_at: at,
            from: source,
            to: destination,
            answered: false,
            refused: false,
            segments: 0,
            sent: Bytes::after_syn(tcp.sequence),
            received: Bytes::default(),
        }),
        None => {}
    }
}

/// Which segment of a connection, and when it crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    segment: usize,
    at: Instant,
}

/// One direction's bytes, in order as far as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Bytes {
    next: u32,
    in_order: Vec<u8>,
    /// How many bytes were in order after which segment.
    marks: Vec<(usize, Mark)>,
    /// What came before its turn, by sequence number.
    early: BTreeMap<u32, Vec<u8>>,
}

impl Bytes {
    fn after_syn(sequence: u32) -> Self {
        Self { next: sequence.wrapping_add(1), ..Self::default() }
    }

    fn take(&mut self, mark: Mark, sequence: u32, payload: &[u8]) {
        if payload.is_empty() {
            return;
        }
        self.early.insert(sequence, payload.to_vec());
        // A segment may close a gap before others that came early.
        while let Some((at, old)) = self.early.iter().find_map(|(at, bytes)| {
            let old = usize::try_from(self.next.wrapping_sub(*at)).ok()?;
            (self.next.wrapping_sub(*at).cast_signed() >= 0).then_some((*at, old.min(bytes.len())))
        }) {
            let Some(bytes) = self.early.remove(&at) else { return };
            let new = bytes.get(old..).unwrap_or_default();
            self.in_order.extend_from_slice(new);
            self.next = self.next.wrapping_add(u32::try_from(new.len()).unwrap_or_default());
        }
        self.marks.push((self.in_order.len(), mark));
    }

    /// The lines, each with the segment that brought its end, up to where TLS begins.
    fn lines(&self, speaker: Speaker) -> Vec<(usize, Line)> {
        let mut end = 0;
        let mut lines = Vec::new();
        for line in self.in_order.split_inclusive(|byte| *byte == b'\n') {
            if begins_tls(line) {
                break;
            }
            end += line.len();
            let at = self.marks.partition_point(|(reached, _)| *reached < end);
            let Some((_, mark)) = self.marks.get(at) else { break };
            let text = String::from_utf8_lossy(line);
            let text = text.strip_suffix('\n').unwrap_or(&text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            lines.push((mark.segment, Line::new(Some(mark.at), speaker, text)));
        }
        lines
    }
}

/// Whether a record of TLS stands where a line would begin: its type and the major version (RFC 8446 §5.1). No command
/// and no reply begins with such an octet.
fn begins_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x17, 3, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_put_in_order_across_the_end_of_the_number_space() {
        let mut bytes = Bytes::after_syn(u32::MAX - 3);
        let mark = |segment| Mark { segment, at: Instant::from_secs(i64::try_from(segment).unwrap()) };
        bytes.take(mark(1), 2, b"100\r\nQUIT\r\n");
        bytes.take(mark(2), u32::MAX - 2, b"PORT ");
        bytes.take(mark(3), u32::MAX - 2, b"PORT ");
        let line = |text| (2, Line::new(Some(Instant::from_secs(2)), Speaker::Client, text));
        assert_eq!(bytes.lines(Speaker::Client), [line("PORT 100"), line("QUIT")]);
    }

    #[test]
    fn what_is_behind_auth_tls_is_not_taken_for_lines() {
        let mut bytes = Bytes::after_syn(0);
        let mark = Mark { segment: 1, at: Instant::ZERO };
        bytes.take(mark, 1, b"AUTH TLS\r\n\x16\x03\x01\x00\x05ab\ncd\n");
        assert_eq!(
            bytes.lines(Speaker::Client),
            [(1, Line::new(Some(Instant::ZERO), Speaker::Client, "AUTH TLS"))]
        );
    }
}
