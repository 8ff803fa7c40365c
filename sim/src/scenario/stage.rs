//! A scenario's world, built, and its things by name.

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::event::Detail;
use smoltcp::wire::Ipv4Cidr;

use super::contents::contents;
use crate::ftp::{DataSource, Files, ForeignAddress, ServerConfig};
use crate::net::{HostId, Place, RouterId};
use crate::scenario::language::{self, FtpServer, HostSpec};
use crate::scenario::{INTERNET, Scenario, resolve};
use crate::software::Software;
use crate::world::{Backend, World, public};

/// A scenario's world.
pub(crate) struct Stage<'a, B: Backend> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) world: World<B>,
    routers: Vec<(&'a str, RouterId)>,
    hosts: Vec<Placed<'a>>,
}

/// A host that is placed.
pub(crate) struct Placed<'a> {
    pub(crate) name: &'a str,
    pub(crate) id: HostId,
    /// The network it is on; `None`: the public one.
    pub(crate) network: Option<&'a str>,
    pub(crate) address: Ipv4Addr,
    pub(crate) files: Files,
}

impl<'a, B: Backend> Stage<'a, B> {
    pub(crate) fn build(backend: B, scenario: &'a Scenario, seed: u64) -> Result<Self, B::Error> {
        let world = World::new(backend, scenario.internet.clone(), seed);
        let mut stage = Self { scenario, world, routers: Vec::new(), hosts: Vec::new() };
        for name in resolve::routers_from_above(scenario) {
            stage.place_router(name, seed);
        }
        for (name, host) in &scenario.host {
            stage.place_host(name, host)?;
        }
        Ok(stage)
    }

    /// The router of a network; the scenario was checked, so it can be made.
    fn place_router(&mut self, name: &'a str, seed: u64) {
        let Some(network) = self.scenario.network.get(name) else { return };
        let Some(profile) = resolve::profile(&network.router) else { return };
        let Ok(mut config) = resolve::config(self.scenario, name, network) else { return };
        config.seed = seed;
        config.detail = Detail::Packets;
        let place = self.place_of(resolve::upper(&network.router));
        let wire = resolve::router_wire(&network.router);
        let placed = self.world.network_mut().add_router(name, profile, config, place, &wire);
        debug_assert!(placed.is_ok(), "a checked scenario's routers can be made");
        if let Ok(id) = placed {
            self.routers.push((name, id));
        }
    }

    fn place_host(&mut self, name: &'a str, host: &'a HostSpec) -> Result<(), B::Error> {
        let on = host.on.get_ref().as_str();
        let address = *host.address.get_ref();
        let place = self.place_of(on);
        let lan = self.scenario.network.get(on).and_then(|network| resolve::cidr(&network.lan).ok());
        let cidr = lan.map_or_else(|| public(address), |lan| Ipv4Cidr::new(address, lan.prefix_len()));
        let wire = resolve::host_wire(host);
        let id = self.world.add_host(name, cidr, place, &wire)?;
        let files = Files::new();
        if let Some(server) = &host.ftp_server {
            for (file, size) in &server.files {
                files.put(file.as_str(), contents(file, *size));
            }
            if let Some(host) = self.world.host(id) {
                let listens = host.serve(server.port, server_config(server), files.clone());
                debug_assert!(listens, "the only server of a new host finds its port free");
            }
        }
        let network = lan.map(|_| on);
        self.hosts.push(Placed { name, id, network, address, files });
        Ok(())
    }

    fn place_of(&self, network: &str) -> Place {
        self.router(network).map_or(Place::Internet, Place::Behind)
    }

    pub(crate) fn router(&self, network: &str) -> Option<RouterId> {
        self.routers.iter().find(|(name, _)| *name == network).map(|(_, id)| *id)
    }

    pub(crate) fn host(&self, name: &str) -> Option<&Placed<'a>> {
        self.hosts.iter().find(|host| host.name == name)
    }

    /// A network's address on its WAN, as it is now.
    pub(crate) fn wan_of(&self, network: &str) -> Option<Ipv4Addr> {
        Some(self.world.network().config(self.router(network)?)?.wan.address())
    }

    /// Where a client reaches `port` of a server: at the server itself, or at the outermost router between them.
    pub(crate) fn reached_at(&self, client: &str, server: &str, port: u16) -> Option<SocketAddrV4> {
        let (client, server) = (self.host(client)?, self.host(server)?);
        let around_client = resolve::networks_around(self.scenario, client.network.unwrap_or(INTERNET));
        let mut address = server.address;
        for network in resolve::networks_around(self.scenario, server.network.unwrap_or(INTERNET)) {
            if around_client.contains(&network) {
                break;
            }
            address = self.wan_of(network)?;
        }
        Some(SocketAddrV4::new(address, port))
    }

    /// A wire by its name.
    pub(crate) fn wire(&self, name: &str) -> Option<usize> {
        self.world.network().wires().iter().position(|wire| *wire == name)
    }
}

fn server_config(server: &FtpServer) -> ServerConfig {
    let mut config = ServerConfig::default();
    let software = server.software.as_ref().and_then(|name| Software::named(name.get_ref()));
    if let Some(software) = software.and_then(|software| software.server) {
        software.apply(&mut config);
    }
    let foreign = |treatment: language::ForeignAddress| match treatment {
        language::ForeignAddress::Refuse => ForeignAddress::Refuse,
        language::ForeignAddress::Accept => ForeignAddress::Accept,
        language::ForeignAddress::Replace => ForeignAddress::Replace,
        language::ForeignAddress::ReplacePrivate => ForeignAddress::ReplacePrivate,
    };
    let set = |place: &mut _, treatment: Option<_>| {
        if let Some(treatment) = treatment {
            *place = foreign(treatment);
        }
    };
    set(&mut config.foreign_port, server.foreign_port);
    set(&mut config.foreign_passive_peer, server.foreign_passive_peer);
    config.data_source = match server.data_source {
        Some(language::DataSource::Any) => DataSource::Any,
        Some(language::DataSource::BelowControl) => DataSource::BelowControl,
        None => config.data_source,
    };
    config.passive_ports = server.passive_ports.map(|range| range.first..=range.last);
    config.passive_address = server.passive_address;
    config.lacks = server.lacks.clone().unwrap_or(config.lacks);
    config.no_command = server.no_command.map_or(config.no_command, Into::into);
    config.tls = server.tls;
    config.data_delay = server.data_delay.into();
    config.banner = server.banner.clone().unwrap_or(config.banner);
    config.data_timeout = server.data_timeout.map_or(config.data_timeout, Into::into);
    config.idle_timeout = server.idle_timeout.map_or(config.idle_timeout, Into::into);
    config
}
