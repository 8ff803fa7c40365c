//! An IPv4 packet whose layout and checksums have been checked, and the in-place edits a translator makes.
//!
//! [`Packet::parse`] is the only way in: after it the offsets hold. Every edit keeps the checksums true.

mod build;
pub(crate) mod bytes;
pub mod checksum;
mod edit;
mod fragment;
mod gre;
mod options;
mod parse;
mod quote;
mod renumber;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

use bytes::{read_u16, read_u32};
use serde::{Serialize, Serializer};

use crate::profile::IcmpQuery;

pub use build::IcmpError;
pub(crate) use build::{
    acknowledgement, datagram, echo_reply, insert_option, reset, reset_between, set_header,
};
pub(crate) use edit::End;
pub use fragment::fragments;
pub(crate) use fragment::{pieces, sizes as fragment_sizes};
pub(crate) use gre::Gre;
pub use parse::Malformed;
pub(crate) use quote::Quote;
pub(crate) use renumber::{Heed, Unreadable};

/// The protocols that are translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Protocol {
    /// Queries: an echo's identifier stands where the others have a port.
    Icmp = 1,
    /// RFC 9293.
    Tcp = 6,
    /// RFC 768.
    Udp = 17,
    /// Another one, by its number: it has no ports, but for GRE's call IDs where those count.
    Other(u8) = 255,
}

impl Protocol {
    /// GRE's number.
    pub const GRE: u8 = 47;
    const ESP: u8 = 50;
    const AH: u8 = 51;

    /// Its number in the IPv4 header.
    #[inline]
    pub const fn number(self) -> u8 {
        match self {
            Self::Icmp => 1,
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Other(number) => number,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Other(Self::GRE) => "gre",
            Self::Other(Self::ESP) => "esp",
            Self::Other(Self::AH) => "ah",
            Self::Other(number) => return write!(out, "protocol-{number}"),
        })
    }
}

/// As it is displayed.
impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A checked IPv4 packet in its buffer.
///
/// What its headers say is read from the buffer when it is asked for: a copy of them would be written only to be
/// read once or never, and would have to follow each edit.
#[derive(Debug)]
pub struct Packet<'a> {
    bytes: &'a mut Vec<u8>,
    layout: Layout,
    /// Where it was put together of fragments the largest of which may not be cut farther, how long that one is.
    uncuttable: u16,
}

/// What checking a packet found out about where things stand in it.
#[derive(Debug, Clone, Copy)]
struct Layout {
    fragment: Fragment,
    transport: Kind,
    /// Where the transport header begins.
    transport_at: u8,
    /// Where TCP's payload begins; with the longest headers, at 120.
    payload_at: u8,
}

/// What is in the transport header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tcp,
    Udp,
    Echo,
    /// Another query.
    Query,
    IcmpError,
    IcmpOther,
    Other,
    /// A later fragment, or a first one that ends within the header.
    None,
}

/// What the router reads of a packet's headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The source address.
    pub source: Ipv4Addr,
    /// The destination address.
    pub destination: Ipv4Addr,
    /// The protocol number.
    pub protocol: u8,
    /// The time to live.
    pub ttl: u8,
    /// The identification, which fragments of one packet share.
    pub identification: u16,
    /// Don't fragment.
    pub dont_fragment: bool,
    /// Whether it is a whole packet or a part of one.
    pub fragment: Fragment,
    /// The transport header.
    pub transport: Transport,
}

/// Whether a packet is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fragment {
    /// It is.
    Whole,
    /// Its beginning, with the transport header.
    First,
    /// A part without the transport header.
    Later,
}

/// What the router reads of the transport header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp(TcpHeader),
    /// UDP.
    Udp {
        /// The source port.
        source: u16,
        /// The destination port.
        destination: u16,
    },
    /// ICMP echo request or reply.
    Echo {
        /// Whether it is a request.
        request: bool,
        /// The identifier.
        identifier: u16,
    },
    /// An ICMP error that quotes a packet: destination unreachable, source quench, time exceeded, parameter problem.
    IcmpError,
    /// Another ICMP message.
    IcmpOther {
        /// The type.
        kind: u8,
    },
    /// Another protocol.
    Other,
    /// None: a later fragment, or a first one that ends within the header.
    None,
}

