//! What comes from the LAN: to the router, to another LAN host, or out.

use std::net::Ipv4Addr;

use quirknat_alg::Side;

use super::{LanPort, Router, Step, Stop};
use crate::event::{Interface, Passage};
use crate::packet::{Fragment, Packet};
use crate::profile::Sources;
use crate::reason::DropReason;

impl Router {
    #[inline]
    pub(super) fn enter_from_lan(&mut self, port: u8, packet: &mut Packet<'_>) -> Step {
        let (source, destination) = (packet.source(), packet.destination());
        let Some(own) = self.lan.get(usize::from(port)).copied() else {
            return Err(DropReason::SourceNotOnLan.into());
        };
        if is_never_unicast(destination) || own.is_broadcast(source) {
            return Err(self.not_unicast(port, own, packet));
        }
        if (!own.holds(source) && !self.may_come_from_lan(source)) || source == own.address {
            return Err(DropReason::SourceNotOnLan.into());
        }
        if self.processes_options && packet.has_options() && packet.is_source_routed() {
            return Err(DropReason::SourceRouted.into());
        }
        if self.has_switch {
            self.stations.learn(source, port);
        }
        if let Some(other) = self.lan.iter().find(|other| other.holds(destination)).copied() {
            return self.within_lan(port, own, other, packet);
        }
        if destination == self.wan {
            return self.enter_for_wan_address(port, packet);
        }
        self.with_fragments(Interface::Lan(port), packet, Self::outbound)
    }

    /// Whether a source of no LAN subnet is taken.
    #[cold]
    fn may_come_from_lan(&self, source: Ipv4Addr) -> bool {
        *self.profile.ip.sources == Sources::Any
            && !is_never_unicast(source)
            && source != self.wan
            && self.lan.iter().all(|port| port.address != source)
    }

    fn within_lan(&mut self, port: u8, own: LanPort, other: LanPort, packet: &mut Packet<'_>) -> Step {
        let destination = packet.destination();
        if self.lan.iter().any(|port| port.address == destination) {
            return self.answer(Interface::Lan(port), packet);
        }
        if other.is_broadcast(destination) {
            return Err(DropReason::NotUnicast.into());
        }
        if other.address == own.address {
            // Without a switch a packet only gets here if it was sent to the router to be passed on.
            if !self.has_switch && packet.fragment() == Fragment::Whole {
                self.passable(Side::Inside, Side::Inside, packet)?;
            }
            self.switch(port, destination, packet)
        } else {
            self.passable(Side::Inside, Side::Inside, packet)?;
            self.answer_to_hairpinned(packet)?;
            packet.decrement_ttl();
            let egress = self.towards(destination, packet).ok_or(DropReason::NoSuchStation)?;
            self.passed(egress, None, Passage::Routed);
            Ok(egress)
        }
    }

    /// Between hosts of one subnet the router is a switch: no hop, no translation.
    fn switch(&mut self, port: u8, destination: Ipv4Addr, packet: &Packet<'_>) -> Step {
        match self.stations.port(destination) {
            Some(known) if known != port => {
                self.passed(Interface::Lan(known), None, Passage::Switched);
                Ok(Interface::Lan(known))
            }
            Some(_) => Err(DropReason::NoSuchStation.into()),
            None => {
                let others: Vec<u8> = self.ports_of(destination).filter(|other| *other != port).collect();
                if others.is_empty() {
                    return Err(DropReason::NoSuchStation.into());
                }
                self.counters.forwarded += 1;
                for other in others {
                    self.passed(Interface::Lan(other), None, Passage::Switched);
                    self.transmits.push_back((Interface::Lan(other), packet.as_bytes().to_vec()));
                }
                Err(Stop::Taken)
            }
        }
    }

    /// The LAN port that leads to `host`. Where a switch has not seen it yet, its other ports get copies.
    pub(super) fn towards(&mut self, host: Ipv4Addr, packet: &Packet<'_>) -> Option<Interface> {
        if let Some(port) = self.stations.port(host) {
            return Some(Interface::Lan(port));
        }
        let ports: Vec<u8> = self.ports_of(host).collect();
        let (first, others) = ports.split_first()?;
        for other in others {
            self.transmit(Interface::Lan(*other), packet.as_bytes().to_vec());
        }
        Some(Interface::Lan(*first))
    }

    /// The LAN port for a translated packet to `host`, which was on `last` when it last sent something.
    pub(super) fn lan_egress(&mut self, host: Ipv4Addr, last: u8, packet: &Packet<'_>) -> Interface {
        let last = Interface::Lan(last);
        if self.has_switch { self.towards(host, packet).unwrap_or(last) } else { last }
    }

    /// The LAN port for an answer to what `host` has just sent.
    pub(super) fn back_to(&self, host: Ipv4Addr) -> Interface {
        let known = self.stations.port(host).or_else(|| self.ports_of(host).next());
        Interface::Lan(known.unwrap_or_default())
    }

    /// Whether a forward can lead to `host`: it is on a LAN, and not the router.
    pub(super) fn is_lan_host(&self, host: Ipv4Addr) -> bool {
        self.lan.iter().any(|port| port.holds(host) && !port.is_broadcast(host))
            && self.lan.iter().all(|port| port.address != host)
    }

    /// The LAN ports on whose subnet `host` is.
    pub(super) fn ports_of(&self, host: Ipv4Addr) -> impl Iterator<Item = u8> {
        let on_it = move |(_, port): &(u8, &LanPort)| port.holds(host);
        (0_u8..).zip(&self.lan).filter(on_it).map(|(index, _)| index)
    }
}

/// Addresses that no packet of a unicast conversation has.
pub(super) fn is_never_unicast(address: Ipv4Addr) -> bool {
    address.is_multicast() || address.is_broadcast() || address.is_unspecified() || address.is_loopback()
}
