//! A gateway with a few offsets between both ends' numbers: every segment is read, and rewritten where it stands,
//! whether it came before or not.

use quirknat_alg::{Decision, Opening, Oversize, Side};

use super::super::Router;
use super::announced::Obstacle;
use super::text;
use crate::packet::{Packet, TcpFlags};
use crate::reason::DropReason;
use crate::state::flow::FlowId;
use crate::state::numbers::{Numbers, Resized};

impl Router {
    pub(super) fn control_by_offsets(
        &mut self,
        id: FlowId,
        from: Side,
        packet: &mut Packet<'_>,
    ) -> Result<(), DropReason> {
        let Some(tcp) = packet.tcp() else { return Ok(()) };
        if tcp.flags.has(TcpFlags::SYN) {
            self.begin(id, from, tcp.sequence);
            self.begin_dialogue(id, from, tcp.sequence.wrapping_add(1));
        }
        let resized = self.read_again(id, from, packet)?;
        let adjust_sack = self.dialect.adjust_sack;
        let Some(control) = self.control_of(id) else { return Ok(()) };
        let Numbers::Offsets(offsets) = &mut control.numbers else { return Ok(()) };
        let (own, other) = offsets.both_mut(from);
        if resized.is_some_and(|resized| resized.change != 0) {
            own.take_over(other);
        }
        // Whether a flag says that the acknowledgement number means anything is looked at by none of these gateways.
        let (sequence, acknowledgement) = (tcp.sequence, tcp.acknowledgement);
        packet.set_sequence(own.pass(sequence, resized));
        packet.set_acknowledgement(other.acknowledge(acknowledgement));
        if adjust_sack {
            packet.move_sack_edges(|edge| other.acknowledge(edge));
        }
        Ok(())
    }

    fn begin(&mut self, id: FlowId, from: Side, sequence: u32) {
        let Some(Numbers::Offsets(offsets)) = self.control_of(id).map(|control| &mut control.numbers) else {
            return;
        };
        offsets.of_mut(from).begin(sequence);
    }

    /// Reads a segment and rewrites its announcement in place.
    fn read_again(
        &mut self,
        id: FlowId,
        from: Side,
        packet: &mut Packet<'_>,
    ) -> Result<Option<Resized>, DropReason> {
        if packet.tcp_payload().is_empty() {
            return Ok(None);
        }
        let Some(tcp) = packet.tcp() else { return Ok(None) };
        let sequence = tcp.sequence.wrapping_add(u32::from(tcp.flags.has(TcpFlags::SYN)));
        let mut resized = None;
        for decision in self.hear(id, from, sequence, 0, packet.tcp_payload()) {
            match decision {
                Decision::Refuse(refused) | Decision::EndSession(refused) => return Err(refused.into()),
                Decision::LeaveAlone { announcement, reason } => {
                    let line = announcement.as_ref().map(|found| text(packet.tcp_payload(), &found.line));
                    self.left_alone(id, line, announcement.map(|found| found.endpoint), reason);
                }
                // A number model of this kind knows of one change a segment.
                Decision::Open(opening) if resized.is_none() => {
                    resized = self.rewrite_in_place(id, from, &opening, packet)?;
                }
                Decision::Open(_) | Decision::Restate(_) | Decision::RewriteOnly(_) | Decision::Mask(_) => {}
            }
        }
        Ok(resized)
    }

    fn rewrite_in_place(
        &mut self,
        id: FlowId,
        from: Side,
        opening: &Opening,
        packet: &mut Packet<'_>,
    ) -> Result<Option<Resized>, DropReason> {
        let payload = packet.tcp_payload();
        let line = text(payload, &opening.announcement.line);
        let new = match self.open_for(id, opening, &line, packet) {
            Ok(new) => new,
            Err(Obstacle::Pass(reason)) => {
                self.left_alone(id, Some(line), Some(opening.announcement.endpoint), reason);
                return Ok(None);
            }
            Err(Obstacle::Refuse(refused)) => return Err(refused.into()),
        };
        let piece = |range: std::ops::Range<usize>| payload.get(range).unwrap_or_default();
        let (head, tail) = (piece(0..new.span.start), piece(new.span.end..new.lost.start));
        let end = piece(new.lost.end..payload.len());
        let mut rewritten = [head, new.text.as_bytes(), tail, end].concat();
        let resized = resized(payload.len(), rewritten.len());
        let largest = self.mtu_towards(from).saturating_sub(packet.as_bytes().len() - payload.len());
        if self.dialect.oversize == Oversize::Truncate && rewritten.len() > largest {
            rewritten.truncate(largest);
            packet.clear_tcp_flag(TcpFlags::FIN);
        }
        packet.set_tcp_payload(&rewritten);
        Ok(Some(resized))
    }
}

fn resized(before: usize, after: usize) -> Resized {
    // No payload has more than 65535 octets.
    let narrow = |length| i32::try_from(length).unwrap_or_default();
    Resized { length: u32::try_from(before).unwrap_or_default(), change: narrow(after) - narrow(before) }
}
