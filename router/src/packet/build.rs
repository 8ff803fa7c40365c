//! Packets the router makes itself.

use std::net::{Ipv4Addr, SocketAddrV4};

use etherparse::icmpv4::{DestUnreachableHeader, TimeExceededCode};
use etherparse::{Icmpv4Type, IpHeaders, Ipv4Extensions, Ipv4Header, PacketBuilder, TcpOptionElement};

use super::bytes::{read_u16, write_u16};
use super::checksum::{self, Difference};
use super::{Fragment, Packet, TcpFlags, Transport};

/// RFC 1122 §3.2.1.7 recommends 64.
const TTL: u8 = 64;
/// RFC 1812 §4.3.2.3: an error quotes as much as fits into 576 octets.
const LONGEST_ERROR: usize = 576;
const ERROR_HEADERS: usize = 28;

/// An ICMP error to send (RFC 792; the codes' names as in RFC 1812 §5.2.7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IcmpError {
    /// Time exceeded in transit.
    TimeExceeded,
    /// Network unreachable.
    NetUnreachable,
    /// Host unreachable.
    HostUnreachable,
    /// Protocol unreachable.
    ProtocolUnreachable,
    /// Port unreachable.
    PortUnreachable,
    /// Communication administratively prohibited.
    Prohibited,
    /// Fragmentation needed and DF set.
    FragmentationNeeded {
        /// The next hop's MTU (RFC 1191 §4).
        mtu: u16,
    },
}

impl IcmpError {
    /// The error about `packet`, from `router` to the packet's source. Ask
    /// [`Packet::may_be_answered_with_an_error`] before.
    pub fn about(self, packet: &Packet<'_>, router: Ipv4Addr) -> Vec<u8> {
        self.quoting(packet.as_bytes(), packet, router, 0)
    }

    /// The error about `packet` that quotes `whole`, with so many octets left for options.
    pub(crate) fn quoting(
        self,
        whole: &[u8],
        packet: &Packet<'_>,
        router: Ipv4Addr,
        options: usize,
    ) -> Vec<u8> {
        let room = (LONGEST_ERROR - ERROR_HEADERS).saturating_sub(options);
        let mut quote = whole.get(..room).unwrap_or(whole).to_vec();
        if packet.uncuttable > 0 {
            set_dont_fragment(&mut quote);
        }
        let (from, to) = (router.octets(), packet.header().source.octets());
        let builder = PacketBuilder::ipv4(from, to, TTL).icmpv4(self.kind());
        written(|out| builder.write(out, &quote).is_ok())
    }

    fn kind(self) -> Icmpv4Type {
        Icmpv4Type::DestinationUnreachable(match self {
            Self::TimeExceeded => return Icmpv4Type::TimeExceeded(TimeExceededCode::TtlExceededInTransit),
            Self::NetUnreachable => DestUnreachableHeader::Network,
            Self::HostUnreachable => DestUnreachableHeader::Host,
            Self::ProtocolUnreachable => DestUnreachableHeader::Protocol,
            Self::PortUnreachable => DestUnreachableHeader::Port,
            Self::Prohibited => DestUnreachableHeader::FilterProhibited,
            Self::FragmentationNeeded { mtu } => {
                DestUnreachableHeader::FragmentationNeeded { next_hop_mtu: mtu }
            }
        })
    }
}

/// A datagram of the router's own.
pub(crate) fn datagram(source: SocketAddrV4, destination: SocketAddrV4, payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ipv4(source.ip().octets(), destination.ip().octets(), TTL)
        .udp(source.port(), destination.port());
    written(|out| builder.write(out, payload).is_ok())
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

/// In a quoted header.
fn set_dont_fragment(quote: &mut [u8]) {
    const DONT_FRAGMENT: u16 = 0x4000;
    let (flags, sum) = (read_u16(quote, 6), read_u16(quote, 10));
    write_u16(quote, 6, flags | DONT_FRAGMENT);
    let change = Difference::default().word(flags, flags | DONT_FRAGMENT);
    write_u16(quote, 10, change.apply(sum));
}

/// Puts an IP option into a packet that has none.
pub(crate) fn insert_option(bytes: &mut Vec<u8>, option: &[u8]) {
    const HEADER: usize = 20;
    let padded = option.len().next_multiple_of(4);
    let padding = std::iter::repeat_n(0, padded - option.len());
    bytes.splice(HEADER..HEADER, option.iter().copied().chain(padding));
    if let (Some(first), Ok(words)) = (bytes.first_mut(), u8::try_from((HEADER + padded) / 4)) {
        *first = *first & 0xf0 | words & 0x0f;
    }
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    write_u16(bytes, 2, length);
    write_u16(bytes, 10, 0);
    let sum = !checksum::sum(bytes.get(..HEADER + padded).unwrap_or_default());
    write_u16(bytes, 10, sum);
}

/// Gives a packet of the router's own its type of service, and takes "don't fragment" away where it may be cut.
pub(crate) fn set_header(bytes: &mut [u8], service: u8, may_be_cut: bool) {
    const DONT_FRAGMENT: u16 = 0x4000;
    const HEADER: usize = 20;
    let flags = read_u16(bytes, 6);
    if let Some(old) = bytes.get_mut(1) {
        *old = service;
    }
    write_u16(bytes, 6, if may_be_cut { flags & !DONT_FRAGMENT } else { flags });
    write_u16(bytes, 10, 0);
    let sum = !checksum::sum(bytes.get(..HEADER).unwrap_or_default());
    write_u16(bytes, 10, sum);
}

/// A reset whose `sequence` is the one that its receiver expects.
pub(crate) fn reset_between(source: SocketAddrV4, destination: SocketAddrV4, sequence: u32) -> Vec<u8> {
    let segment = PacketBuilder::ipv4(source.ip().octets(), destination.ip().octets(), TTL)
        .tcp(source.port(), destination.port(), sequence, 0)
        .rst();
    written(|out| segment.write(out, &[]).is_ok())
}

/// An acknowledgement to `segment`'s sender, in the name of the one it is to: its sequence number, and up to where.
pub(crate) fn acknowledgement(
    segment: &Packet<'_>,
    (sequence, acknowledged): (u32, u32),
    window: u16,
) -> Option<Vec<u8>> {
    let (header, tcp) = (segment.header(), segment.tcp()?);
    let builder = PacketBuilder::ipv4(header.destination.octets(), header.source.octets(), TTL)
        .tcp(tcp.destination, tcp.source, sequence, window)
        .ack(acknowledged);
    let builder = match segment.timestamps() {
        // RFC 7323 §3.2: on every segment, once agreed on. The echoed one is the last that its sender has seen.
        Some((own, echoed)) => {
            let options =
                [TcpOptionElement::Noop, TcpOptionElement::Noop, TcpOptionElement::Timestamp(echoed, own)];
            builder.options(&options).ok()?
        }
        None => builder,
    };
    Some(written(|out| builder.write(out, &[]).is_ok()))
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(LONGEST_ERROR);
    let complete = write(&mut out);
    debug_assert!(complete, "writing into memory cannot fail, and these packets are small");
    out
}
