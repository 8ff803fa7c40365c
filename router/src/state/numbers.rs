//! The numbers of a connection whose lines the gateway makes longer or shorter: what each end's sequence numbers are to
//! the other, in as many ways as there are gateways. One record for each direction, since either end's lines may be
//! rewritten.

mod map;
mod offsets;
mod resized;
mod slots;

use quirknat_alg::{Dialect, SequenceNumbers, Side};

pub(crate) use map::{Arrival, Stream};
pub(crate) use offsets::Offsets;
pub(crate) use resized::Resized;

/// One thing for each side of the router.
#[derive(Debug, Clone, Default)]
pub(crate) struct PerSide<T> {
    pub(crate) inside: T,
    pub(crate) outside: T,
}

impl<T> PerSide<T> {
    pub(crate) fn of(&self, side: Side) -> &T {
        match side {
            Side::Inside => &self.inside,
            Side::Outside => &self.outside,
        }
    }

    pub(crate) fn of_mut(&mut self, side: Side) -> &mut T {
        self.both_mut(side).0
    }

    /// That of `side`, and the other one.
    pub(crate) fn both_mut(&mut self, side: Side) -> (&mut T, &mut T) {
        match side {
            Side::Inside => (&mut self.inside, &mut self.outside),
            Side::Outside => (&mut self.outside, &mut self.inside),
        }
    }
}

/// What a gateway remembers of a connection's numbers; by the side whose end sends what is counted.
#[derive(Debug)]
pub(crate) enum Numbers {
    /// Every rewritten piece, and from it where each byte went.
    Map(PerSide<Stream>),
    /// Some differences, and from where on they count. Every segment is read, whether it came before or not.
    Offsets(PerSide<Offsets>),
}

impl Numbers {
    pub(crate) fn new(dialect: &Dialect) -> Self {
        let remembered = dialect.rewrites_remembered;
        let offsets = |of: &dyn Fn(Side) -> Offsets| {
            Self::Offsets(PerSide { inside: of(Side::Inside), outside: of(Side::Outside) })
        };
        match dialect.sequence_numbers {
            SequenceNumbers::ExactMap => {
                Self::Map(PerSide { inside: Stream::new(remembered), outside: Stream::new(remembered) })
            }
            SequenceNumbers::TwoOffsets => offsets(&|_| Offsets::two_offsets()),
            SequenceNumbers::TwoDeltas => offsets(&|_| Offsets::two_deltas()),
            SequenceNumbers::Ring => offsets(&|_| Offsets::ring(remembered)),
            SequenceNumbers::Latest => offsets(&|_| Offsets::latest()),
            SequenceNumbers::TwoSlots => offsets(&Offsets::two_slots),
        }
    }

    /// A SYN of the end on side `sender`, whose first byte will have `sequence`. The same SYN again, as a network may
    /// deliver it at any time, begins nothing.
    pub(crate) fn begin(&mut self, sender: Side, sequence: u32) {
        match self {
            Self::Map(streams) => streams.of_mut(sender).begin(sequence),
            Self::Offsets(offsets) => offsets.of_mut(sender).begin(sequence),
        }
    }

    /// The number that a segment of `sender`'s leaves with if it goes as it is.
    pub(crate) fn leaves_as(&self, sender: Side, sequence: u32) -> u32 {
        match self {
            Self::Map(streams) => streams.of(sender).to_rewritten(sequence),
            Self::Offsets(offsets) => offsets.of(sender).clone().pass(sequence, None),
        }
    }

    /// What the receiver calls a number of `sender`'s; `None` where there is no telling, or no difference.
    pub(crate) fn rewritten(&self, sender: Side, original: u32) -> Option<u32> {
        match self {
            Self::Map(streams) => {
                let stream = streams.of(sender);
                stream.is_rewritten().then(|| stream.to_rewritten(original))
            }
            Self::Offsets(offsets) => offsets.of(sender).acknowledged_as(original),
        }
    }
}

impl Numbers {
    /// By how much `sender`'s stream has grown where its receiver acknowledges this number.
    pub(crate) fn grown_at(&self, sender: Side, acknowledged: u32) -> u32 {
        match self {
            Self::Map(streams) => acknowledged.wrapping_sub(streams.of(sender).to_original(acknowledged)),
            Self::Offsets(offsets) => offsets.of(sender).grown_at(acknowledged),
        }
    }
}

/// `left` comes before `right` in the circle of sequence numbers (RFC 9293 §3.4).
pub(super) fn before(left: u32, right: u32) -> bool {
    left.wrapping_sub(right).cast_signed() < 0
}

/// `change` more: a length that became another one.
fn moved(number: u32, change: i32) -> u32 {
    number.wrapping_add_signed(change)
}

#[cfg(test)]
mod tests;
