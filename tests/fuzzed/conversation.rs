//! An FTP session's segments, and whatever else, through a router.
//!
//! The octets are a program. The first chooses the router, the next two sequence numbers near or far from where they
//! turn round; then each step is an octet that says which kind it is, and what that kind needs:
//!
//! | step | needs |
//! |---|---|
//! | a segment of the client's or the server's | flags, how far it is from the next number, a length, the payload |
//! | a SYN from the server to an external port | its source port's low octet, the port's two |
//! | any packet from either side | a length, the packet; its IPv4 checksum is put right |
//! | a wait | seconds, squared |

use std::net::Ipv4Addr;
use std::sync::LazyLock;

use etherparse::PacketBuilder;
use quirknat_router::Router;
use quirknat_router::config::Config;
use quirknat_router::event::Interface;
use quirknat_router::packet::{Fragment, Packet};
use quirknat_router::profile::{Profile, builtin};
use smoltcp::time::{Duration, Instant};

const CLIENT: ([u8; 4], u16) = ([192, 168, 1, 100], 1024);
const SERVER: ([u8; 4], u16) = ([198, 51, 100, 9], 21);
const WAN: [u8; 4] = [203, 0, 113, 7];
/// More than these leave for no packet: the fragments of the largest, once to each side.
const MOST_AT_ONCE: usize = 200;
const STEPS: usize = 64;

/// Whatever the ends send, what leaves is sound, what leaves to the WAN has its address, and the table stays in its bounds.
pub(super) fn conversation(data: &[u8]) {
    let mut program = Program(data);
    let Some(choice) = program.octet() else { return };
    let profiles = profiles();
    let mut session = Session::new(&profiles[usize::from(choice) % profiles.len()], &mut program);
    for _ in 0..STEPS {
        if session.step(&mut program).is_none() {
            break;
        }
    }
}

/// All that are built in. Reading them takes longer than a conversation.
fn profiles() -> &'static [Profile] {
    static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
        let named = builtin().iter().map(|own| Profile::named(own.name).expect("a built-in profile"));
        named.collect()
    });
    &PROFILES
}

/// What is left of the program.
struct Program<'a>(&'a [u8]);

impl<'a> Program<'a> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// As many octets as the next one says, or as there are.
    fn piece(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.octet()?).min(self.0.len());
        let (piece, rest) = self.0.split_at(length);
        self.0 = rest;
        Some(piece)
    }
}

struct Session {
    router: Router,
    most: usize,
    now: Instant,
    /// The next sequence numbers of client and server, as each counts.
    next: [u32; 2],
    /// The client's as it arrived on the WAN.
    arrived: u32,
    external: u16,
}

impl Session {
    fn new(profile: &Profile, program: &mut Program<'_>) -> Self {
        let lan = vec!["192.168.1.1/24".parse().expect("an address")];
        let config = Config::new(lan, "203.0.113.7/24".parse().expect("an address"));
        let mut number = || u32::from(program.octet().unwrap_or_default()).wrapping_sub(0x40);
        let next = [number(), number()];
        let router = Router::new(profile, &config).expect("a built-in profile works");
        let most = usize::try_from(*profile.table.translations).expect("a number that fits");
        Self { router, most, now: Instant::from_secs(100), next, arrived: next[0], external: CLIENT.1 }
    }

    fn step(&mut self, program: &mut Program<'_>) -> Option<()> {
        let kind = program.octet()?;
        match kind % 8 {
            0..=2 => self.segment(0, program),
            3 | 4 => self.segment(1, program),
            5 => {
                let [low, first, second] = [program.octet()?, program.octet()?, program.octet()?];
                let builder = PacketBuilder::ipv4(SERVER.0, WAN, 64)
                    .tcp(u16::from(low), u16::from_be_bytes([first, second]), 7, 64000)
                    .syn();
                let mut packet = Vec::new();
                builder.write(&mut packet, &[]).expect("written to memory");
                self.through(Interface::Wan, packet);
                Some(())
            }
            6 => {
                let mut packet = program.piece()?.to_vec();
                put_ip_checksum_right(&mut packet);
                self.through(if kind & 0x80 == 0 { Interface::Lan(0) } else { Interface::Wan }, packet);
                Some(())
            }
            _ => {
                let seconds = u64::from(program.octet()?).pow(2);
                self.now += Duration::from_secs(seconds);
                self.router.handle_timeout(self.now);
                self.look_after(None);
                Some(())
            }
        }
    }

