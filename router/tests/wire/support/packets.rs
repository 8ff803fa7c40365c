//! Packets as hosts send them.

use std::net::{Ipv4Addr, SocketAddrV4};

use etherparse::{IpNumber, Ipv4Header, TcpHeader, UdpHeader};
use smoltcp::wire::checksum::data as sum;

/// What hosts have in their packets' time to live.
const TTL: u8 = 64;

/// An endpoint, or an address alone with port 0.
pub(crate) fn at(text: &str) -> SocketAddrV4 {
    let alone = || text.parse::<Ipv4Addr>().map(|address| SocketAddrV4::new(address, 0));
    text.parse().or_else(|_| alone()).unwrap()
}

fn ip(source: SocketAddrV4, destination: SocketAddrV4, protocol: IpNumber, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let (source, destination) = (source.ip().octets(), destination.ip().octets());
    let mut header = Ipv4Header::new(length, TTL, protocol, source, destination).unwrap();
    header.dont_fragment = false;
    header.header_checksum = header.calc_header_checksum();
    let mut packet = Vec::new();
    header.write(&mut packet).unwrap();
    packet.extend_from_slice(content);
    packet
}

/// A TCP segment to be.
#[derive(Debug, Clone)]
pub(crate) struct Tcp {
    source: SocketAddrV4,
    destination: SocketAddrV4,
    header: TcpHeader,
    payload: Vec<u8>,
}

/// A segment without flags.
pub(crate) fn tcp(source: &str, destination: &str) -> Tcp {
    Tcp::between(at(source), at(destination))
}

impl Tcp {
    pub(crate) fn between(source: SocketAddrV4, destination: SocketAddrV4) -> Self {
        let header = TcpHeader::new(source.port(), destination.port(), 0, 8192);
        Self { source, destination, header, payload: Vec::new() }
    }

    pub(crate) fn seq(mut self, sequence: u32) -> Self {
        self.header.sequence_number = sequence;
        self
    }

    pub(crate) fn ack(mut self, acknowledgement: u32) -> Self {
        self.header.ack = true;
        self.header.acknowledgment_number = acknowledgement;
        self
    }

    pub(crate) fn syn(mut self) -> Self {
        self.header.syn = true;
        self
    }

    pub(crate) fn fin(mut self) -> Self {
        self.header.fin = true;
        self
    }

    pub(crate) fn rst(mut self) -> Self {
        self.header.rst = true;
        self
    }

    pub(crate) fn urgent(mut self, pointer: u16) -> Self {
        self.header.urg = true;
        self.header.urgent_pointer = pointer;
        self
    }

    /// Selective acknowledgements, behind two no-operations as is custom.
    pub(crate) fn sack(self, blocks: &[(u32, u32)]) -> Self {
        let mut option = vec![1, 1, 5, u8::try_from(2 + 8 * blocks.len()).unwrap()];
        for (left, right) in blocks {
            option.extend_from_slice(&left.to_be_bytes());
            option.extend_from_slice(&right.to_be_bytes());
        }
        self.options(&option)
    }

    pub(crate) fn options(mut self, options: &[u8]) -> Self {
        self.header.set_options_raw(options).unwrap();
        self
    }

    pub(crate) fn data(mut self, payload: impl AsRef<[u8]>) -> Self {
        self.header.psh = true;
        self.payload = payload.as_ref().to_vec();
        self
    }

    pub(crate) fn packet(mut self) -> Vec<u8> {
        let (source, destination) = (self.source.ip().octets(), self.destination.ip().octets());
        self.header.checksum =
            self.header.calc_checksum_ipv4_raw(source, destination, &self.payload).unwrap();
        let mut content = self.header.to_bytes().to_vec();
        content.extend_from_slice(&self.payload);
        ip(self.source, self.destination, IpNumber::TCP, &content)
    }
}

pub(crate) fn udp(source: &str, destination: &str, payload: &[u8]) -> Vec<u8> {
    let (source, destination) = (at(source), at(destination));
    let mut header =
        UdpHeader::without_ipv4_checksum(source.port(), destination.port(), payload.len()).unwrap();
    header.checksum =
        header.calc_checksum_ipv4_raw(source.ip().octets(), destination.ip().octets(), payload).unwrap();
    let content = [&header.to_bytes()[..], payload].concat();
    ip(source, destination, IpNumber::UDP, &content)
}

