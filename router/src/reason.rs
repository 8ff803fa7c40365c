//! Why a packet ends at the router.

use quirknat_alg::Refused;
use serde::Serialize;

use crate::packet::Malformed;

/// Why a packet was dropped. The text completes "dropped: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// It is not a packet the router can read.
    #[error("{0}")]
    Malformed(Malformed),
    /// It is to a broadcast or multicast address, or from one.
    #[error("a broadcast or multicast address, which a router does not pass on")]
    NotUnicast,
    /// It came from the LAN with an address of another network.
    #[error("from the LAN with a source address that is not the LAN's")]
    SourceNotOnLan,
    /// It came from the WAN with an address of the LAN's or the router's own.
    #[error("from the WAN with a source address of the LAN's or the router's own")]
    SourceSpoofed,
    /// It came from the WAN to an address that is not the router's.
    #[error("from the WAN to an address that is not the router's")]
    DestinationNotOurs,
    /// It came from the LAN to the router's WAN address: hairpinning, which is not done.
    #[error("from the LAN to the router's WAN address, and hairpinning is off")]
    Hairpinning,
    /// It carries a source route, which is not followed.
    #[error("it carries a source route, which is not followed")]
    SourceRouted,
    /// Its protocol is not translated.
    #[error("a protocol that is not translated")]
    UnsupportedProtocol,
    /// Its ICMP type is not translated.
    #[error("an ICMP type that is not translated")]
    UnsupportedIcmpType,
    /// An ICMP error that quotes no packet of a translation.
    #[error("an ICMP error that quotes no packet of a translation")]
    UnrelatedIcmpError,
    /// An ICMP error, and none of its kind is translated.
    #[error("an ICMP error, and none of its kind is translated")]
    IcmpErrorRefused,
    /// An ICMP error that another than the conversation's other end sent.
    #[error("an ICMP error that another than the conversation's other end sent")]
    IcmpErrorNotFromPeer,
    /// Its time to live is used up.
    #[error("its time to live is used up")]
    TtlExceeded,
    /// It is larger than the link's MTU and may not be fragmented.
    #[error("larger than the link's MTU and may not be fragmented")]
    FragmentationNeeded,
    /// It belongs to no translation and may not open one: a RST, an echo reply, a segment in mid-stream.
    #[error("belongs to no translation and may not open one")]
    NoTranslation,
    /// Its flags cannot come next in its connection, which is tracked strictly or by its windows.
    #[error("its flags cannot come next in its connection")]
    OutOfState,
    /// Its numbers do not fit into its connection's windows.
    #[error("its numbers do not fit into its connection's windows")]
    OutOfWindow,
    /// The translation table is full.
    #[error("the translation table is full")]
    TableFull,
    /// The LAN host has as many translations as one host may have.
    #[error("its host has as many translations as one may have")]
    HostLimit,
    /// No external port is free.
    #[error("no external port is free")]
    NoPortLeft,
    /// Another host sends to the same remote by this protocol, which has no ports.
    #[error("another host sends to its destination by the same protocol, which has no ports")]
    RemoteTaken,
    /// Filtering does not admit its source to the mapping it is sent to.
    #[error("filtering does not admit its source to the mapping")]
    Filtered,
    /// Nothing wants it: no translation, no forward, no DMZ host.
    #[error("unsolicited: no translation, no forward and no DMZ host wants it")]
    Unsolicited,
    /// A SYN that nothing wanted, and its connection was opened from the LAN before it was answered (RFC 5382 REQ-4).
    #[error("unsolicited, and its connection was opened from the LAN before an answer was due")]
    OpenedMeanwhile,
    /// A SYN that nothing wants, and there is no room to let it wait for its answer.
    #[error("unsolicited, and no room to let it wait for its answer")]
    SynNoRoom,
    /// It would use a forward of the gateway's that is open to another peer.
    #[error("the forward is open to another peer")]
    ForwardForAnotherPeer,
    /// An echo request to the WAN address, which the router does not answer.
    #[error("an echo request to the WAN address, which is not answered")]
    WanPing,
    /// It is to the router itself, which has no such service.
    #[error("to the router itself, which has no such service")]
    NoService,
    /// It is a request to a service of the router's that cannot be read, or no request.
    #[error("to a service of the router's, and no request that can be read")]
    UnreadableRequest,
    /// It came in fragments that do not fit together.
    #[error("in fragments that do not fit together")]
    FragmentContradicts,
    /// It is to a LAN host that is on the port it came from, or on none.
    #[error("to a LAN host that no other port leads to")]
    NoSuchStation,
    /// Fragments are not passed.
    #[error("fragments are not passed")]
    Fragment,
    /// A fragment of which the first one did not come in time.
    #[error("a fragment whose first one did not come in time")]
    FragmentTimeout,
    /// Fragments of a packet that was not whole in time.
    #[error("fragments of a packet that was not whole in time")]
    ReassemblyTimeout,
    /// A fragment, and there is no room to let it wait.
    #[error("a fragment, and no room to let it wait for the others")]
    FragmentNoRoom,
    /// A fragment of a control connection's segment, which the gateway cannot read.
    #[error("a fragment of a control connection's segment")]
    FragmentOfControl,
    /// The gateway refused what it announces.
    #[error("{0}")]
    AnnouncementRefused(Refused),
    /// The gateway moves the numbers of its connection, and finds no end to the segment's TCP options.
    #[error(
        "a control connection's segment whose TCP options are malformed, and its numbers are to be moved"
    )]
    TcpOptionsMalformed,
    /// An ICMP error that the gateway takes for a segment of the connection it is about, and cannot read as one.
    #[error("an ICMP error taken for a segment of its control connection, and it cannot be read as one")]
    ErrorReadAsSegment,
    /// A segment of a control connection before which bytes are missing.
    #[error("a control connection's segment before which bytes are missing; its sender sends it again")]
    GapInControl,
}

impl From<Refused> for DropReason {
    fn from(refused: Refused) -> Self {
        Self::AnnouncementRefused(refused)
    }
}

impl From<Malformed> for DropReason {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}
