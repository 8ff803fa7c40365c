//! Reads captures packet by packet, whatever their length: pcap and pcapng, in both byte orders. A file's lengths are not
//! believed before they are found sound, so that a damaged or hostile one costs no more memory than an honest one.
//!
//! pcap-file's readers are not used here: they keep a file's offsets to themselves, cannot tell a file that ends early from
//! a damaged one, and pass a block only if it fits into their buffer.

mod error;
mod pcap;
mod pcapng;
mod source;
#[cfg(test)]
mod tests;

use std::io::Read;

use smoltcp::time::Instant;

pub use error::CaptureError;

use super::LinkType;
use pcap::Pcap;
use pcapng::PcapNg;
use source::{Short, Source};

/// The largest packet that is believed, in octets; libpcap's own limit is 262 144 for all that carries IP.
const LARGEST_PACKET: u32 = 1 << 20;

/// Where packets were seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name, where the capture says it.
    pub name: Option<String>,
    /// What stands before the network layer.
    pub link: LinkType,
    /// Which section of a pcapng it belongs to, from 0.
    pub section: usize,
}

/// A packet as it was captured.
#[derive(Debug, Clone, Copy)]
pub struct Captured<'a> {
    /// When, on the clock of the machine that captured it; of packets without a time, when the one before them came.
    pub at: Instant,
    /// Which of [`CaptureReader::interfaces`].
    pub interface: usize,
    /// What stands before its network layer.
    pub link: LinkType,
    /// Its octets, as many as were captured.
    pub bytes: &'a [u8],
    /// How many it had on the wire.
    pub original_length: u32,
}

/// Reads a capture.
#[derive(Debug)]
pub struct CaptureReader<R> {
    source: Source<R>,
    format: Format,
    interfaces: Vec<Interface>,
    bytes: Vec<u8>,
    last: Instant,
    cut_off: Option<u64>,
}

#[derive(Debug)]
enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// A packet, but for its octets.
#[derive(Debug, Clone, Copy)]
struct Record {
    interface: usize,
    micros: Option<i64>,
    original: u32,
}

/// Why there is no packet where one was to be.
#[derive(Debug)]
enum Fault {
    /// The file ends in what begins at this offset.
    CutOff(u64),
    Error(CaptureError),
}

impl Fault {
    fn broken(offset: u64, what: impl Into<String>) -> Self {
        Self::Error(CaptureError::Broken { offset, what: what.into() })
    }

    fn cut_off(short: Short, offset: u64) -> Self {
        match short {
            Short::AtEnd | Short::Inside => Self::CutOff(offset),
            Short::Failed(error) => Self::Error(error),
        }
    }

    fn in_header(short: Short, offset: u64) -> Self {
        match short {
            Short::AtEnd | Short::Inside => Self::broken(offset, "the file ends in its header"),
            Short::Failed(error) => Self::Error(error),
        }
    }
}

/// Whether a file that begins so is a capture, or packed: the business of [`CaptureReader`], and not a text.
pub fn looks_like_a_capture(start: &[u8]) -> bool {
    let Some(magic) = start.first_chunk::<4>() else { return false };
    pcap::is_pcap(*magic) || u32::from_be_bytes(*magic) == pcapng::SECTION_HEADER || packed(*magic).is_some()
}

fn packed(magic: [u8; 4]) -> Option<CaptureError> {
    let (with, unpack) = match magic {
        [0x1f, 0x8b, ..] => ("gzip", "gunzip -k"),
        [0x28, 0xb5, 0x2f, 0xfd] => ("zstd", "unzstd"),
        [0xfd, b'7', b'z', b'X'] => ("xz", "unxz -k"),
        [b'B', b'Z', b'h', _] => ("bzip2", "bunzip2 -k"),
        [0x04, 0x22, 0x4d, 0x18] => ("lz4", "unlz4"),
        [b'P', b'K', 3, 4] => ("zip", "unzip"),
        _ => return None,
    };
    Some(CaptureError::Packed { with, unpack })
}

impl<R: Read> CaptureReader<R> {
    /// Reads the file's header.
    pub fn new(reader: R) -> Result<Self, CaptureError> {
        let mut source = Source::new(reader);
        let mut magic = [0; 4];
        match source.fill(&mut magic) {
            Ok(()) => {}
            Err(Short::AtEnd) => return Err(CaptureError::Empty),
            Err(Short::Inside) => {
                let seen = usize::try_from(source.offset()).unwrap_or_default();
                return Err(CaptureError::NotACapture(magic.get(..seen).unwrap_or_default().to_vec()));
            }
            Err(Short::Failed(error)) => return Err(error),
        }
        let begun = if pcap::is_pcap(magic) {
            Pcap::begin(&mut source, magic).map(|(pcap, interface)| (Format::Pcap(pcap), vec![interface]))
        } else if u32::from_be_bytes(magic) == pcapng::SECTION_HEADER {
            PcapNg::begin(&mut source).map(|pcapng| (Format::PcapNg(pcapng), Vec::new()))
        } else {
            return Err(packed(magic).unwrap_or_else(|| CaptureError::NotACapture(magic.to_vec())));
        };
        let (format, interfaces) = begun.map_err(|fault| match fault {
            Fault::CutOff(offset) => {
                CaptureError::Broken { offset, what: "the file ends in its header".to_owned() }
            }
            Fault::Error(error) => error,
        })?;
        let (bytes, last) = (Vec::new(), Instant::ZERO);
        Ok(Self { source, format, interfaces, bytes, last, cut_off: None })
    }

    /// The next packet; `None` at the end, also at one that comes too early: see [`cut_off`](Self::cut_off).
    pub fn next_packet(&mut self) -> Result<Option<Captured<'_>>, CaptureError> {
        if self.cut_off.is_some() {
            return Ok(None);
        }
        let record = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.source, &mut self.bytes),
            Format::PcapNg(pcapng) => pcapng.next(&mut self.source, &mut self.interfaces, &mut self.bytes),
        };
        let record = match record {
            Ok(Some(record)) => record,
            Ok(None) => return Ok(None),
            Err(Fault::CutOff(offset)) => {
                self.cut_off = Some(offset);
                return Ok(None);
            }
            Err(Fault::Error(error)) => return Err(error),
        };
        self.last = record.micros.map_or(self.last, Instant::from_micros);
        let Some(interface) = self.interfaces.get(record.interface) else { return Ok(None) };
        Ok(Some(Captured {
            link: interface.link,
            at: self.last,
            interface: record.interface,
            bytes: &self.bytes,
            original_length: record.original,
        }))
    }

    /// The interfaces that were described so far.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// Where what the file ends in began, if it ends in the middle of something.
    pub fn cut_off(&self) -> Option<u64> {
        self.cut_off
    }
}
