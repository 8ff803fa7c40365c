//! What one end's wire saw of a session: its control connection, and those for data.

use std::net::SocketAddrV4;

use quirknat_router::event::{Event, EventKind, Origin};
use smoltcp::time::Instant;

use super::announcement::Announcement;
use super::connection::{Connection, connections, connections_of};
use super::dialogue::{Dialogue, Speaker};
use crate::net::{Network, NetworkEvent};

/// One wire's view of a session.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The control connection, if it was seen.
    pub control: Option<Connection>,
    /// What was said on it.
    pub dialogue: Dialogue,
    /// The data connections, and attempts at them, in order.
    pub data: Vec<Connection>,
}

impl View {
    /// What `wire` saw since `since`. `control` is the control connection as it is known there, from its client to its
    /// server; without it, as where it was never opened, the first connection is taken for it.
    pub fn new(
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
            // Other sessions with the same server run beside this one, and some began before it.
            let others = connections_of(network.record(), wire, control.to);
            let runs_beside = |other: &&Connection| other.last_at >= since && other.from != control.from;
            let own = announced(control);
            let foreign: Vec<SocketAddrV4> = others.iter().filter(runs_beside).flat_map(announced).collect();
            data.retain(|connection| connection.to != control.to);
            data.retain(|connection| own.contains(&connection.to) || !foreign.contains(&connection.to));
        }
        let dialogue = control.as_ref().map(Connection::dialogue).unwrap_or_default();
        Self { control, dialogue, data }
    }

    /// Where the client was to be dialled, as it said last, by PORT or EPRT.
    pub fn announced_by_client(&self) -> Option<SocketAddrV4> {
        self.dialogue.announced_last_by(Speaker::Client)?.endpoint()
    }

    /// Where the server was to be dialled, as it said last by 227.
    pub fn announced_by_server(&self) -> Option<SocketAddrV4> {
        let by_server = |announcement: &Announcement| matches!(announcement, Announcement::Passive(_));
        self.dialogue.announcements().rev().find(by_server)?.endpoint()
    }

    /// What the client said.
    pub fn commands(&self) -> Vec<String> {
        self.dialogue.said_by(Speaker::Client).map(str::to_owned).collect()
    }

    /// What the server said.
    pub fn replies(&self) -> Vec<String> {
        self.dialogue.said_by(Speaker::Server).map(str::to_owned).collect()
    }
}

/// A connection as it is known behind all routers on its way, from how it is known where it begins.
pub fn beyond_routers(
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
    let dialogue = control.dialogue();
    let own = dialogue.announcements().flat_map(|announcement| {
        let announced = announcement.leads_to(control.to);
        // Some clients dial the control connection's address, whatever the 227 says.
        let dialled = matches!(announcement, Announcement::Passive(_))
            .then(|| SocketAddrV4::new(*control.to.ip(), announced.port()));
        std::iter::once(announced).chain(dialled)
    });
    own.chain([control.from]).collect()
}
