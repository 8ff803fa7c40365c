//! The network between hosts: wires, routers and the public network, on a clock that is given.

mod internet;
pub mod link;
mod network;
pub mod random;
mod record;
pub mod units;
mod wire;

pub use internet::{InternetSpec, Undeliverable};
pub use link::LinkSpec;
pub use network::{HostId, Network, Place, RouterId, WireSpec};
pub use record::{Change, ChangeKind, Crossing, Loss, LossPlace, LossReason, NetworkEvent, TakenLog};
