//! ICMP errors about a control connection, in a gateway that moves numbers in all it is given.

use quirknat_alg::Side;

use super::super::{Router, opposite};
use crate::event::Origin;
use crate::packet::{Heed, Packet, Unreadable};
use crate::reason::DropReason;
use crate::state::flow::FlowId;
use crate::state::numbers::Numbers;

impl Router {
    /// Likewise an error of the router's own, about a `packet` that came in from the side `from`.
    pub(in super::super) fn adjust_own_error(
        &mut self,
        from: Side,
        packet: &Packet<'_>,
        error: &mut Vec<u8>,
    ) -> Result<(), DropReason> {
        if !self.dialect.adjust_icmp_errors {
            return Ok(());
        }
        let Some((protocol, source, destination)) = packet.session() else { return Ok(()) };
        let Some(id) = self.flows.find(from, protocol, source, destination) else { return Ok(()) };
        let mut error = Packet::parse(error)?;
        self.adjust_error(id, opposite(from), &mut error)
    }

    /// An ICMP error from the side `from`, about the flow, is about to leave. Linux has those moved that go the way the
    /// connection was opened (`nf_confirm` sends away what is `IP_CT_RELATED_REPLY`, and no other): the octets at the place
    /// of a segment's numbers are the error's second word and the first one of what it quotes.
    pub(in super::super) fn adjust_error(
        &mut self,
        id: FlowId,
        from: Side,
        packet: &mut Packet<'_>,
    ) -> Result<(), DropReason> {
        if !self.dialect.adjust_icmp_errors {
            return Ok(());
        }
        let Some(flow) = self.flows.get(id) else { return Ok(()) };
        let is_original = (from == Side::Inside) == (flow.origin == Origin::Outbound);
        let selective = self.dialect.adjust_sack;
        let Some(control) = self.controls.get_mut(flow.control.0 as usize).filter(|_| is_original) else {
            return Ok(());
        };
        let moved = match &mut control.numbers {
            Numbers::Offsets(offsets) => {
                let (own, other) = offsets.both_mut(from);
                if !own.is_moved() && !other.is_moved() {
                    return Ok(());
                }
                let heed = Heed { acknowledgement_flag: own.heeds_acknowledgement_flag(), selective };
                packet.move_numbers(heed, |number| own.pass(number, None), |number| other.acknowledge(number))
            }
            Numbers::Map(streams) => {
                let (own, other) = streams.both_mut(from);
                if !own.is_rewritten() && !other.is_rewritten() {
                    return Ok(());
                }
                let heed = Heed { acknowledgement_flag: true, selective };
                packet.move_numbers(
                    heed,
                    |number| own.to_rewritten(number),
                    |number| other.to_original(number),
                )
            }
        };
        moved.map_err(|Unreadable| DropReason::ErrorReadAsSegment)
    }
}
