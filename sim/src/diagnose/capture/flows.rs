//! The connections on a wire, by their two ends. Those that nothing was heard of for longest are forgotten, so that a
//! capture of any length takes the same room.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use crate::session::Connection;

/// Connections kept at least, and half of what is kept at most.
const KEPT: usize = 16_384;

/// What a connection is.
#[derive(Debug)]
pub(super) enum Flow {
    /// Not known yet, after so many segments with payload. Those seen to open have a record.
    Undecided { connection: Option<Box<Connection>>, looked: u8 },
    /// Nothing of FTP.
    Other,
    /// A session's control connection.
    Control(u32),
    /// A session's data connection of this number.
    Data(u32, usize),
}

/// Two ends, in one order whichever of them sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ends(SocketAddrV4, SocketAddrV4);

impl Ends {
    pub(super) fn of(one: SocketAddrV4, other: SocketAddrV4) -> Self {
        if one <= other { Self(one, other) } else { Self(other, one) }
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Flows {
    recent: BTreeMap<Ends, Flow>,
    older: BTreeMap<Ends, Flow>,
}

impl Flows {
    pub(super) fn get_mut(&mut self, ends: Ends) -> Option<&mut Flow> {
        if let Some(flow) = self.older.remove(&ends) {
            self.insert(ends, flow);
        }
        self.recent.get_mut(&ends)
    }

    pub(super) fn insert(&mut self, ends: Ends, flow: Flow) {
        if self.recent.len() >= KEPT {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(ends, flow);
    }

    /// What is left at the end.
    pub(super) fn into_flows(self) -> impl Iterator<Item = Flow> {
        self.older.into_values().chain(self.recent.into_values())
    }
}
