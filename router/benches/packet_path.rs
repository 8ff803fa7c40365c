//! What a packet of an established translation costs, beside the least it could cost.
//!
//! The lower bound, in the same run over the same packets: a bare foldhash lookup of the 5-tuple, a write to the
//! flow's record, and the new address and port put in with both checksums updated (RFC 1624). No check of the packet,
//! no state, no timeout, no events.
//!
//! Packets come in a random order that is drawn beforehand, both directions mixed. They stand one after the other in
//! the order they are sent, and each is copied into one buffer before it is handled; the row's first figure is that
//! copy alone. Both ratios are shown: with the copy in both figures, and with it taken off both. Absolute figures
//! drift from hour to hour; only the ratios within one run can be compared.
//!
//! Bytes a flow: what the router's allocations hold once the flows are there, divided by their number.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Instant as Stopwatch;

use bare::Bare;
use quirknat_router::Router;
use quirknat_router::config::Config;
use quirknat_router::event::{Detail, Interface};
use quirknat_router::packet::{Protocol, checksum};
use quirknat_router::profile::Profile;
use smoltcp::time::{Duration as Step, Instant};
use smoltcp::wire::Ipv4Cidr;

const WAN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
/// Packets a round: few, so that what else runs on the machine spoils single rounds and not the median.
const SLICE: usize = 16_000;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (rounds, many) = if quick { (25, 20_000) } else { (187, 1_000_000) };
    println!("ns a packet: median of {rounds} interleaved rounds, both directions mixed, random flows");
    println!(
        "ratio: median of each round's, router to bare lookup, with the packet's copy in both, and (without it)\n"
    );
    println!(
        "{:<4} {:>9} {:>7} | {:>5} {:>6} {:>8} {:>8} | {:>13} {:>13} | {:>12}",
        "", "flows", "payload", "copy", "bare", "nothing", "changes", "ratio", "ratio", "bytes a flow"
    );
    for (flows, payload) in [(1_000, 64), (1_000, 1_400), (many, 64)] {
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            row(rounds, flows, payload, protocol);
        }
    }
}

/// Measures one number of flows of one protocol and prints it.
fn row(rounds: usize, flows: u32, payload: usize, protocol: Protocol) {
    let before = heap::live();
    let (mut silent, translated) = Subject::establish(flows, protocol, Detail::Nothing);
    let bytes_a_flow = (heap::live() - before - translated.capacity() * size_of::<u16>()) / flows as usize;
    let (mut telling, _) = Subject::establish(flows, protocol, Detail::Changes);
    let mut bare = Bare::new();
    for (flow, external) in (0..flows).zip(&translated) {
        bare.insert(Flow::number(flow, protocol), *external);
    }
    let traffic = Traffic::draw(flows, payload, protocol, &translated);
    agree(&traffic, &mut silent, &mut bare);

    let rounds: Vec<[f64; 4]> = (0..rounds)
        .map(|round| {
            let mut copy = 0.0;
            for _warm in 0..2 {
                copy = traffic.time(round, |_, bytes| {
                    black_box(bytes);
                });
            }
            let bare = traffic.time(round, |_, bytes| assert!(black_box(bare.translate(bytes))));
            let nothing = traffic.time(round, |ingress, bytes| silent.forward(ingress, bytes));
            [copy, bare, nothing, traffic.time(round, |ingress, bytes| telling.forward(ingress, bytes))]
        })
        .collect();
    let [copy, bare, nothing, changes] = [0, 1, 2, 3].map(|at| median(&rounds, |round| round[at]));
    let ratio = |at| {
        let whole = median(&rounds, |round: &[f64; 4]| round[at] / round[1]);
        let net = median(&rounds, |round: &[f64; 4]| (round[at] - round[0]) / (round[1] - round[0]));
        format!("{whole:.2} ({net:.2})")
    };
    let name = if protocol == Protocol::Tcp { "TCP" } else { "UDP" };
    println!(
        "{name:<4} {flows:>9} {payload:>7} | {copy:>5.1} {bare:>6.1} {nothing:>8.1} {changes:>8.1} | {:>13} {:>13} | {bytes_a_flow:>12}",
        ratio(2),
        ratio(3),
    );
}

/// The router and the bare lookup translate alike, or they could not be compared.
fn agree(traffic: &Traffic, router: &mut Subject, bare: &mut Bare) {
    let mut expected = Vec::new();
    for (ingress, packet) in traffic.packets().take(1_000) {
        expected.clear();
        expected.extend_from_slice(packet);
        assert!(bare.translate(&mut expected));
        let mut bytes = packet.to_vec();
        router.forward(ingress, &mut bytes);
        // All but the time to live and the checksum over it, which the bare lookup leaves.
        assert_eq!(bytes[12..], expected[12..], "{ingress:?}");
    }
}

