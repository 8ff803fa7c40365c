//! Why a packet is lost on a link.

use serde::Serialize;

/// Why a link lost a packet. The text completes "lost: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum LinkLoss {
    /// By chance, on its own.
    #[error("random loss")]
    Random,
    /// By chance, in a burst.
    #[error("burst loss")]
    Burst,
    /// As many packets as the queue holds were waiting for the transmitter.
    #[error("queue full ({packets} packets)")]
    QueueFull {
        /// How many it holds.
        packets: u32,
    },
    /// It is longer than the link takes.
    #[error("longer than the link's MTU ({mtu} bytes)")]
    TooBig {
        /// The longest it takes, in bytes.
        mtu: u16,
    },
    /// Nothing gets through.
    #[error("link down")]
    Down,
}
