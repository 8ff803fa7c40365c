//! A packet of a translation on its way: gateway, state, timeout, rewrite. The same for both directions.

use std::net::SocketAddrV4;

use quirknat_alg::{Side, may_announce};

use super::{Router, Step, Stop, Timer, opposite};
use crate::event::{Answer, EventKind, Interface, Passage};
use crate::packet::bytes::read_u16;
use crate::packet::{End, Fragment, IcmpError, Packet, Protocol, Transport, fragments};
use crate::reason::DropReason;
use crate::state::flow::{ControlId, Flow, FlowId};
use crate::state::progress::Progress;
use crate::state::timer;

/// What a packet needs of its flow on its way.
pub(super) struct Passing {
    pub(super) serial: u32,
    pub(super) inside: SocketAddrV4,
    pub(super) external: SocketAddrV4,
    pub(super) lan_port: u8,
}

impl Passing {
    #[inline]
    pub(super) fn of(flow: &Flow) -> Self {
        Self { serial: flow.serial, inside: flow.inside, external: flow.external, lan_port: flow.lan_port }
    }
}

impl Router {
    /// From the LAN to the outside world.
    #[inline]
    pub(super) fn outbound(&mut self, ingress: Interface, packet: &mut Packet<'_>) -> Step {
        let Some((protocol, source, remote)) = packet.session() else {
            return self.without_session(Side::Inside, packet);
        };
        let id = match self.flows.find(Side::Inside, protocol, source, remote) {
            Some(id) if protocol != Protocol::Icmp || is_request(packet) => id,
            // A reply from the LAN answers nothing that the LAN has asked.
            _ => self.create_outbound(protocol, source, remote, packet)?,
        };
        if let (Interface::Lan(port), Some(flow)) = (ingress, self.flows.get_mut(id)) {
            flow.lan_port = port;
        }
        self.pass(id, Side::Inside, packet)
    }

    /// What is neither TCP nor UDP nor an echo.
    #[cold]
    pub(super) fn without_session(&mut self, from: Side, packet: &mut Packet<'_>) -> Step {
        match packet.transport() {
            Transport::IcmpError => self.icmp_error(from, packet),
            Transport::IcmpOther { .. } => self.query(from, packet),
            Transport::Other => self.other_protocol(from, packet),
            _ => Err(DropReason::UnsupportedProtocol.into()),
        }
    }

    /// Moves a packet from `from` along its translation.
    #[inline]
    pub(super) fn pass(&mut self, id: FlowId, from: Side, packet: &mut Packet<'_>) -> Step {
        if self.is_particular {
            return self.pass_closely(id, from, packet);
        }
        self.passable(from, opposite(from), packet)?;
        self.read(id, from, packet)?;
        let Some(passing) = self.touch(id, from, packet) else {
            return Err(DropReason::NoTranslation.into());
        };
        Ok(self.depart(from, &passing, Passage::Translated, packet))
    }

    /// What the gateway has to say of a packet.
    #[inline]
    pub(super) fn read(&mut self, id: FlowId, from: Side, packet: &mut Packet<'_>) -> Result<(), Stop> {
        let Some(flow) = self.flows.get_mut(id) else { return Err(DropReason::NoTranslation.into()) };
        if flow.protocol == Protocol::Tcp {
            if flow.control != ControlId::NONE {
                self.control_segment(id, from, packet)?;
                self.outgrown(from, packet)?;
            } else if may_announce(packet.tcp_payload()) {
                self.report_announcement(id, from, packet.tcp_payload());
            }
        }
        Ok(())
    }

    /// What few routers do with every packet: port triggering, strict tracking, and an identification of the router's own for what goes
    /// out, if it is or may become a fragment (RFC 6864 §5.3.1); in any other it means nothing.
    #[cold]
    pub(super) fn look_closely(
        &mut self,
        id: FlowId,
        from: Side,
        packet: &mut Packet<'_>,
    ) -> Result<(), DropReason> {
        if let (Side::Inside, Some((protocol, inside, remote))) = (from, packet.session()) {
            self.trigger(protocol, *inside.ip(), remote.port());
        }
        let progress = self.flows.get(id).map(|flow| flow.progress);
        if let (true, Some(tcp), Some(progress)) = (self.tracking.is_strict(), packet.tcp(), progress)
            && !progress.expects(tcp.flags, from)
        {
            return Err(DropReason::OutOfState);
        }
        let is_atomic = packet.dont_fragment() && packet.fragment() == Fragment::Whole;
        if let Some(next) = self.identifications.as_mut().filter(|_| from == Side::Inside && !is_atomic) {
            packet.set_identification(*next);
            *next = next.wrapping_add(1);
        }
        Ok(())
    }

