//! A smoltcp device that is two queues: what arrived, and what is to leave. What a host sends to itself never leaves.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

/// The device of a simulated host.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) arrived: VecDeque<Vec<u8>>,
    pub(super) leaving: VecDeque<Vec<u8>>,
    /// What the host sent to itself.
    pub(super) looped: VecDeque<Vec<u8>>,
    address: Ipv4Addr,
    mtu: usize,
}

impl Queue {
    pub(super) fn new(address: Ipv4Addr, mtu: usize) -> Self {
        let empty = VecDeque::new;
        Self { arrived: empty(), leaving: empty(), looped: empty(), address, mtu }
    }
}

impl Queue {
    pub(super) fn mtu(&self) -> usize {
        self.mtu
    }

    pub(super) fn set_mtu(&mut self, mtu: usize) {
        self.mtu = mtu;
    }
}

impl Device for Queue {
    type RxToken<'a> = Arrived;
    type TxToken<'a> = Leaving<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Arrived, Leaving<'_>)> {
        let packet = self.arrived.pop_front()?;
        Some((Arrived(packet), Leaving(self)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Leaving<'_>> {
        Some(Leaving(self))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}

/// A packet on its way into the stack.
pub(super) struct Arrived(Vec<u8>);

impl RxToken for Arrived {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        take(&self.0)
    }
}

/// Room for a packet out of the stack.
pub(super) struct Leaving<'a>(&'a mut Queue);

impl TxToken for Leaving<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, fill: F) -> R {
        let mut packet = vec![0; length];
        let result = fill(&mut packet);
        match packet.get(16..).and_then(|bytes| bytes.first_chunk::<4>()).copied().map(Ipv4Addr::from) {
            Some(to) if to == self.0.address => self.0.looped.push_back(packet),
            // RFC 1122 §3.2.1.3: such an address is never seen outside of a host.
            Some(to) if to.is_loopback() => {}
            _ => self.0.leaving.push_back(packet),
        }
        result
    }
}
