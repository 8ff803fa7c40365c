//! Hosts' ends, routers, wires and the public network, and the packets between them. Sans-IO: what a host sends is
//! handed in, what it gets is handed out, and time is an argument. The same network stands between simulated hosts and
//! between namespaces.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::Ipv4Addr;

use quirknat_router::Router;
use quirknat_router::config::{Config, ConfigError};
use quirknat_router::event::Interface;
use quirknat_router::profile::Profile;
use smoltcp::time::{Duration, Instant};

use super::internet::{InternetSpec, Undelivered};
use super::link::{Carried, LinkSpec};
use super::record::{Change, ChangeKind, Crossing, Log, Loss, LossPlace, LossReason, NetworkEvent, TakenLog};
use super::wire::{Direction, Wire};

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

/// What a wire is like in its two directions: away from the host or home at its end, and towards it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WireSpec {
    /// From the host or home.
    pub up: LinkSpec,
    /// To it.
    pub down: LinkSpec,
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
    name: String,
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
    /// The packet's place in the record, if it crossed the watched end of this wire already.
    crossing: Option<usize>,
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
            name: name.to_owned(),
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
        let (into, name) = match behind {
            Some((id, router)) => {
                let port = u8::try_from(router.lan.len()).unwrap_or(u8::MAX);
                router.lan.push(station);
                (Some((id, port)), name(Some(&router.name)))
            }
            None => {
                self.public.insert(address, station);
                (None, name(None))
            }
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
        let under_way = self.arrivals.iter().filter_map(|Reverse(arrival)| arrival.crossing).min();
        self.log.take(under_way)
    }

    /// The router of a network.
    pub fn router(&self, RouterId(id): RouterId) -> Option<&Router> {
        self.routers.get(id).map(|placed| &placed.router)
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

    /// A host sends a packet.
    pub fn send(&mut self, now: Instant, HostId(id): HostId, packet: Vec<u8>) {
        let Some(plug) = self.ends.get(id).copied() else { return };
        // On the public network a wire is watched at the host, in a home at the router.
        let crossing = if plug.into.is_none() { self.log.cross(plug.wire, now, &packet) } else { None };
        self.carry(now, plug, Direction::Up, (packet, crossing));
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
            let Arrival { node, packet, crossing, .. } = arrival;
            match node {
                Node::Host(host) => self.arrive_at_host(now, host, packet),
                Node::Router(router, ingress) => {
                    self.arrive_at_router(now, router, ingress, packet, crossing)
                }
                Node::Internet => self.cross_internet(now, packet, crossing),
            }
        }
    }

    fn arrive_at_host(&mut self, now: Instant, id: usize, packet: Vec<u8>) {
        if let Some(plug) = self.ends.get(id)
            && plug.into.is_none()
        {
            self.log.cross(plug.wire, now, &packet);
        }
        self.deliveries.push_back((HostId(id), packet));
    }

    fn arrive_at_router(
        &mut self,
        now: Instant,
        id: usize,
        ingress: Interface,
        mut packet: Vec<u8>,
        crossing: Option<usize>,
    ) {
        let wire = self.plug_at(id, ingress).map(|plug| plug.wire);
        let Some(placed) = self.routers.get_mut(id) else { return };
        let crossing = crossing.or_else(|| self.log.cross(wire?, now, &packet));
        if placed.off_until.is_some_and(|until| now < until) {
            let place = LossPlace::Router(placed.name.clone());
            self.lose(now, place, LossReason::RouterOff, &packet, crossing);
            return;
        }
        placed.off_until = None;
        let egress = placed.router.forward(now, ingress, &mut packet);
        self.drain_events(id, crossing);
        if let Some(egress) = egress {
            self.leave_router(now, id, egress, packet);
        }
        self.drain_router(now, id);
    }

    fn drain_router(&mut self, now: Instant, id: usize) {
        while let Some((egress, packet)) =
            self.routers.get_mut(id).and_then(|placed| placed.router.poll_transmit())
        {
            self.leave_router(now, id, egress, packet);
        }
        self.drain_events(id, None);
    }

    fn drain_events(&mut self, id: usize, crossing: Option<usize>) {
        let Some(placed) = self.routers.get_mut(id) else { return };
        let name = &placed.name;
        let router = &mut placed.router;
        let events = std::iter::from_fn(|| router.poll_event())
            .map(|event| NetworkEvent::Router { router: name.clone(), event });
        self.log.tell(crossing, events);
    }

    fn leave_router(&mut self, now: Instant, id: usize, egress: Interface, packet: Vec<u8>) {
        let Some(plug) = self.plug_at(id, egress) else { return };
        let (direction, is_watched_here) = match (egress, plug.station) {
            (Interface::Wan, _) => (Direction::Up, true),
            (Interface::Lan(_), Station::Host(_)) => (Direction::Down, true),
            // The wire between two routers is watched at the lower one's WAN.
            (Interface::Lan(_), Station::Wan(_)) => (Direction::Down, false),
        };
        let crossing = if is_watched_here { self.log.cross(plug.wire, now, &packet) } else { None };
        self.carry(now, plug, direction, (packet, crossing));
    }

    fn cross_internet(&mut self, now: Instant, mut packet: Vec<u8>, crossing: Option<usize>) {
        let destination = address_at(&packet, 16);
        let station = self.public.get(&destination).copied();
        match (self.internet.route(&mut packet, station.is_some()), station) {
            (Ok(()), Some(station)) => {
                let Some(plug) = self.plug_of(station) else { return };
                let mtu = self.wires.get(plug.wire).and_then(|wire| wire.mtu(Direction::Down));
                match self.internet.fit(packet.clone(), mtu.unwrap_or(u16::MAX)) {
                    Ok(pieces) => {
                        for piece in pieces {
                            self.carry(now, plug, Direction::Down, (piece, None));
                        }
                    }
                    Err(undelivered) => self.undelivered(now, undelivered, &packet, crossing),
                }
            }
            (Err(undelivered), _) => self.undelivered(now, undelivered, &packet, crossing),
            (Ok(()), None) => {}
        }
    }

    fn undelivered(
        &mut self,
        now: Instant,
        undelivered: Undelivered,
        packet: &[u8],
        crossing: Option<usize>,
    ) {
        let place = LossPlace::Network("internet".to_owned());
        self.lose(now, place, undelivered.reason, packet, crossing);
        // An error about a packet with a source that is nobody's ends here.
        if let Some(error) = undelivered.error
            && let Some(plug) = self.public.get(&address_at(&error, 16)).and_then(|to| self.plug_of(*to))
        {
            self.carry(now, plug, Direction::Down, (error, None));
        }
    }

    /// The wire at a router's interface.
    fn plug_at(&self, id: usize, interface: Interface) -> Option<Plug> {
        let placed = self.routers.get(id)?;
        match interface {
            Interface::Wan => Some(placed.wan),
            Interface::Lan(port) => self.plug_of(*placed.lan.get(usize::from(port))?),
        }
    }

    fn plug_of(&self, station: Station) -> Option<Plug> {
        match station {
            Station::Host(id) => self.ends.get(id).copied(),
            Station::Wan(id) => self.routers.get(id).map(|placed| placed.wan),
        }
    }

    /// A packet goes onto a wire. What crossed the watched end already is known by its place in the record.
    fn carry(
        &mut self,
        now: Instant,
        plug: Plug,
        direction: Direction,
        (mut packet, crossing): (Vec<u8>, Option<usize>),
    ) {
        let Some(wire) = self.wires.get_mut(plug.wire) else { return };
        let carried = wire.link(direction).send(now, packet.len());
        let (first, duplicate) = match carried {
            Carried::Arrives { packet, duplicate } => (packet, duplicate),
            Carried::Lost(reason) => {
                let place = LossPlace::Wire(wire.name.clone());
                let crossing = crossing.or_else(|| self.lost_before_it_was_seen(plug.wire, now, &packet));
                self.lose(now, place, LossReason::Link(reason), &packet, crossing);
                return;
            }
        };
        let node = plug.far_end(direction);
        // A packet that crosses twice is two packets from here on: the watched end saw the first.
        if let Some(second) = duplicate {
            let mut copy = packet.clone();
            second.damage(&mut copy);
            self.schedule(second.at, node, None, copy);
        }
        first.damage(&mut packet);
        self.schedule(first.at, node, crossing, packet);
    }

    fn lost_before_it_was_seen(&mut self, wire: usize, now: Instant, packet: &[u8]) -> Option<usize> {
        let crossing = self.log.cross(wire, now, packet)?;
        if let Some(crossing) = self.log.crossing_mut(crossing) {
            crossing.lost = true;
        }
        Some(crossing)
    }

    fn lose(
        &mut self,
        at: Instant,
        place: LossPlace,
        reason: LossReason,
        packet: &[u8],
        crossing: Option<usize>,
    ) {
        let loss = Loss {
            place,
            at,
            packet_source: address_at(packet, 12),
            packet_destination: address_at(packet, 16),
            reason,
        };
        self.log.tell(crossing, std::iter::once(NetworkEvent::Lost(loss)));
    }

    fn schedule(&mut self, at: Instant, node: Node, crossing: Option<usize>, packet: Vec<u8>) {
        self.scheduled += 1;
        self.arrivals.push(Reverse(Arrival { at, order: self.scheduled, node, crossing, packet }));
    }
}

