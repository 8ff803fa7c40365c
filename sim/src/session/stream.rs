//! One direction of a control connection: its bytes put in order as segments bring them, and cut into lines. What is kept
//! is bounded, whoever sends it.

use std::collections::BTreeMap;

use smoltcp::time::Instant;

use super::dialogue::{Line, Speaker, is_command, mask_cut};

/// Which segment of a connection, and when it crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) segment: usize,
    pub(super) at: Instant,
}

/// Text that is kept of one direction, in octets: no dialogue comes near it.
const LONGEST_TEXT: usize = 256 << 10;
/// What waits for octets before it, in octets: more than any window of an honest control connection.
const LONGEST_WAIT: usize = 64 << 10;

/// One direction's bytes, in order as far as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stream {
    /// The sequence number that comes next; `None` before anything was seen.
    next: Option<u32>,
    /// Whether the first octet seen may stand in the middle of a line.
    joined: bool,
    in_order: Vec<u8>,
    /// How many bytes were in order after which segment.
    marks: Vec<(usize, Mark)>,
    /// Octets that were never seen: behind how many in order, and how many.
    gaps: Vec<(usize, u32)>,
    /// What came before its turn, by sequence number; of a segment cut short, how many octets it had.
    early: BTreeMap<u32, Piece>,
    waiting: usize,
    /// Nothing more is kept: the text is too long, or it is none.
    ended: bool,
    /// The sequence number behind the newest octet, and how many octets there were up to there.
    newest: Option<u32>,
    carried: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    bytes: Vec<u8>,
    length: u32,
}

/// `left` comes before `right` in the circle of sequence numbers (RFC 9293 §3.4).
fn before(left: u32, right: u32) -> bool {
    left.wrapping_sub(right).cast_signed() < 0
}

fn length_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

impl Stream {
    /// Of a connection whose SYN had this sequence number.
    pub(super) fn after_syn(sequence: u32) -> Self {
        let next = Some(sequence.wrapping_add(1));
        Self { next, newest: next, ..Self::default() }
    }

    /// Keeps no more bytes.
    pub(super) fn end(&mut self) {
        self.ended = true;
        self.early = BTreeMap::new();
        self.waiting = 0;
    }

    /// How many octets were sent, as far as it was seen.
    pub(super) fn carried(&self) -> u64 {
        self.carried
    }

    /// Takes in a segment's payload of `length` octets, of which the capture may hold fewer.
    pub(super) fn take(&mut self, mark: Mark, sequence: u32, payload: &[u8], length: u32) {
        if length == 0 {
            return;
        }
        self.count(sequence, length);
        if self.next.is_none() {
            (self.next, self.joined) = (Some(sequence), true);
        }
        if self.ended {
            return;
        }
        let piece = Piece { bytes: payload.to_vec(), length };
        let known = self.early.get(&sequence).is_some_and(|known| known.length >= length);
        if !known {
            self.waiting += payload.len();
            let old = self.early.insert(sequence, piece);
            self.waiting -= old.map_or(0, |old| old.bytes.len());
        }
        self.advance();
        if self.waiting > LONGEST_WAIT {
            self.skip_gap();
            self.advance();
        }
        self.mark(mark);
    }

    /// The other end has all octets before `sequence`: what is not here by now will not come.
    pub(super) fn acknowledged(&mut self, mark: Mark, sequence: u32) {
        let waits_for = |stream: &Self| stream.first_early().filter(|at| !before(sequence, *at));
        let reached = self.in_order.len();
        while waits_for(self).is_some() {
            self.skip_gap();
            self.advance();
        }
        if self.in_order.len() > reached {
            self.mark(mark);
        }
    }

    fn count(&mut self, sequence: u32, length: u32) {
        let end = sequence.wrapping_add(length);
        let newest = self.newest.unwrap_or(sequence);
        if before(newest, end) {
            self.carried += u64::from(end.wrapping_sub(newest));
            self.newest = Some(end);
        }
    }

    fn mark(&mut self, mark: Mark) {
        if self.marks.last().is_none_or(|(reached, _)| *reached < self.in_order.len()) {
            self.marks.push((self.in_order.len(), mark));
        }
    }

    /// The early piece that comes first.
    fn first_early(&self) -> Option<u32> {
        let next = self.next?;
        self.early.keys().copied().min_by_key(|at| at.wrapping_sub(next).cast_signed())
    }

    /// Goes on behind what is missing.
    fn skip_gap(&mut self) {
        let Some((next, first)) = self.next.zip(self.first_early()) else { return };
        if before(next, first) {
            self.gap(first.wrapping_sub(next));
            self.next = Some(first);
        }
    }

    fn gap(&mut self, missing: u32) {
        self.gaps.push((self.in_order.len(), missing));
    }

