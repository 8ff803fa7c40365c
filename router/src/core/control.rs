//! Control connections that the gateway watches: its decisions, its forwards, and the sequence numbers it moves.
//!
//! Two ways through, by what the gateway remembers of numbers: with a map of what was replaced, bytes are decided on
//! once and in order ([`by_map`]); with a few offsets, every segment is read as if it came for the first time
//! ([`by_offsets`]).

mod announced;
mod by_line;
mod by_map;
mod by_offsets;
mod data_port;
mod end_session;
mod errors;
mod forwards;

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_alg::{
    BeforeAnswer, Decision, Dialect, Dialogue, LeftAlone, Oversize, Reassembly, Role, Segment, Side,
};

use super::{Router, Stop};
use crate::event::{EventKind, Origin};
use crate::packet::{Fragment, Packet, TcpFlags};
use crate::reason::DropReason;
use crate::state::flow::{Flow, FlowId};
use crate::state::numbers::Numbers;
use by_line::Assembly;

/// What the gateway keeps of one control connection.
#[derive(Debug)]
pub(super) struct Control {
    ends: Ends,
    /// Whether the end that did not open it has sent anything.
    is_answered: bool,
    /// What was said so far.
    dialogue: Dialogue,
    numbers: Numbers,
    /// The lines that wait to be complete, where the gateway puts lines together.
    lines: Option<Box<Assembly>>,
}

/// The ends of what may be a control connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    /// Which one is inside.
    pub(super) inside_role: Role,
    /// The client's port.
    pub(super) client_port: u16,
    /// The server's port as its client dialled it.
    pub(super) server_port: u16,
}

impl Ends {
    pub(super) fn of(
        origin: Origin,
        inside: SocketAddrV4,
        external: SocketAddrV4,
        remote: SocketAddrV4,
    ) -> Self {
        match origin {
            Origin::Outbound => {
                Self { inside_role: Role::Client, client_port: inside.port(), server_port: remote.port() }
            }
            _ => Self { inside_role: Role::Server, client_port: remote.port(), server_port: external.port() },
        }
    }

    fn role(self, side: Side) -> Role {
        match (side, self.inside_role) {
            (Side::Inside, role) => role,
            (Side::Outside, Role::Client) => Role::Server,
            (Side::Outside, Role::Server) => Role::Client,
        }
    }
}

impl Control {
    pub(super) fn new(ends: Ends, dialect: &Dialect) -> Self {
        let lines = (dialect.reassembly == Reassembly::Line).then(Box::default);
        Self {
            ends,
            is_answered: false,
            dialogue: Dialogue::default(),
            numbers: Numbers::new(dialect),
            lines,
        }
    }

    /// What an end that is on the other side calls a number of `sender`'s; `None` where it is the same.
    pub(super) fn rewritten(&self, sender: Side, original: u32) -> Option<u32> {
        self.numbers.rewritten(sender, original)
    }
}

impl Router {
    /// The gateway's part in a segment of a watched connection.
    pub(super) fn control_segment(
        &mut self,
        id: FlowId,
        from: Side,
        packet: &mut Packet<'_>,
    ) -> Result<(), Stop> {
        if packet.fragment() != Fragment::Whole {
            return Err(DropReason::FragmentOfControl.into());
        }
        if !self.heard(id, from) && self.dialect.before_answer == BeforeAnswer::Pass {
            return Ok(());
        }
        self.reassembly.was_read = true;
        let control = self.flows.get(id).and_then(|flow| self.controls.get_mut(flow.control.0 as usize));
        if let (Some(tcp), Some(control)) = (packet.tcp(), control)
            && tcp.flags.has(TcpFlags::SYN)
        {
            // A SYN takes a sequence number of its own before the first byte.
            let sequence = tcp.sequence.wrapping_add(1);
            if control.dialogue.begin(&self.dialect, control.ends.role(from), sequence) {
                control.numbers.begin(from, sequence);
            }
        }
        match self.control_of(id).map(|control| (&control.numbers, control.lines.is_some())) {
            Some((Numbers::Map(_), false)) => self.control_by_map(id, from, packet)?,
            Some((Numbers::Map(_), true)) => self.control_by_line(id, from, packet)?,
            Some((Numbers::Offsets(_), _)) => self.control_by_offsets(id, from, packet)?,
            None => {}
        }
        Ok(())
    }

    /// The end on the side `from` has sent something on a watched connection; gives whether it is answered.
    pub(super) fn heard(&mut self, id: FlowId, from: Side) -> bool {
        let Some(control) = self.control_of(id) else { return false };
        control.is_answered |= control.ends.role(from) == Role::Server;
        control.is_answered
    }

    /// What the gateway does with a segment, of which it has read the bytes before `read_from`: nothing for nothing that it
    /// looks for.
    fn read_segment(
        &mut self,
        id: FlowId,
        from: Side,
        sequence: u32,
        read_from: usize,
        bytes: &[u8],
    ) -> Vec<Decision> {
        let Some(flow) = self.flows.get(id) else { return Vec::new() };
        let (sender, external) = addresses(flow, from);
        let Some(control) = self.controls.get_mut(flow.control.0 as usize) else { return Vec::new() };
        let segment = Segment { read_from, external, ..segment(control.ends, from, sender, sequence, bytes) };
        control.dialogue.read(&self.dialect, &segment)
    }

