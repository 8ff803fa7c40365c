//! Packets that come in fragments, put together again (RFC 791 §3.2): those to the router itself, and where the profile says
//! so all others.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use etherparse::IpNumber;
use etherparse::defrag::IpDefragBuf;

use super::fragment::FragmentKey;
use super::timer::Tick;
use crate::packet::Packet;
use crate::packet::bytes::{from, read_u16, write_u16};
use crate::packet::checksum;

/// The packets under way, oldest first.
#[derive(Debug)]
pub(crate) struct Reassembly {
    packets: BTreeMap<u32, UnderWay>,
    next_number: u32,
    most_packets: usize,
    most_fragments: usize,
    /// Whether the gateway has read the packet that was put together last: it then has it in one piece.
    pub(crate) was_read: bool,
}

#[derive(Debug)]
struct UnderWay {
    key: FragmentKey,
    deadline: Tick,
    fragments: usize,
    parts: IpDefragBuf,
    cuts: Cuts,
}

/// How a packet was cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cuts {
    /// Each fragment's place and length, in octets of content.
    places: BTreeMap<usize, usize>,
    /// The largest fragment with its header, in octets, and the largest that may not be cut farther.
    pub(crate) largest: usize,
    largest_uncuttable: usize,
    /// The first fragment's header.
    header: Vec<u8>,
}

impl Cuts {
    fn enter(&mut self, place: usize, bytes: &[u8], header_length: usize) {
        const DONT_FRAGMENT: u16 = 0x4000;
        self.places.insert(place, bytes.len().saturating_sub(header_length));
        self.largest = self.largest.max(bytes.len());
        if read_u16(bytes, 6) & DONT_FRAGMENT != 0 {
            self.largest_uncuttable = self.largest_uncuttable.max(bytes.len());
        }
        if place == 0 {
            self.header = bytes.get(..header_length).unwrap_or_default().to_vec();
        }
    }

    /// The fragments' lengths, in order.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        self.places.values().copied().collect()
    }

    /// Whether the largest fragment may not be cut farther.
    pub(crate) fn dont_fragment(&self) -> bool {
        self.largest > 0 && self.largest == self.largest_uncuttable
    }
}

/// What a fragment did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// Others are missing.
    Waits {
        /// Whether it is the first of its packet to come.
        is_first: bool,
    },
    /// It was the last one missing; this is the whole, and how it was cut.
    Complete(Vec<u8>, Cuts),
    /// It contradicts the others, or the whole would be too long; they are forgotten with it.
    Refused,
    /// As many fragments wait as may; those of its packet are forgotten with it.
    NoRoom,
}

impl Reassembly {
    /// For so many packets at a time, of which one more takes the oldest one's place, and so many fragments of them.
    pub(crate) fn new(most_packets: usize, most_fragments: usize) -> Self {
        Self { packets: BTreeMap::new(), next_number: 0, most_packets, most_fragments, was_read: false }
    }

    /// The number that the next packet to begin will have.
    pub(crate) fn next_number(&self) -> u32 {
        self.next_number
    }

    /// Adds a fragment; the packet it begins is to be forgotten at `deadline`.
    pub(crate) fn add(&mut self, key: FragmentKey, packet: &Packet<'_>, deadline: Tick) -> Added {
        const MORE_FRAGMENTS: u16 = 0x2000;
        let bytes = packet.as_bytes();
        let header_length = packet.transport_at();
        let position = read_u16(bytes, 6);
        let more = position & MORE_FRAGMENTS != 0;
        let (number, mut under_way) = self.take(key).unwrap_or_else(|| {
            let parts = IpDefragBuf::new(IpNumber(packet.header().protocol), Vec::new(), Vec::new());
            (self.next_number, UnderWay { key, deadline, fragments: 0, parts, cuts: Cuts::default() })
        });
        let Ok(offset) = etherparse::IpFragOffset::try_new(position & etherparse::IpFragOffset::MAX_U16)
        else {
            return Added::Refused;
        };
        if under_way.parts.add(offset, more, from(bytes, header_length)).is_err() {
            return Added::Refused;
        }
        under_way.fragments += 1;
        under_way.cuts.enter(usize::from(offset.value()) * 8, bytes, header_length);
        if under_way.parts.is_complete() {
            let UnderWay { parts, cuts, .. } = under_way;
            let whole = whole(&cuts.header, parts.data());
            return whole.map_or(Added::Refused, |whole| Added::Complete(whole, cuts));
        }
        if self.waiting() + under_way.fragments > self.most_fragments {
            return Added::NoRoom;
        }
        if self.packets.len() >= self.most_packets {
            self.packets.pop_first();
        }
        let is_first = number == self.next_number;
        self.next_number = self.next_number.wrapping_add(u32::from(is_first));
        self.packets.insert(number, under_way);
        Added::Waits { is_first }
    }

    /// Forgets what is due at `now`.
    pub(crate) fn forget_due(&mut self, now: Tick) {
        self.packets.retain(|_, under_way| under_way.deadline > now);
    }

    /// When the packet with this number is to be forgotten, if it is still under way.
    pub(crate) fn deadline(&self, number: u32) -> Option<Tick> {
        self.packets.get(&number).map(|under_way| under_way.deadline)
    }

    /// The time of the packet with this number is over; gives its ends, if it is still under way.
    pub(crate) fn expire(&mut self, number: u32) -> Option<(Ipv4Addr, Ipv4Addr)> {
        self.packets.remove(&number).map(|under_way| under_way.key.ends())
    }

    fn waiting(&self) -> usize {
        self.packets.values().map(|under_way| under_way.fragments).sum()
    }

    fn take(&mut self, key: FragmentKey) -> Option<(u32, UnderWay)> {
        let number =
            self.packets.iter().find(|(_, under_way)| under_way.key == key).map(|(number, _)| *number)?;
        self.packets.remove(&number).map(|under_way| (number, under_way))
    }
}

/// A packet with the first fragment's header; `None` if it were longer than a packet can be.
fn whole(header: &[u8], content: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(header.len() + content.len()).ok()?;
    let mut bytes = [header, content].concat();
    write_u16(&mut bytes, 2, length);
    write_u16(&mut bytes, 6, 0);
    write_u16(&mut bytes, 10, 0);
    let checksum = !checksum::sum(bytes.get(..header.len())?);
    write_u16(&mut bytes, 10, checksum);
    Some(bytes)
}
