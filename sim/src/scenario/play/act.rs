//! A step while it runs: begun, looked after, ended.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::time::{Duration, Instant};

use super::client::client_plan;
use super::programs;
use crate::ftp::{ClientSession, ServerSession, TranscriptLine};
use crate::host::{Carrier, ExchangePlan, PingPlan, Seen};
use crate::net::HostId;
use crate::scenario::done::{Done, DoneWhat};
use crate::scenario::language::{ExchangeStep, FtpStep, LinkStep, PacketStep, PingStep, RunStep, Step};
use crate::scenario::stage::Stage;
use crate::world::{Activity, Backend};

/// A step that has begun.
pub(super) struct Running {
    since: Instant,
    action: Action,
    over: bool,
}

enum Action {
    Ftp { client: Activity, server: HostId },
    Exchange { client: Activity, server: Option<Activity> },
    Ping { from: Activity },
    Run { program: Activity },
    NotStarted { because: String },
    Packets { from: HostId, rest: VecDeque<Vec<u8>>, every: Duration, next: Instant },
    Wait { until: Instant },
    Instantly,
}

impl Running {
    pub(super) fn begin<B: Backend>(stage: &mut Stage<'_, B>, step: &Step) -> Self {
        let action = begin(stage, step).unwrap_or(Action::Instantly);
        Self { since: stage.world.now(), action, over: false }
    }

