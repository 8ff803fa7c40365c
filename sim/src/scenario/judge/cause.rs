//! Why a step failed: from what its ends announced, and from what routers and wires did with its own packets. Nothing is
//! a cause because it happened at the same time.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::event::{EventKind, TranslationEnd, TranslationRefusal};
use quirknat_router::packet::{Packet, TcpFlags};
use quirknat_router::reason::DropReason;
use smoltcp::time::Instant;

use super::ftp::Session;
use crate::cause::Cause;
use crate::net::{ChangeKind, Crossing, LossReason, Network, NetworkEvent};
use crate::session::Connection;

/// What a router says of packets that it knew nobody for.
const UNWANTED: [DropReason; 4] = [
    DropReason::Unsolicited,
    DropReason::Filtered,
    DropReason::ForwardForAnotherPeer,
    DropReason::NoTranslation,
];

/// Why an FTP session failed, the deepest cause first; `None` where what was seen does not tell.
pub(super) fn of_session(
    network: &Network,
    since: Instant,
    session: &Session,
    [client, server]: [Option<Ipv4Addr>; 2],
) -> Option<Cause> {
    let controls = [&session.at_client.control, &session.at_server.control];
    let data = || session.at_client.data.iter().chain(&session.at_server.data);
    let connections: Vec<&Connection> = controls.into_iter().flatten().chain(data()).collect();
    let announced = [session.at_client.announced_by_client(), session.at_server.announced_by_server()];
    let ends = connections.iter().flat_map(|connection| [connection.from, connection.to]);
    let seen = Seen::new(network, since, ends.chain(announced.into_iter().flatten()));
    if seen.table_was_full() {
        return Some(Cause::TableFull);
    }
    if !session.was_connected() {
        return Some(if seen.lost_for_good() { Cause::PacketsLost } else { Cause::ControlNotAnswered });
    }
    if !data().any(|connection| connection.answered)
        && let Some(cause) = unopened(&seen, session, [client, server])
    {
        return Some(cause);
    }
    // A reply says that both ends still hear each other; what it refuses is no matter of the network. 425 and 426 tell
    // of the data connection.
    if session.reply().is_some_and(|code| code >= 400 && !matches!(code, 425 | 426)) {
        return None;
    }
    if seen.forgotten(&connections) {
        return Some(Cause::TranslationForgotten);
    }
    seen.lost_for_good().then_some(Cause::PacketsLost)
}

/// Why no data connection was established.
fn unopened(seen: &Seen<'_>, session: &Session, [client, server]: [Option<Ipv4Addr>; 2]) -> Option<Cause> {
    // An address that is the announcing end's own is of no use where the other end knows it by another one.
    let seen_by_server = session.at_server.control.as_ref().map(|control| *control.from.ip());
    let dialled_by_client = session.at_client.control.as_ref().map(|control| *control.to.ip());
    let announced = session.at_server.announced_by_client();
    let answered = session.at_client.announced_by_server();
    let is_refused = matches!(session.reply(), Some(500..=504));
    let dialled =
        |data: &[Connection], to: SocketAddrV4| data.iter().any(|connection| connection.to.ip() == to.ip());
    // In homes with the same subnet both may have the same address: who dials it dials itself, and no wire sees it.
    let is_own_twin = client == server;
    if let Some(announced) = announced
        && seen_by_server.is_some_and(|seen| seen != *announced.ip())
    {
        let is_tried = dialled(&session.at_server.data, announced) || is_own_twin;
        if client == Some(*announced.ip()) && (is_refused || is_tried) {
            return Some(Cause::LanAddressInPort);
        }
        // RFC 2577 §3: a low port may be refused as well.
        if is_refused && announced.port() >= 1024 {
            return Some(Cause::ForeignAddressRefused);
        }
    }
    if let Some(answered) = answered
        && server == Some(*answered.ip())
        && dialled_by_client.is_some_and(|dialled| dialled != *answered.ip())
        && (dialled(&session.at_client.data, answered) || is_own_twin)
    {
        return Some(Cause::LanAddressInPassiveReply);
    }
    let data = session.at_client.data.iter().chain(&session.at_server.data);
    let dialled: Vec<SocketAddrV4> = data.map(|connection| connection.to).collect();
    seen.turned_away(&dialled).then_some(Cause::DataPortNotForwarded)
}

/// Why requests of `client`, sent `to` an endpoint, were not answered.
pub(super) fn of_messages(
    network: &Network,
    since: Instant,
    client: Ipv4Addr,
    to: SocketAddrV4,
) -> Option<Cause> {
    let crossings = network.record().iter().filter(|crossing| crossing.at >= since);
    let sources = crossings
        .filter_map(|crossing| endpoints(&crossing.bytes))
        .filter_map(|(from, at)| (*from.ip() == client && at == to).then_some(from));
    let seen = Seen::new(network, since, sources.chain([to]));
    if seen.table_was_full() {
        return Some(Cause::TableFull);
    }
    if seen.turned_away(&[to]) {
        return Some(Cause::NotForwarded);
    }
    seen.lost_for_good().then_some(Cause::PacketsLost)
}

/// Both ends of a packet, as its first octets say.
fn endpoints(packet: &[u8]) -> Option<(SocketAddrV4, SocketAddrV4)> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let address = |at: usize| packet.get(at..)?.first_chunk::<4>().copied().map(Ipv4Addr::from);
    let port = |at: usize| packet.get(header + at..)?.first_chunk::<2>().copied().map(u16::from_be_bytes);
    Some((SocketAddrV4::new(address(12)?, port(0)?), SocketAddrV4::new(address(16)?, port(2)?)))
}

