//! A captured packet, read leniently: cut short by the capture, or with the checksums that its sender left to the network
//! card. Nothing here is forwarded, so nothing has to be sound.

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::packet::TcpFlags;

use crate::session::Segment;

/// What an IPv4 packet is to a reader of FTP sessions.
#[derive(Debug, Clone, Copy)]
pub(super) enum Read<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// An ICMP error about a TCP segment between these ends.
    Error {
        /// Who had sent the segment.
        from: SocketAddrV4,
        /// To whom.
        to: SocketAddrV4,
    },
    /// A part of a packet.
    Fragment,
    /// The capture does not hold its headers.
    Cut,
    /// Something else.
    Other,
}

const ICMP: u8 = 1;
const TCP: u8 = 6;

/// Reads an IPv4 packet.
pub(super) fn read(bytes: &[u8]) -> Read<'_> {
    lenient(bytes).unwrap_or(Read::Cut)
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

fn address(bytes: &[u8], at: usize) -> Option<Ipv4Addr> {
    long(bytes, at).map(Ipv4Addr::from)
}

fn lenient(bytes: &[u8]) -> Option<Read<'_>> {
    let header = usize::from(bytes.first()? & 0x0f) * 4;
    // A segment that the network card was to cut may have no length yet.
    let total = match word(bytes, 2)? {
        0 => bytes.len(),
        total => usize::from(total),
    };
    if header < 20 || total < header {
        return Some(Read::Other);
    }
    let (source, destination) = (address(bytes, 12)?, address(bytes, 16)?);
    // More fragments, or an offset.
    if word(bytes, 6)? & 0x3fff != 0 {
        return Some(Read::Fragment);
    }
    let content = bytes.get(header..total.min(bytes.len()))?;
    match *bytes.get(9)? {
        TCP => tcp((source, destination), content, total - header),
        ICMP => icmp(content),
        _ => Some(Read::Other),
    }
}

fn tcp((source, destination): (Ipv4Addr, Ipv4Addr), bytes: &[u8], length: usize) -> Option<Read<'_>> {
    let header = usize::from(*bytes.get(12)? >> 4) * 4;
    let flags = TcpFlags(*bytes.get(13)?);
    let Some(payload) = length.checked_sub(header).filter(|_| header >= 20) else { return Some(Read::Other) };
    Some(Read::Tcp(Segment {
        source: SocketAddrV4::new(source, word(bytes, 0)?),
        destination: SocketAddrV4::new(destination, word(bytes, 2)?),
        flags,
        sequence: long(bytes, 4)?,
        acknowledgement: long(bytes, 8)?,
        payload: bytes.get(header..).unwrap_or_default(),
        length: u32::try_from(payload).unwrap_or_default(),
    }))
}

/// Destination unreachable, time exceeded and parameter problem quote a header and eight octets more (RFC 792).
fn icmp(bytes: &[u8]) -> Option<Read<'_>> {
    let (kind, code) = (*bytes.first()?, *bytes.get(1)?);
    // "Fragmentation needed" ends no connection.
    if !matches!(kind, 3 | 11 | 12) || (kind, code) == (3, 4) {
        return Some(Read::Other);
    }
    let quoted = bytes.get(8..)?;
    let header = usize::from(quoted.first()? & 0x0f) * 4;
    if *quoted.get(9)? != TCP {
        return Some(Read::Other);
    }
    Some(Read::Error {
        from: SocketAddrV4::new(address(quoted, 12)?, word(quoted, header)?),
        to: SocketAddrV4::new(address(quoted, 16)?, word(quoted, header + 2)?),
    })
}
