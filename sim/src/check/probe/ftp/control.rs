//! A control connection of a client behind, line by line.

use std::net::SocketAddrV4;

use quirknat_router::packet::TcpFlags;

use crate::check::executor::{Bench, End};
use crate::check::packets::Seen;
use crate::ftp::{find_host_port, parse_extended};

use super::super::connection::Connection;

const FTP: u16 = 21;
const DATA: u8 = TcpFlags::ACK | TcpFlags::PSH;

/// It is open, greeted and logged in.
pub(super) struct Control {
    pub(super) connection: Connection,
}

impl Control {
    /// From one of the probe's hosts, at its `number`th port.
    pub(super) async fn open(bench: &Bench, host: u32, number: u16) -> Option<Self> {
        let server = bench.remote(u32::from(number) % 100, FTP);
        let connection = Connection::open(bench, bench.inside(host, number), server).await?;
        let mut control = Self { connection };
        control.reply("220 ready\r\n").await?;
        control.say("USER anonymous\r\n").await?;
        control.reply("230 welcome\r\n").await?;
        Some(control)
    }

    /// The client sends `text`; what the server gets.
    pub(super) async fn say(&mut self, text: impl AsRef<[u8]>) -> Option<String> {
        self.send(text.as_ref()).await.map(|seen| String::from_utf8_lossy(seen.payload()).into_owned())
    }

    /// The same, as a packet.
    pub(super) async fn send(&mut self, text: &[u8]) -> Option<Seen> {
        self.connection.outbound(DATA, text).await
    }

    /// The server sends `text`; what the client gets.
    pub(super) async fn reply(&mut self, text: &str) -> Option<String> {
        let seen = self.connection.inbound(DATA, text.as_bytes()).await?;
        Some(String::from_utf8_lossy(seen.payload()).into_owned())
    }

    pub(super) fn client(&self) -> End {
        self.connection.inside
    }

    pub(super) fn server(&self) -> End {
        self.connection.remote
    }

    /// The server, at another port.
    pub(super) fn server_at(&self, port: u16) -> End {
        let server = self.server();
        End { at: SocketAddrV4::new(*server.at.ip(), port), ..server }
    }

    /// The client as the server sees it.
    pub(super) fn external(&self) -> SocketAddrV4 {
        self.connection.external
    }
}

/// What a PORT or EPRT announces.
pub(super) fn announced(line: &str) -> Option<SocketAddrV4> {
    let line = line.trim_end();
    match line.strip_prefix("EPRT ") {
        Some(argument) => parse_extended(argument).ok(),
        None => find_host_port(line.strip_prefix("PORT ")?).ok(),
    }
}
