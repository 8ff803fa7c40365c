//! Ports that are open for a LAN host for a time: those that were asked for (NAT-PMP, UPnP-IGD), and those that its own
//! traffic triggered.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use super::timer::{Tick, TimerId};
use crate::event::Origin;
use crate::packet::Protocol;
use crate::profile::PortRange;

/// Ports of the WAN address that lead to one LAN host.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) protocol: Protocol,
    pub(crate) ports: PortRange,
    /// The host, and its port for the range's first; the others follow in step.
    pub(crate) target: SocketAddrV4,
    /// [`Origin::Requested`], [`Origin::UpnpIgd`] or [`Origin::Triggered`].
    pub(crate) origin: Origin,
    /// Whether packets are let in; the ports are nobody else's all the same.
    pub(crate) is_enabled: bool,
    /// What whoever asked for it says it is for.
    pub(crate) description: String,
    /// [`Opening::FOR_GOOD`] where it has none.
    pub(crate) deadline: Tick,
    /// Set by the router.
    pub(crate) timer: TimerId,
}

impl Opening {
    /// The deadline of an opening that has none.
    pub(crate) const FOR_GOOD: Tick = Tick::MAX;

    /// Ports that let packets in, without a description.
    pub(crate) fn new(
        protocol: Protocol,
        ports: PortRange,
        target: SocketAddrV4,
        origin: Origin,
        deadline: Tick,
    ) -> Self {
        let (is_enabled, description, timer) = (true, String::new(), TimerId::UNSET);
        Self { protocol, ports, target, origin, is_enabled, description, deadline, timer }
    }

    /// When it ends, in seconds of the router's clock.
    pub(crate) fn expires(deadline: Tick) -> Option<Tick> {
        (deadline != Self::FOR_GOOD).then_some(deadline)
    }

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
    pub(crate) fn leads(&self, protocol: Protocol, port: u16) -> Option<(SocketAddrV4, Origin)> {
        let enabled = self.0.values().filter(|opening| opening.is_enabled);
        enabled.into_iter().find_map(|opening| Some((opening.target(protocol, port)?, opening.origin)))
    }

    /// Whose `port` is, whether or not packets are let in.
    pub(crate) fn target(&self, protocol: Protocol, port: u16) -> Option<SocketAddrV4> {
        self.0.values().find_map(|opening| opening.target(protocol, port))
    }

    /// Whether another opening than `number` leads from `port` elsewhere than to `target`.
    pub(crate) fn lead_elsewhere(
        &self,
        number: u32,
        protocol: Protocol,
        port: u16,
        target: SocketAddrV4,
    ) -> bool {
        let mut others = self.0.iter().filter(|(other, _)| **other != number);
        others.any(|(_, other)| other.target(protocol, port).is_some_and(|other| other != target))
    }

    /// The one of a kind whose ports begin with `port`.
    pub(crate) fn at(&self, protocol: Protocol, port: u16, origin: Origin) -> Option<(u32, &Opening)> {
        self.of(origin).find(|(_, opening)| (opening.protocol, opening.ports.first) == (protocol, port))
    }

    /// Those of a kind, in the order they were made.
    pub(crate) fn of(&self, origin: Origin) -> impl Iterator<Item = (u32, &Opening)> {
        let is_one = move |(_, opening): &(&u32, &Opening)| opening.origin == origin;
        self.0.iter().filter(is_one).map(|(number, opening)| (*number, opening))
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
        self.of(origin).count()
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
