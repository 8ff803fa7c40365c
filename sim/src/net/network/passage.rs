//! How a packet gets from one end of a wire to the next node, and what the nodes do with it.

use std::cmp::Reverse;
use std::net::Ipv4Addr;

use quirknat_router::event::Interface;
use smoltcp::time::Instant;

use super::{Arrival, HostId, Network, Node, Plug, Station};
use crate::net::internet::Undelivered;
use crate::net::link::Carried;
use crate::net::record::{Loss, LossPlace, LossReason, NetworkEvent};
use crate::net::wire::Direction;

/// Whether a packet has crossed the watched end of its wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trace {
    /// It is still before it; and its place in the record on the wire before, if it came over one.
    Unseen { comes_from: Option<usize> },
    /// It has, and this is its place in the record, if it has one.
    Seen(Option<usize>),
}

impl Trace {
    pub(super) fn place(self) -> Option<usize> {
        match self {
            Self::Seen(place) => place,
            Self::Unseen { .. } => None,
        }
    }
}

impl Network {
    pub(super) fn arrive(&mut self, now: Instant, arrival: Arrival) {
        let Arrival { node, wire, packet, mut trace, .. } = arrival;
        match node {
            Node::Host(host) => {
                if let Trace::Unseen { comes_from } = trace
                    && self.is_watched_at_host(host)
                {
                    self.log.cross((wire, Direction::Down), now, &packet, comes_from);
                }
                self.deliveries.push_back((HostId(host), packet));
            }
            Node::Router(router, ingress) => {
                if let Trace::Unseen { comes_from } = trace {
                    let direction = match ingress {
                        Interface::Lan(_) => Direction::Up,
                        Interface::Wan => Direction::Down,
                    };
                    trace = Trace::Seen(self.log.cross((wire, direction), now, &packet, comes_from));
                }
                self.enter_router(now, (router, ingress), packet, trace.place());
            }
            Node::Internet => self.cross_internet(now, packet, trace.place()),
        }
    }

    /// On the public network a wire is watched at the host, in a home at the router.
    fn is_watched_at_host(&self, id: usize) -> bool {
        self.ends.get(id).is_some_and(|plug| plug.into.is_none())
    }

    fn enter_router(
        &mut self,
        now: Instant,
        (id, ingress): (usize, Interface),
        mut packet: Vec<u8>,
        crossing: Option<usize>,
    ) {
        let Some(placed) = self.routers.get_mut(id) else { return };
        if placed.off_until.is_some_and(|until| now < until) {
            let place = LossPlace::Router(placed.name.to_string());
            self.lose(now, place, LossReason::RouterOff, &packet, crossing);
            return;
        }
        placed.off_until = None;
        let egress = placed.router.forward(now, ingress, &mut packet);
        self.drain_events(id, crossing);
        let forwarded = egress.and_then(|egress| self.leave_router(now, id, egress, packet, crossing));
        while let Some((egress, packet)) = self.transmit_of(id) {
            // Besides it the router sends packets of its own; what is the same, octet by octet, is a copy that its
            // switch gives to another port.
            let is_copy = forwarded
                .and_then(|place| self.log.crossing_mut(place))
                .is_some_and(|forwarded| forwarded.bytes == packet);
            self.leave_router(now, id, egress, packet, crossing.filter(|_| is_copy));
        }
        self.drain_events(id, None);
    }

    pub(super) fn drain_router(&mut self, now: Instant, id: usize) {
        while let Some((egress, packet)) = self.transmit_of(id) {
            self.leave_router(now, id, egress, packet, None);
        }
        self.drain_events(id, None);
    }

    fn transmit_of(&mut self, id: usize) -> Option<(Interface, Vec<u8>)> {
        self.routers.get_mut(id)?.router.poll_transmit()
    }

    fn drain_events(&mut self, id: usize, crossing: Option<usize>) {
        let Some(placed) = self.routers.get_mut(id) else { return };
        let (name, router) = (&placed.name, &mut placed.router);
        let events = std::iter::from_fn(|| router.poll_event())
            .map(|event| NetworkEvent::Router { router: name.clone(), event });
        self.log.tell(crossing, events);
    }

    /// A packet leaves a router; gives its place in the record, if it crosses the wire's watched end here.
    fn leave_router(
        &mut self,
        now: Instant,
        id: usize,
        egress: Interface,
        packet: Vec<u8>,
        comes_from: Option<usize>,
    ) -> Option<usize> {
        let plug = self.plug_at(id, egress)?;
        let (direction, is_watched_here) = match (egress, plug.station) {
            (Interface::Wan, _) => (Direction::Up, true),
            (Interface::Lan(_), Station::Host(_)) => (Direction::Down, true),
            // The wire between two routers is watched at the lower one's WAN.
            (Interface::Lan(_), Station::Wan(_)) => (Direction::Down, false),
        };
        let trace = if is_watched_here {
            Trace::Seen(self.log.cross((plug.wire, direction), now, &packet, comes_from))
        } else {
            Trace::Unseen { comes_from }
        };
        self.carry(now, plug, direction, packet, trace);
        trace.place()
    }

    fn cross_internet(&mut self, now: Instant, mut packet: Vec<u8>, crossing: Option<usize>) {
        let station = self.public.get(&address_at(&packet, 16)).copied();
        match self.internet.route(&mut packet, station.is_some()) {
            Ok(()) => {
                if let Some(plug) = station.and_then(|station| self.plug_of(station)) {
                    self.leave_internet(now, plug, packet, crossing);
                }
            }
            Err(undelivered) => self.undelivered(now, undelivered, &packet, crossing),
        }
    }