    /// Does what is due.
    pub(super) fn advance<B: Backend>(&mut self, stage: &mut Stage<'_, B>) {
        let now = stage.world.now();
        self.over = self.over
            || match &mut self.action {
                Action::Ftp { client: activity, .. }
                | Action::Exchange { client: activity, .. }
                | Action::Ping { from: activity }
                | Action::Run { program: activity } => stage.world.is_finished(*activity),
                Action::Packets { from, rest, every, next } => {
                    while *next <= now
                        && let Some(packet) = rest.pop_front()
                    {
                        stage.world.inject(*from, packet);
                        *next += *every;
                    }
                    rest.is_empty()
                }
                Action::Wait { until } => *until <= now,
                Action::NotStarted { .. } | Action::Instantly => true,
            };
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// When it has something to do by itself.
    pub(super) fn next(&self) -> Option<Instant> {
        match self.action {
            Action::Packets { next, .. } if !self.over => Some(next),
            Action::Wait { until } if !self.over => Some(until),
            _ => None,
        }
    }

    /// What it waits for.
    pub(super) fn watched(&self) -> Option<Activity> {
        match self.action {
            Action::Ftp { client: activity, .. }
            | Action::Exchange { client: activity, .. }
            | Action::Ping { from: activity }
            | Action::Run { program: activity } => (!self.over).then_some(activity),
            _ => None,
        }
    }

    /// How long nothing is to happen, if that is all it waits for.
    pub(super) fn idle_until(&self) -> Option<Instant> {
        match self.action {
            Action::Wait { until } if !self.over => Some(until),
            _ => None,
        }
    }

    /// What came of it.
    pub(super) fn end<B: Backend>(self, stage: &mut Stage<'_, B>) -> Done {
        let what = match self.action {
            Action::Ftp { client: (host, activity), server } => {
                let served = end_serving(stage, server);
                let session = stage.world.host(host).and_then(|host| host.client(activity));
                DoneWhat::Ftp {
                    control: session.and_then(ClientSession::control_ends),
                    outcome: session.and_then(ClientSession::outcome).cloned(),
                    log: session.map(|session| session.transcript().to_vec()).unwrap_or_default(),
                    served,
                }
            }
            Action::Exchange { client: (host, activity), server } => {
                let outcome = stage.world.host(host).and_then(|host| host.exchanged(activity)).cloned();
                DoneWhat::Exchange { outcome, seen: end_answering(stage, server) }
            }
            Action::Ping { from: (host, activity) } => {
                let outcome = stage.world.host(host).and_then(|host| host.pinged(activity)).cloned();
                DoneWhat::Ping { outcome }
            }
            Action::Run { program: (host, activity) } => {
                let end = stage.world.host(host).and_then(|host| host.program_end(activity)).cloned();
                DoneWhat::Run { end: Ok(end) }
            }
            Action::NotStarted { because } => DoneWhat::Run { end: Err(because) },
            Action::Packets { .. } | Action::Wait { .. } | Action::Instantly => DoneWhat::Plain,
        };
        Done { since: self.since, what }
    }
}

fn end_serving<B: Backend>(
    stage: &mut Stage<'_, B>,
    server: HostId,
) -> Vec<(SocketAddrV4, Vec<TranscriptLine>)> {
    let Some(host) = stage.world.host(server) else { return Vec::new() };
    let log = |session: &ServerSession| Some((session.control_ends()?.1, session.transcript().to_vec()));
    host.served().filter_map(log).collect()
}

fn end_answering<B: Backend>(stage: &mut Stage<'_, B>, server: Option<Activity>) -> Seen {
    let Some((host, activity)) = server else { return Seen::default() };
    let Some(host) = stage.world.host(host) else { return Seen::default() };
    let seen = host.seen(activity).cloned().unwrap_or_default();
    host.end(activity);
    seen
}

/// Begins a step's action. The scenario was checked: what it names is there.
fn begin<B: Backend>(stage: &mut Stage<'_, B>, step: &Step) -> Option<Action> {
    let now = stage.world.now();
    if let Some(ftp) = &step.ftp {
        return begin_ftp(stage, ftp.get_ref());
    }
    if let Some(exchange) = &step.udp {
        return begin_exchange(stage, exchange.get_ref(), Carrier::Udp);
    }
    if let Some(exchange) = &step.tcp {
        return begin_exchange(stage, exchange.get_ref(), Carrier::Tcp);
    }
    if let Some(ping) = &step.ping {
        return begin_ping(stage, ping.get_ref());
    }
    if let Some(run) = &step.run {
        return begin_run(stage, run.get_ref());
    }
    if let Some(packet) = &step.packet {
        return begin_packets(stage, packet.get_ref());
    }
    if let Some(wait) = &step.wait {
        return Some(Action::Wait { until: now + (*wait.get_ref()).into() });
    }
    if let Some(restart) = &step.restart {
        let router = stage.router(restart.get_ref().network.get_ref())?;
        stage.world.network_mut().restart(now, router, restart.get_ref().off_for.into());
    }
    if let Some(change) = &step.wan_address {
        let router = stage.router(change.get_ref().network.get_ref())?;
        let address = *change.get_ref().address.get_ref();
        // The check has played it: it is possible.
        let _ = stage.world.network_mut().change_wan_address(now, router, address);
    }
    if let Some(link) = &step.link {
        change_wire(stage, link.get_ref())?;
    }
    Some(Action::Instantly)
}

fn change_wire<B: Backend>(stage: &mut Stage<'_, B>, step: &LinkStep) -> Option<()> {
    let wire = stage.wire(step.wire.get_ref())?;
    stage.world.change_wire(wire, |spec| {
        for (direction, own) in [(&mut spec.up, &step.up), (&mut spec.down, &step.down)] {
            step.both.apply(direction);
            own.apply(direction);
        }
    });
    Some(())
}

fn begin_ftp<B: Backend>(stage: &mut Stage<'_, B>, step: &FtpStep) -> Option<Action> {
    let now = stage.world.now();
    let client = stage.host(step.client.get_ref())?.id;
    let port = stage.scenario.server_port(step)?;
    let reached = stage.reached_at(step.client.get_ref(), step.server.get_ref(), port)?;
    let server = SocketAddrV4::new(step.to.unwrap_or(*reached.ip()), port);
    let activity = stage.world.host(client)?.connect(now, client_plan(step), step.source_port, server);
    let served_at = stage.host(step.server.get_ref())?.id;
    Some(Action::Ftp { client: (client, activity), server: served_at })
}

fn begin_exchange<B: Backend>(
    stage: &mut Stage<'_, B>,
    step: &ExchangeStep,
    carrier: Carrier,
) -> Option<Action> {
    let now = stage.world.now();
    let client = stage.host(step.client.get_ref())?.id;
    let server = stage.host(step.server.get_ref())?.id;
    let to = match &step.to {
        Some(to) => to.get_ref().parse().ok()?,
        None => stage.reached_at(step.client.get_ref(), step.server.get_ref(), step.port)?,
    };
    let request = step.request.bytes();
    let answer = step.answer.as_ref().map_or_else(|| request.clone(), super::super::language::Content::bytes);
    let answering = stage.world.host(server)?.answer(carrier, step.port, request.len(), answer.clone());
    let plan = ExchangePlan {
        carrier,
        source_port: step.source_port,
        to,
        request,
        answer,
        times: step.times,
        every: step.every.into(),
        patience: step.patience.into(),
    };
    let activity = stage.world.host(client)?.exchange(now, plan);
    Some(Action::Exchange {
        client: (client, activity),
        server: answering.map(|activity| (server, activity)),
    })
}

fn begin_ping<B: Backend>(stage: &mut Stage<'_, B>, step: &PingStep) -> Option<Action> {
    let now = stage.world.now();
    let from = stage.host(step.from.get_ref())?.id;
    let to = step.to.get_ref();
    let to: Ipv4Addr = match to.parse() {
        Ok(address) => address,
        Err(_) => *stage.reached_at(step.from.get_ref(), to, 0)?.ip(),
    };
    let plan = PingPlan {
        to,
        count: step.count,
        every: step.every.into(),
        patience: step.patience.into(),
        length: step.length,
        time_to_live: step.ttl,
    };
    let activity = stage.world.host(from)?.ping(now, plan);
    Some(Action::Ping { from: (from, activity) })
}

fn begin_run<B: Backend>(stage: &mut Stage<'_, B>, step: &RunStep) -> Option<Action> {
    let now = stage.world.now();
    let on = stage.host(step.on.get_ref())?.id;
    Some(match stage.world.host(on)?.run(now, &programs::plan(step)) {
        Ok(activity) => Action::Run { program: (on, activity) },
        Err(error) => Action::NotStarted { because: error.to_string() },
    })
}

fn begin_packets<B: Backend>(stage: &mut Stage<'_, B>, step: &PacketStep) -> Option<Action> {
    let from = stage.host(step.from.get_ref())?.id;
    let packets = step.send.iter().filter_map(|line| crate::packet_text::parse(line.get_ref()).ok());
    Some(Action::Packets { from, rest: packets.collect(), every: step.every.into(), next: stage.world.now() })
}
