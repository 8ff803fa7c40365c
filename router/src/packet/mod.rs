//! An IPv4 packet whose layout and checksums have been checked, and the in-place edits a translator makes.
//!
//! [`Packet::parse`] is the only way in: after it the offsets hold. Every edit keeps the checksums true.

mod build;
pub(crate) mod bytes;
pub mod checksum;
mod edit;
mod parse;
mod quote;

use std::net::{Ipv4Addr, SocketAddrV4};

use serde::Serialize;

pub(crate) use build::{IcmpError, echo_reply, icmp_error, reset};
pub(crate) use edit::End;
pub use parse::Malformed;
pub(crate) use quote::Quote;

/// The protocols that are translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Protocol {
    /// Queries: an echo's identifier stands where the others have a port.
    Icmp = 1,
    /// RFC 9293.
    Tcp = 6,
    /// RFC 768.
    Udp = 17,
}

/// A checked IPv4 packet in its buffer.
#[derive(Debug)]
pub struct Packet<'a> {
    bytes: &'a mut Vec<u8>,
    header: Header,
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
    /// Where the transport header begins.
    pub(crate) transport_at: usize,
    /// What is in it.
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
    /// None: a later fragment.
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

    /// Whether all of `flags` are set.
    pub const fn has(self, flags: u8) -> bool {
        self.0 & flags == flags
    }
}

impl Packet<'_> {
    /// The headers as they stand now.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The whole packet.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
    }

    /// Where the IPv4 header ends.
    pub(crate) fn header_length(&self) -> usize {
        self.header.transport_at
    }

    /// The TCP header, where it has one.
    pub fn tcp(&self) -> Option<&TcpHeader> {
        match &self.header.transport {
            Transport::Tcp(tcp) => Some(tcp),
            _ => None,
        }
    }

    /// The TCP payload; empty for anything else.
    pub fn tcp_payload(&self) -> &[u8] {
        self.tcp().map_or(&[], |tcp| bytes::from(self.bytes, tcp.payload_at))
    }

    /// The translated protocol and the two endpoints, where it has them: TCP, UDP and echo. An echo's identifier
    /// stands in the place of both ports.
    #[inline]
    pub fn session(&self) -> Option<(Protocol, SocketAddrV4, SocketAddrV4)> {
        let header = &self.header;
        let (protocol, source, destination) = match header.transport {
            Transport::Tcp(tcp) => (Protocol::Tcp, tcp.source, tcp.destination),
            Transport::Udp { source, destination } => (Protocol::Udp, source, destination),
            Transport::Echo { identifier, .. } => (Protocol::Icmp, identifier, identifier),
            _ => return None,
        };
        Some((
            protocol,
            SocketAddrV4::new(header.source, source),
            SocketAddrV4::new(header.destination, destination),
        ))
    }
}

#[cfg(test)]
mod tests;
