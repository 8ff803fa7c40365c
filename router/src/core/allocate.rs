//! External ports: which are free, and which a mapping or a forward gets (RFC 4787 §4.2.1).

use std::net::SocketAddrV4;

use super::Router;
use crate::packet::Protocol;
use crate::profile::{PortAllocation, PortRange};

/// Where the search for a free port goes on, for each protocol.
#[derive(Debug)]
pub(super) struct PortCursors {
    range: PortRange,
    tcp: u16,
    udp: u16,
    icmp: u16,
}

impl PortCursors {
    pub(super) fn new(range: PortRange) -> Self {
        Self { range, tcp: range.first, udp: range.first, icmp: range.first }
    }

    fn cursor(&mut self, protocol: Protocol) -> &mut u16 {
        match protocol {
            Protocol::Tcp => &mut self.tcp,
            Protocol::Udp => &mut self.udp,
            Protocol::Icmp => &mut self.icmp,
        }
    }

    fn take(&mut self, protocol: Protocol) -> u16 {
        let range = self.range;
        let cursor = self.cursor(protocol);
        let port = *cursor;
        *cursor = if port >= range.last { range.first } else { port + 1 };
        port
    }
}

impl Router {
    /// A port for a new mapping of `inside`.
    pub(super) fn allocate(&mut self, protocol: Protocol, inside: SocketAddrV4) -> Option<u16> {
        match *self.profile.nat.port_allocation {
            PortAllocation::Preserving if self.is_free(protocol, inside.port(), inside) => {
                Some(inside.port())
            }
            PortAllocation::Preserving | PortAllocation::Sequential => self.next_free(protocol, inside),
        }
    }

    /// The next free port of the profile's range.
    pub(super) fn next_free(&mut self, protocol: Protocol, inside: SocketAddrV4) -> Option<u16> {
        let PortRange { first, last } = self.ports.range;
        for _ in first..=last {
            let port = self.ports.take(protocol);
            if self.is_free(protocol, port, inside) {
                return Some(port);
            }
        }
        None
    }

    /// Whether `port` can stand for `inside`: nothing holds it, and no forward leads it to someone else, or led a
    /// connection there that goes on.
    pub(super) fn is_free(&self, protocol: Protocol, port: u16, inside: SocketAddrV4) -> bool {
        self.mappings.holder(protocol, port).is_none()
            && !self.mappings.is_occupied_by_another(protocol, port, inside)
            && self.forwards.target(protocol, port).is_none_or(|target| target == inside)
    }
}
