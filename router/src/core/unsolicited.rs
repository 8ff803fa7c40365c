//! What a packet to the WAN address gets that nothing wants or that filtering refuses: silence, a refusal, or, for a SYN,
//! a refusal that waits whether its connection is opened from the LAN meanwhile (RFC 5382 REQ-4).

use std::collections::BTreeMap;

use quirknat_alg::Side;

use super::pass::Refusal;
use super::{Router, Stop, Timer};
use crate::event::{Answer, EventKind, Interface};
use crate::packet::{Packet, TcpFlags, Transport, reset};
use crate::profile::{UnsolicitedTcp, UnsolicitedUdp};
use crate::reason::DropReason;
use crate::state::timer::Tick;

/// As many SYNs wait for their answers at a time; more are dropped.
const HELD: usize = 256;

/// The SYNs that wait, by the number their timer has.
#[derive(Debug, Default)]
pub(super) struct HeldSyns {
    waiting: BTreeMap<u32, Held>,
    next_number: u32,
}

#[derive(Debug)]
struct Held {
    packet: Vec<u8>,
    /// Why it was not wanted.
    reason: DropReason,
    due: Tick,
}

impl Router {
    /// Refuses a packet from the WAN as the profile says.
    pub(super) fn unsolicited(&mut self, reason: DropReason, packet: &Packet<'_>) -> Stop {
        let is_syn =
            packet.tcp().is_some_and(|tcp| tcp.flags.has(TcpFlags::SYN) && !tcp.flags.has(TcpFlags::ACK));
        let answers = *self.profile.wan.unsolicited_tcp != UnsolicitedTcp::Drop;
        if is_syn && answers && *self.profile.wan.syn_answer_delay > 0 {
            return self.hold_syn(reason, packet);
        }
        self.turn_away(reason, packet)
    }

    fn turn_away(&mut self, reason: DropReason, packet: &Packet<'_>) -> Stop {
        let wan = &self.profile.wan;
        let refusal = match packet.transport() {
            Transport::Udp { .. } => match *wan.unsolicited_udp {
                UnsolicitedUdp::Drop => None,
                UnsolicitedUdp::PortUnreachable => Some(Refusal::port_unreachable(reason)),
                UnsolicitedUdp::Prohibited => Some(Refusal::prohibited(reason)),
            },
            Transport::Tcp(tcp) => match *wan.unsolicited_tcp {
                UnsolicitedTcp::Drop => None,
                UnsolicitedTcp::Reset => return self.reset(reason, packet),
                // Nothing refuses a reset.
                _ if tcp.flags.has(TcpFlags::RST) => None,
                UnsolicitedTcp::PortUnreachable => Some(Refusal::port_unreachable(reason)),
                UnsolicitedTcp::Prohibited => Some(Refusal::prohibited(reason)),
            },
            _ => None,
        };
        refusal.map_or(Stop::Dropped(reason), |refusal| self.refuse(Side::Outside, packet, refusal))
    }

    fn reset(&mut self, reason: DropReason, packet: &Packet<'_>) -> Stop {
        match reset(packet) {
            Some(segment) => {
                let segment = self.own(segment, packet, false);
                self.transmits.push_back((Interface::Wan, segment));
                Stop::Answered(Answer::Reset)
            }
            None => Stop::Dropped(reason),
        }
    }

    fn hold_syn(&mut self, reason: DropReason, packet: &Packet<'_>) -> Stop {
        let Some((_, source, destination)) = packet.session() else { return reason.into() };
        if self.held_syns.waiting.len() >= HELD {
            return DropReason::SynNoRoom.into();
        }
        let number = self.held_syns.next_number;
        self.held_syns.next_number = number.wrapping_add(1);
        let due = self.clock.tick_after.saturating_add(*self.profile.wan.syn_answer_delay);
        self.held_syns.waiting.insert(number, Held { packet: packet.as_bytes().to_vec(), reason, due });
        self.timers.set(due, Timer::Syn(number));
        self.events.push(EventKind::SynHeld { source, destination, answered_s: due });
        Stop::Taken
    }

    pub(super) fn look_at_syn(&mut self, number: u32) {
        match self.held_syns.waiting.get(&number).map(|held| held.due) {
            Some(due) if due > self.clock.tick => {
                self.timers.set(due, Timer::Syn(number));
            }
            _ => self.answer_syn(number),
        }
    }

    /// A SYN's time is over.
    fn answer_syn(&mut self, number: u32) {
        let Some(Held { packet: mut bytes, reason, .. }) = self.held_syns.waiting.remove(&number) else {
            return;
        };
        let Ok(packet) = Packet::parse(&mut bytes) else { return };
        let Some((protocol, remote, external)) = packet.session() else { return };
        let stop = match self.flows.find(Side::Outside, protocol, remote, external) {
            Some(_) => DropReason::OpenedMeanwhile.into(),
            None => self.turn_away(reason, &packet),
        };
        self.stopped(stop, *remote.ip(), *external.ip());
    }
}
