//! New translations: whether one may be made, where it is put, and what makes room for it.

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_alg::Side;

use super::allocate::Wanted;
use super::control::{Control, Ends};
use super::pass::Refusal;
use super::queries::far_end;
use super::{Router, Stop, Timer};
use crate::event::{Answer, EventKind, ForwardEnd, Origin, TranslationEnd, TranslationRefusal};
use crate::packet::{Packet, Protocol, TcpFlags, Transport, reset};
use crate::profile::{MidStream, TellRefusal};
use crate::reason::DropReason;
use crate::state::flow::{ControlId, Flow, FlowId};
use crate::state::forward::ForwardId;
use crate::state::mapping::MappingId;
use crate::state::progress::Progress;
use crate::state::timer::TimerId;

/// The endpoints of a translation to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    pub(super) protocol: Protocol,
    pub(super) inside: SocketAddrV4,
    pub(super) external: SocketAddrV4,
    pub(super) remote: SocketAddrV4,
}

impl Router {
    /// A translation for a packet from the LAN.
    #[cold]
    pub(super) fn create_outbound(
        &mut self,
        protocol: Protocol,
        inside: SocketAddrV4,
        remote: SocketAddrV4,
        packet: &Packet<'_>,
    ) -> Result<FlowId, Stop> {
        self.passable(Side::Inside, Side::Outside, packet)?;
        self.open_outbound(protocol, inside, remote, packet)
    }

    /// The same for a packet that may be forwarded.
    pub(super) fn open_outbound(
        &mut self,
        protocol: Protocol,
        inside: SocketAddrV4,
        remote: SocketAddrV4,
        packet: &Packet<'_>,
    ) -> Result<FlowId, Stop> {
        if let Err(reason) = self.may_open_outbound(packet) {
            return Err(self.turn_back(reason, packet));
        }
        let remote = far_end(protocol, remote, packet);
        if let Err(reason) = self.make_room(*inside.ip()) {
            return Err(self.refused(protocol, inside, remote, reason, packet));
        }
        let mapping = match self.mappings.find(protocol, inside, remote) {
            Some(mapping) => mapping,
            None => match self.allocate(Wanted { protocol, inside, remote }) {
                Some(port) => self.mappings.insert(protocol, inside, remote, port),
                None => {
                    return Err(self.refused(
                        protocol,
                        inside,
                        remote,
                        TranslationRefusal::NoPortLeft,
                        packet,
                    ));
                }
            },
        };
        let port = self.mappings.get(mapping).map_or(0, |mapping| mapping.external_port);
        let external = SocketAddrV4::new(self.wan, port);
        let session = Session { protocol, inside, external, remote };
        Ok(self.insert(session, Side::Inside, Origin::Outbound, mapping, packet))
    }

    /// A translation for a packet from the WAN that `inside` is to get.
    pub(super) fn create_from_outside(
        &mut self,
        session: Session,
        origin: Origin,
        mapping: MappingId,
        packet: &Packet<'_>,
    ) -> Result<FlowId, Stop> {
        let Session { protocol, inside, external, remote } = session;
        // Two sessions of one inside endpoint with one remote could not be told apart on the LAN, and two of one
        // external endpoint not on the WAN.
        for (side, near) in [(Side::Inside, inside), (Side::Outside, external)] {
            let (source, destination) = if side == Side::Inside { (near, remote) } else { (remote, near) };
            if let Some(older) = self.flows.find(side, protocol, source, destination) {
                self.end_translation(older, TranslationEnd::Replaced);
            }
        }
        if let Err(reason) = self.make_room(*inside.ip()) {
            return Err(self.refused(protocol, inside, remote, reason, packet));
        }
        // What made room may have been the last flow of the mapping.
        let mapping = match origin {
            Origin::Mapping if self.mappings.get(mapping).is_none() => {
                self.mappings.insert(protocol, inside, remote, external.port())
            }
            _ => mapping,
        };
        let id = self.insert(session, Side::Outside, origin, mapping, packet);
        if origin == Origin::AlgForward {
            self.use_forward(external.port(), id);
        }
        Ok(id)
    }

