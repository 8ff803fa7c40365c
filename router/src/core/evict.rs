//! Which translation gives way in a full table.

use std::collections::BTreeSet;

use crate::profile::WhenFull;
use crate::state::flow::{FlowId, FlowTable};
use crate::state::timer::Tick;

/// The translations in the order they give way. An entry may be out of date: a deadline moves on with every packet,
/// and only a look at the flow tells; so each is put right when it comes up.
#[derive(Debug)]
pub(super) struct EvictionQueue {
    when_full: WhenFull,
    /// When it was due to expire (or 0 where age alone counts), its serial number, its record.
    entries: BTreeSet<(Tick, u32, FlowId)>,
}

/// Entries of flows that are gone, beyond this many over the live ones, are cleared out.
const STALE: usize = 1024;

impl EvictionQueue {
    pub(super) fn new(when_full: WhenFull) -> Self {
        Self { when_full, entries: BTreeSet::new() }
    }

    /// A flow was made, or is due to expire sooner than before.
    pub(super) fn enter(&mut self, serial: u32, id: FlowId, flows: &FlowTable) {
        if self.when_full == WhenFull::Refuse {
            return;
        }
        if self.entries.len() > 2 * flows.len() + STALE {
            self.entries.retain(|(_, serial, id)| flows.get(*id).is_some_and(|flow| flow.serial == *serial));
        }
        self.entries.insert((self.rank(id, flows), serial, id));
    }

    /// The flow that gives way; none where a full table refuses. Each flow is passed over at most once.
    pub(super) fn victim(&mut self, flows: &FlowTable) -> Option<FlowId> {
        while let Some((rank, serial, id)) = self.entries.pop_first() {
            if flows.get(id).is_none_or(|flow| flow.serial != serial) {
                continue;
            }
            // It is established for good: what begins anew between the same ends has its place.
            if self.when_full == WhenFull::EvictUnestablished && is_established(id, flows) {
                continue;
            }
            let current = self.rank(id, flows);
            if current <= rank {
                return Some(id);
            }
            self.entries.insert((current, serial, id));
        }
        None
    }

    fn rank(&self, id: FlowId, flows: &FlowTable) -> Tick {
        match self.when_full {
            WhenFull::EvictIdle => flows.get(id).map_or(0, |flow| flow.deadline),
            WhenFull::EvictOldest | WhenFull::EvictUnestablished | WhenFull::Refuse => 0,
        }
    }
}

fn is_established(id: FlowId, flows: &FlowTable) -> bool {
    flows.get(id).is_some_and(|flow| flow.progress.is_established())
}
