//! Plays a scenario in a simulated world: builds it, takes its steps, and has each judged by what crossed the wires.

use std::net::SocketAddrV4;

use quirknat_router::Router;
use quirknat_router::event::Detail;
use serde::Serialize;
use smoltcp::time::{Duration, Instant};

use super::judge::{self, Observed, Transferred};
use super::{ForeignPort, FtpServer, FtpStep, Mode, Scenario, StepVerdict, check};
use crate::ftp::{
    ClientPlan, ClientSession, DataMode, DataType, Files, ForeignAddress, ServerConfig, Transfer,
};
use crate::world::{HostId, RouterId, World};

/// A session that is not over by then has failed; the machines' own deadlines come long before.
const LONGEST_SESSION: Duration = Duration::from_secs(3600);
/// After a session the last acknowledgements and FINs cross.
const AFTERMATH: Duration = Duration::from_secs(1);

/// A scenario played.
pub struct Played {
    /// The judgement.
    pub verdict: Verdict,
    /// The world at the end, with all that crossed its wires.
    pub world: World,
}

/// What came of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Whether every step was as expected.
    pub as_expected: bool,
    /// The steps.
    pub steps: Vec<StepVerdict>,
}

/// A host that is placed, and where its server is reached.
struct Placed<'a> {
    name: &'a str,
    id: HostId,
    network: Option<&'a str>,
    address: std::net::Ipv4Addr,
    files: Files,
}

/// Plays `scenario`, called `name`, with a seed for all that is random in it.
pub fn play(name: &str, scenario: &Scenario, seed: u64) -> Played {
    let mut stage = Stage::build(scenario, seed);
    let steps: Vec<StepVerdict> = scenario.step.iter().map(|step| stage.take(step)).collect();
    let verdict = Verdict {
        name: name.to_owned(),
        title: scenario.title.clone(),
        as_expected: steps.iter().all(|step| step.mismatches.is_empty()),
        steps,
    };
    Played { verdict, world: stage.world }
}

struct Stage<'a> {
    scenario: &'a Scenario,
    world: World,
    placed: Vec<Placed<'a>>,
}

impl<'a> Stage<'a> {
    fn build(scenario: &'a Scenario, seed: u64) -> Self {
        let mut stage = Self { scenario, world: World::new(seed), placed: Vec::new() };
        let mut routers: Vec<(&str, RouterId)> = Vec::new();
        for (name, network) in &scenario.network {
            if let Some(router) = stage.router(name, seed) {
                let wan = *network.router.wan.get_ref();
                routers.push((name, stage.world.add_router(name, router, wan)));
            }
        }
        for (name, host) in &scenario.host {
            let router = routers.iter().find(|(network, _)| network == host.on.get_ref());
            let address = *host.address.get_ref();
            let id = stage.world.add_host(name, address, router.map(|(_, id)| *id));
            let files = Files::new();
            if let Some(server) = &host.ftp_server {
                for (file, size) in &server.files {
                    files.put(file.as_str(), contents(file, *size));
                }
                if let Some(host) = stage.world.host(id) {
                    let listens = host.serve(server.port, server_config(server), files.clone());
                    debug_assert!(listens, "the only server of a new host finds its port free");
                }
            }
            let network = router.map(|(network, _)| *network);
            stage.placed.push(Placed { name, id, network, address, files });
        }
        stage
    }

    /// The router of a network; the scenario was checked, so it can be made.
    fn router(&self, name: &str, seed: u64) -> Option<Router> {
        let network = self.scenario.network.get(name)?;
        let ports = self.scenario.host.values().filter(|host| host.on.get_ref() == name).count();
        let profile = check::profile(self.scenario, network).ok()?;
        let mut config = check::config(network, ports).ok()?;
        config.seed = seed;
        config.detail = Detail::Packets;
        Router::new(&profile, &config).ok()
    }

