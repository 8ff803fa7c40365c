//! What happened in a network: the packets that crossed its wires, and the one stream of events.

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::Arc;

use quirknat_router::event::{Event, EventKind};
use serde::{Serialize, Serializer};
use smoltcp::time::Instant;

use super::link::LinkLoss;
use super::wire::Direction;

/// A packet on a wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// Which wire, as an index into [`Network::wires`](super::Network::wires).
    pub wire: usize,
    /// When.
    pub at: Instant,
    /// Which way.
    pub direction: Direction,
    /// The packet.
    pub bytes: Vec<u8>,
    /// Whether it was lost before it came to where the wire is watched.
    pub lost: bool,
    /// The same packet on the wire before, where it came over one: its place in what was recorded from the beginning.
    pub comes_from: Option<usize>,
    /// The events that tell what became of it, as a range of [`Network::events`](super::Network::events).
    pub told: Range<usize>,
}

/// Something that happened, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum NetworkEvent {
    /// A router says it.
    Router {
        /// The network whose router it is.
        #[serde(serialize_with = "as_text")]
        router: Arc<str>,
        /// What it says.
        #[serde(flatten)]
        event: Event,
    },
    /// A packet was lost on its way.
    Lost(Loss),
    /// Somebody changed the network while it ran.
    Changed(Change),
}

impl NetworkEvent {
    /// When it happened.
    pub fn at(&self) -> Instant {
        match self {
            Self::Router { event, .. } => event.at,
            Self::Lost(loss) => loss.at,
            Self::Changed(change) => change.at,
        }
    }
}

impl fmt::Display for NetworkEvent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Router { event, .. } => event.kind.fmt(out),
            Self::Lost(loss) => write!(out, "lost {}: {}", loss.place, loss.reason),
            Self::Changed(change) => change.what.fmt(out),
        }
    }
}

/// A packet that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename = "packet-lost")]
pub struct Loss {
    /// Where.
    #[serde(flatten)]
    pub place: LossPlace,
    /// When.
    #[serde(rename = "time_us", serialize_with = "as_micros")]
    pub at: Instant,
    /// The packet's source.
    pub packet_source: Ipv4Addr,
    /// The packet's destination.
    pub packet_destination: Ipv4Addr,
    /// Why.
    pub reason: LossReason,
}

/// Where a packet was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossPlace {
    /// On this wire.
    Wire(String),
    /// In the provider's network that is called so.
    Network(String),
    /// At the router of this network.
    Router(String),
}

impl fmt::Display for LossPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wire(name) => write!(out, "on the wire {name}"),
            Self::Network(name) => write!(out, "on the {name}"),
            Self::Router(name) => write!(out, "at the router of {name}"),
        }
    }
}

/// Why a packet did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum LossReason {
    /// Its destination is a private address (RFC 1918), which no provider routes.
    #[error("a private destination address, which is routed nowhere")]
    PrivateDestination,
    /// Nobody has its destination address.
    #[error("nobody has the destination address")]
    NobodyThere,
    /// Its time to live was used up on the way.
    #[error("its time to live was used up")]
    TimeToLive,
    /// It is too big for the next wire and may not be fragmented.
    #[error("too big for the next wire, and not to be fragmented")]
    TooBig,
    /// It is no packet that anybody could route.
    #[error("not a sound IPv4 packet")]
    Malformed,
    /// The router is off.
    #[error("the router is restarting")]
    RouterOff,
    /// The link did it.
    #[error("{0}")]
    #[serde(untagged)]
    Link(LinkLoss),
}

/// A change made to the network while it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// When.
    #[serde(rename = "time_us", serialize_with = "as_micros")]
    pub at: Instant,
    /// What.
    #[serde(flatten)]
    pub what: ChangeKind,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields name what the variant says")]
pub enum ChangeKind {
    /// A router was switched off and on; its tables are empty.
    #[error("the router of {router} restarts: its tables are empty")]
    RouterRestarted { router: String },
    /// A router got another address on its WAN; its tables are empty, as of one that has dialled in anew.
    #[error("the router of {router} has the WAN address {after} instead of {before}: its tables are empty")]
    WanAddressChanged { router: String, before: Ipv4Addr, after: Ipv4Addr },
    /// A wire is another one from now on.
    #[error("the wire {wire} is changed")]
    LinkChanged { wire: String },
    /// Time was passed over.
    #[error("{seconds} s are passed over")]
    TimeSkipped { seconds: u64 },
}

/// What is kept of what happens.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) record: Vec<Crossing>,
    pub(super) events: Vec<NetworkEvent>,
    pub(super) crossings: u64,
    /// A network that runs for days keeps nothing.
    pub(super) forgets: bool,
    /// Crossings that were taken out: places in the record count on from there.
    pub(super) crossings_gone: usize,
    /// Events that are no longer here, and those that were handed out.
    pub(super) events_gone: usize,
    pub(super) events_taken: usize,
}

impl Log {
    /// Notes a packet on a wire, and its place in the record on the wire before; gives its place here.
    pub(super) fn cross(
        &mut self,
        (wire, direction): (usize, Direction),
        at: Instant,
        bytes: &[u8],
        comes_from: Option<usize>,
    ) -> Option<usize> {
        self.crossings += 1;
        if self.forgets {
            return None;
        }
        let now = self.events_gone + self.events.len();
        let (bytes, told) = (bytes.to_vec(), now..now);
        self.record.push(Crossing { wire, at, direction, bytes, lost: false, comes_from, told });
        Some(self.crossings_gone + self.record.len() - 1)
    }

