//! What happened and why: one stream of typed events that logs, captures' comments, verdicts and explanations are
//! made from.

mod text;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_alg::{AllowedPeer, LeftAlone};
use serde::{Serialize, Serializer};
use smoltcp::time::Instant;

use crate::packet::Protocol;
use crate::profile::PortRange;
use crate::reason::DropReason;

/// One thing that happened in a router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// When, in microseconds of the router's clock.
    #[serde(rename = "time_us", serialize_with = "as_micros")]
    pub at: Instant,
    /// Which packet brought it about, counted from 1; `None` where time did.
    pub packet: Option<u64>,
    /// What it is.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// The kinds of event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields' meanings are those of the types they have")]
pub enum EventKind {
    /// A packet goes on its way. Only where [`Detail::Packets`] asks for it.
    PacketForwarded { egress: Interface, translation: Option<u32>, passage: Passage },
    /// A packet ends here.
    PacketDropped {
        reason: DropReason,
        packet_source: Option<Ipv4Addr>,
        packet_destination: Option<Ipv4Addr>,
    },
    /// The router answers a packet itself.
    PacketAnswered { answer: Answer, to: Ipv4Addr },
    /// A fragment waits for its first one.
    FragmentHeld { source: Ipv4Addr, destination: Ipv4Addr, identification: u16 },
    /// A SYN that nothing wants waits for its answer.
    SynHeld { source: SocketAddrV4, destination: SocketAddrV4, answered_s: u32 },
    /// A translation is made.
    TranslationCreated {
        translation: u32,
        protocol: Protocol,
        inside: SocketAddrV4,
        external: SocketAddrV4,
        remote: SocketAddrV4,
        #[serde(flatten)]
        origin: Origin,
    },
    /// A translation lives longer; at most one event a second and translation.
    TranslationRefreshed { translation: u32, expires_s: u32 },
    /// A control connection's translation outlives its timeout, for the sake of its data connections.
    ControlKept { translation: u32, expires_s: u32 },
    /// A translation is not made.
    TranslationRefused {
        protocol: Protocol,
        inside: SocketAddrV4,
        remote: SocketAddrV4,
        reason: TranslationRefusal,
    },
    /// A translation ends.
    TranslationEnded { translation: u32, reason: TranslationEnd },
    /// The gateway opens a forward.
    ForwardOpened {
        forward: u32,
        control: u32,
        external: SocketAddrV4,
        target: SocketAddrV4,
        allowed: AllowedPeer,
        /// `None`: it lasts as long as its control connection.
        expires_s: Option<u32>,
    },
    /// An announcement that is made again refreshes its forward.
    ForwardRefreshed { forward: u32, expires_s: u32 },
    /// A connection comes in through a forward.
    ForwardUsed { forward: u32, translation: u32 },
    /// A forward ends.
    ForwardEnded { forward: u32, reason: ForwardEnd },
    /// Ports of the WAN address open for a LAN host for a time.
    PortsOpened {
        opening: u32,
        protocol: Protocol,
        ports: PortRange,
        target: SocketAddrV4,
        #[serde(flatten)]
        origin: Origin,
        /// `None`: they are open for good.
        expires_s: Option<u32>,
    },
    /// They stay open longer, or less long; `None`: for good.
    PortsRefreshed { opening: u32, expires_s: Option<u32> },
    /// Ports that a LAN host asked for do not open.
    PortsRefused { protocol: Protocol, target: SocketAddrV4, wanted: u16, reason: OpeningRefusal },
    /// Ports close; what came in through them goes on.
    PortsClosed { opening: u32, reason: OpeningEnd },
    /// An announcement is rewritten.
    CommandRewritten { translation: u32, before: String, after: String, forward: Option<u32> },
    /// So many octets of a line that is not complete wait for the rest.
    LineHeld { translation: u32, octets: u32 },
    /// A command is made unreadable.
    CommandMasked { translation: u32, before: String, after: String },
    /// An announcement passes as it is.
    CommandLeftAlone {
        translation: u32,
        /// The line, where it could be read.
        line: Option<String>,
        announced: Option<SocketAddrV4>,
        reason: LeftAlone,
    },
}

/// Where a packet comes from or goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interface {
    /// A port of the LAN, in the order the router was given them.
    Lan(u8),
    /// The WAN.
    Wan,
}

