//! Control connections that the gateway watches: its decisions, its forwards, and the sequence numbers it moves.

use std::net::SocketAddrV4;

use quirknat_alg::{DataPort, Decision, Gaps, LeftAlone, Opening, Oversize, Role, Segment, Side};

use super::{Router, Timer};
use crate::event::{EventKind, ForwardEnd, Origin};
use crate::packet::{Fragment, Packet, Protocol, TcpFlags};
use crate::reason::DropReason;
use crate::state::flow::{ControlId, FlowId};
use crate::state::forward::{AlgForward, ForwardId};
use crate::state::stream::{Arrival, Stream};

/// What the gateway keeps of one control connection.
#[derive(Debug)]
pub(super) struct Control {
    /// Which end is inside.
    inside_role: Role,
    /// The server's port as its client dialled it.
    server_port: u16,
    /// What the inside end sends. What comes from outside is never rewritten: it announces what is reachable.
    stream: Stream,
}

impl Control {
    pub(super) fn new(inside_role: Role, server_port: u16, rewrites_remembered: usize) -> Self {
        Self { inside_role, server_port, stream: Stream::new(rewrites_remembered) }
    }

    /// The inside end's stream, where anything of it was ever rewritten.
    pub(super) fn rewritten_stream(&self) -> Option<&Stream> {
        Some(&self.stream).filter(|stream| stream.is_rewritten())
    }
}

/// An announcement in the segment under way.
struct Announced {
    opening: Opening,
    /// The original sequence number of the bytes it was found in.
    sequence: u32,
    line: String,
}

impl Router {
    /// The gateway's part in a segment of a watched connection.
    pub(super) fn control_segment(
        &mut self,
        id: FlowId,
        from: Side,
        packet: &mut Packet<'_>,
    ) -> Result<(), DropReason> {
        if packet.fragment() != Fragment::Whole {
            return Err(DropReason::FragmentOfControl);
        }
        match from {
            Side::Inside => self.control_from_inside(id, packet),
            Side::Outside => {
                self.control_from_outside(id, packet);
                Ok(())
            }
        }
    }

    fn control_from_inside(&mut self, id: FlowId, packet: &mut Packet<'_>) -> Result<(), DropReason> {
        let Some(tcp) = packet.tcp() else { return Ok(()) };
        let is_syn = tcp.flags.has(TcpFlags::SYN);
        // A SYN takes a sequence number of its own before the first byte.
        let sequence = tcp.sequence.wrapping_add(u32::from(is_syn));
        let length = packet.tcp_payload().len();
        let Some(control) = self.control_of(id) else { return Ok(()) };
        if is_syn {
            control.stream.begin(sequence);
        }
        match control.stream.place(sequence, length) {
            Arrival::NewFrom(offset) if offset < length => self.inspect(id, sequence, offset, packet)?,
            Arrival::NewFrom(_) => {}
            Arrival::Gap => {
                let occupies = length > 0 || tcp.flags.has(TcpFlags::FIN);
                if occupies && self.dialect.gaps == Gaps::Drop {
                    return Err(DropReason::GapInControl);
                }
            }
        }
        let oversize = self.dialect.oversize;
        let largest = self.wan_mtu.saturating_sub(tcp.payload_at);
        if let Some(control) = self.control_of(id) {
            control.stream.advance(sequence, packet.tcp_payload());
            rewrite(&control.stream, sequence, oversize, largest, packet);
        }
        Ok(())
    }

    /// The gateway reads the bytes from `offset` on, which it has not seen before.
    fn inspect(
        &mut self,
        id: FlowId,
        sequence: u32,
        offset: usize,
        packet: &Packet<'_>,
    ) -> Result<(), DropReason> {
        let Some(flow) = self.flows.get(id) else { return Ok(()) };
        let (serial, sender) = (flow.serial, *flow.inside.ip());
        let Some(control) = self.controls.get(flow.control.0 as usize) else { return Ok(()) };
        let bytes = packet.tcp_payload().get(offset..).unwrap_or_default();
        let decision = self.dialect.decide(&Segment {
            bytes,
            starts_segment: offset == 0,
            starts_line: control.stream.ends_line(),
            role: control.inside_role,
            side: Side::Inside,
            sender,
            control_port: control.server_port,
        });
        match decision {
            Decision::Nothing => Ok(()),
            Decision::Refuse(refused) => Err(DropReason::AnnouncementRefused(refused)),
            Decision::LeaveAlone { announcement, reason } => {
                let line = announcement.as_ref().map(|found| text(bytes, &found.line));
                self.left_alone(serial, line, announcement.map(|found| found.endpoint), reason);
                Ok(())
            }
            Decision::Open(opening) => {
                let line = text(bytes, &opening.announcement.line);
                let sequence = sequence.wrapping_add(u32::try_from(offset).unwrap_or_default());
                let endpoint = opening.announcement.endpoint;
                let announced = Announced { opening, sequence, line: line.clone() };
                if let Err(reason) = self.open_and_rewrite(id, announced, packet) {
                    self.left_alone(serial, Some(line), Some(endpoint), reason);
                }
                Ok(())
            }
        }
    }

