//! A router on a virtual clock.

use quirknat_router::config::Config;
use quirknat_router::event::{Event, EventKind, Interface};
use quirknat_router::profile::Profile;
use quirknat_router::reason::DropReason;
use quirknat_router::{Router, Translation};
use smoltcp::time::{Duration, Instant};

use super::seen::{Seen, assert_true_checksums};
use super::{PC, SERVER, WAN_ADDRESS, tcp};

pub(crate) const LAN: Interface = Interface::Lan(0);
pub(crate) const WAN: Interface = Interface::Wan;

/// A router, the time, and what it said.
pub(crate) struct Lab {
    pub(crate) router: Router,
    pub(crate) now: Instant,
    events: Vec<Event>,
}

#[expect(
    clippy::wrong_self_convention,
    reason = "`from_lan` says where a packet comes from, not what is converted"
)]
impl Lab {
    /// The article's router, as it comes.
    pub(crate) fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// The article's router with something changed.
    pub(crate) fn with(change: impl FnOnce(&mut Profile, &mut Config)) -> Self {
        let mut profile = Profile::named("linksys-befsr41-1.39").unwrap();
        let wan = format!("{WAN_ADDRESS}/24").parse().unwrap();
        let mut config = Config::new(vec!["192.168.1.1/24".parse().unwrap()], wan);
        change(&mut profile, &mut config);
        let router = Router::new(&profile, &config).unwrap();
        // Not on a whole second, so that rounding shows.
        Self { router, now: Instant::from_micros(100_300_000), events: Vec::new() }
    }

    /// A router of a built-in profile as it comes.
    pub(crate) fn of(profile: &str) -> Self {
        Self::with(|own, _| *own = Profile::named(profile).unwrap())
    }

    /// Sends a packet in; gives back everything that leaves, the packet itself first.
    pub(crate) fn send(&mut self, into: Interface, mut packet: Vec<u8>) -> Vec<Seen> {
        let egress = self.router.forward(self.now, into, &mut packet);
        let mut left: Vec<Seen> = egress.map(|on| Seen { on, bytes: packet }).into_iter().collect();
        left.extend(self.transmitted());
        self.collect_events();
        for seen in &left {
            assert_true_checksums(&seen.bytes);
        }
        left
    }

    /// What the router has sent of itself.
    pub(crate) fn transmitted(&mut self) -> Vec<Seen> {
        let next = || self.router.poll_transmit().map(|(on, bytes)| Seen { on, bytes });
        std::iter::from_fn(next).collect()
    }

    fn collect_events(&mut self) {
        self.events.extend(std::iter::from_fn(|| self.router.poll_event()));
    }

    /// Sends a packet in from the LAN; exactly one leaves.
    pub(crate) fn from_lan(&mut self, packet: Vec<u8>) -> Seen {
        self.one(LAN, packet)
    }

    /// Sends a packet in from the WAN; exactly one leaves.
    pub(crate) fn from_wan(&mut self, packet: Vec<u8>) -> Seen {
        self.one(WAN, packet)
    }

    fn one(&mut self, into: Interface, packet: Vec<u8>) -> Seen {
        let mut left = self.send(into, packet);
        assert_eq!(left.len(), 1, "one packet leaves: {left:?} {:?}", self.events.last());
        left.remove(0)
    }

    /// Sends a packet in of which nothing comes out; gives back why.
    pub(crate) fn dropped(&mut self, into: Interface, packet: Vec<u8>) -> DropReason {
        let left = self.send(into, packet);
        assert_eq!(left, [], "nothing leaves");
        match self.events.last().map(|event| &event.kind) {
            Some(EventKind::PacketDropped { reason, .. }) => *reason,
            other => panic!("a drop is told of, not {other:?}"),
        }
    }

    /// Lets time pass, as a driver would: from one timeout that the router asks for to the next.
    pub(crate) fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(next) = self.router.poll_timeout().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.router.handle_timeout(self.now);
            assert!(self.router.poll_timeout() != Some(next), "a timeout that was handled is over");
        }
        self.now = until;
        self.collect_events();
    }

    pub(crate) fn wait_seconds(&mut self, seconds: u32) {
        self.wait(Duration::from_secs(seconds.into()));
    }

    pub(crate) fn wait_millis(&mut self, millis: u64) {
        self.wait(Duration::from_millis(millis));
    }

    /// What happened since the last look.
    pub(crate) fn events(&mut self) -> Vec<EventKind> {
        self.collect_events();
        std::mem::take(&mut self.events).into_iter().map(|event| event.kind).collect()
    }

    /// What happened since the last look, with its time.
    pub(crate) fn timed_events(&mut self) -> Vec<Event> {
        self.collect_events();
        std::mem::take(&mut self.events)
    }

    pub(crate) fn translations(&self) -> Vec<Translation> {
        self.router.translations()
    }

    /// Opens a connection from the LAN; gives back its endpoint as the WAN sees it.
    pub(crate) fn connect(&mut self, client: &str, server: &str) -> String {
        let syn = self.from_lan(tcp(client, server).seq(999).syn().packet());
        let outside = syn.from().to_string();
        self.from_wan(tcp(server, &outside).seq(4999).ack(1000).syn().packet());
        self.from_lan(tcp(client, server).seq(1000).ack(5000).packet());
        outside
    }

    /// A UDP exchange from the PC to the server, made known to the router; its endpoint as the WAN sees it.
    pub(crate) fn udp_mapping(&mut self) -> String {
        let seen = self.from_lan(super::udp(&format!("{PC}:5000"), &format!("{SERVER}:53"), b"query"));
        seen.from().to_string()
    }
}
