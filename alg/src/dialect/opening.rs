//! What a gateway makes of an announcement it has read.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What becomes of the other octets of a segment that announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestOfSegment {
    /// They stay; only the endpoint is replaced.
    Keep,
    /// They stay, and the port as it was written; only the address is replaced (Open vSwitch, `repl_ftp_v4_addr`).
    KeepPort,
    /// White space behind the endpoint becomes `\r\n`, and of what follows 256 octets stay, up to an octet 127 (libslirp).
    #[serde(rename = "keep-256")]
    Keep256,
    /// They stay, but the announcement's line is the gateway's own, with its end (`OpenBSD` ftp-proxy, `proxy_reply`).
    OwnLine,
    /// They are lost: the gateway's own line is all the segment carries (libalias, `NewFtpMessage`).
    Lose,
    /// The gateway's own line is laid over the segment's beginning, and the segment is cut at its end by as much as that
    /// line is shorter; a longer one covers the beginning of what follows (ipfilter, `ipf_p_ftp_port`).
    Overwrite,
}

/// Which address a rewritten announcement names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnnouncedAddress {
    /// The router's WAN address, at which the forward is.
    External,
    /// The router's LAN address, where nobody outside gets to (libslirp, `tcp_listen`).
    Lan,
}

/// How an EPRT writes its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExtendedAddress {
    /// With full stops (RFC 2428 §2).
    Dots,
    /// With commas, as PORT does (Open vSwitch, `repl_ftp_v4_addr`); read with either.
    Commas,
}

/// Which delimiter an extended form has, as it comes and when it was rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExtendedDelimiter {
    /// The one it came with.
    Keep,
    /// `|`.
    Bar,
    /// `|`; a form that came with another one is malformed.
    BarOnly,
    /// Whatever stands between the numbers, and stays: family, address and port are read by their digits, one octet
    /// between the last two, and no more than these two are replaced (Open vSwitch).
    Unread,
}

/// Who may use a forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllowedPeer {
    /// The other end of the control connection, from any port.
    Peer,
    /// The other end of the control connection, from the port below the control port (20 for 21).
    PeerDataPort,
    /// Anyone.
    Anyone,
}

impl fmt::Display for AllowedPeer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Peer => "the server",
            Self::PeerDataPort => "the server's data port",
            Self::Anyone => "anyone",
        })
    }
}

/// What becomes of a segment that comes before bytes the gateway has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gaps {
    /// Dropped: its sender sends it again once the gap is closed, and every byte is seen in order.
    Drop,
    /// Passed uninspected; bytes that fill the gap later are not inspected either.
    Pass,
}

/// What becomes of a segment that a longer announcement makes larger than the link's MTU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Oversize {
    /// Sent larger than the MTU (the fault of RFC 3027 §4.1).
    Grow,
    /// Cut at the MTU; its sender sends the rest again.
    Truncate,
    /// The announcement is left alone.
    LeaveAlone,
    /// Dropped where it may not be cut, whenever its sender sends it again; the forward is open.
    Drop,
}

/// What a forward opened by an announcement is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Who may use it.
    pub allowed_peer: AllowedPeer,
    /// How long it waits for its connection, in seconds; 0: as long as its control connection lasts.
    pub lifetime: u32,
    /// How many connections it takes; 0: as many as come in its lifetime.
    pub connections: u16,
    /// How many a control connection may have waiting; one more takes the oldest one's place.
    pub outstanding: u16,
    /// Whether it ends with the control connection's translation: after a FIN or RST that is the closing timeout
    /// later, as in Linux, where an expectation dies with its master's entry.
    pub ends_with_control: bool,
}