/// What the router reads of a TCP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpHeader {
    /// The source port.
    pub source: u16,
    /// The destination port.
    pub destination: u16,
    /// The sequence number.
    pub sequence: u32,
    /// The acknowledgement number; meaningless without [`TcpFlags::ACK`].
    pub acknowledgement: u32,
    /// The flags.
    pub flags: TcpFlags,
    /// Where the payload begins, from the start of the packet.
    pub(crate) payload_at: usize,
}

/// TCP's flag octet (RFC 9293 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// The acknowledgement number holds.
    pub const ACK: u8 = 0x10;
    /// The urgent pointer holds.
    pub const URG: u8 = 0x20;

    /// Whether all of `flags` are set.
    pub const fn has(self, flags: u8) -> bool {
        self.0 & flags == flags
    }
}

impl Packet<'_> {
    /// The headers as they stand now.
    pub fn header(&self) -> Header {
        Header {
            source: self.source(),
            destination: self.destination(),
            protocol: self.bytes.get(9).copied().unwrap_or_default(),
            ttl: self.ttl(),
            identification: read_u16(self.bytes, 4),
            dont_fragment: self.dont_fragment(),
            fragment: self.fragment(),
            transport: self.transport(),
        }
    }

    /// The source address.
    #[inline]
    pub fn source(&self) -> Ipv4Addr {
        read_u32(self.bytes, 12).into()
    }

    /// The destination address.
    #[inline]
    pub fn destination(&self) -> Ipv4Addr {
        read_u32(self.bytes, 16).into()
    }

    /// The time to live.
    #[inline]
    pub fn ttl(&self) -> u8 {
        self.bytes.get(8).copied().unwrap_or_default()
    }

    /// Don't fragment.
    #[inline]
    pub fn dont_fragment(&self) -> bool {
        const DONT_FRAGMENT: u16 = 0x4000;
        read_u16(self.bytes, 6) & DONT_FRAGMENT != 0
    }

    /// Whether it is too large for a link and may not be cut.
    #[inline]
    pub(crate) fn exceeds(&self, mtu: usize) -> bool {
        self.as_bytes().len() > mtu && (self.dont_fragment() || usize::from(self.uncuttable) > mtu)
    }

    /// Whether it is a whole packet or a part of one.
    #[inline]
    pub fn fragment(&self) -> Fragment {
        self.layout.fragment
    }

    /// Whether it has no transport header that can be read.
    pub(crate) fn is_headless(&self) -> bool {
        self.layout.transport == Kind::None
    }

    /// Whether an ICMP error may be sent about it: it is the beginning of a packet, and no ICMP error or redirect
    /// itself (RFC 1122 §3.2.2), nor of a type that may be an error.
    pub fn may_be_answered_with_an_error(&self) -> bool {
        let is_error = matches!(
            self.transport(),
            Transport::IcmpError | Transport::IcmpOther { kind: 3 | 4 | 5 | 11 | 12 | FIRST_UNKNOWN_ICMP.. }
        );
        self.fragment() != Fragment::Later && !is_error
    }

    /// The transport header.
    pub fn transport(&self) -> Transport {
        let at = self.transport_at();
        match self.layout.transport {
            Kind::Tcp => self.tcp().map_or(Transport::Other, Transport::Tcp),
            Kind::Udp => Transport::Udp { source: self.word(0), destination: self.word(2) },
            Kind::Echo => Transport::Echo {
                request: self.bytes.get(at).copied() == Some(ECHO_REQUEST),
                identifier: self.word(4),
            },
            Kind::IcmpError => Transport::IcmpError,
            Kind::Query | Kind::IcmpOther => {
                Transport::IcmpOther { kind: self.bytes.get(at).copied().unwrap_or_default() }
            }
            Kind::Other => Transport::Other,
            Kind::None => Transport::None,
        }
    }

    /// The ICMP query besides echo that it is, or replies to.
    pub(crate) fn query(&self) -> Option<Query> {
        if self.layout.transport != Kind::Query {
            return None;
        }
        Query::read(self.bytes.get(self.transport_at()..)?)
    }

    /// Where the transport header begins.
    #[inline]
    pub(crate) fn transport_at(&self) -> usize {
        usize::from(self.layout.transport_at)
    }

    /// A word of the transport header.
    #[inline]
    fn word(&self, offset: usize) -> u16 {
        read_u16(self.bytes, self.transport_at() + offset)
    }

    /// The whole packet.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
    }

    /// The TCP header, where it has one.
    #[inline]
    pub fn tcp(&self) -> Option<TcpHeader> {
        let at = self.transport_at();
        (self.layout.transport == Kind::Tcp).then(|| TcpHeader {
            source: self.word(0),
            destination: self.word(2),
            sequence: read_u32(self.bytes, at + 4),
            acknowledgement: read_u32(self.bytes, at + 8),
            flags: TcpFlags(self.bytes.get(at + 13).copied().unwrap_or_default()),
            payload_at: usize::from(self.layout.payload_at),
        })
    }

    /// The window of a TCP header; 0 for anything else.
    pub(crate) fn tcp_window(&self) -> u16 {
        if self.layout.transport == Kind::Tcp { self.word(14) } else { 0 }
    }

    /// The window that a TCP segment offers, as it stands there.
    pub(crate) fn window(&self) -> u16 {
        if self.layout.transport == Kind::Tcp { self.word(14) } else { 0 }
    }

    /// The TCP payload; empty for anything else.
    #[inline]
    pub fn tcp_payload(&self) -> &[u8] {
        match self.layout.transport {
            Kind::Tcp => bytes::from(self.bytes, usize::from(self.layout.payload_at)),
            _ => &[],
        }
    }

    /// All that is behind the IPv4 header.
    pub(crate) fn content(&self) -> &[u8] {
        bytes::from(self.bytes, self.transport_at())
    }

    /// The UDP payload; empty for anything else.
    pub(crate) fn udp_payload(&self) -> &[u8] {
        const UDP_HEADER: usize = 8;
        match self.layout.transport {
            Kind::Udp => bytes::from(self.bytes, self.transport_at() + UDP_HEADER),
            _ => &[],
        }
    }

    /// The translated protocol and the two endpoints, where it has them: TCP, UDP and echo. An echo's identifier
    /// stands in the place of both ports.
    #[inline]
    pub fn session(&self) -> Option<(Protocol, SocketAddrV4, SocketAddrV4)> {
        let (protocol, source_at, destination_at) = match self.layout.transport {
            Kind::Tcp => (Protocol::Tcp, 0, 2),
            Kind::Udp => (Protocol::Udp, 0, 2),
            Kind::Echo => (Protocol::Icmp, 4, 4),
            _ => return None,
        };
        Some((
            protocol,
            SocketAddrV4::new(self.source(), self.word(source_at)),
            SocketAddrV4::new(self.destination(), self.word(destination_at)),
        ))
    }
}