    /// Bytes before a segment's are missing: it is not read.
    fn pass_over(&mut self, id: FlowId, from: Side, sequence: u32, bytes: &[u8]) {
        if let Some(control) = self.control_of(id) {
            let segment = segment(control.ends, from, Ipv4Addr::UNSPECIFIED, sequence, bytes);
            control.dialogue.pass_over(&segment);
        }
    }

    /// Tells of an announcement on a connection that the gateway does not watch.
    pub(super) fn report_announcement(&mut self, id: FlowId, from: Side, bytes: &[u8]) {
        let Some(flow) = self.flows.get(id) else { return };
        let ends = Ends::of(flow.origin, flow.inside, flow.external, flow.remote);
        let (sender, external) = addresses(flow, from);
        let segment = Segment { external, ..segment(ends, from, sender, 0, bytes) };
        for decision in Dialogue::default().read(&self.dialect, &segment) {
            if let Decision::LeaveAlone { announcement, reason } = decision {
                let line = announcement.as_ref().map(|found| text(bytes, &found.line));
                self.left_alone(id, line, announcement.map(|found| found.endpoint), reason);
            }
        }
    }

    #[cold]
    fn left_alone(
        &mut self,
        id: FlowId,
        line: Option<String>,
        announced: Option<SocketAddrV4>,
        reason: LeftAlone,
    ) {
        let translation = self.serial_of(id);
        self.counters.commands_left_alone += 1;
        self.events.push(EventKind::CommandLeftAlone { translation, line, announced, reason });
    }

    fn serial_of(&self, id: FlowId) -> u32 {
        self.flows.get(id).map_or(0, |flow| flow.serial)
    }

    fn control_of(&mut self, id: FlowId) -> Option<&mut Control> {
        let control = self.flows.get(id)?.control;
        self.controls.get_mut(control.0 as usize)
    }

    /// Drops a segment that a longer line has made larger than the next link takes, where the profile says so.
    pub(super) fn outgrown(&self, from: Side, packet: &Packet<'_>) -> Result<(), DropReason> {
        let is_larger = packet.as_bytes().len() > self.mtu_towards(from) && packet.dont_fragment();
        if is_larger && self.dialect.oversize == Oversize::Drop {
            return Err(DropReason::FragmentationNeeded);
        }
        Ok(())
    }

    /// By how much the stream of the end on `sender` has grown where this number is acknowledged.
    pub(super) fn grown_at(&self, id: FlowId, sender: Side, acknowledged: u32) -> u32 {
        let control = self.flows.get(id).and_then(|flow| self.controls.get(flow.control.0 as usize));
        control.map_or(0, |control| control.numbers.grown_at(sender, acknowledged))
    }

    /// An original sequence number of the inside end, from a rewritten one, for an ICMP error that quotes it. Only a
    /// gateway with a map of what it replaced looks into such quotes.
    pub(super) fn original_sequence(&self, id: FlowId, rewritten: u32) -> Option<u32> {
        let control = self.controls.get(self.flows.get(id)?.control.0 as usize)?;
        match &control.numbers {
            Numbers::Map(streams) => {
                let stream = streams.of(Side::Inside);
                stream.is_rewritten().then(|| stream.to_original(rewritten))
            }
            Numbers::Offsets(_) => None,
        }
    }
}

/// The address of the end on `side`, on its own side and on the other.
fn addresses(flow: &Flow, side: Side) -> (Ipv4Addr, Ipv4Addr) {
    match side {
        Side::Inside => (*flow.inside.ip(), *flow.external.ip()),
        Side::Outside => (*flow.remote.ip(), *flow.remote.ip()),
    }
}

fn segment(ends: Ends, side: Side, sender: Ipv4Addr, sequence: u32, bytes: &[u8]) -> Segment<'_> {
    Segment {
        bytes,
        sequence,
        read_from: 0,
        role: ends.role(side),
        side,
        sender,
        external: sender,
        client_port: ends.client_port,
        server_port: ends.server_port,
    }
}

/// Puts a rewritten payload in, cut at `largest` octets where the profile says so.
fn put_payload(mut payload: Vec<u8>, oversize: Oversize, largest: usize, packet: &mut Packet<'_>) {
    if oversize == Oversize::Truncate && payload.len() > largest {
        payload.truncate(largest);
        // What ends the stream comes with the rest, which the sender will send again.
        packet.clear_tcp_flag(TcpFlags::FIN);
    }
    packet.set_tcp_payload(&payload);
}

fn text(bytes: &[u8], range: &std::ops::Range<usize>) -> String {
    String::from_utf8_lossy(bytes.get(range.clone()).unwrap_or_default()).into_owned()
}