/// Changes while it runs.
impl Network {
    /// Switches a router off and, after a time, on again; its tables are empty then.
    pub fn restart(&mut self, now: Instant, RouterId(id): RouterId, off_for: Duration) {
        let Some(placed) = self.routers.get_mut(id) else { return };
        placed.renew();
        placed.off_until = (off_for > Duration::ZERO).then(|| now + off_for);
        let what = ChangeKind::RouterRestarted { router: placed.name.clone() };
        self.changed(now, what);
    }

    /// Gives a router another address on its WAN. Its tables are empty then: a home router dials in anew, and Linux
    /// forgets a masqueraded connection when its interface loses the address (nf_nat_masquerade.c).
    pub fn change_wan_address(
        &mut self,
        now: Instant,
        RouterId(id): RouterId,
        address: Ipv4Addr,
    ) -> Result<(), ConfigError> {
        let Some(placed) = self.routers.get_mut(id) else { return Ok(()) };
        let before = placed.config.wan;
        let mut config = placed.config.clone();
        config.wan = smoltcp::wire::Ipv4Cidr::new(address, before.prefix_len());
        config.check(&placed.profile)?;
        placed.config = config;
        placed.renew();
        if placed.wan.into.is_none() {
            self.public.remove(&before.address());
            self.public.insert(address, Station::Wan(id));
        }
        let router = placed.name.clone();
        self.changed(now, ChangeKind::WanAddressChanged { router, before: before.address(), after: address });
        Ok(())
    }

