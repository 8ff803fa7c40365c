//! ICMP errors as a host reads them off a packet, for what neither smoltcp nor a raw socket tells.

use std::net::{Ipv4Addr, SocketAddrV4};

use etherparse::icmpv4::DestUnreachableHeader;
use etherparse::{Icmpv4Slice, Icmpv4Type, IpNumber, Ipv4HeaderSlice, Ipv4Slice, icmpv4};

use super::stack::EchoAnswerKind;

/// An error about a packet that this host has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IcmpError {
    /// Who sent it.
    pub(crate) from: Ipv4Addr,
    pub(crate) kind: EchoAnswerKind,
    /// How long a packet the next link takes, in bytes, where it says so (RFC 1191 §4).
    pub(crate) next_hop_mtu: Option<u16>,
    pub(crate) quoted: Quoted,
}

/// The packet it is about, as far as eight bytes behind the IP header tell (RFC 792).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoted {
    Tcp { source: SocketAddrV4, destination: SocketAddrV4 },
    Udp { source: SocketAddrV4 },
    Echo { identifier: u16 },
    OtherIcmp,
    Other,
}

impl IcmpError {
    /// Reads a packet; `None`: it is no such error, or its checksums are wrong.
    pub(crate) fn read(packet: &[u8]) -> Option<Self> {
        if packet.get(9) != Some(&IpNumber::ICMP.0) {
            return None;
        }
        let ip = Ipv4Slice::from_slice(packet).ok()?;
        let icmp = Icmpv4Slice::from_slice(ip.payload().payload).ok()?;
        let mut next_hop_mtu = None;
        let kind = match icmp.icmp_type() {
            Icmpv4Type::DestinationUnreachable(header) => {
                if let DestUnreachableHeader::FragmentationNeeded { next_hop_mtu: mtu } = header {
                    next_hop_mtu = Some(mtu);
                }
                EchoAnswerKind::Unreachable(header.code_u8())
            }
            Icmpv4Type::TimeExceeded(_) => EchoAnswerKind::TimeExceeded,
            _ => return None,
        };
        let sum = icmp.icmp_type().calc_checksum(icmp.payload());
        if sum != icmp.checksum() {
            return None;
        }
        Some(Self { from: ip.header().source_addr(), kind, next_hop_mtu, quoted: quoted(icmp.payload())? })
    }
}

fn quoted(quote: &[u8]) -> Option<Quoted> {
    let header = Ipv4HeaderSlice::from_slice(quote).ok()?;
    let transport = quote.get(header.slice().len()..)?.first_chunk::<8>()?;
    let [kind, ..] = *transport;
    let word = |at: usize| transport.get(at..)?.first_chunk::<2>().copied().map(u16::from_be_bytes);
    match header.protocol() {
        IpNumber::TCP => Some(Quoted::Tcp {
            source: SocketAddrV4::new(header.source_addr(), word(0)?),
            destination: SocketAddrV4::new(header.destination_addr(), word(2)?),
        }),
        IpNumber::ICMP if kind == icmpv4::TYPE_ECHO_REQUEST => Some(Quoted::Echo { identifier: word(4)? }),
        IpNumber::UDP => Some(Quoted::Udp { source: SocketAddrV4::new(header.source_addr(), word(0)?) }),
        IpNumber::ICMP => Some(Quoted::OtherIcmp),
        _ => Some(Quoted::Other),
    }
}
