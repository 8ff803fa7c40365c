//! What holds after any packets from anywhere, in any order, at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseError;
use quirknat_router::Translation;
use quirknat_router::event::{Detail, EventKind, Interface, Origin, Passage};
use quirknat_router::packet::Protocol;
use quirknat_router::profile::{
    Filtering, HairpinnedErrors, Hairpinning, Mapping, MidStream, OnEnd, PortAllocation, PortConflict,
    PortRange, Profile, Refresh, TcpTracking, UnsolicitedTcp, WhenFull,
};
use smoltcp::time::{Duration, Instant};

use crate::support::{
    LAN, Lab, WAN, Web, at, echo, fragmented, icmp_error, nat_pmp_request, soap_request, tcp, udp,
    with_ip_checksum,
};

const TABLE: usize = 6;
const OPENINGS: usize = 2;
const DMZ_HOST: &str = "192.168.1.102";
const FORWARDED: &str = "tcp/5003=192.168.1.101:5000";

/// How the router behaves, where that matters here.
#[derive(Debug, Clone)]
struct Behaviour {
    mapping: Mapping,
    filtering: Filtering,
    allocation: PortAllocation,
    on_conflict: PortConflict,
    overloading: bool,
    hairpinning: Hairpinning,
    refresh: Refresh,
    on_end: OnEnd,
    strict: bool,
    per_host: u32,
    syn_answer_delay: u32,
    reuse_delay: u32,
    when_full: WhenFull,
    dmz: bool,
}

fn behaviour() -> impl Strategy<Value = Behaviour> {
    let mapping = select(vec![
        Mapping::EndpointIndependent,
        Mapping::AddressDependent,
        Mapping::AddressAndPortDependent,
    ]);
    let filtering = select(vec![
        Filtering::EndpointIndependent,
        Filtering::AddressDependent,
        Filtering::AddressAndPortDependent,
    ]);
    let allocation =
        select(vec![PortAllocation::Preserving, PortAllocation::Sequential, PortAllocation::Random]);
    let on_conflict = select(vec![
        PortConflict::Next,
        PortConflict::Upwards,
        PortConflict::Random,
        PortConflict::Refuse,
        PortConflict::TakeOver,
    ]);
    let hairpinning =
        select(vec![Hairpinning::Off, Hairpinning::InternalSource, Hairpinning::ExternalSource]);
    let refresh = select(vec![Refresh::Outbound, Refresh::Inbound, Refresh::Both]);
    let on_end = select(vec![OnEnd::Keep, OnEnd::Transitory, OnEnd::Remove]);
    let when_full = select(vec![WhenFull::Refuse, WhenFull::EvictOldest, WhenFull::EvictIdle]);
    let delays = (select(vec![0_u32, 6]), select(vec![0_u32, 60]));
    let limits = (select(vec![0_u32, 2]), delays, when_full, any::<bool>());
    (
        (mapping, filtering, allocation, on_conflict, any::<bool>(), hairpinning),
        (refresh, on_end, any::<bool>()),
        limits,
    )
        .prop_map(
            |(
                (mapping, filtering, allocation, on_conflict, overloading, hairpinning),
                (refresh, on_end, strict),
                (per_host, (syn_answer_delay, reuse_delay), when_full, dmz),
            )| {
                // A profile that says otherwise is refused.
                let (mapping, filtering) = if overloading {
                    (Mapping::AddressAndPortDependent, Filtering::AddressAndPortDependent)
                } else {
                    (mapping, filtering)
                };
                let is_reused = overloading || on_conflict == PortConflict::TakeOver;
                let reuse_delay = if is_reused { 0 } else { reuse_delay };
                Behaviour {
                    mapping,
                    filtering,
                    allocation,
                    on_conflict,
                    overloading,
                    hairpinning,
                    refresh,
                    on_end,
                    strict,
                    per_host,
                    syn_answer_delay,
                    reuse_delay,
                    when_full,
                    dmz,
                }
            },
        )
}

