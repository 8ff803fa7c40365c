//! What leaves in an announcement's place.

use std::fmt::Write as _;
use std::net::SocketAddrV4;
use std::ops::Range;

use arrayvec::ArrayString;

use crate::Command;
use crate::announcement::{Announcement, Form};
use crate::dialect::{ExtendedAddress, RestOfSegment};

/// The longest line of a gateway's own is `227 Entering Passive Mode (…)` with six numbers of three digits: 53 octets.
const LONGEST_REPLACEMENT: usize = 64;

/// How many octets behind the line [`RestOfSegment::Keep256`] keeps.
const KEPT: usize = 256;

/// The text that takes the place of [`Replacement::span`]; never longer than 64 octets, so it needs no allocation.
pub type ReplacementText = ArrayString<LONGEST_REPLACEMENT>;

/// The pieces of a segment that leave in another way than they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The octets that give way.
    pub span: Range<usize>,
    /// What stands in their place.
    pub text: ReplacementText,
    /// Octets behind them that do not leave at all; mostly none.
    pub lost: Range<usize>,
}

impl Announcement {
    /// What the announcement leaves as, if it is to announce `endpoint`. `payload` is the segment that it was found in.
    pub fn replacement(&self, endpoint: SocketAddrV4, payload: &[u8]) -> Replacement {
        let whole = payload.len();
        let nothing = whole..whole;
        match self.rest {
            RestOfSegment::Keep => {
                Replacement { span: self.span.clone(), text: self.text_for(endpoint), lost: nothing }
            }
            RestOfSegment::KeepPort => {
                Replacement { span: self.address.clone(), text: self.address_for(endpoint), lost: nothing }
            }
            RestOfSegment::Keep256 => self.with_256_octets(endpoint, payload),
            RestOfSegment::OwnLine => {
                Replacement { span: self.whole_line(payload), text: self.own_line(endpoint), lost: nothing }
            }
            RestOfSegment::Lose => {
                Replacement { span: 0..whole, text: self.own_line(endpoint), lost: nothing }
            }
            RestOfSegment::Overwrite => self.laid_over(endpoint, payload),
        }
    }

    /// The announcement's line when it announces `endpoint`, for people to read. `payload` is as it came.
    pub fn rewritten_line(&self, endpoint: SocketAddrV4, payload: &[u8]) -> String {
        if matches!(self.rest, RestOfSegment::OwnLine | RestOfSegment::Lose | RestOfSegment::Overwrite) {
            return self.own_line(endpoint).trim_end().to_owned();
        }
        let part = |range: Range<usize>| String::from_utf8_lossy(payload.get(range).unwrap_or_default());
        let Replacement { span, text, .. } = self.replacement(endpoint, payload);
        let head = part(self.line.start..span.start);
        if self.rest == RestOfSegment::Keep256 {
            return format!("{head}{}", text.trim_end());
        }
        let tail = part(span.end..self.line.end.max(span.end));
        format!("{head}{text}{tail}")
    }

    /// The text that announces `endpoint` in this announcement's form.
    fn text_for(&self, endpoint: SocketAddrV4) -> ReplacementText {
        self.text_in(self.form, endpoint)
    }

    fn text_in(&self, form: Form, endpoint: SocketAddrV4) -> ReplacementText {
        let mut text = ReplacementText::new();
        let (address, port) = (self.address_for(endpoint), endpoint.port());
        let written = match form {
            Form::HostPort => {
                let [high, low] = port.to_be_bytes();
                write!(text, "{address},{high},{low}")
            }
            Form::Delimited(delimiter) => {
                let by = char::from(delimiter);
                let family = if self.command == Command::Eprt { "1" } else { "" };
                write!(text, "{by}{family}{by}{address}{by}{port}{by}")
            }
            Form::Numbers(between) if self.command == Command::Eprt => {
                write!(text, "{address}{}{port}", char::from(between))
            }
            Form::Numbers(_) => write!(text, "{port}"),
        };
        debug_assert!(written.is_ok(), "every form fits {LONGEST_REPLACEMENT} octets");
        text
    }

