//! Which port of the LAN switch a host was last seen on.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// As many as a home switch's address table holds; a host beyond them is reached on every port.
const LIMIT: usize = 1024;

/// The LAN's subnets, each with the switch ports it is on.
#[derive(Debug)]
pub(crate) struct Stations {
    seen: BTreeMap<Ipv4Addr, u8>,
}

impl Stations {
    pub(crate) fn new() -> Self {
        Self { seen: BTreeMap::new() }
    }

    /// `host` sent something on `port`.
    pub(crate) fn learn(&mut self, host: Ipv4Addr, port: u8) {
        if self.seen.contains_key(&host) || self.seen.len() < LIMIT {
            self.seen.insert(host, port);
        }
    }

    /// The port `host` is on, if it was seen.
    pub(crate) fn port(&self, host: Ipv4Addr) -> Option<u8> {
        self.seen.get(&host).copied()
    }
}
