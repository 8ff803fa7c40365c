//! What became of a session: the control connection and each transfer, told apart.

use thiserror::Error;

use super::{DataMode, Trouble};
use crate::ftp::{Failure, HostPortError, Reply, ReplyError};

/// What became of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOutcome {
    /// Whether the control connection was opened, the login taken, and QUIT answered.
    pub control: Result<(), ControlFailure>,
    /// One for each transfer of the plan, in its order.
    pub transfers: Vec<TransferOutcome>,
    /// For each transfer the ways in which a data connection was to be made, in the order tried.
    pub modes: Vec<Vec<ModeTried>>,
}

/// A way that was tried to have a data connection made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeTried {
    /// Which.
    pub mode: DataMode,
    /// Why it did not carry the transfer; `None`: it did.
    pub failure: Option<TransferFailure>,
}

impl ClientOutcome {
    /// The way that carried a transfer.
    pub fn carried_by(&self, transfer: usize) -> Option<DataMode> {
        let last = self.modes.get(transfer)?.last()?;
        last.failure.is_none().then_some(last.mode)
    }
}

/// Why the session as a whole failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ControlFailure {
    /// The control connection could not be established.
    #[error("control connection {0}")]
    NotConnected(Failure),
    /// The server closed the control connection before its time.
    #[error("control connection closed by the server")]
    Closed,
    /// The control connection broke.
    #[error("control connection reset")]
    Reset,
    /// No reply came in time.
    #[error("no reply to {to}")]
    NoReply {
        /// The command that was not answered; `the connection` where it was the greeting.
        to: String,
    },
    /// What came is not FTP.
    #[error(transparent)]
    NotFtp(#[from] ReplyError),
    /// The greeting, the login or the type was refused.
    #[error("{to} refused: {reply}")]
    Refused {
        /// The command that was refused; `the connection` where it was the greeting.
        to: String,
        /// In these words.
        reply: Reply,
    },
    /// The server ended the session with a 421.
    #[error("session ended by the server: {0}")]
    ServiceClosing(Reply),
    /// User name or password holds a line end, and cannot be sent.
    #[error("user name or password with a line end")]
    Unsendable,
}

/// What became of one transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferOutcome {
    /// The file or listing arrived.
    Received(Vec<u8>),
    /// The file was taken by the server.
    Sent {
        /// Its bytes as they stood on the wire.
        bytes: usize,
    },
    /// It failed.
    Failed {
        /// How.
        what: TransferFailure,
        /// The server's words on it, if there were any.
        reply: Option<Reply>,
    },
}

/// How a transfer failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TransferFailure {
    /// The server refused PORT, PASV or their extended kin.
    #[error("{command} refused by the server")]
    SetupRefused {
        /// The verb.
        command: &'static str,
    },
    /// The reply to PASV or EPSV holds no address.
    #[error("no address in the reply to {command}: {error}")]
    NoAddress {
        /// The verb.
        command: &'static str,
        /// What is wrong with it.
        error: HostPortError,
    },
    /// The 227 names an address that is not the server's, and the client does not dial such.
    #[error("address in the reply to PASV is not the server's")]
    ForeignPassiveAddress,
    /// The client's own socket could not listen: the port is taken.
    #[error("data port already taken on the client")]
    NotListening,
    /// The server refused LIST, RETR or STOR.
    #[error("refused by the server")]
    Refused,
    /// The server says that it could not open the data connection (425).
    #[error("data connection not opened, says the server")]
    NotOpenedByServer,
    /// The client could not open the data connection, or the server's did not come.
    #[error("data connection not opened: {0}")]
    NotOpened(Failure),
    /// The data connection broke, seen by the client or said by the server (426).
    #[error("data connection broke")]
    Broke,
    /// The data connection stood still for too long.
    #[error("data connection stalled")]
    Stalled,
    /// More bytes than the plan allows.
    #[error("file too long")]
    TooLong,
    /// The server gave up after the transfer had begun, for a reason other than the connection.
    #[error("not completed by the server")]
    NotCompleted,
    /// The session ended during the transfer.
    #[error("session ended: {0}")]
    SessionEnded(ControlFailure),
    /// The session ended before the transfer's turn.
    #[error("not attempted")]
    NotAttempted,
    /// The file name holds a line end, and cannot be sent.
    #[error("file name with a line end")]
    Unsendable,
}

impl TransferFailure {
    /// What went wrong with the way in which the data connection was to be made; `None`: that was not it.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::SetupRefused { .. } | Self::NoAddress { .. } => Some(Trouble::Refused),
            Self::NotOpened(_) | Self::NotOpenedByServer => Some(Trouble::NotOpened),
            _ => None,
        }
    }
}
