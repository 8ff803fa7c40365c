//! What a profile says of translations: which there are, their ports, their timeouts, the table that holds them.

use quirknat_alg::Range;
use serde::{Deserialize, Serialize};

use super::Stated;
use super::behaviour::{
    AddressConflict, Filtering, GreToldBy, HairpinnedErrors, Hairpinning, IcmpErrors, IcmpQuery,
    Identification, Identifiers, IpOptions, Mapping, MidStream, OnEnd, OwnDontFragment, OwnTypeOfService,
    PortAllocation, PortConflict, PortRange, QuotedSequence, Refresh, Sources, SystemPorts, TcpTracking,
    TellRefusal, WhenFull,
};

/// Address and port translation, in RFC 4787's words, for each protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Nat {
    /// TCP (RFC 5382).
    pub tcp: Sessions,
    /// UDP (RFC 4787).
    pub udp: Sessions,
    /// ICMP queries (RFC 5508 §3).
    pub icmp: Queries,
    /// The others.
    pub other: OtherProtocols,
}

/// The sessions of a protocol with ports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sessions {
    /// Which packets share an external port (RFC 4787 §4.1).
    pub mapping: Stated<Mapping>,
    /// Which packets from outside an existing mapping lets in (RFC 4787 §5).
    pub filtering: Stated<Filtering>,
    /// Packets from the LAN to the WAN address (RFC 4787 §6).
    pub hairpinning: Stated<Hairpinning>,
}

/// ICMP queries. The identifier stands for the internal port; the other end has none, so that what depends on its address
/// and port depends on its address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Queries {
    /// Which queries share an external identifier.
    pub mapping: Stated<Mapping>,
    /// Whose replies an existing mapping lets in. Requests from outside are the router's own.
    pub filtering: Stated<Filtering>,
}

/// Protocols that are neither TCP nor UDP nor ICMP. They have no ports, so that a translation is between two hosts; what
/// comes in belongs to one that the LAN has begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OtherProtocols {
    /// The numbers of those that are translated, by their addresses alone. All others are dropped.
    pub protocols: Stated<Vec<Range>>,
    /// What tells GRE's packets between two hosts apart; without effect unless it is translated.
    pub gre: Stated<GreToldBy>,
    /// What a second host gets that sends to a remote by the same protocol.
    pub on_conflict: Stated<AddressConflict>,
}

/// External ports, and ICMP identifiers with them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ports {
    /// Which one a new mapping gets (RFC 4787 §4.2.1).
    pub allocation: Stated<PortAllocation>,
    /// What happens where the internal one cannot be preserved; without effect on other allocations.
    pub on_conflict: Stated<PortConflict>,
    /// Whether an even UDP port gets an even one and an odd one an odd one (RFC 4787 §4.2.2).
    pub parity: Stated<bool>,
    /// Where ports of 0 to 1023 that are not preserved come from.
    pub system_ports: Stated<SystemPorts>,
    /// The ports an allocation takes from where the internal one is not preserved, both ends included.
    pub range: Stated<PortRange>,
    /// Whether two internal endpoints can have one external port at a time, told apart by where they go (RFC 4787 REQ-3).
    pub overloading: Stated<bool>,
    /// Whether a new mapping first tries the port that its internal endpoint has in its latest mapping; without effect where
    /// mappings are endpoint-independent.
    pub reuse: Stated<bool>,
    /// Where an ICMP identifier comes from that is not preserved.
    pub identifiers: Stated<Identifiers>,
    /// Whether no mapping gets a port that a forward leads elsewhere from.
    pub reserved_by_forwards: Stated<bool>,
    /// How long nobody gets a TCP or UDP port whose mapping ended (RFC 6888 REQ-8), in seconds.
    pub reuse_delay: Stated<u32>,
}

/// TCP connection tracking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tcp {
    /// How closely segments are held against their connection's state.
    pub tracking: Stated<TcpTracking>,
    /// What an outbound segment does that belongs to no translation and is no SYN.
    pub mid_stream: Stated<MidStream>,
    /// What a RST does to its translation.
    pub on_rst: Stated<OnEnd>,
    /// What a FIN does: one half-closes the connection, the second one closes it.
    pub on_fin: Stated<OnEnd>,
    /// How often an end may repeat one acknowledgement before its connection has `tcp-retransmitted`; without effect unless
    /// windows are tracked.
    pub retransmissions: Stated<u8>,
}

