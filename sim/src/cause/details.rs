//! A cause in one case: with the ports, addresses and routers it has to do with.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

use serde::{Deserialize, Serialize};

use super::Cause;

/// A cause, found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub cause: Cause,
    /// What it has to do with here.
    pub details: Details,
}

/// What a cause has to do with; what is not known or does not matter is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// The command or reply that is at fault: `PORT`, `EPRT`, `PASV`, `EPSV`, `227`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// What it announced, as it arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announced: Option<SocketAddrV4>,
    /// The address by which the announcing end is known to the other one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_as: Option<Ipv4Addr>,
    /// The server's port of the control connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_port: Option<u16>,
    /// The control ports that the gateway watches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub watched_ports: Vec<u16>,
    /// The network whose router it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub router: Option<String>,
    /// Where a connection was dialled that did not come about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialled: Option<SocketAddrV4>,
    /// The server's reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<u16>,
    /// The router's reason, in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

impl Details {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl From<Cause> for Found {
    fn from(cause: Cause) -> Self {
        Self { cause, details: Details::default() }
    }
}

/// `PORT 192.168.1.100:16683, known as 203.0.113.7, control port 2121, the router of home, which watches 21`.
impl fmt::Display for Details {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        match (&self.command, self.announced) {
            (Some(command), Some(announced)) => parts.push(format!("{command} {announced}")),
            (Some(command), None) => parts.push(command.clone()),
            (None, Some(announced)) => parts.push(format!("announced {announced}")),
            (None, None) => {}
        }
        parts.extend(self.known_as.map(|address| format!("known outside as {address}")));
        parts.extend(self.dialled.map(|end| format!("dialled {end}")));
        parts.extend(self.control_port.map(|port| format!("control port {port}")));
        if let Some(router) = &self.router {
            let watched: Vec<String> = self.watched_ports.iter().map(u16::to_string).collect();
            let what =
                if watched.is_empty() { String::new() } else { format!(" watches {}", watched.join(", ")) };
            parts.push(format!("the router of {router}{what}"));
        }
        parts.extend(self.because.clone());
        parts.extend(self.reply.map(|code| format!("reply {code}")));
        out.write_str(&parts.join("; "))
    }
}

/// The cause's sentence, and behind it what it has to do with here.
impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.cause)?;
        if self.details.is_empty() { Ok(()) } else { write!(out, " ({})", self.details) }
    }
}
