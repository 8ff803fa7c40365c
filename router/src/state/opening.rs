//! Ports that are open for a LAN host for a time: those it asked for (NAT-PMP), and those that its own traffic triggered.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use super::timer::{Tick, TimerId};
use crate::event::Origin;
use crate::packet::Protocol;
use crate::profile::PortRange;

/// Ports of the WAN address that lead to one LAN host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    pub(crate) protocol: Protocol,
    pub(crate) ports: PortRange,
    /// The host, and its port for the range's first; the others follow in step.
    pub(crate) target: SocketAddrV4,
    /// [`Origin::Requested`] or [`Origin::Triggered`].
    pub(crate) origin: Origin,
    pub(crate) deadline: Tick,
    pub(crate) timer: TimerId,
}

impl Opening {
    fn target(&self, protocol: Protocol, port: u16) -> Option<SocketAddrV4> {
        if self.protocol != protocol || !self.ports.contains(port) {
            return None;
        }
        let target = self.target.port().checked_add(port.checked_sub(self.ports.first)?)?;
        Some(SocketAddrV4::new(*self.target.ip(), target))
    }
}

/// All of a router's, by their name in events. A profile bounds their number.
#[derive(Debug, Default)]
pub(crate) struct Openings(BTreeMap<u32, Opening>);

impl Openings {
    /// Where a packet to `port` leads, and by which kind of opening.
    pub(crate) fn target(&self, protocol: Protocol, port: u16) -> Option<(SocketAddrV4, Origin)> {
        self.0.values().find_map(|opening| Some((opening.target(protocol, port)?, opening.origin)))
    }

    /// Whether any opening of a protocol has a port of `ports`.
    pub(crate) fn overlap(&self, protocol: Protocol, ports: PortRange) -> bool {
        let overlaps = |other: PortRange| other.first <= ports.last && ports.first <= other.last;
        self.0.values().any(|opening| opening.protocol == protocol && overlaps(opening.ports))
    }

    /// The one that leads to `target` from its first port on.
    pub(crate) fn to(&self, protocol: Protocol, target: SocketAddrV4, origin: Origin) -> Option<u32> {
        let is_it = |opening: &Opening| {
            (opening.protocol, opening.target, opening.origin) == (protocol, target, origin)
        };
        self.0.iter().find(|(_, opening)| is_it(opening)).map(|(number, _)| *number)
    }

    /// Those of a protocol that lead to `host`.
    pub(crate) fn of_host(&self, protocol: Protocol, host: Ipv4Addr, origin: Origin) -> Vec<u32> {
        let is_its = |opening: &Opening| {
            (opening.protocol, *opening.target.ip(), opening.origin) == (protocol, host, origin)
        };
        self.0.iter().filter(|(_, opening)| is_its(opening)).map(|(number, _)| *number).collect()
    }

    /// How many there are of one kind.
    pub(crate) fn count(&self, origin: Origin) -> usize {
        self.0.values().filter(|opening| opening.origin == origin).count()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Opening> {
        self.0.get(&number)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut Opening> {
        self.0.get_mut(&number)
    }

    pub(crate) fn insert(&mut self, number: u32, opening: Opening) {
        self.0.insert(number, opening);
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<Opening> {
        self.0.remove(&number)
    }
}
