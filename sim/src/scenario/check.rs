//! What the types cannot say: that a scenario's parts fit together. Every fault is shown where it stands.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use quirknat_router::config::{ConfigError, StaticForward};
use quirknat_router::diagnostic::{Diagnostic, help_with_choices};
use toml::Spanned;

use super::language::{FtpStep, NetworkSpec, Scenario, Step};
use super::resolve::{self, INTERNET, cidr};

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

/// Where in a network's text an impossible configuration comes from.
fn place_of(error: &ConfigError, network: &NetworkSpec) -> std::ops::Range<usize> {
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

    fn network(&self, name: &str, network: &NetworkSpec) -> Result<(), Diagnostic> {
        let profile =
            self.scenario.profile_of(network).map_err(|message| self.at(&network.router.profile, message))?;
        let config = resolve::config(self.scenario, name, network)
            .map_err(|(span, message)| self.whole(message).at(span))?;
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

    fn inside(&self, network: &NetworkSpec, address: &Spanned<Ipv4Addr>) -> Result<(), Diagnostic> {
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
        self.scenario.step.iter().try_for_each(|step| self.step(step))
    }

    fn step(&self, step: &Step) -> Result<(), Diagnostic> {
        if let Some(ftp) = &step.ftp {
            self.ftp(ftp.get_ref())?;
        }
        Ok(())
    }

    fn ftp(&self, step: &FtpStep) -> Result<(), Diagnostic> {
        let hosts = || self.scenario.host.keys().map(String::as_str).collect::<Vec<_>>();
        let (client, server) = (&step.client, &step.server);
        if !self.scenario.host.contains_key(client.get_ref()) {
            return Err(self.unknown(client, "host", &hosts()));
        }
        let Some(host) = self.scenario.host.get(server.get_ref()) else {
            return Err(self.unknown(server, "host", &hosts()));
        };
        let Some(ftp) = &host.ftp_server else {
            return Err(self.at(server, format!("`{}` has no ftp-server", server.get_ref())));
        };
        if let Some(file) = step.get.as_ref().filter(|file| !ftp.files.contains_key(file.get_ref())) {
            let files: Vec<&str> = ftp.files.keys().map(String::as_str).collect();
            return Err(self.unknown(file, "file", &files));
        }
        if let (Some(file), Some(_)) = (&step.get, &step.put) {
            return Err(self.at(file, "a session has one transfer: get or put".to_owned()));
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
