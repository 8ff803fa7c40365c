//! An announcement that a forward is to be opened for: where its new text leads.

use std::net::SocketAddrV4;

use quirknat_alg::{LeftAlone, Opening, Oversize, Refused, Replacement};

use super::super::Router;
use crate::event::EventKind;
use crate::packet::Packet;
use crate::state::flow::FlowId;

/// Why an announcement is not rewritten after all.
#[derive(Debug, Clone, Copy)]
pub(super) enum Obstacle {
    /// It passes as it is.
    Pass(LeftAlone),
    /// Its segment is dropped.
    Refuse(Refused),
}

impl From<LeftAlone> for Obstacle {
    fn from(reason: LeftAlone) -> Self {
        Self::Pass(reason)
    }
}

impl Router {
    /// Opens the forward; gives what takes the place of the announcement. The mapping is there before the
    /// announcement leaves (RFC 6384 §7).
    pub(super) fn open_for(
        &mut self,
        id: FlowId,
        opening: &Opening,
        line: &str,
        packet: &Packet<'_>,
    ) -> Result<Replacement, Obstacle> {
        if !self.is_lan_host(*opening.target.ip()) {
            return Err(LeftAlone::ThirdPartyAddress.into());
        }
        let again = self.repeated(id, opening.target);
        let port = match again.and_then(|forward| self.forwards.get(forward)) {
            Some(forward) => forward.external_port,
            None => self.choose_data_port(id, opening.target)?,
        };
        let external = SocketAddrV4::new(self.wan, port);
        let new = opening.announcement.replacement(external, packet.tcp_payload());
        let grown = packet.as_bytes().len() + new.text.len() > self.wan_mtu + new.span.len() + new.lost.len();
        if grown && self.dialect.oversize == Oversize::LeaveAlone {
            return Err(LeftAlone::WouldExceedMtu.into());
        }
        let forward = match again {
            Some(forward) => self.refresh_forward(forward),
            None => self.open_forward(id, opening, port),
        };
        let translation = self.flows.get(id).map_or(0, |flow| flow.serial);
        let after = opening.announcement.rewritten_line(external, packet.tcp_payload());
        self.counters.commands_rewritten += 1;
        let before = line.to_owned();
        self.events.push(EventKind::CommandRewritten { translation, before, after, forward });
        Ok(new)
    }
}
