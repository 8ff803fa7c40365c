//! The scenario that a session's facts make: who stood where, what was announced, how the server took it. Played under a
//! profile it shows what that router would have done.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4};

use super::facts::Facts;
use super::sessions::is_private;
use crate::scenario::language::Mode;
use crate::scenario::{Scenario, ScenarioError};
use crate::session::Speaker;

/// The names of the two hosts in the scenario.
pub(super) const CLIENT: &str = "client";
pub(super) const SERVER: &str = "server";

/// Why there is no scenario.
#[derive(Debug, thiserror::Error)]
pub enum NotRebuilt {
    /// There is no router in the story.
    #[error("neither end is known to be behind a router")]
    NobodyBehind,
    /// Any router would do.
    #[error(
        "nothing was seen of what a router does: neither how an announcement arrived nor whether data did"
    )]
    NothingSeen,
    /// The mode is not known.
    #[error("how the data connection was to be made is not in the material")]
    NoMode,
    /// The control connection's port is not known.
    #[error("the control connection's port is not in the material")]
    NoControlPort,
    /// What the facts make is none: two ends have one address, or the like.
    #[error("what was seen makes no network: {}", in_a_line(.0))]
    Impossible(Box<ScenarioError>),
}

/// What is wrong, without the place: the scenario is not the user's.
pub(super) fn in_a_line(error: &ScenarioError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// What the scenario is made of.
#[derive(Debug)]
struct Parts {
    mode: Mode,
    control_port: u16,
    client: Ipv4Addr,
    server: Ipv4Addr,
    /// The routers' addresses outside, where there are routers.
    client_wan: Option<Ipv4Addr>,
    server_wan: Option<Ipv4Addr>,
    /// Announced at its own end.
    announced: Option<SocketAddrV4>,
    foreign_port: &'static str,
    trusts_passive: bool,
    works: bool,
}

/// The addresses that stand for those which the material does not have: of documentation (RFC 5737) and of a usual LAN.
const CLIENT_AT_HOME: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 100);
const SERVER_AT_HOME: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 101);
const CLIENT_WAN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
const SERVER_WAN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 8);
const PUBLIC_CLIENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 50);
const PUBLIC_SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);

/// The scenario under this profile.
pub(super) fn rebuild(facts: &Facts<'_>, profile: &str) -> Result<Scenario, NotRebuilt> {
    let text = parts(facts)?.write(profile);
    Scenario::from_toml("what was recorded", &text).map_err(|error| NotRebuilt::Impossible(Box::new(error)))
}

/// Which addresses of the scenario are none of the material's, in words.
pub(super) fn stand_ins(facts: &Facts<'_>) -> Result<Vec<String>, NotRebuilt> {
    let parts = parts(facts)?;
    let seen: Vec<Ipv4Addr> = facts
        .views()
        .flat_map(|view| [view.account.client.ip, view.account.server.ip])
        .flatten()
        .chain(facts.views().filter_map(Facts::announced).map(|announced| *announced.to.ip()))
        .collect();
    let used = [
        (parts.client_wan, CLIENT_WAN, "the address of the client's router"),
        (parts.server_wan, SERVER_WAN, "the address of the server's router"),
        (Some(parts.client), CLIENT_AT_HOME, "the client's address at home"),
        (Some(parts.server), SERVER_AT_HOME, "the server's address at home"),
    ];
    let made_up =
        used.into_iter().filter(|(used, stand_in, _)| *used == Some(*stand_in) && !seen.contains(stand_in));
    Ok(made_up.map(|(_, stand_in, whose)| format!("{stand_in} stands for {whose}")).collect())
}

fn parts(facts: &Facts<'_>) -> Result<Parts, NotRebuilt> {
    let behind = [facts.client_behind(), facts.server_behind()].map(|behind| behind == Some(true));
    let [client_behind, server_behind] = behind;
    if !client_behind && !server_behind {
        return Err(NotRebuilt::NobodyBehind);
    }
    let mode = facts.mode().ok_or(NotRebuilt::NoMode)?;
    let control_port = facts.control_port().ok_or(NotRebuilt::NoControlPort)?;
    let public =
        |ip: Option<Ipv4Addr>, else_this: Ipv4Addr| ip.filter(|ip| !is_private(*ip)).unwrap_or(else_this);
    let private =
        |ip: Option<Ipv4Addr>, else_this: Ipv4Addr| ip.filter(|ip| is_private(*ip)).unwrap_or(else_this);
    let ip = |speaker: Speaker, view: Option<&super::Observed>| {
        let account = &view?.account;
        if speaker == Speaker::Client { account.client.ip } else { account.server.ip }
    };
    let said = |speaker: Speaker| {
        facts.views().filter_map(Facts::announced).find(|announced| announced.by == speaker).map(|it| it.to)
    };
    let own_client = ip(Speaker::Client, facts.at_client).or(said(Speaker::Client).map(|end| *end.ip()));
    let own_server = ip(Speaker::Server, facts.at_server).or(said(Speaker::Server).map(|end| *end.ip()));
    let outside = ip(Speaker::Client, facts.at_server);
    let dialled = ip(Speaker::Server, facts.at_client).or(ip(Speaker::Server, facts.at_server));
    Ok(Parts {
        mode,
        control_port,
        client: if client_behind {
            private(own_client, CLIENT_AT_HOME)
        } else {
            public(own_client, PUBLIC_CLIENT)
        },
        server: if server_behind {
            private(
                own_server.filter(|ip| is_private(*ip)).or(said(Speaker::Server).map(|end| *end.ip())),
                SERVER_AT_HOME,
            )
        } else {
            public(dialled, PUBLIC_SERVER)
        },
        client_wan: client_behind.then(|| public(outside, CLIENT_WAN)),
        server_wan: server_behind.then(|| public(dialled, SERVER_WAN)),
        announced: said(Speaker::Client).or(said(Speaker::Server)),
        foreign_port: foreign_port(facts),
        trusts_passive: trusts_passive(facts),
        works: facts.data_works() == Some(true),
    })
}

