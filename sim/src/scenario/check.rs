//! What the types cannot say: that a scenario's parts fit together. Every fault is shown where it stands.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use quirknat_router::config::{Config, ConfigError, StaticForward};
use quirknat_router::diagnostic::{Diagnostic, help_with_choices};
use quirknat_router::profile::Profile;
use smoltcp::wire::Ipv4Cidr;
use toml::Spanned;

use super::{Network, Scenario};

/// The word for the public network, where another network's name could stand.
pub(super) const INTERNET: &str = "internet";

/// Finds the first fault.
pub(super) fn check(scenario: &Scenario, file_name: &str, text: &str) -> Result<(), Diagnostic> {
    let check = Check { scenario, file_name, text };
    if scenario.network.contains_key(INTERNET) {
        return Err(check.whole(format!("a network cannot be called `{INTERNET}`: that is the public one")));
    }
    for (name, network) in &scenario.network {
        check.network(name, network)?;
    }
    check.addresses()?;
    check.steps()
}

/// The profile of a network's router.
pub(super) fn profile(scenario: &Scenario, network: &Network) -> Result<Profile, String> {
    let name = network.router.profile.get_ref();
    let beside = scenario.folder.join(name);
    let profile = if beside.is_file() { Profile::from_file(&beside) } else { Profile::resolve(name) };
    profile.map_err(|error| error.to_string())
}

/// The configuration of a network's router with `ports` LAN ports.
pub(super) fn config(network: &Network, ports: usize) -> Result<Config, (std::ops::Range<usize>, String)> {
    let lan = cidr(&network.lan)?;
    let wan = Ipv4Cidr::new(*network.router.wan.get_ref(), 32);
    let mut config = Config::new(vec![lan; ports.max(1)], wan);
    for forward in &network.router.forward {
        let parsed: Result<StaticForward, _> = forward.get_ref().parse();
        config.forwards.push(parsed.map_err(|error| (forward.span(), error.to_string()))?);
    }
    config.dmz_host = network.router.dmz.as_ref().map(|host| *host.get_ref());
    Ok(config)
}

fn cidr(text: &Spanned<String>) -> Result<Ipv4Cidr, (std::ops::Range<usize>, String)> {
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

/// Where in a network's text an impossible configuration comes from.
fn place_of(error: &ConfigError, network: &Network) -> std::ops::Range<usize> {
    let router = &network.router;
    let forward = |leads: &dyn Fn(&StaticForward) -> bool| {
        let parsed = |text: &&Spanned<String>| text.get_ref().parse().is_ok_and(|forward| leads(&forward));
        router.forward.iter().rev().find(parsed).map(Spanned::span)
    };
    let dmz = router.dmz.as_ref().map(Spanned::span);
    let place = match error {
        ConfigError::TargetNotOnLan(host) | ConfigError::TargetIsRouter(host) => {
            forward(&|forward| forward.target.ip() == host).or(dmz)
        }
        ConfigError::ForwardsOverlap(_, second) => forward(&|forward| forward == second),
        ConfigError::TooManyForwards(..) => forward(&|_| true),
        ConfigError::NoDmzHost(_) => dmz,
        ConfigError::LanOverlapsWan(..) => Some(router.wan.span()),
        ConfigError::Address(cidr) if cidr.address() == *router.wan.get_ref() => Some(router.wan.span()),
        _ => None,
    };
    place.unwrap_or_else(|| network.lan.span())
}

struct Check<'a> {
    scenario: &'a Scenario,
    file_name: &'a str,
    text: &'a str,
}

impl Check<'_> {
    fn whole(&self, message: String) -> Diagnostic {
        Diagnostic::new(self.file_name, self.text, message)
    }

    fn at<T>(&self, place: &Spanned<T>, message: String) -> Diagnostic {
        self.whole(message).at(place.span())
    }

    fn network(&self, name: &str, network: &Network) -> Result<(), Diagnostic> {
        let profile =
            profile(self.scenario, network).map_err(|message| self.at(&network.router.profile, message))?;
        let ports = self.scenario.host.values().filter(|host| host.on.get_ref() == name).count();
        let config = config(network, ports).map_err(|(span, message)| self.whole(message).at(span))?;
        config.check(&profile).map_err(|error| self.whole(error.to_string()).at(place_of(&error, network)))
    }

    /// Every host on a network that is there, at an address of its own inside that network's subnet.
    fn addresses(&self) -> Result<(), Diagnostic> {
        let mut taken: BTreeMap<(&str, Ipv4Addr), String> = BTreeMap::new();
        for (name, network) in &self.scenario.network {
            let wan = &network.router.wan;
            if let Some(other) = taken.insert((INTERNET, *wan.get_ref()), format!("the router of `{name}`")) {
                return Err(self.at(wan, format!("{} is {other}'s address already", wan.get_ref())));
            }
        }
        for (name, host) in &self.scenario.host {
            let (on, address) = (host.on.get_ref().as_str(), *host.address.get_ref());
            match self.scenario.network.get(on) {
                Some(network) => self.inside(network, &host.address)?,
                None if on == INTERNET => {}
                None => return Err(self.unknown(&host.on, "network", &self.networks())),
            }
            if let Some(other) = taken.insert((on, address), format!("`{name}`")) {
                return Err(self.at(&host.address, format!("{address} is {other}'s address already")));
            }
        }
        Ok(())
    }

    fn inside(&self, network: &Network, address: &Spanned<Ipv4Addr>) -> Result<(), Diagnostic> {
        let lan = cidr(&network.lan).map_err(|(span, message)| self.whole(message).at(span))?;
        let host = *address.get_ref();
        if !lan.contains_addr(&host) {
            return Err(self.at(address, format!("{host} is outside of its network's subnet {lan}")));
        }
        if lan.address() == host {
            return Err(self.at(address, format!("{host} is the router's own address")));
        }
        Ok(())
    }

    fn steps(&self) -> Result<(), Diagnostic> {
        if self.scenario.step.is_empty() {
            return Err(self.whole("a scenario needs at least one [[step]]".to_owned()));
        }
        for step in &self.scenario.step {
            let hosts = || self.scenario.host.keys().map(String::as_str).collect::<Vec<_>>();
            let (client, server) = (&step.ftp.client, &step.ftp.server);
            if !self.scenario.host.contains_key(client.get_ref()) {
                return Err(self.unknown(client, "host", &hosts()));
            }
            let Some(host) = self.scenario.host.get(server.get_ref()) else {
                return Err(self.unknown(server, "host", &hosts()));
            };
            let Some(ftp) = &host.ftp_server else {
                return Err(self.at(server, format!("`{}` has no ftp-server", server.get_ref())));
            };
            if let Some(file) = step.ftp.get.as_ref().filter(|file| !ftp.files.contains_key(file.get_ref())) {
                return Err(self.unknown(
                    file,
                    "file",
                    &ftp.files.keys().map(String::as_str).collect::<Vec<_>>(),
                ));
            }
            if let (Some(file), Some(_)) = (&step.ftp.get, &step.ftp.put) {
                return Err(self.at(file, "a session has one transfer: get or put".to_owned()));
            }
        }
        Ok(())
    }

    fn unknown(&self, word: &Spanned<String>, what: &str, known: &[&str]) -> Diagnostic {
        let help = help_with_choices(word.get_ref(), &format!("{what}s there are:"), known);
        self.at(word, format!("unknown {what} `{}`", word.get_ref())).with_help(help)
    }

    fn networks(&self) -> Vec<&str> {
        self.scenario.network.keys().map(String::as_str).chain([INTERNET]).collect()
    }
}
