//! What a line of a control connection announces: where the other end is to dial the data connection.

use std::net::SocketAddrV4;

use crate::ftp::{find_extended_port, find_host_port, parse_extended, parse_host_port};

/// An endpoint that a line announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// PORT (RFC 959 §4.1.2): the client listens there.
    Port(SocketAddrV4),
    /// EPRT (RFC 2428 §2): the client listens there.
    ExtendedPort(SocketAddrV4),
    /// 227 (RFC 959 §4.1.2): the server listens there.
    Passive(SocketAddrV4),
    /// 229 (RFC 2428 §3): the server listens on this port, at the address that its control connection has.
    ExtendedPassive(u16),
}

impl Announcement {
    /// What a client's line announces.
    pub fn of_command(line: &str) -> Option<Self> {
        let (verb, argument) = line.split_once(' ')?;
        match verb.to_ascii_uppercase().as_str() {
            "PORT" => parse_host_port(argument.trim()).ok().map(Self::Port),
            "EPRT" => parse_extended(argument.trim()).ok().map(Self::ExtendedPort),
            _ => None,
        }
    }

    /// What a server's line announces.
    pub fn of_reply(line: &str) -> Option<Self> {
        let text = line.get(3..)?;
        match line.get(..3)? {
            "227" => find_host_port(text).ok().map(Self::Passive),
            "229" => find_extended_port(text).ok().map(Self::ExtendedPassive),
            _ => None,
        }
    }

    /// The endpoint with its address, where the line has one.
    pub fn endpoint(self) -> Option<SocketAddrV4> {
        match self {
            Self::Port(end) | Self::ExtendedPort(end) | Self::Passive(end) => Some(end),
            Self::ExtendedPassive(_) => None,
        }
    }

    /// Where it leads on a control connection to `server`.
    pub fn leads_to(self, server: SocketAddrV4) -> SocketAddrV4 {
        match self {
            Self::Port(end) | Self::ExtendedPort(end) | Self::Passive(end) => end,
            Self::ExtendedPassive(port) => SocketAddrV4::new(*server.ip(), port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> SocketAddrV4 {
        text.parse().unwrap()
    }

    #[test]
    fn each_kind_is_read_from_its_line() {
        use Announcement::{ExtendedPassive, ExtendedPort, Passive, Port};
        let lan = end("192.168.1.100:16683");
        assert_eq!(Announcement::of_command("PORT 192,168,1,100,65,43"), Some(Port(lan)));
        assert_eq!(Announcement::of_command("eprt |1|192.168.1.100|16683|"), Some(ExtendedPort(lan)));
        let reply = "227 Entering Passive Mode (123,45,67,89,158,26)";
        assert_eq!(Announcement::of_reply(reply), Some(Passive(end("123.45.67.89:40474"))));
        let reply = "229 Entering Extended Passive Mode (|||40474|)";
        assert_eq!(Announcement::of_reply(reply), Some(ExtendedPassive(40474)));
    }

    #[test]
    fn other_lines_announce_nothing() {
        for line in ["", "PORT", "PORT 1,2,3", "REPORT 1,2,3,4,5,6", "LIST", "EPRT |2|::1|5|"] {
            assert_eq!(Announcement::of_command(line), None, "{line}");
        }
        for line in ["", "22", "227", "227 Logout.", "200 1,2,3,4,5,6", "229 (|||x|)", "é27"] {
            assert_eq!(Announcement::of_reply(line), None, "{line}");
        }
    }
}