/// What the server did with an address that is not the client's, where it met one.
fn foreign_port(facts: &Facts<'_>) -> &'static str {
    let refused = facts.transfer().is_some_and(|transfer| {
        let verb = transfer.command.get(..4).unwrap_or_default();
        verb.eq_ignore_ascii_case("EPRT") && matches!(transfer.code, Some(500..=599))
    });
    if refused || facts.port_taken() == Some(false) {
        return "refuse";
    }
    let dialled = facts.at_server.and_then(Facts::data).and_then(|data| data.to);
    let announced = facts.at_server.and_then(Facts::announced).map(|announced| announced.to);
    match dialled.zip(announced) {
        Some((dialled, announced)) if dialled.ip() != announced.ip() => "replace",
        _ => "accept",
    }
}

/// Whether the client dials what a 227 says.
fn trusts_passive(facts: &Facts<'_>) -> bool {
    let dialled = facts.at_client.and_then(Facts::data).and_then(|data| data.to);
    let announced = facts.at_client.and_then(Facts::announced);
    let other = |(dialled, announced): (SocketAddrV4, super::facts::Announced)| {
        announced.by == Speaker::Server && dialled.ip() != announced.to.ip()
    };
    !dialled.zip(announced).is_some_and(other)
}

impl Parts {
    fn write(&self, profile: &str) -> String {
        let Self { control_port, client, server, .. } = self;
        let mut text = "title = \"what was recorded\"\n".to_owned();
        // Writing to a string cannot fail.
        let mut add = |line: std::fmt::Arguments<'_>| {
            let _ = writeln!(text, "{line}");
        };
        let announced = self.announced;
        let own = |ip: Ipv4Addr| announced.filter(|end| *end.ip() != ip && !is_private(*end.ip()));
        let is_active = matches!(self.mode, Mode::Port | Mode::Eprt);
        // Who announces the outside address knows of the router; whether the port is forwarded, only success tells.
        let aware_client = own(*client).filter(|_| self.client_wan.is_some() && is_active);
        let aware_server = own(*server).filter(|_| self.server_wan.is_some() && self.mode == Mode::Pasv);
        if let Some(wan) = self.client_wan {
            let forward =
                aware_client.filter(|_| self.works).map(|end| format!("\"tcp/{}={client}\"", end.port()));
            add(format_args!("{}", network("client-home", *client, profile, wan, forward.as_slice())));
        }
        if let Some(wan) = self.server_wan {
            let mut forward = vec![format!("\"tcp/{control_port}={server}\"")];
            forward.extend(
                aware_server.filter(|_| self.works).map(|end| format!("\"tcp/{}={server}\"", end.port())),
            );
            add(format_args!("{}", network("server-home", *server, profile, wan, &forward)));
        }
        let on = |wan: Option<Ipv4Addr>, home: &'static str| if wan.is_some() { home } else { "internet" };
        let client_on = on(self.client_wan, "client-home");
        add(format_args!("[host.{CLIENT}]\non = \"{client_on}\"\naddress = \"{client}\""));
        let server_on = on(self.server_wan, "server-home");
        add(format_args!("[host.{SERVER}]\non = \"{server_on}\"\naddress = \"{server}\""));
        add(format_args!("[host.{SERVER}.ftp-server]\nport = {control_port}\ndata-timeout = \"5 s\""));
        add(format_args!("foreign-port = \"{}\"", self.foreign_port));
        let port = announced.map_or(0, |end| end.port());
        if port > 0 && matches!(self.mode, Mode::Pasv | Mode::Epsv) {
            add(format_args!("passive-ports = \"{port}-{port}\""));
        }
        if let Some(end) = aware_server {
            add(format_args!("passive-address = \"{}\"", end.ip()));
        }
        let mode = match self.mode {
            Mode::Port => "port",
            Mode::Pasv => "pasv",
            Mode::Eprt => "eprt",
            Mode::Epsv => "epsv",
            Mode::NoCommand => "no-command",
        };
        add(format_args!(
            "[[step]]\n[step.ftp]\nclient = \"{CLIENT}\"\nserver = \"{SERVER}\"\nmode = \"{mode}\""
        ));
        add(format_args!("patience = \"10 s\""));
        if port > 0 && is_active {
            add(format_args!("data-port = {port}"));
        }
        if let Some(end) = aware_client {
            add(format_args!("announce = \"{}\"", end.ip()));
        }
        if !self.trusts_passive {
            add(format_args!("trust-passive-address = false"));
        }
        text
    }
}

/// A home whose LAN has this host in it.
fn network(name: &str, host: Ipv4Addr, profile: &str, wan: Ipv4Addr, forward: &[String]) -> String {
    let [a, b, c, last] = host.octets();
    let router = Ipv4Addr::new(a, b, c, if last == 1 { 254 } else { 1 });
    let forward = forward.join(", ");
    let profile = toml::Value::from(profile);
    format!(
        "[network.{name}]\nlan = \"{router}/24\"\n\
         router = {{ profile = {profile}, wan = \"{wan}\", forward = [{forward}] }}"
    )
}
