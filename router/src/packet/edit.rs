//! In-place edits. Each keeps the IPv4 and transport checksums true by difference (RFC 1624).

use std::net::{Ipv4Addr, SocketAddrV4};

use super::bytes::{read_u16, read_u32, write_u16, write_u32};
use super::checksum::{self, Difference};
use super::{Fragment, Kind, Packet, Protocol};

/// Which of a packet's two endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Source,
    Destination,
}

const IDENTIFICATION_AT: usize = 4;
const TTL_AT: usize = 8;
const IP_CHECKSUM_AT: usize = 10;

impl Packet<'_> {
    /// Puts `endpoint` in place of the source or destination address and port. An echo's identifier is its port; a
    /// later fragment has no port, so only its address changes.
    #[inline]
    pub(crate) fn set_endpoint(&mut self, end: End, endpoint: SocketAddrV4) {
        self.replace_endpoint(end, endpoint, Difference::default());
    }

    /// One hop on, with `endpoint` put in on the way: the IPv4 checksum is brought up to date once for both.
    #[inline]
    pub(crate) fn hop(&mut self, end: End, endpoint: SocketAddrV4) {
        let (old, new) = self.decrement_ttl_word();
        self.replace_endpoint(end, endpoint, Difference::default().word(old, new));
    }

    #[inline]
    fn replace_endpoint(&mut self, end: End, endpoint: SocketAddrV4, other_ip_change: Difference) {
        let address_at = if end == End::Source { 12 } else { 16 };
        let (old, new) = (read_u32(self.bytes, address_at), u32::from(*endpoint.ip()));
        write_u32(self.bytes, address_at, new);
        self.update_ip_checksum(other_ip_change.double(old, new));
        self.set_port(end, endpoint.port(), Difference::default().double(old, new));
    }

    /// Puts another address in where there is no port: in a later fragment.
    pub(crate) fn set_address(&mut self, end: End, address: Ipv4Addr) {
        self.set_endpoint(end, SocketAddrV4::new(address, 0));
    }

    #[inline]
    fn set_port(&mut self, end: End, port: u16, address_change: Difference) {
        let (offset, change) = match (self.layout.transport, end) {
            (Kind::Tcp | Kind::Udp, End::Source) => (0, address_change),
            (Kind::Tcp | Kind::Udp, End::Destination) => (2, address_change),
            // ICMP has no pseudo-header: the address is not under its checksum.
            (Kind::Echo | Kind::Query, _) => (4, Difference::default()),
            _ => return,
        };
        let old = self.word(offset);
        let at = self.transport_at() + offset;
        write_u16(self.bytes, at, port);
        self.update_transport_checksum(change.word(old, port));
    }

    /// One hop less to live.
    #[inline]
    pub fn decrement_ttl(&mut self) {
        let (old, new) = self.decrement_ttl_word();
        self.update_ip_checksum(Difference::default().word(old, new));
    }

    /// The word that the time to live stands in, before and after.
    #[inline]
    fn decrement_ttl_word(&mut self) -> (u16, u16) {
        let old = read_u16(self.bytes, TTL_AT);
        let new = old.wrapping_sub(0x0100);
        write_u16(self.bytes, TTL_AT, new);
        (old, new)
    }

    /// Puts another identification in.
    pub(crate) fn set_identification(&mut self, identification: u16) {
        let old = read_u16(self.bytes, IDENTIFICATION_AT);
        write_u16(self.bytes, IDENTIFICATION_AT, identification);
        self.update_ip_checksum(Difference::default().word(old, identification));
    }

    /// Puts another sequence number in.
    pub(crate) fn set_sequence(&mut self, sequence: u32) {
        if self.layout.transport == Kind::Tcp {
            self.set_transport_double(4, sequence);
        }
    }

    /// Puts another acknowledgement number in.
    pub(crate) fn set_acknowledgement(&mut self, acknowledgement: u32) {
        if self.layout.transport == Kind::Tcp {
            self.set_transport_double(8, acknowledgement);
        }
    }

    /// Changes each SACK block's edges (RFC 2018 §3) by `map`, left and right; a block that comes out empty or
    /// turned round would claim bytes that did not arrive, so the whole option then gives way to no-operations.
    pub(crate) fn map_sack_blocks(&mut self, map: impl Fn(u32, u32) -> (u32, u32)) {
        const NO_OPERATION: u8 = 1;
        let Some((start, end)) = self.sack_option() else { return };
        let Some(option) = self.bytes.get_mut(start..end) else { return };
        let mut degenerate = false;
        // Kind and length stand before the blocks. An option may begin at an odd offset: no difference here.
        let Some(blocks) = option.get_mut(2..) else { return };
        for block in blocks.as_chunks_mut::<8>().0 {
            let (left, right) = (read_u32(block, 0), read_u32(block, 4));
            let (new_left, new_right) = map(left, right);
            degenerate |= new_right.wrapping_sub(new_left).cast_signed() <= 0;
            write_u32(block, 0, new_left);
            write_u32(block, 4, new_right);
        }
        if degenerate {
            option.fill(NO_OPERATION);
        }
        self.recompute_tcp_checksum();
    }

    /// Where the SACK option stands, from its kind to its end.
    fn sack_option(&self) -> Option<(usize, usize)> {
        const SACK: u8 = 5;
        self.tcp_option(SACK)
    }

    /// A segment's timestamp and the one it echoes (RFC 7323 §3), where it has them.
    pub(crate) fn timestamps(&self) -> Option<(u32, u32)> {
        const TIMESTAMPS: u8 = 8;
        let (start, end) = self.tcp_option(TIMESTAMPS).filter(|(start, end)| end - start == 10)?;
        let option = self.bytes.get(start..end)?;
        Some((read_u32(option, 2), read_u32(option, 6)))
    }

    /// Where a TCP option stands, from its kind to its end.
    fn tcp_option(&self, wanted: u8) -> Option<(usize, usize)> {
        const TCP_FIXED: usize = 20;
        let payload_at = self.tcp()?.payload_at;
        let mut at = self.transport_at() + TCP_FIXED;
        while at < payload_at {
            match self.bytes.get(at).copied()? {
                0 => return None,
                1 => at += 1,
                kind => {
                    let length = usize::from(self.bytes.get(at + 1).copied()?);
                    let end = at + length;
                    if length < 2 || end > payload_at {
                        return None;
                    }
                    if kind == wanted {
                        return Some((at, end));
                    }
                    at = end;
                }
            }
        }
        None
    }

    /// Puts another TCP payload in; the packet's length follows.
    pub(crate) fn set_tcp_payload(&mut self, payload: &[u8]) {
        let Some(tcp) = self.tcp() else { return };
        self.bytes.truncate(tcp.payload_at);
        self.bytes.extend_from_slice(payload);
        let old = read_u16(self.bytes, 2);
        let new = u16::try_from(self.bytes.len()).unwrap_or(u16::MAX);
        write_u16(self.bytes, 2, new);
        self.update_ip_checksum(Difference::default().word(old, new));
        self.recompute_tcp_checksum();
    }

    /// Takes a TCP flag away.
    pub(crate) fn clear_tcp_flag(&mut self, flag: u8) {
        if self.layout.transport != Kind::Tcp {
            return;
        }
        let at = self.transport_at() + 12;
        let old = read_u16(self.bytes, at);
        let new = old & !u16::from(flag);
        write_u16(self.bytes, at, new);
        self.update_transport_checksum(Difference::default().word(old, new));
    }

    fn set_transport_double(&mut self, offset: usize, new: u32) {
        let at = self.transport_at() + offset;
        let old = read_u32(self.bytes, at);
        write_u32(self.bytes, at, new);
        self.update_transport_checksum(Difference::default().double(old, new));
    }

    #[inline]
    fn update_ip_checksum(&mut self, difference: Difference) {
        let old = read_u16(self.bytes, IP_CHECKSUM_AT);
        write_u16(self.bytes, IP_CHECKSUM_AT, difference.apply(old));
    }

    #[inline]
    fn update_transport_checksum(&mut self, difference: Difference) {
        let at = self.transport_at();
        match self.layout.transport {
            Kind::Tcp => {
                let old = read_u16(self.bytes, at + 16);
                write_u16(self.bytes, at + 16, difference.apply(old));
            }
            Kind::Udp => {
                let old = read_u16(self.bytes, at + 6);
                if let Some(new) = updated_udp_checksum(old, difference) {
                    write_u16(self.bytes, at + 6, new);
                }
            }
            Kind::Echo | Kind::Query => {
                let old = read_u16(self.bytes, at + 2);
                write_u16(self.bytes, at + 2, difference.apply(old));
            }
            _ => {}
        }
    }

    fn recompute_tcp_checksum(&mut self) {
        debug_assert_eq!(self.layout.fragment, Fragment::Whole, "a fragment's payload is never edited");
        let at = self.transport_at();
        write_u16(self.bytes, at + 16, 0);
        let segment = super::bytes::from(self.bytes, at);
        let pseudo = checksum::pseudo_header(
            self.source().into(),
            self.destination().into(),
            Protocol::Tcp.number(),
            segment.len(),
        );
        let new = !checksum::add(pseudo, checksum::sum(segment));
        write_u16(self.bytes, at + 16, new);
    }
}

/// RFC 768: zero means that there is none, and stays; one that comes out as zero is sent as all ones.
pub(crate) fn updated_udp_checksum(old: u16, difference: Difference) -> Option<u16> {
    match (old, difference.apply(old)) {
        (0, _) => None,
        (_, 0) => Some(0xffff),
        (_, new) => Some(new),
    }
}
