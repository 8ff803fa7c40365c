//! Forwards: the user's, the DMZ host, what is open for LAN hosts, and those that a gateway opens for one connection.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_alg::{AllowedPeer, Terms};
use slab::Slab;

use super::flow::ControlId;
use super::opening::Openings;
use super::timer::{Tick, TimerId};
use crate::config::StaticForward;
use crate::packet::Protocol;

/// Names a forward of the gateway's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ForwardId(pub(crate) u32);

/// A forward of the gateway's. Always TCP: it is for a data connection.
#[derive(Debug)]
pub(crate) struct AlgForward {
    pub(crate) serial: u32,
    pub(crate) external_port: u16,
    pub(crate) target: SocketAddrV4,
    /// The other end of the control connection.
    pub(crate) peer: SocketAddrV4,
    pub(crate) terms: Terms,
    /// How many connections it has taken.
    pub(crate) used: u16,
    /// `None`: it lasts as long as its control connection.
    pub(crate) deadline: Option<Tick>,
    pub(crate) timer: TimerId,
    pub(crate) control: ControlId,
}

impl AlgForward {
    /// Whether `remote` may use it.
    pub(crate) fn admits(&self, remote: SocketAddrV4) -> bool {
        match self.terms.allowed_peer {
            AllowedPeer::Anyone => true,
            AllowedPeer::Peer => remote.ip() == self.peer.ip(),
            // RFC 959 §5.2: the server's default data port is the one below its control port.
            AllowedPeer::PeerDataPort => {
                remote.ip() == self.peer.ip() && Some(remote.port()) == self.peer.port().checked_sub(1)
            }
        }
    }

    /// The address that it is open to; unspecified where that is any.
    fn peer_address(&self) -> Ipv4Addr {
        match self.terms.allowed_peer {
            AllowedPeer::Anyone => Ipv4Addr::UNSPECIFIED,
            AllowedPeer::Peer | AllowedPeer::PeerDataPort => *self.peer.ip(),
        }
    }

    /// Whether it has taken all the connections it may.
    pub(crate) fn is_used_up(&self) -> bool {
        self.terms.connections != 0 && self.used >= self.terms.connections
    }
}

/// A port's forwards are all open to others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NotForThisPeer;

/// All forwards of a router.
#[derive(Debug)]
pub(crate) struct Forwards {
    by_user: Vec<StaticForward>,
    pub(crate) dmz_host: Option<Ipv4Addr>,
    /// Those of LAN hosts.
    pub(crate) openings: Openings,
    by_alg: Slab<AlgForward>,
    /// The gateway's, by external port and the address they are open to: one port may lead two servers to two hosts.
    alg_ports: BTreeMap<(u16, Ipv4Addr), ForwardId>,
}

impl Forwards {
    pub(crate) fn new(by_user: Vec<StaticForward>, dmz_host: Option<Ipv4Addr>) -> Self {
        Self {
            by_user,
            dmz_host,
            openings: Openings::default(),
            by_alg: Slab::new(),
            alg_ports: BTreeMap::new(),
        }
    }

    /// Where the user's forwards lead a packet to `port`.
    pub(crate) fn static_target(&self, protocol: Protocol, port: u16) -> Option<SocketAddrV4> {
        self.by_user.iter().find_map(|forward| forward.target(protocol, port))
    }

    /// Where the forwards of any kind lead a packet to `port`; a port with a target is not free for others.
    pub(crate) fn target(&self, protocol: Protocol, port: u16) -> Option<SocketAddrV4> {
        let by_alg = || self.alg_targets(protocol, port).next();
        let by_host = || self.openings.target(protocol, port);
        self.static_target(protocol, port).or_else(by_alg).or_else(by_host)
    }

    /// Whether a forward of any kind leads a packet to `port` to another than `inside`.
    pub(crate) fn leads_elsewhere(&self, protocol: Protocol, port: u16, inside: SocketAddrV4) -> bool {
        self.target(protocol, port).is_some_and(|target| target != inside)
            || self.alg_targets(protocol, port).any(|target| target != inside)
    }