    /// Opens the forward, then rewrites: the mapping is there before the announcement leaves (RFC 6384 §7).
    fn open_and_rewrite(
        &mut self,
        id: FlowId,
        announced: Announced,
        packet: &Packet<'_>,
    ) -> Result<(), LeftAlone> {
        let Announced { opening, sequence, line } = announced;
        let Some((control_id, translation)) = self.flows.get(id).map(|flow| (flow.control, flow.serial))
        else {
            return Ok(());
        };
        if !self.is_lan_host(*opening.target.ip()) {
            return Err(LeftAlone::ThirdPartyAddress);
        }
        let again = self.forwards.of_control(control_id).into_iter().find(|forward| {
            self.forwards.get(*forward).is_some_and(|forward| forward.target == opening.target)
        });
        let port = match again.and_then(|forward| self.forwards.get(forward)) {
            Some(forward) => forward.external_port,
            None => self.choose_data_port(opening.target)?,
        };
        let external = SocketAddrV4::new(self.wan, port);
        let new = opening.announcement.text_for(external);
        let span = opening.announcement.span.clone();
        let grown = packet.as_bytes().len() + new.len() > self.wan_mtu + span.len();
        if grown && self.dialect.oversize == Oversize::LeaveAlone {
            return Err(LeftAlone::WouldExceedMtu);
        }
        let forward = match again {
            Some(forward) => self.refresh_forward(forward),
            None => self.open_forward(id, control_id, &opening, external),
        };
        let after = replaced(&line, &opening, new.as_str());
        let start = sequence.wrapping_add(u32::try_from(span.start).unwrap_or_default());
        if let Some(control) = self.control_of(id) {
            control.stream.replace(start, span.len(), new);
        }
        self.counters.commands_rewritten += 1;
        self.events.push(EventKind::CommandRewritten { translation, before: line, after, forward });
        Ok(())
    }

    fn choose_data_port(&mut self, target: SocketAddrV4) -> Result<u16, LeftAlone> {
        let wanted = target.port();
        let free = self.is_free(Protocol::Tcp, wanted, target);
        let port = match self.dialect.data_port {
            DataPort::Same | DataPort::SameOrAllocated if free => wanted,
            DataPort::Same => return Err(LeftAlone::DataPortTaken),
            DataPort::SameOrAllocated | DataPort::Allocated => {
                self.next_free(Protocol::Tcp, target).ok_or(LeftAlone::NoPortLeft)?
            }
        };
        // A free port may have a forward to the same place, of another control connection: it gives way.
        if let Some(left_behind) = self.forwards.at_port(Protocol::Tcp, port) {
            self.close_forward(left_behind, ForwardEnd::Replaced);
        }
        Ok(port)
    }

    fn open_forward(
        &mut self,
        control_flow: FlowId,
        control: ControlId,
        opening: &Opening,
        external: SocketAddrV4,
    ) -> u32 {
        let waiting = self.forwards.of_control(control);
        let most = usize::from(opening.terms.outstanding).max(1);
        for oldest in waiting.iter().take((waiting.len() + 1).saturating_sub(most)) {
            self.close_forward(*oldest, ForwardEnd::Replaced);
        }
        self.serials.forward += 1;
        let serial = self.serials.forward;
        let deadline = self.clock.tick_after.saturating_add(opening.terms.lifetime);
        let timer = self.timers.set(deadline, Timer::Forward(self.forwards.next_id()));
        let peer = self.flows.get(control_flow).map_or(external, |flow| flow.remote);
        self.forwards.open(AlgForward {
            serial,
            external_port: external.port(),
            target: opening.target,
            peer,
            terms: opening.terms,
            used: 0,
            deadline,
            timer,
            control,
        });
        let control = self.flows.get(control_flow).map_or(0, |flow| flow.serial);
        self.events.push(EventKind::ForwardOpened {
            forward: serial,
            control,
            external,
            target: opening.target,
            allowed: opening.terms.allowed_peer,
            expires_s: deadline,
        });
        serial
    }

    fn refresh_forward(&mut self, id: ForwardId) -> u32 {
        let tick_after = self.clock.tick_after;
        let Some(forward) = self.forwards.get_mut(id) else { return 0 };
        forward.deadline = tick_after.saturating_add(forward.terms.lifetime);
        let (serial, expires_s) = (forward.serial, forward.deadline);
        self.events.push(EventKind::ForwardRefreshed { forward: serial, expires_s });
        serial
    }

