//! Networks, routers and hosts: whether they can be plugged together as written.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::Range;

use quirknat_router::config::{ConfigError, StaticForward};
use quirknat_router::diagnostic::Diagnostic;
use quirknat_router::profile::Profile;
use smoltcp::wire::Ipv4Cidr;
use toml::Spanned;

use super::place::Part;
use super::{Check, NETWORK};
use crate::scenario::language::{HostSpec, NetworkSpec};
use crate::scenario::resolve::{self, INTERNET, cidr, upper};

/// The most that the built-in client and server take of a file. All that crosses a wire is held in memory.
pub(super) const LARGEST_FILE: usize = 64 << 20;

impl<'a> Check<'a> {
    pub(super) fn topology(&self) -> Result<(), Diagnostic> {
        self.names()?;
        self.plugs()?;
        for (name, network) in &self.scenario.network {
            self.router(name, network)?;
        }
        for (name, host) in &self.scenario.host {
            self.programs_of(name, host)?;
        }
        self.addresses()
    }

    /// Wires, folders and namespaces are called by these names.
    fn names(&self) -> Result<(), Diagnostic> {
        let networks = self.scenario.network.keys().map(|name| ("network", name.as_str()));
        let hosts = self.scenario.host.keys().map(|name| ("host", name.as_str()));
        for (kind, name) in networks.chain(hosts) {
            let path = [Part::Key(kind), Part::Key(name)];
            let usable = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
            if name.is_empty() || !name.chars().all(usable) {
                let message = format!("unusable name `{name}` of a {kind}");
                let help = "a name is one word of letters, digits, `-` and `_`: wires are called by it";
                return Err(self.at_key(&path, message).with_help(help));
            }
            let taken = match name {
                INTERNET => "that is the public one",
                NETWORK => "expectations tell under that word of what wires lose",
                _ => continue,
            };
            if kind == "network" {
                return Err(self.at_key(&path, format!("a network cannot be called `{name}`: {taken}")));
            }
        }
        Ok(())
    }

    /// Every router and host on a network that is there, and no network inside itself.
    fn plugs(&self) -> Result<(), Diagnostic> {
        let routers = self.scenario.network.values().filter_map(|network| network.router.on.as_ref());
        let hosts = self.scenario.host.values().map(|host| &host.on);
        for on in routers.chain(hosts) {
            if on.get_ref() != INTERNET && !self.scenario.network.contains_key(on.get_ref()) {
                return Err(self.unknown(on, "network", &self.networks()));
            }
        }
        for (name, network) in &self.scenario.network {
            let around = resolve::networks_around(self.scenario, name);
            let outermost = around.last().and_then(|name| self.scenario.network.get(*name));
            let Some(on) = &network.router.on else { continue };
            if outermost.is_some_and(|network| upper(&network.router) == name) {
                let circle = around.iter().chain([&name.as_str()]).copied().collect::<Vec<_>>().join(" → ");
                return Err(self
                    .at(on, format!("`{name}` is plugged into itself: {circle}"))
                    .with_help(format!("plug one of them into `{INTERNET}`, by leaving `on` out")));
            }
        }
        Ok(())
    }

    fn router(&self, name: &str, network: &NetworkSpec) -> Result<(), Diagnostic> {
        let profile = self.profile(network)?;
        let config = resolve::config(self.scenario, name, network)
            .map_err(|(span, message)| self.span(span, message))?;
        config.check(&profile).map_err(|error| self.span(place_of(&error, network), error.to_string()))?;
        self.overlap(name, network)
    }

    pub(super) fn profile(&self, network: &NetworkSpec) -> Result<Profile, Diagnostic> {
        let unread = || self.at(&network.router.profile, "the profile has not been read");
        resolve::profile(&network.router).ok_or_else(unread)
    }

    /// A router sends what is for its LAN to its LAN: the part of an outer network that has the same addresses is
    /// never reached from inside.
    fn overlap(&self, name: &str, network: &NetworkSpec) -> Result<(), Diagnostic> {
        let subnet = self.cidr(network)?;
        for around in resolve::networks_around(self.scenario, name).into_iter().skip(1) {
            let Some(outer) = self.scenario.network.get(around) else { continue };
            let other = self.cidr(outer)?;
            let holds = |one: Ipv4Cidr, other: Ipv4Cidr| one.contains_addr(&other.network().address());
            if holds(subnet, other) || holds(other, subnet) {
                let message =
                    format!("LAN {} overlaps {} of `{around}` around it", subnet.network(), other.network());
                return Err(self.at(&network.lan, message).with_help(
                    "from inside, addresses of both are taken for the inner LAN's: choose another subnet",
                ));
            }
        }
        Ok(())
    }

    fn cidr(&self, network: &NetworkSpec) -> Result<Ipv4Cidr, Diagnostic> {
        cidr(&network.lan).map_err(|(span, message)| self.span(span, message))
    }

