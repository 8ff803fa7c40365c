//! Where a router stands: its interfaces' addresses, and the forwards its user has set up.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::wire::Ipv4Cidr;

use crate::event::Detail;
use crate::packet::Protocol;
use crate::profile::{PortRange, Profile};

/// What a router is told besides its profile.
#[derive(Debug, Clone)]
pub struct Config {
    /// The router's address and subnet on each LAN port. Ports with the same one are ports of one switch.
    pub lan: Vec<Ipv4Cidr>,
    /// The router's address and subnet on the WAN.
    pub wan: Ipv4Cidr,
    /// The largest packet the LAN's links take, in bytes.
    pub lan_mtu: usize,
    /// The largest packet the WAN's link takes, in bytes: 1500, or less behind PPPoE (RFC 2516 §7: 1492).
    pub wan_mtu: usize,
    /// The user's forwards.
    pub forwards: Vec<StaticForward>,
    /// The user's triggers.
    pub triggers: Vec<PortTrigger>,
    /// The host that gets what nothing else wants.
    pub dmz_host: Option<Ipv4Addr>,
    /// Seeds the tables' hash functions and what the router draws at random.
    pub seed: u64,
    /// How much the router tells.
    pub detail: Detail,
}

impl Config {
    /// A router without forwards, on links of 1500 bytes.
    pub fn new(lan: Vec<Ipv4Cidr>, wan: Ipv4Cidr) -> Self {
        Self {
            lan,
            wan,
            lan_mtu: 1500,
            wan_mtu: 1500,
            forwards: Vec::new(),
            triggers: Vec::new(),
            dmz_host: None,
            seed: 0,
            detail: Detail::default(),
        }
    }

    /// Finds what no router could be set to.
    pub fn check(&self, profile: &Profile) -> Result<(), ConfigError> {
        if self.lan.is_empty() || self.lan.len() > usize::from(u8::MAX) {
            return Err(ConfigError::LanPorts(self.lan.len()));
        }
        if let Some(mtu) = [self.lan_mtu, self.wan_mtu].into_iter().find(|mtu| *mtu < LEAST_MTU) {
            return Err(ConfigError::Mtu(mtu));
        }
        for cidr in self.lan.iter().chain([&self.wan]) {
            check_address(*cidr)?;
        }
        for (index, cidr) in self.lan.iter().enumerate() {
            if overlap(*cidr, self.wan) {
                return Err(ConfigError::LanOverlapsWan(*cidr, self.wan));
            }
            for other in self.lan.iter().take(index) {
                if overlap(*cidr, *other) && cidr != other {
                    return Err(ConfigError::LanOverlapsLan(*other, *cidr));
                }
            }
        }
        self.check_forwards(profile)
    }

    fn check_forwards(&self, profile: &Profile) -> Result<(), ConfigError> {
        let entries = *profile.forwards.entries;
        if u32::try_from(self.forwards.len()).map_or(true, |count| count > entries) {
            return Err(ConfigError::TooManyForwards(self.forwards.len(), entries));
        }
        let triggers = *profile.forwards.triggers;
        if u32::try_from(self.triggers.len()).map_or(true, |count| count > triggers) {
            return Err(ConfigError::TooManyTriggers(self.triggers.len(), triggers));
        }
        for (index, forward) in self.forwards.iter().enumerate() {
            self.check_inside(*forward.target.ip())?;
            if let Some(other) = self.forwards.iter().take(index).find(|other| other.overlaps(forward)) {
                return Err(ConfigError::ForwardsOverlap(*other, *forward));
            }
        }
        match self.dmz_host {
            Some(_) if !*profile.forwards.dmz_host => Err(ConfigError::NoDmzHost(profile.name.clone())),
            Some(host) => self.check_inside(host),
            None => Ok(()),
        }
    }

    fn check_inside(&self, host: Ipv4Addr) -> Result<(), ConfigError> {
        if self.lan.iter().any(|cidr| cidr.address() == host) {
            return Err(ConfigError::TargetIsRouter(host));
        }
        if !self.lan.iter().any(|cidr| cidr.contains_addr(&host)) {
            return Err(ConfigError::TargetNotOnLan(host));
        }
        Ok(())
    }
}

/// One entry of the user's forwarding table: a port or a range of ports to one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaticForward {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The ports on the WAN.
    pub ports: PortRange,
    /// The host, and its port for the range's first; the others follow in step.
    pub target: SocketAddrV4,
}

