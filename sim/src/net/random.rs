//! Random numbers that are the same on every machine and with every release.
//!
//! One effect's numbers never depend on another's: each has a generator of its own, and the number for packet `k` is the
//! `k`-th of that generator, whatever was drawn or left undrawn before.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::units::Probability;

/// The seed of what is called `name` in a world: the same wherever it stands in a list, and another for another name.
///
/// It is `mix(mix(world_seed) ^ fnv1a(name))`, with the 64-bit FNV-1a hash and the output function of SplitMix64
/// (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). Published seeds depend on it.
pub fn seed_for(world_seed: u64, name: &str) -> u64 {
    mix(mix(world_seed) ^ fnv1a(name.as_bytes()))
}

/// A sequence of numbers that can be read at any place, cheapest in order.
#[derive(Debug, Clone)]
pub struct Sequence {
    /// PCG XSL-RR 128/64, the standard `pcg64`.
    generator: Pcg64,
    /// How many numbers the generator is past its start.
    place: u64,
}

impl Sequence {
    /// The sequence of what is called `name`, under a seed.
    pub fn new(seed: u64, name: &str) -> Self {
        let high = seed_for(seed, name);
        let state = u128::from(high) << 64 | u128::from(mix(high));
        // The stream that the PCG reference implementation starts with.
        Self { generator: Pcg64::new(state, 0x0a02_bdbf_7bb3_c0a7_ac28_fa16_a64a_bf96), place: 0 }
    }

    /// The number at `place`: any of 64 bits.
    pub fn at(&mut self, place: u64) -> u64 {
        // Modulo 2¹²⁸, so a step back works as well.
        self.generator.advance(u128::from(place).wrapping_sub(u128::from(self.place)));
        self.place = place.wrapping_add(1);
        self.generator.next_u64()
    }

    /// The number at `place` as one of `0..bound`; 0 if there is none. No number is likelier than another by more than
    /// one part in 2⁶⁴ / `bound`.
    pub fn below(&mut self, place: u64, bound: u64) -> u64 {
        let product = u128::from(self.at(place)) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(u64::MAX)
    }

    /// Whether what has this probability happens at `place`. Nothing is drawn for what never happens.
    pub fn happens(&mut self, place: u64, probability: Probability) -> bool {
        probability > Probability::NEVER
            && self.below(place, u64::from(Probability::ALWAYS.billionths()))
                < u64::from(probability.billionths())
    }
}

/// FNV-1a, 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// One step of SplitMix64.
fn mix(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ state >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ state >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_hashes_are_the_published_ones() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(mix(1_234_567), 6_457_827_717_110_365_317);
    }

    #[test]
    fn the_generator_is_the_published_one() {
        let mut generator = Pcg64::new(42, 54);
        let drawn = [(); 6].map(|()| generator.next_u64());
        let published = [
            0x86b1_da1d_7206_2b68,
            0x1304_aa46_c985_3d39,
            0xa367_0e9e_0dd5_0358,
            0xf909_0e52_9a7d_ae00,
            0xc85b_9fd8_3799_6f2c,
            0x6061_21f8_e391_9196,
        ];
        assert_eq!(drawn, published);
    }

    /// Worlds that were played with a seed must play the same for ever. The numbers come from a second implementation,
    /// written from the same papers.
    #[test]
    fn seeds_and_sequences_stay_as_they_are() {
        assert_eq!(seed_for(0, ""), 0x5b21_f68f_fa77_f14c);
        assert_eq!(seed_for(7, "home.wan"), 0x2a76_1f34_fd1d_93a8);
        let mut sequence = Sequence::new(7, "loss");
        let numbers = [0x2f87_6688_1d38_1d8e, 0x0a99_4877_69dc_d882, 0x2bdb_d306_1324_4c58];
        assert_eq!([0, 1, 2].map(|place| sequence.at(place)), numbers);
    }

    #[test]
    fn a_number_depends_on_its_place_alone() {
        let mut in_order = Sequence::new(1, "loss");
        let numbers: Vec<u64> = (0..50).map(|place| in_order.at(place)).collect();
        let mut here_and_there = Sequence::new(1, "loss");
        for place in [3, 40, 40, 0, 17, 49, 1] {
            assert_eq!(here_and_there.at(place), numbers[usize::try_from(place).unwrap()]);
        }
    }

    #[test]
    fn names_and_seeds_have_sequences_of_their_own() {
        let firsts: BTreeSet<u64> = (0..100)
            .flat_map(|seed| ["loss", "jitter", "a.b", "b.a"].map(|name| Sequence::new(seed, name).at(0)))
            .collect();
        assert_eq!(firsts.len(), 400);
    }

    #[test]
    fn bounds_hold() {
        let mut sequence = Sequence::new(5, "bounds");
        let mut seen = [0_u32; 6];
        for place in 0..6000 {
            seen[usize::try_from(sequence.below(place, 6)).unwrap()] += 1;
        }
        // Each 1000 by expectation; five standard deviations are 144.
        assert!(seen.iter().all(|&count| count.abs_diff(1000) < 144), "{seen:?}");
        assert_eq!(sequence.below(0, 0), 0);
        assert_eq!(sequence.below(0, 1), 0);
    }

    #[test]
    fn never_and_always_are_exact() {
        let mut sequence = Sequence::new(5, "chance");
        for place in 0..10_000 {
            assert!(!sequence.happens(place, Probability::NEVER));
            assert!(sequence.happens(place, Probability::ALWAYS));
        }
    }
}
