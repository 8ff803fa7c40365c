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

use std::net::SocketAddrV4;

use quirknat_alg::{Decision, Dialect, LeftAlone, Role, Segment, Side};

use super::Router;
use crate::event::{EventKind, Origin};
use crate::packet::{Fragment, Packet};
use crate::reason::DropReason;
use crate::state::flow::FlowId;
use crate::state::numbers::{Numbers, PerSide};

/// What the gateway keeps of one control connection.
#[derive(Debug)]
pub(super) struct Control {
    /// Which end is inside.
    inside_role: Role,
    /// The server's port as its client dialled it.
    server_port: u16,
    numbers: Numbers,
    /// Whether the last segment with a payload ended a line, in the order of arrival; true before the first.
    ended_line: PerSide<bool>,
}

impl Control {
    pub(super) fn new(inside_role: Role, server_port: u16, dialect: &Dialect) -> Self {
        let ended_line = PerSide { inside: true, outside: true };
        Self { inside_role, server_port, numbers: Numbers::new(dialect), ended_line }
    }

    /// What an end that is on the other side calls a number of `sender`'s; `None` where it is the same.
    pub(super) fn rewritten(&self, sender: Side, original: u32) -> Option<u32> {
        self.numbers.rewritten(sender, original)
    }

    fn role(&self, side: Side) -> Role {
        role_on(side, self.inside_role)
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

    /// What the gateway does with bytes of the end on side `from`.
    fn decide(&self, id: FlowId, from: Side, bytes: &[u8], starts: Starts) -> Decision {
        let Some(flow) = self.flows.get(id) else { return Decision::Nothing };
        let Some(control) = self.controls.get(flow.control.0 as usize) else { return Decision::Nothing };
        let sender = if from == Side::Inside { flow.inside } else { flow.remote };
        self.dialect.decide(&Segment {
            bytes,
            starts_segment: starts.segment,
            starts_line: starts.line,
            role: control.role(from),
            side: from,
            sender: *sender.ip(),
            control_port: control.server_port,
        })
    }

    /// Tells of an announcement on a connection that the gateway does not watch.
    pub(super) fn report_announcement(&mut self, id: FlowId, from: Side, bytes: &[u8]) {
        let Some(flow) = self.flows.get(id) else { return };
        let (inside_role, control_port) = control_end(flow.origin, flow.external, flow.remote);
        let sender = if from == Side::Inside { flow.inside } else { flow.remote };
        let decision = self.dialect.decide(&Segment {
            bytes,
            starts_segment: true,
            starts_line: true,
            role: role_on(from, inside_role),
            side: from,
            sender: *sender.ip(),
            control_port,
        });
        if let Decision::LeaveAlone { announcement, reason } = decision {
            let line = announcement.as_ref().map(|found| text(bytes, &found.line));
            self.left_alone(id, line, announcement.map(|found| found.endpoint), reason);
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

/// Where the bytes that are decided on begin.
#[derive(Debug, Clone, Copy)]
struct Starts {
    /// With the segment's first.
    segment: bool,
    /// With a line's first.
    line: bool,
}

/// Which end of a control connection is inside, and the server's port as its client dialled it.
pub(super) fn control_end(origin: Origin, external: SocketAddrV4, remote: SocketAddrV4) -> (Role, u16) {
    match origin {
        Origin::Outbound => (Role::Client, remote.port()),
        _ => (Role::Server, external.port()),
    }
}

fn role_on(side: Side, inside_role: Role) -> Role {
    match (side, inside_role) {
        (Side::Inside, role) => role,
        (Side::Outside, Role::Client) => Role::Server,
        (Side::Outside, Role::Server) => Role::Client,
    }
}

fn text(bytes: &[u8], range: &std::ops::Range<usize>) -> String {
    String::from_utf8_lossy(bytes.get(range.clone()).unwrap_or_default()).into_owned()
}
