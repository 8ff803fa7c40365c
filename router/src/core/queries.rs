//! ICMP queries besides echo, where the profile translates them: timestamps, information, address masks. Each kind has
//! flows of its own: it stands where the other end's port would.

use std::net::SocketAddrV4;

use quirknat_alg::Side;

use super::{Router, Step};
use crate::packet::{Packet, Protocol, Query};
use crate::reason::DropReason;
use crate::state::flow::FlowId;

impl Router {
    /// A query or its reply. Requests from outside are the router's own, which has no such service.
    #[cold]
    pub(super) fn query(&mut self, from: Side, packet: &mut Packet<'_>) -> Step {
        let query = packet.query().filter(|query| self.profile.icmp.queries.contains(&query.kind));
        let query = query.ok_or(DropReason::UnsupportedIcmpType)?;
        let near = |address| SocketAddrV4::new(address, query.identifier);
        let far = |address| SocketAddrV4::new(address, query.far_port());
        let id: FlowId = match (from, query.is_request) {
            (Side::Inside, true) => {
                let (inside, remote) = (near(packet.source()), far(packet.destination()));
                match self.flows.find_exact(Side::Inside, Protocol::Icmp, inside, remote) {
                    Some(id) => id,
                    None => self.create_outbound(Protocol::Icmp, inside, remote, packet)?,
                }
            }
            (Side::Outside, false) => {
                let (external, remote) = (near(packet.destination()), far(packet.source()));
                let found = self.flows.find_exact(Side::Outside, Protocol::Icmp, external, remote);
                found.ok_or(DropReason::Unsolicited)?
            }
            (Side::Inside, false) => {
                self.passable(Side::Inside, Side::Outside, packet)?;
                return Err(DropReason::NoTranslation.into());
            }
            (Side::Outside, true) => return Err(DropReason::Unsolicited.into()),
        };
        self.pass(id, from, packet)
    }
}

/// The other end of a session as flows know it: that of an ICMP query has no port, and the query's kind in its place.
pub(super) fn far_end(protocol: Protocol, remote: SocketAddrV4, packet: &Packet<'_>) -> SocketAddrV4 {
    match protocol {
        Protocol::Icmp => SocketAddrV4::new(*remote.ip(), packet.query().map_or(0, Query::far_port)),
        Protocol::Tcp | Protocol::Udp | Protocol::Other(_) => remote,
    }
}
