//! Moving a segment's numbers where they stand, as a gateway does that looks at octets and not at what they are.

use super::bytes::{read_u16, read_u32, write_u16, write_u32};
use super::checksum::Difference;
use super::{Packet, TcpFlags};

const SEQUENCE: usize = 4;
const ACKNOWLEDGEMENT: usize = 8;
const DATA_OFFSET: usize = 12;
const FLAGS: usize = 13;
const CHECKSUM: usize = 16;
const FIXED: usize = 20;

/// What is looked at besides the numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heed {
    /// Whether the acknowledgement number counts only where the flag says so.
    pub(crate) acknowledgement_flag: bool,
    /// Whether SACK blocks (RFC 2018 §3) are moved, each edge by itself, whatever becomes of the blocks.
    pub(crate) selective: bool,
}

/// There is no TCP header, or its options are malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl Packet<'_> {
    /// Moves the numbers of a segment, or of what stands in its place. The octets where a segment has its checksum follow
    /// by difference, as if every number stood at an even offset.
    ///
    /// # Errors
    ///
    /// [`Unreadable`]; what stands before the fault has been moved.
    pub(crate) fn move_numbers(
        &mut self,
        heed: Heed,
        sequence: impl FnOnce(u32) -> u32,
        mut acknowledge: impl FnMut(u32) -> u32,
    ) -> Result<(), Unreadable> {
        let at = self.transport_at();
        let Some(segment) = self.bytes.get_mut(at..).filter(|segment| segment.len() >= FIXED) else {
            return Err(Unreadable);
        };
        move_number(segment, SEQUENCE, sequence);
        let acknowledges = segment.get(FLAGS).is_some_and(|flags| flags & TcpFlags::ACK != 0);
        if heed.acknowledgement_flag && !acknowledges {
            return Ok(());
        }
        move_number(segment, ACKNOWLEDGEMENT, &mut acknowledge);
        if heed.selective { move_selective(segment, acknowledge) } else { Ok(()) }
    }
}

fn move_number(segment: &mut [u8], at: usize, map: impl FnOnce(u32) -> u32) {
    let old = read_u32(segment, at);
    let new = map(old);
    write_u32(segment, at, new);
    let checksum = Difference::default().double(old, new).apply(read_u16(segment, CHECKSUM));
    write_u16(segment, CHECKSUM, checksum);
}

fn move_selective(segment: &mut [u8], mut acknowledge: impl FnMut(u32) -> u32) -> Result<(), Unreadable> {
    const END: u8 = 0;
    const NO_OPERATION: u8 = 1;
    const SACK: u8 = 5;
    const BLOCK: usize = 8;
    let words = segment.get(DATA_OFFSET).map_or(0, |octet| octet >> 4);
    let end = usize::from(words) * 4;
    if end > segment.len() {
        return Err(Unreadable);
    }
    let mut at = FIXED;
    while at < end {
        let (kind, length) = match (segment.get(at), segment.get(at + 1)) {
            (Some(&END) | None, _) => return Ok(()),
            (Some(&NO_OPERATION), _) => {
                at += 1;
                continue;
            }
            (Some(kind), Some(length)) if at + 1 < end => (*kind, usize::from(*length)),
            _ => return Err(Unreadable),
        };
        if length < 2 || at + length > end {
            return Err(Unreadable);
        }
        if kind == SACK && length >= 2 + BLOCK && (length - 2).is_multiple_of(BLOCK) {
            for edge in (at + 2..at + length).step_by(4) {
                move_number(segment, edge, &mut acknowledge);
            }
        }
        at += length;
    }
    Ok(())
}
