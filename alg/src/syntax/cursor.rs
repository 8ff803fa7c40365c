//! A place in a segment's bytes.

use crate::SyntaxFault;

pub(super) struct Cursor<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// Whether a search goes on into the lines that follow.
    pub(super) crosses_lines: bool,
}

impl Cursor<'_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Stops before the first byte that is `wanted`. Where there is none, it is missing if a line end was met, and cut
    /// off if not.
    pub(super) fn skip_until(&mut self, wanted: impl Fn(u8) -> bool) -> Result<(), SyntaxFault> {
        let mut missing = SyntaxFault::CutOff;
        loop {
            match self.peek() {
                None => return Err(missing),
                Some(octet) if wanted(octet) => return Ok(()),
                Some(octet) if is_line_end(octet) => {
                    missing = SyntaxFault::NotANumber;
                    if !self.crosses_lines {
                        return Err(missing);
                    }
                    self.at += 1;
                }
                Some(_) => self.at += 1,
            }
        }
    }

    /// The last byte of the line that is `wanted`, and where it stands.
    pub(super) fn last_in_line(&self, wanted: impl Fn(u8) -> bool) -> Result<(usize, u8), SyntaxFault> {
        let line = self.bytes.get(self.at..).unwrap_or_default();
        let line = line.get(..self.line_length(self.at)).unwrap_or(line);
        match line.iter().rposition(|octet| wanted(*octet)) {
            Some(index) => Ok((self.at + index, line.get(index).copied().unwrap_or_default())),
            None if self.at + line.len() == self.bytes.len() => Err(SyntaxFault::CutOff),
            None => Err(SyntaxFault::NotANumber),
        }
    }

    /// How many bytes from `start` on stand before a line end.
    pub(super) fn line_length(&self, start: usize) -> usize {
        self.bytes.iter().skip(start).take_while(|octet| !is_line_end(**octet)).count()
    }

    pub(super) fn expect(&mut self, wanted: u8) -> Result<(), SyntaxFault> {
        match self.peek() {
            None => Err(SyntaxFault::CutOff),
            Some(octet) if octet == wanted => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(SyntaxFault::NotANumber),
        }
    }
}

pub(super) fn is_line_end(octet: u8) -> bool {
    octet == b'\r' || octet == b'\n'
}