    /// One hop less, the flow's other address, and out on the other side.
    #[inline]
    pub(super) fn depart(
        &mut self,
        from: Side,
        flow: &Passing,
        passage: Passage,
        packet: &mut Packet<'_>,
    ) -> Interface {
        let egress = match from {
            Side::Inside => {
                packet.hop(End::Source, flow.external);
                Interface::Wan
            }
            Side::Outside => {
                packet.hop(End::Destination, flow.inside);
                self.lan_egress(*flow.inside.ip(), flow.lan_port, packet)
            }
        };
        self.passed(egress, Some(flow.serial), passage);
        egress
    }

    /// Whether a packet may be forwarded at all; answers it where it may not. Changes nothing.
    #[inline]
    pub(super) fn passable(&mut self, from: Side, to: Side, packet: &Packet<'_>) -> Result<(), Stop> {
        if packet.ttl() <= 1 {
            return Err(self.refuse(from, packet, Refusal::TIME_EXCEEDED));
        }
        let mtu = match to {
            Side::Inside => self.lan_mtu,
            Side::Outside => self.wan_mtu,
        };
        if packet.exceeds(mtu) {
            return Err(self.refuse(from, packet, Refusal::fragmentation_needed(mtu)));
        }
        Ok(())
    }

    /// Answers a packet with an ICMP error, where RFC 1122 §3.2.2 allows one.
    #[cold]
    pub(super) fn refuse(&mut self, from: Side, packet: &Packet<'_>, refusal: Refusal) -> Stop {
        if !packet.may_be_answered_with_an_error() {
            return Stop::Dropped(refusal.silent);
        }
        let source = packet.source();
        let port = self.ports_of(source).next().unwrap_or_default();
        let (router, ingress) = match from {
            Side::Inside => {
                let asked = packet.destination();
                let nearest = self.lan.get(usize::from(port)).map_or(self.wan, |port| port.address);
                let own = if self.is_own(asked) { asked } else { nearest };
                (own, self.back_to(source))
            }
            Side::Outside => (self.wan, Interface::Wan),
        };
        let mut error = self.own(self.error_about(refusal.error, packet, router), packet, true);
        if let Err(reason) = self.adjust_own_error(from, packet, &mut error) {
            return Stop::Dropped(reason);
        }
        self.transmits.push_back((ingress, error));
        Stop::Answered(refusal.answer)
    }

    /// The packet moves its session on and refreshes its timeout. Gives what it needs of the flow, so that this is
    /// looked at once.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "measured: a call here is a tenth of a packet's time")]
    pub(super) fn touch(&mut self, id: FlowId, from: Side, packet: &Packet<'_>) -> Option<Passing> {
        let flow = self.flows.get_mut(id)?;
        let before = flow.progress;
        let progress = match packet.tcp() {
            Some(tcp) => before.next(self.lifetimes.heeded(tcp.flags), from),
            None => before.answered(from),
        };
        let passing = Passing::of(flow);
        let lifetime = self.lifetimes.of(progress);
        let deadline = self.clock.tick_after.saturating_add(lifetime.seconds);
        if progress != before {
            flow.progress = progress;
            self.turn(id, from, progress, deadline);
        } else if deadline != flow.deadline && lifetime.is_refreshed_from(from) {
            self.refresh(id, deadline);
        }
        Some(passing)
    }

    /// A session has come farther. A segment that does this to its connection sets the new state's timeout, whoever sent
    /// it.
    fn turn(&mut self, id: FlowId, from: Side, progress: Progress, deadline: timer::Tick) {
        let is_new = self.flows.get(id).is_some_and(|flow| flow.deadline != deadline);
        if is_new && self.lifetimes.of(progress).is_set_from(from, progress) {
            self.refresh(id, deadline);
        }
        if let Some(reason) = self.lifetimes.end(progress) {
            self.end_translation(id, reason);
        }
    }

