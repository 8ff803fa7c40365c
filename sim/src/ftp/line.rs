//! Lines out of the bytes of a control connection, bounded in length.
//!
//! The control connection is a Telnet connection (RFC 959 §2.3): a line ends in CRLF (a bare LF is taken too), and
//! Telnet commands in between, as a client sends before ABOR (RFC 959 §4.1.3), are not part of the text.

/// Collects lines; holds at most one line's bytes.
#[derive(Debug)]
pub(super) struct LineReader {
    limit: usize,
    line: Vec<u8>,
    telnet: Telnet,
    /// The current line was too long and was reported as such: what is left of it goes nowhere.
    skipping: bool,
}

/// What a [`LineReader`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line without its end. Bytes that are not UTF-8 are replaced.
    Text(String),
    /// A line longer than the limit, reported once, before its end has come.
    TooLong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telnet {
    Text,
    /// After IAC.
    Command,
    /// After IAC and one of WILL, WON'T, DO, DON'T: the option is next.
    Option,
}

/// "Interpret as command", RFC 854.
const IAC: u8 = 255;
const WILL: u8 = 251;
const DONT: u8 = 254;

impl LineReader {
    /// A reader of lines that have at most `limit` bytes with their line end.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, line: Vec::new(), telnet: Telnet::Text, skipping: false }
    }

    /// Takes bytes off the front of `bytes` until a line is complete. `None`: all were taken, and more are needed.
    pub(super) fn next_line(&mut self, bytes: &mut &[u8]) -> Option<Line> {
        while let Some((&byte, rest)) = bytes.split_first() {
            *bytes = rest;
            if let Some(byte) = self.strip_telnet(byte)
                && let Some(line) = self.push(byte)
            {
                return Some(line);
            }
        }
        None
    }

    fn push(&mut self, byte: u8) -> Option<Line> {
        if byte == b'\n' {
            let line = std::mem::take(&mut self.line);
            if std::mem::take(&mut self.skipping) {
                return None;
            }
            let text = line.strip_suffix(b"\r").unwrap_or(&line);
            return Some(Line::Text(String::from_utf8_lossy(text).into_owned()));
        }
        if self.skipping {
            return None;
        }
        self.line.push(byte);
        if self.line.len() < self.limit {
            return None;
        }
        self.line.clear();
        self.skipping = true;
        Some(Line::TooLong)
    }

    fn strip_telnet(&mut self, byte: u8) -> Option<u8> {
        match (self.telnet, byte) {
            (Telnet::Text, IAC) => self.telnet = Telnet::Command,
            (Telnet::Text, _) => return Some(byte),
            (Telnet::Command, WILL..=DONT) => self.telnet = Telnet::Option,
            (Telnet::Command, IAC) => {
                self.telnet = Telnet::Text;
                return Some(IAC);
            }
            (Telnet::Command | Telnet::Option, _) => self.telnet = Telnet::Text,
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(limit: usize, pieces: &[&[u8]]) -> Vec<Line> {
        let mut reader = LineReader::new(limit);
        let mut found = Vec::new();
        for mut piece in pieces.iter().copied() {
            while let Some(line) = reader.next_line(&mut piece) {
                found.push(line);
            }
        }
        found
    }

    fn text(text: &str) -> Line {
        Line::Text(text.to_owned())
    }

    #[test]
    fn lines_may_share_a_piece_or_be_split_over_many() {
        assert_eq!(lines(99, &[b"USER a\r\nPA", b"SS b\r", b"\nNO"]), [text("USER a"), text("PASS b")]);
    }

    #[test]
    fn an_overlong_line_is_reported_once_and_the_next_one_is_read() {
        assert_eq!(lines(8, &[b"1234567", b"890", b"\r\nNOOP\r\n"]), [Line::TooLong, text("NOOP")]);
    }

    #[test]
    fn the_limit_counts_the_line_end() {
        assert_eq!(lines(8, &[b"123456\r\n"]), [text("123456")]);
        assert_eq!(lines(8, &[b"1234567\r\n"]), [Line::TooLong]);
    }

    #[test]
    fn telnet_commands_are_not_text() {
        assert_eq!(lines(99, &[b"\xff\xf4\xff\xf2ABOR\r\n"]), [text("ABOR")]);
        assert_eq!(lines(99, &[b"A\xff\xfb\x01B\r\n"]), [text("AB")]);
    }
}
