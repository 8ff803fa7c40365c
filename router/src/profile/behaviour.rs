//! The values a profile chooses from.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Which packets share an external port (RFC 4787 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mapping {
    /// All that come from one internal address and port, wherever they go.
    EndpointIndependent,
    /// Those that also go to one address.
    AddressDependent,
    /// Those that also go to one address and port.
    AddressAndPortDependent,
}

/// Which packets from outside a mapping lets in (RFC 4787 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filtering {
    /// Any.
    EndpointIndependent,
    /// Those from an address that the internal endpoint has sent to.
    AddressDependent,
    /// Those from an address and port that the internal endpoint has sent to.
    AddressAndPortDependent,
}

/// What becomes of a packet from the LAN to the router's own WAN address that a host behind it wants (RFC 4787 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hairpinning {
    /// It is dropped.
    Off,
    /// It is for the router itself, as one to its LAN address.
    ToRouter,
    /// It comes back with the source that its sender gave it; on one subnet the answer then misses the router.
    InternalSource,
    /// It comes back with its sender's external source, as from anybody outside (RFC 4787 REQ-9a).
    ExternalSource,
}

/// Which external port a new mapping gets (RFC 4787 §4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortAllocation {
    /// The internal one; where that is taken, what `on-conflict` says.
    Preserving,
    /// The next free one of the range.
    Sequential,
    /// A free one of the range, sought upwards from a random place (RFC 6056 §3.3.1).
    Random,
}

/// What happens where the internal port cannot be preserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortConflict {
    /// The next free one of the range, wherever the last search ended.
    Next,
    /// The next free one above the internal port, and on from the range's beginning.
    Upwards,
    /// A free one of the range, sought upwards from a random place.
    Random,
    /// None: the translation is refused.
    Refuse,
    /// The older mapping ends and the new one has its port. Where a forward holds the port, `next`.
    TakeOver,
}

/// Where a port of 0 to 1023 that is not preserved comes from (RFC 4787 REQ-3a).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SystemPorts {
    /// From the range, as any other.
    Any,
    /// From 1 to 1023.
    OwnRange,
    /// One of 1 to 511 from there, one of 512 to 1023 from 600 to 1023: lower ports prove more.
    TwoRanges,
}

/// Where an ICMP identifier comes from that is not preserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identifiers {
    /// From the range of ports.
    Range,
    /// From 0 to 65535.
    All,
}

/// What tells GRE's packets between two hosts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GreToldBy {
    /// Nothing: all are of one translation.
    Nothing,
    /// The call ID of PPTP's (RFC 2637 §4.1), which the receiver has given, stands in place of the receiver's port. Since the
    /// other end's ID is in no packet from the LAN, an answer comes in only where both are 0.
    CallId,
}

/// What a second host gets that sends to a remote by the same protocol, which has no ports: an answer could be for either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressConflict {
    /// Nothing: its packets are dropped while the first one's translation lives.
    Refuse,
    /// The first one's translation ends, and answers are for the second.
    TakeOver,
}

/// How closely TCP segments are held against the state of their connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TcpTracking {
    /// Every segment of a translation passes.
    Loose,
    /// A segment passes whose flags can come next: no data before the handshake, no second SYN within a connection, no
    /// impossible flags. Sequence numbers are not looked at.
    Strict,
    /// A segment passes whose kind can come next and whose numbers fit into the windows of both ends, or that may show that
    /// the router has missed something. The first may be an acknowledgement in mid-stream.
    Windows,
}

/// What an outbound TCP segment does that belongs to no translation and is no SYN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MidStream {
    /// It makes a translation, as a SYN would.
    Translate,
    /// It is dropped.
    Drop,
    /// It is answered with a RST (RFC 9293 §3.10.7.1), and goes no farther.
    Reset,
}

/// What a RST, or the second FIN, does to its translation once it has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnEnd {
    /// Nothing: the translation lives on as before.
    Keep,
    /// The translation stays for a timeout of its own (RFC 7857 §2.2).
    Transitory,
    /// The translation ends at once.
    Remove,
}

/// What becomes of an ICMP error about a translation's packet (RFC 5508 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IcmpErrors {
    /// It is translated with the packet it quotes, whoever sent it.
    Translate,
    /// Likewise, if the other end of the conversation sent it; errors of routers on the way are dropped.
    TranslateFromPeer,
    /// Its own addresses are translated, and the packet it quotes is left as it is.
    TranslateOuter,
    /// It is dropped.
    Drop,
}

/// An ICMP query besides echo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IcmpQuery {
    /// Types 13 and 14 (RFC 792).
    Timestamp,
    /// Types 15 and 16 (RFC 792).
    Information,
    /// Types 17 and 18 (RFC 950).
    AddressMask,
}

impl fmt::Display for IcmpQuery {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Timestamp => "timestamp",
            Self::Information => "information",
            Self::AddressMask => "address-mask",
        })
    }
}

/// The sequence number that an ICMP error about a rewritten segment quotes to its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuotedSequence {
    /// The one that the sender has given it.
    Original,
    /// The one that the error quotes.
    AsQuoted,
}