/// What was seen of a step, and the ends of its connections.
struct Seen<'a> {
    network: &'a Network,
    since: Instant,
    /// As every wire on the way knows them.
    ends: BTreeSet<SocketAddrV4>,
}

impl<'a> Seen<'a> {
    fn new(network: &'a Network, since: Instant, ends: impl Iterator<Item = SocketAddrV4>) -> Self {
        let mut seen = Self { network, since, ends: ends.collect() };
        // Routers make translations from either side inwards, each after the one before it.
        for event in network.events().iter().filter(|event| event.at() >= since) {
            let NetworkEvent::Router { event, .. } = event else { continue };
            let EventKind::TranslationCreated { inside, external, remote, .. } = event.kind else { continue };
            if seen.ends.contains(&remote) && (seen.ends.contains(&inside) || seen.ends.contains(&external)) {
                seen.ends.extend([inside, external]);
            }
        }
        seen
    }
}

impl Seen<'_> {
    fn events(&self) -> impl Iterator<Item = &NetworkEvent> {
        self.network.events().iter().filter(|event| event.at() >= self.since)
    }

    fn crossings(&self) -> impl DoubleEndedIterator<Item = &Crossing> {
        self.network.record().iter().filter(|crossing| crossing.at >= self.since)
    }

    fn table_was_full(&self) -> bool {
        self.events().any(|event| {
            let NetworkEvent::Router { event, .. } = event else { return false };
            let EventKind::TranslationRefused { inside, remote, reason, .. } = &event.kind else {
                return false;
            };
            *reason == TranslationRefusal::TableFull
                && self.ends.contains(inside)
                && self.ends.contains(remote)
        })
    }

    /// The packets that a router knew nobody for: source, destination, and whether each would have opened something.
    fn unwanted(&self) -> impl Iterator<Item = (SocketAddrV4, SocketAddrV4, bool)> {
        let is_unwanted = |event: &NetworkEvent| {
            let NetworkEvent::Router { event, .. } = event else { return false };
            let EventKind::PacketDropped { reason, .. } = &event.kind else { return false };
            UNWANTED.contains(reason)
        };
        let told = move |crossing: &&Crossing| self.network.told(crossing).iter().any(is_unwanted);
        self.crossings().filter(told).filter_map(|crossing| {
            let mut bytes = crossing.bytes.clone();
            let packet = Packet::parse(&mut bytes).ok()?;
            let (_, source, destination) = packet.session()?;
            let opens =
                packet.tcp().is_none_or(|tcp| tcp.flags.has(TcpFlags::SYN) && !tcp.flags.has(TcpFlags::ACK));
            Some((source, destination, opens))
        })
    }

    /// Whether what was to open a connection to one of these was turned away by a router.
    fn turned_away(&self, dialled: &[SocketAddrV4]) -> bool {
        self.unwanted().any(|(_, destination, opens)| opens && dialled.contains(&destination))
    }

    /// Whether a router ended what it knew of connections in use, and then did not know what to do with their segments.
    fn forgotten(&self, connections: &[&Connection]) -> bool {
        let is_end = |event: &NetworkEvent| match event {
            NetworkEvent::Changed(change) => matches!(
                change.what,
                ChangeKind::RouterRestarted { .. } | ChangeKind::WanAddressChanged { .. }
            ),
            NetworkEvent::Router { event, .. } => matches!(
                event.kind,
                EventKind::TranslationEnded { reason: TranslationEnd::Expired | TranslationEnd::Evicted, .. }
            ),
            NetworkEvent::Lost(_) => false,
        };
        let belongs = |from: SocketAddrV4, to: SocketAddrV4| {
            connections.iter().any(|it| [(it.from, it.to), (it.to, it.from)].contains(&(from, to)))
        };
        let stray = || self.unwanted().any(|(from, to, opens)| !opens && belongs(from, to));
        // After a change of address the old one is nobody's.
        let astray = || {
            self.events().any(|event| {
                let NetworkEvent::Lost(loss) = event else { return false };
                let pair = (loss.packet_source, loss.packet_destination);
                let same = |it: &&&Connection| {
                    [(*it.from.ip(), *it.to.ip()), (*it.to.ip(), *it.from.ip())].contains(&pair)
                };
                loss.reason == LossReason::NobodyThere && connections.iter().any(|it| same(&it))
            })
        };
        self.events().any(is_end) && (stray() || astray())
    }

    /// Whether the last packet of a conversation between these ends, on some wire, was lost on it: what is lost and
    /// sent again is no cause of anything.
    fn lost_for_good(&self) -> bool {
        let mut ended = BTreeSet::new();
        for crossing in self.crossings().rev() {
            let Some((from, to)) = endpoints(&crossing.bytes) else { continue };
            let is_own = self.ends.contains(&from) && self.ends.contains(&to);
            if !is_own || !ended.insert((crossing.wire, from, to)) {
                continue;
            }
            let is_loss = |event: &NetworkEvent| matches!(event, NetworkEvent::Lost(loss) if matches!(loss.reason, LossReason::Link(_)));
            if crossing.lost || self.network.told(crossing).iter().any(is_loss) {
                return true;
            }
        }
        false
    }
}
