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

/// Which external port a new mapping gets (RFC 4787 §4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortAllocation {
    /// The internal one; where that is taken, the next free one of the range.
    Preserving,
    /// The next free one of the range.
    Sequential,
}

/// What an outbound TCP segment does that belongs to no translation and is no SYN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MidStream {
    /// It makes a translation, as a SYN would.
    Translate,
    /// It is dropped.
    Drop,
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

/// What a packet to the WAN address gets that nothing wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unsolicited {
    /// Nothing.
    Drop,
    /// A RST for TCP, an ICMP port unreachable for UDP.
    Reject,
}

/// What is done with fragments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FragmentHandling {
    /// They follow the first one's translation; those that come before it wait.
    Follow,
    /// They are dropped.
    Drop,
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
