//! A gateway with a map of what it replaced: each byte is decided on once, when all before it have been.

use quirknat_alg::{Decision, Gaps, Opening, Oversize, Refused, ReplacementText, Side};

use super::super::Router;
use super::announced::Obstacle;
use super::text;
use crate::packet::{Packet, TcpFlags};
use crate::reason::DropReason;
use crate::state::flow::FlowId;
use crate::state::numbers::{Arrival, Numbers, PerSide, Stream};

impl Router {
    pub(super) fn control_by_map(
        &mut self,
        id: FlowId,
        from: Side,
        packet: &mut Packet<'_>,
    ) -> Result<(), DropReason> {
        let Some(tcp) = packet.tcp() else { return Ok(()) };
        let is_syn = tcp.flags.has(TcpFlags::SYN);
        // A SYN takes a sequence number of its own before the first byte.
        let sequence = tcp.sequence.wrapping_add(u32::from(is_syn));
        let length = packet.tcp_payload().len();
        let Some(streams) = self.streams_of(id) else { return Ok(()) };
        let stream = streams.of_mut(from);
        if is_syn {
            stream.begin(sequence);
        }
        let arrival = stream.place(sequence, length);
        if is_syn {
            self.begin_dialogue(id, from, sequence);
        }
        match arrival {
            // What comes from outside is not rewritten: it can be read in any order.
            Arrival::Gap if from == Side::Outside => self.inspect(id, from, sequence, 0, packet)?,
            Arrival::NewFrom(offset) if offset < length => {
                self.inspect(id, from, sequence, offset, packet)?;
            }
            Arrival::NewFrom(_) => {}
            Arrival::Gap => {
                let occupies = length > 0 || tcp.flags.has(TcpFlags::FIN);
                if occupies && self.dialect.gaps == Gaps::Drop {
                    return Err(DropReason::GapInControl);
                }
                self.pass_over(id, from, sequence, packet.tcp_payload());
            }
        }
        let oversize = self.dialect.oversize;
        let largest = self.mtu_towards(from).saturating_sub(tcp.payload_at);
        let adjust_sack = self.dialect.adjust_sack;
        if let Some(streams) = self.streams_of(id) {
            let (own, other) = streams.both_mut(from);
            own.advance(sequence, packet.tcp_payload());
            rewrite(own, sequence, oversize, largest, packet);
            acknowledge(other, adjust_sack, packet);
        }
        Ok(())
    }

    fn streams_of(&mut self, id: FlowId) -> Option<&mut PerSide<Stream>> {
        match &mut self.control_of(id)?.numbers {
            Numbers::Map(streams) => Some(streams),
            Numbers::Offsets(_) => None,
        }
    }

    /// The gateway reads the bytes from `offset` on, which it has not seen before. Nothing is done for any of them
    /// before all are decided on: a segment that is dropped leaves nothing behind.
    fn inspect(
        &mut self,
        id: FlowId,
        from: Side,
        sequence: u32,
        offset: usize,
        packet: &Packet<'_>,
    ) -> Result<(), DropReason> {
        let payload = packet.tcp_payload();
        let decisions = self.hear(id, from, sequence, offset, payload);
        for decision in decisions {
            match decision {
                Decision::Refuse(refused) | Decision::EndSession(refused) => return Err(refused.into()),
                Decision::LeaveAlone { announcement, reason } => {
                    let line = announcement.as_ref().map(|found| text(payload, &found.line));
                    self.left_alone(id, line, announcement.map(|found| found.endpoint), reason);
                }
                Decision::Open(opening) => {
                    let new = Seen { sequence, offset };
                    self.replace(id, from, new, &opening, packet)?;
                }
                Decision::Restate(_) | Decision::RewriteOnly(_) | Decision::Mask(_) => {}
            }
        }
        Ok(())
    }

    fn replace(
        &mut self,
        id: FlowId,
        from: Side,
        seen: Seen,
        opening: &Opening,
        packet: &Packet<'_>,
    ) -> Result<(), Refused> {
        let line = text(packet.tcp_payload(), &opening.announcement.line);
        match self.open_for(id, opening, &line, packet) {
            Ok(new) => {
                if let Some(streams) = self.streams_of(id) {
                    let stream = streams.of_mut(from);
                    // What was seen before has left as it was.
                    let start = new.span.start.max(seen.offset);
                    stream.replace(seen.at(start), new.span.end.saturating_sub(start), new.text);
                    if !new.lost.is_empty() {
                        stream.replace(seen.at(new.lost.start), new.lost.len(), ReplacementText::new());
                    }
                }
            }
            Err(Obstacle::Pass(reason)) => {
                self.left_alone(id, Some(line), Some(opening.announcement.endpoint), reason);
            }
            Err(Obstacle::Refuse(refused)) => return Err(refused),
        }
        Ok(())
    }
}

/// Where a segment stands in its stream, and how many of its bytes were seen before.
#[derive(Debug, Clone, Copy)]
struct Seen {
    sequence: u32,
    offset: usize,
}

impl Seen {
    /// The sequence number of the byte at `offset`.
    fn at(self, offset: usize) -> u32 {
        self.sequence.wrapping_add(u32::try_from(offset).unwrap_or_default())
    }
}

/// Puts the stream's rewritten bytes and numbers into a segment.
fn rewrite(stream: &Stream, sequence: u32, oversize: Oversize, largest: usize, packet: &mut Packet<'_>) {
    if !stream.is_rewritten() {
        return;
    }
    if let Some(mut payload) = stream.rewritten_payload(sequence, packet.tcp_payload()) {
        if oversize == Oversize::Truncate && payload.len() > largest {
            payload.truncate(largest);
            // What ends the stream comes with the rest, which the sender will send again.
            packet.clear_tcp_flag(TcpFlags::FIN);
        }
        packet.set_tcp_payload(&payload);
    }
    let Some(header_sequence) = packet.tcp().map(|tcp| tcp.sequence) else { return };
    packet.set_sequence(stream.to_rewritten(header_sequence));
}

/// What an end acknowledges of the other's rewritten stream is counted in rewritten numbers; that other end counts in its
/// own.
fn acknowledge(stream: &Stream, adjust_sack: bool, packet: &mut Packet<'_>) {
    let Some(tcp) = packet.tcp().filter(|_| stream.is_rewritten()) else { return };
    if tcp.flags.has(TcpFlags::ACK) {
        packet.set_acknowledgement(stream.to_original(tcp.acknowledgement));
    }
    if adjust_sack {
        packet.map_sack_blocks(|left, right| stream.sack_to_original(left, right));
    }
}
