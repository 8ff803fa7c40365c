//! Packets that probes send, and what they read of those that come.

use std::net::{Ipv4Addr, SocketAddrV4};

use etherparse::{IpHeaders, Ipv4Extensions, Ipv4Header, PacketBuilder, PacketBuilderStep, TcpHeader};
use quirknat_router::packet::{Fragment, IcmpError, Packet, TcpFlags, Transport, checksum};

const TTL: u8 = 64;
/// Room enough in a receiver for all that probes send.
const WINDOW: u16 = 65_000;

/// How a packet's IPv4 header differs from the usual.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Header {
    pub(super) dont_fragment: bool,
    pub(super) identification: u16,
}

fn ip(from: Ipv4Addr, to: Ipv4Addr, header: Header) -> PacketBuilderStep<IpHeaders> {
    let ip = Ipv4Header {
        identification: header.identification,
        dont_fragment: header.dont_fragment,
        time_to_live: TTL,
        source: from.octets(),
        destination: to.octets(),
        ..Ipv4Header::default()
    };
    PacketBuilder::ip(IpHeaders::Ipv4(ip, Ipv4Extensions::default()))
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    let complete = write(&mut out);
    debug_assert!(
        complete,
        "writing into memory cannot fail, and probes' packets are no longer than IPv4 allows"
    );
    out
}

/// A datagram.
pub(super) fn datagram(from: SocketAddrV4, to: SocketAddrV4, header: Header, payload: &[u8]) -> Vec<u8> {
    let builder = ip(*from.ip(), *to.ip(), header).udp(from.port(), to.port());
    written(|out| builder.write(out, payload).is_ok())
}

/// An echo request or reply; the identifier is the port of the end that asks.
pub(super) fn echo(request: bool, from: Ipv4Addr, to: Ipv4Addr, identifier: u16) -> Vec<u8> {
    let builder = ip(from, to, Header::default());
    let builder = if request {
        builder.icmpv4_echo_request(identifier, 1)
    } else {
        builder.icmpv4_echo_reply(identifier, 1)
    };
    written(|out| builder.write(out, b"quirknat").is_ok())
}

/// A segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) flags: u8,
    pub(super) sequence: u32,
    pub(super) acknowledgement: u32,
    pub(super) payload: &'a [u8],
    pub(super) header: Header,
}

impl<'a> Segment<'a> {
    pub(super) fn new(flags: u8, sequence: u32, acknowledgement: u32) -> Self {
        Self { flags, sequence, acknowledgement, payload: &[], header: Header::default() }
    }

    pub(super) fn with(self, payload: &'a [u8]) -> Self {
        Self { payload, ..self }
    }

    /// Between two endpoints.
    pub(super) fn between(&self, from: SocketAddrV4, to: SocketAddrV4) -> Vec<u8> {
        let has = |flag| self.flags & flag != 0;
        let mut tcp = TcpHeader::new(from.port(), to.port(), self.sequence, WINDOW);
        tcp.acknowledgment_number = self.acknowledgement;
        tcp.fin = has(TcpFlags::FIN);
        tcp.syn = has(TcpFlags::SYN);
        tcp.rst = has(TcpFlags::RST);
        tcp.psh = has(TcpFlags::PSH);
        tcp.ack = has(TcpFlags::ACK);
        let builder = ip(*from.ip(), *to.ip(), self.header).tcp_header(tcp);
        written(|out| builder.write(out, self.payload).is_ok())
    }
}

/// An ICMP error about `packet`, from `router` to whom the packet names as its source.
pub(super) fn error_about(error: IcmpError, packet: &[u8], router: Ipv4Addr) -> Option<Vec<u8>> {
    let mut packet = packet.to_vec();
    let packet = Packet::parse(&mut packet).ok()?;
    Some(error.about(&packet, router))
}

/// The same packet with an ICMP checksum that is not its own.
pub(super) fn with_wrong_icmp_checksum(mut packet: Vec<u8>) -> Vec<u8> {
    let at = header_length(&packet) + 2;
    if let Some(byte) = packet.get_mut(at) {
        *byte ^= 0x55;
    }
    packet
}

/// A packet as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) bytes: Vec<u8>,
    /// Where it comes from; an ICMP query's identifier stands for the port, other ICMP messages have port 0.
    pub(super) source: SocketAddrV4,
    /// Where it goes, likewise.
    pub(super) destination: SocketAddrV4,
    pub(super) what: What,
    pub(super) identification: u16,
    pub(super) fragment: Fragment,
}

/// What a packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Udp,
    Tcp {
        flags: TcpFlags,
        sequence: u32,
        acknowledgement: u32,
    },
    Echo {
        request: bool,
    },
    /// An ICMP error, by type and code.
    Error {
        kind: u8,
        code: u8,
    },
    Other,
    /// Lengths or checksums are wrong.
    Broken,
}

