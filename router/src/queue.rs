//! A smoltcp device that is two queues: for stacks that something else carries packets to and from, as the router's own TCP
//! and the hosts of a simulation.

use std::collections::VecDeque;

use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

/// What arrived, and what is to leave.
#[derive(Debug)]
pub struct Queue {
    /// IPv4 packets for the stack, the oldest first.
    pub arrived: VecDeque<Vec<u8>>,
    /// IPv4 packets of the stack's, the oldest first.
    pub leaving: VecDeque<Vec<u8>>,
    /// What the stack is told when it is made: the largest packet in bytes.
    pub mtu: usize,
}

impl Queue {
    /// An empty one of a link that takes packets of up to `mtu` bytes.
    pub fn new(mtu: usize) -> Self {
        Self { arrived: VecDeque::new(), leaving: VecDeque::new(), mtu }
    }
}

impl Device for Queue {
    type RxToken<'a> = Arrived;
    type TxToken<'a> = Leaving<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Arrived, Leaving<'_>)> {
        let packet = self.arrived.pop_front()?;
        Some((Arrived(packet), Leaving(&mut self.leaving)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Leaving<'_>> {
        Some(Leaving(&mut self.leaving))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities
    }
}

/// A packet on its way into the stack.
#[derive(Debug)]
pub struct Arrived(Vec<u8>);

impl RxToken for Arrived {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        take(&self.0)
    }
}

/// Room for a packet out of the stack.
#[derive(Debug)]
pub struct Leaving<'a>(&'a mut VecDeque<Vec<u8>>);

impl TxToken for Leaving<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, fill: F) -> R {
        let mut packet = vec![0; length];
        let result = fill(&mut packet);
        self.0.push_back(packet);
        result
    }
}
