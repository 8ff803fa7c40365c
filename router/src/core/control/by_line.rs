//! A gateway that puts lines together (RFC 6384 §5): of a line that is not complete and may become an announcement,
//! what came waits for the rest. The router acknowledges it itself, since a sender may wait for that with the rest
//! (RFC 896), and then has to see that it arrives.

use quirknat_alg::{BeginsAnew, Side};

use super::super::{Router, Stop};
use crate::event::{EventKind, Interface};
use crate::packet::{Packet, TcpFlags, acknowledgement};
use crate::state::flow::FlowId;
use crate::state::line::{Joined, Lines};
use crate::state::numbers::{Arrival, PerSide};

/// The lines that wait on one control connection.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    lines: PerSide<Lines>,
    /// What each end's last segment said of its window.
    windows: PerSide<u16>,
    /// How far each end's last segment acknowledged.
    acknowledged: PerSide<Option<u32>>,
}

/// A segment whose last line may be incomplete.
struct Cut {
    sequence: u32,
    whole: Vec<u8>,
    /// How many of its bytes were decided on before.
    seen: usize,
    /// How many of its bytes go on their way.
    passes: usize,
}

impl Router {
    pub(super) fn control_by_line(
        &mut self,
        id: FlowId,
        from: Side,
        packet: &mut Packet<'_>,
    ) -> Result<(), Stop> {
        let Some(tcp) = packet.tcp() else { return Ok(()) };
        let may_rewrite = self.may_rewrite_from(from);
        if tcp.flags.has(TcpFlags::SYN) || tcp.flags.has(TcpFlags::RST) || !may_rewrite {
            self.begin_lines(id, from, packet);
            self.control_by_map(id, from, packet)?;
            self.told_of_held(id, from, packet);
            return Ok(());
        }
        let cut = self.join_and_cut(id, from, packet);
        self.control_by_map(id, from, packet)?;
        let news = self.told_of_held(id, from, packet);
        let Some(Cut { sequence, whole, seen, passes }) = cut else { return Ok(()) };
        let Some(assembly) = self.assembly_of(id) else { return Ok(()) };
        let lines = assembly.lines.of_mut(from);
        let held_before = lines.held_from();
        let waiting = lines.hold(sequence, &whole, seen, passes);
        let (acknowledges, is_new) = (lines.acknowledge_held(), seen < whole.len());
        if waiting > 0 && (held_before != lines.held_from() || is_new) {
            let octets = u32::try_from(waiting).unwrap_or_default();
            let translation = self.serial_of(id);
            self.events.push(EventKind::LineHeld { translation, octets });
        }
        if let Some(number) = acknowledges {
            self.acknowledge_to(id, from, (tcp.acknowledgement, number), packet);
        }
        let says_nothing = packet.tcp_payload().is_empty() && !tcp.flags.has(TcpFlags::FIN) && !news;
        if waiting > 0 && says_nothing { Err(Stop::Taken) } else { Ok(()) }
    }

    fn assembly_of(&mut self, id: FlowId) -> Option<&mut Assembly> {
        self.control_of(id)?.lines.as_deref_mut()
    }

    /// A SYN begins new lines. A reset stands where the receiver expects it, and what waited is of no use.
    fn begin_lines(&mut self, id: FlowId, from: Side, packet: &mut Packet<'_>) {
        let Some(tcp) = packet.tcp() else { return };
        let renews = self.dialect.begins_anew == BeginsAnew::OnSyn;
        let Some(assembly) = self.assembly_of(id) else { return };
        let lines = assembly.lines.of_mut(from);
        match lines.held_from() {
            Some(sequence) if tcp.flags.has(TcpFlags::RST) => packet.set_sequence(sequence),
            _ if tcp.flags.has(TcpFlags::SYN) && renews => lines.begin(),
            _ => {}
        }
    }

    /// What was kept is put to the segment; what it has of an incomplete line is taken off.
    fn join_and_cut(&mut self, id: FlowId, from: Side, packet: &mut Packet<'_>) -> Option<Cut> {
        let tcp = packet.tcp()?;
        let limit = usize::from(self.dialect.line_limit);
        let control = self.control_of(id)?;
        let role = control.ends.role(from);
        let lines = control.lines.as_deref_mut()?.lines.of_mut(from);
        if let Some(Joined { sequence, payload }) = lines.join(tcp.sequence, packet.tcp_payload()) {
            packet.set_sequence(sequence);
            packet.set_tcp_payload(&payload);
        }
        let sequence = packet.tcp()?.sequence;
        let length = packet.tcp_payload().len();
        let Arrival::NewFrom(seen) = self.streams_of(id)?.of(from).place(sequence, length) else {
            return None;
        };
        let ends = tcp.flags.has(TcpFlags::FIN);
        let dialect = &self.dialect;
        let may_hold = |line: &[u8]| !ends && line.len() <= limit && dialect.may_act_on(role, line);
        let control = self.flows.get(id)?.control;
        let lines = self.controls.get(control.0 as usize)?.lines.as_deref()?.lines.of(from);
        let whole = packet.tcp_payload().to_vec();
        let passes = lines.incomplete(&whole, seen, may_hold);
        if passes < whole.len() {
            packet.set_tcp_payload(whole.get(..passes).unwrap_or_default());
        }
        Some(Cut { sequence, whole, seen, passes })
    }

    /// An end's segment tells how far it has the other's lines: the other is told of more where the router has
    /// acknowledged more itself. Gives whether the segment acknowledges anything new.
    fn told_of_held(&mut self, id: FlowId, from: Side, packet: &mut Packet<'_>) -> bool {
        let Some(tcp) = packet.tcp().filter(|tcp| tcp.flags.has(TcpFlags::ACK)) else { return true };
        let window = packet.window();
        let Some(assembly) = self.assembly_of(id) else { return true };
        *assembly.windows.of_mut(from) = window;
        let news =
            assembly.acknowledged.of_mut(from).replace(tcp.acknowledgement) != Some(tcp.acknowledgement);
        let (_, other) = assembly.lines.both_mut(from);
        let told = other.received(tcp.acknowledgement);
        if told != tcp.acknowledgement {
            packet.set_acknowledgement(told);
        }
        news
    }

    /// Acknowledges to a segment's sender what is held, in the name of the one it is to. The window is what that one
    /// said last, the sequence number what the sender says it expects.
    fn acknowledge_to(&mut self, id: FlowId, from: Side, numbers: (u32, u32), packet: &Packet<'_>) {
        let Some(flow) = self.flows.get(id) else { return };
        let (inside, lan_port) = (*flow.inside.ip(), flow.lan_port);
        let Some(assembly) = self.assembly_of(id) else { return };
        let (_, window) = assembly.windows.both_mut(from);
        let Some(answer) = acknowledgement(packet, numbers, *window) else { return };
        let back = match from {
            Side::Inside => Interface::Lan(self.stations.port(inside).unwrap_or(lan_port)),
            Side::Outside => Interface::Wan,
        };
        self.transmits.push_back((back, answer));
    }
}
