//! What a client is to do, as data: the software named in a scenario and the steps of its session.

use std::fmt;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smoltcp::time::Duration;

use crate::ftp::DataType;

/// The plan of one session: log in, transfer, quit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientPlan {
    /// The argument of USER.
    pub user: String,
    /// The argument of PASS, where the server asks for one.
    pub password: String,
    /// How data connections are made, at first.
    pub data_mode: DataMode,
    /// When to turn from one way to another; the first that fits counts. A way that failed is not tried again for the
    /// same transfer, and the next transfer begins with the way that the one before ended with.
    pub fallbacks: Vec<Fallback>,
    /// How often PASV or EPSV is tried, for one transfer, where the data connection cannot be dialled; at least once.
    pub passive_tries: usize,
    /// The ports to listen on, tried in turn; `None`: any, the driver chooses. Without PORT and EPRT the client listens
    /// on its control connection's port.
    pub data_ports: Option<RangeInclusive<u16>>,
    /// The address to announce in PORT and EPRT instead of the client's own: a client that knows of the NAT before it.
    pub announce: Option<Ipv4Addr>,
    /// How commands are spread over segments.
    pub segments: Segments,
    /// Whether it insists on TLS (RFC 4217): AUTH TLS before the login, PROT P after it.
    pub tls: bool,
    /// The argument of TYPE. In ASCII what is received, a listing too, has LF at its line ends.
    pub data_type: DataType,
    /// What to transfer, in this order.
    pub transfers: Vec<Transfer>,
    /// Whether the address in a 227 is dialled as announced.
    pub trust_passive_address: Trust,
    /// How long to wait for the control connection and for each reply.
    pub reply_timeout: Duration,
    /// How long to wait for a data connection, and for each next byte of it.
    pub data_timeout: Duration,
    /// The longest file or listing taken in, in bytes as they stand on the wire.
    pub max_received: usize,
}

impl Default for ClientPlan {
    fn default() -> Self {
        Self {
            user: "anonymous".to_owned(),
            password: "guest@".to_owned(),
            data_mode: DataMode::Pasv,
            fallbacks: Vec::new(),
            passive_tries: 1,
            data_ports: None,
            announce: None,
            segments: Segments::Whole,
            tls: false,
            data_type: DataType::Image,
            transfers: Vec::new(),
            trust_passive_address: Trust::Always,
            reply_timeout: Duration::from_secs(60),
            data_timeout: Duration::from_secs(60),
            max_received: 64 * 1024 * 1024,
        }
    }
}

/// How a client has data connections made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Mode")]
pub enum DataMode {
    /// PORT: the client listens.
    Port,
    /// PASV: the server listens.
    Pasv,
    /// EPRT (RFC 2428 §2): the client listens.
    Eprt,
    /// EPSV (RFC 2428 §3): the server listens, at the address of the control connection.
    Epsv,
    /// Neither command: the client listens on its control connection's port (RFC 959 §3.2).
    NoCommand,
}

impl DataMode {
    /// The verb that agrees on a data connection; empty where none does.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Port => "PORT",
            Self::Pasv => "PASV",
            Self::Eprt => "EPRT",
            Self::Epsv => "EPSV",
            Self::NoCommand => "",
        }
    }
}

/// As in scenario files: `port`, `no-command`.
impl fmt::Display for DataMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Port => "port",
            Self::Pasv => "pasv",
            Self::Eprt => "eprt",
            Self::Epsv => "epsv",
            Self::NoCommand => "no-command",
        })
    }
}

/// Whether a client dials the address that a 227 announces, or that of the control connection's peer, with the port
/// announced: a client that knows of servers behind NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// It dials what is announced.
    Always,
    /// It dials the peer.
    Never,
    /// It dials the peer, and gives the transfer up where another is announced.
    PeerOrNothing,
    /// It dials the peer where the address announced is private (RFC 1918) and the peer's is not.
    UnlessPrivate,
}

