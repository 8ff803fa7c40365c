//! What a gateway keeps in mind of one control connection: where lines end, and how far the conversation has come.

mod lines;
mod words;

use arrayvec::ArrayVec;

use crate::dialect::{AfterAuthTls, Dialect, ForeignLines};
use crate::{BeginsAnew, Command, Refused, Role, Segment};
use lines::{Line, Lines};

/// How many ends of lines are kept in each direction (Linux `NUM_SEQ_TO_REMEMBER`).
const NEWLINES_REMEMBERED: usize = 2;

/// One control connection, both directions, as its gateway has seen it.
#[derive(Debug, Clone, Default)]
pub struct Dialogue {
    client: Direction,
    server: Direction,
    /// Whether the server has let the client in.
    pub(crate) logged_in: bool,
    /// What the client's last command asks to be told, until the reply.
    asked: Option<Command>,
    tls: Tls,
    /// Whether the client has said what is no FTP command.
    foreign: bool,
    /// Commands without a reply.
    unanswered: u16,
    /// Whether the last segment that came, from either end, ended without `\r\n`.
    pub(crate) waits_for_crlf: bool,
}

/// How far an encryption has come (RFC 4217 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tls {
    #[default]
    Unasked,
    /// The client has sent AUTH.
    Asked,
    /// The server has said 234: what follows is encrypted.
    Begun,
}

/// One direction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Direction {
    /// The sequence number of its first byte, where the SYN was seen.
    first: Option<u32>,
    /// The sequence number after the last byte seen.
    next: Option<u32>,
    /// Whether the last byte seen is in the middle of a line.
    in_line: bool,
    /// How many octets of that line were seen.
    line_octets: usize,
    /// Whether the last segment that came ended with `\r\n`.
    ended_with_crlf: bool,
    /// Sequence numbers at which a segment ended with a newline.
    newlines: ArrayVec<u32, NEWLINES_REMEMBERED>,
    /// The line under way.
    lines: Lines,
}

/// Whether, and why, nothing of the conversation is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    Encrypted,
    Foreign,
}

impl Dialogue {
    /// `role` has sent a SYN: its first byte will have `sequence`. Gives whether a new connection begins with it, as far as
    /// the gateway is concerned.
    pub fn begin(&mut self, dialect: &Dialect, role: Role, sequence: u32) -> bool {
        let direction = self.direction(role);
        let goes_on = match dialect.begins_anew {
            BeginsAnew::OnSyn => direction.first == Some(sequence),
            BeginsAnew::WithTranslation => direction.next.is_some(),
        };
        if goes_on {
            return false;
        }
        if role == Role::Client && dialect.begins_anew == BeginsAnew::OnSyn {
            *self = Self::default();
        }
        *self.direction_mut(role) =
            Direction { first: Some(sequence), next: Some(sequence), ..Direction::default() };
        true
    }

    /// The octets of `segment` are not read; the next ones follow them all the same.
    pub fn pass_over(&mut self, segment: &Segment<'_>) {
        self.direction_mut(segment.role).lines.lose();
        self.arrived(segment);
    }

    pub(crate) fn direction(&self, role: Role) -> &Direction {
        match role {
            Role::Client => &self.client,
            Role::Server => &self.server,
        }
    }

