//! An address and port that one end of a control connection announces to the other.

use std::net::SocketAddrV4;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::dialect::{ExtendedAddress, RestOfSegment};

/// A command or reply that announces an address and port for the data connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Command {
    /// `PORT h1,h2,h3,h4,p1,p2` from the client (RFC 959 §4.1.2).
    #[serde(rename = "PORT")]
    Port,
    /// `EPRT |1|address|port|` from the client (RFC 2428 §2).
    #[serde(rename = "EPRT")]
    Eprt,
    /// `227 … (h1,h2,h3,h4,p1,p2)` from the server (RFC 959 §4.1.2, RFC 1123 §4.1.2.6).
    #[serde(rename = "227")]
    Reply227,
    /// `229 … (|||port|)` from the server (RFC 2428 §3).
    #[serde(rename = "229")]
    Reply229,
}

impl Command {
    /// All of them, the client's first.
    pub const ALL: [Self; 4] = [Self::Port, Self::Eprt, Self::Reply227, Self::Reply229];

    /// The word it begins with.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Port => "PORT",
            Self::Eprt => "EPRT",
            Self::Reply227 => "227",
            Self::Reply229 => "229",
        }
    }

    /// Which end of the control connection sends it.
    pub const fn sent_by(self) -> Role {
        match self {
            Self::Port | Self::Eprt => Role::Client,
            Self::Reply227 | Self::Reply229 => Role::Server,
        }
    }
}

/// A command that a gateway makes unreadable instead of translating what it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mask {
    /// `PASV` (RFC 959 §4.1.2).
    #[serde(rename = "PASV")]
    Pasv,
    /// `EPSV` (RFC 2428 §3).
    #[serde(rename = "EPSV")]
    Epsv,
}

impl Mask {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Pasv, Self::Epsv];

    /// The word.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Pasv => "PASV",
            Self::Epsv => "EPSV",
        }
    }

    /// What stands in its place: of the same length, and no command. `P@SW` is what the SMC 7004BR was seen to send.
    pub const fn masked(self) -> &'static str {
        match self {
            Self::Pasv => "P@SW",
            Self::Epsv => "E@SW",
        }
    }
}

/// An end of a control connection: the client opened it, the server accepted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sends commands.
    Client,
    /// Sends replies.
    Server,
}

/// How an announcement's text is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Six numbers with commas between them.
    HostPort,
    /// The extended form, with this delimiter (RFC 2428 §2: any of 33–126, `|` by custom).
    Delimited(u8),
    /// Of an extended form the numbers alone: address and port with this octet between them, or the port.
    Numbers(u8),
}

/// One announcement found in a segment's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Which command or reply it is.
    pub command: Command,
    /// What it announces. A 229 names no address: there it is the sender's.
    pub endpoint: SocketAddrV4,
    /// Where in the segment the text stands that names the endpoint.
    pub span: Range<usize>,
    /// The whole line without its end, for people to read.
    pub line: Range<usize>,
    /// Where the keyword ends.
    pub(crate) behind_word: usize,
    /// Where the address stands; nowhere in a 229.
    pub(crate) address: Range<usize>,
    /// In which form it leaves when it is rewritten.
    pub(crate) form: Form,
    /// How an EPRT writes its address when it is rewritten.
    pub(crate) written: ExtendedAddress,
    /// What becomes of the segment's other octets.
    pub(crate) rest: RestOfSegment,
}
