//! What routers and wires did with the packets of one session, and of no other.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::alg::{Dialect, LeftAlone, Refused};
use quirknat_router::event::{Answer, Event, EventKind, ForwardEnd, TranslationEnd, TranslationRefusal};
use quirknat_router::packet::{Packet, TcpFlags};
use quirknat_router::reason::DropReason;
use smoltcp::time::Instant;

use crate::net::link::LinkLoss;
use crate::net::{ChangeKind, Crossing, LossReason, Network, NetworkEvent};
use crate::session::endpoints;

/// A network, and since when it is looked at.
#[derive(Clone, Copy)]
pub struct Witness<'a> {
    /// With all that crossed its wires.
    pub network: &'a Network,
    /// When what is asked about began.
    pub since: Instant,
}

/// What ended a packet that was to open something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End<'a> {
    /// A router dropped it.
    Dropped(&'a str, DropReason),
    /// A router sent a reset or an ICMP error back, since it knew nobody for it.
    Rejected(&'a str),
    /// It was lost.
    Lost(LossReason),
}

/// A packet that ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended<'a> {
    pub(super) at: Instant,
    pub(super) from: SocketAddrV4,
    pub(super) to: SocketAddrV4,
    /// Whether it was to open something: a SYN, or a datagram.
    pub(super) opens: bool,
    pub(super) end: End<'a>,
}

/// An announcement that a router left alone.
pub(super) struct Left<'a> {
    pub(super) router: &'a str,
    pub(super) reason: LeftAlone,
}

