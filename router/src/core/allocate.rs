//! External ports: which are free, and which a mapping or a forward gets (RFC 4787 §4.2).

use std::net::SocketAddrV4;

use quirknat_alg::Side;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::Router;
use crate::event::TranslationEnd;
use crate::packet::Protocol;
use crate::profile::{Identifiers, PortAllocation, PortConflict, PortRange, SystemPorts};
use crate::state::resting::Resting;

/// Where the search for a free port goes on, for each protocol, and what random searches begin with.
#[derive(Debug)]
pub(super) struct PortCursors {
    range: PortRange,
    tcp: u16,
    udp: u16,
    icmp: u16,
    resting: Resting,
    /// Pinned: the same seed draws the same ports on every machine and with every release.
    random: Pcg64,
    /// What the next draw comes to, where that is known.
    foretold: Option<u16>,
}

/// RFC 6335 §6.
const SYSTEM_PORTS: PortRange = PortRange { first: 1, last: 1023 };
/// Where [`SystemPorts::TwoRanges`] seeks one for a port up to 511, and for one above.
const LOWER_HALF: PortRange = PortRange { first: 1, last: 511 };
const UPPER_HALF: PortRange = PortRange { first: 600, last: 1023 };
/// An identifier can be any number.
const IDENTIFIERS: PortRange = PortRange { first: 0, last: u16::MAX };

impl PortCursors {
    pub(super) fn new(range: PortRange, seed: u64) -> Self {
        // The stream that the PCG reference implementation starts with.
        let random = Pcg64::new(u128::from(seed), 0x0a02_bdbf_7bb3_c0a7_ac28_fa16_a64a_bf96);
        let (first, resting) = (range.first, Resting::default());
        Self { range, tcp: first, udp: first, icmp: first, resting, random, foretold: None }
    }

    fn cursor(&mut self, protocol: Protocol) -> &mut u16 {
        match protocol {
            Protocol::Tcp => &mut self.tcp,
            Protocol::Udp => &mut self.udp,
            // No port is sought for the others.
            Protocol::Icmp | Protocol::Other(_) => &mut self.icmp,
        }
    }

    /// Any port of `range`, none likelier than another by more than one part in 2⁴⁸.
    pub(super) fn draw(&mut self, range: PortRange) -> u16 {
        if let Some(port) = self.foretold.take().filter(|port| range.contains(*port)) {
            return port;
        }
        let count = u64::from(range.last - range.first) + 1;
        let drawn = (u128::from(self.random.next_u64()) * u128::from(count)) >> 64;
        range.first.saturating_add(u16::try_from(drawn).unwrap_or_default())
    }
}

/// Where a search begins.
#[derive(Debug, Clone, Copy)]
enum Start {
    /// Where the last one ended.
    Cursor,
    Above(u16),
    Random,
}

/// What an external port is wanted for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) protocol: Protocol,
    pub(super) inside: SocketAddrV4,
    /// Where the first packet goes; overloaded ports are told apart by it.
    pub(super) remote: SocketAddrV4,
}

impl Router {
    /// Says which port the next random draw comes to, if it is of the range that is drawn from; `None`: chance decides.
    /// For following another router that has drawn already.
    pub fn foretell_port(&mut self, port: Option<u16>) {
        self.ports.foretold = port;
    }

    /// A port for a new mapping.
    pub(super) fn allocate(&mut self, wanted: Wanted) -> Option<u16> {
        let own = wanted.inside.port();
        let latest = self.mappings.latest_port(wanted.protocol, wanted.inside);
        if let Some(port) = latest.filter(|port| self.is_usable(wanted, *port)) {
            return Some(port);
        }
        match *self.profile.ports.allocation {
            PortAllocation::Sequential => self.search(wanted, Start::Cursor),
            PortAllocation::Random => self.search(wanted, Start::Random),
            PortAllocation::Preserving if self.is_usable(wanted, own) => Some(own),
            PortAllocation::Preserving => match *self.profile.ports.on_conflict {
                PortConflict::Next => self.search(wanted, Start::Cursor),
                PortConflict::Upwards => self.search(wanted, Start::Above(own)),
                PortConflict::Random => self.search(wanted, Start::Random),
                PortConflict::Refuse => None,
                PortConflict::TakeOver => {
                    self.take_over(wanted);
                    if self.is_usable(wanted, own) { Some(own) } else { self.search(wanted, Start::Cursor) }
                }
            },
        }
    }

    /// Ends the mapping that holds the internal port outside.
    fn take_over(&mut self, wanted: Wanted) {
        let Wanted { protocol, inside, remote } = wanted;
        if *self.profile.ports.overloading {
            let external = SocketAddrV4::new(self.wan, inside.port());
            if let Some(older) = self.flows.find(Side::Outside, protocol, remote, external) {
                self.end_translation(older, TranslationEnd::PortTakenOver);
            }
        } else if let Some(mapping) = self.mappings.holder(protocol, inside.port()) {
            for older in self.flows.of_mapping(mapping) {
                self.end_translation(older, TranslationEnd::PortTakenOver);
            }
        }
    }

