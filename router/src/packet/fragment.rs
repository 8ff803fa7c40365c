//! Packets cut into fragments.

use super::bytes::{read_u16, write_u16};
use super::checksum;

/// Cuts a packet into fragments (RFC 791 §3.2). Options are repeated in each: those that a home's traffic carries
/// (router alert, record route) are harmless there.
pub fn fragments(bytes: &[u8], mtu: usize) -> Vec<Vec<u8>> {
    const MORE_FRAGMENTS: u16 = 0x2000;
    const OFFSET: u16 = 0x1fff;
    let header_length = usize::from(bytes.first().copied().unwrap_or_default() & 0x0f) * 4;
    let (header, content) = bytes.split_at_checked(header_length).unwrap_or((bytes, &[]));
    let size = (mtu.saturating_sub(header_length) / 8 * 8).max(8);
    let flags = read_u16(bytes, 6);
    let last = content.len().div_ceil(size).saturating_sub(1);
    let fragment = |(index, part): (usize, &[u8])| {
        let mut out = header.to_vec();
        out.extend_from_slice(part);
        write_u16(&mut out, 2, u16::try_from(header_length + part.len()).unwrap_or(u16::MAX));
        let offset = (flags & OFFSET).wrapping_add(u16::try_from(index * size / 8).unwrap_or_default());
        let more = if index < last { MORE_FRAGMENTS } else { flags & MORE_FRAGMENTS };
        write_u16(&mut out, 6, offset & OFFSET | more);
        write_u16(&mut out, 10, 0);
        let checksum = !checksum::sum(out.get(..header_length).unwrap_or_default());
        write_u16(&mut out, 10, checksum);
        out
    };
    content.chunks(size).enumerate().map(fragment).collect()
}