impl Behaviour {
    fn set(&self, profile: &mut Profile) {
        for sessions in [&mut profile.nat.tcp, &mut profile.nat.udp] {
            sessions.mapping.value = self.mapping;
            sessions.filtering.value = self.filtering;
            sessions.hairpinning.value = self.hairpinning;
        }
        profile.nat.icmp.mapping.value = self.mapping;
        profile.nat.icmp.filtering.value = self.filtering;
        profile.icmp.hairpinned_errors.value = HairpinnedErrors::Translate;
        profile.ports.allocation.value = self.allocation;
        profile.ports.on_conflict.value = self.on_conflict;
        profile.ports.overloading.value = self.overloading;
        profile.ports.range.value = PortRange { first: 5000, last: 5005 };
        let timeouts = &mut profile.timeouts;
        for refresh in [&mut timeouts.tcp_refresh, &mut timeouts.udp_refresh, &mut timeouts.icmp_refresh] {
            refresh.value = self.refresh;
        }
        timeouts.tcp_established.value = 250;
        timeouts.tcp_half_closed.value = 250;
        profile.tcp.on_rst.value = self.on_end;
        profile.tcp.on_fin.value = self.on_end;
        if self.strict {
            profile.tcp.tracking.value = TcpTracking::Strict;
            profile.tcp.mid_stream.value = MidStream::Drop;
        }
        if self.syn_answer_delay > 0 {
            profile.wan.unsolicited_tcp.value = UnsolicitedTcp::Reset;
            profile.wan.syn_answer_delay.value = self.syn_answer_delay;
        }
        profile.services.nat_pmp.value = true;
        profile.services.nat_pmp_forwards.value = u32::try_from(OPENINGS).unwrap();
        profile.services.nat_pmp_lifetime.value = 100;
        profile.services.upnp_igd.value = true;
        profile.services.upnp_igd_forwards.value = u32::try_from(OPENINGS).unwrap();
        profile.ports.reuse_delay.value = self.reuse_delay;
        profile.table.translations.value = u32::try_from(TABLE).unwrap();
        profile.table.per_host.value = self.per_host;
        profile.table.when_full.value = self.when_full;
    }
}

/// Flags of a TCP segment.
#[derive(Debug, Clone, Copy)]
enum Flags {
    Syn,
    Ack,
    Fin,
    Rst,
}

