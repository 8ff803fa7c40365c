//! What a packet was on the WAN, from what it is on the LAN: the way back of an inbound packet. For replays of what was
//! recorded inside, so that it takes the router's one way in again.

use std::net::SocketAddrV4;

use quirknat_alg::Side;
use smoltcp::time::Instant;

use super::Router;
use crate::packet::{End, Malformed, Packet, Protocol, TcpFlags};

/// Why a packet was none on the WAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NotTurned {
    /// It cannot be handled at all.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// It has no two endpoints: a fragment, an ICMP error, another protocol.
    #[error("a fragment, an ICMP error or another protocol, which has no endpoints to be turned by")]
    NoEndpoints,
    /// No translation and no forward leads to where it was seen.
    #[error("no translation and no forward leads to its destination on the LAN")]
    NothingLeadsThere,
}

impl Router {
    /// Turns a packet that came out on the LAN, to one of its hosts, into the one that comes out so if it is given to
    /// [`Router::forward`] from the WAN: to the external endpoint, and with its acknowledgements in the numbers in which
    /// the rewritten stream is counted outside. The time to live stays as it is.
    pub fn turn_outside(&mut self, now: Instant, bytes: &mut Vec<u8>) -> Result<(), NotTurned> {
        self.handle_timeout(now);
        let mut packet = Packet::parse(bytes)?;
        let Some((protocol, remote, inside)) = packet.session() else { return Err(NotTurned::NoEndpoints) };
        let id = self.flows.find(Side::Inside, protocol, inside, remote);
        let external = match id.and_then(|id| self.flows.get(id)) {
            Some(flow) => flow.external,
            None => self.forwarded_to(protocol, inside).ok_or(NotTurned::NothingLeadsThere)?,
        };
        packet.set_endpoint(End::Destination, external);
        let control = id.and_then(|id| self.flows.get(id)).map(|flow| flow.control);
        let control = control.and_then(|control| self.controls.get(control.0 as usize));
        let (Some(tcp), Some(control)) = (packet.tcp(), control) else { return Ok(()) };
        let Some(acknowledged) = control.rewritten(Side::Inside, tcp.acknowledgement) else { return Ok(()) };
        if tcp.flags.has(TcpFlags::ACK) {
            packet.set_acknowledgement(acknowledged);
        }
        let rewritten = |edge| control.rewritten(Side::Inside, edge).unwrap_or(edge);
        packet.map_sack_blocks(|left, right| (rewritten(left), rewritten(right)));
        Ok(())
    }

    /// The external endpoint from which a forward leads to `inside`.
    fn forwarded_to(&self, protocol: Protocol, inside: SocketAddrV4) -> Option<SocketAddrV4> {
        let port = self.forwards.port_towards(protocol, inside)?;
        Some(SocketAddrV4::new(self.wan, port))
    }
}
