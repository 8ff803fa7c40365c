//! Mappings: which external port stands for an internal endpoint (RFC 4787 §4), and who keeps it alive.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, SocketAddrV4};

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use slab::Slab;

use crate::packet::Protocol;
use crate::profile::{Filtering, Mapping as MappingBehaviour, Nat};

/// Names a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MappingId(u32);

impl MappingId {
    /// None; an `Option` would cost four bytes more a flow.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

/// An internal endpoint's external port, towards the remotes it holds for.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) protocol: Protocol,
    pub(crate) inside: SocketAddrV4,
    /// Which remote it is for; what does not count is zero.
    towards: SocketAddrV4,
    pub(crate) external_port: u16,
    flows: u32,
}

/// How one protocol's mappings behave.
#[derive(Debug, Clone, Copy)]
struct Rules {
    mapping: MappingBehaviour,
    filtering: Filtering,
}

/// The rules of all protocols.
#[derive(Debug, Clone, Copy)]
struct RuleBook {
    tcp: Rules,
    udp: Rules,
    icmp: Rules,
}

impl RuleBook {
    fn new(nat: &Nat) -> Self {
        let rules = |mapping, filtering| Rules { mapping, filtering };
        Self {
            tcp: rules(*nat.tcp.mapping, *nat.tcp.filtering),
            udp: rules(*nat.udp.mapping, *nat.udp.filtering),
            icmp: rules(*nat.icmp.mapping, *nat.icmp.filtering),
        }
    }

    fn of(self, protocol: Protocol) -> Rules {
        match protocol {
            Protocol::Tcp => self.tcp,
            Protocol::Udp => self.udp,
            Protocol::Icmp => self.icmp,
            // It has no ports to map.
            Protocol::Other(_) => Rules {
                mapping: MappingBehaviour::AddressAndPortDependent,
                filtering: Filtering::AddressAndPortDependent,
            },
        }
    }

    /// Which remote a mapping towards `remote` is for; what does not count is zero.
    fn towards(self, protocol: Protocol, remote: SocketAddrV4) -> SocketAddrV4 {
        match self.of(protocol).mapping {
            MappingBehaviour::EndpointIndependent => SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
            // An ICMP query's kind stands there.
            MappingBehaviour::AddressDependent if protocol == Protocol::Icmp => remote,
            MappingBehaviour::AddressDependent => SocketAddrV4::new(*remote.ip(), 0),
            MappingBehaviour::AddressAndPortDependent => remote,
        }
    }
}

/// The mappings of one router.
#[derive(Debug)]
pub(crate) struct MappingTable {
    rules: RuleBook,
    mappings: Slab<Mapping>,
    by_inside: HashTable<u32>,
    by_external: HashTable<u32>,
    /// Which addresses a mapping's flows lead to, and how many; kept only where filtering asks for it.
    contacts: BTreeMap<(MappingId, Ipv4Addr), u32>,
    /// External ports of flows without a mapping, where they lead, and how many such flows there are: a mapping of
    /// someone else's on such a port could give two flows one name on the WAN.
    occupied: BTreeMap<(Protocol, u16, SocketAddrV4), u32>,
    /// The mappings of each internal endpoint in the order they were made; kept only where ports are reused.
    in_order: Option<InOrder>,
    hasher: FixedState,
}

#[derive(Debug, Default)]
struct InOrder {
    by_endpoint: BTreeMap<(Protocol, SocketAddrV4, u64), MappingId>,
    numbers: BTreeMap<MappingId, u64>,
    next: u64,
}

impl InOrder {
    fn enter(&mut self, protocol: Protocol, inside: SocketAddrV4, id: MappingId) {
        self.by_endpoint.insert((protocol, inside, self.next), id);
        self.numbers.insert(id, self.next);
        self.next += 1;
    }

    fn leave(&mut self, protocol: Protocol, inside: SocketAddrV4, id: MappingId) {
        if let Some(number) = self.numbers.remove(&id) {
            self.by_endpoint.remove(&(protocol, inside, number));
        }
    }

