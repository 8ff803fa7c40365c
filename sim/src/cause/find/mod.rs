//! The finder of causes. It works on whatever there is: both ends' accounts and all that routers said, or one log.

mod alone;
mod announced;
mod case;
mod exchange;
mod opened;
mod said;
mod seen;
mod unopened;

use std::net::Ipv4Addr;

use super::{Cause, Found};
use crate::session::Account;
use case::Case;

pub use exchange::find_exchange;
pub use seen::Witness;

/// What there is to find a cause from. The more, the finer the cause.
#[derive(Clone, Copy, Default)]
pub struct Evidence<'a> {
    /// What the client's wire, capture or log tells.
    pub at_client: Option<&'a Account>,
    /// What the server's tells.
    pub at_server: Option<&'a Account>,
    /// The client's own address; without it the one its account has.
    pub client: Option<Ipv4Addr>,
    /// The server's own address; without it the one its account has.
    pub server: Option<Ipv4Addr>,
    /// All that wires and routers tell: in a world of our own.
    pub network: Option<Witness<'a>>,
    /// Whether the transfer failed, where whoever asks knows it better than the accounts.
    pub failed: Option<bool>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It failed, and this is why.
    Cause(Found),
    /// Nothing failed, as far as the material goes.
    NoFailure,
    /// It failed, and the material does not tell why.
    Undecided {
        /// What would tell, the most useful first.
        wanted: Vec<Wanted>,
    },
    /// Whether it failed is not in the material: what was said is encrypted.
    Unseen {
        /// What would tell, the most useful first.
        wanted: Vec<Wanted>,
    },
}

impl Finding {
    /// The cause, if there is one.
    pub fn cause(&self) -> Option<Cause> {
        self.found().map(|found| found.cause)
    }

    /// The cause with its details, if there is one.
    pub fn found(&self) -> Option<&Found> {
        match self {
            Self::Cause(found) => Some(found),
            Self::NoFailure | Self::Undecided { .. } | Self::Unseen { .. } => None,
        }
    }
}

/// Material that would tell more. The text says what to record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Wanted {
    /// The session itself.
    #[error(
        "the control connection from its beginning: a log with all commands and replies, or a capture that begins before the login"
    )]
    ControlConnection,
    /// The same session on the server's side.
    #[error("the same session as the server saw it: a capture there, or its log of commands")]
    ServerSide,
    /// The same session on the client's side.
    #[error("the same session as the client saw it: a capture there, or its log of commands")]
    ClientSide,
    /// Packets, not lines.
    #[error("a capture with the data connection's packets, not the control port's alone")]
    DataConnection,
    /// What packets do not show.
    #[error("the client's or the server's own log of commands: what is encrypted on the wire stands there")]
    OwnLog,
    /// What the router does.
    #[error("a capture on the router's other side, or the router's model and settings")]
    RouterSide,
}

/// Finds why an FTP session failed: the deepest cause that the evidence bears out.
///
/// With a [`Witness`] nothing is a cause because it happened at the same time: only what befell the session's own
/// packets counts. Without one only what a line or a packet says counts.
pub fn find(evidence: &Evidence<'_>) -> Finding {
    let case = Case::new(evidence);
    if case.is_blind() {
        return Finding::Unseen { wanted: vec![Wanted::OwnLog] };
    }
    if !case.is_failed() {
        return Finding::NoFailure;
    }
    match case.why() {
        Some(found) => Finding::Cause(found),
        None => Finding::Undecided { wanted: case.wanted() },
    }
}
