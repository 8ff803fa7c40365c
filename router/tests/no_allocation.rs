//! The packet path of what is established does not allocate: counted, packet by packet.
#![expect(unsafe_code, reason = "a global allocator that counts cannot be had without it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use etherparse::PacketBuilder;
use quirknat_router::Router;
use quirknat_router::config::Config;
use quirknat_router::event::{Detail, Interface};
use quirknat_router::profile::Profile;
use smoltcp::time::{Duration, Instant};

thread_local! {
    /// Allocations of this thread; tests run side by side.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator as it came; the counter is not on the heap.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const PC: [u8; 4] = [192, 168, 1, 100];
const WAN: [u8; 4] = [203, 0, 113, 7];
const SERVER: [u8; 4] = [198, 51, 100, 9];

/// A packet, and where it comes in.
type Incoming = (Interface, Vec<u8>);

/// The packets of a conversation that is under way, out and back: `number` makes it another one than the others.
fn conversation(kind: Kind, number: u16) -> [Incoming; 2] {
    let (port, data) = (2000 + number, [7; 100]);
    let out = PacketBuilder::ipv4(PC, SERVER, 64);
    let back = PacketBuilder::ipv4(SERVER, WAN, 64);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    match kind {
        Kind::Tcp => {
            out.tcp(port, 80, 1000, 8192).ack(5000).write(&mut first, &data).unwrap();
            back.tcp(80, port, 5000, 8192).ack(1100).write(&mut second, &data).unwrap();
        }
        Kind::Udp => {
            out.udp(port, 53).write(&mut first, &data).unwrap();
            back.udp(53, port).write(&mut second, &data).unwrap();
        }
        Kind::Echo => {
            out.icmpv4_echo_request(port, 1).write(&mut first, &data).unwrap();
            back.icmpv4_echo_reply(port, 1).write(&mut second, &data).unwrap();
        }
    }
    [(Interface::Lan(0), first), (Interface::Wan, second)]
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Tcp,
    Udp,
    Echo,
}

/// A router, and the room that its caller gives each packet.
struct Lab {
    router: Router,
    now: Instant,
    buffer: Vec<u8>,
}

impl Lab {
    fn new(detail: Detail, lan_ports: usize) -> Self {
        let profile = Profile::named("linksys-befsr41-1.39").unwrap();
        let lan = vec!["192.168.1.1/24".parse().unwrap(); lan_ports];
        let mut config = Config::new(lan, "203.0.113.7/24".parse().unwrap());
        config.detail = detail;
        let router = Router::new(&profile, &config).unwrap();
        Self { router, now: Instant::from_micros(100_100_000), buffer: Vec::with_capacity(2000) }
    }

    /// Each packet must go on its way; what it allocates is counted.
    fn forward(&mut self, (into, packet): &Incoming) -> u64 {
        self.buffer.clear();
        self.buffer.extend_from_slice(packet);
        let before = ALLOCATIONS.get();
        let egress = self.router.forward(self.now, *into, &mut self.buffer);
        let allocations = ALLOCATIONS.get() - before;
        assert!(egress.is_some(), "it goes on its way");
        allocations
    }

    /// Makes the conversations known, and takes away what was said about them.
    fn begin(&mut self, conversations: &[[Incoming; 2]]) {
        for packet in conversations.iter().flatten() {
            self.forward(packet);
        }
        while self.router.poll_event().is_some() {}
    }
}

#[test]
fn the_counter_counts() {
    let mut lab = Lab::new(Detail::Nothing, 1);
    let [first, _] = conversation(Kind::Udp, 0);
    assert!(lab.forward(&first) > 0, "a new translation takes memory");
    assert_eq!(lab.forward(&first), 0);
}

#[test]
fn nothing_is_allocated_for_an_established_conversation() {
    for kind in [Kind::Tcp, Kind::Udp, Kind::Echo] {
        for lan_ports in [1, 4] {
            let mut lab = Lab::new(Detail::Changes, lan_ports);
            let conversation = conversation(kind, 0);
            lab.begin(std::slice::from_ref(&conversation));
            for step in 0..800 {
                lab.now += Duration::from_millis(1);
                for packet in &conversation {
                    assert_eq!(lab.forward(packet), 0, "{kind:?}, {step} ms later, {lan_ports} ports");
                }
            }
        }
    }
}

/// Timers fire and are set again on the way.
#[test]
fn nothing_is_allocated_over_many_conversations_while_hours_pass() {
    let mut lab = Lab::new(Detail::Nothing, 1);
    let conversations: Vec<[Incoming; 2]> = (0..600)
        .flat_map(|number| [Kind::Tcp, Kind::Udp, Kind::Echo].map(|kind| conversation(kind, number)))
        .collect();
    lab.begin(&conversations);
    for (step, packet) in conversations.iter().flatten().cycle().take(20_000).enumerate() {
        lab.now += Duration::from_millis(10);
        assert_eq!(lab.forward(packet), 0, "packet {step}");
    }
    assert_eq!(lab.router.translations().len(), 1800, "none has ended");
}
