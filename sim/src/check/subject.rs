//! What is measured, seen from its two sides.

use std::fmt;
use std::io;

use smoltcp::time::Instant;

/// A side of the router under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Where its hosts are.
    Lan,
    /// Where the world is.
    Wan,
}

impl fmt::Display for Side {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Lan => "LAN",
            Self::Wan => "WAN",
        })
    }
}

/// Why measuring ends before its end.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// An interface is gone.
    #[error("the {0} interface `{1}` is gone: {2}")]
    Gone(Side, String, #[source] io::Error),
    /// Waiting for the interfaces failed.
    #[error("cannot wait for packets: {0}")]
    Wait(#[source] io::Error),
}

/// A router with packets in and out on both sides, and a clock.
pub trait Subject {
    /// The time now.
    fn now(&self) -> Instant;

    /// Puts an IPv4 packet onto a side's wire.
    fn send(&mut self, side: Side, packet: &[u8]) -> Result<(), SubjectError>;

    /// The next packet that the router puts onto a wire, up to `until`; `None`: it is `until`, and none has come.
    fn receive(&mut self, until: Instant) -> Result<Option<(Side, Vec<u8>)>, SubjectError>;
}
