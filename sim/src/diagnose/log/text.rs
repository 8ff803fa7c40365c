//! The lines of a text whose encoding nobody told us, one at a time and bounded in length.
//!
//! A byte order mark decides between UTF-16 and UTF-8 (Windows programs write both). Without one a line is UTF-8, or
//! else Latin-1, in which every byte is a character: FTP programs log names as they came over the wire.

use std::io::{self, BufRead};

/// A longer line is cut here. A reply line has at most 512 bytes in practice; the rest is room for paths.
pub(super) const MAX_LINE: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Bytes,
    Utf16 { big: bool },
}

/// Reads lines.
#[derive(Debug)]
pub(super) struct Lines<'a, R> {
    source: &'a mut R,
    encoding: Encoding,
    raw: Vec<u8>,
    /// How many lines were longer than [`MAX_LINE`].
    pub(super) cut: usize,
    /// How many lines were read.
    pub(super) count: usize,
}

impl<'a, R: BufRead> Lines<'a, R> {
    /// Looks at the byte order mark, if there is one.
    pub(super) fn new(source: &'a mut R) -> io::Result<Self> {
        let start = source.fill_buf()?;
        let (encoding, mark) = match start {
            [0xff, 0xfe, ..] => (Encoding::Utf16 { big: false }, 2),
            [0xfe, 0xff, ..] => (Encoding::Utf16 { big: true }, 2),
            [0xef, 0xbb, 0xbf, ..] => (Encoding::Bytes, 3),
            _ => (Encoding::Bytes, 0),
        };
        source.consume(mark);
        Ok(Self { source, encoding, raw: Vec::new(), cut: 0, count: 0 })
    }

    /// The next line without its end; `None` at the end of the text.
    pub(super) fn next(&mut self) -> io::Result<Option<String>> {
        if !self.read_raw()? {
            return Ok(None);
        }
        self.count += 1;
        let text = match self.encoding {
            Encoding::Bytes => text_of_bytes(&self.raw),
            Encoding::Utf16 { big } => text_of_utf16(&self.raw, big),
        };
        Ok(Some(text.trim_end_matches(['\r', '\0']).to_owned()))
    }

    /// Reads up to and with the next line feed, keeping at most [`MAX_LINE`] characters of it; false at the end.
    fn read_raw(&mut self) -> io::Result<bool> {
        let width = if self.encoding == Encoding::Bytes { 1 } else { 2 };
        let limit = MAX_LINE * width;
        self.raw.clear();
        let (mut any, mut cut) = (false, false);
        let mut unit: Vec<u8> = Vec::with_capacity(2);
        loop {
            let available = match self.source.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                break;
            }
            any = true;
            let (mut used, mut ended) = (0, false);
            for &byte in available {
                used += 1;
                unit.push(byte);
                if unit.len() < width {
                    continue;
                }
                ended = match self.encoding {
                    Encoding::Bytes => unit == [b'\n'],
                    Encoding::Utf16 { big: false } => unit == [b'\n', 0],
                    Encoding::Utf16 { big: true } => unit == [0, b'\n'],
                };
                if ended {
                    break;
                }
                if self.raw.len() < limit {
                    self.raw.append(&mut unit);
                } else {
                    cut = true;
                    unit.clear();
                }
            }
            self.source.consume(used);
            if ended {
                break;
            }
        }
        self.cut += usize::from(cut);
        Ok(any)
    }
}

fn text_of_bytes(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(text) => text.to_owned(),
        // Cut in the middle of a character, at the limit.
        Err(error) if error.error_len().is_none() && raw.len() >= MAX_LINE => {
            String::from_utf8_lossy(raw).into_owned()
        }
        Err(_) => raw.iter().map(|&byte| char::from(byte)).collect(),
    }
}

fn text_of_utf16(raw: &[u8], big: bool) -> String {
    let units = raw.chunks_exact(2).filter_map(|pair| {
        let pair: [u8; 2] = pair.try_into().ok()?;
        Some(if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    });
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mut bytes: &[u8]) -> Vec<String> {
        let mut reader = Lines::new(&mut bytes).unwrap();
        std::iter::from_fn(|| reader.next().unwrap()).collect()
    }

    #[test]
    fn both_line_ends_and_a_last_line_without_one() {
        assert_eq!(lines(b"USER a\r\nPASV\nQUIT"), ["USER a", "PASV", "QUIT"]);
        assert_eq!(lines(b""), Vec::<String>::new());
        assert_eq!(lines(b"\n\r\n"), ["", ""]);
    }

    #[test]
    fn each_encoding_gives_the_same_text() {
        let text = "> PASV\r\n< 227 Pässe (1,2,3,4,5,6)";
        let expected = ["> PASV", "< 227 Pässe (1,2,3,4,5,6)"];
        assert_eq!(lines(text.as_bytes()), expected);
        assert_eq!(lines(&[b"\xef\xbb\xbf", text.as_bytes()].concat()), expected);
        let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
        assert_eq!(lines(&latin), expected);
        let little: Vec<u8> =
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(lines(&little), expected);
        let big: Vec<u8> =
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        assert_eq!(lines(&big), expected);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut long: &[u8] = &vec![b'a'; 1_000_000];
        let mut reader = Lines::new(&mut long).unwrap();
        assert_eq!(reader.next().unwrap().unwrap().len(), MAX_LINE);
        assert_eq!((reader.next().unwrap(), reader.cut, reader.count), (None, 1, 1));
    }
}
