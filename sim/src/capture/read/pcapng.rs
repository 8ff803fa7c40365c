//! The newer format, Wireshark's: sections of blocks (draft-ietf-opsawg-pcapng). Blocks of other kinds are passed over.

use std::io::Read;

use super::source::{Order, Short, Source};
use super::{Fault, Interface, LARGEST_PACKET, Record};
use crate::capture::LinkType;

pub(super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// What an interface's description may take, in octets.
const LARGEST_DESCRIPTION: usize = 1 << 20;
/// More interfaces than any machine has.
const MOST_INTERFACES: usize = 4096;

/// Where a pcapng file is being read.
#[derive(Debug)]
pub(super) struct PcapNg {
    order: Order,
    section: usize,
    /// Of this section: which of all interfaces its first one is, and what each says of times.
    first: usize,
    clocks: Vec<Clock>,
}

/// How an interface counts time.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// Ticks a second.
    rate: u128,
    /// Added, in seconds.
    offset: i64,
    snaplen: u32,
}

impl Clock {
    fn micros(self, ticks: u64) -> i64 {
        let micros = u128::from(ticks).saturating_mul(1_000_000) / self.rate.max(1);
        let micros = i64::try_from(micros).unwrap_or(i64::MAX);
        micros.saturating_add(self.offset.saturating_mul(1_000_000))
    }
}

impl PcapNg {
    /// Reads the rest of the first section's header, whose block type was read.
    pub(super) fn begin<R: Read>(source: &mut Source<R>) -> Result<Self, Fault> {
        let mut reading = Self { order: Order::Little, section: 0, first: 0, clocks: Vec::new() };
        reading.section_header(source, 0).map_err(|fault| match fault {
            Fault::CutOff(offset) => Fault::broken(offset, "the file ends in its header"),
            error @ Fault::Error(_) => error,
        })?;
        Ok(reading)
    }