/// What was seen of a session's own packets.
pub(super) struct Seen<'a> {
    network: &'a Network,
    since: Instant,
    /// The ends of its connections, as every wire on the way knows them.
    ends: BTreeSet<SocketAddrV4>,
    /// The translations of them: router and serial number.
    translations: BTreeSet<(&'a str, u32)>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(witness: Witness<'a>, ends: impl Iterator<Item = SocketAddrV4>) -> Self {
        let Witness { network, since } = witness;
        let mut seen = Self { network, since, ends: ends.collect(), translations: BTreeSet::new() };
        // Routers make translations from either side inwards, each after the one before it.
        for (router, event) in seen.router_events() {
            let EventKind::TranslationCreated { translation, inside, external, remote, .. } = &event.kind
            else {
                continue;
            };
            if seen.ends.contains(remote) && (seen.ends.contains(inside) || seen.ends.contains(external)) {
                seen.ends.extend([*inside, *external]);
                seen.translations.insert((router, *translation));
            }
        }
        seen
    }

    fn events(&self) -> impl DoubleEndedIterator<Item = &'a NetworkEvent> + use<'a> {
        let since = self.since;
        self.network.events().iter().filter(move |event| event.at() >= since)
    }

    fn router_events(&self) -> impl DoubleEndedIterator<Item = (&'a str, &'a Event)> + use<'a> {
        self.events().filter_map(|event| match event {
            NetworkEvent::Router { router, event } => Some((&**router, event)),
            NetworkEvent::Lost(_) | NetworkEvent::Changed(_) => None,
        })
    }

    fn crossings(&self) -> impl DoubleEndedIterator<Item = &'a Crossing> + use<'a> {
        let since = self.since;
        self.network.record().iter().filter(move |crossing| crossing.at >= since)
    }

    /// What a router's gateway is like.
    pub(super) fn dialect(&self, router: &str) -> Option<&'a Dialect> {
        Some(self.network.router(self.network.router_of(router)?)?.dialect())
    }

    /// The routers that the session passed, in the order of their translations of it.
    pub(super) fn routers(&self) -> impl Iterator<Item = &'a str> {
        self.router_events().filter_map(|(router, event)| match event.kind {
            EventKind::TranslationCreated { translation, .. }
                if self.translations.contains(&(router, translation)) =>
            {
                Some(router)
            }
            _ => None,
        })
    }

    /// Why a router did not make a translation for one of these ends, and which router.
    pub(super) fn translation_refused(&self) -> Option<(&'a str, TranslationRefusal)> {
        self.router_events().find_map(|(router, event)| {
            let EventKind::TranslationRefused { inside, remote, reason, .. } = &event.kind else {
                return None;
            };
            (self.ends.contains(inside) && self.ends.contains(remote)).then_some((router, *reason))
        })
    }

    /// The announcements of this endpoint, or any on the session's translations, that routers left alone, in order.
    pub(super) fn left_alone(&self, endpoint: Option<SocketAddrV4>) -> impl Iterator<Item = Left<'a>> {
        self.router_events().filter_map(move |(router, event)| {
            let EventKind::CommandLeftAlone { translation, announced, reason, .. } = &event.kind else {
                return None;
            };
            let is_own = self.translations.contains(&(router, *translation))
                && (announced.is_none() || endpoint.is_none() || *announced == endpoint);
            is_own.then_some(Left { router, reason: *reason })
        })
    }

    /// The gateway's refusal of a segment between these ends, and which router's.
    pub(super) fn announcement_dropped(&self) -> Option<(&'a str, Refused)> {
        self.ended().find_map(|ended| match ended.end {
            End::Dropped(router, DropReason::AnnouncementRefused(refused)) => Some((router, refused)),
            _ => None,
        })
    }

    /// The packets between these ends that did not arrive, in order.
    pub(super) fn ended(&self) -> impl Iterator<Item = Ended<'a>> {
        self.crossings().filter_map(|crossing| {
            let (from, to) = endpoints(&crossing.bytes)?;
            if !self.ends.contains(&from) || !self.ends.contains(&to) {
                return None;
            }
            let end = self.network.told(crossing).iter().find_map(|event| match event {
                NetworkEvent::Router { router, event: Event { kind, .. } } => match kind {
                    EventKind::PacketDropped { reason, .. } => Some(End::Dropped(router, *reason)),
                    EventKind::PacketAnswered { answer: Answer::Reset | Answer::PortUnreachable, .. } => {
                        Some(End::Rejected(router))
                    }
                    _ => None,
                },
                NetworkEvent::Lost(loss) => Some(End::Lost(loss.reason)),
                NetworkEvent::Changed(_) => None,
            })?;
            Some(Ended { at: crossing.at, from, to, opens: opens(&crossing.bytes), end })
        })
    }

    /// What ended the last attempt to open a connection to one of `dialled`, or to where a router leads it from there.
    pub(super) fn turned_away(&self, dialled: &[SocketAddrV4]) -> Option<Ended<'a>> {
        let mut targets: BTreeSet<SocketAddrV4> = dialled.iter().copied().collect();
        for (_, event) in self.router_events() {
            let EventKind::TranslationCreated { inside, external, .. } = &event.kind else { continue };
            if targets.contains(external) {
                targets.insert(*inside);
            }
        }
        self.ended().filter(|ended| ended.opens && targets.contains(&ended.to)).last()
    }

    /// How the last forward of a gateway at `external` that was there before `at` came to its end.
    pub(super) fn forward_ended(&self, external: SocketAddrV4, at: Instant) -> Option<ForwardEnd> {
        let before = || self.router_events().filter(move |(_, event)| event.at <= at);
        let (router, forward) = before().rev().find_map(|(router, event)| match &event.kind {
            EventKind::ForwardOpened { forward, external: there, .. } if *there == external => {
                Some((router, *forward))
            }
            _ => None,
        })?;
        before().find_map(|(whose, event)| match &event.kind {
            EventKind::ForwardEnded { forward: ended, reason } if (whose, *ended) == (router, forward) => {
                Some(*reason)
            }
            _ => None,
        })
    }

    /// Whether a line of this end's was sent in several segments.
    pub(super) fn is_split(&self, from: SocketAddrV4, to: SocketAddrV4) -> bool {
        self.crossings().any(|crossing| {
            let mut bytes = crossing.bytes.clone();
            let Ok(packet) = Packet::parse(&mut bytes) else { return false };
            let is_own = packet.session().is_some_and(|(_, source, target)| (source, target) == (from, to));
            is_own && packet.tcp_payload().last().is_some_and(|last| *last != b'\n')
        })
    }

    /// Whether the host at `to` refused a connection from `from` by a reset, on any wire.
    pub(super) fn is_reset(&self, from: SocketAddrV4, to: SocketAddrV4) -> bool {
        self.crossings().any(|crossing| {
            endpoints(&crossing.bytes) == Some((to, from))
                && flags(&crossing.bytes).is_some_and(|flags| flags.has(TcpFlags::RST))
        })
    }

    /// Why a router no longer knew connections in use, and which: it, or the network, ended what it knew of them, and
    /// then a packet of theirs was nobody's.
    pub(super) fn forgotten(&self) -> Option<Forgotten<'a>> {
        let stray = self.ended().filter(|ended| !ended.opens && is_unwanted(ended.end)).last();
        // After a change of address the old one is nobody's.
        let astray = || self.ended().filter(|ended| ended.end == End::Lost(LossReason::NobodyThere)).last();
        let stray = stray.or_else(astray)?;
        let before = self.events().filter(|event| event.at() <= stray.at);
        let (router, why) = before.rev().find_map(|event| match event {
            NetworkEvent::Changed(change) => match &change.what {
                ChangeKind::RouterRestarted { router } => Some((&**router, Why::Restarted)),
                ChangeKind::WanAddressChanged { router, .. } => Some((&**router, Why::AddressChanged)),
                _ => None,
            },
            NetworkEvent::Router { router, event } => match &event.kind {
                EventKind::TranslationEnded { translation, reason }
                    if self.translations.contains(&(router, *translation)) =>
                {
                    match reason {
                        TranslationEnd::Expired => Some((&**router, Why::Expired)),
                        TranslationEnd::Evicted => Some((&**router, Why::Evicted)),
                        TranslationEnd::Replaced
                        | TranslationEnd::PortTakenOver
                        | TranslationEnd::Reset
                        | TranslationEnd::Closed
                        | TranslationEnd::SessionRefused => None,
                    }
                }
                _ => None,
            },
            NetworkEvent::Lost(_) => None,
        })?;
        Some(Forgotten { router, why, from: stray.from, to: stray.to })
    }

    /// Why the last packet of a conversation that says something, between these ends and on some wire, did not arrive, where a wire is at
    /// fault: what is lost and sent again is no cause of anything.
    pub(super) fn lost_for_good(&self) -> Option<WireFault> {
        let mut ended = BTreeSet::new();
        for crossing in self.crossings().rev() {
            let Some((from, to)) = endpoints(&crossing.bytes) else { continue };
            let is_own = self.ends.contains(&from) && self.ends.contains(&to);
            if !is_own || !says_something(&crossing.bytes) || !ended.insert((crossing.wire, from, to)) {
                continue;
            }
            let told = self.network.told(crossing);
            let fault = told.iter().find_map(wire_fault);
            if let Some(fault) = fault.or(crossing.lost.then_some(WireFault::Lost)) {
                return Some(fault);
            }
        }
        None
    }

    /// The router that dropped a fragment between these hosts.
    pub(super) fn fragment_dropped(&self) -> Option<&'a str> {
        let addresses: BTreeSet<Ipv4Addr> = self.ends.iter().map(|end| *end.ip()).collect();
        self.router_events().find_map(|(router, event)| {
            let EventKind::PacketDropped { reason, packet_source, packet_destination } = &event.kind else {
                return None;
            };
            let is_fragment = matches!(
                reason,
                DropReason::Fragment
                    | DropReason::FragmentTimeout
                    | DropReason::ReassemblyTimeout
                    | DropReason::FragmentNoRoom
                    | DropReason::FragmentOfControl
            );
            let is_own = |address: &Option<Ipv4Addr>| address.is_some_and(|it| addresses.contains(&it));
            (is_fragment && is_own(packet_source) && is_own(packet_destination)).then_some(router)
        })
    }
}

