//! The router under judgement, given what the kernel was given.

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::config::{Config, StaticForward};
use quirknat_router::event::Interface;
use quirknat_router::packet::Protocol;
use quirknat_router::profile::{PortRange, Profile};
use quirknat_router::{Counters, Router};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::Ipv4Cidr;

use super::conversation::Conversation;
use super::packets::{End, LAN_ADDRESS, Left, SHORT_LAN_ADDRESS, WAN_ADDRESS};

/// The forwards of `home.nft`.
const FORWARDS: [(Protocol, u16, [u8; 4], u16); 3] = [
    (Protocol::Tcp, 21, [192, 168, 1, 100], 21),
    (Protocol::Tcp, 2100, [192, 168, 1, 101], 80),
    (Protocol::Udp, 5000, [192, 168, 1, 100], 53),
];

/// The router's addresses on its two LANs.
const LANS: [Ipv4Addr; 2] = [LAN_ADDRESS, SHORT_LAN_ADDRESS];

pub struct Ours {
    router: Router,
    now: Instant,
}

impl Ours {
    pub fn new(profile: &Profile, conversation: &Conversation) -> Self {
        let cidr = |address| Ipv4Cidr::new(address, 24);
        let mut config = Config::new(LANS.map(cidr).to_vec(), cidr(WAN_ADDRESS));
        config.wan_mtu = usize::try_from(conversation.wan_mtu).expect("an MTU");
        config.forwards = FORWARDS
            .into_iter()
            .map(|(protocol, port, host, target)| StaticForward {
                protocol,
                ports: PortRange { first: port, last: port },
                target: SocketAddrV4::new(host.into(), target),
            })
            .collect();
        let router = Router::new(profile, &config).expect("the profile takes three forwards");
        Self { router, now: Instant::from_secs(1) }
    }

    /// What it has done.
    pub fn counters(&self) -> &Counters {
        self.router.counters()
    }

    /// Gives the router a packet, and takes what leaves for it and what it says of it. `chance` is the port that it
    /// would come to if it drew one: what the kernel drew.
    pub fn take(&mut self, from: End, packet: &[u8], chance: Option<u16>) -> (Left, Vec<String>) {
        self.now += Duration::from_micros(100);
        self.router.foretell_port(chance);
        let ingress = match from {
            End::Lan => Interface::Lan(u8::from(is_of_short_lan(packet))),
            End::Wan => Interface::Wan,
        };
        let mut bytes = packet.to_vec();
        let mut left = Left::default();
        if let Some(egress) = self.router.forward(self.now, ingress, &mut bytes) {
            left.at_mut(end_of(egress)).push(bytes);
        }
        while let Some((egress, packet)) = self.router.poll_transmit() {
            left.at_mut(end_of(egress)).push(packet);
        }
        let said =
            std::iter::from_fn(|| self.router.poll_event()).map(|event| event.kind.to_string()).collect();
        (left, said)
    }
}

fn is_of_short_lan(packet: &[u8]) -> bool {
    packet.get(12..15) == Some(&SHORT_LAN_ADDRESS.octets()[..3])
}

fn end_of(interface: Interface) -> End {
    match interface {
        Interface::Lan(_) => End::Lan,
        Interface::Wan => End::Wan,
    }
}
