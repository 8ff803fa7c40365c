//! Packets cut into fragments.

use super::bytes::{read_u16, write_u16};
use super::checksum;

/// Cuts a packet into fragments (RFC 791 §3.2). Options that are not to be copied are no-operations in all but the first.
pub fn fragments(bytes: &[u8], mtu: usize) -> Vec<Vec<u8>> {
    pieces(bytes, &sizes(bytes, mtu), false)
}

/// How much content each fragment has where none may be longer than `mtu`: a multiple of 8, and the last one all that is
/// left (RFC 791 §3.2).
pub(crate) fn sizes(bytes: &[u8], mtu: usize) -> Vec<usize> {
    let header_length = header_length(bytes);
    let room = mtu.saturating_sub(header_length).max(8);
    let mut left = bytes.len().saturating_sub(header_length);
    let mut sizes = Vec::new();
    while left > 0 {
        let size = if left <= room { left } else { room / 8 * 8 };
        sizes.push(size);
        left -= size;
    }
    sizes
}

/// Cuts a packet into fragments of so many octets of content each, all but the last a multiple of 8; `dont_fragment` says
/// whether they may be cut farther.
pub(crate) fn pieces(bytes: &[u8], sizes: &[usize], dont_fragment: bool) -> Vec<Vec<u8>> {
    const MORE_FRAGMENTS: u16 = 0x2000;
    const DONT_FRAGMENT: u16 = 0x4000;
    const OFFSET: u16 = 0x1fff;
    let header_length = header_length(bytes);
    let (header, mut content) = bytes.split_at_checked(header_length).unwrap_or((bytes, &[]));
    let flags = read_u16(bytes, 6);
    let kept = if dont_fragment { DONT_FRAGMENT } else { 0 };
    let last = sizes.len().saturating_sub(1);
    let mut offset = flags & OFFSET;
    let cut = |(index, size): (usize, &usize)| {
        let (part, rest) = content.split_at_checked(*size).unwrap_or((content, &[]));
        content = rest;
        let mut out = header.to_vec();
        if index > 0 {
            blank_uncopied(&mut out);
        }
        out.extend_from_slice(part);
        write_u16(&mut out, 2, u16::try_from(header_length + part.len()).unwrap_or(u16::MAX));
        let more = if index < last { MORE_FRAGMENTS } else { flags & MORE_FRAGMENTS };
        write_u16(&mut out, 6, offset & OFFSET | more | kept);
        offset = offset.wrapping_add(u16::try_from(part.len() / 8).unwrap_or_default());
        write_u16(&mut out, 10, 0);
        let checksum = !checksum::sum(out.get(..header_length).unwrap_or_default());
        write_u16(&mut out, 10, checksum);
        out
    };
    sizes.iter().enumerate().map(cut).collect()
}

/// Puts no-operations in place of the options without the copied flag (RFC 791 §3.1).
fn blank_uncopied(header: &mut [u8]) {
    const FIXED: usize = 20;
    const END: u8 = 0;
    const NO_OPERATION: u8 = 1;
    const COPIED: u8 = 0x80;
    let mut at = FIXED;
    while let Some(kind) = header.get(at).copied().filter(|kind| *kind != END) {
        let length = match kind {
            NO_OPERATION => 1,
            _ => usize::from(header.get(at + 1).copied().unwrap_or_default()),
        };
        let Some(option) = header.get_mut(at..at + length).filter(|option| !option.is_empty()) else {
            return;
        };
        if kind & COPIED == 0 {
            option.fill(NO_OPERATION);
        }
        at += length;
    }
}

fn header_length(bytes: &[u8]) -> usize {
    usize::from(bytes.first().copied().unwrap_or_default() & 0x0f) * 4
}
