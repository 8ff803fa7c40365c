//! What is worth knowing of a log beside its dialogues.

use std::net::{Ipv4Addr, SocketAddrV4};

use thiserror::Error;

/// A remark, and which session it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The session's place in the reading; `None` where it is about the log as a whole.
    pub session: Option<usize>,
    /// What there is to say.
    pub remark: Remark,
}

/// What there is to say of a log. Each text is a sentence without its full stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Remark {
    /// The client dialled another address than the 227's.
    #[error("the client did not believe the 227's address {announced} and dialled {dialled}")]
    AddressReplaced {
        /// What the 227 said.
        announced: SocketAddrV4,
        /// What was dialled.
        dialled: SocketAddrV4,
    },
    /// The client gave up because the 227's address is not the server's.
    #[error("the client did not believe the 227's address {0}, and dialled nothing")]
    AddressRefused(SocketAddrV4),
    /// The server dials another address than the PORT's.
    #[error("the server did not believe the address {announced} in PORT, and uses {used} instead")]
    PortReplaced {
        /// What PORT said.
        announced: Ipv4Addr,
        /// What the server uses.
        used: Ipv4Addr,
    },
    /// Replies without their texts.
    #[error("this log has the replies' codes, not their texts: a 227's address is not in it")]
    CodesOnly,
    /// A server's log without replies.
    #[error("this log has no replies, except where they say an address")]
    NoReplies,
    /// Sessions that run at the same time cannot be told apart.
    #[error("this log does not tell sessions of the same client apart: what overlaps is mixed up")]
    Mixed,
    /// The control connection was encrypted.
    #[error(
        "the control connection was encrypted from AUTH on: no router on the way could read or rewrite it"
    )]
    Encrypted,
    /// More sessions than are kept.
    #[error("there are more sessions than are kept: the first 1000 are")]
    SessionsLeftOut,
    /// More lines than are kept.
    #[error("{0} more lines of dialogue were left out")]
    LinesLeftOut(usize),
    /// Lines that were too long.
    #[error("{0} lines were cut because they are too long")]
    LinesCut(usize),
}
