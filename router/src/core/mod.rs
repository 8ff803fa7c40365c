//! The router: one entry for packets, one for time, and what comes out.
//!
//! ```text
//! forward ─ parse ─ from LAN ─┬─ to the router itself ── answer
//!                             ├─ another LAN host ────── switch or route
//!                             └─ outbound ─┐
//!                   from WAN ─── inbound ──┴─ find or make a translation ─ pass ─ (control) ─ rewrite ─ egress
//! ```

mod allocate;
mod answer;
mod control;
mod create;
mod evict;
mod expire;
mod fragments;
mod hairpin;
mod host_limit;
mod icmp_errors;
mod inbound;
mod lan;
mod lifetime;
mod nat_pmp;
mod openings;
mod other_protocols;
mod own;
mod pass;
mod queries;
mod track;
mod turned;
mod unsolicited;
mod upnp_igd;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_alg::{Dialect, Side};
use slab::Slab;
use smoltcp::time::{Duration, Instant};

use crate::config::{Config, ConfigError, PortTrigger};
use crate::event::{Answer, Detail, Event, EventKind, EventLog, Interface, Origin, Passage};
use crate::packet::{Malformed, Packet, Protocol};
use crate::profile::{Identification, IpOptions, Profile};
use crate::reason::DropReason;
use crate::state::flow::{FlowId, FlowTable};
use crate::state::forward::{ForwardId, Forwards};
use crate::state::fragment::Fragments;
use crate::state::mapping::MappingTable;
use crate::state::reassembly::Reassembly;
use crate::state::station::Stations;
use crate::state::timer::{self, Tick, Wheel};
use crate::state::transfers::Transfers;

pub use turned::NotTurned;

/// A home router.
///
/// Deterministic: the same profile, configuration and sequence of calls give the same packets and events. After
/// [`Router::forward`] and [`Router::handle_timeout`], drain [`Router::poll_transmit`] and [`Router::poll_event`].
#[derive(Debug)]
pub struct Router {
    profile: Profile,
    lifetimes: lifetime::Lifetimes,
    /// Whether any packet of a translation gets more attention than most routers have for it.
    is_particular: bool,
    tracking: track::Tracking,
    processes_options: bool,
    hosts: host_limit::HostLimit,
    dialect: Dialect,
    lan: Vec<LanPort>,
    /// Whether two LAN ports belong to one switch.
    has_switch: bool,
    wan: Ipv4Addr,
    /// The broadcast address of the WAN's subnet, where it has one.
    wan_broadcast: Option<Ipv4Addr>,
    lan_mtu: usize,
    wan_mtu: usize,
    flows: FlowTable,
    mappings: MappingTable,
    forwards: Forwards,
    transfers: Transfers,
    controls: Slab<control::Control>,
    fragments: Fragments,
    /// Fragments that are put together, where the profile says so.
    reassembly: Reassembly,
    /// Fragments to the router itself.
    own_reassembly: Reassembly,
    /// The identification of the next packet to the WAN, where the router gives it one.
    identifications: Option<u16>,
    /// What the user has set up to open ports.
    triggers: Vec<PortTrigger>,
    held_syns: unsolicited::HeldSyns,
    /// Where the profile has it.
    upnp_igd: Option<Box<upnp_igd::UpnpIgd>>,
    stations: Stations,
    timers: Wheel<Timer>,
    clock: Clock,
    ports: allocate::PortCursors,
    evictions: evict::EvictionQueue,
    serials: Serials,
    transmits: VecDeque<(Interface, Vec<u8>)>,
    events: EventLog,
    counters: Counters,
}

/// One LAN port: the router's address there, and its subnet.
#[derive(Debug, Clone, Copy)]
struct LanPort {
    address: Ipv4Addr,
    network: u32,
    mask: u32,
}

impl LanPort {
    #[inline]
    fn holds(&self, address: Ipv4Addr) -> bool {
        u32::from(address) & self.mask == self.network
    }

    fn is_broadcast(&self, address: Ipv4Addr) -> bool {
        !self.mask > 1 && self.holds(address) && u32::from(address) | self.mask == u32::MAX
    }
}

/// Packets to the router itself that come in fragments, at a time. Few, since all that it answers in fragments is a large
/// ping.
const OWN_PACKETS: usize = 4;

/// What a timer looks at when it fires.
#[derive(Debug, Clone, Copy)]
enum Timer {
    Flow(FlowId),
    Forward(ForwardId),
    Fragment(u32),
    Reassembly(u32),
    Syn(u32),
    Opening(u32),
}

/// The time of the call under way.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// Whole seconds passed: what has a deadline up to here has ended.
    tick: Tick,
    /// Whole seconds rounded up: a lifetime counts from here.
    tick_after: Tick,
    /// Both stay so before this: most packets find them as they are.
    until: Instant,
}

impl Clock {
    /// Before the first call.
    const NEW: Self = Self { tick: 0, tick_after: 0, until: Instant::ZERO };