/// What is done with ICMP errors between two hosts of the LAN that speak by hairpinning (RFC 5508 REQ-7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HairpinnedErrors {
    /// They are translated both ways with the packet they quote.
    Translate,
    /// They are dropped.
    Drop,
}

/// Which packets make a translation live longer (RFC 4787 §4.3). Refused ones never do (RFC 7857 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refresh {
    /// Those to the outside.
    Outbound,
    /// Those from the outside.
    Inbound,
    /// All.
    Both,
}

/// What a new translation does when the table is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// It is refused and its packet dropped.
    Refuse,
    /// It takes the place of the one that was made first.
    EvictOldest,
    /// It takes the place of the one that would expire first.
    EvictIdle,
    /// It takes the place of the oldest one that has not come so far that both ends count on it: a connection before its
    /// handshake is complete or after a RST, an exchange of which one end only has sent, any ICMP query. Where there is none,
    /// it is refused.
    EvictUnestablished,
}

/// What the sender hears whose packet gets no translation for want of room or ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TellRefusal {
    /// Nothing.
    Drop,
    /// ICMP destination unreachable, code 13 (RFC 5508 REQ-8).
    Prohibited,
    /// ICMP host unreachable, code 1, which a TCP does not give up for (RFC 6888 REQ-11).
    HostUnreachable,
}

/// What an echo request to the WAN address gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToWan {
    /// An answer.
    Answer,
    /// Nothing.
    Drop,
}

/// What a TCP segment to the WAN address gets that nothing wants or that filtering refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnsolicitedTcp {
    /// Nothing.
    Drop,
    /// A RST (RFC 9293 §3.10.7.1).
    Reset,
    /// ICMP port unreachable (RFC 5382 REQ-4).
    PortUnreachable,
    /// ICMP communication administratively prohibited, code 13.
    Prohibited,
}

/// What a datagram to the WAN address gets that nothing wants or that filtering refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnsolicitedUdp {
    /// Nothing.
    Drop,
    /// ICMP port unreachable.
    PortUnreachable,
    /// ICMP communication administratively prohibited, code 13.
    Prohibited,
}

/// What becomes of a packet from the WAN to an address that is not the router's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForeignDestination {
    /// It is dropped.
    Drop,
    /// It is dropped where it would be forwarded: one whose time to live ends, or that is too large for its next link, has
    /// been answered before.
    CheckFirst,
}

/// The identification field of what leaves to the WAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identification {
    /// As the host has set it: two hosts may use one number at a time.
    Keep,
    /// Where a packet is, or may become, a fragment, the router's next number (RFC 7857 §10, RFC 6864 §5.3.1).
    Rewrite,
}

/// Which source addresses packets from the LAN may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sources {
    /// Those of the port's subnet (RFC 2827 §3).
    Lan,
    /// Any host's but the router's own.
    Any,
}

/// What is done with IP options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IpOptions {
    /// They pass as they are.
    Pass,
    /// A packet with a source route is dropped, and a recorded route gets the router's address on the side that the packet
    /// leaves to (RFC 791 §3.1).
    Process,
}

/// The type of service of what the router itself sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnTypeOfService {
    /// 0.
    Zero,
    /// An answer has that of what it answers; an ICMP error with precedence 6 (RFC 1812 §4.3.2.5).
    FromPacket,
}

/// In what of its own the router sets "don't fragment".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnDontFragment {
    /// In all; in an echo's reply where its request has it.
    All,
    /// In TCP only.
    Tcp,
}

/// How a packet leaves that came in fragments and was put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FragmentCut {
    /// Cut where the next link asks for it.
    ToMtu,
    /// Cut where it was cut before, if the fragments fit through the next link.
    AsItCame,
}

/// What is done with fragments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FragmentHandling {
    /// They follow the first one's translation; those that come before it wait, as many as `held` says.
    Follow,
    /// They wait until the packet is whole, which is then translated, and cut again where the next link asks for it.
    Reassemble,
    /// They are dropped.
    Drop,
}

/// For how long a port can be asked for by UPnP-IGD (WANIPConnection:1 §2.4.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leases {
    /// For as many seconds as the host says, or for good.
    Any,
    /// For good alone; anything else is refused with error 725.
    Permanent,
}

/// A range of ports, written `"1024-65535"`; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest.
    pub first: u16,
    /// The highest.
    pub last: u16,
}

impl PortRange {
    /// Whether `port` lies in it.
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.first, self.last)
    }
}

impl Serialize for PortRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PortRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(PortRangeVisitor)
    }
}

struct PortRangeVisitor;

impl Visitor<'_> for PortRangeVisitor {
    type Value = PortRange;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("two ports from 1 to 65535 with the lower first, as in \"1024-65535\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<PortRange, E> {
        let range = text.split_once('-').and_then(|(first, last)| {
            Some(PortRange { first: first.trim().parse().ok()?, last: last.trim().parse().ok()? })
        });
        range
            .filter(|range| range.first > 0 && range.first <= range.last)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}
