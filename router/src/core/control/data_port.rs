//! Which external port an announcement gets, and what counts as taken.

use std::net::SocketAddrV4;

use quirknat_alg::{DataPort, DataPortConflict, LeftAlone, NoDataPort, PortTaken, Refused, Repeated};

use super::super::Router;
use super::super::allocate::range_above;
use super::announced::Obstacle;
use crate::event::ForwardEnd;
use crate::packet::Protocol;
use crate::profile::PortRange;
use crate::state::flow::FlowId;

impl Router {
    pub(super) fn choose_data_port(&mut self, id: FlowId, target: SocketAddrV4) -> Result<u16, Obstacle> {
        let Some(port) = self.find_data_port(id, target) else {
            let only_one = self.dialect.data_port == DataPort::Same
                && self.dialect.data_port_conflict == DataPortConflict::GiveUp;
            return Err(match self.dialect.no_data_port {
                NoDataPort::Drop => Obstacle::Refuse(Refused::NoDataPort),
                NoDataPort::Pass if only_one => LeftAlone::DataPortTaken.into(),
                NoDataPort::Pass => LeftAlone::NoPortLeft.into(),
            });
        };
        if self.dialect.data_port_taken == PortTaken::AnyUse {
            // A free port may have a forward to the same place, of another control connection: it gives way.
            let control = self.flows.get(id).map(|flow| flow.control);
            for there in self.forwards.at_port(Protocol::Tcp, port) {
                if self.forwards.get(there).map(|forward| forward.control) != control {
                    self.close_forward(there, ForwardEnd::Replaced);
                }
            }
        }
        Ok(port)
    }

    fn find_data_port(&mut self, id: FlowId, target: SocketAddrV4) -> Option<u16> {
        let announced = target.port();
        let (first, left) = match self.dialect.data_port {
            DataPort::Same => (Some(announced), self.dialect.data_port_tries.saturating_sub(1)),
            DataPort::Random => (None, self.dialect.data_port_tries),
            DataPort::Allocated => return self.next_free(Protocol::Tcp, target),
        };
        if first.is_some() && !self.is_data_port_taken(id, target, announced) {
            return first;
        }
        let range = match (self.dialect.data_port, self.dialect.data_port_conflict) {
            (DataPort::Random, _) | (_, DataPortConflict::Random) => *self.profile.alg.ftp.data_port_range,
            (_, DataPortConflict::Allocated) => return self.next_free(Protocol::Tcp, target),
            (_, DataPortConflict::RandomAbove) => range_above(announced)?,
            (_, DataPortConflict::GiveUp) => return None,
        };
        self.draw_data_port(id, target, range, left)
    }

    /// Any port of the range that is not taken, in at most so many tries.
    fn draw_data_port(
        &mut self,
        id: FlowId,
        target: SocketAddrV4,
        range: PortRange,
        tries: u16,
    ) -> Option<u16> {
        // No more tries than there are ports, as Linux has it too.
        let tries = tries.min(range.last - range.first + 1);
        for _ in 0..tries {
            let port = self.ports.draw(range);
            if !self.is_data_port_taken(id, target, port) {
                return Some(port);
            }
        }
        None
    }

    fn is_data_port_taken(&self, id: FlowId, target: SocketAddrV4, port: u16) -> bool {
        let Some(flow) = self.flows.get(id) else { return true };
        let own = |forward| self.forwards.get(forward).is_some_and(|forward| forward.control == flow.control);
        let in_the_way = self.forwards.for_peer(port, self.forward_peer(flow.remote));
        let is_repeated = in_the_way.is_some_and(own);
        if is_repeated && self.dialect.repeated == Repeated::NewPort {
            return true;
        }
        match self.dialect.data_port_taken {
            PortTaken::AnyUse => !self.is_free(Protocol::Tcp, port, target),
            PortTaken::ForwardOfSamePeer => in_the_way.is_some() && !is_repeated,
            PortTaken::AnyUseOfSamePeer => {
                (in_the_way.is_some() && !is_repeated) || self.leads_to_peer(port, flow.remote)
            }
        }
    }

    /// Whether a translation at the external port has the same host as its other end.
    fn leads_to_peer(&self, port: u16, peer: SocketAddrV4) -> bool {
        let is_used = self.mappings.holder(Protocol::Tcp, port).is_some()
            || self.mappings.is_occupied(Protocol::Tcp, port);
        is_used
            && self.flows.iter().any(|flow| {
                flow.protocol == Protocol::Tcp
                    && flow.external.port() == port
                    && flow.remote.ip() == peer.ip()
            })
    }
}