fn median<T>(rounds: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A router and its clock.
struct Subject {
    router: Router,
    now: Instant,
}

impl Subject {
    /// A router with `flows` established flows, and the external port of each.
    fn establish(flows: u32, protocol: Protocol, detail: Detail) -> (Self, Vec<u16>) {
        let mut profile = Profile::named("linksys-befsr41-1.39").unwrap();
        profile.table.translations.value = flows;
        let lan = Ipv4Cidr::new(Ipv4Addr::new(192, 168, 0, 1), 16);
        let config = Config { detail, ..Config::new(vec![lan], Ipv4Cidr::new(WAN, 24)) };
        let mut subject = Self { router: Router::new(&profile, &config).unwrap(), now: Instant::ZERO };
        let external = (0..flows).map(|number| subject.open(Flow::number(number, protocol))).collect();
        assert_eq!(subject.router.counters().translations, u64::from(flows));
        (subject, external)
    }

    fn open(&mut self, flow: Flow) -> u16 {
        let mut first = flow.outbound(SYN, &[]);
        self.forward(Interface::Lan(0), &mut first);
        let external = u16::from_be_bytes([first[20], first[21]]);
        self.forward(Interface::Wan, &mut flow.inbound(external, SYN | ACK, &[]));
        self.forward(Interface::Lan(0), &mut flow.outbound(ACK, &[]));
        external
    }

    /// Hands a packet in as a device would: a microsecond after the one before, all that comes out taken.
    #[inline]
    fn forward(&mut self, ingress: Interface, bytes: &mut Vec<u8>) {
        self.now += Step::from_micros(1);
        assert!(black_box(self.router.forward(self.now, ingress, bytes)).is_some());
        while let Some(transmit) = self.router.poll_transmit() {
            black_box(transmit);
        }
        while let Some(event) = self.router.poll_event() {
            black_box(event);
        }
    }
}

/// One flow's endpoints.
#[derive(Clone, Copy)]
struct Flow {
    protocol: Protocol,
    inside: (u32, u16),
    remote: (u32, u16),
}

impl Flow {
    /// Inside endpoints, each with a port of its own to be preserved; more flows lead from these to more remotes.
    fn number(number: u32, protocol: Protocol) -> Self {
        const ENDPOINTS: u32 = 50_000;
        let endpoint = number % ENDPOINTS;
        let host = u32::from(Ipv4Addr::new(192, 168, 1, 2)) + endpoint % 200;
        let port = u16::try_from(10_000 + endpoint).unwrap();
        let remote = u32::from(Ipv4Addr::new(198, 18, 0, 1)) + number % 100_003;
        Self { protocol, inside: (host, port), remote: (remote, 443) }
    }

    fn outbound(self, flags: u8, payload: &[u8]) -> Vec<u8> {
        packet(self.protocol, self.inside, self.remote, flags, payload)
    }

    fn inbound(self, external: u16, flags: u8, payload: &[u8]) -> Vec<u8> {
        packet(self.protocol, self.remote, (WAN.into(), external), flags, payload)
    }
}

/// A packet with true checksums.
fn packet(
    protocol: Protocol,
    source: (u32, u16),
    destination: (u32, u16),
    flags: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut transport = [source.1.to_be_bytes(), destination.1.to_be_bytes()].concat();
    let checksum_at = if protocol == Protocol::Tcp {
        transport.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0x20, 0, 0, 0, 0, 0]);
        16
    } else {
        let length = u16::try_from(8 + payload.len()).unwrap();
        transport.extend_from_slice(&length.to_be_bytes());
        transport.extend_from_slice(&[0, 0]);
        6
    };
    transport.extend_from_slice(payload);
    let pseudo = checksum::pseudo_header(source.0, destination.0, protocol.number(), transport.len());
    let sum = !checksum::add(pseudo, checksum::sum(&transport));
    transport[checksum_at..checksum_at + 2].copy_from_slice(&sum.to_be_bytes());

    let total = u16::try_from(20 + transport.len()).unwrap().to_be_bytes();
    let mut bytes = vec![0x45, 0, total[0], total[1], 0, 0, 0x40, 0, 64, protocol.number(), 0, 0];
    bytes.extend_from_slice(&source.0.to_be_bytes());
    bytes.extend_from_slice(&destination.0.to_be_bytes());
    let sum = !checksum::sum(&bytes);
    bytes[10..12].copy_from_slice(&sum.to_be_bytes());
    bytes.extend_from_slice(&transport);
    bytes
}

/// Packets of random flows in random directions, one after the other in memory.
struct Traffic {
    bytes: Vec<u8>,
    size: usize,
    ingress: Vec<Interface>,
}