    fn take(&mut self, step: &super::Step) -> StepVerdict {
        let since = self.world.now();
        let outcome = self.session(&step.ftp);
        self.world.run_until(self.world.now() + AFTERMATH);
        let observed = self.observe(&step.ftp, since, outcome);
        judge::judge(&step.ftp, &step.expect, &observed)
    }

    /// Runs the session; `None` if it did not come to an end.
    fn session(&mut self, step: &FtpStep) -> Option<crate::ftp::ClientOutcome> {
        let client = self.find(step.client.get_ref())?.id;
        let server = self.reached_at(step)?;
        let now = self.world.now();
        let session = self.world.host(client)?.connect(now, client_plan(step), server);
        self.world.run_session(client, session, now + LONGEST_SESSION);
        self.world.host(client)?.client(session).and_then(ClientSession::outcome).cloned()
    }

    fn observe(
        &mut self,
        step: &FtpStep,
        since: Instant,
        outcome: Option<crate::ftp::ClientOutcome>,
    ) -> Observed {
        let (client, server) = (self.find(step.client.get_ref()), self.find(step.server.get_ref()));
        let wire =
            |host: Option<&Placed<'_>>| host.and_then(|host| self.world.wire_of(host.id)).unwrap_or_default();
        let (client_wire, server_wire) = (wire(client), wire(server));
        let there = |name: &str| server.and_then(|server| server.files.get(name));
        let transfer = match (&step.get, &step.put) {
            (Some(file), _) => Transferred::Fetched(there(file.get_ref()).unwrap_or_default()),
            (None, Some(put)) => {
                Transferred::Stored { sent: contents(&put.name, put.size), arrived: there(&put.name) }
            }
            (None, None) => Transferred::Listing,
        };
        let router = client.and_then(|client| client.network).map(str::to_owned);
        Observed::new(&self.world, since, (client_wire, server_wire), router.as_deref(), outcome, transfer)
    }

    fn find(&self, name: &str) -> Option<&Placed<'a>> {
        self.placed.iter().find(|host| host.name == name)
    }

    /// Where the client dials: the server itself, or the router that it is behind.
    fn reached_at(&self, step: &FtpStep) -> Option<SocketAddrV4> {
        let (client, server) = (self.find(step.client.get_ref())?, self.find(step.server.get_ref())?);
        let port = self.scenario.host.get(server.name)?.ftp_server.as_ref()?.port;
        let address = match server.network.filter(|network| client.network != Some(*network)) {
            Some(network) => *self.scenario.network.get(network)?.router.wan.get_ref(),
            None => server.address,
        };
        Some(SocketAddrV4::new(address, port))
    }
}

fn client_plan(step: &FtpStep) -> ClientPlan {
    let transfer = match (&step.get, &step.put) {
        (Some(file), _) => Transfer::Get { name: file.get_ref().clone() },
        (None, Some(put)) => Transfer::Put { name: put.name.clone(), bytes: contents(&put.name, put.size) },
        (None, None) => Transfer::List { path: None },
    };
    let data_mode = match step.mode {
        Mode::Port => DataMode::Port { port: step.data_port, announce: None },
        Mode::Pasv => DataMode::Passive,
        Mode::NoCommand => DataMode::NoCommand,
    };
    ClientPlan { data_mode, data_type: DataType::Image, transfers: vec![transfer], ..ClientPlan::default() }
}

fn server_config(server: &FtpServer) -> ServerConfig {
    ServerConfig {
        passive_ports: server.passive_ports.map(|range| range.first..=range.last),
        passive_address: server.passive_address,
        foreign_port: match server.foreign_port {
            ForeignPort::Refuse => ForeignAddress::Refuse,
            ForeignPort::Accept => ForeignAddress::Accept,
        },
        ..ServerConfig::default()
    }
}

/// A file's bytes: its name over and over, so that two files differ and a shift shows.
fn contents(name: &str, size: usize) -> Vec<u8> {
    let line = |number: usize| format!("{name} {number}\n").into_bytes();
    (0..).flat_map(line).take(size).collect()
}
