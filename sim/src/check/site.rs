//! Where the router under test stands, and how far measuring goes.

use std::net::Ipv4Addr;

use smoltcp::time::Duration;
use smoltcp::wire::Ipv4Cidr;

/// The addresses around the router under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    lan: Ipv4Cidr,
    wan: Ipv4Cidr,
    /// The WAN's MTU, in bytes.
    pub wan_mtu: usize,
    /// The largest packet that can be put onto the LAN, in bytes, where that is known.
    pub lan_mtu: Option<usize>,
    /// The LAN host that port 21 of the WAN address leads to, if any.
    pub server: Option<Ipv4Addr>,
}

/// Why no measuring can be done there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// The LAN is too small.
    #[error("a LAN of {0} has too few addresses: the probes are as many hosts as a /24 has")]
    Small(Ipv4Cidr),
    /// The WAN takes no packet that a probe sends.
    #[error("a WAN MTU of {0} bytes is too small: give 576 to 1500")]
    Mtu(usize),
    /// The server is not on the LAN.
    #[error("the server {0} is not on the LAN {1}")]
    Server(Ipv4Addr, Ipv4Cidr),
}

/// How far measuring goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest idle time that a translation is left alone for, in seconds.
    pub longest: u32,
    /// How many translations are made to see what a full table does.
    pub flows: u32,
    /// How long a packet may take through the router.
    pub patience: Duration,
}

/// Hosts in the world are of 198.18.0.0/15, which is for measuring routers (RFC 2544 appendix C.2.2).
const WORLD: u32 = 0xc612_0000;
/// LAN hosts of one probe.
pub(super) const HOSTS: u32 = 4;
/// Ports of one probe, from this one on: no two probes share one, since the router has one address for all of them.
pub(super) const PORTS: u16 = 500;
const FIRST_PORT: u16 = 16_000;

impl Site {
    /// The router's address and subnet on either side.
    pub fn new(lan: Ipv4Cidr, wan: Ipv4Cidr) -> Result<Self, SiteError> {
        if lan.prefix_len() > 24 {
            return Err(SiteError::Small(lan));
        }
        Ok(Self { lan, wan, wan_mtu: 1500, lan_mtu: None, server: None })
    }

    /// With the WAN's MTU.
    pub fn with_wan_mtu(self, mtu: usize) -> Result<Self, SiteError> {
        if (576..=1500).contains(&mtu) { Ok(Self { wan_mtu: mtu, ..self }) } else { Err(SiteError::Mtu(mtu)) }
    }

    /// With an FTP server behind, which port 21 of the WAN address leads to.
    pub fn with_server(self, server: Ipv4Addr) -> Result<Self, SiteError> {
        if self.lan.contains_addr(&server) && server != self.lan.address() {
            Ok(Self { server: Some(server), ..self })
        } else {
            Err(SiteError::Server(server, self.lan))
        }
    }

    /// The router's address on the LAN, and its subnet.
    pub fn lan(&self) -> Ipv4Cidr {
        self.lan
    }

    /// The router's address on the WAN.
    pub fn wan(&self) -> Ipv4Addr {
        self.wan.address()
    }

    /// The router's address on the WAN, and its subnet.
    pub fn wan_subnet(&self) -> Ipv4Cidr {
        self.wan
    }

    /// The LAN host of this number: not the router, not the server.
    pub(super) fn lan_host(&self, number: u32) -> Ipv4Addr {
        let network = u32::from(self.lan.network().address());
        let taken = |address: &Ipv4Addr| *address == self.lan.address() || Some(*address) == self.server;
        // The first addresses are those that routers have.
        let mut free = (network + 2..).map(Ipv4Addr::from).filter(|address| !taken(address));
        free.nth(number as usize).unwrap_or(self.lan.address())
    }

    /// A host of the world, the `number`th of a probe.
    pub(super) fn remote(place: u32, number: u32) -> Ipv4Addr {
        Ipv4Addr::from(WORLD + (place << 8) + 1 + number)
    }

    /// A port of a probe's own.
    pub(super) fn port(place: u32, number: u16) -> u16 {
        FIRST_PORT + u16::try_from(place).unwrap_or_default() * PORTS + number % PORTS
    }
}
