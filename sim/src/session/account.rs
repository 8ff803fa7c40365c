//! What one source tells of one session: a wire, a capture, or a program's log. What it does not tell stays open.

use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::time::Instant;

use super::connection::Connection;
use super::dialogue::{Dialogue, Speaker};
use super::fate::{Ending, Fate};
use super::view::View;

/// What one source tells of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The client's end of the control connection, as far as this source knows it.
    pub client: End,
    /// The server's end of it.
    pub server: End,
    /// Whether it was established; `None` where the source does not tell.
    pub established: Option<bool>,
    /// What was said on it, as far as it could be read.
    pub dialogue: Dialogue,
    /// The data connections, and attempts at them, in order.
    pub data: Vec<DataAttempt>,
}

impl Account {
    /// Both ends of the control connection, the client's first, where this source knows them whole.
    pub fn control(&self) -> Option<(SocketAddrV4, SocketAddrV4)> {
        Some((self.client.whole()?, self.server.whole()?))
    }
}

/// An end of a control connection. A capture knows it whole; a client's log names the server, and seldom itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct End {
    /// Its address.
    pub ip: Option<Ipv4Addr>,
    /// Its port.
    pub port: Option<u16>,
}

impl End {
    /// The end with its address and port, where both are known.
    pub fn whole(self) -> Option<SocketAddrV4> {
        Some(SocketAddrV4::new(self.ip?, self.port?))
    }
}

impl From<SocketAddrV4> for End {
    fn from(end: SocketAddrV4) -> Self {
        Self { ip: Some(*end.ip()), port: Some(end.port()) }
    }
}

/// A data connection, or an attempt at one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataAttempt {
    /// When it began, where the source has times.
    pub at: Option<Instant>,
    /// Who dialled; `None` where the source does not tell.
    pub dialled_by: Option<Speaker>,
    /// From where, as this source knows it.
    pub from: Option<SocketAddrV4>,
    /// To where.
    pub to: Option<SocketAddrV4>,
    /// What became of it.
    pub fate: Fate,
    /// Octets of payload it carried, where the source tells.
    pub carried: Option<u64>,
    /// How it ended; `None` where it lasts or the source does not tell.
    pub ended: Option<Ending>,
}

impl From<&View> for Account {
    fn from(view: &View) -> Self {
        let control = view.control.as_ref();
        let client = control.map(|control| *control.from.ip());
        let attempt = |connection: &Connection| DataAttempt {
            at: Some(connection.opened_at),
            dialled_by: client.map(|client| {
                if *connection.from.ip() == client { Speaker::Client } else { Speaker::Server }
            }),
            from: Some(connection.from),
            to: Some(connection.to),
            fate: connection.fate(),
            carried: Some(connection.carried()),
            ended: connection.ended,
        };
        Self {
            client: control.map(|control| control.from.into()).unwrap_or_default(),
            server: control.map(|control| control.to.into()).unwrap_or_default(),
            established: control.map(|control| control.answered),
            dialogue: view.dialogue.clone(),
            data: view.data.iter().map(attempt).collect(),
        }
    }
}