    /// What the sender hears of a packet that may open nothing.
    fn turn_back(&mut self, reason: DropReason, packet: &Packet<'_>) -> Stop {
        if packet.tcp().is_none() || *self.profile.tcp.mid_stream != MidStream::Reset {
            return reason.into();
        }
        let Some(segment) = reset(packet) else { return reason.into() };
        let egress = self.back_to(packet.source());
        self.transmit(egress, segment);
        Stop::Answered(Answer::Reset)
    }

    fn may_open_outbound(&self, packet: &Packet<'_>) -> Result<(), DropReason> {
        let may = match packet.transport() {
            Transport::Tcp(tcp) => {
                let is_syn = tcp.flags.has(TcpFlags::SYN);
                if self.tracking.refuses_to_begin(tcp.flags) {
                    return Err(DropReason::OutOfState);
                }
                let first = Progress::SynFromInside;
                if self.tracking.is_strict() && is_syn && !first.expects(tcp.flags, Side::Inside) {
                    return Err(DropReason::OutOfState);
                }
                !tcp.flags.has(TcpFlags::RST)
                    && (is_syn || *self.profile.tcp.mid_stream == MidStream::Translate)
            }
            Transport::Echo { request, .. } => request,
            _ => true,
        };
        if may { Ok(()) } else { Err(DropReason::NoTranslation) }
    }

    pub(super) fn insert(
        &mut self,
        session: Session,
        from: Side,
        origin: Origin,
        mapping: MappingId,
        packet: &Packet<'_>,
    ) -> FlowId {
        let Session { protocol, inside, external, remote } = session;
        self.serials.translation += 1;
        self.counters.translations += 1;
        let (serial, id) = (self.serials.translation, self.flows.next_id());
        let lan_port = self.ports_of(*inside.ip()).next().unwrap_or_default();
        let flags = packet.tcp().map_or(TcpFlags(0), |tcp| tcp.flags);
        let mut flow = Flow {
            inside,
            external,
            remote,
            protocol,
            progress: Progress::begin(protocol, self.lifetimes.heeded(flags), from),
            origin,
            lan_port,
            deadline: 0,
            serial,
            timer: TimerId::UNSET,
            mapping,
            control: self.watch(protocol, Ends::of(origin, inside, external, remote)),
        };
        flow.deadline = self.clock.tick_after.saturating_add(self.lifetimes.of(flow.progress).seconds);
        flow.timer = self.timers.set(flow.deadline, Timer::Flow(id));
        if mapping == MappingId::NONE {
            self.mappings.occupy(protocol, external.port(), inside);
        } else {
            self.mappings.retain(mapping, *remote.ip());
        }
        self.transfers.begin(&flow);
        self.flows.insert(flow);
        if self.tracking.is_on() {
            self.tracking.begin(id, from, packet, self.events.now());
        }
        self.hosts.add(*inside.ip());
        self.evictions.enter(serial, id, &self.flows);
        let translation = serial;
        self.events.push(EventKind::TranslationCreated {
            translation,
            protocol,
            inside,
            external,
            remote,
            origin,
        });
        id
    }

    /// The gateway's state for a connection whose server port it watches.
    fn watch(&mut self, protocol: Protocol, ends: Ends) -> ControlId {
        let watched = protocol == Protocol::Tcp
            && self.dialect.watches(ends.client_port, ends.server_port)
            && self.dialect.handles(ends.inside_role);
        if !watched {
            return ControlId::NONE;
        }
        let control = Control::new(ends, &self.dialect);
        ControlId(u32::try_from(self.controls.insert(control)).unwrap_or(u32::MAX))
    }