impl StaticForward {
    /// Where it leads a packet to `port`, if it is for it.
    pub fn target(&self, protocol: Protocol, port: u16) -> Option<SocketAddrV4> {
        if self.protocol != protocol || !self.ports.contains(port) {
            return None;
        }
        let target_port = self.target.port().checked_add(port.checked_sub(self.ports.first)?)?;
        Some(SocketAddrV4::new(*self.target.ip(), target_port))
    }

    /// The port from which it leads to `target`, if it does.
    pub(crate) fn port_towards(&self, protocol: Protocol, target: SocketAddrV4) -> Option<u16> {
        if self.protocol != protocol || self.target.ip() != target.ip() {
            return None;
        }
        let offset = target.port().checked_sub(self.target.port())?;
        self.ports.first.checked_add(offset).filter(|port| self.ports.contains(*port))
    }

    /// Whether a port is for both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.protocol == other.protocol
            && self.ports.first <= other.ports.last
            && other.ports.first <= self.ports.last
    }
}

impl fmt::Display for StaticForward {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if self.protocol == Protocol::Tcp { "tcp" } else { "udp" };
        if self.ports.first == self.ports.last {
            write!(formatter, "{protocol}/{}={}", self.ports.first, self.target)
        } else {
            write!(formatter, "{protocol}/{}={}", self.ports, self.target)
        }
    }
}

/// Ports that open for a LAN host which sends to certain others, written `tcp/6667=tcp/113`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortTrigger {
    /// What is sent: TCP or UDP.
    pub protocol: Protocol,
    /// The ports it is sent to.
    pub ports: PortRange,
    /// What opens: TCP or UDP.
    pub opens_protocol: Protocol,
    /// The ports of the WAN address that open; they lead to the host's ports of the same numbers.
    pub opens: PortRange,
}

impl fmt::Display for PortTrigger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, ports, opens_protocol, opens } = self;
        write!(formatter, "{protocol}/{ports}={opens_protocol}/{opens}")
    }
}

impl std::str::FromStr for PortTrigger {
    type Err = ForwardSyntax;

    fn from_str(text: &str) -> Result<Self, ForwardSyntax> {
        let (left, right) =
            text.split_once('=').ok_or_else(|| ForwardSyntax::TriggerForm(text.to_owned()))?;
        let side = |side: &str| {
            let form = || ForwardSyntax::TriggerForm(text.to_owned());
            let (protocol, ports) = side.split_once('/').ok_or_else(form)?;
            Ok((read_protocol(protocol)?, read_ports(ports)?))
        };
        let ((protocol, ports), (opens_protocol, opens)) = (side(left)?, side(right)?);
        Ok(Self { protocol, ports, opens_protocol, opens })
    }
}

/// A forward or trigger that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForwardSyntax {
    /// It is not of the form.
    #[error("`{0}` is not a forward: write PROTO/PORT[-PORT]=IP[:PORT], as in tcp/21=192.168.1.100")]
    Form(String),
    /// A trigger is not of the form.
    #[error("`{0}` is not a trigger: write PROTO/PORT[-PORT]=PROTO/PORT[-PORT], as in tcp/6667=tcp/113")]
    TriggerForm(String),
    /// Its protocol is not forwarded.
    #[error("`{0}` cannot be forwarded: the protocol is tcp or udp")]
    Protocol(String),
    /// A port is no port.
    #[error("`{0}` is not a port or a range of ports: write 1 to 65535, the lower first")]
    Ports(String),
    /// The address is none.
    #[error("`{0}` is not an IPv4 address, or one with a port")]
    Target(String),
    /// The target's ports run past the last one.
    #[error("`{0}`: the target's ports run past 65535")]
    TargetPorts(String),
}

impl std::str::FromStr for StaticForward {
    type Err = ForwardSyntax;

    fn from_str(text: &str) -> Result<Self, ForwardSyntax> {
        let form = || ForwardSyntax::Form(text.to_owned());
        let (left, right) = text.split_once('=').ok_or_else(form)?;
        let (protocol, ports) = left.split_once('/').ok_or_else(form)?;
        let (protocol, ports) = (read_protocol(protocol)?, read_ports(ports)?);
        let target = match (right.parse::<SocketAddrV4>(), right.parse::<Ipv4Addr>()) {
            (Ok(target), _) if target.port() > 0 => target,
            (_, Ok(host)) => SocketAddrV4::new(host, ports.first),
            _ => return Err(ForwardSyntax::Target(right.to_owned())),
        };
        let span = ports.last.saturating_sub(ports.first);
        if target.port().checked_add(span).is_none() {
            return Err(ForwardSyntax::TargetPorts(text.to_owned()));
        }
        Ok(Self { protocol, ports, target })
    }
}

