//! A gateway with a map of what it replaced: each byte is decided on once, when all before it have been.

use quirknat_alg::{Decision, Gaps, KeywordPosition, Opening, Oversize, Refused, Side};

use super::super::Router;
use super::announced::Obstacle;
use super::{Starts, text};
use crate::packet::{Packet, TcpFlags};
use crate::reason::DropReason;
use crate::state::flow::FlowId;
use crate::state::numbers::{Arrival, Numbers, PerSide, Stream};

/// What was decided on a line, or on a segment's bytes.
struct Decided {
    /// Where in the payload those bytes begin.
    at: usize,
    decision: Decision,
}

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
        match arrival {
            // What comes from outside announces what is reachable as it is.
            _ if from == Side::Outside => self.report_announcement(id, from, packet.tcp_payload()),
            Arrival::NewFrom(offset) if offset < length => {
                self.inspect(id, from, sequence, offset, packet)?;
            }
            Arrival::NewFrom(_) => {}
            Arrival::Gap => {
                let occupies = length > 0 || tcp.flags.has(TcpFlags::FIN);
                if occupies && self.dialect.gaps == Gaps::Drop {
                    return Err(DropReason::GapInControl);
                }
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
        for Decided { at, decision } in self.decide_from(id, from, offset, packet.tcp_payload())? {
            let bytes = packet.tcp_payload().get(at..).unwrap_or_default();
            match decision {
                Decision::Nothing | Decision::Refuse(_) => {}
                Decision::LeaveAlone { announcement, reason } => {
                    let line = announcement.as_ref().map(|found| text(bytes, &found.line));
                    self.left_alone(id, line, announcement.map(|found| found.endpoint), reason);
                }
                Decision::Open(opening) => {
                    let start = sequence.wrapping_add(u32::try_from(at).unwrap_or_default());
                    self.replace(id, from, start, &opening, packet, bytes)?;
                }
            }
        }
        Ok(())
    }

    /// What is decided on the bytes from `offset` on: line by line where a keyword may begin any of them, and at once
    /// where the gateway looks for one a segment.
    fn decide_from(
        &mut self,
        id: FlowId,
        from: Side,
        offset: usize,
        payload: &[u8],
    ) -> Result<Vec<Decided>, Refused> {
        let Some(streams) = self.streams_of(id) else { return Ok(Vec::new()) };
        let mut starts = Starts { segment: offset == 0, line: streams.of(from).ends_line() };
        let by_line = self.dialect.keyword_position == KeywordPosition::AnyLineStart;
        let bytes = payload.get(offset..).unwrap_or_default();
        let (mut at, mut decided) = (offset, Vec::new());
        for piece in bytes.split_inclusive(|byte| by_line && *byte == b'\n') {
            match self.decide(id, from, piece, starts) {
                Decision::Nothing => {}
                Decision::Refuse(refused) => return Err(refused),
                decision => decided.push(Decided { at, decision }),
            }
            at += piece.len();
            starts = Starts { segment: false, line: true };
        }
        Ok(decided)
    }

    fn replace(
        &mut self,
        id: FlowId,
        from: Side,
        sequence: u32,
        opening: &Opening,
        packet: &Packet<'_>,
        bytes: &[u8],
    ) -> Result<(), Refused> {
        let line = text(bytes, &opening.announcement.line);
        match self.open_for(id, opening, &line, packet) {
            Ok(new) => {
                let span = &opening.announcement.span;
                let start = sequence.wrapping_add(u32::try_from(span.start).unwrap_or_default());
                if let Some(streams) = self.streams_of(id) {
                    streams.of_mut(from).replace(start, span.len(), new);
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
