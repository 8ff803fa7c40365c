//! Checking a packet's layout and checksums, once.

use etherparse::{Ipv4HeaderSlice, TcpHeaderSlice, UdpHeaderSlice};
use serde::Serialize;

use super::bytes::read_u16;
use super::{Fragment, Header, Packet, Protocol, TcpFlags, TcpHeader, Transport, checksum};

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
        let header = read_header(bytes)?;
        bytes.truncate(usize::from(read_u16(bytes, 2)));
        Ok(Self { bytes, header })
    }
}

#[inline]
fn read_header(bytes: &[u8]) -> Result<Header, Malformed> {
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
    let transport = match fragment {
        Fragment::Later => Transport::None,
        _ => read_transport(&ip, fragment, content)?,
    };
    Ok(Header {
        source: ip.source_addr(),
        destination: ip.destination_addr(),
        protocol: ip.protocol().0,
        ttl: ip.ttl(),
        identification: ip.identification(),
        dont_fragment: ip.dont_fragment(),
        fragment,
        transport_at: header_length,
        transport,
    })
}

#[inline]
fn read_transport(
    ip: &Ipv4HeaderSlice<'_>,
    fragment: Fragment,
    content: &[u8],
) -> Result<Transport, Malformed> {
    const TCP: u8 = Protocol::Tcp as u8;
    const UDP: u8 = Protocol::Udp as u8;
    const ICMP: u8 = Protocol::Icmp as u8;
    match ip.protocol().0 {
        TCP => read_tcp(ip, fragment, content),
        UDP => read_udp(ip, fragment, content),
        ICMP => read_icmp(fragment, content),
        _ => Ok(Transport::Other),
    }
}

#[inline]
fn read_tcp(ip: &Ipv4HeaderSlice<'_>, fragment: Fragment, content: &[u8]) -> Result<Transport, Malformed> {
    if content.len() < TCP_HEADER {
        return Err(Malformed::TransportLength);
    }
    let tcp = TcpHeaderSlice::from_slice(content).map_err(|_| Malformed::TransportLength)?;
    if fragment == Fragment::Whole && pseudo_sum(ip, content) != 0xffff {
        return Err(Malformed::TransportChecksum);
    }
    Ok(Transport::Tcp(TcpHeader {
        source: tcp.source_port(),
        destination: tcp.destination_port(),
        sequence: tcp.sequence_number(),
        acknowledgement: tcp.acknowledgment_number(),
        flags: TcpFlags(content.get(13).copied().unwrap_or_default()),
        payload_at: ip.slice().len() + tcp.slice().len(),
    }))
}

#[inline]
fn read_udp(ip: &Ipv4HeaderSlice<'_>, fragment: Fragment, content: &[u8]) -> Result<Transport, Malformed> {
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
        if udp.checksum() != 0 && pseudo_sum(ip, datagram) != 0xffff {
            return Err(Malformed::TransportChecksum);
        }
    }
    Ok(Transport::Udp { source: udp.source_port(), destination: udp.destination_port() })
}

fn read_icmp(fragment: Fragment, content: &[u8]) -> Result<Transport, Malformed> {
    if content.len() < ICMP_HEADER {
        return Err(Malformed::TransportLength);
    }
    if fragment == Fragment::Whole && checksum::sum(content) != 0xffff {
        return Err(Malformed::TransportChecksum);
    }
    let identifier = read_u16(content, 4);
    Ok(match content.first() {
        Some(8) => Transport::Echo { request: true, identifier },
        Some(0) => Transport::Echo { request: false, identifier },
        // RFC 792: destination unreachable, source quench, time exceeded, parameter problem quote a packet.
        Some(3 | 4 | 11 | 12) if fragment == Fragment::Whole => Transport::IcmpError,
        kind => Transport::IcmpOther { kind: kind.copied().unwrap_or_default() },
    })
}

#[inline]
fn pseudo_sum(ip: &Ipv4HeaderSlice<'_>, content: &[u8]) -> u16 {
    let pseudo = checksum::pseudo_header(
        ip.source_addr().into(),
        ip.destination_addr().into(),
        ip.protocol().0,
        content.len(),
    );
    checksum::add(pseudo, checksum::sum(content))
}
