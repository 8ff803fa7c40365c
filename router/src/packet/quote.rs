//! The packet that an ICMP error quotes: truncated, so with a type of its own (RFC 792, RFC 5508 §4).

use std::net::SocketAddrV4;

use super::bytes::{from, read_u16, read_u32, write_u16, write_u32};
use super::checksum::{self, Difference};
use super::edit::{End, updated_udp_checksum};
use super::{Gre, Packet, Protocol, Query, Transport};

/// What can be read of a quoted packet, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quote {
    pub(crate) protocol: Protocol,
    pub(crate) source: SocketAddrV4,
    pub(crate) destination: SocketAddrV4,
    /// Of ICMP: whether it asks, or answers.
    pub(crate) is_request: bool,
    /// Where the quoted IPv4 header begins.
    at: usize,
    /// Where the quoted transport header begins.
    transport_at: usize,
}

const ICMP_HEADER: usize = 8;
const FRAGMENT_OFFSET: u16 = 0x1fff;
/// RFC 792: an error quotes at least the IPv4 header and 8 octets.
const QUOTED_TRANSPORT: usize = 8;

impl Packet<'_> {
    /// The quoted packet, if this is an ICMP error that quotes the beginning of one that may be translated. Of a
    /// query the end that asked has the identifier as its port, and the other one what stands for the query's kind.
    pub(crate) fn quote(&self) -> Option<Quote> {
        if self.transport() != Transport::IcmpError {
            return None;
        }
        let at = self.transport_at() + ICMP_HEADER;
        let inner = from(self.as_bytes(), at);
        let header_length = usize::from(inner.first()? & 0x0f) * 4;
        let is_first = read_u16(inner, 6) & FRAGMENT_OFFSET == 0;
        let transport = inner.get(header_length..)?;
        // Of a protocol without ports its addresses are enough.
        let needed = if has_ports(*inner.get(9)?) { QUOTED_TRANSPORT } else { 0 };
        if header_length < 20 || !is_first || transport.len() < needed {
            return None;
        }
        let (source, destination) = (read_u32(inner, 12).into(), read_u32(inner, 16).into());
        let mut is_request = false;
        let (protocol, ports) = match inner.get(9)? {
            6 => (Protocol::Tcp, (read_u16(transport, 0), read_u16(transport, 2))),
            17 => (Protocol::Udp, (read_u16(transport, 0), read_u16(transport, 2))),
            1 => {
                let (asks, identifier, other) = if let Some(kind @ (0 | 8)) = transport.first() {
                    (*kind == 8, read_u16(transport, 4), 0)
                } else {
                    let query = Query::read(transport)?;
                    (query.is_request, query.identifier, query.far_port())
                };
                is_request = asks;
                (Protocol::Icmp, if asks { (identifier, other) } else { (other, identifier) })
            }
            // GRE's receiver may be known by a call ID.
            number => match Gre::read(transport) {
                Some(Gre::Enhanced { call_id }) if *number == Protocol::GRE => {
                    (Protocol::Other(*number), (0, call_id))
                }
                _ => (Protocol::Other(*number), (0, 0)),
            },
        };
        Some(Quote {
            protocol,
            source: SocketAddrV4::new(source, ports.0),
            destination: SocketAddrV4::new(destination, ports.1),
            is_request,
            at,
            transport_at: at + header_length,
        })
    }

    /// Puts `endpoint` in place of the quoted packet's source or destination, its checksums included as far as they
    /// are quoted; [`Packet::finish_quote`] must follow.
    pub(crate) fn set_quoted_endpoint(&mut self, quote: Quote, end: End, endpoint: SocketAddrV4) {
        let (address_at, port_at) = match end {
            End::Source => (quote.at + 12, quote.transport_at),
            End::Destination => (quote.at + 16, quote.transport_at + 2),
        };
        let (old, new) = (read_u32(self.bytes, address_at), u32::from(*endpoint.ip()));
        let address_change = Difference::default().double(old, new);
        write_u32(self.bytes, address_at, new);
        let header_checksum = read_u16(self.bytes, quote.at + 10);
        write_u16(self.bytes, quote.at + 10, address_change.apply(header_checksum));

        let (port_at, change) = match quote.protocol {
            Protocol::Icmp => (quote.transport_at + 4, Difference::default()),
            Protocol::Tcp | Protocol::Udp => (port_at, address_change),
            Protocol::Other(_) => return,
        };
        let old_port = read_u16(self.bytes, port_at);
        write_u16(self.bytes, port_at, endpoint.port());
        self.update_quoted_checksum(quote, change.word(old_port, endpoint.port()));
    }

    /// Puts another sequence number into a quoted TCP header.
    pub(crate) fn set_quoted_sequence(&mut self, quote: Quote, sequence: u32) {
        let at = quote.transport_at + 4;
        let old = read_u32(self.bytes, at);
        write_u32(self.bytes, at, sequence);
        self.update_quoted_checksum(quote, Difference::default().double(old, sequence));
    }

    /// The sequence number of a quoted TCP header.
    pub(crate) fn quoted_sequence(&self, quote: Quote) -> u32 {
        read_u32(self.bytes, quote.transport_at + 4)
    }

    /// Makes the ICMP checksum true again after the quote was edited.
    pub(crate) fn finish_quote(&mut self) {
        let at = self.transport_at();
        write_u16(self.bytes, at + 2, 0);
        let checksum = !checksum::sum(from(self.bytes, at));
        write_u16(self.bytes, at + 2, checksum);
    }

    fn update_quoted_checksum(&mut self, quote: Quote, change: Difference) {
        let at = quote.transport_at
            + match quote.protocol {
                Protocol::Tcp => 16,
                Protocol::Udp => 6,
                Protocol::Icmp => 2,
                Protocol::Other(_) => return,
            };
        // A TCP checksum stands behind the eight octets that an error must quote.
        if at + 2 > self.bytes.len() {
            return;
        }
        let old = read_u16(self.bytes, at);
        let new = match quote.protocol {
            Protocol::Udp => updated_udp_checksum(old, change).unwrap_or(old),
            Protocol::Tcp | Protocol::Icmp | Protocol::Other(_) => change.apply(old),
        };
        write_u16(self.bytes, at, new);
    }
}

/// Whether a protocol has ports or something in their place, in the first eight octets.
fn has_ports(number: u8) -> bool {
    [Protocol::Tcp.number(), Protocol::Udp.number(), Protocol::Icmp.number(), Protocol::GRE].contains(&number)
}