/// What was forgotten, and why.
pub(super) struct Forgotten<'a> {
    pub(super) router: &'a str,
    pub(super) why: Why,
    /// The ends of the packet that was nobody's.
    pub(super) from: SocketAddrV4,
    pub(super) to: SocketAddrV4,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Restarted,
    AddressChanged,
    Expired,
    Evicted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WireFault {
    Lost,
    TooBig,
}

fn wire_fault(event: &NetworkEvent) -> Option<WireFault> {
    match event {
        NetworkEvent::Lost(loss) => match loss.reason {
            LossReason::TooBig | LossReason::Link(LinkLoss::TooBig { .. }) => Some(WireFault::TooBig),
            LossReason::Link(_) => Some(WireFault::Lost),
            _ => None,
        },
        NetworkEvent::Router { event: Event { kind, .. }, .. } => match kind {
            EventKind::PacketDropped { reason: DropReason::FragmentationNeeded, .. }
            | EventKind::PacketAnswered { answer: Answer::FragmentationNeeded, .. } => {
                Some(WireFault::TooBig)
            }
            _ => None,
        },
        NetworkEvent::Changed(_) => None,
    }
}

/// Whether a router knew nobody for it.
pub(super) fn is_unwanted(end: End<'_>) -> bool {
    match end {
        End::Dropped(_, reason) => matches!(
            reason,
            DropReason::Unsolicited
                | DropReason::Filtered
                | DropReason::ForwardForAnotherPeer
                | DropReason::NoTranslation
                | DropReason::NoService
        ),
        End::Rejected(_) => true,
        End::Lost(_) => false,
    }
}

/// Whether it is more than an acknowledgement, or a reset from somebody who has given up.
fn says_something(packet: &[u8]) -> bool {
    let mut bytes = packet.to_vec();
    let Ok(packet) = Packet::parse(&mut bytes) else { return true };
    packet.tcp().is_none_or(|tcp| {
        let is_gesture = !tcp.flags.has(TcpFlags::SYN) && !tcp.flags.has(TcpFlags::FIN);
        !(tcp.flags.has(TcpFlags::RST) || is_gesture && packet.tcp_payload().is_empty())
    })
}

fn opens(packet: &[u8]) -> bool {
    flags(packet).is_none_or(|flags| flags.has(TcpFlags::SYN) && !flags.has(TcpFlags::ACK))
}

/// The flags of a TCP segment; `None`: it is none.
fn flags(packet: &[u8]) -> Option<TcpFlags> {
    let mut bytes = packet.to_vec();
    Packet::parse(&mut bytes).ok()?.tcp().map(|tcp| tcp.flags)
}

/// The ends of what a host sent to an endpoint.
pub(super) fn sources(
    witness: Witness<'_>,
    client: Ipv4Addr,
    to: SocketAddrV4,
) -> impl Iterator<Item = SocketAddrV4> {
    let crossings = witness.network.record().iter().filter(move |crossing| crossing.at >= witness.since);
    let ends = crossings.filter_map(|crossing| endpoints(&crossing.bytes));
    ends.filter_map(move |(from, at)| (*from.ip() == client && at == to).then_some(from))
}
