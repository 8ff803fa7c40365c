//! A gateway's behaviour as data. A router profile fills it in; the code never asks which router it is.
//!
//! The values are those that differ between gateways in the field: Linux `nf_conntrack_ftp`, `FreeBSD` libalias,
//! libslirp, ipfilter, `OpenBSD` ftp-proxy, Open vSwitch.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Command;
use crate::acting::{DataPort, DataPortConflict, NoDataPort, PortTaken, Repeated, SequenceNumbers};

/// What one gateway recognises, what it does with it, and what the forwards it opens are good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Server ports whose connections are FTP control connections to this gateway. Empty: no gateway at all.
    pub control_ports: Vec<u16>,
    /// The commands and replies it rewrites.
    pub commands: Vec<Command>,
    /// Where a keyword may stand.
    pub keyword_position: KeywordPosition,
    /// Which letters a keyword may be written in.
    pub letter_case: LetterCase,
    /// What an octet over 255 is.
    pub octets: Octets,
    /// What must follow the announcement's last digit.
    pub line_end: LineEnd,
    /// What becomes of a segment whose announcement cannot be read.
    pub malformed: Malformed,
    /// What an address other than the sender's means.
    pub third_party: ThirdParty,
    /// Ports below this are low (RFC 2577 §3 says 1024); 0: none is.
    pub low_ports_below: u16,
    /// What an announcement of a low port means.
    pub low_ports: LowPorts,
    /// Which external port the announcement gets.
    pub data_port: DataPort,
    /// What counts as taken.
    pub data_port_taken: PortTaken,
    /// What is tried where the announced one is taken.
    pub data_port_conflict: DataPortConflict,
    /// How many ports are tried in all, where they are drawn; the announced one is the first.
    pub data_port_tries: u16,
    /// What becomes of an announcement for which no port is found.
    pub no_data_port: NoDataPort,
    /// What an announcement does that was made before.
    pub repeated: Repeated,
    /// What a forward opened by an announcement is good for.
    pub terms: Terms,
    /// How the two ends' numbers are kept apart once lengths have changed.
    pub sequence_numbers: SequenceNumbers,
    /// Rewrites that a direction of a connection remembers.
    pub rewrites_remembered: usize,
    /// Whether SACK blocks follow the rewritten sequence numbers.
    pub adjust_sack: bool,
    /// What becomes of a segment that comes before bytes the gateway has not seen.
    pub gaps: Gaps,
    /// What becomes of a segment that a longer announcement makes larger than the link's MTU.
    pub oversize: Oversize,
}

/// Where in a segment a keyword may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeywordPosition {
    /// At the first byte of a segment, whatever came before.
    SegmentStart,
    /// At the first byte of a segment, if the byte before it in the stream ended a line.
    LineStartOfSegment,
    /// At the start of any line, also in the middle of a segment.
    AnyLineStart,
    /// Anywhere, also in the middle of a word.
    Anywhere,
}

/// Which letters a keyword may be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LetterCase {
    /// `PORT`, `port`, `PoRt`.
    Any,
    /// `PORT` only.
    Upper,
    /// `PORT` or `port`.
    UpperOrLower,
}

/// What an octet over 255 is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Octets {
    /// The announcement is malformed.
    Malformed,
    /// Taken modulo 256.
    Modulo256,
}

/// What must follow the announcement's last digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineEnd {
    /// `\r\n`, in the same segment.
    Crlf,
    /// `\r`, in the same segment.
    Cr,
    /// `\r` or `\n`, in the same segment.
    CrOrLf,
    /// Any byte but a digit, in the same segment.
    NonDigit,
    /// Nothing: the segment may end with the digits.
    None,
}

/// What becomes of a segment whose announcement cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Malformed {
    /// It passes as it is.
    Pass,
    /// It is dropped.
    Drop,
}

/// What an announced address means that is not the sender's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThirdParty {
    /// Left alone, no forward (RFC 6384 §7).
    Pass,
    /// Rewritten, and the forward leads to the address that was announced (the hole of CVE-2001-0405).
    Accept,
    /// Rewritten, and the forward leads to the sender.
    UseSender,
    /// The segment is dropped.
    Drop,
}

/// What an announcement of a low port means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LowPorts {
    /// As any other port.
    Accept,
    /// Left alone, no forward.
    Pass,
    /// The segment is dropped.
    Drop,
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
