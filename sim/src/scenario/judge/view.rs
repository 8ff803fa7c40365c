//! What one end's wire saw of a session: its control connection, and those for data.

use std::net::SocketAddrV4;

use quirknat_router::event::{Event, EventKind, Origin};
use smoltcp::time::Instant;

use crate::net::{Network, NetworkEvent};
use crate::wire::{Connection, connections};

/// One wire's view of a session.
pub(super) struct View {
    pub(super) control: Option<Connection>,
    pub(super) data: Vec<Connection>,
}

impl View {
    /// What `wire` saw since `since`. `control` is the control connection as it is known there, from its client to its
    /// server; without it, the first connection is taken for it.
    pub(super) fn new(
        network: &Network,
        wire: usize,
        since: Instant,
        control: Option<(SocketAddrV4, SocketAddrV4)>,
    ) -> Self {
        let mut data = connections(network.record(), wire, since);
        let is_it = |connection: &Connection| {
            control.is_none_or(|(from, to)| (connection.from, connection.to) == (from, to))
        };
        let place = data.iter().position(is_it).or(if data.is_empty() { None } else { Some(0) });
        let control = place.map(|place| data.remove(place));
        if let Some(control) = &control {
            // Other sessions with the same server run beside this one.
            data.retain(|connection| connection.to != control.to);
        }
        Self { control, data }
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
