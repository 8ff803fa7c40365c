//! The octets of a capture, and where in the file they stand. No more is taken into memory than was asked for.

use std::io::{self, BufReader, Read};

use super::error::CaptureError;

/// How reading ended where there was not all that was asked for.
#[derive(Debug)]
pub(super) enum Short {
    /// The file ends exactly here.
    AtEnd,
    /// The file ends in the middle.
    Inside,
    /// It could not be read.
    Failed(CaptureError),
}

/// A capture's octets.
#[derive(Debug)]
pub(super) struct Source<R> {
    reader: BufReader<R>,
    offset: u64,
}

impl<R: Read> Source<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(1 << 16, reader), offset: 0 }
    }

    /// How many octets were read.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next octets, all of them or none.
    pub(super) fn fill(&mut self, into: &mut [u8]) -> Result<(), Short> {
        let mut filled = 0;
        while filled < into.len() {
            match self.reader.read(into.get_mut(filled..).unwrap_or_default()) {
                Ok(0) if filled == 0 => return Err(Short::AtEnd),
                Ok(0) => return Err(Short::Inside),
                Ok(count) => {
                    filled += count;
                    self.offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(Short::Failed(CaptureError::Unreadable { offset: self.offset, source }));
                }
            }
        }
        Ok(())
    }

    /// Passes over octets without keeping them.
    pub(super) fn skip(&mut self, count: u64) -> Result<(), Short> {
        let offset = self.offset;
        let skipped = io::copy(&mut (&mut self.reader).take(count), &mut io::sink())
            .map_err(|source| Short::Failed(CaptureError::Unreadable { offset, source }))?;
        self.offset += skipped;
        if skipped == count { Ok(()) } else { Err(Short::Inside) }
    }
}

/// The byte order that a capture's writer had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let octets = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        if self == Self::Little { u16::from_le_bytes(octets) } else { u16::from_be_bytes(octets) }
    }

    pub(super) fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let octets = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        if self == Self::Little { u32::from_le_bytes(octets) } else { u32::from_be_bytes(octets) }
    }

    pub(super) fn u64(self, bytes: &[u8], at: usize) -> u64 {
        let octets = bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        if self == Self::Little { u64::from_le_bytes(octets) } else { u64::from_be_bytes(octets) }
    }
}
