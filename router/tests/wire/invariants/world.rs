//! The router, and an onlooker who knows what may be.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;

use proptest::prelude::{prop_assert, prop_assert_eq};
use proptest::test_runner::TestCaseError;
use quirknat_alg::ControlOutlives;
use quirknat_router::Translation;
use quirknat_router::event::{Detail, EventKind, Interface, Origin, Passage};
use quirknat_router::packet::Protocol;
use quirknat_router::profile::{Filtering, Mapping, Refresh};
use smoltcp::time::{Duration, Instant};

use super::behaviour::Behaviour;
use super::step::{Step, endpoint};
use super::{CLOSING, DMZ_HOST, ESTABLISHED, FORWARDED, OPENINGS, TABLE};
use crate::support::{LAN, Lab, WAN, Web, at, soap_request};

/// The router, and what an onlooker knows about it.
pub(super) struct World {
    pub(super) lab: Lab,
    behaviour: Behaviour,
    /// When a packet of a translation last passed, by the translation's serial number.
    last: BTreeMap<u32, Instant>,
    /// The gateway's open forwards: external port, allowed peer and control connection, by serial number.
    forwards: BTreeMap<u32, (u16, SocketAddrV4, u32)>,
    /// How long, at most, there is something that a control connection outlives, by its serial number.
    outlived: BTreeMap<u32, Instant>,
    /// What hosts have open: external port, target and when it ends, by its name in events.
    openings: BTreeMap<u32, (Protocol, u16, SocketAddrV4, u32)>,
    /// When a host last spoke to the router's own TCP.
    asked: Option<Instant>,
    /// When an external port was last some mapping's.
    held: BTreeMap<(Protocol, u16), Instant>,
}

impl World {
    pub(super) fn new(behaviour: Behaviour) -> Self {
        let lab = Lab::with(|profile, config| {
            behaviour.set(profile);
            config.forwards = vec![FORWARDED.parse().unwrap()];
            config.dmz_host = behaviour.dmz.then(|| DMZ_HOST.parse().unwrap());
            config.detail = Detail::Packets;
        });
        let (last, forwards, outlived, openings, held) = Default::default();
        Self { lab, behaviour, last, forwards, outlived, openings, asked: None, held }
    }

    pub(super) fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let Some((into, packet)) = step.packet() else {
            let before = self.pass_or_ask(step);
            self.watch(&before, None)?;
            return self.check();
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

    /// Does what is no single packet; gives the translations that were there.
    fn pass_or_ask(&mut self, step: &Step) -> Vec<Translation> {
        match *step {
            Step::Request { tcp, host, port, suggested, lifetime, .. } => {
                let before = self.lab.translations();
                self.ask_by_upnp(tcp, &endpoint(host, port), suggested, lifetime);
                before
            }
            Step::Wait(seconds) => {
                self.lab.wait_seconds(seconds);
                Vec::new()
            }
            _ => unreachable!("{step:?} is a packet"),
        }
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
                EventKind::ForwardOpened { forward, external, control, expires_s, .. } => {
                    self.forward_lives(control, expires_s.unwrap());
                    let peer =
                        self.lab.translations().iter().find(|one| one.serial == control).unwrap().remote;
                    self.forwards.insert(forward, (external.port(), peer, control));
                }
                EventKind::ForwardRefreshed { forward, expires_s } => {
                    self.forward_lives(self.forwards[&forward].2, expires_s);
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
                                || matches!(protocol, Protocol::Icmp | Protocol::Other(_))
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
                            .any(|(port, peer, _)| *port == external.port() && peer.ip() == remote.ip()),
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
        self.look_for_transfers();
        for one in self.lab.translations().iter().filter(|one| is_mapped(one)) {
            self.held.insert((one.protocol, one.external.port()), self.lab.now);
        }
        Ok(())
    }

    fn forward_lives(&mut self, control: u32, expires_s: u32) {
        if self.behaviour.control_outlives == ControlOutlives::Forwards {
            self.outlives(control, Instant::from_secs(expires_s));
        }
    }

    fn outlives(&mut self, control: u32, until: Instant) {
        let known = self.outlived.entry(control).or_insert(until);
        *known = until.max(*known);
    }

    /// Looks for what control connections outlive.
    fn look_for_transfers(&mut self) {
        let translations = self.lab.translations();
        for control in translations.iter().filter(|one| is_control(one)) {
            let counts = |one: &&Translation| match self.behaviour.control_outlives {
                ControlOutlives::Nothing => false,
                ControlOutlives::Forwards => one.origin == Origin::AlgForward,
                ControlOutlives::DataConnections => one.protocol == Protocol::Tcp && !is_control(one),
            };
            let hosts = |one: &Translation| (*one.inside.ip(), *one.remote.ip());
            let beside = translations.iter().filter(counts).filter(|one| hosts(one) == hosts(control));
            if let Some(until) = beside.map(|one| one.expires).max() {
                self.outlives(control.serial, until);
            }
        }
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
                Protocol::Udp => 120_u32,
                Protocol::Icmp => 60,
                Protocol::Tcp => ESTABLISHED,
                Protocol::Other(_) => 600,
            };
            let second = Duration::from_secs(1);
            let ends = self.last[&one.serial] + Duration::from_secs(timeout.into()) + second;
            let outlived = self.outlived.get(&one.serial);
            let kept = outlived.map(|until| *until + Duration::from_secs(CLOSING.into()) + second);
            prop_assert!(
                kept.into_iter().fold(ends, Instant::max) > self.lab.now,
                "{one:?} should have ended"
            );
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

/// Whether the gateway watches it.
fn is_control(translation: &Translation) -> bool {
    let Translation { protocol, origin, remote, .. } = translation;
    (*protocol, *origin, remote.port()) == (Protocol::Tcp, Origin::Outbound, 21)
}

/// Whether a mapping holds its external port.
fn is_mapped(translation: &Translation) -> bool {
    matches!(translation.origin, Origin::Outbound | Origin::Mapping)
        && !matches!(translation.protocol, Protocol::Other(_))
}

/// Whether a mapping that was sent to `known` admits `remote`.
fn filter_admits(filtering: Filtering, known: SocketAddrV4, remote: SocketAddrV4) -> bool {
    match filtering {
        Filtering::EndpointIndependent => true,
        Filtering::AddressDependent => known.ip() == remote.ip(),
        Filtering::AddressAndPortDependent => false,
    }
}
