//! The probes: what each sends, what it looks for, what it makes of it.

mod connection;
mod endpoints;
mod fragments;
mod ftp;
mod gateways;
mod hairpinning;
mod icmp;
mod lifetime;
mod ports;
mod resources;
mod side_by_side;
mod tcp;
mod timeouts;
mod translation;

use super::executor::{Bench, Running};
use endpoints::Kind;

/// A probe, and which requirements it is for.
pub(super) struct Probe {
    serves: &'static [&'static str],
    fills_the_table: bool,
    start: fn(Bench) -> Running,
}

impl Probe {
    const fn new(serves: &'static [&'static str], start: fn(Bench) -> Running) -> Self {
        Self { serves, fills_the_table: false, start }
    }

    /// Whether it is for a requirement with `filter` in its name.
    pub(super) fn serves(&self, filter: &str) -> bool {
        self.serves.iter().any(|id| id.contains(filter))
    }

    /// Whether nothing else can be measured after it.
    pub(super) fn fills_the_table(&self) -> bool {
        self.fills_the_table
    }

    pub(super) fn run(&self, bench: Bench) -> Running {
        (self.start)(bench)
    }

    /// The requirements it is for.
    #[cfg(test)]
    pub(super) fn ids(&self) -> &'static [&'static str] {
        self.serves
    }
}

/// All probes. A probe's place gives it its addresses and ports.
pub(super) static PROBES: &[Probe] = &[
    Probe::new(&["4787-1", "4787-8", "4787-11"], |bench| Box::pin(translation::run(bench, Kind::Udp))),
    Probe::new(&["5382-1", "5382-3"], |bench| Box::pin(translation::run(bench, Kind::Tcp))),
    Probe::new(&["4787-3", "4787-3a", "4787-4"], |bench| Box::pin(ports::run(bench, Kind::Udp))),
    Probe::new(&["5382-7"], |bench| Box::pin(ports::run(bench, Kind::Tcp))),
    Probe::new(&["4787-2", "7857-4"], |bench| Box::pin(ports::pooling(bench))),
    Probe::new(&["4787-9", "5508-7"], |bench| Box::pin(hairpinning::run(bench, Kind::Udp))),
    Probe::new(&["5382-8", "7857-12"], |bench| Box::pin(hairpinning::run(bench, Kind::Tcp))),
    Probe::new(&["4787-5", "4787-6", "7857-7"], |bench| Box::pin(timeouts::udp(bench))),
    Probe::new(&["5382-5-established"], |bench| Box::pin(timeouts::tcp_established(bench))),
    Probe::new(&["5382-5-transitory", "7857-2.1"], |bench| Box::pin(timeouts::tcp_transitory(bench))),
    Probe::new(&["7857-2.2"], |bench| Box::pin(timeouts::tcp_reset(bench))),
    Probe::new(&["5508-2", "5508-6"], |bench| Box::pin(timeouts::icmp(bench))),
    Probe::new(&["4787-7"], |bench| Box::pin(async move { ports::conflicting_addresses(&bench) })),
    Probe::new(&["4787-10"], |bench| Box::pin(gateways::udp(bench))),
    Probe::new(&["5382-6"], |bench| Box::pin(gateways::tcp(bench))),
    Probe::new(&["4787-12"], |bench| Box::pin(icmp::udp_survives(bench))),
    Probe::new(&["4787-13"], |bench| Box::pin(fragments::oversize(bench))),
    Probe::new(&["4787-14"], |bench| Box::pin(fragments::order(bench))),
    Probe::new(&["7857-10"], |bench| Box::pin(fragments::identifications(bench))),
    Probe::new(&["5382-2"], |bench| Box::pin(tcp::handshakes(bench))),
    Probe::new(&["5382-4"], |bench| Box::pin(tcp::unsolicited(bench))),
    Probe::new(&["5382-9", "5382-10"], |bench| Box::pin(tcp::errors(bench))),
    Probe::new(&["5508-1", "5508-1a"], |bench| Box::pin(icmp::queries(bench))),
    Probe::new(&["5508-3", "5508-4"], |bench| Box::pin(icmp::inbound_errors(bench))),
    Probe::new(&["5508-5"], |bench| Box::pin(icmp::outbound_errors(bench))),
    Probe::new(
        &[
            "959-3.3",
            "959-5.2",
            "2428-2",
            "2428-4",
            "2577-3",
            "2663-7.1",
            "3022-4.4",
            "3027-4.1",
            "4217",
            "6384-5",
            "6384-7-mapping",
            "6384-7-third-party",
        ],
        |bench| Box::pin(ftp::client(bench)),
    ),
    Probe::new(&["1123-4.1.2.6", "2428-3"], |bench| Box::pin(ftp::behind(bench))),
    Probe::new(&["6384-12-forward"], |bench| Box::pin(ftp::forward_waits(bench))),
    Probe::new(&["6384-12-control"], |bench| Box::pin(ftp::control_outlives(bench))),
    Probe {
        fills_the_table: true,
        ..Probe::new(&["5508-8"], |bench| Box::pin(resources::exhaustion(bench)))
    },
];
