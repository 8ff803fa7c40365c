//! What crossed a wire, read off its packets: TCP connections, their bytes put in order, and the lines of a control
//! connection. It knows nothing of the programs that sent them.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use quirknat_router::packet::{Packet, Protocol, TcpFlags, TcpHeader};
use smoltcp::time::Instant;

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
    sent: Bytes,
    received: Bytes,
}

impl Connection {
    /// The lines that the end which opened it sent.
    pub fn lines_sent(&self) -> Vec<String> {
        self.sent.lines()
    }

    /// The lines that the other end sent.
    pub fn lines_received(&self) -> Vec<String> {
        self.received.lines()
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
        Some(connection) if connection.from == source => connection.sent.take(tcp.sequence, payload),
        Some(connection) => {
            if is_syn && !connection.answered {
                connection.answered = true;
                connection.received = Bytes::after_syn(tcp.sequence);
            }
            connection.received.take(tcp.sequence, payload);
        }
        None if is_syn && !tcp.flags.has(TcpFlags::ACK) => found.push(Connection {
            opened_at: at,
            from: source,
            to: destination,
            answered: false,
            sent: Bytes::after_syn(tcp.sequence),
            received: Bytes::default(),
        }),
        None => {}
    }
}

/// One direction's bytes, in order as far as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Bytes {
    next: u32,
    in_order: Vec<u8>,
    /// What came before its turn, by sequence number.
    early: BTreeMap<u32, Vec<u8>>,
}

impl Bytes {
    fn after_syn(sequence: u32) -> Self {
        Self { next: sequence.wrapping_add(1), ..Self::default() }
    }

    fn take(&mut self, sequence: u32, payload: &[u8]) {
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
    }

    fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.in_order).lines().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_put_in_order_across_the_end_of_the_number_space() {
        let mut bytes = Bytes::after_syn(u32::MAX - 3);
        bytes.take(2, b"100\r\n");
        bytes.take(u32::MAX - 2, b"PORT ");
        bytes.take(u32::MAX - 2, b"PORT ");
        assert_eq!(bytes.lines(), ["PORT 100"]);
    }
}
