//! A simulated internet on a virtual clock: hosts, home routers, and the network between them.
//!
//! Time moves from event to event and never waits. What happens at one instant happens in the order it was
//! scheduled, so a world gives the same packets at the same times on every machine.

mod driver;
mod host;
mod queue;
mod stack;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::Ipv4Addr;

use quirknat_router::Router;
use quirknat_router::event::{Event, Interface};
use smoltcp::time::{Duration, Instant};

pub use host::{Host, SessionId};

use crate::record::comment;
use stack::Stack;

/// A home's cable and switch.
const LAN_DELAY: Duration = Duration::from_micros(100);
/// From an access link to another, one way.
const INTERNET_DELAY: Duration = Duration::from_micros(10_000);
const MTU: usize = 1500;

/// A world.
pub struct World {
    now: Instant,
    seed: u64,
    hosts: Vec<Host>,
    attachments: Vec<Attachment>,
    routers: Vec<HomeRouter>,
    /// Who has which public address.
    internet: BTreeMap<Ipv4Addr, Node>,
    arrivals: BinaryHeap<Reverse<Arrival>>,
    scheduled: u64,
    wires: Vec<String>,
    record: Vec<Crossing>,
    events: Vec<RouterEvent>,
    losses: Vec<Loss>,
}

/// A packet on a wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// Which wire, as an index into [`World::wires`].
    pub wire: usize,
    /// When.
    pub at: Instant,
    /// The packet.
    pub bytes: Vec<u8>,
    /// What the router did with it, where one did.
    pub comment: Option<String>,
}

/// An event, and whose.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RouterEvent {
    /// The network whose router it is.
    pub router: String,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// A packet that the internet lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// When.
    pub at: Instant,
    /// Where it was to go.
    pub destination: Ipv4Addr,
    /// Why it did not.
    pub reason: LossReason,
}

/// Why the internet lost a packet. The text completes "lost on the internet: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LossReason {
    /// Its destination is a private address (RFC 1918), which no provider routes.
    #[error("a private destination address, which is routed nowhere")]
    PrivateDestination,
    /// Nobody has its destination address.
    #[error("nobody has the destination address")]
    NobodyThere,
}

/// A home router to place.
pub struct HomeRouter {
    /// Its network's name.
    pub name: String,
    /// It.
    pub router: Router,
    /// The host on each LAN port.
    hosts: Vec<usize>,
    wan_wire: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Host(usize),
    Router(usize, Interface),
}

/// Where a host is plugged in, and its wire.
struct Attachment {
    to: Option<(usize, u8)>,
    wire: usize,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrival {
    at: Instant,
    order: u64,
    node: Node,
    packet: Vec<u8>,
}

/// Names a host of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostId(usize);

/// Names a router of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouterId(usize);

impl World {
    /// An empty world.
    pub fn new(seed: u64) -> Self {
        Self {
            now: Instant::ZERO,
            seed,
            hosts: Vec::new(),
            attachments: Vec::new(),
            routers: Vec::new(),
            internet: BTreeMap::new(),
            arrivals: BinaryHeap::new(),
            scheduled: 0,
            wires: Vec::new(),
            record: Vec::new(),
            events: Vec::new(),
            losses: Vec::new(),
        }
    }

    /// Places a home router between the internet and the LAN hosts to come.
    pub fn add_router(&mut self, name: &str, router: Router, wan: Ipv4Addr) -> RouterId {
        let id = self.routers.len();
        let wan_wire = self.add_wire(format!("{name}.wan"));
        self.internet.insert(wan, Node::Router(id, Interface::Wan));
        self.routers.push(HomeRouter { name: name.to_owned(), router, hosts: Vec::new(), wan_wire });
        RouterId(id)
    }

