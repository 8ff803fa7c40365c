//! Raw packets, built without the code that is judged by them.

use std::net::{Ipv4Addr, SocketAddrV4};

pub const LAN_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);
/// Of another LAN, whose addresses are shorter than that of the WAN.
pub const SHORT_LAN_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub const WAN_ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;
pub const URG: u8 = 0x20;

pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;

/// Whose side of the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Lan,
    Wan,
}

impl End {
    pub fn other(self) -> Self {
        match self {
            Self::Lan => Self::Wan,
            Self::Wan => Self::Lan,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Wan => "wan",
        }
    }
}

/// What left a router for one packet that came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    pub lan: Vec<Vec<u8>>,
    pub wan: Vec<Vec<u8>>,
}

impl Left {
    pub fn is_empty(&self) -> bool {
        self.lan.is_empty() && self.wan.is_empty()
    }

    pub fn at(&self, end: End) -> &[Vec<u8>] {
        match end {
            End::Lan => &self.lan,
            End::Wan => &self.wan,
        }
    }

    pub fn at_mut(&mut self, end: End) -> &mut Vec<Vec<u8>> {
        match end {
            End::Lan => &mut self.lan,
            End::Wan => &mut self.wan,
        }
    }
}

/// An IPv4 header to be written.
#[derive(Debug, Clone)]
pub struct Header {
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
    pub protocol: u8,
    pub ttl: u8,
    pub tos: u8,
    pub identification: u16,
    pub dont_fragment: bool,
    /// Whole words.
    pub options: Vec<u8>,
}

/// A packet, or a fragment of one where `offset` (in octets) or `more` say so.
pub fn ipv4(header: &Header, offset: usize, more: bool, payload: &[u8]) -> Vec<u8> {
    let words = 5 + header.options.len() / 4;
    let mut packet = vec![0x40 | byte(words), header.tos];
    packet.extend(short(words * 4 + payload.len()).to_be_bytes());
    packet.extend(header.identification.to_be_bytes());
    let flags = u16::from(header.dont_fragment) << 14 | u16::from(more) << 13;
    packet.extend((flags | short(offset / 8)).to_be_bytes());
    packet.extend([header.ttl, header.protocol, 0, 0]);
    packet.extend(header.source.octets());
    packet.extend(header.destination.octets());
    packet.extend(&header.options);
    set_header_checksum(&mut packet);
    packet.extend(payload);
    packet
}

/// A TCP segment: its header with these options (whole words), and what it carries.
pub struct Segment<'a> {
    pub sequence: u32,
    pub acknowledgement: u32,
    pub flags: u8,
    pub window: u16,
    pub urgent: u16,
    pub options: &'a [u8],
    pub payload: &'a [u8],
}

pub fn tcp(source: SocketAddrV4, destination: SocketAddrV4, segment: &Segment<'_>) -> Vec<u8> {
    let words = 5 + segment.options.len() / 4;
    let mut bytes = ports(source, destination);
    bytes.extend(segment.sequence.to_be_bytes());
    bytes.extend(segment.acknowledgement.to_be_bytes());
    bytes.extend([byte(words) << 4, segment.flags]);
    bytes.extend(segment.window.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(segment.urgent.to_be_bytes());
    bytes.extend(segment.options);
    bytes.extend(segment.payload);
    let checksum = transport_checksum(source, destination, TCP, &bytes);
    bytes[16..18].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// A datagram; without a checksum where none is wanted (RFC 768).
pub fn udp(source: SocketAddrV4, destination: SocketAddrV4, with_checksum: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = ports(source, destination);
    bytes.extend(short(8 + payload.len()).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    if with_checksum {
        let checksum = match transport_checksum(source, destination, UDP, &bytes) {
            0 => 0xffff,
            sum => sum,
        };
        bytes[6..8].copy_from_slice(&checksum.to_be_bytes());
    }
    bytes
}

pub fn icmp(kind: u8, code: u8, rest: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, code, 0, 0];
    bytes.extend(rest.to_be_bytes());
    bytes.extend(payload);
    let checksum = !sum(0, &bytes);
    bytes[2..4].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// Writes the right checksum over whatever stands there.
pub fn set_header_checksum(packet: &mut [u8]) {
    let length = header_length(packet);
    packet[10..12].fill(0);
    let checksum = !sum(0, &packet[..length]);
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
}

/// Whether a header's checksum is right.
pub fn header_is_whole(packet: &[u8]) -> bool {
    packet.len() >= 20
        && packet.len() >= header_length(packet)
        && sum(0, &packet[..header_length(packet)]) == 0xffff
}

/// What a packet's first bytes say, of a whole packet or a first fragment.
#[derive(Debug, Clone, Copy)]
pub struct Read<'a> {
    pub protocol: u8,
    pub source: SocketAddrV4,
    pub destination: SocketAddrV4,
    /// Sequence number, flags and payload of TCP.
    pub tcp: Option<(u32, u8, &'a [u8])>,
}

pub fn read(packet: &[u8]) -> Option<Read<'_>> {
    let first = packet.get(..20)?;
    if first[0] >> 4 != 4 || u16::from_be_bytes([first[6], first[7]]) & 0x1fff != 0 {
        return None;
    }
    let transport = packet.get(header_length(packet)..)?;
    let word = |at: usize| Some(u16::from_be_bytes([*transport.get(at)?, *transport.get(at + 1)?]));
    let protocol = first[9];
    let (from, to) = match protocol {
        TCP | UDP => (word(0)?, word(2)?),
        ICMP if matches!(transport.first(), Some(0 | 8 | 13..=18)) => (word(4)?, word(4)?),
        _ => (0, 0),
    };
    let address = |at: usize| Ipv4Addr::new(first[at], first[at + 1], first[at + 2], first[at + 3]);
    let tcp = || {
        let sequence = u32::from(word(4)?) << 16 | u32::from(word(6)?);
        let payload = transport.get(usize::from(transport.get(12)? >> 4) * 4..)?;
        Some((sequence, *transport.get(13)?, payload))
    };
    Some(Read {
        protocol,
        source: SocketAddrV4::new(address(12), from),
        destination: SocketAddrV4::new(address(16), to),
        tcp: if protocol == TCP { tcp() } else { None },
    })
}

fn header_length(packet: &[u8]) -> usize {
    usize::from(packet[0] & 0x0f) * 4
}

fn ports(source: SocketAddrV4, destination: SocketAddrV4) -> Vec<u8> {
    [source.port().to_be_bytes(), destination.port().to_be_bytes()].concat()
}

fn transport_checksum(source: SocketAddrV4, destination: SocketAddrV4, protocol: u8, bytes: &[u8]) -> u16 {
    let addresses = [source.ip().octets(), destination.ip().octets()].concat();
    let pseudo = sum(sum(0, &addresses), &[0, protocol]);
    !sum(sum(pseudo, &short(bytes.len()).to_be_bytes()), bytes)
}

/// RFC 1071's sum of 16-bit words in one's complement, going on from `start`.
fn sum(start: u16, bytes: &[u8]) -> u16 {
    let words =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let mut total = u64::from(start) + words.map(u64::from).sum::<u64>();
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    u16::try_from(total).expect("folded")
}

fn byte(number: usize) -> u8 {
    u8::try_from(number).expect("a header's length in words")
}

fn short(number: usize) -> u16 {
    u16::try_from(number).expect("no longer than an IPv4 packet")
}