fn read_protocol(text: &str) -> Result<Protocol, ForwardSyntax> {
    match text.to_ascii_lowercase().as_str() {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        _ => Err(ForwardSyntax::Protocol(text.to_owned())),
    }
}

fn read_ports(text: &str) -> Result<PortRange, ForwardSyntax> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if 0 < first && first <= last => Ok(PortRange { first, last }),
        _ => Err(ForwardSyntax::Ports(text.to_owned())),
    }
}

/// Every link takes 68 bytes (RFC 791 §3.2).
const LEAST_MTU: usize = 68;

/// What no router could be set to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no LAN port, or too many.
    #[error("a router has 1 to 255 LAN ports, not {0}")]
    LanPorts(usize),
    /// A link that takes less than any link does.
    #[error("an MTU of {0} bytes is too small: every link takes {LEAST_MTU}")]
    Mtu(usize),
    /// An address that no host can have.
    #[error("{0} is no address for a router: choose a host's address inside the subnet")]
    Address(Ipv4Cidr),
    /// LAN and WAN share addresses.
    #[error("LAN {0} and WAN {1} overlap: choose subnets that share no address")]
    LanOverlapsWan(Ipv4Cidr, Ipv4Cidr),
    /// Two LAN subnets share addresses and are not the same.
    #[error(
        "LAN {0} and LAN {1} overlap: choose subnets that share no address, or give both ports the same address \
         and subnet to make them ports of one switch"
    )]
    LanOverlapsLan(Ipv4Cidr, Ipv4Cidr),
    /// More forwards than the router has entries.
    #[error("{0} forwards, and this router has {1} entries")]
    TooManyForwards(usize, u32),
    /// More triggers than the router has entries for.
    #[error("{0} triggers, and this router has {1} entries for them")]
    TooManyTriggers(usize, u32),
    /// Two forwards for one port.
    #[error("forwards {0} and {1} overlap: one port can lead to one host only")]
    ForwardsOverlap(StaticForward, StaticForward),
    /// The router has no DMZ host.
    #[error("profile {0} has no DMZ host")]
    NoDmzHost(String),
    /// A target that no LAN subnet holds.
    #[error("{0} is on no LAN of this router: forward to a LAN host")]
    TargetNotOnLan(Ipv4Addr),
    /// A target that is the router.
    #[error("{0} is the router itself: forward to a LAN host")]
    TargetIsRouter(Ipv4Addr),
}

fn overlap(one: Ipv4Cidr, other: Ipv4Cidr) -> bool {
    one.contains_addr(&other.address()) || other.contains_addr(&one.address()) || {
        one.contains_addr(&other.network().address()) || other.contains_addr(&one.network().address())
    }
}

fn check_address(cidr: Ipv4Cidr) -> Result<(), ConfigError> {
    let address = cidr.address();
    // RFC 3021: a /31 has no network and broadcast address, and a /32 is its host.
    let reserved =
        cidr.prefix_len() < 31 && (cidr.network().address() == address || cidr.broadcast() == Some(address));
    let impossible = address.is_unspecified()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_loopback()
        || cidr.prefix_len() == 0;
    if reserved || impossible { Err(ConfigError::Address(cidr)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(text: &str) -> Result<StaticForward, ForwardSyntax> {
        text.parse()
    }

    #[test]
    fn forwards_are_read_and_lead_in_step() {
        let one = forward("tcp/21=192.168.1.100").unwrap();
        assert_eq!(one.target(Protocol::Tcp, 21), Some("192.168.1.100:21".parse().unwrap()));
        assert_eq!(one.target(Protocol::Udp, 21), None);
        let range = forward("udp/5000-5010=192.168.1.100:6000").unwrap();
        assert_eq!(range.target(Protocol::Udp, 5003), Some("192.168.1.100:6003".parse().unwrap()));
        assert_eq!(range.to_string(), "udp/5000-5010=192.168.1.100:6000");
    }

    #[test]
    fn a_wrong_forward_says_what_is_wrong_with_it() {
        for (text, words) in [
            ("21=192.168.1.100", "is not a forward"),
            ("tcp/21", "is not a forward"),
            ("sctp/21=192.168.1.100", "tcp or udp"),
            ("tcp/0=192.168.1.100", "not a port"),
            ("tcp/30-20=192.168.1.100", "not a port"),
            ("tcp/21=192.168.1", "not an IPv4 address"),
            ("tcp/1-1000=192.168.1.100:65000", "past 65535"),
        ] {
            let error = forward(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
