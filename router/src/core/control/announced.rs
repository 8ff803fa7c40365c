//! What was decided is done: a forward opened, and the octets named that give way to others.

use std::net::SocketAddrV4;

use quirknat_alg::{
    AnnouncedAddress, Announcement, Decision, LeftAlone, Masking, Opening, Oversize, Refused, Replacement,
    ReplacementText, Side,
};

use super::super::Router;
use super::text;
use crate::event::EventKind;
use crate::packet::Packet;
use crate::reason::DropReason;
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
    /// Does what was decided on a segment; gives what takes whose octets' place. Nothing is done of anything before all is
    /// decided on: a segment that is dropped leaves nothing behind.
    pub(super) fn carry_out_all(
        &mut self,
        id: FlowId,
        from: Side,
        decisions: Vec<Decision>,
        packet: &Packet<'_>,
    ) -> Result<Vec<Replacement>, DropReason> {
        let ends_it = |decision: &Decision| matches!(decision, Decision::Refuse(_) | Decision::EndSession(_));
        if let Some(refusal) = decisions.iter().find(|decision| ends_it(decision)) {
            self.carry_out(id, from, refusal.clone(), packet)?;
        }
        let mut replacements = Vec::new();
        for decision in decisions {
            replacements.extend(self.carry_out(id, from, decision, packet)?);
        }
        Ok(replacements)
    }

    /// Does what was decided on an announcement.
    fn carry_out(
        &mut self,
        id: FlowId,
        from: Side,
        decision: Decision,
        packet: &Packet<'_>,
    ) -> Result<Option<Replacement>, DropReason> {
        let payload = packet.tcp_payload();
        match decision {
            Decision::Refuse(refused) => {
                if refused == Refused::PortZero {
                    self.make_room_for_forward(id, self.dialect.terms.outstanding);
                }
                Err(refused.into())
            }
            Decision::EndSession(refused) => {
                self.end_session(id, from, packet);
                Err(refused.into())
            }
            Decision::LeaveAlone { announcement, reason } => {
                let line = announcement.as_ref().map(|found| text(payload, &found.line));
                self.left_alone(id, line, announcement.map(|found| found.endpoint), reason);
                Ok(None)
            }
            Decision::Open(opening) => match self.open_for(id, from, &opening, packet) {
                Ok(replacement) => Ok(Some(replacement)),
                Err(Obstacle::Refuse(refused)) => Err(refused.into()),
                Err(Obstacle::Pass(reason)) => {
                    let announcement = opening.announcement;
                    let line = text(payload, &announcement.line);
                    self.left_alone(id, Some(line), Some(announcement.endpoint), reason);
                    Ok(None)
                }
            },
            Decision::Restate(announcement) => {
                self.make_room_for_forward(id, self.dialect.terms.outstanding);
                let endpoint = announcement.endpoint;
                Ok(Some(self.rewrite_to(id, &announcement, endpoint, None, payload)))
            }
            Decision::RewriteOnly(announcement) => {
                let endpoint = SocketAddrV4::new(self.wan, announcement.endpoint.port());
                Ok(Some(self.rewrite_to(id, &announcement, endpoint, None, payload)))
            }
            Decision::Mask(masking) => Ok(Some(self.mask(id, masking, payload))),
        }
    }

    /// Opens the forward, then rewrites: the mapping is there before the announcement leaves (RFC 6384 §7).
    fn open_for(
        &mut self,
        id: FlowId,
        from: Side,
        opening: &Opening,
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
        let named = self.named_as(port, opening.target);
        if self.dialect.oversize == Oversize::LeaveAlone {
            let new = opening.announcement.replacement(named, packet.tcp_payload());
            let gone = new.span.len() + new.lost.len();
            if packet.as_bytes().len() + new.text.len() > self.mtu_towards(from) + gone {
                return Err(LeftAlone::WouldExceedMtu.into());
            }
        }
        let forward = match again {
            Some(forward) => self.refresh_forward(forward),
            None => self.open_forward(id, opening, port),
        };
        Ok(self.rewrite_to(id, &opening.announcement, named, Some(forward), packet.tcp_payload()))
    }

    fn rewrite_to(
        &mut self,
        id: FlowId,
        announcement: &Announcement,
        endpoint: SocketAddrV4,
        forward: Option<u32>,
        payload: &[u8],
    ) -> Replacement {
        let translation = self.serial_of(id);
        let before = text(payload, &announcement.line);
        let after = announcement.rewritten_line(endpoint, payload);
        if forward.is_some() || before != after {
            self.counters.commands_rewritten += 1;
            self.events.push(EventKind::CommandRewritten { translation, before, after, forward });
        }
        announcement.replacement(endpoint, payload)
    }

    /// Makes a command unreadable.
    fn mask(&mut self, id: FlowId, masking: Masking, payload: &[u8]) -> Replacement {
        let Masking { command, span } = masking;
        let translation = self.serial_of(id);
        let before = text(payload, &span);
        let after = command.masked().to_owned();
        self.events.push(EventKind::CommandMasked { translation, before, after });
        let text = ReplacementText::from(command.masked()).unwrap_or_default();
        Replacement { lost: span.end..span.end, span, text }
    }

    /// What the new text names for a forward at `port`.
    fn named_as(&self, port: u16, target: SocketAddrV4) -> SocketAddrV4 {
        let own = || self.lan.iter().find(|port| port.holds(*target.ip())).map(|port| port.address);
        let address = match self.dialect.announced_address {
            AnnouncedAddress::External => None,
            AnnouncedAddress::Lan => own(),
        };
        SocketAddrV4::new(address.unwrap_or(self.wan), port)
    }
}
