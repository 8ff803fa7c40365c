//! The keys, the flags and the words of the notation, each in one table.

use super::line::Protocol;
use super::line::Protocol::{Icmp, Ip, Tcp, Udp};

/// What a line can state besides the protocol, the endpoints, TCP's options and the payload. In the order of the
/// canonical form, which is also the order in which the printer tries to leave them out: [`Rest`](Self::Rest) before
/// what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Proto,
    Flags,
    Kind,
    Rest,
    Id,
    Seq,
    Ack,
    Win,
    Urg,
    Mtu,
    Gateway,
    Pointer,
    TcpOptions,
    UdpLength,
    Checksum,
    Ttl,
    Tos,
    IpId,
    DontFragment,
    Fragment,
    IpOptions,
    TotalLength,
    IpChecksum,
    Cut,
}

/// What a key's value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Up to this, in decimal digits or as `0x…`.
    Number(u32),
    /// A number of 16 bits, `bad` or `ok`; UDP's can also be `none`.
    Checksum,
    /// `0x…`, whole words of four octets, at most forty octets.
    Options,
    /// `OFFSET` or `OFFSET+`.
    Fragment,
    Address,
    /// No value of its own behind a `=`.
    Word,
}

const ALL: &[Protocol] = &[Tcp, Udp, Icmp, Ip];
const OCTET: Shape = Shape::Number(0xff);
const SHORT: Shape = Shape::Number(0xffff);
const LONG: Shape = Shape::Number(u32::MAX);

const KEYS: &[(Key, &str, &[Protocol], Shape)] = &[
    (Key::Proto, "proto", &[Ip], OCTET),
    (Key::Flags, "flags", &[Tcp], Shape::Word),
    (Key::Kind, "type", &[Icmp], Shape::Word),
    (Key::Rest, "rest", &[Icmp], LONG),
    (Key::Id, "id", &[Icmp], SHORT),
    (Key::Seq, "seq", &[Tcp, Icmp], LONG),
    (Key::Ack, "ack", &[Tcp], LONG),
    (Key::Win, "win", &[Tcp], SHORT),
    (Key::Urg, "urg", &[Tcp], SHORT),
    (Key::Mtu, "mtu", &[Icmp], SHORT),
    (Key::Gateway, "gateway", &[Icmp], Shape::Address),
    (Key::Pointer, "pointer", &[Icmp], OCTET),
    (Key::TcpOptions, "tcp-options", &[Tcp], Shape::Options),
    (Key::UdpLength, "udp-length", &[Udp], SHORT),
    (Key::Checksum, "checksum", &[Tcp, Udp, Icmp], Shape::Checksum),
    (Key::Ttl, "ttl", ALL, OCTET),
    (Key::Tos, "tos", ALL, OCTET),
    (Key::IpId, "ip-id", ALL, SHORT),
    (Key::DontFragment, "df", ALL, Shape::Word),
    (Key::Fragment, "fragment", ALL, Shape::Fragment),
    (Key::IpOptions, "ip-options", ALL, Shape::Options),
    (Key::TotalLength, "total-length", ALL, SHORT),
    (Key::IpChecksum, "ip-checksum", ALL, Shape::Checksum),
    (Key::Cut, "cut", ALL, SHORT),
];

/// What is written as `KEY=VALUE` and is no [`Key`]: TCP's options, which may stand more than once.
pub(super) const OPTION_KEYS: [&str; 4] = ["mss", "wscale", "sack", "timestamps"];
/// TCP's options without a value.
pub(super) const OPTION_WORDS: [&str; 2] = ["sack-permitted", "nop"];
/// Words that stand alone in any line.
pub(super) const WORDS: [&str; 4] = ["df", "no-df", "hex", "quoting"];
/// Of the payload.
pub(super) const LENGTH: &str = "length";

impl Key {
    fn row(self) -> Option<&'static (Self, &'static str, &'static [Protocol], Shape)> {
        KEYS.iter().find(|(key, ..)| *key == self)
    }

    pub(super) fn name(self) -> &'static str {
        self.row().map_or("", |(_, name, ..)| name)
    }

    pub(super) fn belongs_to(self, protocol: Protocol) -> bool {
        self.row().is_some_and(|(_, _, protocols, _)| protocols.contains(&protocol))
    }

    /// The protocols whose lines may have it.
    pub(super) fn protocols(self) -> &'static [Protocol] {
        self.row().map_or(&[], |(_, _, protocols, _)| protocols)
    }

    /// An echo's `seq` has 16 bits where TCP's has 32.
    pub(super) fn shape(self, protocol: Protocol) -> Shape {
        match (self, protocol) {
            (Self::Seq, Icmp) => SHORT,
            _ => self.row().map_or(Shape::Word, |(_, _, _, shape)| *shape),
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        let found = KEYS.iter().find(|(_, known, _, shape)| *known == name && *shape != Shape::Word);
        found.map(|(key, ..)| *key)
    }

    /// The names that a line of `protocol` can have before a `=`.
    pub(super) fn names_for(protocol: Protocol) -> impl Iterator<Item = &'static str> {
        let with_values = KEYS.iter().filter(|(_, _, _, shape)| *shape != Shape::Word);
        with_values.filter(move |(key, ..)| key.belongs_to(protocol)).map(|(_, name, ..)| *name)
    }
}

/// TCP's flags (RFC 9293 §3.1; NS: RFC 3540), as the bits of the header's thirteenth and fourteenth octet.
pub(super) const FLAGS: [(u16, &str); 9] = [
    (0x001, "FIN"),
    (0x002, "SYN"),
    (0x004, "RST"),
    (0x008, "PSH"),
    (0x010, "ACK"),
    (0x020, "URG"),
    (0x040, "ECE"),
    (0x080, "CWR"),
    (0x100, "NS"),
];
/// For a segment without flags.
pub(super) const NO_FLAGS: &str = "none";