    /// Puts into order what can be: a segment may close a gap before others that came early.
    fn advance(&mut self) {
        while let Some((at, next)) = self.first_early().zip(self.next)
            && !before(next, at)
        {
            let Some(piece) = self.early.remove(&at) else { return };
            self.waiting -= piece.bytes.len();
            let old = next.wrapping_sub(at);
            if old >= piece.length {
                continue;
            }
            let new = usize::try_from(old).ok().and_then(|old| piece.bytes.get(old..)).unwrap_or_default();
            self.in_order.extend_from_slice(new);
            let missing = piece.length - old - length_of(new);
            if missing > 0 {
                self.gap(missing);
            }
            self.next = Some(at.wrapping_add(piece.length));
            if self.in_order.len() > LONGEST_TEXT {
                self.end();
                return;
            }
        }
    }

    /// The next line behind `cursor`, with the segment that brought its end. Where octets are missing the line ends, and
    /// says so; where TLS begins there are no more.
    pub(super) fn next_line(&self, cursor: &mut Cursor, speaker: Speaker) -> Option<(usize, Line)> {
        let rest = self.in_order.get(cursor.at..).filter(|rest| !begins_tls(rest))?;
        let end = rest.iter().position(|byte| *byte == b'\n').map(|place| cursor.at + place + 1);
        let gap = self.gaps.get(cursor.gaps).filter(|(at, _)| end.is_none_or(|end| *at < end));
        let until = gap.map(|(at, _)| *at).or(end)?;
        let bytes = self.in_order.get(cursor.at..until).unwrap_or_default();
        let reached = self.marks.partition_point(|(reached, _)| *reached < until);
        let (_, mark) = self.marks.get(reached).or(self.marks.last())?;
        let mut text = without_telnet(bytes);
        let in_middle = std::mem::replace(&mut cursor.in_middle, gap.is_some());
        let joined = cursor.at == 0 && cursor.gaps == 0 && self.joined;
        // A password's end could stand here.
        if speaker == Speaker::Client && (in_middle || joined) && !is_command(&text) {
            "[the end of a line]".clone_into(&mut text);
        }
        let mut line = Line::new(Some(mark.at), speaker, &text);
        if let Some((_, missing)) = gap {
            cursor.gaps += 1;
            // The verb may have its argument before its blank was seen.
            line.text = format!("{}[{missing} octets not captured]", mask_cut(&line.text));
        }
        cursor.at = until;
        Some((mark.segment, line))
    }
}

impl Stream {
    /// Forgets what was read already.
    pub(super) fn forget(&mut self, cursor: &mut Cursor) {
        let read = std::mem::take(&mut cursor.at);
        let gaps = std::mem::take(&mut cursor.gaps);
        if read == 0 && gaps == 0 {
            return;
        }
        self.joined = false;
        self.in_order.drain(..read.min(self.in_order.len()));
        self.gaps.drain(..gaps.min(self.gaps.len()));
        for (at, _) in &mut self.gaps {
            *at = at.saturating_sub(read);
        }
        let last = self.marks.last().copied();
        self.marks.retain(|(reached, _)| *reached > read);
        if self.marks.is_empty() {
            self.marks.extend(last);
        }
        for (reached, _) in &mut self.marks {
            *reached = reached.saturating_sub(read);
        }
    }
}

/// How far a stream's lines were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    at: usize,
    gaps: usize,
    in_middle: bool,
}

/// Whether a record of TLS stands where a line would begin: its type and the major version (RFC 8446 §5.1). No command
/// and no reply begins with such an octet.
pub(crate) fn begins_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x17, 3, ..])
}