    /// Room in the table for one more of `host`, if need be by ending another.
    pub(super) fn make_room(&mut self, host: Ipv4Addr) -> Result<(), TranslationRefusal> {
        if self.hosts.is_at_limit(host) {
            return Err(TranslationRefusal::HostLimit);
        }
        let limit = usize::try_from(*self.profile.table.translations).unwrap_or(usize::MAX);
        if self.flows.len() < limit {
            return Ok(());
        }
        let victim = self.evictions.victim(&self.flows).ok_or(TranslationRefusal::TableFull)?;
        self.end_translation(victim, TranslationEnd::Evicted);
        Ok(())
    }

    /// Tells of a translation that is not made, and the packet's sender where the profile says so.
    pub(super) fn refused(
        &mut self,
        protocol: Protocol,
        inside: SocketAddrV4,
        remote: SocketAddrV4,
        reason: TranslationRefusal,
        packet: &Packet<'_>,
    ) -> Stop {
        self.events.push(EventKind::TranslationRefused { protocol, inside, remote, reason });
        let silent = match reason {
            TranslationRefusal::TableFull => DropReason::TableFull,
            TranslationRefusal::HostLimit => DropReason::HostLimit,
            TranslationRefusal::NoPortLeft => DropReason::NoPortLeft,
            TranslationRefusal::RemoteTaken => DropReason::RemoteTaken,
        };
        let told = match *self.profile.table.tell_refusal {
            TellRefusal::Drop => None,
            TellRefusal::Prohibited => Some(Refusal::prohibited(silent)),
            TellRefusal::HostUnreachable => Some(Refusal::host_unreachable(silent)),
        };
        match told {
            Some(told) if packet.source() == *inside.ip() => self.refuse(Side::Inside, packet, told),
            _ => silent.into(),
        }
    }

    /// Takes a translation out, with its gateway state and the forwards that hang on it.
    #[cold]
    pub(super) fn end_translation(&mut self, id: FlowId, reason: TranslationEnd) {
        let Some(flow) = self.flows.remove(id) else { return };
        self.timers.cancel(flow.timer);
        self.hosts.remove(*flow.inside.ip());
        self.transfers.end(&flow);
        if flow.mapping == MappingId::NONE {
            self.mappings.vacate(flow.protocol, flow.external.port(), flow.inside);
        } else {
            let freed = self.mappings.release(flow.mapping, *flow.remote.ip());
            if let Some(port) = freed {
                self.rest(flow.protocol, port);
            }
        }
        self.events.push(EventKind::TranslationEnded { translation: flow.serial, reason });
        if flow.control != ControlId::NONE {
            self.end_control(flow.control);
        }
    }

    /// A connection came in through the gateway's forward at `port`.
    fn use_forward(&mut self, port: u16, flow: FlowId) {
        let Some((translation, remote)) = self.flows.get(flow).map(|flow| (flow.serial, flow.remote)) else {
            return;
        };
        let Some((id, used_up)) = self.count_use(port, remote) else { return };
        if let Some(forward) = self.forwards.get(id) {
            self.events.push(EventKind::ForwardUsed { forward: forward.serial, translation });
        }
        if used_up {
            self.close_forward(id, ForwardEnd::UsedUp);
        }
    }

    /// A segment came to the gateway's forward at `port` that begins no connection. It has used the forward all the same:
    /// Linux takes an expectation out before it looks at flags (`nf_conntrack_core.c`, `init_conntrack`).
    #[cold]
    pub(super) fn waste_forward(&mut self, port: u16, remote: SocketAddrV4) {
        if let Some((id, true)) = self.count_use(port, remote) {
            self.close_forward(id, ForwardEnd::UsedUp);
        }
    }

    /// The gateway's forward at `port` is used once more, if it admits `remote`; gives whether it is used up by that.
    fn count_use(&mut self, port: u16, remote: SocketAddrV4) -> Option<(ForwardId, bool)> {
        let id = self.forwards.admitting(Protocol::Tcp, port, remote).ok().flatten()?;
        let forward = self.forwards.get_mut(id)?;
        forward.used = forward.used.saturating_add(1);
        Some((id, forward.is_used_up()))
    }
}
