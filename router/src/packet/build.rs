//! Packets the router makes itself.

use std::net::Ipv4Addr;

use etherparse::icmpv4::{DestUnreachableHeader, TimeExceededCode};
use etherparse::{Icmpv4Type, IpHeaders, Ipv4Extensions, Ipv4Header, PacketBuilder};

use super::bytes::read_u16;
use super::{Fragment, Packet, TcpFlags, Transport};

/// RFC 1122 §3.2.1.7 recommends 64.
const TTL: u8 = 64;
/// RFC 1812 §4.3.2.3: an error quotes as much as fits into 576 octets.
const LONGEST_ERROR: usize = 576;
const ERROR_HEADERS: usize = 28;

/// An ICMP error to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IcmpError {
    TimeExceeded,
    PortUnreachable,
    FragmentationNeeded { mtu: u16 },
}

/// The error about `packet`, from `router` to the packet's source.
pub(crate) fn icmp_error(router: Ipv4Addr, packet: &Packet<'_>, error: IcmpError) -> Vec<u8> {
    let kind = match error {
        IcmpError::TimeExceeded => Icmpv4Type::TimeExceeded(TimeExceededCode::TtlExceededInTransit),
        IcmpError::PortUnreachable => Icmpv4Type::DestinationUnreachable(DestUnreachableHeader::Port),
        IcmpError::FragmentationNeeded { mtu } => {
            Icmpv4Type::DestinationUnreachable(DestUnreachableHeader::FragmentationNeeded {
                next_hop_mtu: mtu,
            })
        }
    };
    let whole = packet.as_bytes();
    let quote = whole.get(..LONGEST_ERROR - ERROR_HEADERS).unwrap_or(whole);
    let builder = PacketBuilder::ipv4(router.octets(), packet.header().source.octets(), TTL).icmpv4(kind);
    written(|out| builder.write(out, quote).is_ok())
}

/// The reply to an echo request.
pub(crate) fn echo_reply(packet: &Packet<'_>) -> Option<Vec<u8>> {
    let header = packet.header();
    let Transport::Echo { request: true, identifier } = header.transport else { return None };
    let message = packet.as_bytes().get(packet.transport_at()..)?;
    let (sequence, data) = (read_u16(message, 6), message.get(8..)?);
    // As long as the request, so it may have to leave in fragments.
    let ip = Ipv4Header {
        identification: header.identification,
        time_to_live: TTL,
        dont_fragment: header.dont_fragment,
        source: header.destination.octets(),
        destination: header.source.octets(),
        ..Ipv4Header::default()
    };
    let ip = IpHeaders::Ipv4(ip, Ipv4Extensions::default());
    let builder = PacketBuilder::ip(ip).icmpv4_echo_reply(identifier, sequence);
    Some(written(|out| builder.write(out, data).is_ok()))
}

/// The reset that refuses a segment (RFC 9293 §3.10.7.1); none refuses a reset, nor a part of a segment, whose length
/// nobody knows.
pub(crate) fn reset(packet: &Packet<'_>) -> Option<Vec<u8>> {
    let (header, tcp) = (packet.header(), packet.tcp()?);
    if tcp.flags.has(TcpFlags::RST) || header.fragment != Fragment::Whole {
        return None;
    }
    let builder = PacketBuilder::ipv4(header.destination.octets(), header.source.octets(), TTL);
    let segment = if tcp.flags.has(TcpFlags::ACK) {
        builder.tcp(tcp.destination, tcp.source, tcp.acknowledgement, 0).rst()
    } else {
        let control = u32::from(tcp.flags.has(TcpFlags::SYN)) + u32::from(tcp.flags.has(TcpFlags::FIN));
        let length = u32::try_from(packet.tcp_payload().len()).unwrap_or_default();
        let acknowledged = tcp.sequence.wrapping_add(length).wrapping_add(control);
        builder.tcp(tcp.destination, tcp.source, 0, 0).rst().ack(acknowledged)
    };
    Some(written(|out| segment.write(out, &[]).is_ok()))
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(LONGEST_ERROR);
    let complete = write(&mut out);
    debug_assert!(complete, "writing into memory cannot fail, and these packets are small");
    out
}