/// ICMP errors about a translation's packets. An error about anything else is dropped: there is nobody to give it to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Icmp {
    /// Those from outside.
    pub inbound_errors: Stated<IcmpErrors>,
    /// Those from the LAN.
    pub outbound_errors: Stated<IcmpErrors>,
    /// Those between two hosts of the LAN; without effect where nothing is hairpinned.
    pub hairpinned_errors: Stated<HairpinnedErrors>,
    /// Whether one from the LAN must be to the other end of the conversation it is about.
    pub outbound_errors_to_peer: Stated<bool>,
    /// What an error about a rewritten segment quotes.
    pub quoted_sequence: Stated<QuotedSequence>,
    /// Which queries are translated besides echo.
    pub queries: Stated<Vec<IcmpQuery>>,
}

/// How long an idle translation lives, in seconds, and what counts as use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Timeouts {
    /// A TCP connection before its handshake is complete.
    pub tcp_opening: Stated<u32>,
    /// A TCP connection whose SYN was answered; without effect unless windows are tracked.
    pub tcp_opening_answered: Stated<u32>,
    /// An established TCP connection.
    pub tcp_established: Stated<u32>,
    /// A TCP connection after one end's FIN.
    pub tcp_half_closed: Stated<u32>,
    /// A TCP connection after one end's FIN was acknowledged; without effect unless windows are tracked.
    pub tcp_half_closed_acknowledged: Stated<u32>,
    /// A TCP connection after both FINs, the last one not acknowledged; without effect unless windows are tracked.
    pub tcp_closing_unacknowledged: Stated<u32>,
    /// A TCP connection after both FINs.
    pub tcp_closing: Stated<u32>,
    /// A TCP connection after a RST.
    pub tcp_reset: Stated<u32>,
    /// The most for a TCP connection with an end that repeats itself or has closed its window; without effect unless windows
    /// are tracked.
    pub tcp_retransmitted: Stated<u32>,
    /// The most for a TCP connection with data that was not acknowledged; without effect unless windows are tracked.
    pub tcp_unacknowledged: Stated<u32>,
    /// A UDP exchange of which one side only has sent.
    pub udp: Stated<u32>,
    /// A UDP exchange of which both sides have sent.
    pub udp_answered: Stated<u32>,
    /// How old an exchange must be, in seconds, for a datagram after its first answer to set `udp-answered`, where one before
    /// sets `udp`; 0: the first answer sets it.
    pub udp_answered_after: Stated<u32>,
    /// An ICMP query without an answer.
    pub icmp: Stated<u32>,
    /// An ICMP query that was answered.
    pub icmp_answered: Stated<u32>,
    /// An exchange by a protocol without ports of which the inside end only has sent.
    pub other: Stated<u32>,
    /// One of which both ends have sent.
    pub other_answered: Stated<u32>,
    /// An exchange by GRE of which the inside end only has sent.
    pub gre: Stated<u32>,
    /// One of which both ends have sent.
    pub gre_answered: Stated<u32>,
    /// Which segments refresh a connection. One that changes its state sets the state's timeout, whoever sent it.
    pub tcp_refresh: Stated<Refresh>,
    /// Which datagrams refresh an exchange, and which packets of protocols without ports.
    pub udp_refresh: Stated<Refresh>,
    /// Which messages refresh a query.
    pub icmp_refresh: Stated<Refresh>,
}

/// The translation table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Table {
    /// How many translations it holds.
    pub translations: Stated<u32>,
    /// How many of them one LAN host may have (RFC 6888 REQ-4); 0: as many as there are. More are refused.
    pub per_host: Stated<u32>,
    /// What a new translation does when the table is full.
    pub when_full: Stated<WhenFull>,
    /// What the sender hears of a refusal.
    pub tell_refusal: Stated<TellRefusal>,
}

/// The IPv4 header.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ip {
    /// The identification field of what leaves to the WAN.
    pub identification: Stated<Identification>,
    /// Which source addresses packets from the LAN may have.
    pub sources: Stated<Sources>,
    /// The options of what is forwarded.
    pub options: Stated<IpOptions>,
    /// The type of service of what the router itself sends.
    pub own_type_of_service: Stated<OwnTypeOfService>,
    /// In what of its own the router sets "don't fragment".
    pub own_dont_fragment: Stated<OwnDontFragment>,
}
