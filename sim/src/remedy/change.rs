//! A change to a scenario, and what it stands for.

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::config::StaticForward;
use quirknat_router::packet::Protocol;
use quirknat_router::profile::PortRange;

use super::{Failed, Measure, Remedy, Who};
use crate::scenario::Scenario;
use crate::scenario::language::{FtpServer, FtpStep, Mode};

/// A remedy that is still to be tried.
pub(super) struct Try {
    pub(super) remedy: Remedy,
    pub(super) scenario: Scenario,
}

/// A range for data connections, where the scenario names none.
pub(super) const RANGE: PortRange = PortRange { first: 50_000, last: 50_010 };

impl Failed<'_> {
    /// A remedy, and the scenario as `change` makes it; `None` if that cannot be made, or makes no difference.
    pub(super) fn try_it(
        &self,
        (measure, by): (Measure, Who),
        text: impl Into<String>,
        change: impl FnOnce(&mut Scenario) -> Option<()>,
    ) -> Option<Try> {
        let mut scenario = self.scenario.clone();
        change(&mut scenario)?;
        // Another way to turn to is another remedy.
        scenario.ftp_step_mut(self.position)?.fallback = Some(Vec::new());
        Some(Try { remedy: Remedy { measure, by, text: text.into() }, scenario })
    }

    pub(super) fn step(&self) -> Option<&FtpStep> {
        self.scenario.ftp_step(self.position)
    }

    /// The built-in server that the step dials.
    pub(super) fn server(&self) -> Option<&FtpServer> {
        self.scenario.host.get(self.step()?.server.get_ref())?.ftp_server.as_ref()
    }

    pub(super) fn server_mut<'s>(&self, scenario: &'s mut Scenario) -> Option<&'s mut FtpServer> {
        scenario.host.get_mut(self.step()?.server.get_ref())?.ftp_server.as_mut()
    }

    pub(super) fn address_of(&self, host: &str) -> Option<Ipv4Addr> {
        Some(*self.scenario.host.get(host)?.address.get_ref())
    }

    /// The networks that are around the client alone, from the client outwards.
    pub(super) fn around_client(&self) -> Vec<String> {
        let ends = self.step().map(|step| (step.client.get_ref(), step.server.get_ref()));
        ends.map(|(client, server)| self.scenario.networks_between(client, server)).unwrap_or_default()
    }

    /// The networks that are around the server alone, from the server outwards.
    pub(super) fn around_server(&self) -> Vec<String> {
        let ends = self.step().map(|step| (step.client.get_ref(), step.server.get_ref()));
        ends.map(|(client, server)| self.scenario.networks_between(server, client)).unwrap_or_default()
    }

    /// The address by which what is behind these networks is known beyond them.
    pub(super) fn outside_of(&self, networks: &[String]) -> Option<Ipv4Addr> {
        Some(*self.scenario.network.get(networks.last()?)?.router.wan.get_ref())
    }

    /// The control port that the step dials.
    pub(super) fn control_port(&self) -> Option<u16> {
        self.step()?.port.or_else(|| Some(self.server()?.port))
    }

    /// How the data connection was to be made.
    pub(super) fn mode(&self) -> Option<Mode> {
        let said = self.found.details.command.as_deref();
        let mode = match said? {
            "PORT" => Mode::Port,
            "EPRT" => Mode::Eprt,
            "EPSV" => Mode::Epsv,
            _ => Mode::Pasv,
        };
        Some(mode)
    }
}

/// The verb of a way to have data connections made.
pub(super) fn verb(mode: Mode) -> &'static str {
    match mode {
        Mode::NoCommand => "no command",
        other => other.verb(),
    }
}

/// Forwards `ports` through the routers of these networks, from the host outwards, to a host at `target`; its own port
/// for the first of them is `first`.
pub(super) fn forward(
    scenario: &mut Scenario,
    networks: &[String],
    ports: PortRange,
    (target, first): (Ipv4Addr, u16),
) -> Option<()> {
    let mut target = SocketAddrV4::new(target, first);
    for network in networks {
        let router = scenario.router_mut(network)?;
        router.add_forward(&StaticForward { protocol: Protocol::Tcp, ports, target });
        target = SocketAddrV4::new(*router.wan.get_ref(), ports.first);
    }
    Some(())
}

/// `tcp/21`, `tcp/50000-50010`.
pub(super) fn ports_text(ports: PortRange) -> String {
    if ports.first == ports.last { format!("tcp/{}", ports.first) } else { format!("tcp/{ports}") }
}