#[derive(Debug, Clone)]
enum Step {
    Tcp {
        out: bool,
        host: u8,
        remote: u8,
        port: u16,
        far_port: u16,
        flags: Flags,
    },
    Udp {
        out: bool,
        host: u8,
        remote: u8,
        port: u16,
        far_port: u16,
    },
    /// From a LAN host to an external port.
    Hairpin {
        tcp: bool,
        host: u8,
        port: u16,
        external: u16,
    },
    Echo {
        out: bool,
        request: bool,
        host: u8,
        remote: u8,
        identifier: u16,
    },
    /// A host asks for a port by NAT-PMP or UPnP.
    Request {
        upnp: bool,
        tcp: bool,
        host: u8,
        port: u16,
        suggested: u16,
        lifetime: u32,
    },
    /// An FTP client announces one of its ports.
    Announce {
        host: u8,
        remote: u8,
        port: u16,
    },
    /// An error about a packet that left to the WAN.
    Error {
        remote: u8,
        port: u16,
        far_port: u16,
    },
    Wait(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let (host, remote, port, far_port) = (0_u8..3, 0_u8..2, 5000_u16..5005, 20_u16..22);
    let ends = (any::<bool>(), host.clone(), remote.clone(), port.clone(), far_port.clone());
    let flags = select(vec![Flags::Syn, Flags::Syn, Flags::Ack, Flags::Fin, Flags::Rst]);
    prop_oneof![
        4 => (ends.clone(), flags).prop_map(|((out, host, remote, port, far_port), flags)| {
            Step::Tcp { out, host, remote, port, far_port, flags }
        }),
        3 => ends.prop_map(|(out, host, remote, port, far_port)| Step::Udp { out, host, remote, port, far_port }),
        2 => (any::<bool>(), host.clone(), port.clone(), port.clone())
            .prop_map(|(tcp, host, port, external)| Step::Hairpin { tcp, host, port, external }),
        1 => (any::<[bool; 2]>(), host.clone(), port.clone(), port.clone(), select(vec![0_u32, 30, 3000])).prop_map(
            |([upnp, tcp], host, port, suggested, lifetime)| {
                Step::Request { upnp, tcp, host, port, suggested, lifetime }
            }
        ),
        1 => (any::<bool>(), any::<bool>(), host.clone(), remote.clone(), port.clone()).prop_map(
            |(out, request, host, remote, identifier)| Step::Echo { out, request, host, remote, identifier }
        ),
        2 => (host, remote.clone(), port.clone())
            .prop_map(|(host, remote, port)| Step::Announce { host, remote, port }),
        1 => (remote, port, far_port).prop_map(|(remote, port, far_port)| Step::Error { remote, port, far_port }),
        2 => prop_oneof![0_u32..10, 100_u32..300].prop_map(Step::Wait),
    ]
}

/// The router, and what an onlooker knows about it.
struct World {
    lab: Lab,
    behaviour: Behaviour,
    /// When a packet of a translation last passed, by the translation's serial number.
    last: BTreeMap<u32, Instant>,
    /// The gateway's open forwards: external port and allowed peer, by serial number.
    forwards: BTreeMap<u32, (u16, SocketAddrV4)>,
    /// What hosts have open: external port, target and when it ends, by its name in events.
    openings: BTreeMap<u32, (Protocol, u16, SocketAddrV4, u32)>,
    /// When a host last spoke to the router's own TCP.
    asked: Option<Instant>,
    /// When an external port was last some mapping's.
    held: BTreeMap<(Protocol, u16), Instant>,
}

impl World {
    fn new(behaviour: Behaviour) -> Self {
        let lab = Lab::with(|profile, config| {
            behaviour.set(profile);
            config.forwards = vec![FORWARDED.parse().unwrap()];
            config.dmz_host = behaviour.dmz.then(|| DMZ_HOST.parse().unwrap());
            config.detail = Detail::Packets;
        });
        let (last, forwards, openings, held) = Default::default();
        Self { lab, behaviour, last, forwards, openings, asked: None, held }
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let inside = |host: u8, port: u16| format!("192.168.1.{}:{port}", 100 + host);
        let outside = |remote: u8, port: u16| format!("198.51.100.{}:{port}", 9 + remote);
        let external = |port: u16| format!("203.0.113.7:{port}");
        let address = |end: &str| end.split(':').next().unwrap().to_owned();
        let (into, packet) = match *step {
            Step::Tcp { out, host, remote, port, far_port, flags } => {
                let far = outside(remote, far_port);
                let segment = if out { tcp(&inside(host, port), &far) } else { tcp(&far, &external(port)) };
                let segment = match flags {
                    Flags::Syn => segment.syn(),
                    Flags::Ack => segment.ack(1),
                    Flags::Fin => segment.ack(1).fin(),
                    Flags::Rst => segment.rst(),
                };
                (if out { LAN } else { WAN }, segment.packet())
            }
            Step::Udp { out: true, host, remote, port, far_port } => {
                (LAN, udp(&inside(host, port), &outside(remote, far_port), b"out"))
            }
            Step::Udp { remote, port, far_port, .. } => {
                (WAN, udp(&outside(remote, far_port), &external(port), b"in"))
            }
            Step::Hairpin { tcp: true, host, port, external: to } => {
                (LAN, tcp(&inside(host, port), &external(to)).syn().packet())
            }
            Step::Hairpin { host, port, external: to, .. } => {
                (LAN, udp(&inside(host, port), &external(to), b"hairpinned"))
            }
            Step::Echo { out: true, request, host, remote, identifier } => {
                (LAN, echo(request, &address(&inside(host, 0)), &address(&outside(remote, 0)), identifier))
            }
            Step::Echo { request, remote, identifier, .. } => {
                (WAN, echo(request, &address(&outside(remote, 0)), "203.0.113.7", identifier))
            }
            Step::Request { upnp: true, tcp, host, port, suggested, lifetime } => {
                let before = self.lab.translations();
                self.ask_by_upnp(tcp, &inside(host, port), suggested, lifetime);
                self.watch(&before, None)?;
                return self.check();
            }
            Step::Request { tcp, host, port, suggested, lifetime, .. } => {
                let request = nat_pmp_request(tcp, port, suggested, lifetime);
                (LAN, udp(&inside(host, 7000), "192.168.1.1:5351", &request))
            }
            Step::Announce { host, remote, port } => {
                let command = format!("PORT 192,168,1,{},{},{}\r\n", 100 + host, port >> 8, port & 0xff);
                let segment = tcp(&inside(host, 1024), &outside(remote, 21)).ack(1).data(command);
                (LAN, segment.packet())
            }
            Step::Error { remote, port, far_port } => {
                let quote = udp(&external(port), &outside(remote, far_port), b"quoted");
                (WAN, icmp_error("192.0.2.1", "203.0.113.7", [3, 3], &quote))
            }
            Step::Wait(seconds) => {
                self.lab.wait_seconds(seconds);
                self.watch(&[], None)?;
                return self.check();
            }
        };
        let before = self.lab.translations();
        let left = self.lab.send(into, packet);
        let delivered = (into == WAN && left.iter().any(|seen| seen.on == LAN)).then(|| left[0].to());
        if into == WAN && delivered.is_none() {
            // RFC 7857 REQ-7: what was refused refreshes nothing.
            let now = self.lab.translations();
            for one in &now {
                let older = before.iter().find(|other| other.serial == one.serial);
                prop_assert!(older.is_none_or(|older| older.expires == one.expires), "refreshed: {one:?}");
            }
        }
        if matches!(step, Step::Hairpin { .. }) {
            for one in
                self.lab.translations().iter().filter(|one| *one.remote.ip() == *at("203.0.113.7").ip())
            {
                self.last.insert(one.serial, self.lab.now);
            }
        }
        self.watch(&before, delivered)?;
        self.check()
    }