impl Traffic {
    fn draw(flows: u32, payload: usize, protocol: Protocol, translated: &[u16]) -> Self {
        let count = SLICE.max(flows as usize);
        let mut random = Random(1);
        let payload: Vec<u8> = (0..payload).map(|_| random.next().to_le_bytes()[0]).collect();
        let (mut bytes, mut ingress) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (number, inbound) = (random.below(flows), random.below(2) == 1);
            let flow = Flow::number(number, protocol);
            bytes.extend(if inbound {
                flow.inbound(translated[number as usize], ACK, &payload)
            } else {
                flow.outbound(ACK, &payload)
            });
            ingress.push(if inbound { Interface::Wan } else { Interface::Lan(0) });
        }
        Self { size: bytes.len() / count, bytes, ingress }
    }

    fn packets(&self) -> impl Iterator<Item = (Interface, &[u8])> {
        self.ingress.iter().copied().zip(self.bytes.chunks_exact(self.size))
    }

    /// Nanoseconds that `handle` takes for a packet of one round's slice, with the packet's copy.
    fn time(&self, round: usize, mut handle: impl FnMut(Interface, &mut Vec<u8>)) -> f64 {
        let slices = self.ingress.len() / SLICE;
        let mut buffer = Vec::with_capacity(self.size);
        let start = Stopwatch::now();
        for (ingress, packet) in self.packets().skip(round % slices * SLICE).take(SLICE) {
            buffer.clear();
            buffer.extend_from_slice(packet);
            handle(ingress, &mut buffer);
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(u32::try_from(SLICE).unwrap())
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u32) -> u32 {
        u32::try_from(self.next() % u64::from(limit)).unwrap()
    }
}

/// The lower bound.
mod bare {
    use foldhash::fast::FixedState;
    use hashbrown::HashMap;
    use quirknat_router::packet::checksum::Difference;
    use slab::Slab;

    use super::{Flow, WAN};

    /// Source and destination addresses; ports and protocol.
    type Key = (u64, u64);

    /// Where one direction's packets are sent, and where in a packet that stands: no branch that random directions
    /// would mispredict.
    struct Record {
        address: u32,
        port: u16,
        address_at: u8,
        port_at: u8,
        packets: u32,
    }

    pub(super) struct Bare {
        index: HashMap<Key, u32, FixedState>,
        records: Slab<Record>,
    }

    impl Bare {
        pub(super) fn new() -> Self {
            Self { index: HashMap::with_hasher(FixedState::with_seed(0)), records: Slab::new() }
        }

        pub(super) fn insert(&mut self, flow: Flow, external: u16) {
            let wan = (WAN.into(), external);
            for (source, destination, new, outbound) in
                [(flow.inside, flow.remote, wan, true), (flow.remote, wan, flow.inside, false)]
            {
                let addresses = u64::from(source.0) << 32 | u64::from(destination.0);
                let ports = u64::from(source.1) << 16 | u64::from(destination.1);
                let (address_at, port_at) = if outbound { (12, 20) } else { (16, 22) };
                let record = Record { address: new.0, port: new.1, address_at, port_at, packets: 0 };
                let id = u32::try_from(self.records.insert(record)).unwrap();
                self.index.insert((addresses, ports << 8 | u64::from(flow.protocol.number())), id);
            }
        }

        #[inline]
        pub(super) fn translate(&mut self, bytes: &mut [u8]) -> bool {
            let Some(bytes) = bytes.first_chunk_mut::<40>() else { return false };
            let addresses = u64::from_be_bytes(*bytes[12..].first_chunk().unwrap());
            let ports = u64::from(u32_at(bytes, 20));
            let Some(id) = self.index.get(&(addresses, ports << 8 | u64::from(bytes[9]))) else {
                return false;
            };
            let Some(record) = self.records.get_mut(*id as usize) else { return false };
            record.packets += 1;
            let (address_at, port_at) = (usize::from(record.address_at), usize::from(record.port_at));
            let difference = Difference::default().double(u32_at(bytes, address_at), record.address);
            bytes[address_at..address_at + 4].copy_from_slice(&record.address.to_be_bytes());
            update(bytes, 10, difference);
            let difference = difference.word(u16_at(bytes, port_at), record.port);
            bytes[port_at..port_at + 2].copy_from_slice(&record.port.to_be_bytes());
            update(bytes, if bytes[9] == 6 { 36 } else { 26 }, difference);
            true
        }
    }

    #[inline]
    fn update(bytes: &mut [u8; 40], at: usize, difference: Difference) {
        let checksum = difference.apply(u16_at(bytes, at));
        bytes[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
    }

    #[inline]
    fn u16_at(bytes: &[u8; 40], at: usize) -> u16 {
        u16::from_be_bytes([bytes[at], bytes[at + 1]])
    }

    #[inline]
    fn u32_at(bytes: &[u8; 40], at: usize) -> u32 {
        u32::from(u16_at(bytes, at)) << 16 | u32::from(u16_at(bytes, at + 2))
    }
}

/// Counts the bytes that are allocated.
mod heap {
    #![expect(unsafe_code, reason = "an allocator is an unsafe trait; this one hands all on to the system's")]

    use std::alloc::{GlobalAlloc, Layout, System};
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Counting;

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;
    static LIVE: AtomicUsize = AtomicUsize::new(0);

    pub(super) fn live() -> usize {
        LIVE.load(Ordering::Relaxed)
    }

    // SAFETY: every call goes on to the system allocator as it came, and its answer is handed back.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            LIVE.fetch_add(layout.size(), Ordering::Relaxed);
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
            LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
            unsafe { System.dealloc(pointer, layout) }
        }
    }
}
