//! What a gateway does once it has decided to open and rewrite: which port it takes, what becomes of a command that is
//! given again, and how the two ends' numbers are kept apart.

use serde::{Deserialize, Serialize};

/// Which external port an announcement gets, at the first try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataPort {
    /// The announced one.
    Same,
    /// One by the router's own port allocation.
    Allocated,
    /// Any one of a range.
    Random,
}

/// What makes an external port one that an announcement cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortTaken {
    /// That a translation or forward of any kind leads from it to another endpoint.
    AnyUse,
    /// That a translation or a gateway's forward at it is one with the same server, whoever else's it is (libalias, whose
    /// links are told apart by port and other end).
    AnyUseOfSamePeer,
    /// That another control connection has a forward at it which the same server may use (Linux, where only
    /// expectations clash).
    ForwardOfSamePeer,
}

/// What is tried where the announced port is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataPortConflict {
    /// Nothing.
    GiveUp,
    /// One by the router's own port allocation.
    Allocated,
    /// Any one of a range, then another.
    Random,
    /// Any one above the announced one, then another.
    RandomAbove,
}

/// What becomes of an announcement for which no port is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoDataPort {
    /// It is left alone.
    Pass,
    /// Its segment is dropped.
    Drop,
}

/// What an announcement of an endpoint does that its control connection has a forward to already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeated {
    /// It gets the same port, and the forward's time begins anew.
    Refresh,
    /// It looks for a port like any other; its own forward is not in its way, and gives way where it is met.
    OpenAgain,
    /// It looks for a port like any other, and its own forward is in its way: it gets another one.
    NewPort,
}

/// What a control connection's translation outlives: while there is any of it, time does not end the translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlOutlives {
    /// Nothing: a transfer may take longer than its control connection may be idle.
    Nothing,
    /// Its forwards, and the connections that came in through one between its two hosts (Linux 2.2 `masq_expire`).
    Forwards,
    /// All other TCP connections between its two hosts, whichever end dialled: of a passive transfer the gateway knows no
    /// more (RFC 6384 §12).
    DataConnections,
}

/// How the two ends' sequence numbers are kept apart once the gateway has made lines longer or shorter. All but the
/// first read a segment that is sent again as if it came for the first time, and rewrite it anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SequenceNumbers {
    /// Each rewritten piece is remembered, with where it stands: whatever is lost, repeated or cut another way, the
    /// receiver sees one stream, and no byte is acknowledged that did not arrive.
    ExactMap,
    /// Two offsets, that before the newest rewritten segment and that behind it (Linux `nf_conntrack_seqadj`).
    TwoOffsets,
    /// The same, with acknowledgements compared in the receiver's numbers (Linux 2.2 `ip_masq_app`).
    TwoDeltas,
    /// The ends of the newest rewritten segments, each with the difference from there on (libalias).
    Ring,
    /// One difference, for all of a direction's segments, and only one direction at a time (Open vSwitch).
    Latest,
    /// Two slots, compared without regard to numbers that wrap (ipfilter).
    TwoSlots,
}

impl SequenceNumbers {
    /// How many rewrites it remembers, where that is part of what it is.
    pub const fn remembers(self) -> Option<u8> {
        match self {
            Self::ExactMap | Self::Ring => None,
            Self::TwoOffsets | Self::TwoDeltas | Self::TwoSlots => Some(2),
            Self::Latest => Some(1),
        }
    }
}

/// When what a gateway remembers of a connection is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BeginsAnew {
    /// When an end sends a SYN with another number than before.
    OnSyn,
    /// With its translation: a SYN within a connection that goes on changes nothing.
    WithTranslation,
}

/// What is read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reassembly {
    /// A segment, as its sender cut it.
    Segment,
    /// A line (RFC 6384 §5): of one that is not complete, and may become an announcement, the router keeps what came. It
    /// acknowledges that itself, and sends the line on in one piece.
    Line,
}
