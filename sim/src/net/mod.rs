//! The network between hosts: wires, routers and the public network, on a clock that is given.

mod internet;
pub mod link;
mod network;
pub mod random;
mod record;
pub mod units;
mod wire;

/// The longest packet, in bytes, on a wire that says nothing about it.
pub const DEFAULT_MTU: u16 = 1500;

pub use internet::{InternetSpec, Undeliverable};
pub use link::LinkSpec;
pub use network::{ChangeError, HostId, Network, Place, RouterId};
pub use record::{Change, ChangeKind, Crossing, Loss, LossPlace, LossReason, NetworkEvent, TakenLog};
pub use wire::{Direction, WireSpec};