    fn at(now: Instant) -> Self {
        let (tick, tick_after) = (timer::tick(now), timer::deadline(now, 0));
        // Rounded up, a whole second is itself; any time after it is the next one.
        let until =
            if tick == tick_after { now + Duration::from_micros(1) } else { timer::instant(tick_after) };
        Self { tick, tick_after, until }
    }
}

/// Numbers that events call things by, the next of each.
#[derive(Debug, Default)]
struct Serials {
    packet: u64,
    translation: u32,
    forward: u32,
    opening: u32,
}

/// How a packet's way ends, other than by going on.
#[derive(Debug, Clone, Copy)]
enum Stop {
    Dropped(DropReason),
    Answered(Answer),
    /// It waits, or was sent on by other means.
    Taken,
}

impl From<DropReason> for Stop {
    fn from(reason: DropReason) -> Self {
        Self::Dropped(reason)
    }
}

type Step = Result<Interface, Stop>;

/// What a router has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets that came in.
    pub received: u64,
    /// Packets that went on their way.
    pub forwarded: u64,
    /// Packets the router answered itself.
    pub answered: BTreeMap<Answer, u64>,
    /// Packets that ended here.
    pub dropped: BTreeMap<DropReason, u64>,
    /// Announcements rewritten.
    pub commands_rewritten: u64,
    /// Announcements left alone.
    pub commands_left_alone: u64,
    /// Translations made.
    pub translations: u64,
}

/// A translation as a person would list it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// Its name in events.
    pub serial: u32,
    /// Its protocol.
    pub protocol: Protocol,
    /// Address and port on the LAN; an echo's identifier stands for its port.
    pub inside: SocketAddrV4,
    /// The same endpoint as the WAN sees it.
    pub external: SocketAddrV4,
    /// The other end.
    pub remote: SocketAddrV4,
    /// What made it.
    pub origin: Origin,
    /// When it ends if no packet refreshes it.
    pub expires: Instant,
}

/// As in `tcp 192.168.1.100:49152 is 203.0.113.7:49152 towards 198.51.100.9:21`.
impl fmt::Display for Translation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, inside, external, remote, .. } = self;
        write!(out, "{protocol} {inside} is {external} towards {remote}")
    }
}

impl Router {
    /// A router that behaves as `profile` says and stands where `config` says.
    pub fn new(profile: &Profile, config: &Config) -> Result<Self, ConfigError> {
        config.check(profile)?;
        let lan = config.lan.iter().map(|cidr| LanPort {
            address: cidr.address(),
            network: u32::from(cidr.network().address()),
            mask: u32::from(cidr.netmask()),
        });
        let lan: Vec<LanPort> = lan.collect();
        let has_switch = lan
            .iter()
            .enumerate()
            .any(|(index, port)| lan.iter().take(index).any(|other| other.address == port.address));
        let held = usize::try_from(*profile.fragments.held).unwrap_or(usize::MAX);
        let rewrites = *profile.ip.identification == Identification::Rewrite;
        let tracking = track::Tracking::new(profile);
        let processes_options = *profile.ip.options == IpOptions::Process;
        let dialect = profile.alg.ftp.dialect();
        Ok(Self {
            lifetimes: lifetime::Lifetimes::new(profile),
            is_particular: rewrites
                || !config.triggers.is_empty()
                || tracking.is_on()
                || processes_options
                || tracking.is_strict(),
            tracking,
            processes_options,
            hosts: host_limit::HostLimit::new(*profile.table.per_host),
            lan,
            has_switch,
            wan: config.wan.address(),
            wan_broadcast: config.wan.broadcast(),
            lan_mtu: config.lan_mtu,
            wan_mtu: config.wan_mtu,
            flows: FlowTable::new(config.seed),
            mappings: MappingTable::new(&profile.nat, *profile.ports.reuse, config.seed),
            forwards: Forwards::new(config.forwards.clone(), config.dmz_host),
            transfers: Transfers::new(dialect.control_outlives),
            dialect,
            controls: Slab::new(),
            fragments: Fragments::new(held),
            reassembly: Reassembly::new(held, held),
            own_reassembly: Reassembly::new(OWN_PACKETS, usize::MAX),
            identifications: rewrites.then_some(1),
            triggers: config.triggers.clone(),
            held_syns: unsolicited::HeldSyns::default(),
            upnp_igd: (*profile.services.upnp_igd).then(|| Box::new(upnp_igd::UpnpIgd::new(config.seed))),
            stations: Stations::new(),
            timers: Wheel::new(),
            clock: Clock::NEW,
            ports: allocate::PortCursors::new(*profile.ports.range, config.seed),
            evictions: evict::EvictionQueue::new(*profile.table.when_full),
            serials: Serials::default(),
            transmits: VecDeque::new(),
            events: EventLog::new(config.detail),
            counters: Counters::default(),
            profile: profile.clone(),
        })
    }

