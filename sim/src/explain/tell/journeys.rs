//! Packets from where they were sent to where they ended: their crossings of one wire after the other, as the record
//! ties them together.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use quirknat_router::event::{Event, EventKind};
use smoltcp::time::Instant;

use super::sight::{Sight, see};
use crate::explain::story::Towards;
use crate::net::{Crossing, Direction, Network, NetworkEvent};
use crate::scenario::{PlayedSession, WayWire};
use crate::session::{Connection, View, beyond_routers};

/// Both ends of a connection, as one wire knows them: who opened it, and to whom.
pub(super) type Ends = (SocketAddrV4, SocketAddrV4);

/// A packet on its way.
pub(super) struct Journey<'a> {
    /// Its crossings, in the order they were.
    pub(super) hops: Vec<Hop<'a>>,
    /// The connection that it belongs to.
    pub(super) connection: usize,
    pub(super) towards: Towards,
    /// What the first crossing carries.
    pub(super) sight: Sight,
}

/// A packet on a wire.
pub(super) struct Hop<'a> {
    pub(super) crossing: &'a Crossing,
    /// Which of the way's wires.
    pub(super) wire: Option<usize>,
}

/// A session's connections, as both ends' wires know them.
pub(super) struct Connections {
    at_client: View,
    at_server: View,
}

/// The number of the control connection; data connections have those after it.
pub(super) const CONTROL: usize = 0;

impl Connections {
    pub(super) fn of(network: &Network, since: Instant, session: &PlayedSession) -> Self {
        let wire = |wire: Option<&WayWire>| wire.map_or(usize::MAX, |wire| wire.wire);
        let at_client = View::new(network, wire(session.wires.first()), since, session.control);
        let known = session.control.or(at_client.control.as_ref().map(ends));
        let beyond = known.map(|ends| beyond_routers(network, since, ends));
        let at_server = View::new(network, wire(session.wires.last()), since, beyond);
        Self { at_client, at_server }
    }

    /// The connections that each end's wire knows: the control connection, and those for data.
    fn known(&self) -> [Vec<(bool, Ends)>; 2] {
        [&self.at_client, &self.at_server].map(|view| {
            let control = view.control.iter().map(|control| (true, ends(control)));
            control.chain(view.data.iter().map(|data| (false, ends(data)))).collect()
        })
    }
}

fn ends(connection: &Connection) -> Ends {
    (connection.from, connection.to)
}

/// The journeys of a session's packets that began between two instants, in that order.
pub(super) fn journeys<'a>(
    network: &'a Network,
    session: &PlayedSession,
    connections: &Connections,
    (since, until): (Instant, Instant),
) -> Vec<Journey<'a>> {
    let chains = chains(network.record(), &session.wires, (since, until));
    let mut book = Book::new(connections, session.wires.len());
    // A connection that one end's wire alone knows is found again on the other by the packets that crossed both.
    for hops in &chains {
        book.learn(hops);
    }
    let journeys = chains.into_iter().filter_map(|hops| {
        let connection = book.connection(&hops)?;
        let first = hops.first()?;
        let towards = towards(first, &session.wires)
            .or_else(|| hops.iter().find_map(|hop| towards(hop, &session.wires)))?;
        Some(Journey { connection, towards, sight: see(&first.crossing.bytes)?, hops })
    });
    journeys.collect()
}

/// The crossings of each packet that was first seen between two instants.
fn chains<'a>(
    record: &'a [Crossing],
    wires: &[WayWire],
    (since, until): (Instant, Instant),
) -> Vec<Vec<Hop<'a>>> {
    let mut chains: Vec<Vec<Hop<'a>>> = Vec::new();
    // How each crossing went on, by its place in the record.
    let mut went_on: BTreeMap<usize, WentOn> = BTreeMap::new();
    for (place, crossing) in record.iter().enumerate() {
        let hop = Hop { crossing, wire: wires.iter().position(|wire| wire.wire == crossing.wire) };
        let before = crossing.comes_from.and_then(|before| went_on.get_mut(&before));
        let chain = match before {
            Some(WentOn { chain, hops, astray }) if *hops == 0 || (*astray && hop.wire.is_some()) => {
                // A switch that knows nobody gives copies to all its ports; the one on the way is followed.
                if let Some(followed) = chains.get_mut(*chain).filter(|_| *astray) {
                    followed.pop();
                }
                (*hops, *astray) = (*hops + 1, hop.wire.is_none());
                Some(*chain)
            }
            // What was sent in this time; and copies and pieces of what was, which are told by themselves.
            _ if crossing.at >= since && crossing.at < until => {
                chains.push(Vec::new());
                Some(chains.len() - 1)
            }
            _ => None,
        };
        if let Some(chain) = chain
            && let Some(hops) = chains.get_mut(chain)
        {
            hops.push(hop);
            went_on.insert(place, WentOn { chain, hops: 0, astray: false });
        }
    }
    chains
}

