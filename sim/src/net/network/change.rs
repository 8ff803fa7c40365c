//! Changes to a network while it runs.

use std::net::Ipv4Addr;

use quirknat_router::Router;
use quirknat_router::config::ConfigError;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::Ipv4Cidr;
use thiserror::Error;

use super::{HostId, Network, PlacedRouter, RouterId, Station};
use crate::net::DEFAULT_MTU;
use crate::net::record::{Change, ChangeKind, NetworkEvent};
use crate::net::wire::{Direction, WireSpec};

/// Why a network cannot be changed so.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// Somebody else on the public network has the address.
    #[error("{0} is somebody else's address on the public network")]
    AddressTaken(Ipv4Addr),
    /// No such router can be made.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl Network {
    /// Switches a router off and, after a time, on again; its tables are empty then. What was under way to it and comes
    /// while it is off is lost.
    pub fn restart(&mut self, now: Instant, RouterId(id): RouterId, off_for: Duration) {
        let Some(placed) = self.routers.get_mut(id) else { return };
        placed.renew();
        placed.off_until = (off_for > Duration::ZERO).then(|| now + off_for);
        let what = ChangeKind::RouterRestarted { router: placed.name.to_string() };
        self.changed(now, what);
    }

    /// Gives a router another address on its WAN. Its tables are empty then: a home router dials in anew, and Linux
    /// forgets a masqueraded connection when its interface loses the address (nf_nat_masquerade.c). What is under way
    /// to the old address finds nobody.
    pub fn change_wan_address(
        &mut self,
        now: Instant,
        RouterId(id): RouterId,
        address: Ipv4Addr,
    ) -> Result<(), ChangeError> {
        let Some(placed) = self.routers.get_mut(id) else { return Ok(()) };
        let before = placed.config.wan;
        let is_public = placed.wan.into.is_none();
        let own = Station::Wan(id);
        if is_public && self.public.get(&address).is_some_and(|station| *station != own) {
            return Err(ChangeError::AddressTaken(address));
        }
        let mut config = placed.config.clone();
        config.wan = Ipv4Cidr::new(address, before.prefix_len());
        config.check(&placed.profile)?;
        placed.config = config;
        placed.renew();
        if is_public {
            self.public.remove(&before.address());
            self.public.insert(address, own);
        }
        let router = placed.name.to_string();
        self.changed(now, ChangeKind::WanAddressChanged { router, before: before.address(), after: address });
        Ok(())
    }

    /// Makes a wire another one. What is under way keeps its times. Both ends know at once how long a packet may be, as
    /// of a link that was set up anew; for the host at its end, if one is, that is given back.
    pub fn change_wire(
        &mut self,
        now: Instant,
        wire: usize,
        change: impl FnOnce(&mut WireSpec),
    ) -> Option<(HostId, u16)> {
        let changed = self.wires.get_mut(wire)?;
        changed.change(change);
        let what = ChangeKind::LinkChanged { wire: changed.name.clone() };
        let up = changed.mtu(Direction::Up);
        self.changed(now, what);
        for router in 0..self.routers.len() {
            self.learn_mtu(router);
        }
        let host = self.ends.iter().position(|plug| plug.wire == wire)?;
        Some((HostId(host), up.unwrap_or(DEFAULT_MTU)))
    }

    /// A router knows how long a packet its own wires take.
    fn learn_mtu(&mut self, id: usize) {
        let Some(placed) = self.routers.get(id) else { return };
        let mtu = |wire: usize, direction| self.wires.get(wire).and_then(|wire| wire.mtu(direction));
        let wan = mtu(placed.wan.wire, Direction::Up).unwrap_or(DEFAULT_MTU);
        let on_lan = placed.lan.iter().filter_map(|station| self.plug_of(*station));
        let lan = on_lan.flat_map(|plug| [Direction::Up, Direction::Down].map(|way| mtu(plug.wire, way)));
        let lan = lan.flatten().min().unwrap_or(DEFAULT_MTU);
        let (lan, wan) = (usize::from(lan), usize::from(wan));
        let Some(placed) = self.routers.get_mut(id) else { return };
        (placed.config.lan_mtu, placed.config.wan_mtu) = (lan, wan);
        placed.router.set_mtu(lan, wan);
    }

    /// Notes that time was passed over.
    pub fn note_skip(&mut self, now: Instant, time: Duration) {
        self.changed(now, ChangeKind::TimeSkipped { seconds: time.secs() });
    }

    fn changed(&mut self, at: Instant, what: ChangeKind) {
        self.log.tell(None, std::iter::once(NetworkEvent::Changed(Change { at, what })));
    }
}

impl PlacedRouter {
    /// The same router, with empty tables.
    fn renew(&mut self) {
        if let Ok(router) = Router::new(&self.profile, &self.config) {
            self.router = router;
        }
    }
}