    fn section_header<R: Read>(&mut self, source: &mut Source<R>, offset: u64) -> Result<(), Fault> {
        let mut head = [0; 8];
        source.fill(&mut head).map_err(|short| Fault::cut_off(short, offset))?;
        let magic = head.get(4..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        self.order = match (u32::from_le_bytes(magic), u32::from_be_bytes(magic)) {
            (0x1a2b_3c4d, _) => Order::Little,
            (_, 0x1a2b_3c4d) => Order::Big,
            _ => return Err(Fault::broken(offset, "a section whose byte-order magic is none")),
        };
        let length = self.order.u32(&head, 0);
        if length < 28 || !length.is_multiple_of(4) {
            return Err(Fault::broken(offset, format!("a section header of {length} octets")));
        }
        let mut version = [0; 4];
        source.fill(&mut version).map_err(|short| Fault::cut_off(short, offset))?;
        let major = self.order.u16(&version, 0);
        if major != 1 {
            return Err(Fault::broken(offset, format!("a section of pcapng version {major}; 1 is in use")));
        }
        source.skip(u64::from(length) - 16).map_err(|short| Fault::cut_off(short, offset))
    }

    /// The next packet; its octets are in `bytes`.
    pub(super) fn next<R: Read>(
        &mut self,
        source: &mut Source<R>,
        interfaces: &mut Vec<Interface>,
        bytes: &mut Vec<u8>,
    ) -> Result<Option<Record>, Fault> {
        loop {
            let offset = source.offset();
            let mut kind = [0; 4];
            match source.fill(&mut kind) {
                Ok(()) => {}
                Err(Short::AtEnd) => return Ok(None),
                Err(short) => return Err(Fault::cut_off(short, offset)),
            }
            // The same in both byte orders.
            if u32::from_le_bytes(kind) == SECTION_HEADER {
                self.section_header(source, offset)?;
                self.section += 1;
                self.first = interfaces.len();
                self.clocks.clear();
                continue;
            }
            let cut_off = |short| Fault::cut_off(short, offset);
            let mut length = [0; 4];
            source.fill(&mut length).map_err(cut_off)?;
            let length = self.order.u32(&length, 0);
            if length < 12 || !length.is_multiple_of(4) {
                return Err(Fault::broken(offset, format!("a block of {length} octets")));
            }
            let mut block = Block { offset, left: u64::from(length) - 12 };
            let found = match self.order.u32(&kind, 0) {
                INTERFACE => self.interface(source, &mut block, interfaces).map(|()| None),
                ENHANCED_PACKET => self.enhanced(source, &mut block, bytes).map(Some),
                OBSOLETE_PACKET => self.obsolete(source, &mut block, bytes).map(Some),
                SIMPLE_PACKET => self.simple(source, &mut block, bytes).map(Some),
                _ => Ok(None),
            }?;
            source.skip(block.left).map_err(cut_off)?;
            let mut trailer = [0; 4];
            source.fill(&mut trailer).map_err(cut_off)?;
            let trailer = self.order.u32(&trailer, 0);
            if trailer != length {
                let what = format!("a block that begins with the length {length} and ends with {trailer}");
                return Err(Fault::broken(offset, what));
            }
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn interface<R: Read>(
        &mut self,
        source: &mut Source<R>,
        block: &mut Block,
        interfaces: &mut Vec<Interface>,
    ) -> Result<(), Fault> {
        if interfaces.len() >= MOST_INTERFACES {
            return Err(block.broken(&format!("more than {MOST_INTERFACES} interfaces")));
        }
        let length = usize::try_from(block.left).unwrap_or(usize::MAX);
        if !(8..=LARGEST_DESCRIPTION).contains(&length) {
            return Err(block.broken(&format!("the description of an interface in {length} octets")));
        }
        let mut bytes = vec![0; length];
        block.fill(source, &mut bytes)?;
        let snaplen = self.order.u32(&bytes, 4);
        let mut clock = Clock { rate: 1_000_000, offset: 0, snaplen };
        let mut name = None;
        for (code, value) in options(self.order, bytes.get(8..).unwrap_or_default()) {
            match (code, value) {
                (2, text) => name = Some(String::from_utf8_lossy(text).into_owned()),
                (9, [resolution, ..]) => clock.rate = rate(*resolution),
                (14, value) if value.len() >= 8 => clock.offset = self.order.u64(value, 0).cast_signed(),
                _ => {}
            }
        }
        let link = LinkType::from_number(u32::from(self.order.u16(&bytes, 0)));
        interfaces.push(Interface { name, link, section: self.section });
        self.clocks.push(clock);
        Ok(())
    }

    fn enhanced<R: Read>(
        &self,
        source: &mut Source<R>,
        block: &mut Block,
        bytes: &mut Vec<u8>,
    ) -> Result<Record, Fault> {
        let mut head = [0; 20];
        block.fill(source, &mut head)?;
        let word = |at| self.order.u32(&head, at);
        let (interface, clock) = self.clock(block, word(0))?;
        let ticks = u64::from(word(4)) << 32 | u64::from(word(8));
        block.packet(source, word(12), bytes)?;
        Ok(Record { interface, micros: Some(clock.micros(ticks)), original: word(16) })
    }

    fn obsolete<R: Read>(
        &self,
        source: &mut Source<R>,
        block: &mut Block,
        bytes: &mut Vec<u8>,
    ) -> Result<Record, Fault> {
        let mut head = [0; 20];
        block.fill(source, &mut head)?;
        let word = |at| self.order.u32(&head, at);
        let (interface, clock) = self.clock(block, u32::from(self.order.u16(&head, 0)))?;
        let ticks = u64::from(word(4)) << 32 | u64::from(word(8));
        block.packet(source, word(12), bytes)?;
        Ok(Record { interface, micros: Some(clock.micros(ticks)), original: word(16) })
    }

    /// It belongs to the first interface, and has no time.
    fn simple<R: Read>(
        &self,
        source: &mut Source<R>,
        block: &mut Block,
        bytes: &mut Vec<u8>,
    ) -> Result<Record, Fault> {
        let mut head = [0; 4];
        block.fill(source, &mut head)?;
        let original = self.order.u32(&head, 0);
        let (interface, clock) = self.clock(block, 0)?;
        let room = u32::try_from(block.left).unwrap_or(u32::MAX);
        let most = if clock.snaplen == 0 { room } else { clock.snaplen.min(room) };
        block.packet(source, original.min(most), bytes)?;
        Ok(Record { interface, micros: None, original })
    }

    fn clock(&self, block: &Block, interface: u32) -> Result<(usize, Clock), Fault> {
        let known = usize::try_from(interface).ok();
        let known = known.and_then(|place| Some((self.first + place, *self.clocks.get(place)?)));
        known.ok_or_else(|| {
            block.broken(&format!("a packet of interface {interface}, which is not described"))
        })
    }
}

/// A block in the reading.
struct Block {
    offset: u64,
    /// Octets of its body that were not read.
    left: u64,
}

impl Block {
    fn broken(&self, what: &str) -> Fault {
        Fault::broken(self.offset, what)
    }

    fn fill<R: Read>(&mut self, source: &mut Source<R>, into: &mut [u8]) -> Result<(), Fault> {
        let Some(left) = self.left.checked_sub(into.len() as u64) else {
            return Err(self.broken("a block that is too short for what it is"));
        };
        if !into.is_empty() {
            source.fill(into).map_err(|short| Fault::cut_off(short, self.offset))?;
        }
        self.left = left;
        Ok(())
    }

    fn packet<R: Read>(
        &mut self,
        source: &mut Source<R>,
        length: u32,
        bytes: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        if length > LARGEST_PACKET || u64::from(length) > self.left {
            return Err(
                self.broken(&format!("a packet of {length} octets in a block that has {}", self.left))
            );
        }
        bytes.resize(length as usize, 0);
        self.fill(source, bytes)
    }
}

/// `if_tsresol`: a power of ten, or with the highest bit set of two.
fn rate(resolution: u8) -> u128 {
    let exponent = u32::from(resolution & 0x7f);
    let base: u128 = if resolution & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(exponent).unwrap_or(u128::MAX)
}

/// The options of a block, as far as they are sound.
fn options(order: Order, mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let head = bytes.get(..4)?;
        let (code, length) = (order.u16(head, 0), usize::from(order.u16(head, 2)));
        if code == 0 {
            return None;
        }
        let value = bytes.get(4..4 + length)?;
        bytes = bytes.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    })
}
