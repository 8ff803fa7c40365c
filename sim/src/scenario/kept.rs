//! What is kept of a step beside its verdict: when it was, and of an FTP session the way its packets went and what each
//! end's own log says.

use std::net::{Ipv4Addr, SocketAddrV4};

use serde::Serialize;
use smoltcp::time::Instant;

use super::done::{Done, DoneWhat};
use super::language::Step;
use super::stage::{Placed, Stage};
use super::{INTERNET, resolve};
use crate::ftp::{ServerSession, TranscriptLine};
use crate::host::ProgramEnd;
use crate::session::{View, beyond_routers};
use crate::world::Backend;

/// A step as it was played.
#[derive(Debug, Clone)]
pub struct PlayedStep {
    /// When it began; `None` if it never did.
    pub since: Option<Instant>,
    /// When what it brought about was over.
    pub until: Instant,
    /// The FTP session that it was, if it was one.
    pub session: Option<PlayedSession>,
}

/// An FTP session as it was played.
#[derive(Debug, Clone)]
pub struct PlayedSession {
    /// What its packets pass, from the client to the server.
    pub stations: Vec<Station>,
    /// The wires between the stations, one fewer.
    pub wires: Vec<WayWire>,
    /// Both ends of the control connection as the client knows them, if that is known.
    pub control: Option<(SocketAddrV4, SocketAddrV4)>,
    /// What the client says of it.
    pub client_log: Log,
    /// What the server says of it.
    pub server_log: Log,
}

/// Something on a packet's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Station {
    /// A host: the first station is the client, the last one the server.
    Host {
        /// Its name.
        name: String,
        /// Its address.
        address: Ipv4Addr,
    },
    /// A network's router.
    Router {
        /// The network's name.
        name: String,
        /// The router's profile.
        profile: String,
        /// Its address on the LAN.
        lan: Ipv4Addr,
        /// Its address on the WAN at the end of the step.
        wan: Ipv4Addr,
    },
    /// The public network.
    Internet,
}

impl Station {
    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Self::Host { name, .. } | Self::Router { name, .. } => name,
            Self::Internet => INTERNET,
        }
    }
}

/// A wire on a packet's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WayWire {
    /// Its place among the network's wires.
    #[serde(skip)]
    pub wire: usize,
    /// Its name.
    pub name: String,
    /// Whether what leaves the host or home at its end goes towards the server.
    #[serde(skip)]
    pub up_is_to_server: bool,
}

/// What an end says of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Log {
    /// Nothing that could be had.
    #[default]
    None,
    /// A built-in program's own log of its control connection.
    Dialogue(Vec<TranscriptLine>),
    /// What a real program wrote to stdout and stderr.
    Output {
        /// To stdout.
        stdout: String,
        /// To stderr.
        stderr: String,
    },
}

/// Keeps what is worth it. Before the hosts forget the sessions.
pub(super) fn keep<B: Backend>(stage: &mut Stage<'_, B>, step: &Step, done: Option<&Done>) -> PlayedStep {
    let session = done.and_then(|done| session(stage, step, done));
    PlayedStep { since: done.map(|done| done.since), until: stage.world.now(), session }
}

fn session<B: Backend>(stage: &mut Stage<'_, B>, step: &Step, done: &Done) -> Option<PlayedSession> {
    let (client, server) = ends(step)?;
    let (stations, wires) = way(stage, client, server)?;
    let network = stage.world.network();
    let (control, client_log) = match &done.what {
        DoneWhat::Ftp { control, log, .. } => (*control, Log::Dialogue(log.clone())),
        DoneWhat::Run { end } => {
            let seen = View::new(network, wires.first()?.wire, done.since, None).control;
            let output = end.as_ref().ok().and_then(Option::as_ref).map_or(Log::None, output);
            (seen.map(|control| (control.from, control.to)), output)
        }
        _ => return None,
    };
    let at_server = control.map(|ends| beyond_routers(network, done.since, ends));
    let server = stage.host(server)?.id;
    let host = stage.world.host(server)?;
    let sessions = host.served().filter(|session| {
        session.control_ends().is_some_and(|(local, remote)| at_server == Some((remote, local)))
    });
    // Of two sessions between the same ends the later one is this step's.
    let server_log = sessions
        .last()
        .map_or(Log::None, |session: &ServerSession| Log::Dialogue(session.transcript().to_vec()));
    Some(PlayedSession { stations, wires, control, client_log, server_log })
}

fn output(end: &ProgramEnd) -> Log {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Log::Output { stdout: text(&end.stdout), stderr: text(&end.stderr) }
}

/// The hosts of a step's FTP session.
fn ends(step: &Step) -> Option<(&str, &str)> {
    if let Some(ftp) = step.ftp.as_ref().map(toml::Spanned::get_ref) {
        return Some((ftp.client.get_ref(), ftp.server.get_ref()));
    }
    let run = step.run.as_ref()?.get_ref();
    Some((run.on.get_ref(), run.server.as_ref()?.get_ref()))
}

/// The stations and wires from one host to another.
fn way<B: Backend>(stage: &Stage<'_, B>, client: &str, server: &str) -> Option<(Vec<Station>, Vec<WayWire>)> {
    let (client, server) = (stage.host(client)?, stage.host(server)?);
    let around = |host: &Placed<'_>| {
        resolve::networks_around(stage.scenario, host.network.unwrap_or(INTERNET))
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (around_client, around_server) = (around(client), around(server));
    let shared = around_client.iter().find(|network| around_server.contains(network));
    let until_shared = |networks: &[String]| -> Vec<String> {
        networks.iter().take_while(|network| Some(*network) != shared).cloned().collect()
    };
    let (outwards, mut inwards) = (until_shared(&around_client), until_shared(&around_server));
    inwards.reverse();

    let host = |host: &Placed<'_>| Station::Host { name: host.name.to_owned(), address: host.address };
    let mut stations = vec![host(client)];
    for network in &outwards {
        stations.push(router(stage, network)?);
    }
    stations.push(match shared {
        Some(network) => router(stage, network)?,
        None => Station::Internet,
    });
    for network in &inwards {
        stations.push(router(stage, network)?);
    }
    stations.push(host(server));

    let wires = std::iter::once((stage.world.network().wire_of(client.id), true))
        .chain(outwards.iter().map(|network| (stage.wire(&format!("{network}.wan")), true)))
        .chain(inwards.iter().map(|network| (stage.wire(&format!("{network}.wan")), false)))
        .chain([(stage.world.network().wire_of(server.id), false)]);
    let names = stage.world.network().wires();
    let wires = wires.map(|(wire, up_is_to_server)| {
        let wire = wire?;
        Some(WayWire { wire, name: (*names.get(wire)?).to_owned(), up_is_to_server })
    });
    Some((stations, wires.collect::<Option<_>>()?))
}

fn router<B: Backend>(stage: &Stage<'_, B>, network: &str) -> Option<Station> {
    let spec = stage.scenario.network.get(network)?;
    Some(Station::Router {
        name: network.to_owned(),
        profile: spec.router.profile.get_ref().clone(),
        lan: resolve::cidr(&spec.lan).ok()?.address(),
        wan: stage.wan_of(network)?,
    })
}
