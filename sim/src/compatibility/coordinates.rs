//! What a cell's place consists of.

use serde::{Serialize, Serializer};

use crate::scenario::language::Mode;

/// One of a cell's coordinates: a closed list of values, each with the word it is written as.
pub trait Coordinate: Copy + PartialEq + 'static {
    /// What it is called in a cell's name.
    const KEY: &'static str;
    /// Its values, in the order they are shown in.
    const ALL: &'static [Self];
    /// How a value is written in a cell's name.
    fn word(self) -> &'static str;
}

/// Who is behind such a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behind {
    /// Neither end: no router is there at all.
    Nobody,
    /// The client.
    Client,
    /// The server; its router forwards the control port.
    Server,
    /// Both, each behind a router of its own, in homes with the same subnet.
    Both,
}

/// The port of the control connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlPort {
    /// 21, the standard one.
    Standard,
    /// 2121, standing for all others.
    Other,
}

/// Whose software knows of the NAT before it: it announces the WAN's address, and ports that its router forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aware {
    /// Nobody's.
    Neither,
    /// The client's, in PORT and EPRT.
    Client,
    /// The server's, in 227; in 229 there is no address to announce.
    Server,
}

impl Coordinate for Behind {
    const KEY: &'static str = "behind";
    const ALL: &'static [Self] = &[Self::Nobody, Self::Client, Self::Server, Self::Both];

    fn word(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Client => "client",
            Self::Server => "server",
            Self::Both => "both",
        }
    }
}

impl Behind {
    /// Whether the client is.
    pub fn has_client(self) -> bool {
        matches!(self, Self::Client | Self::Both)
    }

    /// Whether the server is.
    pub fn has_server(self) -> bool {
        matches!(self, Self::Server | Self::Both)
    }
}

impl Coordinate for ControlPort {
    const KEY: &'static str = "control";
    const ALL: &'static [Self] = &[Self::Standard, Self::Other];

    fn word(self) -> &'static str {
        match self {
            Self::Standard => "21",
            Self::Other => "2121",
        }
    }
}

impl ControlPort {
    /// The port.
    pub fn number(self) -> u16 {
        match self {
            Self::Standard => 21,
            Self::Other => 2121,
        }
    }
}

impl Serialize for ControlPort {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.number())
    }
}

impl Coordinate for Mode {
    const KEY: &'static str = "mode";
    const ALL: &'static [Self] = &[Self::Port, Self::Pasv, Self::Eprt, Self::Epsv, Self::NoCommand];

    fn word(self) -> &'static str {
        match self {
            Self::Port => "port",
            Self::Pasv => "pasv",
            Self::Eprt => "eprt",
            Self::Epsv => "epsv",
            Self::NoCommand => "no-command",
        }
    }
}

impl Coordinate for Aware {
    const KEY: &'static str = "aware";
    const ALL: &'static [Self] = &[Self::Neither, Self::Client, Self::Server];

    fn word(self) -> &'static str {
        match self {
            Self::Neither => "neither",
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}
