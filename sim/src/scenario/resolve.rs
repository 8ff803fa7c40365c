//! What a scenario's words stand for: addresses, profiles, configurations, and which network is behind which.

use std::collections::BTreeMap;
use std::ops::Range;

use quirknat_router::config::{Config, ForwardSyntax, StaticForward};
use quirknat_router::profile::Profile;
use smoltcp::wire::Ipv4Cidr;

use super::Scenario;
use super::language::{FtpStep, HostSpec, LinkChange, NetworkSpec, RouterSpec, Text};
use crate::net::WireSpec;
use crate::net::units::{Mtu, TimeSpan};

/// The word for the public network, where another network's name could stand.
pub(super) const INTERNET: &str = "internet";

/// What is wrong, and where.
pub(super) type Fault = (Range<usize>, String);

/// What a router's WAN is plugged into.
pub(super) fn upper(router: &RouterSpec) -> &str {
    router.on.as_ref().map_or(INTERNET, |on| on.get_ref())
}

/// The networks from `network` outwards, the public one left out. Ends where a network is unknown or comes again.
pub(super) fn networks_around<'a>(scenario: &'a Scenario, network: &'a str) -> Vec<&'a str> {
    let mut around: Vec<&str> = Vec::new();
    let mut next = network;
    while let Some(spec) = scenario.network.get(next)
        && !around.contains(&next)
    {
        around.push(next);
        next = upper(&spec.router);
    }
    around
}

/// The networks, each after the one its router is plugged into.
pub(super) fn routers_from_above(scenario: &Scenario) -> Vec<&str> {
    let mut names: Vec<&str> = scenario.network.keys().map(String::as_str).collect();
    names.sort_by_key(|name| networks_around(scenario, name).len());
    names
}

/// An address with its prefix length.
pub(super) fn cidr(text: &Text) -> Result<Ipv4Cidr, Fault> {
    let parsed = text.get_ref().split_once('/').and_then(|(address, prefix)| {
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= 32)?;
        Some(Ipv4Cidr::new(address.parse().ok()?, prefix))
    });
    parsed.ok_or_else(|| {
        let message = format!(
            "`{}` is not the router's address with its prefix length, as in 192.168.1.1/24",
            text.get_ref()
        );
        (text.span(), message)
    })
}

/// A router's profile, once it has been read.
pub(super) fn profile(router: &RouterSpec) -> Option<Profile> {
    router.resolved.as_deref().cloned()
}

/// How a network's router is set up.
pub(super) fn config(scenario: &Scenario, name: &str, network: &NetworkSpec) -> Result<Config, Fault> {
    let lan = cidr(&network.lan)?;
    let hosts = scenario.host.values().filter(|host| host.on.get_ref() == name).count();
    let routers = scenario.network.values().filter(|network| upper(&network.router) == name).count();
    let wan = Ipv4Cidr::new(*network.router.wan.get_ref(), 32);
    let mut config = Config::new(vec![lan; (hosts + routers).max(1)], wan);
    for forward in &network.router.forward {
        let parsed: Result<StaticForward, _> = forward.get_ref().parse();
        config.forwards.push(parsed.map_err(|error| (forward.span(), error.to_string()))?);
    }
    for trigger in &network.router.trigger {
        let parsed = trigger.get_ref().parse();
        config.triggers.push(parsed.map_err(|error: ForwardSyntax| (trigger.span(), error.to_string()))?);
    }
    config.dmz_host = network.router.dmz.as_ref().map(|host| *host.get_ref());
    if let Some(mtu) = network.router.uplink.mtu.or(network.router.link.mtu) {
        config.wan_mtu = usize::from(mtu.bytes());
    }
    if let Some(mtu) = lan_mtu(scenario, name) {
        config.lan_mtu = usize::from(mtu);
    }
    Ok(config)
}

/// The smallest MTU on a LAN's wires, if one is stated.
fn lan_mtu(scenario: &Scenario, name: &str) -> Option<u16> {
    let hosts = scenario.host.values().filter(|host| host.on.get_ref() == name).map(host_wire);
    let routers = scenario.network.values().map(|network| &network.router);
    let routers = routers.filter(|router| upper(router) == name).map(router_wire);
    hosts.chain(routers).flat_map(|wire| [wire.up.mtu, wire.down.mtu]).flatten().map(Mtu::bytes).min()
}

/// Every wire by its name, as it is at first.
pub(super) fn wires(scenario: &Scenario) -> BTreeMap<String, WireSpec> {
    let routers = scenario.network.iter();
    let routers = routers.map(|(name, network)| (format!("{name}.wan"), router_wire(&network.router)));
    let hosts = scenario.host.iter().map(|(name, host)| {
        let on = host.on.get_ref().as_str();
        let wire = if on == INTERNET { format!("{on}.{name}") } else { format!("{on}.lan.{name}") };
        (wire, host_wire(host))
    });
    routers.chain(hosts).collect()
}

/// A router's wire; on the public network or in another's LAN.
pub(super) fn router_wire(router: &RouterSpec) -> WireSpec {
    wire(upper(router), [&router.link, &router.uplink, &router.downlink])
}

/// A host's wire.
pub(super) fn host_wire(host: &HostSpec) -> WireSpec {
    wire(host.on.get_ref(), [&host.link, &host.uplink, &host.downlink])
}

fn wire(on: &str, [both, up, down]: [&LinkChange; 3]) -> WireSpec {
    /// A home's cable and switch.
    const LAN_DELAY: u64 = 100;
    /// From an access link to the middle of the public network.
    const INTERNET_DELAY: u64 = 5000;
    let delay = if on == INTERNET { INTERNET_DELAY } else { LAN_DELAY };
    let mut spec = WireSpec::default();
    for (direction, own) in [(&mut spec.up, up), (&mut spec.down, down)] {
        direction.delay = TimeSpan::from_micros(delay);
        both.apply(direction);
        own.apply(direction);
    }
    spec
}

impl Scenario {
    /// The port that an FTP step dials.
    pub(super) fn server_port(&self, step: &FtpStep) -> Option<u16> {
        let own = || Some(self.host.get(step.server.get_ref())?.ftp_server.as_ref()?.port);
        step.port.or_else(own)
    }
}