    /// A segment of the client's (0) or the server's (1).
    fn segment(&mut self, from: usize, program: &mut Program<'_>) -> Option<()> {
        let (flags, offset) = (program.octet()?, program.octet()?);
        let payload = program.piece()?;
        let sequence = self.next[from].wrapping_add_signed(i32::from(offset.cast_signed()));
        let acknowledged = if from == 0 { self.next[1] } else { self.arrived };
        let (source, destination) = match from {
            0 => (CLIENT, SERVER),
            _ => (SERVER, (WAN, self.external)),
        };
        let mut builder = PacketBuilder::ipv4(source.0, destination.0, 64)
            .tcp(source.1, destination.1, sequence, 64000)
            .ack(acknowledged);
        for (bit, set) in [(1, 0), (2, 1), (4, 2), (8, 3)] {
            if flags & bit != 0 {
                builder = match set {
                    0 => builder.fin(),
                    1 => builder.syn(),
                    2 => builder.rst(),
                    _ => builder.psh(),
                };
            }
        }
        let mut packet = Vec::new();
        builder.write(&mut packet, payload).expect("written to memory");
        let length = u32::try_from(payload.len()).expect("at most 255") + u32::from(flags & 2 != 0);
        self.next[from] = sequence.wrapping_add(length);
        self.through([Interface::Lan(0), Interface::Wan][from], packet);
        Some(())
    }

    fn through(&mut self, ingress: Interface, mut packet: Vec<u8>) {
        self.now += Duration::from_millis(10);
        let egress = self.router.forward(self.now, ingress, &mut packet);
        self.look_after(egress.map(|egress| (egress, packet)));
    }

    /// All that leaves now, and what the router holds.
    fn look_after(&mut self, forwarded: Option<(Interface, Vec<u8>)>) {
        let mut left: Vec<(Interface, Vec<u8>)> = forwarded.into_iter().collect();
        while let Some(sent) = self.router.poll_transmit() {
            left.push(sent);
            assert!(left.len() <= MOST_AT_ONCE, "one packet sets off a flood");
        }
        for (egress, mut bytes) in left {
            self.leaves(egress, &mut bytes);
        }
        while self.router.poll_event().is_some() {}
        assert!(self.router.translations().len() <= self.most, "the table stays in its bounds");
    }

    fn leaves(&mut self, egress: Interface, bytes: &mut Vec<u8>) {
        let packet = Packet::parse(bytes).expect("what leaves is a sound packet");
        if egress != Interface::Wan {
            return;
        }
        assert_eq!(packet.source(), Ipv4Addr::from(WAN), "no LAN address leaves to the WAN");
        if let (Fragment::Whole, Some((_, source, remote)), Some(tcp)) =
            (packet.fragment(), packet.session(), packet.tcp())
            && (remote.ip().octets(), remote.port()) == SERVER
        {
            self.external = source.port();
            self.arrived =
                tcp.sequence.wrapping_add(u32::try_from(packet.tcp_payload().len()).expect("it fits"));
        }
    }
}

/// So that the fuzzer need not find it.
fn put_ip_checksum_right(packet: &mut [u8]) {
    let length = usize::from(packet.first().map_or(0, |first| first & 0x0f)) * 4;
    if length < 20 || packet.len() < length {
        return;
    }
    packet[10..12].fill(0);
    let sum = !quirknat_router::packet::checksum::sum(&packet[..length]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}
