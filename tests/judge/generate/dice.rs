//! A seeded generator, as small as the others need it.

use quirknat_sim::net::random::Sequence;

pub struct Dice {
    sequence: Sequence,
    place: u64,
}

impl Dice {
    pub fn new(seed: u64, name: &str) -> Self {
        Self { sequence: Sequence::new(seed, name), place: 0 }
    }

    /// A number below `bound`; 0 where there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        self.place += 1;
        usize::try_from(self.sequence.below(self.place, bound as u64)).expect("below a usize")
    }

    pub fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last - first + 1)
    }

    /// Whether something happens that happens once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    pub fn octet(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("below 256")
    }

    /// A number from `first` to `last`.
    pub fn signed(&mut self, first: i64, last: i64) -> i64 {
        let count = usize::try_from(last - first + 1).expect("first comes first");
        first + i64::try_from(self.below(count)).expect("below an i64")
    }

    pub fn port(&mut self) -> u16 {
        u16::try_from(self.below(65536)).expect("below 65536")
    }

    pub fn word(&mut self) -> u32 {
        u32::from(self.port()) << 16 | u32::from(self.port())
    }
}

/// So many octets, no line of FTP.
pub fn counting(count: usize) -> Vec<u8> {
    (0..=255).cycle().take(count).collect()
}