    /// A usable port of the profile's range, or of the system ports where such a one stays among them.
    fn search(&mut self, wanted: Wanted, start: Start) -> Option<u16> {
        let Wanted { protocol, inside, .. } = wanted;
        let own = inside.port();
        let ports = &self.profile.ports;
        let keeps_parity = protocol == Protocol::Udp && *ports.parity;
        let is_system_port = protocol != Protocol::Icmp && own <= SYSTEM_PORTS.last;
        let fits = move |router: &Self, port: u16| {
            (!keeps_parity || port % 2 == own % 2) && router.is_usable(wanted, port)
        };
        let own_range = match *ports.system_ports {
            _ if protocol == Protocol::Icmp && *ports.identifiers == Identifiers::All => Some(IDENTIFIERS),
            SystemPorts::OwnRange if is_system_port => Some(SYSTEM_PORTS),
            SystemPorts::TwoRanges if is_system_port && LOWER_HALF.contains(own) => Some(LOWER_HALF),
            SystemPorts::TwoRanges if is_system_port => Some(UPPER_HALF),
            _ => None,
        };
        if let Some(range) = own_range {
            let first = match start {
                Start::Cursor => range.first,
                Start::Above(port) => next(range, port),
                Start::Random => self.ports.draw(range),
            };
            return self.first_from(range, first, fits);
        }
        let range = self.ports.range;
        match start {
            Start::Cursor => self.next_of_range(protocol, fits),
            Start::Above(port) => self.first_from(range, next(range, port), fits),
            Start::Random => {
                let first = self.ports.draw(range);
                self.first_from(range, first, fits)
            }
        }
    }

    /// The next port of the profile's range that leads to nobody else, for a forward.
    pub(super) fn next_free(&mut self, protocol: Protocol, inside: SocketAddrV4) -> Option<u16> {
        self.next_of_range(protocol, |router, port| router.is_free(protocol, port, inside))
    }

    /// The first port that `fits` from where the last such search ended.
    fn next_of_range(&mut self, protocol: Protocol, fits: impl Fn(&Self, u16) -> bool) -> Option<u16> {
        let range = self.ports.range;
        let first = *self.ports.cursor(protocol);
        let port = self.first_from(range, first, fits)?;
        *self.ports.cursor(protocol) = next(range, port);
        Some(port)
    }

    /// The first port that `fits` from `first` on, once round the range.
    fn first_from(&self, range: PortRange, first: u16, fits: impl Fn(&Self, u16) -> bool) -> Option<u16> {
        let mut port = first;
        for _ in range.first..=range.last {
            if fits(self, port) {
                return Some(port);
            }
            port = next(range, port);
        }
        None
    }

    /// Nobody gets a port for the profile's delay after its mapping ended (RFC 6888 REQ-8). ICMP has no ports.
    pub(super) fn rest(&mut self, protocol: Protocol, port: u16) {
        let delay = *self.profile.ports.reuse_delay;
        if delay > 0 && protocol != Protocol::Icmp {
            let until = self.clock.tick_after.saturating_add(delay);
            self.ports.resting.add(protocol, port, self.clock.tick, until);
        }
    }

    /// Whether `port` can stand for `inside`: nothing holds it or did so just now, and no forward leads it to someone
    /// else, or led a connection there that goes on.
    pub(super) fn is_free(&self, protocol: Protocol, port: u16, inside: SocketAddrV4) -> bool {
        self.mappings.holder(protocol, port).is_none()
            && !self.ports.resting.has(protocol, port, self.clock.tick)
            && !self.mappings.is_occupied_by_another(protocol, port, inside)
            && !self.forwards.leads_elsewhere(protocol, port, inside)
    }

    /// Whether a mapping can have `port`; one that is overloaded, where nobody else has it towards the same remote.
    fn is_usable(&self, wanted: Wanted, port: u16) -> bool {
        let Wanted { protocol, inside, remote } = wanted;
        if !*self.profile.ports.overloading {
            return self.is_free(protocol, port, inside);
        }
        let external = SocketAddrV4::new(self.wan, port);
        self.flows.find_exact(Side::Outside, protocol, external, remote).is_none()
            && !(*self.profile.ports.reserved_by_forwards
                && self.forwards.leads_elsewhere(protocol, port, inside))
    }
}

/// The port after `port`, round the range.
fn next(range: PortRange, port: u16) -> u16 {
    if port >= range.last || port < range.first { range.first } else { port + 1 }
}

/// The ports above `port`.
pub(super) fn range_above(port: u16) -> Option<PortRange> {
    Some(PortRange { first: port.checked_add(1)?, last: u16::MAX })
}