/// An ICMP query besides echo, or the reply to one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query {
    pub(crate) kind: IcmpQuery,
    pub(crate) is_request: bool,
    code: u8,
    pub(crate) identifier: u16,
}

impl Query {
    /// The query that an ICMP message is.
    fn read(message: &[u8]) -> Option<Self> {
        let (kind, is_request) = match message.first()? {
            13 => (IcmpQuery::Timestamp, true),
            14 => (IcmpQuery::Timestamp, false),
            15 => (IcmpQuery::Information, true),
            16 => (IcmpQuery::Information, false),
            17 => (IcmpQuery::AddressMask, true),
            18 => (IcmpQuery::AddressMask, false),
            _ => return None,
        };
        Some(Self { kind, is_request, code: *message.get(1)?, identifier: bytes::read_u16(message, 4) })
    }

    /// What stands in place of the other end's port: the query's kind, where an echo has 0.
    pub(crate) fn far_port(self) -> u16 {
        let kind = match self.kind {
            IcmpQuery::Timestamp => 1,
            IcmpQuery::Information => 2,
            IcmpQuery::AddressMask => 3,
        };
        kind << 8 | u16::from(self.code)
    }
}

/// The first of ICMP's types that RFC 792, RFC 950 and RFC 1256 do not define: any of them may be an error.
const FIRST_UNKNOWN_ICMP: u8 = 19;
/// ICMP's type of an echo request (RFC 792).
const ECHO_REQUEST: u8 = 8;

#[cfg(test)]
mod tests;
