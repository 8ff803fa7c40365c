//! What a link leaves to chance.

use super::LinkSpec;
use crate::net::random::Sequence;

/// A sequence of numbers for each effect, so that none depends on another being on or off. The place in each is the
/// packet's number.
#[derive(Debug, Clone)]
pub(super) struct Chance {
    pub(super) loss: Sequence,
    pub(super) burst_change: Sequence,
    pub(super) burst_loss: Sequence,
    pub(super) duplicate: Sequence,
    pub(super) first: CopyChance,
    pub(super) second: CopyChance,
}

/// The same for what can happen to each copy of a packet.
#[derive(Debug, Clone)]
pub(super) struct CopyChance {
    jitter: Sequence,
    reorder: Sequence,
    corrupt: Sequence,
    bit: Sequence,
}

/// What chance made of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fate {
    /// In microseconds.
    pub(super) delay: u64,
    pub(super) overtakes: bool,
    pub(super) flipped_bit: Option<usize>,
}

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            loss: Sequence::new(seed, "loss"),
            burst_change: Sequence::new(seed, "burst-change"),
            burst_loss: Sequence::new(seed, "burst-loss"),
            duplicate: Sequence::new(seed, "duplicate"),
            first: CopyChance {
                jitter: Sequence::new(seed, "jitter"),
                reorder: Sequence::new(seed, "reorder"),
                corrupt: Sequence::new(seed, "corrupt"),
                bit: Sequence::new(seed, "corrupt-bit"),
            },
            second: CopyChance {
                jitter: Sequence::new(seed, "duplicate-jitter"),
                reorder: Sequence::new(seed, "duplicate-reorder"),
                corrupt: Sequence::new(seed, "duplicate-corrupt"),
                bit: Sequence::new(seed, "duplicate-corrupt-bit"),
            },
        }
    }
}

impl CopyChance {
    /// For the packet of this number and length.
    pub(super) fn decide(&mut self, number: u64, length: usize, spec: &LinkSpec) -> Fate {
        Fate {
            delay: self.delay(number, spec),
            overtakes: self.reorder.happens(number, spec.reorder),
            flipped_bit: if self.corrupt.happens(number, spec.corrupt) {
                self.flipped_bit(number, length)
            } else {
                None
            },
        }
    }

    /// Uniform over the microseconds of delay ± jitter; those before 0 are 0.
    fn delay(&mut self, number: u64, spec: &LinkSpec) -> u64 {
        let (delay, jitter) = (spec.delay.micros(), spec.jitter.micros());
        if jitter == 0 {
            return delay;
        }
        // Neither is more than a hundred years, far from where 64 bits end.
        let offset = self.jitter.below(number, 2 * jitter + 1);
        (delay + offset).saturating_sub(jitter)
    }

    /// Any of the packet's bits; an empty packet has none.
    fn flipped_bit(&mut self, number: u64, length: usize) -> Option<usize> {
        let bits = length.checked_mul(8).filter(|&bits| bits > 0)?;
        usize::try_from(self.bit.below(number, u64::try_from(bits).ok()?)).ok()
    }
}
