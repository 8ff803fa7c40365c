//! Ports that open for a LAN host for a time: how they open, live on and close; and those that the host's own traffic
//! triggers.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::{Router, Timer};
use crate::event::{EventKind, OpeningEnd, Origin};
use crate::packet::Protocol;
use crate::state::opening::Opening;
use crate::state::timer::{Tick, TimerId};

impl Router {
    /// Opens ports for a host.
    pub(super) fn open(&mut self, mut opening: Opening) {
        self.serials.opening += 1;
        let number = self.serials.opening;
        opening.timer = self.opening_timer(number, opening.deadline);
        let Opening { protocol, ports, target, origin, deadline, .. } = opening;
        self.forwards.openings.insert(number, opening);
        self.events.push(EventKind::PortsOpened {
            opening: number,
            protocol,
            ports,
            target,
            origin,
            expires_s: Opening::expires(deadline),
        });
    }

    /// An opening lives until `deadline`.
    pub(super) fn reopen(&mut self, number: u32, deadline: Tick) {
        let Some(opening) = self.forwards.openings.get_mut(number) else { return };
        if opening.deadline == deadline {
            return;
        }
        opening.deadline = deadline;
        let timer = opening.timer;
        self.timers.cancel(timer);
        let timer = self.opening_timer(number, deadline);
        if let Some(opening) = self.forwards.openings.get_mut(number) {
            opening.timer = timer;
        }
        let expires_s = Opening::expires(deadline);
        self.events.push(EventKind::PortsRefreshed { opening: number, expires_s });
    }

    /// What is open for good has no timer.
    fn opening_timer(&mut self, number: u32, deadline: Tick) -> TimerId {
        match Opening::expires(deadline) {
            Some(deadline) => self.timers.set(deadline, Timer::Opening(number)),
            None => TimerId::UNSET,
        }
    }

    /// Ports close; what came in through them goes on.
    pub(super) fn close(&mut self, number: u32, reason: OpeningEnd) {
        if let Some(opening) = self.forwards.openings.remove(number) {
            self.timers.cancel(opening.timer);
            self.events.push(EventKind::PortsClosed { opening: number, reason });
        }
    }

    pub(super) fn look_at_opening(&mut self, number: u32) {
        let Some(opening) = self.forwards.openings.get_mut(number) else { return };
        if opening.deadline > self.clock.tick {
            opening.timer = self.timers.set(opening.deadline, Timer::Opening(number));
        } else {
            self.close(number, OpeningEnd::Expired);
        }
    }

    /// A packet from a LAN host to `port` may open ports for the host: the user's triggers say which.
    pub(super) fn trigger(&mut self, protocol: Protocol, host: Ipv4Addr, port: u16) {
        let deadline = self.clock.tick_after.saturating_add(*self.profile.forwards.trigger_lifetime);
        for index in 0..self.triggers.len() {
            let Some(trigger) = self.triggers.get(index).copied() else { return };
            if trigger.protocol != protocol || !trigger.ports.contains(port) {
                continue;
            }
            let (protocol, ports) = (trigger.opens_protocol, trigger.opens);
            let target = SocketAddrV4::new(host, ports.first);
            match self.forwards.openings.to(protocol, target, Origin::Triggered) {
                Some(number) => self.reopen(number, deadline),
                // Whoever came first has them.
                None if self.forwards.openings.overlap(protocol, ports) => {}
                None => {
                    self.open(Opening::new(protocol, ports, target, Origin::Triggered, deadline));
                }
            }
        }
    }
}
