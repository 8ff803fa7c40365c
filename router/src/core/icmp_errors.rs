//! ICMP errors about a translation's packets: translated with the packet they quote (RFC 5508 §4). They neither
//! refresh nor end a translation (RFC 5508 REQ-6).

use quirknat_alg::Side;

use super::pass::Passing;
use super::{Router, Step, opposite};
use crate::event::Passage;
use crate::packet::{End, Packet, Protocol, Quote};
use crate::profile::{GreToldBy, IcmpErrors, QuotedSequence};
use crate::reason::DropReason;
use crate::state::flow::FlowId;

impl Router {
    pub(super) fn icmp_error(&mut self, from: Side, packet: &mut Packet<'_>) -> Step {
        let treatment = match from {
            Side::Inside => *self.profile.icmp.outbound_errors,
            Side::Outside => *self.profile.icmp.inbound_errors,
        };
        if treatment == IcmpErrors::Drop {
            return Err(DropReason::IcmpErrorRefused.into());
        }
        let quote = packet.quote().ok_or(DropReason::UnrelatedIcmpError)?;
        // The quoted packet went the other way: it came in from the opposite side and left to this one. Queries are asked
        // from inside.
        let (mut near, mut far) = match from {
            Side::Inside => (quote.destination, quote.source),
            Side::Outside => (quote.source, quote.destination),
        };
        if matches!(quote.protocol, Protocol::Other(_)) && *self.profile.nat.other.gre == GreToldBy::Nothing {
            near.set_port(0);
            far.set_port(0);
        }
        let may_be_quoted = quote.protocol != Protocol::Icmp || quote.is_request == (from == Side::Outside);
        let id = self
            .flows
            .find_exact(from, quote.protocol, near, far)
            .filter(|_| may_be_quoted)
            .ok_or(DropReason::UnrelatedIcmpError)?;
        self.passable(from, opposite(from), packet)?;
        let Some(flow) = self.flows.get(id) else { return Err(DropReason::UnrelatedIcmpError.into()) };
        let peer = if from == Side::Inside { flow.inside } else { flow.remote };
        let passing = Passing::of(flow);
        let to_peer = *self.profile.icmp.outbound_errors_to_peer;
        if to_peer && from == Side::Inside && packet.destination() != *flow.remote.ip() {
            return Err(DropReason::UnrelatedIcmpError.into());
        }
        match treatment {
            IcmpErrors::TranslateFromPeer if packet.source() != *peer.ip() => {
                return Err(DropReason::IcmpErrorNotFromPeer.into());
            }
            IcmpErrors::TranslateOuter => {}
            _ => self.translate_quote(id, from, quote, packet),
        }
        self.adjust_error(id, from, packet)?;
        self.record_route(from, &passing, packet);
        Ok(self.depart(from, &passing, Passage::IcmpErrorTranslated, packet))
    }

    /// Shows the quoted packet as the host that sent it knows it.
    fn translate_quote(&mut self, id: FlowId, from: Side, quote: Quote, packet: &mut Packet<'_>) {
        let Some(flow) = self.flows.get(id) else { return };
        match opposite(from) {
            Side::Inside => packet.set_quoted_endpoint(quote, End::Source, flow.inside),
            Side::Outside => packet.set_quoted_endpoint(quote, End::Destination, flow.external),
        }
        if quote.protocol == Protocol::Tcp
            && from == Side::Outside
            && *self.profile.icmp.quoted_sequence == QuotedSequence::Original
            && let Some(sequence) = self.original_sequence(id, packet.quoted_sequence(quote))
        {
            packet.set_quoted_sequence(quote, sequence);
        }
        packet.finish_quote();
    }
}
