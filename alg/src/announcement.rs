//! An address and port that one end of a control connection announces to the other, and its text.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;

use arrayvec::ArrayString;
use serde::{Deserialize, Serialize};

/// The longest replacement there is: an EPRT body, `|1|255.255.255.255|65535|`, is 25 octets.
const LONGEST_REPLACEMENT: usize = 32;

/// The text that takes the place of [`Announcement::span`]; never longer than 32 octets, so it needs no allocation.
pub type ReplacementText = ArrayString<LONGEST_REPLACEMENT>;

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

/// An end of a control connection: the client opened it, the server accepted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sends commands.
    Client,
    /// Sends replies.
    Server,
}

/// One announcement found in a segment's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Which command or reply it is.
    pub command: Command,
    /// What it announces. A 229 names no address: there it is the sender's.
    pub endpoint: SocketAddrV4,
    /// Where in the segment the text stands that names the endpoint, and that a rewrite replaces.
    pub span: Range<usize>,
    /// The whole line without its end, for people to read.
    pub line: Range<usize>,
    /// The delimiter of an extended form (RFC 2428 §2: any of 33–126, `|` by custom).
    pub(crate) delimiter: u8,
}

impl Announcement {
    /// The text that announces `endpoint` in this announcement's form.
    pub fn text_for(&self, endpoint: SocketAddrV4) -> ReplacementText {
        let mut text = ReplacementText::new();
        let delimiter = char::from(self.delimiter);
        let written = match self.command {
            Command::Port | Command::Reply227 => write_host_port(&mut text, endpoint),
            Command::Eprt => {
                let (ip, port) = (endpoint.ip(), endpoint.port());
                write!(text, "{delimiter}1{delimiter}{ip}{delimiter}{port}{delimiter}")
            }
            Command::Reply229 => {
                write!(text, "{delimiter}{delimiter}{delimiter}{}{delimiter}", endpoint.port())
            }
        };
        debug_assert!(written.is_ok(), "every form fits {LONGEST_REPLACEMENT} octets");
        text
    }
}

fn write_host_port(text: &mut ReplacementText, endpoint: SocketAddrV4) -> std::fmt::Result {
    let [a, b, c, d] = Ipv4Addr::octets(endpoint.ip());
    let [high, low] = endpoint.port().to_be_bytes();
    write!(text, "{a},{b},{c},{d},{high},{low}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_forms_fit() {
        let endpoint = SocketAddrV4::new(Ipv4Addr::BROADCAST, 65535);
        for (command, text) in [
            (Command::Port, "255,255,255,255,255,255"),
            (Command::Eprt, "|1|255.255.255.255|65535|"),
            (Command::Reply227, "255,255,255,255,255,255"),
            (Command::Reply229, "|||65535|"),
        ] {
            let announcement = Announcement { command, endpoint, span: 0..0, line: 0..0, delimiter: b'|' };
            assert_eq!(announcement.text_for(endpoint).as_str(), text);
        }
    }
}
