//! The translation table: one record a flow, found by either side's view of it with one hash lookup.
//!
//! Both views share one index of 32-bit numbers (record number and side); the keys stand in the record alone, so a
//! flow costs about 70 bytes here, 25 more in the timer wheel, and a packet's lookup fetches the record it is about to
//! use.

use std::hash::{BuildHasher, Hasher};
use std::net::SocketAddrV4;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use quirknat_alg::Side;
use slab::Slab;

use super::mapping::MappingId;
use super::progress::Progress;
use super::timer::{Tick, TimerId};
use crate::event::Origin;
use crate::packet::Protocol;

/// Names a record of the table. Reused once the record is gone; [`Flow::serial`] is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FlowId(pub(crate) u32);

/// Names the state of a control connection that the gateway watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ControlId(pub(crate) u32);

impl ControlId {
    /// Most flows have none; an `Option` would cost four bytes more a flow.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

/// One translated session.
#[derive(Debug)]
pub(crate) struct Flow {
    /// Address and port on the LAN.
    pub(crate) inside: SocketAddrV4,
    /// The same endpoint as the WAN sees it.
    pub(crate) external: SocketAddrV4,
    /// The other end; its port is 0 for ICMP.
    pub(crate) remote: SocketAddrV4,
    pub(crate) protocol: Protocol,
    pub(crate) progress: Progress,
    pub(crate) origin: Origin,
    /// The LAN port the inside host was last seen on.
    pub(crate) lan_port: u8,
    /// It ends when this is reached.
    pub(crate) deadline: Tick,
    /// How many translations were made before it: its name in events.
    pub(crate) serial: u32,
    pub(crate) timer: TimerId,
    /// [`MappingId::NONE`] where a forward made it.
    pub(crate) mapping: MappingId,
    pub(crate) control: ControlId,
}

/// The table.
#[derive(Debug)]
pub(crate) struct FlowTable {
    flows: Slab<Flow>,
    index: HashTable<u32>,
    hasher: FixedState,
}

/// A flow as one side's packets name it: the near end, and the far one.
type View = (Protocol, SocketAddrV4, SocketAddrV4);

impl FlowTable {
    pub(crate) fn new(seed: u64) -> Self {
        Self { flows: Slab::new(), index: HashTable::new(), hasher: FixedState::with_seed(seed) }
    }

    pub(crate) fn len(&self) -> usize {
        self.flows.len()
    }

    /// The flow whose packets from `side` go from `source` to `destination`.
    #[inline]
    pub(crate) fn find(
        &self,
        side: Side,
        protocol: Protocol,
        source: SocketAddrV4,
        destination: SocketAddrV4,
    ) -> Option<FlowId> {
        let (near, mut far) = match side {
            Side::Inside => (source, destination),
            // From outside the near end, the external one, is the destination.
            Side::Outside => (destination, source),
        };
        if protocol == Protocol::Icmp {
            // An echo's identifier is the near end's; the far end has none.
            far.set_port(0);
        }
        self.find_exact(side, protocol, near, far)
    }

    /// The flow between these ends as packets from `side` see them, the other end's port as it stands in the flow.
    #[inline]
    pub(crate) fn find_exact(
        &self,
        side: Side,
        protocol: Protocol,
        near: SocketAddrV4,
        far: SocketAddrV4,
    ) -> Option<FlowId> {
        let view = (protocol, near, far);
        let hash = self.hash(side, view);
        let same = |entry: &u32| {
            let (id, entry_side) = unpack(*entry);
            entry_side == side && self.flows.get(id).is_some_and(|flow| flow_view(flow, side) == view)
        };
        self.index.find(hash, same).map(|entry| FlowId(entry >> 1))
    }

    #[inline]
    pub(crate) fn get(&self, id: FlowId) -> Option<&Flow> {
        self.flows.get(id.0 as usize)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: FlowId) -> Option<&mut Flow> {
        self.flows.get_mut(id.0 as usize)
    }

    /// All flows, in the order of their records.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Flow> {
        self.flows.iter().map(|(_, flow)| flow)
    }

    /// The flows of one mapping, oldest first. Looks at all flows.
    pub(crate) fn of_mapping(&self, mapping: MappingId) -> Vec<FlowId> {
        let mut own: Vec<(u32, FlowId)> = self
            .flows
            .iter()
            .filter(|(_, flow)| flow.mapping == mapping)
            .map(|(id, flow)| (flow.serial, FlowId(u32::try_from(id).unwrap_or(u32::MAX))))
            .collect();
        own.sort_unstable_by_key(|(serial, _)| *serial);
        own.into_iter().map(|(_, id)| id).collect()
    }

    /// The number that [`FlowTable::insert`] will give next.
    pub(crate) fn next_id(&self) -> FlowId {
        FlowId(u32::try_from(self.flows.vacant_key()).unwrap_or(u32::MAX))
    }

    pub(crate) fn insert(&mut self, flow: Flow) -> FlowId {
        let id = self.next_id();
        self.flows.insert(flow);
        for side in [Side::Inside, Side::Outside] {
            let Some(view) = self.get(id).map(|flow| flow_view(flow, side)) else { continue };
            let hash = self.hash(side, view);
            let (flows, hasher) = (&self.flows, &self.hasher);
            self.index.insert_unique(hash, pack(id, side), |entry| {
                let (id, side) = unpack(*entry);
                flows.get(id).map_or(0, |flow| hash_view(hasher, side, flow_view(flow, side)))
            });
        }
        id
    }

    pub(crate) fn remove(&mut self, id: FlowId) -> Option<Flow> {
        for side in [Side::Inside, Side::Outside] {
            let view = flow_view(self.flows.get(id.0 as usize)?, side);
            let wanted = pack(id, side);
            if let Ok(entry) = self.index.find_entry(self.hash(side, view), |entry| *entry == wanted) {
                entry.remove();
            }
        }
        self.flows.try_remove(id.0 as usize)
    }

    fn hash(&self, side: Side, view: View) -> u64 {
        hash_view(&self.hasher, side, view)
    }
}

fn pack(id: FlowId, side: Side) -> u32 {
    id.0 << 1 | u32::from(side == Side::Outside)
}

fn unpack(entry: u32) -> (usize, Side) {
    ((entry >> 1) as usize, if entry & 1 == 0 { Side::Inside } else { Side::Outside })
}

#[inline]
fn flow_view(flow: &Flow, side: Side) -> View {
    let near = if side == Side::Inside { flow.inside } else { flow.external };
    (flow.protocol, near, flow.remote)
}

#[inline]
fn hash_view(hasher: &FixedState, side: Side, (protocol, near, far): View) -> u64 {
    let address = u64::from(u32::from(*near.ip())) << 32 | u64::from(u32::from(*far.ip()));
    let ports = u64::from(near.port()) << 48 | u64::from(far.port()) << 32;
    let mut hasher = hasher.build_hasher();
    hasher.write_u64(address);
    hasher.write_u64(ports | u64::from(protocol.number()) << 1 | u64::from(side == Side::Outside));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::Flow;

    #[test]
    fn a_record_takes_44_octets() {
        assert_eq!(size_of::<Flow>(), 44);
    }
}
