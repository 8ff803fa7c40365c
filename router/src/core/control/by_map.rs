//! A gateway with a map of what it replaced: each byte is decided on once, when all before it have been.

use quirknat_alg::{AnnouncementsFrom, Gaps, Oversize, Replacement, ReplacementText, Side};

use super::super::Router;
use super::put_payload;
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
        let sequence = tcp.sequence.wrapping_add(u32::from(tcp.flags.has(TcpFlags::SYN)));
        let length = packet.tcp_payload().len();
        let Some(streams) = self.streams_of(id) else { return Ok(()) };
        let arrival = streams.of(from).place(sequence, length);
        match arrival {
            _ if !self.may_rewrite_from(from) => self.hear(id, from, sequence, packet)?,
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
        self.renumber(id, from, sequence, packet);
        Ok(())
    }

    /// Whether what the end on side `from` announces may be rewritten.
    pub(super) fn may_rewrite_from(&self, from: Side) -> bool {
        from == Side::Inside || self.dialect.announcements_from == AnnouncementsFrom::EitherSide
    }

    /// Puts the rewritten bytes and both numbers into a segment that goes its way.
    fn renumber(&mut self, id: FlowId, from: Side, sequence: u32, packet: &mut Packet<'_>) {
        let Some(tcp) = packet.tcp() else { return };
        let oversize = self.dialect.oversize;
        let largest = self.mtu_towards(from).saturating_sub(tcp.payload_at);
        let adjust_sack = self.dialect.adjust_sack;
        if let Some(streams) = self.streams_of(id) {
            let (own, other) = streams.both_mut(from);
            own.advance(sequence, packet.tcp_payload());
            rewrite(own, sequence, oversize, largest, packet);
            acknowledge(other, adjust_sack, packet);
        }
    }

    pub(super) fn streams_of(&mut self, id: FlowId) -> Option<&mut PerSide<Stream>> {
        match &mut self.control_of(id)?.numbers {
            Numbers::Map(streams) => Some(streams),
            Numbers::Offsets(_) => None,
        }
    }

    /// What an end says whose announcements are never rewritten is read as it comes: a reply decides how a command is
    /// taken, and a command of it may be made unreadable.
    fn hear(&mut self, id: FlowId, from: Side, sequence: u32, packet: &Packet<'_>) -> Result<(), DropReason> {
        if packet.tcp_payload().is_empty() {
            return Ok(());
        }
        self.inspect(id, from, sequence, 0, packet)
    }

    /// The gateway reads a segment, whose bytes before `offset` it has seen before.
    fn inspect(
        &mut self,
        id: FlowId,
        from: Side,
        sequence: u32,
        offset: usize,
        packet: &Packet<'_>,
    ) -> Result<(), DropReason> {
        let decisions = self.read_segment(id, from, sequence, offset, packet.tcp_payload());
        for replacement in self.carry_out_all(id, from, decisions, packet)? {
            if let Some(streams) = self.streams_of(id) {
                replace(streams.of_mut(from), sequence, offset, replacement);
            }
        }
        Ok(())
    }
}

/// Notes what gives way in the segment at `sequence`, of which the bytes before `offset` have left as they are.
fn replace(stream: &mut Stream, sequence: u32, offset: usize, replacement: Replacement) {
    let Replacement { span, text, lost } = replacement;
    let at = |offset: usize| sequence.wrapping_add(u32::try_from(offset).unwrap_or_default());
    let start = span.start.max(offset);
    stream.replace(at(start), span.end.saturating_sub(start), text);
    if !lost.is_empty() {
        stream.replace(at(lost.start), lost.len(), ReplacementText::new());
    }
}

/// Puts the stream's rewritten bytes and numbers into a segment.
fn rewrite(stream: &Stream, sequence: u32, oversize: Oversize, largest: usize, packet: &mut Packet<'_>) {
    if !stream.is_rewritten() {
        return;
    }
    if let Some(payload) = stream.rewritten_payload(sequence, packet.tcp_payload()) {
        put_payload(payload, oversize, largest, packet);
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