    /// The last router of the public network knows what its access link takes.
    fn leave_internet(&mut self, now: Instant, plug: Plug, packet: Vec<u8>, crossing: Option<usize>) {
        let mtu = self.wires.get(plug.wire).and_then(|wire| wire.mtu(Direction::Down));
        let Some(mtu) = mtu.filter(|mtu| packet.len() > usize::from(*mtu)) else {
            self.carry(now, plug, Direction::Down, packet, Trace::Unseen { comes_from: crossing });
            return;
        };
        match self.internet.fit(&packet, mtu) {
            Ok(pieces) => {
                for piece in pieces {
                    self.carry(now, plug, Direction::Down, piece, Trace::Unseen { comes_from: crossing });
                }
            }
            Err(undelivered) => self.undelivered(now, undelivered, &packet, crossing),
        }
    }

    fn undelivered(
        &mut self,
        now: Instant,
        undelivered: Undelivered,
        packet: &[u8],
        crossing: Option<usize>,
    ) {
        let place = LossPlace::Network("internet".to_owned());
        self.lose(now, place, undelivered.reason, packet, crossing);
        // An error about a packet with a source that is nobody's ends here. No error is sent about an error.
        if let Some(error) = undelivered.error
            && let Some(plug) = self.public.get(&address_at(&error, 16)).and_then(|to| self.plug_of(*to))
        {
            self.leave_internet(now, plug, error, None);
        }
    }

    /// The wire at a router's interface.
    fn plug_at(&self, id: usize, interface: Interface) -> Option<Plug> {
        let placed = self.routers.get(id)?;
        match interface {
            Interface::Wan => Some(placed.wan),
            Interface::Lan(port) => self.plug_of(*placed.lan.get(usize::from(port))?),
        }
    }

    pub(super) fn plug_of(&self, station: Station) -> Option<Plug> {
        match station {
            Station::Host(id) => self.ends.get(id).copied(),
            Station::Wan(id) => self.routers.get(id).map(|placed| placed.wan),
        }
    }

    /// A packet goes onto a wire.
    pub(super) fn carry(
        &mut self,
        now: Instant,
        plug: Plug,
        direction: Direction,
        mut packet: Vec<u8>,
        trace: Trace,
    ) {
        let Some(wire) = self.wires.get_mut(plug.wire) else { return };
        let (first, duplicate) = match wire.link(direction).send(now, packet.len()) {
            Carried::Arrives { packet, duplicate } => (packet, duplicate),
            Carried::Lost(reason) => {
                let place = LossPlace::Wire(wire.name.clone());
                let crossing = match trace {
                    Trace::Seen(place) => place,
                    Trace::Unseen { comes_from } => {
                        self.lost_before_it_was_seen((plug.wire, direction), now, &packet, comes_from)
                    }
                };
                self.lose(now, place, LossReason::Link(reason), &packet, crossing);
                return;
            }
        };
        let node = plug.far_end(direction);
        if let Some(second) = duplicate {
            let mut copy = packet.clone();
            second.damage(&mut copy);
            // The watched end saw one packet, if it stands before the link; what becomes of that is told of the first.
            let trace = if matches!(trace, Trace::Unseen { .. }) { trace } else { Trace::Seen(None) };
            self.schedule(second.at, (node, plug.wire), copy, trace);
        }
        first.damage(&mut packet);
        self.schedule(first.at, (node, plug.wire), packet, trace);
    }

    fn lost_before_it_was_seen(
        &mut self,
        wire: (usize, Direction),
        now: Instant,
        packet: &[u8],
        comes_from: Option<usize>,
    ) -> Option<usize> {
        let crossing = self.log.cross(wire, now, packet, comes_from)?;
        if let Some(crossing) = self.log.crossing_mut(crossing) {
            crossing.lost = true;
        }
        Some(crossing)
    }

    fn lose(
        &mut self,
        at: Instant,
        place: LossPlace,
        reason: LossReason,
        packet: &[u8],
        crossing: Option<usize>,
    ) {
        let loss = Loss {
            place,
            at,
            packet_source: address_at(packet, 12),
            packet_destination: address_at(packet, 16),
            reason,
        };
        self.log.tell(crossing, std::iter::once(NetworkEvent::Lost(loss)));
    }

    fn schedule(&mut self, at: Instant, (node, wire): (Node, usize), packet: Vec<u8>, trace: Trace) {
        self.scheduled += 1;
        self.arrivals.push(Reverse(Arrival { at, order: self.scheduled, node, wire, trace, packet }));
    }
}

impl Plug {
    /// Where what goes this way arrives.
    fn far_end(&self, direction: Direction) -> Node {
        match (direction, self.into, self.station) {
            (Direction::Up, None, _) => Node::Internet,
            (Direction::Up, Some((router, port)), _) => Node::Router(router, Interface::Lan(port)),
            (Direction::Down, _, Station::Wan(router)) => Node::Router(router, Interface::Wan),
            (Direction::Down, _, Station::Host(host)) => Node::Host(host),
        }
    }
}

/// The address that begins at this octet of a packet; of a packet that is too short for it, 0.0.0.0.
fn address_at(packet: &[u8], at: usize) -> Ipv4Addr {
    let octets = packet.get(at..).and_then(|bytes| bytes.first_chunk::<4>()).copied();
    Ipv4Addr::from(octets.unwrap_or_default())
}
