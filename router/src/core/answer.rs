//! Packets to the router itself. It answers pings and has no service.

use quirknat_alg::Side;

use super::{Router, Step, Stop};
use crate::event::{Answer, Interface};
use crate::packet::{Fragment, IcmpError, Packet, Transport, echo_reply, reset};
use crate::reason::DropReason;

impl Router {
    /// Answers a packet to one of the router's own addresses; never `Ok`, since nothing goes on.
    pub(super) fn answer(&mut self, ingress: Interface, packet: &Packet<'_>) -> Step {
        if packet.fragment() != Fragment::Whole {
            return Err(DropReason::FragmentToRouter.into());
        }
        let answered = match packet.transport() {
            Transport::Echo { request: true, .. } => {
                echo_reply(packet).map(|reply| (reply, Answer::EchoReply))
            }
            Transport::Tcp(_) => reset(packet).map(|segment| (segment, Answer::Reset)),
            Transport::Udp { .. } => {
                let from = if ingress == Interface::Wan { Side::Outside } else { Side::Inside };
                return Err(self.refuse(from, packet, IcmpError::PortUnreachable));
            }
            _ => None,
        };
        match answered {
            Some((reply, answer)) => {
                self.transmits.push_back((ingress, reply));
                Err(Stop::Answered(answer))
            }
            None => Err(DropReason::NoService.into()),
        }
    }
}