    /// Places a host on the next LAN port of a router, or on the internet.
    pub fn add_host(&mut self, name: &str, address: Ipv4Addr, on: Option<RouterId>) -> HostId {
        let id = self.hosts.len();
        // Each host its own initial sequence numbers.
        let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(id as u64 + 1);
        self.hosts.push(Host::new(name, Stack::new(address, MTU, seed)));
        let home = on.and_then(|RouterId(router)| Some((router, self.routers.get_mut(router)?)));
        let attachment = if let Some((router, home)) = home {
            let port = u8::try_from(home.hosts.len()).unwrap_or(u8::MAX);
            home.hosts.push(id);
            let wire = format!("{}.lan.{name}", home.name);
            Attachment { to: Some((router, port)), wire: self.add_wire(wire) }
        } else {
            self.internet.insert(address, Node::Host(id));
            Attachment { to: None, wire: self.add_wire(format!("internet.{name}")) }
        };
        self.attachments.push(attachment);
        HostId(id)
    }

    /// The virtual time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// A host.
    pub fn host(&mut self, HostId(id): HostId) -> Option<&mut Host> {
        self.hosts.get_mut(id)
    }

    /// The wire a host is on.
    pub fn wire_of(&self, HostId(id): HostId) -> Option<usize> {
        self.attachments.get(id).map(|attachment| attachment.wire)
    }

    /// The wires' names.
    pub fn wires(&self) -> &[String] {
        &self.wires
    }

    /// All that crossed a wire so far, in order of time.
    pub fn record(&self) -> &[Crossing] {
        &self.record
    }

    /// All that the routers told so far, in order of time.
    pub fn events(&self) -> &[RouterEvent] {
        &self.events
    }

    /// All that the internet lost so far, in order of time.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Lets time pass until `deadline`, or until a client's session is over.
    pub fn run_session(&mut self, HostId(host): HostId, session: SessionId, deadline: Instant) {
        self.run(deadline, |world| world.hosts.get_mut(host).is_none_or(|host| host.is_finished(session)));
    }

    /// Lets time pass until `deadline`.
    pub fn run_until(&mut self, deadline: Instant) {
        self.run(deadline, |_| false);
    }

    fn run(&mut self, deadline: Instant, mut done: impl FnMut(&mut Self) -> bool) {
        for host in 0..self.hosts.len() {
            self.poll_host(host);
        }
        while !done(self) {
            match self.next_instant() {
                Some(next) if next <= deadline => self.step(next),
                _ => {
                    self.now = self.now.max(deadline);
                    return;
                }
            }
        }
    }

    fn next_instant(&mut self) -> Option<Instant> {
        let now = self.now;
        let arrival = self.arrivals.peek().map(|Reverse(arrival)| arrival.at);
        let hosts = self.hosts.iter_mut().filter_map(|host| host.poll_at(now)).min();
        let routers = self.routers.iter().filter_map(|home| home.router.poll_timeout()).min();
        // smoltcp says "at once" as a time long past.
        [arrival, hosts, routers].into_iter().flatten().min().map(|next| next.max(now))
    }

    /// All that happens at one instant.
    fn step(&mut self, now: Instant) {
        self.now = now;
        for router in 0..self.routers.len() {
            if let Some(home) = self.routers.get_mut(router)
                && home.router.poll_timeout().is_some_and(|at| at <= now)
            {
                home.router.handle_timeout(now);
                self.drain_router(router);
            }
        }
        while let Some(Reverse(arrival)) = self.arrivals.peek()
            && arrival.at <= now
            && let Some(Reverse(Arrival { node, packet, .. })) = self.arrivals.pop()
        {
            match node {
                Node::Host(host) => self.arrive_at_host(host, packet),
                Node::Router(router, ingress) => self.arrive_at_router(router, ingress, packet),
            }
        }
        for host in 0..self.hosts.len() {
            if self.hosts.get_mut(host).and_then(|host| host.poll_at(now)).is_some_and(|at| at <= now) {
                self.poll_host(host);
            }
        }
    }

    fn poll_host(&mut self, id: usize) {
        let now = self.now;
        let Some(host) = self.hosts.get_mut(id) else { return };
        host.poll(now);
        while let Some(packet) = self.hosts.get_mut(id).and_then(|host| host.stack.queue.leaving.pop_front())
        {
            let Some(attachment) = self.attachments.get(id) else { continue };
            if let Some((router, port)) = attachment.to {
                self.schedule(LAN_DELAY, Node::Router(router, Interface::Lan(port)), packet);
            } else {
                let wire = attachment.wire;
                self.note(wire, &packet, None);
                self.cross_internet(packet);
            }
        }
    }

