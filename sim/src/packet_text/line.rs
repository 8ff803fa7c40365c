//! A line as a value: what it says of a packet, whether to make it, to show it or to expect it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::key::Key;

/// A whole line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// An IPv4 packet, field by field.
    Packet(Line),
    /// `hex "…"`.
    Raw(Vec<u8>),
}

/// The fields of an IPv4 packet. A key that is not there is left out: filled in when a packet is made, not looked at
/// when one is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) protocol: Protocol,
    pub(super) source: Endpoint,
    pub(super) destination: Endpoint,
    pub(super) values: BTreeMap<Key, Value>,
    /// In the order in which they stand in the header.
    pub(super) options: Vec<TcpOption>,
    pub(super) body: Body,
}

/// The word a line begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Tcp,
    Udp,
    Icmp,
    /// Any other, and whatever has no header of its own that could be shown.
    Ip,
}

/// `None` stands for `*`, in a pattern; a packet of a protocol without ports has no port either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Endpoint {
    pub(super) address: Option<Ipv4Addr>,
    pub(super) port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Number(u32),
    Address(Ipv4Addr),
    Hex(Vec<u8>),
    Set(bool),
    /// The offset in octets.
    Fragment {
        offset: u16,
        more: bool,
    },
    /// Not exact: others may be set too.
    Flags {
        bits: u16,
        exact: bool,
    },
    Kind {
        kind: u8,
        code: Option<u8>,
    },
    /// A checksum that is wrong.
    Bad,
    /// A checksum that is right.
    Right,
    /// `*`, in a pattern.
    Any,
}

/// A TCP option; without its value it is `*`, in a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TcpOption {
    Nop,
    MaximumSegmentSize(Option<u16>),
    WindowScale(Option<u8>),
    SackPermitted,
    /// One block to four; none for `*`.
    Sack(Vec<(u32, u32)>),
    Timestamps(Option<(u32, u32)>),
}

/// What comes after the headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Bytes(Vec<u8>),
    /// That many octets; in a packet they count from 0 and begin again after 255.
    Length(usize),
    /// In a pattern: the pieces between the stars.
    Glob(Vec<Vec<u8>>),
    Quote(Box<Line>),
}

impl Protocol {
    pub(super) const ALL: [Self; 4] = [Self::Tcp, Self::Udp, Self::Icmp, Self::Ip];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Ip => "ip",
        }
    }

    pub(super) const fn has_ports(self) -> bool {
        matches!(self, Self::Tcp | Self::Udp)
    }

    /// The header's protocol number; `Ip` has none of its own.
    pub(super) const fn number(self) -> Option<u8> {
        match self {
            Self::Tcp => Some(6),
            Self::Udp => Some(17),
            Self::Icmp => Some(1),
            Self::Ip => None,
        }
    }
}

impl Line {
    pub(super) fn number(&self, key: Key) -> Option<u32> {
        match self.values.get(&key) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// For a key whose values fit into 16 bits.
    pub(super) fn short(&self, key: Key) -> Option<u16> {
        self.number(key).and_then(|number| u16::try_from(number).ok())
    }

    /// For a key whose values fit into eight bits.
    pub(super) fn octet(&self, key: Key) -> Option<u8> {
        self.number(key).and_then(|number| u8::try_from(number).ok())
    }

    pub(super) fn hex(&self, key: Key) -> &[u8] {
        match self.values.get(&key) {
            Some(Value::Hex(bytes)) => bytes,
            _ => &[],
        }
    }

    /// The ICMP type, and its code where it is stated.
    pub(super) fn kind(&self) -> Option<(u8, Option<u8>)> {
        match self.values.get(&Key::Kind) {
            Some(Value::Kind { kind, code }) => Some((*kind, *code)),
            _ => None,
        }
    }
}

/// The payload that `length=` stands for.
pub(super) fn filler(length: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(length).collect()
}