    /// The address in this announcement's form; none in a 229.
    fn address_for(&self, endpoint: SocketAddrV4) -> ReplacementText {
        let mut text = ReplacementText::new();
        let [a, b, c, d] = endpoint.ip().octets();
        let written = match (self.command, self.written) {
            (Command::Reply229, _) => Ok(()),
            (Command::Eprt, ExtendedAddress::Dots) => write!(text, "{a}.{b}.{c}.{d}"),
            _ => write!(text, "{a},{b},{c},{d}"),
        };
        debug_assert!(written.is_ok(), "an address fits {LONGEST_REPLACEMENT} octets");
        text
    }

    /// The line that announces `endpoint` in the words of those gateways that write the whole of it.
    fn own_line(&self, endpoint: SocketAddrV4) -> ReplacementText {
        let (before, after) = match self.command {
            Command::Port => ("PORT ", "\r\n"),
            Command::Eprt => ("EPRT ", "\r\n"),
            Command::Reply227 => ("227 Entering Passive Mode (", ")\r\n"),
            Command::Reply229 => ("229 Entering Extended Passive Mode (", ")\r\n"),
        };
        // A line of its own is a whole one, whatever was read of the other.
        let form = match self.form {
            Form::Numbers(_) => Form::Delimited(b'|'),
            whole => whole,
        };
        let mut line = ReplacementText::new();
        let written = write!(line, "{before}{}{after}", self.text_in(form, endpoint));
        debug_assert!(written.is_ok(), "every line fits {LONGEST_REPLACEMENT} octets");
        line
    }

    /// As a pattern with `%256[^\177]` at its end takes a line apart, and another puts it together.
    fn with_256_octets(&self, endpoint: SocketAddrV4, payload: &[u8]) -> Replacement {
        let behind = payload.get(self.span.end..).unwrap_or_default();
        let (start, before, after) = match self.command {
            Command::Port => (self.behind_word, " ", "\r\n"),
            Command::Reply227 => (self.span.start, "", ")\r\n"),
            Command::Eprt | Command::Reply229 => (self.span.start, "", "\r\n"),
        };
        let closing = usize::from(after.starts_with(')'));
        // Where the parenthesis is missing, the pattern ends, and what follows is not read.
        let matches = closing == 0 || behind.first() == Some(&b')');
        let blank = behind.iter().skip(closing).take_while(|octet| octet.is_ascii_whitespace()).count();
        let end = self.span.end + if matches { closing + blank } else { 0 };
        let rest = payload.get(end..).filter(|_| matches).unwrap_or_default();
        let kept = rest.iter().take(KEPT).take_while(|octet| !matches!(**octet, 0 | 127)).count();
        let mut text = ReplacementText::new();
        let written = write!(text, "{before}{}{after}", self.text_for(endpoint));
        debug_assert!(written.is_ok(), "every form and its end fit {LONGEST_REPLACEMENT} octets");
        Replacement { span: start..end, text, lost: end + kept..payload.len() }
    }

    /// The announcement's line with its end.
    fn whole_line(&self, payload: &[u8]) -> Range<usize> {
        let end = payload.iter().skip(self.line.end).take(2).take_while(|octet| is_line_end(**octet));
        self.line.start..self.line.end + end.count()
    }

    fn laid_over(&self, endpoint: SocketAddrV4, payload: &[u8]) -> Replacement {
        let mut text = self.own_line(endpoint);
        let old = self.whole_line(payload).len();
        let whole = payload.len();
        if text.len() >= old || old >= whole {
            return Replacement { span: 0..text.len().max(old).min(whole), text, lost: whole..whole };
        }
        let shorter = old - text.len();
        for octet in payload.get(text.len()..old).unwrap_or_default() {
            // A line longer than any gateway reads; what does not fit is cut off with the end.
            if text.try_push(char::from(*octet & 0x7f)).is_err() {
                break;
            }
        }
        Replacement { span: 0..old, text, lost: whole.saturating_sub(shorter).max(old)..whole }
    }
}

fn is_line_end(octet: u8) -> bool {
    octet == b'\r' || octet == b'\n'
}

#[cfg(test)]
mod tests;
