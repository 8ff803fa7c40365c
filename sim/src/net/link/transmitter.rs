//! The transmitter at a link's start, and the queue before it.

use std::collections::VecDeque;

use smoltcp::time::Instant;

use super::{LinkLoss, LinkSpec};
use crate::net::units::Rate;

/// A time in nanoseconds: the clock's microseconds are longer than a small packet takes on a fast link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Nanos(i128);

impl Nanos {
    pub(super) fn plus_micros(self, micros: u64) -> Self {
        // Far from where 128 bits end: an instant and a delay have 64 bits each.
        Self(self.0 + i128::from(micros) * 1000)
    }

    /// How long a packet occupies a transmitter, rounded up.
    fn plus_transmission(self, length: usize, rate: Rate) -> Self {
        let bits = u128::try_from(length).unwrap_or(u128::MAX).saturating_mul(8);
        let nanos = bits.saturating_mul(1_000_000_000).div_ceil(u128::from(rate.bits_per_second().get()));
        Self(self.0.saturating_add(i128::try_from(nanos).unwrap_or(i128::MAX)))
    }
}

impl From<Instant> for Nanos {
    fn from(instant: Instant) -> Self {
        Self(i128::from(instant.total_micros()) * 1000)
    }
}

/// Rounded up to the microsecond, so that nothing comes sooner than it can.
impl From<Nanos> for Instant {
    fn from(nanos: Nanos) -> Self {
        let up = nanos.0.saturating_add(999).div_euclid(1000);
        Self::from_micros(i64::try_from(up).unwrap_or(i64::MAX))
    }
}

/// The transmitter of a link: one packet at a time, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Transmitter {
    /// When it is through with all it took.
    free: Nanos,
    /// When each of the packets in the queue has its turn.
    turns: VecDeque<Nanos>,
}

impl Transmitter {
    /// When a packet that comes at `now` has left, to its last bit.
    pub(super) fn take(&mut self, now: Nanos, length: usize, spec: &LinkSpec) -> Result<Nanos, LinkLoss> {
        let Some(rate) = spec.rate else { return Ok(now) };
        while self.turns.front().is_some_and(|turn| *turn <= now) {
            self.turns.pop_front();
        }
        let turn = now.max(self.free);
        if turn > now {
            let packets = spec.queue_limit();
            if u32::try_from(self.turns.len()).unwrap_or(u32::MAX) >= packets {
                return Err(LinkLoss::QueueFull { packets });
            }
            self.turns.push_back(turn);
        }
        self.free = turn.plus_transmission(length, rate);
        Ok(self.free)
    }
}
