//! A timer wheel that ticks once a second: setting, cancelling and firing a timer cost the same at any number of them.
//!
//! A timer says when to look at something again, not that it has ended: who sets a timer keeps the deadline, and a
//! deadline that has moved since is met by setting another when the first one fires. So a packet that refreshes a
//! translation writes one number and touches no list.

use slab::Slab;
use smoltcp::time::Instant;

/// Whole seconds of the router's clock.
pub(crate) type Tick = u32;

/// Seconds that have passed at `now`: what has a deadline up to here has ended.
pub(crate) fn tick(now: Instant) -> Tick {
    Tick::try_from(now.total_micros().max(0) / MICROS).unwrap_or(Tick::MAX)
}

/// The deadline of what is to live `seconds` from `now`: never less, and at most a second more.
pub(crate) fn deadline(now: Instant, seconds: u32) -> Tick {
    let rounded_up = (now.total_micros().max(0) + MICROS - 1) / MICROS;
    Tick::try_from(rounded_up).unwrap_or(Tick::MAX).saturating_add(seconds)
}

/// When a tick begins.
pub(crate) fn instant(tick: Tick) -> Instant {
    Instant::from_micros(i64::from(tick) * MICROS)
}

const MICROS: i64 = 1_000_000;
/// A deadline farther away is looked at once every so many seconds; a power of two and a multiple of 64.
const SLOTS: u32 = 1024;
const WORDS: usize = (SLOTS / 64) as usize;
const NIL: u32 = u32::MAX;

/// Names a timer until it fires or is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimerId(u32);

impl TimerId {
    /// Of nothing; cancelling it does nothing.
    pub(crate) const UNSET: Self = Self(NIL);
}

#[derive(Debug)]
struct Node<T> {
    previous: u32,
    next: u32,
    slot: u32,
    value: T,
}

/// The wheel.
#[derive(Debug)]
pub(crate) struct Wheel<T> {
    heads: Vec<u32>,
    occupied: [u64; WORDS],
    nodes: Slab<Node<T>>,
    now: Tick,
}

impl<T: Copy> Wheel<T> {
    pub(crate) fn new() -> Self {
        Self { heads: vec![NIL; SLOTS as usize], occupied: [0; WORDS], nodes: Slab::new(), now: 0 }
    }

    /// Fires `value` at `at`, or at the end of the wheel's reach if that comes first.
    pub(crate) fn set(&mut self, at: Tick, value: T) -> TimerId {
        let at = at.clamp(self.now.saturating_add(1), self.now.saturating_add(SLOTS - 1));
        let slot = at % SLOTS;
        let head = self.head(slot);
        let id = index(self.nodes.insert(Node { previous: NIL, next: head, slot, value }));
        if let Some(node) = self.node(head) {
            node.previous = id;
        }
        self.set_head(slot, id);
        TimerId(id)
    }

    /// Takes a timer away that has not fired.
    pub(crate) fn cancel(&mut self, TimerId(id): TimerId) {
        let Some(Node { previous, next, slot, .. }) = self.nodes.try_remove(id as usize) else { return };
        if let Some(node) = self.node(next) {
            node.previous = previous;
        }
        match self.node(previous) {
            Some(node) => node.next = next,
            None => self.set_head(slot, next),
        }
    }

    /// The next tick at which a timer fires.
    pub(crate) fn next(&self) -> Option<Tick> {
        let first = self.now.wrapping_add(1);
        (0..=WORDS).find_map(|step| {
            // Whole words from the current slot on; the first word comes again at the end for its lower part.
            let start = first % SLOTS;
            let word = (start as usize / 64 + step) % WORDS;
            let mask = match step {
                0 => u64::MAX << (start % 64),
                WORDS => !(u64::MAX << (start % 64)),
                _ => u64::MAX,
            };
            let bits = self.occupied.get(word).copied().unwrap_or_default() & mask;
            (bits != 0).then(|| {
                let slot = index(word) * 64 + bits.trailing_zeros();
                first.saturating_add(slot.wrapping_sub(start) % SLOTS)
            })
        })
    }

    /// Moves on to `now` and gives out one timer that is due; call it until there is none.
    pub(crate) fn pop_due(&mut self, now: Tick) -> Option<T> {
        while self.now < now {
            let Some(next) = self.next().filter(|next| *next <= now) else {
                self.now = now;
                return None;
            };
            let head = self.head(next % SLOTS);
            let value = self.nodes.get(head as usize).map(|node| node.value);
            self.cancel(TimerId(head));
            // Stay just before this slot until it is empty.
            self.now = next.saturating_sub(1);
            if value.is_some() {
                return value;
            }
        }
        None
    }

    /// The tick that the timer [`Wheel::pop_due`] has just given out was due at: less than now where the clock has leapt.
    pub(crate) fn popped_at(&self) -> Tick {
        self.now.saturating_add(1)
    }

    fn head(&self, slot: u32) -> u32 {
        self.heads.get(slot as usize).copied().unwrap_or(NIL)
    }

    fn set_head(&mut self, slot: u32, id: u32) {
        if let (Some(head), Some(word)) =
            (self.heads.get_mut(slot as usize), self.occupied.get_mut(slot as usize / 64))
        {
            *head = id;
            let bit = 1 << (slot % 64);
            if id == NIL { *word &= !bit } else { *word |= bit }
        }
    }

    fn node(&mut self, id: u32) -> Option<&mut Node<T>> {
        self.nodes.get_mut(id as usize)
    }
}

fn index(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(NIL)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn a_lifetime_is_never_cut_short_and_at_most_a_second_longer() {
        for micros in [0, 1, 500_000, 999_999, 1_000_000] {
            let now = Instant::from_micros(micros);
            let lives = i64::from(deadline(now, 300)) * MICROS - micros;
            assert!((300 * MICROS..301 * MICROS).contains(&lives), "{lives} µs from {micros}");
        }
    }

    proptest! {
        /// Against a sorted map: the same timers fire in the same order of time, none early, none lost.
        #[test]
        fn timers_fire_when_they_are_due(
            steps in proptest::collection::vec((0_u32..900, any::<bool>(), 0_u32..1500), 1..80),
        ) {
            let mut wheel = Wheel::new();
            let mut model: BTreeMap<(Tick, usize), TimerId> = BTreeMap::new();
            let mut now = 0;
            for (number, (delay, cancel, step)) in steps.into_iter().enumerate() {
                let at = now + 1 + delay;
                model.insert((at, number), wheel.set(at, (at, number)));
                if cancel && let Some((_, id)) = model.pop_last() {
                    wheel.cancel(id);
                }
                prop_assert_eq!(wheel.next(), model.first_key_value().map(|((at, _), _)| *at));
                now += step;
                let mut fired = Vec::new();
                while let Some(timer) = wheel.pop_due(now) {
                    fired.push(timer);
                }
                let mut due = Vec::new();
                while let Some(entry) = model.first_entry().filter(|entry| entry.key().0 <= now) {
                    due.push(*entry.key());
                    entry.remove();
                }
                fired.sort_unstable();
                prop_assert_eq!(fired, due);
            }
        }
    }
}
