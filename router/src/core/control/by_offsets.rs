//! A gateway with a few offsets between both ends' numbers: every segment is read, and rewritten where it stands,
//! whether it came before or not.

use quirknat_alg::{Replacement, Side};

use super::super::Router;
use super::put_payload;
use crate::packet::{Heed, Packet, Unreadable};
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
        let resized = self.read_again(id, from, packet)?;
        let selective = self.dialect.adjust_sack;
        let Some(Numbers::Offsets(offsets)) = self.control_of(id).map(|control| &mut control.numbers) else {
            return Ok(());
        };
        let (own, other) = offsets.both_mut(from);
        if resized.is_some_and(|resized| resized.change != 0) {
            own.take_over(other);
        }
        let heed = Heed { acknowledgement_flag: own.heeds_acknowledgement_flag(), selective };
        // The first segment that was rewritten has all its numbers from before that.
        let moves = own.is_moved() || other.is_moved();
        let passed = own.pass(tcp.sequence, resized);
        if !moves {
            return Ok(());
        }
        packet
            .move_numbers(heed, |_| passed, |number| other.acknowledge(number))
            .map_err(|Unreadable| DropReason::TcpOptionsMalformed)
    }

    /// Reads a segment and rewrites it in place.
    fn read_again(
        &mut self,
        id: FlowId,
        from: Side,
        packet: &mut Packet<'_>,
    ) -> Result<Option<Resized>, DropReason> {
        let Some(tcp) = packet.tcp().filter(|_| !packet.tcp_payload().is_empty()) else { return Ok(None) };
        // None of these gateways counts a SYN among the octets.
        let decisions = self.read_segment(id, from, tcp.sequence, 0, packet.tcp_payload());
        let replacements = self.carry_out_all(id, from, decisions, packet)?;
        if replacements.is_empty() {
            return Ok(None);
        }
        let mut payload = packet.tcp_payload().to_vec();
        // From the last on, so that the places of those before it stay what they are.
        for replacement in replacements.iter().rev() {
            payload = replaced(&payload, replacement);
        }
        let resized = resized(packet.tcp_payload().len(), payload.len());
        let largest = self.mtu_towards(from).saturating_sub(tcp.payload_at);
        put_payload(payload, self.dialect.oversize, largest, packet);
        Ok(Some(resized))
    }
}

fn replaced(payload: &[u8], replacement: &Replacement) -> Vec<u8> {
    let Replacement { span, text, lost } = replacement;
    let part = |range: std::ops::Range<usize>| payload.get(range).unwrap_or_default();
    [part(0..span.start), text.as_bytes(), part(span.end..lost.start), part(lost.end..payload.len())].concat()
}

fn resized(before: usize, after: usize) -> Resized {
    // No payload has more than 65535 octets.
    let narrow = |length| i32::try_from(length).unwrap_or_default();
    Resized { length: u32::try_from(before).unwrap_or_default(), change: narrow(after) - narrow(before) }
}