impl Trust {
    /// The address to dial; `None`: none.
    pub(super) fn dialled(self, announced: Ipv4Addr, peer: Ipv4Addr) -> Option<Ipv4Addr> {
        match self {
            Self::Never => Some(peer),
            Self::PeerOrNothing => (announced == peer).then_some(peer),
            Self::UnlessPrivate if announced.is_private() && !peer.is_private() => Some(peer),
            Self::Always | Self::UnlessPrivate => Some(announced),
        }
    }
}

/// A rule by which a client turns from one way to another and tries the transfer again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// From this way.
    pub from: DataMode,
    /// Because of this.
    pub on: Trouble,
    /// To this one.
    pub to: DataMode,
}

/// What goes wrong with a way to have data connections made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// The server refuses the command with a 4yz or 5yz, or its reply names no address.
    Refused,
    /// The command is taken, and the data connection is not opened: the client's dialling fails, or the server's does not
    /// come, or the server says so with a 425.
    NotOpened,
}

/// How the bytes of a command are spread over TCP segments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Segments {
    /// A command is one.
    #[default]
    Whole,
    /// Each has at most so many bytes, at least one.
    Each(usize),
    /// The first have so many bytes, one after the other; the rest is one.
    First(Vec<usize>),
}

impl Segments {
    /// The pieces of a command; none is empty.
    pub(super) fn cut(&self, command: &[u8]) -> Vec<Vec<u8>> {
        match self {
            Self::Whole => vec![command.to_vec()],
            Self::Each(length) => command.chunks((*length).max(1)).map(<[u8]>::to_vec).collect(),
            Self::First(lengths) => {
                let mut rest = command;
                let mut pieces: Vec<Vec<u8>> = Vec::new();
                for length in lengths {
                    let (piece, behind) = rest.split_at((*length).min(rest.len()));
                    pieces.push(piece.to_vec());
                    rest = behind;
                }
                pieces.push(rest.to_vec());
                pieces.retain(|piece| !piece.is_empty());
                pieces
            }
        }
    }
}

/// One transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// LIST.
    List {
        /// Of this file or directory.
        path: Option<String>,
    },
    /// RETR.
    Get {
        /// The file's name.
        name: String,
    },
    /// STOR.
    Put {
        /// The file's name.
        name: String,
        /// What it holds.
        bytes: Vec<u8>,
    },
}

impl Transfer {
    /// The command that begins it.
    pub(super) fn command(&self) -> String {
        match self {
            Self::List { path: None } => "LIST".to_owned(),
            Self::List { path: Some(path) } => format!("LIST {path}"),
            Self::Get { name } => format!("RETR {name}"),
            Self::Put { name, .. } => format!("STOR {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_believes_a_227_as_far_as_it_trusts_it() {
        let [peer, public, private] =
            ["198.51.100.9", "203.0.113.7", "192.168.1.10"].map(|text| text.parse().unwrap());
        let dialled = |trust: Trust| [public, private, peer].map(|announced| trust.dialled(announced, peer));
        assert_eq!(dialled(Trust::Always), [Some(public), Some(private), Some(peer)]);
        assert_eq!(dialled(Trust::Never), [Some(peer); 3]);
        assert_eq!(dialled(Trust::UnlessPrivate), [Some(public), Some(peer), Some(peer)]);
        assert_eq!(dialled(Trust::PeerOrNothing), [None, None, Some(peer)]);
        assert_eq!(Trust::UnlessPrivate.dialled(private, private), Some(private));
    }

    #[test]
    fn a_command_is_cut_as_told_and_nothing_of_it_is_lost() {
        let cut = |segments: &Segments| {
            let pieces = segments.cut(b"PORT 1\r\n");
            pieces.iter().map(|piece| String::from_utf8_lossy(piece).into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(cut(&Segments::Whole), ["PORT 1\r\n"]);
        assert_eq!(cut(&Segments::Each(1)), ["P", "O", "R", "T", " ", "1", "\r", "\n"]);
        assert_eq!(cut(&Segments::First(vec![3])), ["POR", "T 1\r\n"]);
        assert_eq!(cut(&Segments::First(vec![3, 0, 2, 99, 4])), ["POR", "T ", "1\r\n"]);
    }
}
