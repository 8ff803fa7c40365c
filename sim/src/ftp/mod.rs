//! FTP as two state machines: the client and the server of RFC 959, without a socket and without a clock.
//!
//! The same machines run in the simulated world over smoltcp and in a namespace over std sockets. A *driver* owns
//! the sockets; it tells a machine what happened ([`Input`]) and does what the machine wants ([`Action`]):
//!
//! 1. make the machine, and open (client) or accept (server) the control connection;
//! 2. call [`Machine::handle`] for each thing that happens, and [`Machine::handle_timeout`] once
//!    [`Machine::poll_timeout`] has passed;
//! 3. after *each* such call drain [`Machine::poll_action`] until it is `None`, and do the actions in order.
//!
//! # The data slot
//!
//! FTP has one data connection at a time (RFC 959 §3.2), so a driver holds one data socket in a *slot*.
//!
//! - [`Action::ListenData`] and [`Action::ConnectData`] put a new socket into the slot. What was in it leaves it: a
//!   socket that was closed goes on delivering its bytes and FIN in the background, and reports nothing more.
//! - A listener accepts one connection, becomes it, and reports [`Input::DataOpened`].
//! - [`Action::CloseData`] queues a FIN behind all bytes handed over. The socket stays in the slot: the peer's
//!   bytes still count, and [`Input::DataSent`] is owed once the peer has acknowledged everything.
//! - [`Action::AbortData`] empties the slot at once: a listener is dropped, a connection is reset.
//! - Data inputs come from the socket in the slot and from no other. This is what keeps a late event of one
//!   transfer from being taken for one of the next.
//!
//! Both machines are total: any input in any state is answered, ignored or ends the session; none panics, and
//! none makes a session's memory grow without bound.

pub mod client;
pub mod server;

mod ascii;
mod files;
mod host_port;
mod line;
mod reply;
#[cfg(test)]
mod tests;
mod transcript;

use std::net::SocketAddrV4;

use smoltcp::time::{Duration, Instant};
use thiserror::Error;

pub use client::{ClientOutcome, ClientPlan, ClientSession, ControlFailure, DataMode, Fallback};
pub use client::{ModeTried, Segments, Transfer, TransferFailure, TransferOutcome, Trouble, Trust};
pub use files::Files;
pub use host_port::{HostPortError, find_extended_port, find_host_port, format_host_port};
pub use host_port::{parse_extended, parse_host_port};
pub use reply::{Reply, ReplyError};
pub use server::{DataSource, ForeignAddress, NoCommand, ServerConfig, ServerSession, SetupCommand};
pub use transcript::{Direction, TranscriptLine, masked};

/// A machine that a driver can run: [`ClientSession`] or [`ServerSession`].
pub trait Machine {
    /// Takes in one thing that happened. Drain [`Machine::poll_action`] afterwards.
    fn handle(&mut self, now: Instant, input: Input<'_>);

    /// The next thing to do, or `None` once there is nothing more to do for now.
    fn poll_action(&mut self) -> Option<Action>;

    /// When [`Machine::handle_timeout`] is to be called; `None` where the machine waits for nothing.
    fn poll_timeout(&self) -> Option<Instant>;

    /// Takes in that time has passed. Called too early, it does nothing.
    fn handle_timeout(&mut self, now: Instant);

    /// Whether the session is over: no input changes anything any more, and the actions left only close it.
    fn is_finished(&self) -> bool;
}

/// What a driver tells a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// The control connection is established: dialled by a client's driver, accepted by a server's.
    ControlOpened {
        /// This end.
        local: SocketAddrV4,
        /// The peer, as seen from here: behind a translating router, the router.
        remote: SocketAddrV4,
    },
    /// The control connection could not be established.
    ControlFailed(Failure),
    /// Bytes of the control connection, in pieces of any size.
    ControlBytes(&'a [u8]),
    /// The peer closed the control connection in order (FIN), and all its bytes were delivered before.
    ControlClosed,
    /// The control connection broke: a reset, or the stack gave up retransmitting.
    ControlReset,
    /// The socket asked for by [`Action::ListenData`] listens.
    DataListening {
        /// Where; only the port is of interest.
        local: SocketAddrV4,
    },
    /// The socket asked for by [`Action::ListenData`] cannot listen: the port is taken.
    DataListenFailed,
    /// The data connection is established: accepted or dialled.
    DataOpened {
        /// This end.
        local: SocketAddrV4,
        /// The peer, as seen from here.
        remote: SocketAddrV4,
    },
    /// The data connection could not be dialled.
    DataFailed(Failure),
    /// Bytes of the data connection.
    DataBytes(&'a [u8]),
    /// The peer took some more of the bytes handed over. Restarts the deadline of a stalled transfer; a driver
    /// may leave it out where transfers take less than that.
    DataProgress,
    /// The peer closed the data connection in order (FIN), and all its bytes were delivered before.
    DataClosed,
    /// The data connection broke.
    DataReset,
    /// The peer acknowledged all bytes handed over before [`Action::CloseData`], and the FIN is sent. Owed once
    /// after each `CloseData` for as long as the socket is in the slot; also when there were no bytes.
    DataSent,
}

/// What a machine wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send these bytes on the control connection. Each action is one command or one reply; a driver sends it with
    /// one write, so that it is one segment as long as it fits.
    SendControl(Vec<u8>),
    /// Send a part of a command, in a segment of its own: nothing behind it is sent before the peer has acknowledged it.
    SendControlPiece(Vec<u8>),
    /// From here on the control connection is TLS: what was to be sent before goes as it is, what comes after AUTH's
    /// reply is TLS already. The client is TLS's client (RFC 4217 §4). A driver that fails at it reports a reset.
    SecureControl,
    /// Close the control connection in order, after all bytes handed over.
    CloseControl,
    /// Reset the control connection.
    AbortControl,
    /// Listen for one data connection. Answer with [`Input::DataListening`] or [`Input::DataListenFailed`].
    ListenData {
        /// On this port; `None`: any, the driver chooses.
        port: Option<u16>,
    },
    /// Dial the data connection. Answer with [`Input::DataOpened`] or [`Input::DataFailed`], or not at all: the
    /// machine has a deadline of its own.
    ConnectData {
        /// From this port; `None`: any, the driver chooses.
        from_port: Option<u16>,
        /// To this address.
        to: SocketAddrV4,
    },
    /// The socket that was just put into the slot is TLS from its first byte; the FTP client is TLS's client, whoever
    /// dials (RFC 4217 §7).
    SecureData,
    /// Send these bytes on the data connection; the driver buffers what the socket does not take yet.
    SendData(Vec<u8>),
    /// Close this end of the data connection, after all bytes handed over.
    CloseData,
    /// Drop the data socket: stop listening, stop dialling, or reset the connection.
    AbortData,
}

/// Why a connection could not be established.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// A reset came back.
    #[error("refused")]
    Refused,
    /// Nothing came back.
    #[error("timed out")]
    TimedOut,
    /// An ICMP error came back, or there is no route.
    #[error("unreachable")]
    Unreachable,
}

/// How the bytes of a file stand on the data connection (RFC 959 §3.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataType {
    /// As they are.
    #[default]
    Image,
    /// As lines that end in CRLF; a stored file's lines end in LF.
    Ascii,
}

/// `now + wait`, without the overflow that a hostile clock could cause.
fn after(now: Instant, wait: Duration) -> Instant {
    let wait = i64::try_from(wait.total_micros()).unwrap_or(i64::MAX);
    Instant::from_micros(now.total_micros().saturating_add(wait))
}