/// A line's text, without its end and without Telnet commands (RFC 854), as clients send them before ABOR.
fn without_telnet(line: &[u8]) -> String {
    const IAC: u8 = 255;
    const WILL: u8 = 251;
    const DONT: u8 = 254;
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut text = Vec::with_capacity(line.len());
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != IAC {
            text.push(byte);
        } else if matches!(bytes.next(), Some(WILL..=DONT)) {
            bytes.next();
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(segment: usize) -> Mark {
        Mark { segment, at: Instant::from_secs(i64::try_from(segment).unwrap()) }
    }

    /// All at once, and line by line with what was read forgotten.
    fn lines(stream: &Stream) -> Vec<(usize, String)> {
        let mut cursor = Cursor::default();
        let whole: Vec<_> = std::iter::from_fn(|| stream.next_line(&mut cursor, Speaker::Client))
            .map(|(segment, line)| (segment, line.text))
            .collect();
        let (mut stream, mut cursor, mut pieces) = (stream.clone(), Cursor::default(), Vec::new());
        while let Some((segment, line)) = stream.next_line(&mut cursor, Speaker::Client) {
            pieces.push((segment, line.text));
            stream.forget(&mut cursor);
        }
        assert_eq!(pieces, whole);
        whole
    }

    fn take(stream: &mut Stream, segment: usize, sequence: u32, payload: &[u8]) {
        stream.take(mark(segment), sequence, payload, length_of(payload));
    }

    fn line(segment: usize, text: &str) -> (usize, String) {
        (segment, text.to_owned())
    }

    #[test]
    fn segments_are_put_in_order_across_the_end_of_the_number_space() {
        let mut stream = Stream::after_syn(u32::MAX - 3);
        take(&mut stream, 1, 2, b"100\r\nQUIT\r\n");
        take(&mut stream, 2, u32::MAX - 2, b"PORT ");
        take(&mut stream, 3, u32::MAX - 2, b"PORT ");
        assert_eq!(lines(&stream), [line(2, "PORT 100"), line(2, "QUIT")]);
        assert_eq!(stream.carried(), 16);
    }

    #[test]
    fn a_segment_that_repeats_more_than_it_did_adds_only_what_is_new() {
        let mut stream = Stream::after_syn(0);
        take(&mut stream, 1, 1, b"USER a\r\n");
        take(&mut stream, 2, 1, b"USER a\r\nLIST\r\n");
        take(&mut stream, 3, 5, b" a\r\nLI");
        assert_eq!(lines(&stream), [line(1, "USER a"), line(2, "LIST")]);
    }

    #[test]
    fn what_was_acknowledged_and_never_seen_is_a_gap() {
        let mut stream = Stream::after_syn(0);
        take(&mut stream, 1, 1, b"USER a\r\nCW");
        take(&mut stream, 2, 17, b"LIST\r\n");
        assert_eq!(lines(&stream), [line(1, "USER a")]);
        stream.acknowledged(mark(3), 23);
        let after = [line(1, "USER a"), line(1, "CW[6 octets not captured]"), line(3, "LIST")];
        assert_eq!(lines(&stream), after);
    }

    #[test]
    fn a_segment_that_the_capture_cut_short_leaves_a_gap() {
        let mut stream = Stream::after_syn(0);
        stream.take(mark(1), 1, b"PORT 192", 25);
        take(&mut stream, 2, 26, b"LIST\r\n");
        assert_eq!(lines(&stream), [line(1, "PORT 192[17 octets not captured]"), line(2, "LIST")]);
    }

    #[test]
    fn no_piece_of_a_password_shows_at_a_gap_or_where_a_capture_begins() {
        let mut stream = Stream::after_syn(0);
        take(&mut stream, 1, 1, b"PASS se");
        take(&mut stream, 2, 10, b"ret\r\nLIST\r\n");
        stream.acknowledged(mark(3), 21);
        let texts =
            [line(1, "PASS ****[2 octets not captured]"), line(3, "[the end of a line]"), line(3, "LIST")];
        assert_eq!(lines(&stream), texts);
        let mut joined = Stream::default();
        take(&mut joined, 1, 500, b"cret\r\nLIST\r\n");
        assert_eq!(lines(&joined), [line(1, "[the end of a line]"), line(1, "LIST")]);
        let mut cut = Stream::after_syn(0);
        take(&mut cut, 1, 1, b"PA");
        cut.take(mark(2), 3, b"", 2);
        take(&mut cut, 3, 5, b" secret\r\n");
        assert!(!format!("{:?}", lines(&cut)).contains("secret"));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut stream = Stream::after_syn(0);
        let segment = [b'x'; 1000];
        for number in 0..10_000_u32 {
            stream.take(mark(1), 1 + number * 1000, &segment, 1000);
        }
        assert!(stream.in_order.len() <= LONGEST_TEXT + 1000);
        let mut early = Stream::after_syn(0);
        for number in 0..10_000_u32 {
            early.take(mark(1), 5 + number * 1001, &segment, 1000);
            assert!(early.waiting <= LONGEST_WAIT);
        }
        assert_eq!(stream.carried(), 10_000_000);
    }

    #[test]
    fn what_is_behind_auth_tls_is_not_taken_for_lines() {
        let mut stream = Stream::after_syn(0);
        take(&mut stream, 1, 1, b"AUTH TLS\r\n\x16\x03\x01\x00\x05ab\ncd\n");
        assert_eq!(lines(&stream), [line(1, "AUTH TLS")]);
    }

    #[test]
    fn telnet_commands_are_not_text() {
        assert_eq!(without_telnet(b"\xff\xf4\xff\xf2ABOR\r\n"), "ABOR");
        assert_eq!(without_telnet(b"A\xff\xfb\x01B"), "AB");
    }
}
