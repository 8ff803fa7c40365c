//! The TCP options that windows depend on: scale and selective acknowledgements.

use crate::packet::bytes::read_u32;

/// RFC 7323 §2.3.
const LARGEST_SCALE: u8 = 14;

/// What a SYN offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Offered {
    pub(super) scale: Option<u8>,
    pub(super) sack: bool,
}

/// What the options of a SYN offer.
pub(super) fn of_syn(options: &[u8]) -> Offered {
    const SCALE: u8 = 3;
    const SACK_PERMITTED: u8 = 4;
    let mut offered = Offered::default();
    for (kind, data) in Options(options) {
        match (kind, data) {
            (SCALE, [scale]) => offered.scale = Some((*scale).min(LARGEST_SCALE)),
            (SACK_PERMITTED, []) => offered.sack = true,
            _ => {}
        }
    }
    offered
}

/// The highest number that is acknowledged, from `acknowledgement` on: the highest right edge of the first SACK option's
/// blocks.
pub(super) fn highest_acknowledged(options: &[u8], acknowledgement: u32) -> u32 {
    const SACK: u8 = 5;
    const BLOCK: usize = 8;
    let is_sack = |(kind, data): &(u8, &[u8])| *kind == SACK && !data.is_empty() && data.len() % BLOCK == 0;
    let blocks = Options(options).find(is_sack).map_or(&[][..], |(_, data)| data);
    let right_edges = blocks.as_chunks::<BLOCK>().0.iter().map(|block| read_u32(block, 4));
    right_edges.fold(acknowledgement, |highest, edge| {
        if edge.wrapping_sub(highest).cast_signed() > 0 { edge } else { highest }
    })
}

/// Options with data, up to the first that cannot be read.
struct Options<'a>(&'a [u8]);

impl<'a> Iterator for Options<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const END: u8 = 0;
        const NO_OPERATION: u8 = 1;
        loop {
            match self.0 {
                [NO_OPERATION, rest @ ..] => self.0 = rest,
                [END, ..] | [_] | [] => return None,
                [kind, length, ..] => {
                    let (option, rest) = self.0.split_at_checked(usize::from(*length))?;
                    let data = option.get(2..)?;
                    self.0 = rest;
                    return Some((*kind, data));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syns_offers_are_read_up_to_what_cannot_be() {
        let offered = of_syn(&[2, 4, 5, 180, 4, 2, 1, 3, 3, 7, 0]);
        assert_eq!(offered, Offered { scale: Some(7), sack: true });
        assert_eq!(of_syn(&[3, 3, 200]).scale, Some(14), "RFC 7323 §2.3");
        assert_eq!(of_syn(&[8, 1, 4, 2]), Offered::default(), "a length of 1");
        assert_eq!(of_syn(&[2, 40, 4, 2]), Offered::default(), "a length past the end");
        assert_eq!(of_syn(&[0, 4, 2]), Offered::default(), "behind the end");
        assert_eq!(of_syn(&[1]), Offered::default());
    }

    #[test]
    fn the_highest_right_edge_counts() {
        let block = |left: u32, right: u32| [left.to_be_bytes(), right.to_be_bytes()].concat();
        let two = [&[1, 1, 5, 18][..], &block(50, 60), &block(20, 30)].concat();
        assert_eq!(highest_acknowledged(&two, 10), 60);
        assert_eq!(highest_acknowledged(&two, 70), 70);
        assert_eq!(highest_acknowledged(&[5, 2], 10), 10);
        assert_eq!(highest_acknowledged(&[5, 9, 0, 0, 0, 0, 0, 0, 0], 10), 10, "no whole blocks");
    }
}
