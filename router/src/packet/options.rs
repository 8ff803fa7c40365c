//! IPv4 options that a router has to do with (RFC 791 §3.1): source routes and the recorded route.

use std::net::Ipv4Addr;

use super::Packet;
use super::bytes::write_u16;
use super::checksum;

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const RECORD_ROUTE: u8 = 7;
const LOOSE_SOURCE_ROUTE: u8 = 131;
const STRICT_SOURCE_ROUTE: u8 = 137;
const FIXED: usize = 20;

impl Packet<'_> {
    /// Whether there are any.
    #[inline]
    pub(crate) fn has_options(&self) -> bool {
        self.transport_at() > FIXED
    }

    /// Whether it carries a source route.
    pub(crate) fn is_source_routed(&self) -> bool {
        [LOOSE_SOURCE_ROUTE, STRICT_SOURCE_ROUTE].iter().any(|kind| self.option(*kind).is_some())
    }

    /// Puts `address` where its recorded route has room for the next one.
    pub(crate) fn record_route(&mut self, address: Ipv4Addr) {
        let header_length = self.transport_at();
        let Some(range) = self.recorded_route() else { return };
        if !self.bytes.get_mut(range).is_some_and(|option| record(option, address)) {
            return;
        }
        write_u16(self.bytes, 10, 0);
        let sum = !checksum::sum(self.bytes.get(..header_length).unwrap_or_default());
        write_u16(self.bytes, 10, sum);
    }

    /// Its octets and its recorded route, with `address` in both where that has room; the header's checksum is left. `None`
    /// where it records none.
    pub(crate) fn recorded_by(&self, address: Ipv4Addr) -> Option<(Vec<u8>, Vec<u8>)> {
        let range = self.recorded_route()?;
        let mut bytes = self.as_bytes().to_vec();
        let option = bytes.get_mut(range)?;
        record(option, address);
        let option = option.to_vec();
        Some((bytes, option))
    }

    fn recorded_route(&self) -> Option<std::ops::Range<usize>> {
        self.option(RECORD_ROUTE).map(|(start, length)| start..start + length)
    }

    /// Where an option of this kind begins, and its length.
    fn option(&self, wanted: u8) -> Option<(usize, usize)> {
        let end = self.transport_at();
        let mut at = FIXED;
        while at < end {
            match *self.bytes.get(at)? {
                END => return None,
                NO_OPERATION => at += 1,
                kind => {
                    let length = usize::from(*self.bytes.get(at + 1)?);
                    if length < 2 || at + length > end {
                        return None;
                    }
                    if kind == wanted {
                        return Some((at, length));
                    }
                    at += length;
                }
            }
        }
        None
    }
}

/// Puts `address` into a recorded route; gives whether there was room.
fn record(option: &mut [u8], address: Ipv4Addr) -> bool {
    const POINTER: usize = 2;
    // It counts from the option's first octet, which is 1.
    let at = usize::from(option.get(POINTER).copied().unwrap_or_default());
    let Some(room) = at.checked_sub(1).and_then(|first| option.get_mut(first..first + 4)) else {
        return false;
    };
    room.copy_from_slice(&address.octets());
    if let (Some(pointer), Ok(next)) = (option.get_mut(POINTER), u8::try_from(at + 4)) {
        *pointer = next;
    }
    true
}
