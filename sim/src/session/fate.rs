//! What becomes of an attempt at a connection, and of the connection.

/// What became of an attempt at a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The source does not tell.
    Unknown,
    /// It was established.
    Opened,
    /// A reset came back.
    Refused,
    /// An ICMP error came back.
    Unreachable,
    /// Nothing came back.
    NoAnswer,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// One end said that it has no more to send, by FIN; in a log, that the transfer is complete.
    Closed,
    /// It was reset, or broke off.
    Reset,
}
