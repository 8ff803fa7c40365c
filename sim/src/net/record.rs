//! What happened in a network: the packets that crossed its wires, and the one stream of events.

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::Arc;

use quirknat_router::event::{Event, EventKind};
use serde::{Serialize, Serializer};
use smoltcp::time::Instant;

use super::link::LinkLoss;

/// A packet on a wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// Which wire, as an index into [`Network::wires`](super::Network::wires).
    pub wire: usize,
    /// When.
    pub at: Instant,
    /// The packet.
    pub bytes: Vec<u8>,
    /// Whether it was lost before it came to where the wire is watched.
    pub lost: bool,
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
    #[serde(serialize_with = "as_micros")]
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
    #[serde(serialize_with = "as_micros")]
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
}

impl Log {
    /// Notes a packet on a wire; gives its place in the record.
    pub(super) fn cross(&mut self, wire: usize, at: Instant, bytes: &[u8]) -> Option<usize> {
        self.crossings += 1;
        if self.forgets {
            return None;
        }
        let told = self.events.len()..self.events.len();
        self.record.push(Crossing { wire, at, bytes: bytes.to_vec(), lost: false, told });
        Some(self.record.len() - 1)
    }

    /// Notes events, and which packet on which wire brought them about.
    pub(super) fn tell(&mut self, crossing: Option<usize>, events: impl Iterator<Item = NetworkEvent>) {
        if self.forgets {
            events.for_each(|event| log::info!("{event}"));
            return;
        }
        let start = self.events.len();
        self.events.extend(events);
        if let Some(crossing) = crossing.and_then(|index| self.record.get_mut(index)) {
            crossing.told = start..self.events.len();
        }
    }
}

/// What is worth a reader's time in a capture: not that a translation lives on.
pub(super) fn is_worth_a_comment(event: &NetworkEvent) -> bool {
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
