//! Packets to the router itself: it answers pings, and for its services.

use quirknat_alg::Side;

use super::pass::Refusal;
use super::{Router, Step, Stop};
use crate::event::{Answer, EventKind, Interface};
use crate::packet::{Fragment, Packet, Transport, echo_reply, reset};
use crate::profile::FragmentHandling;
use crate::reason::DropReason;
use crate::state::fragment::FragmentKey;
use crate::state::reassembly::Added;

impl Router {
    /// Answers a packet to one of the router's own addresses; never `Ok`, since nothing goes on.
    pub(super) fn answer(&mut self, ingress: Interface, packet: &Packet<'_>) -> Step {
        if packet.fragment() != Fragment::Whole {
            return self.answer_fragment(ingress, packet);
        }
        let answered = match packet.transport() {
            Transport::Echo { request: true, .. } => {
                echo_reply(packet).map(|reply| (reply, Answer::EchoReply))
            }
            Transport::Tcp(tcp) if self.tracking.refuses_to_begin(tcp.flags) => {
                return Err(DropReason::OutOfState.into());
            }
            Transport::Tcp(_) => {
                if let Some(stop) = self.upnp_segment(ingress, packet) {
                    return Err(stop);
                }
                reset(packet).map(|segment| (segment, Answer::Reset))
            }
            Transport::Udp { .. } => {
                if let Some(stop) = self.nat_pmp(ingress, packet) {
                    return Err(stop);
                }
                if let Some(stop) = self.ssdp(ingress, packet.destination(), packet) {
                    return Err(stop);
                }
                let from = if ingress == Interface::Wan { Side::Outside } else { Side::Inside };
                return Err(self.refuse(from, packet, Refusal::PORT_UNREACHABLE));
            }
            // RFC 1122 §3.2.2.1.
            Transport::Other => return Err(self.refuse(Side::Inside, packet, Refusal::PROTOCOL_UNREACHABLE)),
            _ => None,
        };
        match answered {
            Some((reply, answer)) => {
                let reply = self.own(reply, packet, false);
                self.transmit(ingress, reply);
                Err(Stop::Answered(answer))
            }
            None => Err(DropReason::NoService.into()),
        }
    }

    /// A fragment waits for its kin; the last one to come has the whole answered.
    fn answer_fragment(&mut self, ingress: Interface, packet: &Packet<'_>) -> Step {
        if *self.profile.fragments.handling == FragmentHandling::Drop {
            return Err(DropReason::Fragment.into());
        }
        let header = packet.header();
        let (source, destination, identification) =
            (header.source, header.destination, header.identification);
        let key = FragmentKey::new(ingress, &header);
        let deadline = self.clock.tick_after.saturating_add(*self.profile.fragments.timeout);
        self.own_reassembly.forget_due(self.clock.tick);
        match self.own_reassembly.add(key, packet, deadline) {
            Added::NoRoom => Err(DropReason::FragmentNoRoom.into()),
            Added::Refused => Err(DropReason::FragmentContradicts.into()),
            Added::Waits { .. } => {
                self.events.push(EventKind::FragmentHeld { source, destination, identification });
                Err(Stop::Taken)
            }
            Added::Complete(mut bytes, _) => {
                let whole = Packet::parse(&mut bytes).map_err(DropReason::from)?;
                self.answer(ingress, &whole)
            }
        }
    }
}
