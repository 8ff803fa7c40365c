//! What a client is to do, as data: the software named in a scenario and the steps of its session.

use std::net::Ipv4Addr;

use smoltcp::time::Duration;

use crate::ftp::DataType;

/// The plan of one session: log in, transfer, quit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientPlan {
    /// The argument of USER.
    pub user: String,
    /// The argument of PASS, where the server asks for one.
    pub password: String,
    /// How data connections are made.
    pub data_mode: DataMode,
    /// The argument of TYPE. In ASCII what is received, a listing too, has LF at its line ends.
    pub data_type: DataType,
    /// What to transfer, in this order.
    pub transfers: Vec<Transfer>,
    /// Whether the address in a 227 is dialled as announced; otherwise the address of the control connection's
    /// peer is, as of clients that know of servers behind NAT.
    pub trust_passive_address: bool,
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
            data_mode: DataMode::Passive,
            data_type: DataType::Image,
            transfers: Vec::new(),
            trust_passive_address: true,
            reply_timeout: Duration::from_secs(60),
            data_timeout: Duration::from_secs(60),
            max_received: 64 * 1024 * 1024,
        }
    }
}

/// How a client has data connections made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataMode {
    /// The client listens and says so with PORT.
    Port {
        /// The port to listen on; `None`: any, the driver chooses.
        port: Option<u16>,
        /// The address to announce instead of the client's own: a client that knows of the NAT before it.
        announce: Option<Ipv4Addr>,
    },
    /// The client asks with PASV where to dial.
    Passive,
    /// Like `Port`, with EPRT (RFC 2428 §2).
    ExtendedPort {
        /// The port to listen on; `None`: any, the driver chooses.
        port: Option<u16>,
        /// The address to announce instead of the client's own.
        announce: Option<Ipv4Addr>,
    },
    /// Like `Passive`, with EPSV (RFC 2428 §3): the address dialled is the control connection's peer's.
    ExtendedPassive,
    /// Neither: the client listens on its default data port, the source port of its control connection
    /// (RFC 959 §3.2).
    NoCommand,
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
