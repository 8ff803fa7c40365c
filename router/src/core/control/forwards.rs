//! The forwards that announcements open: made, refreshed, evicted, and ended with their control connection.

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_alg::{AllowedPeer, Opening, Repeated};

use super::super::{Router, Timer};
use crate::event::{EventKind, ForwardEnd};
use crate::state::flow::{ControlId, FlowId};
use crate::state::forward::{AlgForward, ForwardId};
use crate::state::timer::{Tick, TimerId};

impl Router {
    /// The forward that the same announcement opened before, where the gateway looks for one.
    pub(super) fn repeated(&self, id: FlowId, target: SocketAddrV4) -> Option<ForwardId> {
        let control = self.flows.get(id)?.control;
        let is_same = |id: &ForwardId| self.forwards.get(*id).is_some_and(|forward| forward.target == target);
        match self.dialect.repeated {
            Repeated::Refresh => self.forwards.of_control(control).into_iter().find(is_same),
            Repeated::OpenAgain | Repeated::NewPort => None,
        }
    }

    /// Whose connections a forward of a control connection to `peer` is open to; unspecified: everybody's.
    pub(super) fn forward_peer(&self, peer: SocketAddrV4) -> Ipv4Addr {
        match self.dialect.terms.allowed_peer {
            AllowedPeer::Anyone => Ipv4Addr::UNSPECIFIED,
            AllowedPeer::Peer | AllowedPeer::PeerDataPort => *peer.ip(),
        }
    }

    /// Opens a forward at `port`, or refreshes the one that is there for the same; gives its serial number.
    pub(super) fn open_forward(&mut self, control_flow: FlowId, opening: &Opening, port: u16) -> u32 {
        let Some(flow) = self.flows.get(control_flow) else { return 0 };
        let (control, serial_of_control, peer) = (flow.control, flow.serial, flow.remote);
        if let Some(there) = self.forwards.for_peer(port, self.forward_peer(peer)) {
            let same = |forward: &AlgForward| forward.control == control && forward.target == opening.target;
            if self.forwards.get(there).is_some_and(same) {
                return self.refresh_forward(there);
            }
            self.close_forward(there, ForwardEnd::Replaced);
        }
        self.make_room_for_forward(control_flow, opening.terms.outstanding);
        self.serials.forward += 1;
        let serial = self.serials.forward;
        let deadline = self.forward_deadline(opening.terms.lifetime);
        let timer = match deadline {
            Some(deadline) => self.timers.set(deadline, Timer::Forward(self.forwards.next_id())),
            None => TimerId::UNSET,
        };
        self.forwards.open(AlgForward {
            serial,
            external_port: port,
            target: opening.target,
            peer,
            terms: opening.terms,
            used: 0,
            deadline,
            timer,
            control,
        });
        self.events.push(EventKind::ForwardOpened {
            forward: serial,
            control: serial_of_control,
            external: SocketAddrV4::new(self.wan, port),
            target: opening.target,
            allowed: opening.terms.allowed_peer,
            expires_s: deadline,
        });
        serial
    }

    /// Closes the oldest forwards of a control connection, so that one more is within what may be outstanding.
    pub(super) fn make_room_for_forward(&mut self, control_flow: FlowId, outstanding: u16) {
        let Some(control) = self.flows.get(control_flow).map(|flow| flow.control) else { return };
        let waiting = self.forwards.of_control(control);
        let most = usize::from(outstanding).max(1);
        for oldest in waiting.iter().take((waiting.len() + 1).saturating_sub(most)) {
            self.close_forward(*oldest, ForwardEnd::Replaced);
        }
    }

    /// When a forward ends that is opened or refreshed now; never by time where its lifetime is 0.
    fn forward_deadline(&self, lifetime: u32) -> Option<Tick> {
        (lifetime > 0).then(|| self.clock.tick_after.saturating_add(lifetime))
    }

    pub(super) fn refresh_forward(&mut self, id: ForwardId) -> u32 {
        let Some(lifetime) = self.forwards.get(id).map(|forward| forward.terms.lifetime) else { return 0 };
        let deadline = self.forward_deadline(lifetime);
        let Some(forward) = self.forwards.get_mut(id) else { return 0 };
        forward.deadline = deadline;
        let serial = forward.serial;
        if let Some(expires_s) = deadline {
            self.events.push(EventKind::ForwardRefreshed { forward: serial, expires_s });
        }
        serial
    }

    pub(in crate::core) fn close_forward(&mut self, id: ForwardId, reason: ForwardEnd) {
        let Some(forward) = self.forwards.close(id) else { return };
        self.timers.cancel(forward.timer);
        self.events.push(EventKind::ForwardEnded { forward: forward.serial, reason });
    }

    /// The control connection is gone: so are the forwards that end with it. Running transfers go on.
    pub(in crate::core) fn end_control(&mut self, control: ControlId) {
        for id in self.forwards.of_control(control) {
            let Some(forward) = self.forwards.get_mut(id) else { continue };
            if forward.terms.ends_with_control {
                self.close_forward(id, ForwardEnd::ControlEnded);
            } else {
                // Its record number may be given to another connection.
                forward.control = ControlId::NONE;
            }
        }
        self.controls.try_remove(control.0 as usize);
    }
}