    /// The packet at this place, if it was not taken out.
    pub(super) fn crossing_mut(&mut self, place: usize) -> Option<&mut Crossing> {
        self.record.get_mut(place.checked_sub(self.crossings_gone)?)
    }

    /// Notes events, and which packet on which wire brought them about.
    pub(super) fn tell(&mut self, crossing: Option<usize>, events: impl Iterator<Item = NetworkEvent>) {
        if self.forgets {
            events.for_each(|event| log::info!("{event}"));
            return;
        }
        let start = self.events_gone + self.events.len();
        self.events.extend(events);
        let end = self.events_gone + self.events.len();
        if let Some(crossing) = crossing.and_then(|place| self.crossing_mut(place)) {
            crossing.told = start..end;
        }
    }

    /// What became of a packet, in words.
    pub(super) fn comment(&self, crossing: &Crossing) -> Option<String> {
        let events = self.told(crossing).iter().filter(|event| is_worth_a_comment(event));
        let lines: Vec<String> = events.map(ToString::to_string).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// The events that tell what became of a packet, as far as they were not taken out.
    pub(super) fn told(&self, crossing: &Crossing) -> &[NetworkEvent] {
        let place = |absolute: usize| absolute.checked_sub(self.events_gone);
        let range = place(crossing.told.start).zip(place(crossing.told.end));
        range.and_then(|(start, end)| self.events.get(start..end)).unwrap_or_default()
    }

    /// Takes out the packets before the first one that is `under_way`, and the events that were not taken yet.
    pub(super) fn take(&mut self, under_way: Option<usize>) -> TakenLog {
        let count = under_way.map_or(self.record.len(), |place| place.saturating_sub(self.crossings_gone));
        let count = count.min(self.record.len());
        let rest = self.record.split_off(count);
        let packets = std::mem::replace(&mut self.record, rest);
        let packets = packets.into_iter().map(|crossing| {
            let comment = self.comment(&crossing);
            (crossing, comment)
        });
        let packets = packets.collect();
        self.crossings_gone += count;
        let events = self.events.get(self.events_taken - self.events_gone..).unwrap_or_default().to_vec();
        self.events_taken += events.len();
        // Those that packets still here are to be told with stay.
        let needed =
            self.record.iter().map(|crossing| crossing.told.start).min().unwrap_or(self.events_taken);
        self.events.drain(..needed.min(self.events_taken) - self.events_gone);
        self.events_gone = needed.min(self.events_taken);
        TakenLog { packets, events }
    }
}

/// What was taken out of a network's log.
#[derive(Debug, Default)]
pub struct TakenLog {
    /// Packets, each with what became of it in words.
    pub packets: Vec<(Crossing, Option<String>)>,
    /// Events.
    pub events: Vec<NetworkEvent>,
}

/// What is worth a reader's time in a capture: not that a translation lives on.
fn is_worth_a_comment(event: &NetworkEvent) -> bool {
    !matches!(
        event,
        NetworkEvent::Router { event: Event { kind: EventKind::TranslationRefreshed { .. }, .. }, .. }
    )
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's serialize_with hands over a reference")]
fn as_micros<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(at.total_micros())
}

fn as_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(number: u64) -> NetworkEvent {
        let what = ChangeKind::TimeSkipped { seconds: number };
        NetworkEvent::Changed(Change { at: Instant::ZERO, what })
    }

    /// Packets that arrive in another order than they left in, with none to three events each; taken out after every
    /// so many steps.
    fn run(take_every: Option<u8>) -> TakenLog {
        let mut log = Log::default();
        let (mut taken, mut under_way, mut events) = (TakenLog::default(), Vec::new(), 0);
        let mut take = |log: &mut Log, under_way: &[usize]| {
            let some = log.take(under_way.iter().min().copied());
            taken.packets.extend(some.packets);
            taken.events.extend(some.events);
        };
        for step in 0..=255_u8 {
            under_way.extend(log.cross((usize::from(step), Direction::Up), Instant::ZERO, &[step], None));
            if step % 3 > 0 {
                let arrived = under_way.remove(usize::from(step) * 7 % under_way.len());
                let told = events..events + u64::from(step % 4);
                events = told.end;
                log.tell(Some(arrived), told.map(change));
            }
            if step % 5 == 0 {
                log.tell(None, std::iter::once(change(1_000_000)));
            }
            if take_every.is_some_and(|every| step % every == 0) {
                take(&mut log, &under_way);
                assert!(log.record.len() <= 256 - under_way.first().copied().unwrap_or(0));
            }
        }
        take(&mut log, &[]);
        assert!(log.record.is_empty() && log.events.is_empty());
        taken
    }

    #[test]
    fn what_is_taken_bit_by_bit_is_what_would_have_been_kept() {
        let whole = run(None);
        assert_eq!(whole.packets.len(), 256);
        assert!(whole.packets.iter().filter(|(_, comment)| comment.is_some()).count() > 50);
        for every in [1, 2, 7, 100] {
            let pieces = run(Some(every));
            assert_eq!(pieces.packets, whole.packets, "every {every}");
            assert_eq!(pieces.events, whole.events, "every {every}");
        }
    }
}