    /// Takes in a packet. `Some` says that the packet, edited in place, is to be sent out of that interface. Time
    /// must not run backwards from call to call.
    pub fn forward(&mut self, now: Instant, ingress: Interface, bytes: &mut Vec<u8>) -> Option<Interface> {
        self.serials.packet += 1;
        self.counters.received += 1;
        self.advance(now);
        self.events.at(now, Some(self.serials.packet));
        let mut packet = match Packet::parse(bytes) {
            Ok(packet) => packet,
            Err(malformed) => {
                self.malformed(ingress, bytes, malformed);
                return None;
            }
        };
        let (source, destination) = (packet.source(), packet.destination());
        let passage = match ingress {
            Interface::Lan(port) => self.enter_from_lan(port, &mut packet),
            Interface::Wan => self.enter_from_wan(&mut packet),
        };
        match passage {
            Ok(egress) => {
                self.counters.forwarded += 1;
                self.within_mtu(egress, bytes)
            }
            Err(stop) => {
                self.stopped(stop, source, destination);
                None
            }
        }
    }

    /// Changes the largest packets that the links take, in bytes: a link was set up anew.
    pub fn set_mtu(&mut self, lan: usize, wan: usize) {
        (self.lan_mtu, self.wan_mtu) = (lan, wan);
        if let Some(service) = self.upnp_igd.as_mut() {
            service.forget_connections();
        }
    }

    /// Ends what has come to its end by `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        if self.upnp_igd.is_some() {
            self.serve_upnp(now);
        }
    }

    /// When [`Router::handle_timeout`] has something to do next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timers = self.timers.next().map(timer::instant);
        let service = self.upnp_igd.as_ref().and_then(|service| service.poll_timeout());
        timers.into_iter().chain(service).min()
    }

    /// A packet that the router sends besides the one it forwards.
    pub fn poll_transmit(&mut self) -> Option<(Interface, Vec<u8>)> {
        self.transmits.pop_front()
    }

    /// What happened, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// What its FTP gateway is like.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// What the router has done so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The live translations, in the order they were made.
    pub fn translations(&self) -> Vec<Translation> {
        let mut list: Vec<Translation> = self
            .flows
            .iter()
            .map(|flow| Translation {
                serial: flow.serial,
                protocol: flow.protocol,
                inside: flow.inside,
                external: flow.external,
                remote: flow.remote,
                origin: flow.origin,
                expires: timer::instant(flow.deadline),
            })
            .collect();
        list.sort_unstable_by_key(|translation| translation.serial);
        list
    }

    /// How many mappings the live translations share.
    pub fn mappings(&self) -> usize {
        self.mappings.len()
    }

    /// A packet that cannot be read, or only almost.
    #[cold]
    fn malformed(&mut self, ingress: Interface, bytes: &mut Vec<u8>, malformed: Malformed) {
        let addresses = Packet::parse_unverified(bytes).map(|packet| (packet.source(), packet.destination()));
        match (self.malformed_stop(ingress, bytes, malformed), addresses) {
            (stop, Ok((source, destination))) if self.tracking.keeps_windows() => {
                self.stopped(stop, source, destination);
            }
            _ => self.drop_unread(malformed.into()),
        }
    }

    /// What becomes of it: nothing, but where windows are kept and all but its transport's checksum is right.
    fn malformed_stop(&mut self, ingress: Interface, bytes: &mut Vec<u8>, malformed: Malformed) -> Stop {
        let stop = match Packet::parse_unverified(bytes) {
            Ok(packet) if malformed == Malformed::TransportChecksum && self.tracking.keeps_windows() => {
                self.unsound(ingress, &packet).err()
            }
            _ => None,
        };
        stop.unwrap_or(Stop::Dropped(malformed.into()))
    }

    fn drop_unread(&mut self, reason: DropReason) {
        *self.counters.dropped.entry(reason).or_default() += 1;
        self.events.push(EventKind::PacketDropped { reason, packet_source: None, packet_destination: None });
    }

    fn stopped(&mut self, stop: Stop, source: Ipv4Addr, destination: Ipv4Addr) {
        match stop {
            Stop::Dropped(reason) => {
                *self.counters.dropped.entry(reason).or_default() += 1;
                self.events.push(EventKind::PacketDropped {
                    reason,
                    packet_source: Some(source),
                    packet_destination: Some(destination),
                });
            }
            Stop::Answered(answer) => {
                *self.counters.answered.entry(answer).or_default() += 1;
                self.events.push(EventKind::PacketAnswered { answer, to: source });
            }
            Stop::Taken => {}
        }
    }

    #[inline]
    fn passed(&mut self, egress: Interface, translation: Option<u32>, passage: Passage) {
        if self.events.wants(Detail::Packets) {
            self.events.push(EventKind::PacketForwarded { egress, translation, passage });
        }
    }
}

/// The other side.
fn opposite(side: Side) -> Side {
    match side {
        Side::Inside => Side::Outside,
        Side::Outside => Side::Inside,
    }
}
