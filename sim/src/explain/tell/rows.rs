//! The ladder's rows: each packet with what became of it, in order of time, the dull ones put together.

use std::collections::BTreeSet;

use quirknat_router::event::{Event, EventKind};
use quirknat_router::packet::TcpFlags;
use smoltcp::time::Instant;

use super::journeys::{CONTROL, Hop, Journey, is_everyday, told};
use super::secrets::Secrets;
use super::sight::{Inner, Segment, see};
use super::{difference, fields, label, table};
use crate::explain::story::{Decision, End, Leg, More, Packet, Part, Row, Towards, View, Weight};
use crate::net::{LossPlace, Network, NetworkEvent};
use crate::scenario::{PlayedSession, Station};

/// What crossed, in order of time.
pub(super) struct Ladder {
    pub(super) rows: Vec<Row>,
    /// Bare acknowledgements that are not among them.
    pub(super) acknowledgements: usize,
}

/// All that was decided because of the session's packets, and what came of it later.
pub(super) fn decisions(rows: &[Row]) -> Vec<&Decision> {
    rows.iter()
        .flat_map(|row| match row {
            Row::Packet(packet) => packet.decisions.as_slice(),
            Row::Note(decision) => std::slice::from_ref(decision),
        })
        .collect()
}

pub(super) fn ladder(
    network: &Network,
    session: &PlayedSession,
    views: &[View],
    journeys: &[Journey<'_>],
    secrets: &Secrets,
    (since, until): (Instant, Instant),
    all_packets: bool,
) -> Ladder {
    let mut repeats = Repeats::default();
    let packets: Vec<(Packet, &Journey<'_>)> = journeys
        .iter()
        .map(|journey| (packet(network, session, views, journey, secrets, repeats.again(journey)), journey))
        .collect();
    let own: Vec<&Decision> = packets.iter().flat_map(|(packet, _)| &packet.decisions).collect();
    let notes = notes(network, session, journeys, &own, (since, until));
    let mut ladder = Ladder { rows: Vec::new(), acknowledgements: 0 };
    let mut notes = notes.into_iter().peekable();
    for (packet, journey) in packets {
        while let Some(note) = notes.next_if(|note| note.at_us <= packet.at_us) {
            ladder.rows.push(Row::Note(note));
        }
        if !all_packets && is_dull(&packet, journey) {
            ladder.acknowledgements += 1;
        } else if all_packets || !put_with_the_last(&mut ladder.rows, &packet, journey) {
            ladder.rows.push(Row::Packet(Box::new(packet)));
        }
    }
    ladder.rows.extend(notes.map(Row::Note));
    let packets = ladder.rows.iter_mut().filter_map(|row| match row {
        Row::Packet(packet) => Some(packet),
        Row::Note(_) => None,
    });
    (1..).zip(packets).for_each(|(number, packet)| packet.number = number);
    ladder
}

fn packet(
    network: &Network,
    session: &PlayedSession,
    views: &[View],
    journey: &Journey<'_>,
    secrets: &Secrets,
    again: bool,
) -> Packet {
    let part = match (&journey.sight.inner, journey.connection) {
        (Inner::Icmp { .. }, _) => Part::Icmp,
        (_, CONTROL) => Part::Control,
        _ => Part::Data,
    };
    let legs = journey.hops.iter().map(|hop| leg(network, session, journey, hop, secrets, (part, again)));
    let mut legs: Vec<Leg> = legs.collect();
    compare(&mut legs, views);
    let decisions: Vec<Decision> = journey
        .hops
        .iter()
        .flat_map(|hop| told(network, hop))
        .map(|event| decision(event, &session.stations))
        .collect();
    let at = journey.hops.first().map_or(Instant::ZERO, |hop| hop.crossing.at);
    Packet {
        number: 0,
        at_us: at.total_micros(),
        part,
        towards: journey.towards,
        end: end(network, session, journey),
        legs,
        decisions,
        again,
        more: None,
    }
}

fn leg(
    network: &Network,
    session: &PlayedSession,
    journey: &Journey<'_>,
    hop: &Hop<'_>,
    secrets: &Secrets,
    (part, again): (Part, bool),
) -> Leg {
    let crossing = hop.crossing;
    let bytes = secrets.masked(crossing.wire, journey.connection, journey.towards, &crossing.bytes);
    let sight = see(&bytes).unwrap_or_else(|| journey.sight.clone());
    let name = hop.wire.and_then(|wire| session.wires.get(wire)).map(|wire| wire.name.clone());
    let wire_name = name.unwrap_or_else(|| {
        network.wires().get(crossing.wire).map_or_else(String::new, |name| (*name).to_owned())
    });
    Leg {
        wire: hop.wire,
        wire_name,
        at_us: crossing.at.total_micros(),
        lines: label::lines(&sight, part, journey.towards, again, &bytes),
        fields: fields::of(&bytes, &sight),
        rewritten: Vec::new(),
        bytes,
    }
}

/// Marks what differs from one view to the next, on both sides of the router that did it.
fn compare(legs: &mut [Leg], views: &[View]) {
    let view_of =
        |leg: &Leg| views.iter().position(|view| leg.wire.is_some_and(|wire| view.wires().contains(&wire)));
    let originals = legs.to_vec();
    for (own, leg) in originals.iter().zip(legs.iter_mut()) {
        let others = originals.iter().enumerate().filter(|(place, other)| {
            let next_views =
                view_of(own).zip(view_of(other)).is_some_and(|(own, other)| own.abs_diff(other) == 1);
            // One copy a view: the first in the direction of travel.
            let is_first = originals.iter().position(|leg| view_of(leg) == view_of(other)) == Some(*place);
            next_views && is_first
        });
        for (_, other) in others {
            leg.rewritten.extend(difference::octets(own, other));
            for (line, twin) in leg.lines.iter_mut().zip(&other.lines) {
                line.rewritten.extend(difference::characters(&line.text, &twin.text));
            }
        }
        leg.rewritten = difference::merged(std::mem::take(&mut leg.rewritten));
        for line in &mut leg.lines {
            line.rewritten = difference::merged(std::mem::take(&mut line.rewritten));
        }
        for field in &mut leg.fields {
            field.rewritten = leg
                .rewritten
                .iter()
                .any(|range| range.start < field.octets.end && field.octets.start < range.end);
        }
    }
}

fn end(network: &Network, session: &PlayedSession, journey: &Journey<'_>) -> End {
    let Some(last) = journey.hops.last() else { return End::UnderWay };
    let at = |name: &str| session.stations.iter().position(|station| station.name() == name);
    for event in network.told(last.crossing) {
        match event {
            NetworkEvent::Lost(loss) => {
                let station = match &loss.place {
                    LossPlace::Network(name) | LossPlace::Router(name) => at(name),
                    LossPlace::Wire(_) => None,
                };
                return End::Stopped { station, reason: format!("lost {}: {}", loss.place, loss.reason) };
            }
            NetworkEvent::Router { router, event: Event { kind, .. } } => {
                if let EventKind::PacketDropped { .. }
                | EventKind::PacketAnswered { .. }
                | EventKind::FragmentHeld { .. } = kind
                {
                    return End::Stopped { station: at(router), reason: kind.to_string() };
                }
            }
            NetworkEvent::Changed(_) => {}
        }
    }
    let last_wire = session.wires.len().saturating_sub(1);
    match (last.wire, journey.towards) {
        (Some(0), Towards::Client) => End::Arrived,
        (Some(wire), Towards::Server) if wire == last_wire => End::Arrived,
        (Some(_), _) => End::UnderWay,
        (None, _) => {
            let name =
                network.wires().get(last.crossing.wire).map_or_else(String::new, |name| (*name).to_owned());
            End::Elsewhere { wire: name }
        }
    }
}

fn decision(event: &NetworkEvent, stations: &[Station]) -> Decision {
    let (by, weight) = match event {
        NetworkEvent::Router { router, event } => (router.to_string(), weigh(&event.kind)),
        NetworkEvent::Lost(loss) => match &loss.place {
            LossPlace::Wire(name) | LossPlace::Network(name) | LossPlace::Router(name) => {
                (name.clone(), Weight::Ended)
            }
        },
        NetworkEvent::Changed(_) => (String::new(), Weight::Plain),
    };
    let station = stations.iter().position(|station| !by.is_empty() && station.name() == by);
    let (at_us, text) = (event.at().total_micros(), event.to_string());
    Decision { at_us, station, by, text, weight, event: event.clone() }
}

fn weigh(kind: &EventKind) -> Weight {
    match kind {
        EventKind::PacketDropped { .. } | EventKind::TranslationRefused { .. } => Weight::Ended,
        EventKind::CommandRewritten { .. }
        | EventKind::ForwardOpened { .. }
        | EventKind::ForwardUsed { .. } => Weight::Helped,
        EventKind::CommandLeftAlone { .. } => Weight::LeftAlone,
        _ => Weight::Plain,
    }
}

/// What happened besides, in the same time: the network was changed, or something that the session had in a router's
/// table ended without a packet of its.
fn notes(
    network: &Network,
    session: &PlayedSession,
    journeys: &[Journey<'_>],
    own: &[&Decision],
    (since, until): (Instant, Instant),
) -> Vec<Decision> {
    let hops = journeys.iter().flat_map(|journey| &journey.hops);
    let told: BTreeSet<usize> = hops.flat_map(|hop| hop.crossing.told.clone()).collect();
    let events = network.events().iter().enumerate();
    let besides = events.filter(|(place, event)| {
        event.at() >= since
            && event.at() <= until
            && !told.contains(place)
            && !is_everyday(event)
            && table::concerns(event, own)
    });
    besides.map(|(_, event)| decision(event, &session.stations)).collect()
}

/// A bare acknowledgement that made nothing happen.
fn is_dull(packet: &Packet, journey: &Journey<'_>) -> bool {
    let Some(segment) = journey.sight.segment() else { return false };
    let is_bare =
        segment.payload.is_empty() && TcpFlags(segment.flags.0 & !TcpFlags::PSH) == TcpFlags(TcpFlags::ACK);
    is_bare && packet.end == End::Arrived && packet.decisions.is_empty()
}

/// Tells a packet with the one before it, where it is another piece of the same transfer or the same thing once more.
fn put_with_the_last(rows: &mut [Row], packet: &Packet, journey: &Journey<'_>) -> bool {
    let Some(Row::Packet(last)) = rows.last_mut() else { return false };
    let octets = journey.sight.segment().map_or(0, |segment| segment.payload.len());
    let is_alike = last.part == packet.part
        && last.towards == packet.towards
        && last.end == packet.end
        && last.span() == packet.span();
    let is_bulk = packet.part == Part::Data && octets > 0 && first_octets(last) > 0;
    let is_once_more = packet.again && texts(last).eq(texts(packet));
    let was_said = |decision: &Decision| last.decisions.iter().any(|said| said.text == decision.text);
    let is_news = !packet.decisions.iter().all(was_said);
    if !is_alike || is_news || !(is_bulk || is_once_more) {
        return false;
    }
    let so_far = last.more.take();
    let first = first_octets(last);
    let (packets, before) = so_far.map_or((0, first), |more| (more.packets, more.octets));
    last.more = Some(More { packets: packets + 1, octets: before + octets, until_us: packet.at_us });
    true
}

fn first_octets(packet: &Packet) -> usize {
    let first = packet.legs.first().and_then(|leg| see(&leg.bytes));
    first.as_ref().and_then(|sight| sight.segment()).map_or(0, |segment| segment.payload.len())
}

/// What a packet says, without saying that it says it again.
fn texts(packet: &Packet) -> impl Iterator<Item = &str> {
    let lines = packet.legs.iter().flat_map(|leg| &leg.lines);
    lines.map(|line| line.text.strip_prefix("(again) ").unwrap_or(&line.text))
}

/// Which octets of each connection were sent so far.
#[derive(Default)]
struct Repeats {
    sent: BTreeSet<(usize, Towards, u32, usize, u8)>,
}

impl Repeats {
    /// Whether a packet was sent before; it has been from now on.
    fn again(&mut self, journey: &Journey<'_>) -> bool {
        let Some(Segment { sequence, payload, flags, .. }) = journey.sight.segment() else { return false };
        let counted = flags.0 & (TcpFlags::SYN | TcpFlags::FIN);
        if payload.is_empty() && counted == 0 {
            return false;
        }
        !self.sent.insert((journey.connection, journey.towards, *sequence, payload.len(), counted))
    }
}