    /// A lifetime of 0 closes the port.
    fn ask_by_upnp(&mut self, tcp: bool, inside: &str, external: u16, lifetime: u32) {
        let (host, port) = inside.split_once(':').unwrap();
        let protocol = if tcp { "TCP" } else { "UDP" };
        let named = format!(
            "<NewRemoteHost/><NewExternalPort>{external}</NewExternalPort><NewProtocol>{protocol}</NewProtocol>"
        );
        let behind = format!(
            "<NewInternalPort>{port}</NewInternalPort><NewInternalClient>{host}</NewInternalClient>\
             <NewEnabled>1</NewEnabled><NewPortMappingDescription/><NewLeaseDuration>{lifetime}</NewLeaseDuration>"
        );
        let (action, arguments) = match lifetime {
            0 => ("DeletePortMapping", named),
            _ => ("AddPortMapping", named + &behind),
        };
        // What time has brought about is not the answer.
        self.lab.transmitted();
        let service = "urn:schemas-upnp-org:service:WANIPConnection:1";
        let request = soap_request(service, "/control/wan-ip", action, &arguments);
        Web::ask(&mut self.lab, &format!("{host}:7000"), "192.168.1.1:5000", &request);
        self.asked = Some(self.lab.now);
    }

    /// Follows the events, and asks of each connection from outside who let it in.
    fn watch(
        &mut self,
        before: &[Translation],
        delivered: Option<SocketAddrV4>,
    ) -> Result<(), TestCaseError> {
        let (forwards, openings) = (self.forwards.clone(), self.openings.clone());
        for event in self.lab.events() {
            match event {
                EventKind::ForwardOpened { forward, external, control, .. } => {
                    let peer =
                        self.lab.translations().iter().find(|one| one.serial == control).unwrap().remote;
                    self.forwards.insert(forward, (external.port(), peer));
                }
                EventKind::PortsOpened { opening, protocol, ports, target, expires_s, .. } => {
                    self.openings.insert(opening, (protocol, ports.first, target, expires_s.unwrap()));
                }
                EventKind::PortsRefreshed { opening, expires_s } => {
                    self.openings.get_mut(&opening).unwrap().3 = expires_s.unwrap();
                }
                EventKind::PortsClosed { opening, .. } => {
                    prop_assert!(self.openings.remove(&opening).is_some(), "it closes once");
                }
                EventKind::ForwardEnded { forward, .. } => {
                    prop_assert!(self.forwards.remove(&forward).is_some(), "it ends once");
                }
                EventKind::TranslationCreated { translation, origin, protocol, external, remote, inside } => {
                    self.last.insert(translation, self.lab.now);
                    let on_port = |one: &&Translation| {
                        one.protocol == protocol && one.external == external && is_mapped(one)
                    };
                    let may = match origin {
                        // RFC 6888 REQ-8; that a mapping of before is shared shows by its being there.
                        Origin::Outbound => {
                            before.iter().any(|one| on_port(&one))
                                || protocol == Protocol::Icmp
                                || self.held.get(&(protocol, external.port())).is_none_or(|held| {
                                    let delay = Duration::from_secs(self.behaviour.reuse_delay.into());
                                    self.lab.now >= *held + delay
                                })
                        }
                        // What is hairpinned may have made the mapping it comes back to.
                        Origin::Mapping => {
                            before.iter().chain(&self.lab.translations()).filter(on_port).any(|one| {
                                filter_admits(self.behaviour.filtering, one.remote, remote)
                                    && one.inside == inside
                            })
                        }
                        Origin::AlgForward => forwards
                            .values()
                            .any(|(port, peer)| *port == external.port() && peer.ip() == remote.ip()),
                        Origin::StaticForward => {
                            external.port() == 5003 && inside == at("192.168.1.101:5000")
                        }
                        Origin::Requested | Origin::UpnpIgd => openings
                            .values()
                            .any(|one| (one.0, one.1, one.2) == (protocol, external.port(), inside)),
                        Origin::Triggered => false,
                        Origin::DmzHost => {
                            self.behaviour.dmz
                                && *inside.ip() == *at(DMZ_HOST).ip()
                                && inside.port() == external.port()
                        }
                    };
                    prop_assert!(may, "{origin:?}: {remote} to {external}, {inside}");
                }
                EventKind::PacketForwarded {
                    translation: Some(serial),
                    passage: Passage::Translated | Passage::Hairpinned,
                    egress,
                } => {
                    if self.refreshes(serial, egress) {
                        self.last.insert(serial, self.lab.now);
                    }
                    let translations = self.lab.translations();
                    let own = translations.iter().find(|one| one.serial == serial);
                    // A RST or FIN may have ended it.
                    if let (Some(host), Some(own)) = (delivered, own) {
                        prop_assert_eq!(own.inside, host, "what comes in goes to the translation's host");
                    }
                }
                _ => {}
            }
        }
        for one in self.lab.translations().iter().filter(|one| is_mapped(one)) {
            self.held.insert((one.protocol, one.external.port()), self.lab.now);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let translations = self.lab.translations();
        prop_assert!(translations.len() <= TABLE);
        prop_assert!(self.lab.router.mappings() <= translations.len());
        let mut names = BTreeSet::new();
        for one in &translations {
            prop_assert!(
                names.insert((one.protocol, one.external, one.remote, "outside")),
                "shared: {one:?}"
            );
            prop_assert!(names.insert((one.protocol, one.inside, one.remote, "inside")), "shared: {one:?}");
            let timeout = match one.protocol {
                Protocol::Udp => 120,
                Protocol::Icmp => 60,
                Protocol::Tcp => 250,
            };
            let lives = self.lab.now - self.last[&one.serial];
            prop_assert!(lives < Duration::from_secs(timeout + 1), "{one:?} has lived for {lives}");
            prop_assert!(one.expires > self.lab.now);
        }
        for host in 100..103 {
            let own = translations.iter().filter(|one| one.inside.ip().octets()[3] == host).count();
            let limit = self.behaviour.per_host;
            prop_assert!(limit == 0 || own <= limit as usize, "{own} of one host");
        }
        if !self.behaviour.overloading {
            self.check_mappings(&translations)?;
        }
        prop_assert!(self.openings.len() <= 2 * OPENINGS);
        for one in self.openings.values() {
            prop_assert!(Instant::from_secs(i64::from(one.3)) > self.lab.now, "outlived: {one:?}");
            let mut same = self.openings.values().filter(|other| (other.0, other.1) == (one.0, one.1));
            prop_assert!(same.all(|other| other.2 == one.2), "a port leads to one host");
        }
        let timeout = self.lab.router.poll_timeout();
        // A connection to the router stays in TIME-WAIT for ten seconds.
        let is_over = self.asked.is_none_or(|asked| asked + Duration::from_secs(11) < self.lab.now);
        if self.behaviour.syn_answer_delay == 0 && is_over {
            prop_assert_eq!(
                timeout.is_none(),
                translations.is_empty() && self.forwards.is_empty() && self.openings.is_empty()
            );
        }
        Ok(())
    }

    fn check_mappings(&self, translations: &[Translation]) -> Result<(), TestCaseError> {
        for (index, one) in translations.iter().enumerate().filter(|(_, one)| is_mapped(one)) {
            for other in translations[..index].iter().filter(|other| is_mapped(other)) {
                if (one.protocol, one.external) == (other.protocol, other.external) {
                    prop_assert_eq!(one.inside, other.inside, "an external port stands for one endpoint");
                }
                let independent = self.behaviour.mapping == Mapping::EndpointIndependent;
                if independent && (one.protocol, one.inside) == (other.protocol, other.inside) {
                    prop_assert_eq!(one.external, other.external, "an endpoint has one external port");
                }
            }
        }
        Ok(())
    }

    /// Whether a packet that left by `egress` makes its translation live longer. A segment may change its connection's
    /// state, and then counts from either side.
    fn refreshes(&self, serial: u32, egress: Interface) -> bool {
        let is_tcp = self.lab.translations().iter().any(|one| {
            one.serial == serial
                && (one.protocol == Protocol::Tcp || *one.remote.ip() == *at("203.0.113.7").ip())
        });
        is_tcp
            || match self.behaviour.refresh {
                Refresh::Both => true,
                Refresh::Outbound => egress == WAN,
                Refresh::Inbound => egress != WAN,
            }
    }
}

/// Whether a mapping holds its external port.
fn is_mapped(translation: &Translation) -> bool {
    matches!(translation.origin, Origin::Outbound | Origin::Mapping)
}

/// Whether a mapping that was sent to `known` admits `remote`.
fn filter_admits(filtering: Filtering, known: SocketAddrV4, remote: SocketAddrV4) -> bool {
    match filtering {
        Filtering::EndpointIndependent => true,
        Filtering::AddressDependent => known.ip() == remote.ip(),
        Filtering::AddressAndPortDependent => false,
    }
}

/// A packet that is right, of any kind.
fn valid_packet() -> impl Strategy<Value = Vec<u8>> {
    let port = || 0_u16..4;
    let command = select(vec![
        &b"PORT 192,168,1,100,195,80\r\n"[..],
        b"PORT 192,168,1,100,195,80\r\nPORT 10,0,0,1,1,1\r\n",
        b"227 Entering Passive Mode (1,2,3,4,5,6)\r\n",
        b"EPRT |1|192.168.1.100|50000|\r\n",
        b"",
    ]);
    let ends = (port(), port()).prop_map(|(near, far)| {
        (format!("192.168.1.100:{}", 1024 + near), format!("198.51.100.9:{}", 20 + far))
    });
    (ends, command, any::<u8>(), any::<u32>(), any::<bool>()).prop_map(
        |((near, far), text, kind, number, out)| {
            let (source, destination) =
                if out { (near, far) } else { (far, near.replace("192.168.1.100", "203.0.113.7")) };
            let segment = tcp(&source, &destination).seq(number % 100).data(text);
            match kind % 7 {
                0 => segment.syn().packet(),
                1 => segment.ack(number % 80).packet(),
                2 => segment.ack(1).sack(&[(number % 90, number % 97), (3, 9)]).packet(),
                3 => segment.ack(1).fin().packet(),
                4 => udp(&source, &destination, text),
                5 => fragmented(&udp(&source, &destination, &[7; 64]), 1, 24)
                    .swap_remove((number % 3) as usize),
                _ => {
                    let quote = segment.packet();
                    let host = |end: &str| end.split(':').next().unwrap().to_owned();
                    icmp_error(&host(&destination), &host(&source), [3, 1], &quote)
                }
            }
        },
    )
}

proptest! {
    #[test]
    fn any_packets_keep_the_translations_apart_and_in_time(behaviour in behaviour(), steps in vec(step(), 1..80)) {
        let mut world = World::new(behaviour);
        for step in &steps {
            world.step(step)?;
        }
        // As long as the longest that a host can ask for by UPnP.
        world.lab.wait_seconds(3002);
        prop_assert_eq!(world.lab.translations(), []);
        prop_assert_eq!(world.lab.router.mappings(), 0);
        prop_assert_eq!(world.lab.router.poll_timeout(), None);
    }

    /// What leaves is checked packet by packet in `Lab::send`.
    #[test]
    fn packets_with_any_octets_changed_do_no_harm(
        packets in vec(
            (valid_packet(), vec((any::<Index>(), any::<u8>()), 0..4), any::<bool>(), any::<bool>(), option::of(0_usize..60)),
            1..60,
        ),
    ) {
        let mut lab = Lab::with(|profile, config| {
            profile.table.translations.value = u32::try_from(TABLE).unwrap();
            profile.table.when_full.value = WhenFull::EvictOldest;
            config.lan.push("192.168.1.1/24".parse().unwrap());
            config.dmz_host = Some(DMZ_HOST.parse().unwrap());
            config.detail = Detail::Packets;
            config.lan_mtu = 576;
    config.wan_mtu = 576;
        });
        for (mut packet, changes, from_lan, put_right, length) in packets {
            for (at, octet) in changes {
                let at = at.index(packet.len());
                packet[at] = octet;
            }
            packet.truncate(length.unwrap_or(usize::MAX));
            if put_right && packet.len() >= 20 && packet[0] == 0x45 {
                packet = with_ip_checksum(packet);
            }
            lab.send(if from_lan { LAN } else { WAN }, packet);
            prop_assert!(lab.translations().len() <= TABLE);
            lab.wait_millis(300);
        }
    }

    #[test]
    fn any_octets_do_no_harm(octets in vec(any::<u8>(), 0..100), port in 0_u8..3, like_ip: bool) {
        let mut lab = Lab::new();
        let mut packet = octets;
        if like_ip && packet.len() >= 20 {
            let length = u8::try_from(packet.len()).unwrap();
            packet[0] = 0x45;
            packet[2..4].copy_from_slice(&[0, length]);
            packet[12..16].copy_from_slice(&[192, 168, 1, 100]);
            packet = with_ip_checksum(packet);
        }
        lab.send(if port == 2 { WAN } else { Interface::Lan(port) }, packet);
        prop_assert!(lab.translations().len() <= 1);
    }
}