/// How a packet went on behind a crossing.
struct WentOn {
    /// The chain that it is in.
    chain: usize,
    /// Crossings that came of it.
    hops: usize,
    /// Whether the one in the chain is on none of the way's wires.
    astray: bool,
}

/// Which way a packet went on a wire of the way.
fn towards(hop: &Hop<'_>, wires: &[WayWire]) -> Option<Towards> {
    let wire = wires.get(hop.wire?)?;
    let is_up = hop.crossing.direction == Direction::Up;
    Some(if is_up == wire.up_is_to_server { Towards::Server } else { Towards::Client })
}

/// Which connection is which, on both ends' wires.
struct Book {
    /// By wire: the first and the last one.
    known: [Vec<(usize, Ends)>; 2],
    last: usize,
}

impl Book {
    fn new(connections: &Connections, wires: usize) -> Self {
        // Numbers of connections, by their place in the lists; those of the server's wire come after the client's.
        let [client, server] = connections.known();
        let mut next = CONTROL;
        let mut number = |(is_control, ends)| {
            if is_control {
                return (CONTROL, ends);
            }
            next += 1;
            (next, ends)
        };
        let client = client.into_iter().map(&mut number).collect();
        let server = server.into_iter().map(&mut number).collect();
        Self { known: [client, server], last: wires.saturating_sub(1) }
    }

    fn side(&self, hop: &Hop<'_>) -> Option<usize> {
        match hop.wire? {
            0 => Some(0),
            wire if wire == self.last => Some(1),
            _ => None,
        }
    }

    fn look_up(&self, hop: &Hop<'_>) -> Option<(usize, usize)> {
        let side = self.side(hop)?;
        let (from, to) = see(&hop.crossing.bytes)?.ends()?;
        let known = self.known.get(side)?.iter();
        // A port that is used again belongs to the later connection; its packets look the same, so the first does.
        let found = known.clone().find(|(_, ends)| *ends == (from, to) || *ends == (to, from));
        found.map(|(number, _)| (side, *number))
    }

    /// A packet on both ends' wires says which connection is which: the client's wire names it.
    fn learn(&mut self, hops: &[Hop<'_>]) {
        let found: Vec<(usize, usize)> = hops.iter().filter_map(|hop| self.look_up(hop)).collect();
        let at = |wanted: usize| found.iter().find(|(side, _)| *side == wanted).map(|(_, number)| *number);
        if let (Some(client), Some(server)) = (at(0), at(1))
            && client != server
            && let Some(known) = self.known.get_mut(1)
        {
            known.iter_mut().filter(|(number, _)| *number == server).for_each(|(number, _)| *number = client);
        }
    }

    fn connection(&self, hops: &[Hop<'_>]) -> Option<usize> {
        hops.iter().find_map(|hop| self.look_up(hop)).map(|(_, number)| number)
    }
}

/// What is told of a packet: the events of all its crossings.
pub(super) fn told<'a>(network: &'a Network, hop: &Hop<'_>) -> impl Iterator<Item = &'a NetworkEvent> {
    network.told(hop.crossing).iter().filter(|event| !is_everyday(event))
}

/// That a packet was forwarded the ladder shows; that a translation lives on its bar does.
pub(super) fn is_everyday(event: &NetworkEvent) -> bool {
    let NetworkEvent::Router { event: Event { kind, .. }, .. } = event else { return false };
    matches!(
        kind,
        EventKind::PacketForwarded { .. }
            | EventKind::TranslationRefreshed { .. }
            | EventKind::ForwardRefreshed { .. }
    )
}