    fn latest(&self, protocol: Protocol, inside: SocketAddrV4) -> Option<MappingId> {
        let all = (protocol, inside, 0)..=(protocol, inside, u64::MAX);
        self.by_endpoint.range(all).next_back().map(|(_, id)| *id)
    }
}

impl MappingTable {
    pub(crate) fn new(nat: &Nat, reuses_ports: bool, seed: u64) -> Self {
        Self {
            rules: RuleBook::new(nat),
            mappings: Slab::new(),
            by_inside: HashTable::new(),
            by_external: HashTable::new(),
            contacts: BTreeMap::new(),
            occupied: BTreeMap::new(),
            in_order: reuses_ports.then(InOrder::default),
            hasher: FixedState::with_seed(seed),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.mappings.len()
    }

    pub(crate) fn get(&self, id: MappingId) -> Option<&Mapping> {
        self.mappings.get(id.0 as usize)
    }

    /// The mapping that packets from `inside` to `remote` share.
    pub(crate) fn find(
        &self,
        protocol: Protocol,
        inside: SocketAddrV4,
        remote: SocketAddrV4,
    ) -> Option<MappingId> {
        let towards = self.rules.towards(protocol, remote);
        let hash = inside_hash(&self.hasher, protocol, inside, towards);
        self.by_inside
            .find(hash, |id| {
                self.mappings.get(*id as usize).is_some_and(|mapping| {
                    (mapping.protocol, mapping.inside, mapping.towards) == (protocol, inside, towards)
                })
            })
            .map(|id| MappingId(*id))
    }

    /// The external port that stands for `inside` wherever it sends to; none where mappings depend on the remote.
    pub(crate) fn external_port_of(&self, protocol: Protocol, inside: SocketAddrV4) -> Option<u16> {
        if self.rules.of(protocol).mapping != MappingBehaviour::EndpointIndependent {
            return None;
        }
        let anywhere = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
        self.get(self.find(protocol, inside, anywhere)?).map(|mapping| mapping.external_port)
    }

    /// The mapping that holds an external port; one of them where ports are overloaded.
    pub(crate) fn holder(&self, protocol: Protocol, external_port: u16) -> Option<MappingId> {
        let hash = external_hash(&self.hasher, protocol, external_port);
        self.by_external
            .find(hash, |id| {
                self.mappings.get(*id as usize).is_some_and(|mapping| {
                    (mapping.protocol, mapping.external_port) == (protocol, external_port)
                })
            })
            .map(|id| MappingId(*id))
    }

    /// A new mapping without flows. The external port must be free, or may be overloaded.
    pub(crate) fn insert(
        &mut self,
        protocol: Protocol,
        inside: SocketAddrV4,
        remote: SocketAddrV4,
        external_port: u16,
    ) -> MappingId {
        let towards = self.rules.towards(protocol, remote);
        let mapping = Mapping { protocol, inside, towards, external_port, flows: 0 };
        let id = u32::try_from(self.mappings.insert(mapping)).unwrap_or(u32::MAX);
        let (mappings, hasher) = (&self.mappings, &self.hasher);
        self.by_inside.insert_unique(inside_hash(hasher, protocol, inside, towards), id, |id| {
            mappings
                .get(*id as usize)
                .map_or(0, |other| inside_hash(hasher, other.protocol, other.inside, other.towards))
        });
        self.by_external.insert_unique(external_hash(hasher, protocol, external_port), id, |id| {
            mappings
                .get(*id as usize)
                .map_or(0, |other| external_hash(hasher, other.protocol, other.external_port))
        });
        if let Some(in_order) = &mut self.in_order {
            in_order.enter(protocol, inside, MappingId(id));
        }
        MappingId(id)
    }

    /// The external port of the latest mapping of an internal endpoint, where ports are reused.
    pub(crate) fn latest_port(&self, protocol: Protocol, inside: SocketAddrV4) -> Option<u16> {
        let latest = self.in_order.as_ref()?.latest(protocol, inside)?;
        self.get(latest).map(|mapping| mapping.external_port)
    }

    /// A flow to `remote` uses the mapping.
    pub(crate) fn retain(&mut self, id: MappingId, remote: Ipv4Addr) {
        if let Some(mapping) = self.mappings.get_mut(id.0 as usize) {
            mapping.flows += 1;
            if self.rules.of(mapping.protocol).filtering == Filtering::AddressDependent {
                *self.contacts.entry((id, remote)).or_default() += 1;
            }
        }
    }

    /// A flow to `remote` ended; the last one takes the mapping along, whose external port is given back.
    pub(crate) fn release(&mut self, id: MappingId, remote: Ipv4Addr) -> Option<u16> {
        let mapping = self.mappings.get_mut(id.0 as usize)?;
        mapping.flows = mapping.flows.saturating_sub(1);
        let last = mapping.flows == 0;
        if let Some(count) = self.contacts.get_mut(&(id, remote)) {
            *count -= 1;
            if *count == 0 {
                self.contacts.remove(&(id, remote));
            }
        }
        if !last {
            return None;
        }
        let Mapping { protocol, inside, towards, external_port, .. } =
            self.mappings.try_remove(id.0 as usize)?;
        if let Some(in_order) = &mut self.in_order {
            in_order.leave(protocol, inside, id);
        }
        let inside = inside_hash(&self.hasher, protocol, inside, towards);
        let external = external_hash(&self.hasher, protocol, external_port);
        if let Ok(entry) = self.by_inside.find_entry(inside, |entry| *entry == id.0) {
            entry.remove();
        }
        if let Ok(entry) = self.by_external.find_entry(external, |entry| *entry == id.0) {
            entry.remove();
        }
        Some(external_port)
    }

    /// A flow without a mapping leads from an external port to `inside`.
    pub(crate) fn occupy(&mut self, protocol: Protocol, port: u16, inside: SocketAddrV4) {
        *self.occupied.entry((protocol, port, inside)).or_default() += 1;
    }

    /// Such a flow ended.
    pub(crate) fn vacate(&mut self, protocol: Protocol, port: u16, inside: SocketAddrV4) {
        let key = (protocol, port, inside);
        if let Some(count) = self.occupied.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.occupied.remove(&key);
            }
        }
    }

    /// Whether a flow without a mapping leads from an external port anywhere.
    pub(crate) fn is_occupied(&self, protocol: Protocol, port: u16) -> bool {
        self.is_occupied_by_another(protocol, port, SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0))
    }

    /// Whether a flow without a mapping leads from an external port to another endpoint than `inside`.
    pub(crate) fn is_occupied_by_another(&self, protocol: Protocol, port: u16, inside: SocketAddrV4) -> bool {
        let lowest = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
        let highest = SocketAddrV4::new(Ipv4Addr::BROADCAST, u16::MAX);
        self.occupied
            .range((protocol, port, lowest)..=(protocol, port, highest))
            .any(|((_, _, other), _)| *other != inside)
    }

    /// Whether filtering lets a packet from `remote` in through the mapping (RFC 4787 §5), no flow being there.
    pub(crate) fn admits(&self, id: MappingId, remote: Ipv4Addr) -> bool {
        let Some(mapping) = self.get(id) else { return false };
        match self.rules.of(mapping.protocol).filtering {
            Filtering::EndpointIndependent => true,
            Filtering::AddressDependent => self.contacts.contains_key(&(id, remote)),
            Filtering::AddressAndPortDependent => false,
        }
    }
}

fn inside_hash(hasher: &FixedState, protocol: Protocol, inside: SocketAddrV4, towards: SocketAddrV4) -> u64 {
    let mut hasher = hasher.build_hasher();
    hasher.write_u64(u64::from(u32::from(*inside.ip())) << 32 | u64::from(u32::from(*towards.ip())));
    let ports = u64::from(inside.port()) << 32 | u64::from(towards.port()) << 16;
    hasher.write_u64(ports | u64::from(protocol.number()));
    hasher.finish()
}

fn external_hash(hasher: &FixedState, protocol: Protocol, port: u16) -> u64 {
    hasher.hash_one(u64::from(port) << 8 | u64::from(protocol.number()))
}
