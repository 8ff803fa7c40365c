//! Checking a packet's layout and checksums, once.

use etherparse::{Ipv4HeaderSlice, TcpHeaderSlice, UdpHeaderSlice};
use serde::Serialize;

use super::bytes::read_u16;
use super::{ECHO_REQUEST, Fragment, Kind, Layout, Packet, Protocol, checksum};

/// Why a packet cannot be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Malformed {
    /// Its version is not 4.
    #[error("not an IPv4 packet")]
    NotIpv4,
    /// It is shorter than its header says, or its header's length is impossible.
    #[error("the lengths in the IPv4 header are wrong")]
    IpLength,
    /// The IPv4 header's checksum is wrong.
    #[error("the IPv4 header checksum is wrong")]
    IpChecksum,
    /// The transport header does not fit.
    #[error("the lengths in the transport header are wrong")]
    TransportLength,
    /// The transport's checksum is wrong.
    #[error("the transport checksum is wrong")]
    TransportChecksum,
}

/// The smallest first fragment that carries what a translator edits of TCP: up to the checksum's end.
const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
const ICMP_HEADER: usize = 8;

impl<'a> Packet<'a> {
    /// Checks `bytes` and cuts off what follows the packet in its buffer.
    #[inline]
    pub fn parse(bytes: &'a mut Vec<u8>) -> Result<Self, Malformed> {
        let layout = check::<true>(bytes)?;
        bytes.truncate(usize::from(read_u16(bytes, 2)));
        Ok(Self { bytes, layout, uncuttable: 0 })
    }

    /// Likewise, whatever the transport's checksum is.
    pub(crate) fn parse_unverified(bytes: &'a mut Vec<u8>) -> Result<Self, Malformed> {
        let layout = check::<false>(bytes)?;
        bytes.truncate(usize::from(read_u16(bytes, 2)));
        Ok(Self { bytes, layout, uncuttable: 0 })
    }

    /// Puts the whole packet in the place of a fragment; a malformed one leaves it as it is. `uncuttable` is the
    /// length of its largest fragment where that may not be cut farther, or 0.
    pub(crate) fn complete(&mut self, bytes: &mut Vec<u8>, uncuttable: usize) -> Result<(), Malformed> {
        let layout = check::<true>(bytes)?;
        std::mem::swap(self.bytes, bytes);
        (self.layout, self.uncuttable) = (layout, u16::try_from(uncuttable).unwrap_or(u16::MAX));
        Ok(())
    }
}

/// `VERIFY`: whether a wrong transport checksum is a fault.
fn check<const VERIFY: bool>(bytes: &[u8]) -> Result<Layout, Malformed> {
    match bytes.first() {
        Some(first) if first >> 4 == 4 => {}
        Some(_) => return Err(Malformed::NotIpv4),
        None => return Err(Malformed::IpLength),
    }
    let ip = Ipv4HeaderSlice::from_slice(bytes).map_err(|_| Malformed::IpLength)?;
    let (header_length, total) = (ip.slice().len(), usize::from(ip.total_len()));
    let content = bytes.get(header_length..total).ok_or(Malformed::IpLength)?;
    if checksum::sum(ip.slice()) != 0xffff {
        return Err(Malformed::IpChecksum);
    }
    let fragment = match (ip.fragments_offset().value(), ip.more_fragments()) {
        (0, false) => Fragment::Whole,
        (0, true) => Fragment::First,
        _ => Fragment::Later,
    };
    let (transport, header_end) = match fragment {
        Fragment::Later => (Kind::None, 0),
        // What is missing may come in the next fragment.
        Fragment::First => match check_transport::<VERIFY>(&ip, fragment, content) {
            Err(Malformed::TransportLength) => (Kind::None, 0),
            checked => checked?,
        },
        Fragment::Whole => check_transport::<VERIFY>(&ip, fragment, content)?,
    };
    // IPv4's and TCP's headers are at most 60 bytes each.
    let narrow = |at: usize| u8::try_from(at).unwrap_or_default();
    Ok(Layout {
        fragment,
        transport,
        transport_at: narrow(header_length),
        payload_at: narrow(header_length + header_end),
    })
}

/// What the transport is, and where TCP's header ends.
fn check_transport<const VERIFY: bool>(
    ip: &Ipv4HeaderSlice<'_>,
    fragment: Fragment,
    content: &[u8],
) -> Result<(Kind, usize), Malformed> {
    const TCP: u8 = Protocol::Tcp.number();
    const UDP: u8 = Protocol::Udp.number();
    const ICMP: u8 = Protocol::Icmp.number();
    match ip.protocol().0 {
        TCP => check_tcp::<VERIFY>(ip, fragment, content).map(|end| (Kind::Tcp, end)),
        UDP => check_udp::<VERIFY>(ip, fragment, content).map(|()| (Kind::Udp, 0)),
        ICMP => check_icmp::<VERIFY>(fragment, content).map(|kind| (kind, 0)),
        _ => Ok((Kind::Other, 0)),
    }
}

fn check_tcp<const VERIFY: bool>(
    ip: &Ipv4HeaderSlice<'_>,
    fragment: Fragment,
    content: &[u8],
) -> Result<usize, Malformed> {
    if content.len() < TCP_HEADER {
        return Err(Malformed::TransportLength);
    }
    let tcp = TcpHeaderSlice::from_slice(content).map_err(|_| Malformed::TransportLength)?;
    if VERIFY && fragment == Fragment::Whole && transport_sum(ip, content) != 0xffff {
        return Err(Malformed::TransportChecksum);
    }
    Ok(tcp.slice().len())
}

fn check_udp<const VERIFY: bool>(
    ip: &Ipv4HeaderSlice<'_>,
    fragment: Fragment,
    content: &[u8],
) -> Result<(), Malformed> {
    if content.len() < UDP_HEADER {
        return Err(Malformed::TransportLength);
    }
    let udp = UdpHeaderSlice::from_slice(content).map_err(|_| Malformed::TransportLength)?;
    if fragment == Fragment::Whole {
        let datagram = content.get(..usize::from(udp.length())).ok_or(Malformed::TransportLength)?;
        if datagram.len() < UDP_HEADER {
            return Err(Malformed::TransportLength);
        }
        // RFC 768: a zero checksum means that there is none.
        if VERIFY && udp.checksum() != 0 && transport_sum(ip, datagram) != 0xffff {
            return Err(Malformed::TransportChecksum);
        }
    }
    Ok(())
}

fn check_icmp<const VERIFY: bool>(fragment: Fragment, content: &[u8]) -> Result<Kind, Malformed> {
    if content.len() < ICMP_HEADER {
        return Err(Malformed::TransportLength);
    }
    if VERIFY && fragment == Fragment::Whole && checksum::sum(content) != 0xffff {
        return Err(Malformed::TransportChecksum);
    }
    Ok(match content.first() {
        Some(&(0 | ECHO_REQUEST)) => Kind::Echo,
        Some(13..=18) => Kind::Query,
        // RFC 792: destination unreachable, source quench, time exceeded, parameter problem quote a packet.
        Some(3 | 4 | 11 | 12) if fragment == Fragment::Whole => Kind::IcmpError,
        _ => Kind::IcmpOther,
    })
}

fn transport_sum(ip: &Ipv4HeaderSlice<'_>, content: &[u8]) -> u16 {
    let addresses = ip.slice().get(12..).and_then(|tail| tail.first_chunk()).copied();
    checksum::transport_sum(addresses.unwrap_or_default(), ip.protocol().0, content)
}
