//! What differs between a simulated world and one of namespaces: the hosts' stacks, and how time passes.

use smoltcp::time::{Duration, Instant};
use smoltcp::wire::Ipv4Cidr;

use crate::host::{Host, Stack};

/// Where and how a host is plugged in.
#[derive(Debug, Clone, Copy)]
pub struct HostPlace<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its address, with the prefix length of its network.
    pub address: Ipv4Cidr,
    /// The largest packet its wire takes, in bytes.
    pub mtu: usize,
    /// Seeds what is random in it.
    pub seed: u64,
}

/// The ground that a world stands on.
pub trait Backend {
    /// A host's stack.
    type Stack: Stack;
    /// Why a host cannot be had.
    type Error: std::error::Error + Send + Sync + 'static;
    /// Whether time is waited for, and a host's sockets may have something without a packet of the network's telling
    /// so.
    const WAITS: bool;

    /// Makes a host's stack.
    fn stack(&mut self, place: &HostPlace<'_>) -> Result<Self::Stack, Self::Error>;

    /// Lets time pass until `until`, or until something happens at a host before. Gives the time it is then; never
    /// before `now`.
    fn wait(&mut self, hosts: &mut [Host<Self::Stack>], now: Instant, until: Instant) -> Instant;

    /// Whether the clock was set forward by this much, instead of the time being waited for. Hosts that run on a
    /// clock of their own do not notice.
    fn skip(&mut self, time: Duration) -> bool;
}