    /// A translation's deadline moves; with whole seconds, once a second.
    pub(super) fn refresh(&mut self, id: FlowId, deadline: timer::Tick) {
        let Some(flow) = self.flows.get_mut(id).filter(|flow| flow.deadline != deadline) else { return };
        let translation = flow.serial;
        let sooner = deadline < flow.deadline;
        flow.deadline = deadline;
        if sooner {
            // A longer deadline waits for the timer to fire and be set again; a shorter one cannot.
            self.timers.cancel(flow.timer);
            flow.timer = self.timers.set(deadline, Timer::Flow(id));
            self.evictions.enter(translation, id, &self.flows);
        }
        self.events.push(EventKind::TranslationRefreshed { translation, expires_s: deadline });
    }

    /// The largest packet that the link takes which a packet from `from` leaves on.
    pub(super) fn mtu_towards(&self, from: Side) -> usize {
        match from {
            Side::Inside => self.wan_mtu,
            Side::Outside => self.lan_mtu,
        }
    }

    /// Sends `bytes` as it is, or in fragments if the link's MTU wants them. A packet that may not be fragmented is
    /// larger only where the gateway made it so, and goes out as it is.
    pub(super) fn within_mtu(&mut self, egress: Interface, bytes: &[u8]) -> Option<Interface> {
        const DONT_FRAGMENT: u16 = 0x4000;
        let mtu = match egress {
            Interface::Wan => self.wan_mtu,
            Interface::Lan(_) => self.lan_mtu,
        };
        if bytes.len() <= mtu || read_u16(bytes, 6) & DONT_FRAGMENT != 0 {
            return Some(egress);
        }
        let fragments = fragments(bytes, mtu);
        self.transmits.extend(fragments.into_iter().map(|fragment| (egress, fragment)));
        None
    }

    /// Sends a packet besides the one under way.
    pub(super) fn transmit(&mut self, egress: Interface, bytes: Vec<u8>) {
        if let Some(egress) = self.within_mtu(egress, &bytes) {
            self.transmits.push_back((egress, bytes));
        }
    }
}

fn is_request(packet: &Packet<'_>) -> bool {
    matches!(packet.transport(), Transport::Echo { request: true, .. })
}

/// Why a packet is refused, with the ICMP error that says so and what it is called where none may be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    error: IcmpError,
    answer: Answer,
    silent: DropReason,
}

impl Refusal {
    pub(super) const TIME_EXCEEDED: Self = Self {
        error: IcmpError::TimeExceeded,
        answer: Answer::TimeExceeded,
        silent: DropReason::TtlExceeded,
    };
    pub(super) const PORT_UNREACHABLE: Self = Self {
        error: IcmpError::PortUnreachable,
        answer: Answer::PortUnreachable,
        silent: DropReason::NoService,
    };

    pub(super) const PROTOCOL_UNREACHABLE: Self = Self {
        error: IcmpError::ProtocolUnreachable,
        answer: Answer::ProtocolUnreachable,
        silent: DropReason::NoService,
    };

    /// Why a packet is refused that would be dropped for `silent`.
    pub(super) fn port_unreachable(silent: DropReason) -> Self {
        Self { silent, ..Self::PORT_UNREACHABLE }
    }

    /// Likewise by code 13.
    pub(super) fn prohibited(silent: DropReason) -> Self {
        Self { error: IcmpError::Prohibited, answer: Answer::Prohibited, silent }
    }

    /// Likewise by code 1.
    pub(super) fn host_unreachable(silent: DropReason) -> Self {
        Self { error: IcmpError::HostUnreachable, answer: Answer::HostUnreachable, silent }
    }

    pub(super) fn fragmentation_needed(mtu: usize) -> Self {
        Self {
            error: IcmpError::FragmentationNeeded { mtu: u16::try_from(mtu).unwrap_or(u16::MAX) },
            answer: Answer::FragmentationNeeded,
            silent: DropReason::FragmentationNeeded,
        }
    }
}
