//! What a scenario's words stand for: addresses, profiles, configurations, and which network is behind which.

use std::ops::Range;

use quirknat_router::config::{Config, StaticForward};
use quirknat_router::profile::Profile;
use smoltcp::wire::Ipv4Cidr;

use super::Scenario;
use super::language::{FtpStep, NetworkSpec, RouterSpec, Text};

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
        let prefix: u8 = prefix.parse().ok()?;
        (prefix <= 32).then_some(Ipv4Cidr::new(address.parse().ok()?, prefix))
    });
    parsed.ok_or_else(|| {
        let message = format!(
            "`{}` is not the router's address with its prefix length, as in 192.168.1.1/24",
            text.get_ref()
        );
        (text.span(), message)
    })
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
    config.dmz_host = network.router.dmz.as_ref().map(|host| *host.get_ref());
    if let Some(mtu) = network.router.uplink.mtu.or(network.router.link.mtu) {
        config.wan_mtu = usize::from(mtu.bytes());
    }
    Ok(config)
}

impl Scenario {
    /// The profile of a network's router.
    pub(super) fn profile_of(&self, network: &NetworkSpec) -> Result<Profile, String> {
        let name = network.router.profile.get_ref();
        let beside = self.folder.join(name);
        let profile = if beside.is_file() { Profile::from_file(&beside) } else { Profile::resolve(name) };
        profile.map_err(|error| error.to_string())
    }

    /// The port that an FTP step dials.
    pub(super) fn server_port(&self, step: &FtpStep) -> Option<u16> {
        let own = || Some(self.host.get(step.server.get_ref())?.ftp_server.as_ref()?.port);
        step.port.or_else(own)
    }
}
