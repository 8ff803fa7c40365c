//! Hosts' ends, routers, wires and the public network, and the packets between them. Sans-IO: what a host sends is
//! handed in, what it gets is handed out, and time is an argument. The same network stands between simulated hosts and
//! between namespaces.

mod change;
mod passage;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::Ipv4Addr;
use std::sync::Arc;

use quirknat_router::Router;
use quirknat_router::config::{Config, ConfigError};
use quirknat_router::event::Interface;
use quirknat_router::profile::Profile;
use smoltcp::time::Instant;

pub use change::ChangeError;

use super::internet::InternetSpec;
use super::record::{Crossing, Log, NetworkEvent, TakenLog};
use super::wire::{Direction, Wire, WireSpec};
use passage::Trace;

/// A host of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostId(pub(crate) usize);

/// A router of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouterId(usize);

/// Where something is plugged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the public network.
    Internet,
    /// On the LAN of a router.
    Behind(RouterId),
}

/// A network.
pub struct Network {
    seed: u64,
    internet: InternetSpec,
    ends: Vec<Plug>,
    routers: Vec<PlacedRouter>,
    /// Who has which public address.
    public: BTreeMap<Ipv4Addr, Station>,
    wires: Vec<Wire>,
    arrivals: BinaryHeap<Reverse<Arrival>>,
    scheduled: u64,
    deliveries: VecDeque<(HostId, Vec<u8>)>,
    log: Log,
}

/// A router where it stands.
struct PlacedRouter {
    name: Arc<str>,
    profile: Profile,
    config: Config,
    router: Router,
    /// What is on each LAN port.
    lan: Vec<Station>,
    wan: Plug,
    /// It is off until then.
    off_until: Option<Instant>,
}

/// One end of a wire, and what it is plugged into.
#[derive(Debug, Clone, Copy)]
struct Plug {
    /// What is at this end.
    station: Station,
    /// The router and its LAN port at the other one; `None`: the public network.
    into: Option<(usize, u8)>,
    wire: usize,
}