    /// A port from which a forward of either kind leads to `target`.
    pub(crate) fn port_towards(&self, protocol: Protocol, target: SocketAddrV4) -> Option<u16> {
        let by_user = self.by_user.iter().find_map(|forward| forward.port_towards(protocol, target));
        let by_alg = || {
            let leads = |id: &&ForwardId| self.get(**id).is_some_and(|forward| forward.target == target);
            let id = self.alg_ports.values().find(leads).filter(|_| protocol == Protocol::Tcp)?;
            self.get(*id).map(|forward| forward.external_port)
        };
        by_user.or_else(by_alg)
    }

    /// The gateway's forwards at an external port.
    pub(crate) fn at_port(&self, protocol: Protocol, port: u16) -> Vec<ForwardId> {
        self.alg_ids(protocol, port).collect()
    }

    fn alg_ids(&self, protocol: Protocol, port: u16) -> impl Iterator<Item = ForwardId> {
        let ends = (port, Ipv4Addr::UNSPECIFIED)..=(port, Ipv4Addr::BROADCAST);
        self.alg_ports.range(ends).map(|(_, id)| *id).filter(move |_| protocol == Protocol::Tcp)
    }

    fn alg_targets(&self, protocol: Protocol, port: u16) -> impl Iterator<Item = SocketAddrV4> {
        self.alg_ids(protocol, port).filter_map(|id| self.get(id)).map(|forward| forward.target)
    }

    /// The gateway's forward at an external port for the connections of an address; unspecified: of all.
    pub(crate) fn for_peer(&self, port: u16, peer: Ipv4Addr) -> Option<ForwardId> {
        self.alg_ports.get(&(port, peer)).copied()
    }

    /// The gateway's forward that `remote` may use at an external port; an error where only others may.
    pub(crate) fn admitting(
        &self,
        protocol: Protocol,
        port: u16,
        remote: SocketAddrV4,
    ) -> Result<Option<ForwardId>, NotForThisPeer> {
        let mut ids = self.alg_ids(protocol, port).peekable();
        if ids.peek().is_none() {
            return Ok(None);
        }
        let admits = |id: &ForwardId| self.get(*id).is_some_and(|forward| forward.admits(remote));
        ids.find(admits).map(Some).ok_or(NotForThisPeer)
    }

    pub(crate) fn get(&self, id: ForwardId) -> Option<&AlgForward> {
        self.by_alg.get(id.0 as usize)
    }

    pub(crate) fn get_mut(&mut self, id: ForwardId) -> Option<&mut AlgForward> {
        self.by_alg.get_mut(id.0 as usize)
    }

    /// The number that [`Forwards::open`] will give next.
    pub(crate) fn next_id(&self) -> ForwardId {
        ForwardId(u32::try_from(self.by_alg.vacant_key()).unwrap_or(u32::MAX))
    }

    pub(crate) fn open(&mut self, forward: AlgForward) -> ForwardId {
        let id = self.next_id();
        self.alg_ports.insert((forward.external_port, forward.peer_address()), id);
        self.by_alg.insert(forward);
        id
    }

    pub(crate) fn close(&mut self, id: ForwardId) -> Option<AlgForward> {
        let forward = self.by_alg.try_remove(id.0 as usize)?;
        self.alg_ports.remove(&(forward.external_port, forward.peer_address()));
        Some(forward)
    }

    /// The forwards of one control connection, oldest first.
    pub(crate) fn of_control(&self, control: ControlId) -> Vec<ForwardId> {
        let mut own: Vec<(u32, ForwardId)> = self
            .by_alg
            .iter()
            .filter(|(_, forward)| forward.control == control)
            .map(|(id, forward)| (forward.serial, ForwardId(u32::try_from(id).unwrap_or(u32::MAX))))
            .collect();
        own.sort_unstable_by_key(|(serial, _)| *serial);
        own.into_iter().map(|(_, id)| id).collect()
    }
}