    fn direction_mut(&mut self, role: Role) -> &mut Direction {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// Whether nothing is read any more, under `dialect`.
    pub(crate) fn closed(&self, dialect: &Dialect) -> Option<Closed> {
        if self.tls == Tls::Begun && dialect.after_auth_tls == AfterAuthTls::Stop {
            Some(Closed::Encrypted)
        } else if self.foreign && dialect.foreign_lines == ForeignLines::StopWatching {
            Some(Closed::Foreign)
        } else {
            None
        }
    }

    /// Whether `reply` is the answer to the client's last command.
    pub(crate) fn has_asked_for(&self, reply: Command) -> bool {
        self.asked == Some(reply)
    }

    /// Takes note of the lines in `segment`; tells whether a command came too early.
    pub(crate) fn note_lines(&mut self, segment: &Segment<'_>) -> Option<Refused> {
        if self.tls == Tls::Begun {
            return None;
        }
        let direction = self.direction_mut(segment.role);
        let new = direction.new_bytes(segment);
        let mut lines = std::mem::take(&mut direction.lines);
        let mut refused = None;
        for octet in new {
            match lines.take(segment.role, *octet) {
                None => {}
                Some(Line::Command(word)) => {
                    let early = self.unanswered > 0;
                    self.note_command(&word);
                    if early {
                        refused = Some(Refused::Pipelined);
                    }
                }
                Some(Line::Foreign) => self.foreign = true,
                Some(Line::Reply(code)) => self.note_reply(code),
            }
        }
        self.direction_mut(segment.role).lines = lines;
        refused
    }

    fn note_command(&mut self, word: &[u8]) {
        self.unanswered = self.unanswered.saturating_add(1);
        self.asked = match word {
            b"PASV" => Some(Command::Reply227),
            b"EPSV" => Some(Command::Reply229),
            _ => None,
        };
        match word {
            b"AUTH" => self.tls = Tls::Asked,
            // RFC 959 §4.1.1: another user may log in.
            b"REIN" => self.logged_in = false,
            _ => {}
        }
    }

    fn note_reply(&mut self, code: u16) {
        self.unanswered = self.unanswered.saturating_sub(1);
        self.asked = None;
        match code {
            // RFC 2228 §5.1 names 232 for a login by the security data alone.
            230 | 232 => self.logged_in = true,
            234 if self.tls == Tls::Asked => self.tls = Tls::Begun,
            _ => {}
        }
    }

    /// `segment` passes.
    pub(crate) fn arrived(&mut self, segment: &Segment<'_>) {
        if !segment.bytes.is_empty() {
            self.waits_for_crlf = !segment.bytes.ends_with(b"\r\n");
        }
        self.direction_mut(segment.role).arrive(segment.sequence, segment.bytes);
    }
}

impl Direction {
    /// Whether a segment that begins at `sequence` begins a line.
    pub(crate) fn starts_line(&self, sequence: u32) -> bool {
        let continues = self.next.is_none_or(|next| next == sequence);
        (continues && !self.in_line) || self.remembers(sequence)
    }

    /// Whether a segment ended with a newline right before `sequence`.
    pub(crate) fn remembers(&self, sequence: u32) -> bool {
        self.newlines.contains(&sequence)
    }

    /// Whether a segment came, and the last one ended with `\r\n`.
    pub(crate) fn ended_with_crlf(&self) -> bool {
        self.ended_with_crlf
    }

    /// The bytes of `segment` that continue what was seen. Where some are missing before it, the line under way is lost.
    fn new_bytes<'a>(&mut self, segment: &Segment<'a>) -> &'a [u8] {
        let Some(next) = self.next else { return segment.bytes };
        if before(next, segment.sequence) {
            self.lines.lose();
            return segment.bytes;
        }
        let seen = usize::try_from(next.wrapping_sub(segment.sequence)).unwrap_or(usize::MAX);
        segment.bytes.get(seen..).unwrap_or_default()
    }

    /// Those of `bytes` that were not seen before.
    fn new_octets<'a>(&self, sequence: u32, bytes: &'a [u8]) -> &'a [u8] {
        let seen = self.next.map_or(0, |next| next.wrapping_sub(sequence));
        let seen = if seen.cast_signed() < 0 { 0 } else { seen };
        bytes.get(usize::try_from(seen).unwrap_or(usize::MAX)..).unwrap_or_default()
    }

    /// How many octets of the line stand before a segment at `sequence`.
    pub(crate) fn octets_before(&self, sequence: u32) -> usize {
        if self.next == Some(sequence) { self.line_octets } else { 0 }
    }

    fn arrive(&mut self, sequence: u32, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        let end = sequence.wrapping_add(u32::try_from(bytes.len()).unwrap_or_default());
        self.ended_with_crlf = bytes.ends_with(b"\r\n");
        if *last == b'\n' {
            self.remember(end);
        }
        if self.next.is_none_or(|next| before(next, end)) {
            let new = self.new_octets(sequence, bytes);
            let behind = new.iter().rev().take_while(|octet| **octet != b'\n').count();
            self.line_octets = if behind == new.len() { self.line_octets + behind } else { behind };
            self.next = Some(end);
            self.in_line = *last != b'\n';
        }
    }

    /// The lowest number gives way, if it is lower than the new one (Linux `update_nl_seq`).
    fn remember(&mut self, end: u32) {
        if self.newlines.contains(&end) || self.newlines.try_push(end).is_ok() {
            return;
        }
        let lowest = self.newlines.iter_mut().reduce(|one, two| if before(*two, *one) { two } else { one });
        if let Some(lowest) = lowest.filter(|lowest| before(**lowest, end)) {
            *lowest = end;
        }
    }
}

/// `left` comes before `right` in the circle of sequence numbers (RFC 9293 §3.4).
fn before(left: u32, right: u32) -> bool {
    left.wrapping_sub(right).cast_signed() < 0
}

#[cfg(test)]
mod tests;
