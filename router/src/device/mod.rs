//! The edge: devices that carry real packets, and the loop that moves them through a router.
//!
//! All that touches the operating system is here. The core behind it neither knows nor needs this module.

mod ethernet;
mod live;
mod tun;

use std::io;
use std::os::fd::AsFd;

pub use ethernet::{Ethernet, EthernetError, is_there};
pub use live::{Direction, LiveError, Observer, Port, run};
pub use tun::{Tun, TunError};

/// A source and sink of whole packets that never blocks, and whose descriptor can be waited on.
pub trait Device: AsFd {
    /// Its name, as its user knows it.
    fn name(&self) -> &str;

    /// Puts the next packet into `packet`. False: none is waiting.
    fn receive(&mut self, packet: &mut Vec<u8>) -> io::Result<bool>;

    /// Sends a packet. False: the device has no room for it now, as a full link has none.
    fn send(&mut self, packet: &[u8]) -> io::Result<bool>;
}
