//! What one end's wire saw of a session: its control connection, and those for data.

use std::net::SocketAddrV4;

use quirknat_router::event::{Event, EventKind, Origin};
use smoltcp::time::Instant;

use crate::ftp::{find_host_port, parse_host_port};
use crate::net::{Network, NetworkEvent};
use crate::wire::{Connection, connections};

/// One wire's view of a session.
pub(super) struct View {
    pub(super) control: Option<Connection>,
    pub(super) data: Vec<Connection>,
}

impl View {
    /// What `wire` saw since `since`. `control` is the control connection as it is known there, from its client to its
    /// server; without it, as where
    /// it was never opened, the first connection is taken for it.
    pub(super) fn new(
        network: &Network,
        wire: usize,
        since: Instant,
        control: Option<(SocketAddrV4, SocketAddrV4)>,
    ) -> Self {
        let mut data = connections(network.record(), wire, since);
        let place = match control {
            Some((from, to)) => {
                data.iter().position(|connection| (connection.from, connection.to) == (from, to))
            }
            None => (!data.is_empty()).then_some(0),
        };
        let control = place.map(|place| data.remove(place));
        if let Some(control) = &control {
            // Other sessions with the same server run beside this one.
            let (others, rest): (Vec<_>, Vec<_>) =
                data.into_iter().partition(|connection| connection.to == control.to);
            let own = announced(control);
            let foreign: Vec<SocketAddrV4> = others.iter().flat_map(announced).collect();
            data = rest;
            data.retain(|connection| own.contains(&connection.to) || !foreign.contains(&connection.to));
        }
        Self { control, data }
    }

    /// Where the client was to be dialled, as it said last, by PORT or EPRT.
    pub(super) fn announced_by_client(&self) -> Option<SocketAddrV4> {
        self.commands().iter().rev().find_map(|line| announced_by_client(line))
    }

    /// Where the server was to be dialled, as it said last, by 227.
    pub(super) fn announced_by_server(&self) -> Option<SocketAddrV4> {
        self.replies().iter().rev().find_map(|line| announced_by_server(line))
    }

    pub(super) fn commands(&self) -> Vec<String> {
        self.control.as_ref().map(Connection::lines_sent).unwrap_or_default()
    }

    pub(super) fn replies(&self) -> Vec<String> {
        self.control.as_ref().map(Connection::lines_received).unwrap_or_default()
    }
}

/// A connection as it is known behind all routers on its way, from how it is known where it begins.
pub(super) fn beyond_routers(
    network: &Network,
    since: Instant,
    (mut from, mut to): (SocketAddrV4, SocketAddrV4),
) -> (SocketAddrV4, SocketAddrV4) {
    for event in network.events().iter().filter(|event| event.at() >= since) {
        let NetworkEvent::Router { event: Event { kind, .. }, .. } = event else { continue };
        let EventKind::TranslationCreated { inside, external, remote, origin, .. } = kind else { continue };
        match origin {
            Origin::Outbound if (*inside, *remote) == (from, to) => from = *external,
            Origin::Outbound => {}
            _ if (*external, *remote) == (to, from) => to = *inside,
            _ => {}
        }
    }
    (from, to)
}

/// Where a control connection's data connections go, by what was announced on it and without.
fn announced(control: &Connection) -> Vec<SocketAddrV4> {
    let by_client = control.lines_sent().into_iter().filter_map(|line| announced_by_client(&line));
    let by_server = control.lines_received().into_iter().flat_map(|line| {
        let extended = extended_port(&line).map(|port| SocketAddrV4::new(*control.to.ip(), port));
        let announced = announced_by_server(&line);
        // Some clients dial the control connection's address, whatever the 227 says.
        let dialled = announced.map(|end| SocketAddrV4::new(*control.to.ip(), end.port()));
        announced.into_iter().chain(dialled).chain(extended)
    });
    by_client.chain(by_server).chain([control.from]).collect()
}

fn announced_by_client(line: &str) -> Option<SocketAddrV4> {
    let (verb, argument) = line.split_once(' ')?;
    match verb.to_ascii_uppercase().as_str() {
        "PORT" => parse_host_port(argument.trim()).ok(),
        "EPRT" => {
            let mut parts = argument.trim().split('|').skip(2);
            Some(SocketAddrV4::new(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        }
        _ => None,
    }
}

fn announced_by_server(line: &str) -> Option<SocketAddrV4> {
    if line.starts_with("227 ") { find_host_port(line).ok() } else { None }
}

fn extended_port(line: &str) -> Option<u16> {
    line.strip_prefix("229 ")?.rsplit_once("|||")?.1.split_once('|')?.0.parse().ok()
}
