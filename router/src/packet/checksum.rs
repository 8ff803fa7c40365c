//! The Internet checksum: over whole messages (RFC 1071) and by difference (RFC 1624).

/// The one's complement sum of `bytes`, folded to 16 bits and not complemented.
///
/// Adds the widest words there are; the order of bytes within a word does not matter to a one's complement sum
/// (RFC 1071 §2 B), so it is put right once at the end. A plain chain of adds with carry: most packets are too short for
/// vector instructions to pay.
#[inline]
pub fn sum(bytes: &[u8]) -> u16 {
    u16::from_be(fold(wide_sum(bytes)))
}

/// The sum of a TCP or UDP message with its pseudo-header (RFC 9293 §3.1, RFC 768), whose two addresses stand one
/// after the other in the IPv4 header.
#[inline]
pub(crate) fn transport_sum(addresses: [u8; 8], protocol: u8, message: &[u8]) -> u16 {
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    let rest = u64::from(length.to_be()) + u64::from(u16::from(protocol).to_be());
    u16::from_be(fold(wide_sum(&addresses) + wide_sum(message) + rest))
}

/// The sum in the memory's order of bytes, below 2^36 for what a packet can hold.
#[inline]
fn wide_sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let total: u128 = words.iter().map(|word| u128::from(u64::from_ne_bytes(*word))).sum();
    let part = |shift: u32| u64::try_from(total >> shift & 0xffff_ffff).unwrap_or_default();
    let (words, rest) = rest.as_chunks::<4>();
    let double: u64 = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum();
    let (words, rest) = rest.as_chunks::<2>();
    let word: u64 = words.iter().map(|word| u64::from(u16::from_ne_bytes(*word))).sum();
    // An odd byte at the end is padded with zero.
    let byte: u64 = rest.iter().map(|byte| u64::from(u16::from_ne_bytes([*byte, 0]))).sum();
    part(0) + part(32) + part(64) + double + word + byte
}

/// The pseudo-header's part of a TCP or UDP checksum (RFC 9293 §3.1, RFC 768), not complemented.
#[inline]
pub fn pseudo_header(source: u32, destination: u32, protocol: u8, length: usize) -> u16 {
    let total = u64::from(source) + u64::from(destination) + u64::from(protocol) + length as u64;
    // A 32-bit big-endian value is congruent to the sum of its halves, so it may be added whole.
    fold(total)
}

/// One's complement addition.
#[inline]
pub fn add(left: u16, right: u16) -> u16 {
    fold(u64::from(left) + u64::from(right))
}

/// Each step adds the two halves; rotated by half, the lower one's carry comes in at the upper one's end.
#[inline]
fn fold(total: u64) -> u16 {
    let double = total.wrapping_add(total.rotate_left(32)) >> 32;
    let double = u32::try_from(double).unwrap_or_default();
    let word = double.wrapping_add(double.rotate_left(16)) >> 16;
    u16::try_from(word).unwrap_or_default()
}

/// What changed under a checksum: collects replaced words, then brings the checksum up to date.
///
/// RFC 1624 equation 3: `HC' = ~(~HC + ~m + m')`. Every replaced word must stand at an even offset of the summed data.
#[derive(Debug, Clone, Copy, Default)]
pub struct Difference(u64);

impl Difference {
    /// A 16-bit word was `old` and is `new`.
    #[inline]
    #[must_use]
    pub fn word(self, old: u16, new: u16) -> Self {
        Self(self.0 + u64::from(!old) + u64::from(new))
    }

    /// A 32-bit word was `old` and is `new`.
    #[inline]
    #[must_use]
    pub fn double(self, old: u32, new: u32) -> Self {
        Self(self.0 + u64::from(!old) + u64::from(new))
    }

    /// The checksum that was `checksum` before the change.
    #[inline]
    pub fn apply(self, checksum: u16) -> u16 {
        !fold(self.0 + u64::from(!checksum))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::num::u8::ANY;
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use smoltcp::wire::Ipv4Address;
    use smoltcp::wire::checksum as oracle;

    use super::*;

    proptest! {
        #[test]
        fn a_sum_is_smoltcps(bytes in vec(ANY, 0..2000)) {
            prop_assert_eq!(sum(&bytes), oracle::data(&bytes));
        }

        #[test]
        fn a_pseudo_header_is_smoltcps(source: u32, destination: u32, length: u16) {
            let expected = oracle::pseudo_header(
                &Ipv4Address::from(source).into(),
                &Ipv4Address::from(destination).into(),
                smoltcp::wire::IpProtocol::Tcp,
                u32::from(length),
            );
            prop_assert_eq!(pseudo_header(source, destination, 6, usize::from(length)), expected);
        }

        /// Change any words of any message: the updated checksum verifies, as if it had been computed anew.
        #[test]
        fn a_difference_is_a_recomputation(
            mut bytes in vec(ANY, 40..200),
            changes in vec((any::<bool>(), 1_usize..9, any::<u32>()), 0..6),
        ) {
            bytes[0..2].fill(0);
            let mut checksum = !oracle::data(&bytes);
            let mut difference = Difference::default();
            for (double, at, new) in changes {
                let at = at * 4;
                if double {
                    let old = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
                    difference = difference.double(old, new);
                    bytes[at..at + 4].copy_from_slice(&new.to_be_bytes());
                } else {
                    let [high, low, ..] = new.to_be_bytes();
                    let new = u16::from_be_bytes([high, low]);
                    let old = u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap());
                    difference = difference.word(old, new);
                    bytes[at..at + 2].copy_from_slice(&new.to_be_bytes());
                }
            }
            checksum = difference.apply(checksum);
            bytes[0..2].copy_from_slice(&checksum.to_be_bytes());
            prop_assert_eq!(oracle::data(&bytes), 0xffff);
        }
    }

    #[test]
    fn the_corner_of_rfc_1624_section_4_comes_out_right() {
        // HC = 0xdd2f, m = 0x5555, m' = 0x3285: equation 3 gives 0x0000, where RFC 1141 gave 0xffff.
        assert_eq!(Difference::default().word(0x5555, 0x3285).apply(0xdd2f), 0x0000);
    }
}
