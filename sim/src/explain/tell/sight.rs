//! What is in a packet's octets, read with tolerance: a damaged one, or a piece that an ICMP error quotes, says what it
//! can.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;

use etherparse::{IpNumber, Ipv4HeaderSlice, TcpHeaderSlice};
use quirknat_router::packet::TcpFlags;

/// What a packet is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
    pub(super) inner: Inner,
}

/// What it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Inner {
    Tcp(Segment),
    Icmp {
        kind: u8,
        code: u8,
        /// The packet it quotes, and where its octets are.
        quoted: Option<(Box<Sight>, Range<usize>)>,
    },
    Other,
}

/// A TCP segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) sequence: u32,
    pub(super) flags: TcpFlags,
    /// Where its payload is in the packet's octets.
    pub(super) payload: Range<usize>,
}

impl Sight {
    /// The ends of the connection that it belongs to, or that the packet it quotes belongs to.
    pub(super) fn ends(&self) -> Option<(SocketAddrV4, SocketAddrV4)> {
        match &self.inner {
            Inner::Tcp(tcp) => Some((
                SocketAddrV4::new(self.source, tcp.source_port),
                SocketAddrV4::new(self.destination, tcp.destination_port),
            )),
            Inner::Icmp { quoted: Some((quoted, _)), .. } => quoted.ends(),
            Inner::Icmp { .. } | Inner::Other => None,
        }
    }

    pub(super) fn segment(&self) -> Option<&Segment> {
        match &self.inner {
            Inner::Tcp(segment) => Some(segment),
            _ => None,
        }
    }
}

/// Reads a packet; `None` where not even its addresses can be read.
pub(super) fn see(bytes: &[u8]) -> Option<Sight> {
    let header = Ipv4HeaderSlice::from_slice(bytes).ok()?;
    let start = header.slice().len();
    let end = usize::from(header.total_len()).clamp(start, bytes.len().max(start));
    let is_later_fragment = header.fragments_offset().value() > 0;
    let inner = match header.protocol() {
        _ if is_later_fragment => Inner::Other,
        IpNumber::TCP => segment(bytes, start, end).map_or(Inner::Other, Inner::Tcp),
        IpNumber::ICMP => icmp(bytes, start).unwrap_or(Inner::Other),
        _ => Inner::Other,
    };
    Some(Sight { source: header.source_addr(), destination: header.destination_addr(), inner })
}

fn segment(bytes: &[u8], start: usize, end: usize) -> Option<Segment> {
    let octets = bytes.get(start..end)?;
    if let Ok(header) = TcpHeaderSlice::from_slice(octets) {
        return Some(Segment {
            source_port: header.source_port(),
            destination_port: header.destination_port(),
            sequence: header.sequence_number(),
            flags: TcpFlags(octets.get(13).copied().unwrap_or_default()),
            payload: start + header.slice().len()..end,
        });
    }
    // Eight octets of it are quoted by an ICMP error (RFC 792).
    let short = |at: usize| Some(u16::from_be_bytes(*octets.get(at..)?.first_chunk()?));
    Some(Segment {
        source_port: short(0)?,
        destination_port: short(2)?,
        sequence: u32::from_be_bytes(*octets.get(4..)?.first_chunk()?),
        flags: TcpFlags(0),
        payload: end..end,
    })
}

fn icmp(bytes: &[u8], start: usize) -> Option<Inner> {
    /// Destination unreachable, source quench, redirect, time exceeded, parameter problem (RFC 792).
    const ERRORS: [u8; 5] = [3, 4, 5, 11, 12];
    let [kind, code] = *bytes.get(start..)?.first_chunk::<2>()?;
    let quote = start + 8..bytes.len();
    let quoted = ERRORS.contains(&kind).then(|| see(bytes.get(quote.clone())?)).flatten();
    Some(Inner::Icmp { kind, code, quoted: quoted.map(|sight| (Box::new(sight), quote)) })
}
