//! A TCP connection from the LAN, both ends of which are the probe's.

use std::net::SocketAddrV4;

use quirknat_router::packet::TcpFlags;

use crate::check::executor::{Bench, End};
use crate::check::packets::{Seen, Segment, What};
use crate::check::subject::Side;

/// Where probes' sequence numbers begin.
pub(super) const FIRST_SEQUENCE: u32 = 1000;
const ACK: u8 = TcpFlags::ACK;
const SERVER_SEQUENCE: u32 = 7000;

/// Both ends' numbers, as each end counts.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    bench: Bench,
    pub(super) inside: End,
    pub(super) remote: End,
    /// The inside end, as the remote end sees it.
    pub(super) external: SocketAddrV4,
    /// What the inside end sends next, and what the remote end has sent.
    pub(super) sent: u32,
    pub(super) replied: u32,
    /// What the remote end expects next, in the numbers that get there.
    pub(super) expected: u32,
}

impl Connection {
    /// Opens it from the LAN by a three-way handshake. `None`: a segment of it was lost.
    pub(super) async fn open(bench: &Bench, inside: End, remote: End) -> Option<Self> {
        let syn = Segment::new(TcpFlags::SYN, FIRST_SEQUENCE, 0);
        bench.send(Side::Lan, syn.between(inside.at, remote.at));
        let syn = bench.expect(remote, |seen| seen.flags().has(TcpFlags::SYN)).await?;
        let mut connection = Self {
            bench: bench.clone(),
            inside,
            remote,
            external: syn.source,
            sent: FIRST_SEQUENCE + 1,
            replied: SERVER_SEQUENCE,
            expected: sequence(&syn).wrapping_add(1),
        };
        connection.inbound(TcpFlags::SYN | ACK, b"").await?;
        connection.outbound(ACK, b"").await?;
        Some(connection)
    }

    /// Opens one from outside, to `external`, which is to lead to `inside`.
    pub(super) async fn open_from_outside(
        bench: &Bench,
        remote: End,
        external: SocketAddrV4,
        inside: End,
    ) -> Option<Self> {
        let mut connection = Self {
            bench: bench.clone(),
            inside,
            remote,
            external,
            sent: FIRST_SEQUENCE,
            replied: SERVER_SEQUENCE,
            expected: 0,
        };
        connection.inbound(TcpFlags::SYN, b"").await?;
        connection.outbound(TcpFlags::SYN | ACK, b"").await?;
        connection.inbound(ACK, b"").await?;
        Some(connection)
    }

    /// One whose SYN has left and come out as of `external`.
    pub(super) fn half_open(bench: &Bench, inside: End, remote: End, external: SocketAddrV4) -> Self {
        Self {
            bench: bench.clone(),
            inside,
            remote,
            external,
            sent: FIRST_SEQUENCE + 1,
            replied: SERVER_SEQUENCE,
            expected: FIRST_SEQUENCE + 1,
        }
    }

    /// A segment from the inside end, and as it comes out.
    pub(super) async fn outbound(&mut self, flags: u8, payload: &[u8]) -> Option<Seen> {
        let segment = Segment::new(flags, self.sent, self.replied).with(payload);
        self.sent = self.sent.wrapping_add(taken(flags, payload));
        self.push_out(segment).await
    }

    /// A segment of the inside end's as it stands, and as it comes out.
    pub(super) async fn push_out(&mut self, segment: Segment<'_>) -> Option<Seen> {
        self.bench.send(Side::Lan, segment.between(self.inside.at, self.remote.at));
        let external = self.external;
        let seen = self.bench.expect(self.remote, |seen| seen.source == external && is_segment(seen)).await?;
        let end = sequence(&seen).wrapping_add(taken(seen.flags().0, seen.payload()));
        self.expected = end;
        Some(seen)
    }

    /// A segment from the remote end, and as it comes in.
    pub(super) async fn inbound(&mut self, flags: u8, payload: &[u8]) -> Option<Seen> {
        let segment = Segment::new(flags, self.replied, self.expected).with(payload);
        self.replied = self.replied.wrapping_add(taken(flags, payload));
        self.bench.send(Side::Wan, segment.between(self.remote.at, self.external));
        let remote = self.remote.at;
        self.bench.expect(self.inside, |seen| seen.source == remote && is_segment(seen)).await
    }

    /// Whether a bare acknowledgement from outside still gets in.
    pub(super) async fn is_open(&mut self) -> bool {
        self.inbound(ACK, b"").await.is_some()
    }
}

/// The sequence numbers that a segment takes.
fn taken(flags: u8, payload: &[u8]) -> u32 {
    let controls = (flags & (TcpFlags::SYN | TcpFlags::FIN)).count_ones();
    u32::try_from(payload.len()).unwrap_or_default() + controls
}

pub(super) fn sequence(seen: &Seen) -> u32 {
    match seen.what {
        What::Tcp { sequence, .. } => sequence,
        _ => 0,
    }
}

pub(super) fn acknowledgement(seen: &Seen) -> u32 {
    match seen.what {
        What::Tcp { acknowledgement, .. } => acknowledgement,
        _ => 0,
    }
}

fn is_segment(seen: &Seen) -> bool {
    matches!(seen.what, What::Tcp { .. })
}