/// A packet of a protocol without ports.
pub(crate) fn packet(protocol: u8, source: &str, destination: &str, content: &[u8]) -> Vec<u8> {
    ip(at(source), at(destination), IpNumber(protocol), content)
}

/// RFC 6886 §3.3.
pub(crate) fn nat_pmp_request(tcp: bool, internal: u16, suggested: u16, lifetime: u32) -> Vec<u8> {
    let head = [0, if tcp { 2 } else { 1 }, 0, 0];
    [&head[..], &internal.to_be_bytes(), &suggested.to_be_bytes(), &lifetime.to_be_bytes()].concat()
}

/// An echo request, or the reply to one, whose identifier is the sender's port.
pub(crate) fn echo(request: bool, source: &str, destination: &str, identifier: u16) -> Vec<u8> {
    let [high, low] = identifier.to_be_bytes();
    let message = [&[if request { 8 } else { 0 }, 0, 0, 0, high, low, 0, 1][..], b"are you there?"].concat();
    ip(at(source), at(destination), IpNumber::ICMP, &with_icmp_checksum(message))
}

/// An ICMP error of type and code, with the four octets after the checksum, that quotes `quote`.
pub(crate) fn icmp_error(source: &str, destination: &str, kind: [u8; 2], quote: &[u8]) -> Vec<u8> {
    let message = [&kind[..], &[0; 6], quote].concat();
    ip(at(source), at(destination), IpNumber::ICMP, &with_icmp_checksum(message))
}

fn with_icmp_checksum(mut message: Vec<u8>) -> Vec<u8> {
    let checksum = !sum(&message);
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// The packet with another time to live.
pub(crate) fn with_ttl(ttl: u8, mut packet: Vec<u8>) -> Vec<u8> {
    packet[8] = ttl;
    with_ip_checksum(packet)
}

/// The packet, edited, with its IPv4 checksum put right.
pub(crate) fn with_ip_checksum(mut packet: Vec<u8>) -> Vec<u8> {
    let header_length = usize::from(packet[0] & 0x0f) * 4;
    packet[10..12].fill(0);
    let checksum = !sum(&packet[..header_length]);
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    packet
}

/// The packet under another identification, cut into fragments of `size` content octets.
pub(crate) fn fragmented(packet: &[u8], identification: u16, size: usize) -> Vec<Vec<u8>> {
    assert_eq!(size % 8, 0, "fragment offsets count eights");
    let (header, content) = packet.split_at(20);
    let last = content.len().div_ceil(size) - 1;
    let cut = |(index, part): (usize, &[u8])| {
        let mut fragment = [header, part].concat();
        let offset = u16::try_from(index * size / 8).unwrap();
        let flags = if index < last { 0x2000 } else { 0 };
        fragment[2..4].copy_from_slice(&u16::try_from(20 + part.len()).unwrap().to_be_bytes());
        fragment[4..6].copy_from_slice(&identification.to_be_bytes());
        fragment[6..8].copy_from_slice(&(flags | offset).to_be_bytes());
        with_ip_checksum(fragment)
    };
    content.chunks(size).enumerate().map(cut).collect()
}

/// The whole packet that fragments, in any order, make up.
pub(crate) fn reassembled<'a>(fragments: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let word = |packet: &[u8], at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
    let mut fragments: Vec<&[u8]> = fragments.into_iter().collect();
    fragments.sort_by_key(|fragment| word(fragment, 6) & 0x1fff);
    let mut whole = fragments[0][..20].to_vec();
    for (index, fragment) in fragments.iter().enumerate() {
        assert_eq!(word(fragment, 4), word(fragments[0], 4), "fragments of one packet");
        assert_eq!(fragment[12..20], fragments[0][12..20], "fragments between the same hosts");
        assert_eq!(usize::from(word(fragment, 6) & 0x1fff) * 8, whole.len() - 20, "no hole and no overlap");
        assert_eq!(
            word(fragment, 6) & 0x2000 == 0,
            index + 1 == fragments.len(),
            "only the last is the last"
        );
        whole.extend_from_slice(&fragment[20..]);
    }
    let length = u16::try_from(whole.len()).unwrap();
    whole[2..4].copy_from_slice(&length.to_be_bytes());
    whole[6..8].fill(0);
    with_ip_checksum(whole)
}
