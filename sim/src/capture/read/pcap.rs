//! The older format, of libpcap's first days: a header, and packets behind it (draft-ietf-opsawg-pcap).

use std::io::Read;

use super::source::{Order, Short, Source};
use super::{Fault, Interface, LARGEST_PACKET, Record};
use crate::capture::LinkType;

const HEADER: usize = 24;
const RECORD: usize = 16;

/// What a pcap file's header says.
#[derive(Debug)]
pub(super) struct Pcap {
    order: Order,
    nanoseconds: bool,
    /// Linux's "modified" variant has eight octets more in each record's header.
    extra: u64,
}

/// Whether a file that begins with these octets is one.
pub(super) fn is_pcap(magic: [u8; 4]) -> bool {
    variant(magic).is_some()
}

fn variant(magic: [u8; 4]) -> Option<(Order, u32)> {
    [(Order::Little, u32::from_le_bytes(magic)), (Order::Big, u32::from_be_bytes(magic))]
        .into_iter()
        .find(|(_, number)| matches!(number, 0xa1b2_c3d4 | 0xa1b2_3c4d | 0xa1b2_cd34))
}

impl Pcap {
    /// Reads what comes behind the magic number.
    pub(super) fn begin<R: Read>(source: &mut Source<R>, magic: [u8; 4]) -> Result<(Self, Interface), Fault> {
        let Some((order, number)) = variant(magic) else {
            return Err(Fault::broken(0, "no pcap file begins so"));
        };
        let mut header = [0; HEADER - 4];
        source.fill(&mut header).map_err(|short| Fault::in_header(short, source.offset()))?;
        let major = order.u16(&header, 0);
        if major != 2 {
            let what = format!("pcap of version {major}.{}; 2.4 is the one in use", order.u16(&header, 2));
            return Err(Fault::broken(4, what));
        }
        // The upper bits tell of a frame check sequence behind each packet, which nothing here reads.
        let link = LinkType::from_number(order.u32(&header, 16) & 0xffff);
        let pcap = Self {
            order,
            nanoseconds: number == 0xa1b2_3c4d,
            extra: if number == 0xa1b2_cd34 { 8 } else { 0 },
        };
        Ok((pcap, Interface { name: None, link, section: 0 }))
    }

    /// The next packet; its octets are in `bytes`.
    pub(super) fn next<R: Read>(
        &self,
        source: &mut Source<R>,
        bytes: &mut Vec<u8>,
    ) -> Result<Option<Record>, Fault> {
        let offset = source.offset();
        let mut header = [0; RECORD];
        match source.fill(&mut header) {
            Ok(()) => {}
            Err(Short::AtEnd) => return Ok(None),
            Err(short) => return Err(Fault::cut_off(short, offset)),
        }
        let (seconds, fraction) = (self.order.u32(&header, 0), self.order.u32(&header, 4));
        let (length, original) = (self.order.u32(&header, 8), self.order.u32(&header, 12));
        if length > LARGEST_PACKET {
            let what = format!("a packet of {length} octets: this is no packet, or the file is damaged here");
            return Err(Fault::broken(offset, what));
        }
        source.skip(self.extra).map_err(|short| Fault::cut_off(short, offset))?;
        bytes.resize(length as usize, 0);
        source.fill(bytes).or_else(|short| match short {
            Short::AtEnd if length == 0 => Ok(()),
            short => Err(Fault::cut_off(short, offset)),
        })?;
        let micros = if self.nanoseconds { fraction / 1000 } else { fraction };
        let micros = i64::from(seconds) * 1_000_000 + i64::from(micros);
        Ok(Some(Record { interface: 0, micros: Some(micros), original }))
    }
}