impl Seen {
    /// `None`: it is no IPv4.
    pub(super) fn read(mut bytes: Vec<u8>) -> Option<Self> {
        let Ok(packet) = Packet::parse(&mut bytes) else { return Self::broken(bytes) };
        let header = packet.header();
        let (what, ports) = match header.transport {
            Transport::Udp { source, destination } => (What::Udp, (source, destination)),
            Transport::Tcp(tcp) => {
                let what = What::Tcp {
                    flags: tcp.flags,
                    sequence: tcp.sequence,
                    acknowledgement: tcp.acknowledgement,
                };
                (what, (tcp.source, tcp.destination))
            }
            Transport::Echo { request, identifier } => (What::Echo { request }, (identifier, identifier)),
            Transport::IcmpError => {
                let at = header_length(packet.as_bytes());
                let octet = |at: usize| packet.as_bytes().get(at).copied().unwrap_or_default();
                (What::Error { kind: octet(at), code: octet(at + 1) }, (0, 0))
            }
            Transport::IcmpOther { .. } | Transport::Other | Transport::None => (What::Other, (0, 0)),
        };
        Some(Self {
            source: SocketAddrV4::new(header.source, ports.0),
            destination: SocketAddrV4::new(header.destination, ports.1),
            what,
            identification: header.identification,
            fragment: header.fragment,
            bytes,
        })
    }

    /// A packet whose lengths or checksums are wrong.
    fn broken(bytes: Vec<u8>) -> Option<Self> {
        let address = |at: usize| {
            let octets: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
            Some(SocketAddrV4::new(Ipv4Addr::from(octets), 0))
        };
        let (source, destination) = (address(12)?, address(16)?);
        let is_ipv4 = bytes.first().is_some_and(|first| first >> 4 == 4);
        is_ipv4.then_some(Self {
            source,
            destination,
            what: What::Broken,
            identification: 0,
            fragment: Fragment::Whole,
            bytes,
        })
    }

    /// The flags of a segment; none of anything else.
    pub(super) fn flags(&self) -> TcpFlags {
        match self.what {
            What::Tcp { flags, .. } => flags,
            _ => TcpFlags(0),
        }
    }

    /// What follows the transport header; of a later fragment, the IPv4 header.
    pub(super) fn payload(&self) -> &[u8] {
        let at = header_length(&self.bytes);
        let header = match self.what {
            What::Tcp { .. } => usize::from(self.bytes.get(at + 12).copied().unwrap_or_default() >> 4) * 4,
            What::Udp | What::Echo { .. } | What::Error { .. } => 8,
            What::Other | What::Broken => 0,
        };
        self.bytes.get(at + header..).unwrap_or_default()
    }

    /// Where a fragment's content stands in its packet's, in bytes.
    pub(super) fn fragment_offset(&self) -> usize {
        const OFFSET: u16 = 0x1fff;
        let octet = |at: usize| self.bytes.get(at).copied().unwrap_or_default();
        usize::from(u16::from_be_bytes([octet(6), octet(7)]) & OFFSET) * 8
    }

    /// The packet that an ICMP error quotes: its ends. Its checksum must hold, its transport's may be cut off.
    pub(super) fn quoted(&self) -> Option<Quoted> {
        let What::Error { .. } = self.what else { return None };
        let inner = self.payload();
        let length = header_length(inner);
        let header = inner.get(..length)?;
        let transport = inner.get(length..length + 8)?;
        let address = |at: usize| {
            let octets: [u8; 4] = header.get(at..at + 4)?.try_into().ok()?;
            Some(Ipv4Addr::from(octets))
        };
        let word = |at: usize| u16::from_be_bytes([transport[at], transport[at + 1]]);
        // An echo's identifier stands at both ends.
        let ports = if header.get(9) == Some(&1) { (word(4), word(4)) } else { (word(0), word(2)) };
        Some(Quoted {
            source: SocketAddrV4::new(address(12)?, ports.0),
            destination: SocketAddrV4::new(address(16)?, ports.1),
            is_whole: checksum::sum(header) == u16::MAX,
        })
    }
}

/// The ends of a packet that an ICMP error quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quoted {
    pub(super) source: SocketAddrV4,
    pub(super) destination: SocketAddrV4,
    /// Whether its header's checksum holds.
    pub(super) is_whole: bool,
}

fn header_length(bytes: &[u8]) -> usize {
    usize::from(bytes.first().copied().unwrap_or_default() & 0x0f) * 4
}

/// Puts a packet's fragments together: what follows the IPv4 header, if it is whole.
pub(super) fn together(fragments: &[Seen]) -> Option<Vec<u8>> {
    const MORE: u8 = 0x20;
    let mut parts: Vec<(usize, bool, &[u8])> = Vec::new();
    for seen in fragments {
        let flags = *seen.bytes.get(6)?;
        let content = seen.bytes.get(header_length(&seen.bytes)..)?;
        parts.push((seen.fragment_offset(), flags & MORE != 0, content));
    }
    parts.sort_unstable_by_key(|(offset, ..)| *offset);
    let mut whole = Vec::new();
    for (offset, _, content) in &parts {
        if *offset != whole.len() {
            return None;
        }
        whole.extend_from_slice(content);
    }
    parts.last().filter(|(_, more, _)| !more).map(|_| whole)
}
