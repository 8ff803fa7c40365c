//! The simulated backend: hosts over smoltcp, on a clock that never waits.

mod listening;
mod stack;

use std::convert::Infallible;

use smoltcp::time::{Duration, Instant};

pub use stack::SimulatedStack;

use super::backend::{Backend, HostPlace};
use crate::host::Host;

/// Time that moves from event to event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Simulated;

impl Backend for Simulated {
    type Stack = SimulatedStack;
    type Error = Infallible;
    const WAITS: bool = false;

    fn stack(&mut self, place: &HostPlace<'_>) -> Result<SimulatedStack, Infallible> {
        Ok(SimulatedStack::new(place.address.address(), place.mtu, place.seed))
    }

    fn wait(&mut self, _: &mut [Host<SimulatedStack>], now: Instant, until: Instant) -> Instant {
        until.max(now)
    }

    fn skip(&mut self, _: Duration) -> bool {
        false
    }
}
