//! What a sender had left to its network card when the capture was made: checksums, and the length of segments that the
//! card was to cut. A checksum that is simply wrong stays so.

use quirknat_router::packet::Packet;
use smoltcp::wire::{Ipv4Packet, TcpPacket, UdpPacket};

/// What was done about a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repaired {
    /// Nothing had to be.
    Unchanged,
    /// It has what its sender had left out.
    Changed,
    /// The capture does not hold all of it.
    CutShort,
}

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Puts in what the network card would have.
pub(super) fn repair(bytes: &mut [u8]) -> Repaired {
    let Some(total) = bytes.get(2..4).and_then(|field| field.first_chunk()).copied().map(u16::from_be_bytes)
    else {
        return Repaired::CutShort;
    };
    let mut changed = false;
    if total == 0 {
        let Ok(length) = u16::try_from(bytes.len()) else { return Repaired::Unchanged };
        if let Some(field) = bytes.get_mut(2..4) {
            field.copy_from_slice(&length.to_be_bytes());
        }
        changed = true;
    } else if usize::from(total) > bytes.len() {
        return Repaired::CutShort;
    }
    if !changed && Packet::parse(&mut bytes.to_vec()).is_ok() {
        return Repaired::Unchanged;
    }
    changed |= header(bytes, changed);
    changed |= transport(bytes);
    if changed { Repaired::Changed } else { Repaired::Unchanged }
}

/// A header's checksum of zero is that of a sender that computes none.
fn header(bytes: &mut [u8], has_new_length: bool) -> bool {
    let Ok(mut packet) = Ipv4Packet::new_checked(bytes) else { return false };
    let is_missing = has_new_length || packet.checksum() == 0;
    if is_missing {
        packet.fill_checksum();
    }
    is_missing
}

/// A transport's checksum that covers the pseudo-header alone, complemented or not, is one to be completed.
fn transport(bytes: &mut [u8]) -> bool {
    let Ok(mut packet) = Ipv4Packet::new_checked(bytes) else { return false };
    if packet.more_frags() || packet.frag_offset() != 0 {
        return false;
    }
    let (source, destination, protocol) = (packet.src_addr(), packet.dst_addr(), packet.next_header().into());
    let payload = packet.payload_mut();
    let length = payload.len();
    let at = match protocol {
        TCP => 16,
        UDP => 6,
        _ => return false,
    };
    let Some(stored) = payload.get(at..at + 2).and_then(|field| field.first_chunk()).copied() else {
        return false;
    };
    let stored = u16::from_be_bytes(stored);
    let pseudo = pseudo_header_sum(source.octets(), destination.octets(), protocol, length);
    // UDP's zero says that there is none (RFC 768).
    if stored != pseudo && stored != !pseudo && (stored != 0 || protocol == UDP) {
        return false;
    }
    let (source, destination) = (source.into(), destination.into());
    if protocol == TCP {
        let Ok(mut segment) = TcpPacket::new_checked(payload) else { return false };
        segment.fill_checksum(&source, &destination);
    } else {
        let Ok(mut datagram) = UdpPacket::new_checked(payload) else { return false };
        datagram.fill_checksum(&source, &destination);
    }
    true
}

fn pseudo_header_sum(source: [u8; 4], destination: [u8; 4], protocol: u8, length: usize) -> u16 {
    let words = source.chunks(2).chain(destination.chunks(2));
    let sum: u64 = words.map(|word| u64::from(word[0]) << 8 | u64::from(word[1])).sum();
    let mut sum = sum + u64::from(protocol) + length as u64;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet_text;

    fn segment() -> Vec<u8> {
        packet_text::parse("tcp 192.168.1.100:4321 > 198.51.100.9:21 PSH,ACK seq=1 ack=1 \"USER a\\r\\n\"")
            .unwrap()
    }

    #[test]
    fn what_was_left_to_the_card_is_put_in() {
        let sound = segment();
        assert_eq!(repair(&mut sound.clone()), Repaired::Unchanged);
        let pseudo = pseudo_header_sum([192, 168, 1, 100], [198, 51, 100, 9], TCP, sound.len() - 20);
        for stored in [pseudo, !pseudo, 0] {
            let mut partial = sound.clone();
            partial[36..38].copy_from_slice(&stored.to_be_bytes());
            assert_eq!(repair(&mut partial), Repaired::Changed);
            assert_eq!(partial, sound);
        }
        let mut without_length = sound.clone();
        without_length[2..4].fill(0);
        assert_eq!(repair(&mut without_length), Repaired::Changed);
        assert_eq!(without_length, sound);
    }

    #[test]
    fn a_checksum_that_is_wrong_stays_wrong() {
        let mut damaged = segment();
        damaged[36] ^= 0x55;
        let before = damaged.clone();
        assert_eq!(repair(&mut damaged), Repaired::Unchanged);
        assert_eq!(damaged, before);
    }

    #[test]
    fn a_packet_of_which_a_part_is_missing_is_not_made_whole() {
        let mut short = segment();
        short.truncate(45);
        assert_eq!(repair(&mut short), Repaired::CutShort);
        assert_eq!(repair(&mut [0x45]), Repaired::CutShort);
    }
}
