//! ipfilter's numbers, `ip_proxy.c`: `appr_fixseqack` of 4.1, `ipf_proxy_fixseqack` of 5.1.

use quirknat_alg::Side;

use super::moved;
use super::resized::Resized;

/// Two slots. Numbers are compared as they are: a stream whose numbers wrap is lost. What the inside end sends is
/// written into the slot that is in use, what the outside end sends into the other one.
#[derive(Debug, Clone)]
pub(super) struct Slots {
    used: Slot,
    other: Slot,
    writes_other: bool,
}

/// An offset, and the number in the receiver's counting behind which it holds.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    least: u32,
    offset: i32,
}

impl Slots {
    pub(super) fn new(side: Side) -> Self {
        Self { used: Slot::default(), other: Slot::default(), writes_other: side == Side::Outside }
    }

    pub(super) fn offsets(&self) -> [i32; 2] {
        [self.used.offset, self.other.offset]
    }

    /// The other slot is used from the number on that it was written for.
    fn switch(&mut self, number: u32) {
        if self.other.least > self.used.least && number > self.other.least {
            std::mem::swap(&mut self.used, &mut self.other);
        }
    }

    pub(super) fn pass(&mut self, sequence: u32, resized: Option<Resized>) -> u32 {
        self.switch(sequence);
        let Slot { least, offset } = self.used;
        let mut passed = sequence;
        if offset != 0 && sequence > moved(least, offset.wrapping_neg()) {
            passed = moved(sequence, offset);
        }
        if let Some(Resized { length, change }) = resized
            && change != 0
            && passed > self.other.least
        {
            let last = moved(passed.wrapping_add(length), change).wrapping_sub(1);
            let slot = Slot { least: last, offset: offset.wrapping_add(change) };
            *(if self.writes_other { &mut self.other } else { &mut self.used }) = slot;
        }
        passed
    }

    pub(super) fn acknowledge(&mut self, number: u32) -> u32 {
        self.switch(number);
        let Slot { least, offset } = self.used;
        if offset != 0 && number > least { moved(number, offset.wrapping_neg()) } else { number }
    }
}