    /// Makes a wire another one. What is under way keeps its times.
    pub fn change_wire(&mut self, now: Instant, wire: usize, change: impl FnOnce(&mut WireSpec)) {
        let Some(wire) = self.wires.get_mut(wire) else { return };
        wire.change(change);
        let what = ChangeKind::LinkChanged { wire: wire.name.clone() };
        self.changed(now, what);
    }

    /// Notes that time was passed over.
    pub fn note_skip(&mut self, now: Instant, time: Duration) {
        self.changed(now, ChangeKind::TimeSkipped { seconds: time.secs() });
    }

    fn changed(&mut self, at: Instant, what: ChangeKind) {
        self.log.tell(None, std::iter::once(NetworkEvent::Changed(Change { at, what })));
    }
}

impl Plug {
    /// Where what goes this way arrives.
    fn far_end(&self, direction: Direction) -> Node {
        match (direction, self.into, self.station) {
            (Direction::Up, None, _) => Node::Internet,
            (Direction::Up, Some((router, port)), _) => Node::Router(router, Interface::Lan(port)),
            (Direction::Down, _, Station::Wan(router)) => Node::Router(router, Interface::Wan),
            (Direction::Down, _, Station::Host(host)) => Node::Host(host),
        }
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

fn address_at(packet: &[u8], at: usize) -> Ipv4Addr {
    let octets = packet.get(at..).and_then(|bytes| bytes.first_chunk::<4>()).copied();
    Ipv4Addr::from(octets.unwrap_or_default())
}