    pub(super) fn close_forward(&mut self, id: ForwardId, reason: ForwardEnd) {
        let Some(forward) = self.forwards.close(id) else { return };
        self.timers.cancel(forward.timer);
        self.events.push(EventKind::ForwardEnded { forward: forward.serial, reason });
    }

    /// The control connection is gone: so are the forwards that end with it. Running transfers go on.
    pub(super) fn end_control(&mut self, control: ControlId) {
        for id in self.forwards.of_control(control) {
            let Some(forward) = self.forwards.get_mut(id) else { continue };
            if forward.terms.ends_with_control {
                self.close_forward(id, ForwardEnd::ControlEnded);
            } else {
                // Its record number may be given to another connection.
                forward.control = ControlId::NONE;
            }
        }
        self.controls.try_remove(control.0 as usize);
    }

    /// What the outside end acknowledges is counted in rewritten numbers; the inside end counts in its own.
    fn control_from_outside(&mut self, id: FlowId, packet: &mut Packet<'_>) {
        self.report_announcement(id, Side::Outside, packet.tcp_payload());
        let adjust_sack = self.dialect.adjust_sack;
        let Some(tcp) = packet.tcp() else { return };
        let Some(control) = self.control_of(id).filter(|control| control.stream.is_rewritten()) else {
            return;
        };
        if tcp.flags.has(TcpFlags::ACK) {
            packet.set_acknowledgement(control.stream.to_original(tcp.acknowledgement));
        }
        if adjust_sack {
            packet.map_sack_blocks(|left, right| control.stream.sack_to_original(left, right));
        }
    }

    /// Tells of an announcement on a connection, or in a direction, that the gateway does not rewrite.
    pub(super) fn report_announcement(&mut self, id: FlowId, from: Side, bytes: &[u8]) {
        let Some(flow) = self.flows.get(id) else { return };
        let (inside_role, control_port) = control_end(flow.origin, flow.external, flow.remote);
        let (role, sender) = match (from, inside_role) {
            (Side::Inside, role) => (role, *flow.inside.ip()),
            (Side::Outside, Role::Client) => (Role::Server, *flow.remote.ip()),
            (Side::Outside, Role::Server) => (Role::Client, *flow.remote.ip()),
        };
        let serial = flow.serial;
        let decision = self.dialect.decide(&Segment {
            bytes,
            starts_segment: true,
            starts_line: true,
            role,
            side: from,
            sender,
            control_port,
        });
        if let Decision::LeaveAlone { announcement, reason } = decision {
            let line = announcement.as_ref().map(|found| text(bytes, &found.line));
            self.left_alone(serial, line, announcement.map(|found| found.endpoint), reason);
        }
    }

    fn left_alone(
        &mut self,
        translation: u32,
        line: Option<String>,
        announced: Option<SocketAddrV4>,
        reason: LeftAlone,
    ) {
        self.counters.commands_left_alone += 1;
        self.events.push(EventKind::CommandLeftAlone { translation, line, announced, reason });
    }

    fn control_of(&mut self, id: FlowId) -> Option<&mut Control> {
        let control = self.flows.get(id)?.control;
        self.controls.get_mut(control.0 as usize)
    }

    /// An original sequence number of a watched connection's inside end, from a rewritten one.
    pub(super) fn original_sequence(&self, id: FlowId, rewritten: u32) -> Option<u32> {
        let control = self.controls.get(self.flows.get(id)?.control.0 as usize)?;
        control.stream.is_rewritten().then(|| control.stream.to_original(rewritten))
    }
}

/// Which end of a control connection is inside, and the server's port as its client dialled it.
pub(super) fn control_end(origin: Origin, external: SocketAddrV4, remote: SocketAddrV4) -> (Role, u16) {
    match origin {
        Origin::Outbound => (Role::Client, remote.port()),
        _ => (Role::Server, external.port()),
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

fn text(bytes: &[u8], range: &std::ops::Range<usize>) -> String {
    String::from_utf8_lossy(bytes.get(range.clone()).unwrap_or_default()).into_owned()
}

/// The announcement's line as it leaves.
fn replaced(line: &str, opening: &Opening, new: &str) -> String {
    let announcement = &opening.announcement;
    let start = announcement.span.start.saturating_sub(announcement.line.start);
    let end = announcement.span.end.saturating_sub(announcement.line.start);
    let (head, tail) = (line.get(..start).unwrap_or_default(), line.get(end..).unwrap_or_default());
    format!("{head}{new}{tail}")
}
