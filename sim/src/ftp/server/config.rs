//! How a server behaves, as data: the software named in a scenario is one of these.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smoltcp::time::Duration;

/// The behaviour of a server. The default is a plain server of the vsftpd kind, open to anonymous users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// The text of the 220 greeting; several lines make a reply of several lines.
    pub banner: String,
    /// Users and their passwords.
    pub users: BTreeMap<String, String>,
    /// Whether `anonymous` and `ftp` may log in with any password.
    pub anonymous: bool,
    /// Where data connections are dialled from.
    pub data_source: DataSource,
    /// The ports to listen on after PASV, tried in turn; `None`: any, the driver chooses.
    pub passive_ports: Option<RangeInclusive<u16>>,
    /// The address to announce in a 227 instead of the server's own: a server that knows of the NAT before it.
    pub passive_address: Option<Ipv4Addr>,
    /// A PORT with an address other than the client's (RFC 2577 §3).
    pub foreign_port: ForeignAddress,
    /// A passive data connection from an address other than the client's (RFC 2577 §8).
    pub foreign_passive_peer: ForeignAddress,
    /// Whether a PORT with a port below 1024 is answered with 504 (RFC 2577 §3).
    pub refuse_low_ports: bool,
    /// Commands answered with 502: those a server is too old for (RFC 2428), or that its administrator took away.
    pub lacks: Vec<SetupCommand>,
    /// A transfer without PORT and PASV before it.
    pub no_command: NoCommand,
    /// Whether AUTH TLS is known (RFC 4217). A client may do without it.
    pub tls: bool,
    /// How long to wait before a data connection is dialled.
    pub data_delay: Duration,
    /// How long to wait for a data connection.
    pub data_timeout: Duration,
    /// How long a session may wait for a command, or a transfer for a byte.
    pub idle_timeout: Duration,
    /// The longest file taken in, in bytes as they stand on the wire.
    pub max_file: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            banner: "Service ready".to_owned(),
            users: BTreeMap::new(),
            anonymous: true,
            data_source: DataSource::BelowControl,
            passive_ports: None,
            passive_address: None,
            foreign_port: ForeignAddress::Refuse,
            foreign_passive_peer: ForeignAddress::Refuse,
            refuse_low_ports: true,
            lacks: Vec::new(),
            no_command: NoCommand::DefaultPort,
            tls: false,
            data_delay: Duration::ZERO,
            // vsftpd's connect_timeout, accept_timeout and idle_session_timeout; the last is also the least that
            // RFC 1123 §4.1.3.2 allows.
            data_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(300),
            max_file: 64 * 1024 * 1024,
        }
    }
}

/// A command that agrees on a data connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SetupCommand {
    /// PORT.
    Port,
    /// PASV.
    Pasv,
    /// EPRT (RFC 2428 §2).
    Eprt,
    /// EPSV (RFC 2428 §3).
    Epsv,
}

impl SetupCommand {
    /// Its verb.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Port => "PORT",
            Self::Pasv => "PASV",
            Self::Eprt => "EPRT",
            Self::Epsv => "EPSV",
        }
    }
}

/// The port that a server dials data connections from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataSource {
    /// The port below the control port: 20 for 21 (RFC 959 §5.2).
    #[default]
    BelowControl,
    /// This one.
    Fixed(u16),
    /// Any, the driver chooses: a server without the right to open low ports.
    Any,
}

impl ForeignAddress {
    /// The address to take for one that is not the client's; `None`: it is refused.
    pub(super) fn taken(self, foreign: Ipv4Addr, client: Ipv4Addr) -> Option<Ipv4Addr> {
        match self {
            Self::Accept => Some(foreign),
            Self::Replace => Some(client),
            Self::ReplacePrivate => (foreign.is_private() && !client.is_private()).then_some(client),
            Self::Refuse => None,
        }
    }
}

/// What becomes of a transfer without PORT and PASV before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoCommand {
    /// It goes to the client's default data port (RFC 959 §3.2).
    #[default]
    DefaultPort,
    /// It is refused with a 425.
    Refuse,
}

impl From<bool> for NoCommand {
    fn from(is_served: bool) -> Self {
        if is_served { Self::DefaultPort } else { Self::Refuse }
    }
}

/// What to do about an address that is not the client's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForeignAddress {
    /// Refuse it: `500 Illegal PORT command.`
    #[default]
    Refuse,
    /// Take it as it is: answer 200, dial it, and 425 where that fails.
    Accept,
    /// Take the port, and the client's own address: answer 200 and dial that. Of a passive data connection's peer: take
    /// it.
    Replace,
    /// `Replace` where the address is private (RFC 1918) and the client's is not, `Refuse` otherwise.
    ReplacePrivate,
}