impl Serialize for Interface {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How a packet passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Passage {
    /// Its addresses are translated.
    Translated,
    /// It is an ICMP error and is translated with the packet it quotes.
    IcmpErrorTranslated,
    /// A later fragment, translated as its first one was.
    FragmentTranslated,
    /// From one LAN host to another through the WAN address.
    Hairpinned,
    /// Between two ports of one switch.
    Switched,
    /// Between two LAN subnets.
    Routed,
}

/// What the router answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// An echo reply.
    EchoReply,
    /// ICMP time exceeded in transit.
    TimeExceeded,
    /// ICMP protocol unreachable.
    ProtocolUnreachable,
    /// ICMP port unreachable.
    PortUnreachable,
    /// ICMP fragmentation needed and DF set.
    FragmentationNeeded,
    /// ICMP communication administratively prohibited.
    Prohibited,
    /// ICMP host unreachable.
    HostUnreachable,
    /// A TCP reset.
    Reset,
    /// A response of NAT-PMP.
    NatPmp,
    /// Responses to a search for UPnP devices.
    Ssdp,
    /// TCP segments of its UPnP-IGD service.
    UpnpIgd,
}

/// What made a translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "origin", rename_all = "kebab-case")]
pub enum Origin {
    /// A packet from the LAN.
    Outbound,
    /// A packet from the WAN, or one that is hairpinned, that filtering admits to a mapping.
    Mapping,
    /// A packet from the WAN through a forward of the gateway's.
    AlgForward,
    /// A packet from the WAN through a forward of the user's.
    StaticForward,
    /// A packet from the WAN through a port that the host asked for by NAT-PMP.
    Requested,
    /// A packet from the WAN through a port that was asked for by UPnP-IGD.
    UpnpIgd,
    /// A packet from the WAN through a port that the host's own traffic triggered.
    Triggered,
    /// A packet from the WAN that nothing else wanted.
    DmzHost,
}

/// Why ports that a LAN host asked for do not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpeningRefusal {
    /// As many are open as the profile allows.
    TooMany,
    /// No external port is free.
    NoPortLeft,
    /// The port is another host's, or a mapping has it.
    PortTaken,
    /// It would lead to another host than the one that asks.
    ForAnotherHost,
    /// It would not be open for good, and the profile grants nothing else.
    NotForGood,
}

/// Why ports of a LAN host close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpeningEnd {
    /// Their time is over.
    Expired,
    /// Who asked for them asked for it.
    Deleted,
    /// The same port was asked for again, with something else behind it.
    Replaced,
}

/// Why a translation is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TranslationRefusal {
    /// The table is full.
    TableFull,
    /// The LAN host has as many as one host may have.
    HostLimit,
    /// No external port is free.
    NoPortLeft,
    /// Another host has one to the same remote, by a protocol without ports.
    RemoteTaken,
}

/// Why a translation ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TranslationEnd {
    /// No packet refreshed it for its timeout.
    Expired,
    /// A new one took its place in a full table.
    Evicted,
    /// A new one between the same inside endpoint and remote took its place.
    Replaced,
    /// Another internal endpoint took its external port over, or where there are no ports its remote.
    PortTakenOver,
    /// A RST passed.
    Reset,
    /// Both FINs passed.
    Closed,
    /// The gateway ended the session.
    SessionRefused,
}

/// Why a forward of the gateway's ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardEnd {
    /// Its lifetime is over.
    Expired,
    /// It has taken all the connections it may.
    UsedUp,
    /// A newer one of its control connection took its place.
    Replaced,
    /// Its control connection ended.
    ControlEnded,
}

/// How much a router tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Detail {
    /// Nothing: for a router nobody listens to.
    Nothing,
    /// Every drop and answer, every change of a table, every decision of a gateway.
    #[default]
    Changes,
    /// And every packet that is forwarded.
    Packets,
}

/// Events that wait to be read.
#[derive(Debug)]
pub(crate) struct EventLog {
    detail: Detail,
    now: Instant,
    packet: Option<u64>,
    events: VecDeque<Event>,
}

impl EventLog {
    pub(crate) fn new(detail: Detail) -> Self {
        Self { detail, now: Instant::ZERO, packet: None, events: VecDeque::new() }
    }

    /// What follows happens at `now`, brought about by `packet`.
    pub(crate) fn at(&mut self, now: Instant, packet: Option<u64>) {
        self.now = now;
        self.packet = packet;
    }

    /// When what is under way happens.
    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    #[inline]
    pub(crate) fn wants(&self, detail: Detail) -> bool {
        self.detail >= detail
    }

    pub(crate) fn push(&mut self, kind: EventKind) {
        if self.wants(Detail::Changes) {
            self.events.push_back(Event { at: self.now, packet: self.packet, kind });
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's serialize_with hands over a reference")]
fn as_micros<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(at.total_micros())
}
