//! Control connections that the gateway watches: its decisions, its forwards, and the sequence numbers it moves.
//!
//! Two ways through, by what the gateway remembers of numbers: with a map of what was replaced, bytes are decided on
//! once and in order ([`by_map`]); with a few offsets, every segment is read as if it came for the first time
//! ([`by_offsets`]).

mod announced;
mod by_map;
mod by_offsets;
mod data_port;
mod forwards;

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_alg::{Decision, Dialect, Dialogue, LeftAlone, Oversize, Role, Segment, Side};

use super::Router;
use crate::event::{EventKind, Origin};
use crate::packet::{Fragment, Packet};
use crate::reason::DropReason;
use crate::state::flow::FlowId;
use crate::state::numbers::Numbers;

/// What the gateway keeps of one control connection.
#[derive(Debug)]
pub(super) struct Control {
    ends: Ends,
    /// What was said so far.
    dialogue: Dialogue,
    numbers: Numbers,
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
        let (inside_role, client, server) = match origin {
            Origin::Outbound => (Role::Client, inside, remote),
            _ => (Role::Server, remote, external),
        };
        Self { inside_role, client_port: client.port(), server_port: server.port() }
    }

    fn role(self, side: Side) -> Role {
        match (side, self.inside_role) {
            (Side::Inside, role) => role,
            (Side::Outside, Role::Client) => Role::Server,
            (Side::Outside, Role::Server) => Role::Client,
        }
    }

    /// A segment that was never seen before.
    fn segment(self, side: Side, sender: Ipv4Addr, sequence: u32, bytes: &[u8]) -> Segment<'_> {
        Segment {
            bytes,
            sequence,
            read_from: 0,
            role: self.role(side),
            side,
            sender,
            client_port: self.client_port,
            server_port: self.server_port,
        }
    }
}

impl Control {
    pub(super) fn new(ends: Ends, dialect: &Dialect) -> Self {
        Self { ends, dialogue: Dialogue::default(), numbers: Numbers::new(dialect) }
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
    ) -> Result<(), DropReason> {
        if packet.fragment() != Fragment::Whole {
            return Err(DropReason::FragmentOfControl);
        }
        match self.control_of(id).map(|control| &control.numbers) {
            Some(Numbers::Map(_)) => self.control_by_map(id, from, packet),
            Some(Numbers::Offsets(_)) => self.control_by_offsets(id, from, packet),
            None => Ok(()),
        }
    }

    /// What the gateway does with a segment of the end on side `from`, of which it has read so many bytes before.
    fn hear(
        &mut self,
        id: FlowId,
        from: Side,
        sequence: u32,
        read_from: usize,
        bytes: &[u8],
    ) -> Vec<Decision> {
        let Some(flow) = self.flows.get(id) else { return Vec::new() };
        let Some(control) = self.controls.get_mut(flow.control.0 as usize) else { return Vec::new() };
        let sender = if from == Side::Inside { flow.inside } else { flow.remote };
        let segment = control.ends.segment(from, *sender.ip(), sequence, bytes);
        control.dialogue.read(&self.dialect, &Segment { read_from, ..segment })
    }

    /// Bytes before a segment are missing, and it is not read.
    fn pass_over(&mut self, id: FlowId, from: Side, sequence: u32, bytes: &[u8]) {
        let Some(control) = self.control_of(id) else { return };
        let segment = control.ends.segment(from, Ipv4Addr::UNSPECIFIED, sequence, bytes);
        control.dialogue.pass_over(&segment);
    }

    /// An end has sent a SYN; its first byte will have `sequence`.
    fn begin_dialogue(&mut self, id: FlowId, from: Side, sequence: u32) {
        if let Some(control) = self.control_of(id) {
            control.dialogue.begin(control.ends.role(from), sequence);
        }
    }

    /// Tells of an announcement on a connection that the gateway does not watch.
    pub(super) fn report_announcement(&mut self, id: FlowId, from: Side, bytes: &[u8]) {
        let Some(flow) = self.flows.get(id) else { return };
        let ends = Ends::of(flow.origin, flow.inside, flow.external, flow.remote);
        let sender = if from == Side::Inside { flow.inside } else { flow.remote };
        let segment = ends.segment(from, *sender.ip(), 0, bytes);
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
        let translation = self.flows.get(id).map_or(0, |flow| flow.serial);
        self.counters.commands_left_alone += 1;
        self.events.push(EventKind::CommandLeftAlone { translation, line, announced, reason });
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

fn text(bytes: &[u8], range: &std::ops::Range<usize>) -> String {
    String::from_utf8_lossy(bytes.get(range.clone()).unwrap_or_default()).into_owned()
}
