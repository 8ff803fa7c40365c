//! Packets to the router itself that come in fragments, put together again (RFC 791 §3.2). What it forwards it only
//! translates fragment by fragment.

use std::collections::VecDeque;

use etherparse::IpNumber;
use etherparse::defrag::IpDefragBuf;

use super::fragment::FragmentKey;
use super::timer::Tick;
use crate::packet::Packet;
use crate::packet::bytes::{from, read_u16, write_u16};
use crate::packet::checksum;

/// Packets under way at a time; one more takes the oldest one's place. Few, since all that the router answers in
/// fragments is a large ping.
const PACKETS: usize = 4;

/// The packets under way, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    packets: VecDeque<UnderWay>,
}

#[derive(Debug)]
struct UnderWay {
    key: FragmentKey,
    deadline: Tick,
    parts: IpDefragBuf,
}

/// What a fragment did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// Others are missing.
    Waits,
    /// It was the last one missing; this is the whole.
    Complete(Vec<u8>),
    /// It contradicts the others, or the whole would be too long; they are forgotten with it.
    Refused,
}

impl Reassembly {
    /// Adds a fragment at `now`; the packet it begins is forgotten at `deadline`.
    pub(crate) fn add(&mut self, key: FragmentKey, packet: &Packet<'_>, now: Tick, deadline: Tick) -> Added {
        const MORE_FRAGMENTS: u16 = 0x2000;
        let bytes = packet.as_bytes();
        let header_length = packet.transport_at();
        let position = read_u16(bytes, 6);
        let mut under_way = self.take(key, now).unwrap_or_else(|| UnderWay {
            key,
            deadline,
            parts: IpDefragBuf::new(IpNumber(packet.header().protocol), Vec::new(), Vec::new()),
        });
        let Ok(offset) = etherparse::IpFragOffset::try_new(position & etherparse::IpFragOffset::MAX_U16)
        else {
            return Added::Refused;
        };
        let more = position & MORE_FRAGMENTS != 0;
        if under_way.parts.add(offset, more, from(bytes, header_length)).is_err() {
            return Added::Refused;
        }
        if under_way.parts.is_complete() {
            let header = bytes.get(..header_length).unwrap_or_default();
            return whole(header, under_way.parts.data()).map_or(Added::Refused, Added::Complete);
        }
        if self.packets.len() >= PACKETS {
            self.packets.pop_front();
        }
        self.packets.push_back(under_way);
        Added::Waits
    }

    fn take(&mut self, key: FragmentKey, now: Tick) -> Option<UnderWay> {
        self.packets.retain(|under_way| under_way.deadline > now);
        let place = self.packets.iter().position(|under_way| under_way.key == key)?;
        self.packets.remove(place)
    }
}

/// A packet with the last fragment's header; `None` if it were longer than a packet can be.
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