    /// Every host and WAN at an address of its own, that its network has.
    fn addresses(&self) -> Result<(), Diagnostic> {
        let mut taken = BTreeMap::new();
        taken.insert((INTERNET, self.scenario.internet.address), "the public network itself".to_owned());
        for (name, network) in &self.scenario.network {
            self.take(
                &mut taken,
                upper(&network.router),
                &network.router.wan,
                format!("the router of `{name}`"),
            )?;
        }
        for (name, host) in &self.scenario.host {
            self.take(&mut taken, host.on.get_ref(), &host.address, format!("`{name}`"))?;
        }
        Ok(())
    }

    fn take(
        &self,
        taken: &mut BTreeMap<(&'a str, Ipv4Addr), String>,
        on: &'a str,
        address: &Spanned<Ipv4Addr>,
        whose: String,
    ) -> Result<(), Diagnostic> {
        self.possible(on, address)?;
        match taken.insert((on, *address.get_ref()), whose) {
            Some(other) => {
                Err(self.at(address, format!("{} is taken already, by {other}", address.get_ref())))
            }
            None => Ok(()),
        }
    }

    /// An address that a host or WAN on `on` can have.
    pub(super) fn possible(&self, on: &str, address: &Spanned<Ipv4Addr>) -> Result<(), Diagnostic> {
        let host = *address.get_ref();
        if host.is_unspecified() || host.is_multicast() || host.is_loopback() || host.is_broadcast() {
            return Err(self.at(address, format!("{host} is no address for a host")));
        }
        let Some(network) = self.scenario.network.get(on) else {
            return self.public(address);
        };
        let lan = self.cidr(network)?;
        if !lan.contains_addr(&host) {
            let message = format!("{host} is outside of its network's subnet, {} of `{on}`", lan.network());
            return Err(self.at(address, message));
        }
        if lan.address() == host {
            return Err(self.at(address, format!("{host} is the router's own address in `{on}`")));
        }
        // RFC 3021: a /31 has no network and broadcast address.
        if lan.prefix_len() < 31 && lan.network().address() == host {
            return Err(self.at(address, format!("{host} is the network address of {}", lan.network())));
        }
        if lan.prefix_len() < 31 && lan.broadcast() == Some(host) {
            return Err(self.at(address, format!("{host} is the broadcast address of {}", lan.network())));
        }
        Ok(())
    }

    fn public(&self, address: &Spanned<Ipv4Addr>) -> Result<(), Diagnostic> {
        let host = *address.get_ref();
        if host.is_private() {
            return Err(self
                .at(
                    address,
                    format!("{host} is a private address (RFC 1918), which the internet routes nowhere"),
                )
                .with_help(
                    "choose a public one, as of 192.0.2.0/24, 198.51.100.0/24 or 203.0.113.0/24 (RFC 5737),\n\
                     or say with `on` which network it is in",
                ));
        }
        Ok(())
    }

    fn programs_of(&self, name: &str, host: &HostSpec) -> Result<(), Diagnostic> {
        if let Some(program) = host.program.first() {
            self.needs_namespaces(&program.command)?;
        }
        for (index, program) in host.program.iter().enumerate() {
            if program.command.get_ref().is_empty() {
                return Err(self.at(&program.command, "no program is named"));
            }
            if program.listens == Some(0) {
                let path = [
                    Part::Key("host"),
                    Part::Key(name),
                    Part::Key("program"),
                    Part::Item(index),
                    Part::Key("listens"),
                ];
                return Err(self.at_value(&path, "0 is no port: ports go from 1 to 65535"));
            }
        }
        self.ftp_server_of(name, host)
    }

    fn ftp_server_of(&self, name: &str, host: &HostSpec) -> Result<(), Diagnostic> {
        let Some(server) = &host.ftp_server else { return Ok(()) };
        let path = |last| [Part::Key("host"), Part::Key(name), Part::Key("ftp-server"), Part::Key(last)];
        self.server_software(server, |name| path(name).to_vec())?;
        if server.port == 0 {
            return Err(self.at_value(&path("port"), "0 is no port: ports go from 1 to 65535"));
        }
        if let Some((file, _)) = server.files.iter().find(|(_, size)| **size > LARGEST_FILE) {
            let message = format!("`{file}` is larger than {} MiB", LARGEST_FILE >> 20);
            return Err(self
                .at_value(&path("files"), message)
                .with_help("the built-in client and server take no larger one"));
        }
        let taken = host.program.iter().find(|program| program.listens == Some(server.port));
        match taken {
            Some(program) => Err(self.at(
                &program.command,
                format!("port {} is that of this host's `ftp-server` already", server.port),
            )),
            None => Ok(()),
        }
    }
}

/// Where in a network's text an impossible configuration comes from.
pub(super) fn place_of(error: &ConfigError, network: &NetworkSpec) -> Range<usize> {
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
        ConfigError::TooManyTriggers(..) => router.trigger.last().map(Spanned::span),
        ConfigError::NoDmzHost(_) => dmz,
        ConfigError::LanOverlapsWan(..) => Some(router.wan.span()),
        ConfigError::Address(cidr) if cidr.address() == *router.wan.get_ref() => Some(router.wan.span()),
        _ => None,
    };
    place.unwrap_or_else(|| network.lan.span())
}