/// What is at the far end of a LAN port, or has a public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Station {
    Host(usize),
    Wan(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Host(usize),
    Router(usize, Interface),
    Internet,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrival {
    at: Instant,
    order: u64,
    node: Node,
    wire: usize,
    trace: Trace,
    packet: Vec<u8>,
}

impl Network {
    /// An empty network. `seed` is for all that is left to chance in it.
    pub fn new(internet: InternetSpec, seed: u64) -> Self {
        Self {
            seed,
            internet,
            ends: Vec::new(),
            routers: Vec::new(),
            public: BTreeMap::new(),
            wires: Vec::new(),
            arrivals: BinaryHeap::new(),
            scheduled: 0,
            deliveries: VecDeque::new(),
            log: Log::default(),
        }
    }

    /// Keeps neither packets nor events from now on: for a network that runs for days.
    pub fn forget(&mut self) {
        self.log = Log { forgets: true, ..Log::default() };
    }

    /// Places the router of the network `name`, set up as `config` says; its WAN's wire is called `NAME.wan`.
    pub fn add_router(
        &mut self,
        name: &str,
        profile: Profile,
        config: Config,
        place: Place,
        wire: &WireSpec,
    ) -> Result<RouterId, ConfigError> {
        let id = self.routers.len();
        let router = Router::new(&profile, &config)?;
        let station = Station::Wan(id);
        let address = config.wan.address();
        let wan = self.plug(station, address, place, &|_| format!("{name}.wan"), wire);
        self.routers.push(PlacedRouter {
            name: name.into(),
            profile,
            config,
            router,
            lan: Vec::new(),
            wan,
            off_until: None,
        });
        Ok(RouterId(id))
    }

    /// Places a host; its wire is called `NETWORK.lan.NAME`, or `internet.NAME`.
    pub fn add_host(&mut self, name: &str, address: Ipv4Addr, place: Place, wire: &WireSpec) -> HostId {
        let id = self.ends.len();
        let wire_name = |network: Option<&str>| match network {
            Some(network) => format!("{network}.lan.{name}"),
            None => format!("internet.{name}"),
        };
        let plug = self.plug(Station::Host(id), address, place, &wire_name, wire);
        self.ends.push(plug);
        HostId(id)
    }

    fn plug(
        &mut self,
        station: Station,
        address: Ipv4Addr,
        place: Place,
        name: &dyn Fn(Option<&str>) -> String,
        spec: &WireSpec,
    ) -> Plug {
        let behind = match place {
            Place::Behind(RouterId(id)) => self.routers.get_mut(id).map(|router| (id, router)),
            Place::Internet => None,
        };
        let (into, name) = if let Some((id, router)) = behind {
            let port = u8::try_from(router.lan.len()).unwrap_or(u8::MAX);
            router.lan.push(station);
            (Some((id, port)), name(Some(&router.name)))
        } else {
            self.public.insert(address, station);
            (None, name(None))
        };
        self.wires.push(Wire::new(name, spec, self.seed));
        Plug { station, into, wire: self.wires.len() - 1 }
    }

    /// The wires' names.
    pub fn wires(&self) -> Vec<&str> {
        self.wires.iter().map(|wire| wire.name.as_str()).collect()
    }

    /// The wire a host is on.
    pub fn wire_of(&self, HostId(id): HostId) -> Option<usize> {
        self.ends.get(id).map(|plug| plug.wire)
    }

    /// All that crossed a wire so far, in order of time.
    pub fn record(&self) -> &[Crossing] {
        &self.log.record
    }

    /// All that happened so far, in order of time.
    pub fn events(&self) -> &[NetworkEvent] {
        &self.log.events
    }

    /// What became of a packet and why, in words; `None` where nothing did.
    pub fn comment(&self, crossing: &Crossing) -> Option<String> {
        self.log.comment(crossing)
    }

    /// Takes what was noted so far out of the log, for one that is written while the network runs. A packet stays until
    /// it, and those before it, have arrived: then all is known of it. [`record`](Self::record) and
    /// [`events`](Self::events) have what is left afterwards, and the packets' ranges of events count on.
    pub fn take_log(&mut self) -> TakenLog {
        let under_way = self.arrivals.iter().filter_map(|Reverse(arrival)| arrival.trace.place()).min();
        self.log.take(under_way)
    }

    /// The events that tell what became of a packet.
    pub fn told(&self, crossing: &Crossing) -> &[NetworkEvent] {
        self.log.told(crossing)
    }

    /// The router of a network.
    pub fn router(&self, RouterId(id): RouterId) -> Option<&Router> {
        self.routers.get(id).map(|placed| &placed.router)
    }

    /// The router of the network of this name.
    pub fn router_of(&self, network: &str) -> Option<RouterId> {
        self.routers.iter().position(|placed| *placed.name == *network).map(RouterId)
    }

    /// How a router is set up now.
    pub fn config(&self, RouterId(id): RouterId) -> Option<&Config> {
        self.routers.get(id).map(|placed| &placed.config)
    }

    /// How many packets have crossed wires so far.
    pub fn crossings(&self) -> u64 {
        self.log.crossings
    }

    /// Whether packets are under way.
    pub fn is_busy(&self) -> bool {
        !self.arrivals.is_empty() || !self.deliveries.is_empty()
    }

    /// Whether any wire does, as it is now, what it leaves to chance.
    pub fn leaves_to_chance(&self) -> bool {
        self.wires.iter().any(Wire::leaves_to_chance)
    }

    /// A host sends a packet.
    pub fn send(&mut self, now: Instant, HostId(id): HostId, packet: Vec<u8>) {
        let Some(plug) = self.ends.get(id).copied() else { return };
        // On the public network a wire is watched at the host, in a home at the router.
        let trace = if plug.into.is_none() {
            Trace::Seen(self.log.cross((plug.wire, Direction::Up), now, &packet, None))
        } else {
            Trace::Unseen { comes_from: None }
        };
        self.carry(now, plug, Direction::Up, packet, trace);
    }

    /// The next packet that arrives at a host.
    pub fn poll_delivery(&mut self) -> Option<(HostId, Vec<u8>)> {
        self.deliveries.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let arrival = self.arrivals.peek().map(|Reverse(arrival)| arrival.at);
        let routers = self.routers.iter().filter_map(|placed| placed.router.poll_timeout()).min();
        arrival.into_iter().chain(routers).min()
    }

    /// Does all that is due by `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        for router in 0..self.routers.len() {
            if let Some(placed) = self.routers.get_mut(router)
                && placed.router.poll_timeout().is_some_and(|at| at <= now)
            {
                placed.router.handle_timeout(now);
                self.drain_router(now, router);
            }
        }
        while let Some(Reverse(arrival)) = self.arrivals.peek()
            && arrival.at <= now
            && let Some(Reverse(arrival)) = self.arrivals.pop()
        {
            self.arrive(now, arrival);
        }
    }
}
