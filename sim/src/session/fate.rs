//! What becomes of an attempt at a connection.

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