    fn arrive_at_host(&mut self, id: usize, packet: Vec<u8>) {
        if let Some(attachment) = self.attachments.get(id)
            && attachment.to.is_none()
        {
            let wire = attachment.wire;
            self.note(wire, &packet, None);
        }
        if let Some(host) = self.hosts.get_mut(id) {
            host.stack.queue.arrived.push_back(packet);
        }
        self.poll_host(id);
    }

    fn arrive_at_router(&mut self, id: usize, ingress: Interface, mut packet: Vec<u8>) {
        let now = self.now;
        let wire = self.router_wire(id, ingress);
        let place = self.record.len();
        self.note(wire, &packet, None);
        let Some(home) = self.routers.get_mut(id) else { return };
        let egress = home.router.forward(now, ingress, &mut packet);
        let events = self.drain_events(id);
        if let Some(crossing) = self.record.get_mut(place) {
            crossing.comment = comment(&events);
        }
        if let Some(egress) = egress {
            self.leave_router(id, egress, packet);
        }
        self.drain_router(id);
    }

    fn drain_router(&mut self, id: usize) {
        while let Some((egress, packet)) =
            self.routers.get_mut(id).and_then(|home| home.router.poll_transmit())
        {
            self.leave_router(id, egress, packet);
        }
        self.drain_events(id);
    }

    fn drain_events(&mut self, id: usize) -> Vec<Event> {
        let Some(home) = self.routers.get_mut(id) else { return Vec::new() };
        let events: Vec<Event> = std::iter::from_fn(|| home.router.poll_event()).collect();
        let named = |event: &Event| RouterEvent { router: home.name.clone(), event: event.clone() };
        self.events.extend(events.iter().map(named));
        events
    }

    fn leave_router(&mut self, id: usize, egress: Interface, packet: Vec<u8>) {
        let wire = self.router_wire(id, egress);
        self.note(wire, &packet, None);
        match egress {
            Interface::Wan => self.cross_internet(packet),
            Interface::Lan(port) => {
                let host = self.routers.get(id).and_then(|home| home.hosts.get(usize::from(port)).copied());
                if let Some(host) = host {
                    self.schedule(LAN_DELAY, Node::Host(host), packet);
                }
            }
        }
    }

    /// The internet knows public addresses only: what goes to a private one is silently lost, as by any provider. The
    /// packet was noted on its sender's wire just before; why it is lost is noted with it.
    fn cross_internet(&mut self, packet: Vec<u8>) {
        let octets = packet.get(16..20).and_then(|bytes| bytes.first_chunk::<4>()).copied();
        let destination = Ipv4Addr::from(octets.unwrap_or_default());
        if let Some(node) = self.internet.get(&destination).copied() {
            self.schedule(INTERNET_DELAY, node, packet);
            return;
        }
        let reason =
            if destination.is_private() { LossReason::PrivateDestination } else { LossReason::NobodyThere };
        self.losses.push(Loss { at: self.now, destination, reason });
        if let Some(crossing) = self.record.last_mut() {
            crossing.comment = Some(format!("lost on the internet: {reason}"));
        }
    }

    fn schedule(&mut self, delay: Duration, node: Node, packet: Vec<u8>) {
        self.scheduled += 1;
        self.arrivals.push(Reverse(Arrival { at: self.now + delay, order: self.scheduled, node, packet }));
    }

    fn note(&mut self, wire: usize, packet: &[u8], comment: Option<String>) {
        self.record.push(Crossing { wire, at: self.now, bytes: packet.to_vec(), comment });
    }

    fn router_wire(&self, id: usize, interface: Interface) -> usize {
        let Some(home) = self.routers.get(id) else { return 0 };
        match interface {
            Interface::Wan => home.wan_wire,
            Interface::Lan(port) => {
                let host = home.hosts.get(usize::from(port)).and_then(|host| self.attachments.get(*host));
                host.map_or(home.wan_wire, |attachment| attachment.wire)
            }
        }
    }

    fn add_wire(&mut self, name: String) -> usize {
        self.wires.push(name);
        self.wires.len() - 1
    }
}
