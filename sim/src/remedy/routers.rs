//! What the owners of routers can do.

use quirknat_router::alg::{AllowedPeer, Command, DataPortConflict, Oversize, ThirdParty};
use quirknat_router::profile::{Hairpinning, PortRange, Profile};

use super::change::{RANGE, Try, forward, ports_text};
use super::{Failed, Measure, Who};
use crate::cause::Cause;
use crate::scenario::language::Mode;

impl Failed<'_> {
    /// The ports of the data connection are forwarded to who listens on them.
    pub(super) fn forwarded(&self) -> Vec<Option<Try>> {
        let Some(step) = self.step() else { return Vec::new() };
        let by = (Measure::Forward, Who::Router);
        let to_client = self.client_address().and_then(|target| {
            let networks = self.around_client();
            let own = step.data_port.or(step.source_port.filter(|_| step.mode == Some(Mode::NoCommand)));
            let ports = own.map(|port| PortRange { first: port, last: port }).or(step.data_ports)?;
            let text = format!("forward {} to {target}", ports_text(ports));
            self.try_it(by, text, |scenario| {
                if networks.is_empty() {
                    return None;
                }
                forward(scenario, &networks, ports, (target, ports.first))
            })
        });
        let to_server = self.server_address().and_then(|target| {
            let networks = self.around_server();
            let own = self.server()?.passive_ports;
            let ports = own.unwrap_or(RANGE);
            let listens = if own.is_some() {
                String::new()
            } else {
                format!(", and have the server listen on {ports}")
            };
            let text = format!("forward {} to {target}{listens}", ports_text(ports));
            let who = if own.is_some() { Who::Router } else { Who::ServerAndRouter };
            self.try_it((Measure::Forward, who), text, |scenario| {
                if networks.is_empty() {
                    return None;
                }
                self.server_mut(scenario)?.passive_ports = Some(ports);
                forward(scenario, &networks, ports, (target, ports.first))
            })
        });
        vec![to_client, to_server]
    }

    /// Gateways that would have done it.
    pub(super) fn taught_gateways(&self) -> Vec<Option<Try>> {
        let (client, server) = (self.around_client(), self.around_server());
        let mut tries = vec![self.gateway_sees(&client, &server)];
        tries.extend(client.iter().chain(&server).map(|network| self.gateway_set(network)));
        tries
    }

    /// The gateway of the announcing end watches the control port and rewrites the command.
    fn gateway_sees(&self, client: &[String], server: &[String]) -> Option<Try> {
        let port = self.control_port()?;
        let (networks, command) = match self.found.details.command.as_deref()? {
            "PORT" => (client, Command::Port),
            "EPRT" => (client, Command::Eprt),
            "EPSV" | "229" => (server, Command::Reply229),
            _ => (server, Command::Reply227),
        };
        let profile = self.scenario.network.get(networks.first()?)?.router.profile()?;
        let knows_command = profile.alg.ftp.commands.contains(&command);
        let watches = profile.alg.ftp.control_ports.contains(&port);
        let names = networks.join(" and ");
        let has_gateway = !profile.alg.ftp.control_ports.is_empty();
        let text = match (watches, knows_command) {
            (true, true) => return None,
            (false, true) if has_gateway => format!("have the gateway of {names} watch port {port} too"),
            (true, false) => format!("use a router at {names} whose gateway rewrites {}", command.keyword()),
            (false, _) => format!(
                "use a router at {names} whose gateway watches port {port} and rewrites {}",
                command.keyword()
            ),
        };
        self.try_it((Measure::TeachGateway, Who::Router), text, |scenario| {
            for network in networks {
                let ftp = &mut scenario.router_mut(network)?.profile_mut()?.alg.ftp;
                if !ftp.control_ports.contains(&port) {
                    ftp.control_ports.value.push(port);
                }
                if !ftp.commands.contains(&command) {
                    ftp.commands.value.push(command);
                }
            }
            Some(())
        })
    }

    /// The one setting of a gateway that the cause has to do with.
    fn gateway_set(&self, network: &str) -> Option<Try> {
        let (text, set): (&str, fn(&mut Profile)) = match self.cause() {
            Cause::ThirdPartyAnnouncement | Cause::AnnouncementDropped => {
                ("take the sender's address for any that is announced", |profile| {
                    profile.alg.ftp.third_party.value = ThirdParty::UseSender;
                })
            }
            Cause::DataPortTaken => ("take another port where the announced one is taken", |profile| {
                profile.alg.ftp.data_port_conflict.value = DataPortConflict::Allocated;
            }),
            Cause::RewriteExceedsMtu | Cause::PathMtu => {
                ("cut a rewritten segment that is too long", |profile| {
                    profile.alg.ftp.oversize.value = Oversize::Truncate;
                })
            }
            Cause::ForwardExpired => ("keep its forwards for 300 s", |profile| {
                profile.alg.ftp.forward_lifetime.value = 300;
            }),
            Cause::ForwardForAnotherPeer => ("open its forwards to any port of the server", |profile| {
                profile.alg.ftp.forward_allowed_peer.value = AllowedPeer::Peer;
            }),
            Cause::ForwardUsedUp => ("let a forward take more than one connection", |profile| {
                profile.alg.ftp.forward_connections.value = 0;
            }),
            _ => return None,
        };
        let text = format!("have the gateway of {network} {text}");
        self.try_it((Measure::TeachGateway, Who::Router), text, |scenario| {
            set(scenario.router_mut(network)?.profile_mut()?);
            Some(())
        })
    }

    /// More room, and more ports.
    pub(super) fn larger_tables(&self) -> Vec<Option<Try>> {
        self.at_each_router(|network, profile| {
            let by_ports = matches!(self.cause(), Cause::NoPortLeft);
            if by_ports {
                profile.ports.range.value = PortRange { first: 1024, last: 65_535 };
                Some(format!("use a router at {network} that maps to any port from 1024 to 65535"))
            } else {
                let larger = 2048.max(profile.table.translations.value.saturating_mul(4));
                profile.table.translations.value = larger;
                Some(format!("use a router at {network} with room for {larger} translations"))
            }
        })
    }

    /// RFC 4787 REQ-9, RFC 5382 REQ-8.
    pub(super) fn hairpinning(&self) -> Vec<Option<Try>> {
        self.at_each_router(|network, profile| {
            profile.nat.tcp.hairpinning.value = Hairpinning::ExternalSource;
            Some(format!(
                "use a router at {network} that turns connections to its own WAN address back inside"
            ))
        })
    }

    /// RFC 5382 REQ-5: an established connection lives two hours and four minutes at least.
    pub(super) fn longer_timeouts(&self) -> Vec<Option<Try>> {
        const LEAST: u32 = 7440;
        self.at_each_router(|network, profile| {
            let timeout = &mut profile.timeouts.tcp_established.value;
            if *timeout >= LEAST {
                return None;
            }
            let was = std::mem::replace(timeout, LEAST);
            Some(format!(
                "have the router of {network} keep idle TCP connections for {LEAST} s instead of {was} s"
            ))
        })
    }

    /// A change to the profile of the router that the cause names, or else of each one on the way.
    fn at_each_router(&self, change: impl Fn(&str, &mut Profile) -> Option<String>) -> Vec<Option<Try>> {
        let networks = match &self.found.details.router {
            Some(router) => vec![router.clone()],
            None => self.around_client().into_iter().chain(self.around_server()).collect(),
        };
        let at = |network: &String| {
            let mut scenario = self.scenario.clone();
            let text = change(network, scenario.router_mut(network)?.profile_mut()?)?;
            self.try_it((Measure::LargerRouter, Who::Router), text, |changed| {
                *changed = scenario;
                Some(())
            })
        };
        networks.iter().map(at).collect()
    }
}
