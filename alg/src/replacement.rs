//! What leaves in an announcement's place.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;

use arrayvec::ArrayString;

use crate::dialect::{ExtendedAddress, RestOfSegment};
use crate::{Announcement, Command};

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
        let text = |range: Range<usize>| String::from_utf8_lossy(payload.get(range).unwrap_or_default());
        let head = text(self.line.start..self.span.start);
        let tail = text(self.span.end..self.line.end.max(self.span.end));
        format!("{head}{}{tail}", self.text_for(endpoint))
    }

    /// The text that announces `endpoint` in this announcement's form.
    fn text_for(&self, endpoint: SocketAddrV4) -> ReplacementText {
        let mut text = ReplacementText::new();
        let delimiter = char::from(self.delimiter);
        let written = match self.command {
            Command::Port | Command::Reply227 => write_host_port(&mut text, endpoint),
            Command::Eprt => {
                let ([a, b, c, d], port) = (endpoint.ip().octets(), endpoint.port());
                let point = if self.address == ExtendedAddress::Commas { ',' } else { '.' };
                write!(
                    text,
                    "{delimiter}1{delimiter}{a}{point}{b}{point}{c}{point}{d}{delimiter}{port}{delimiter}"
                )
            }
            Command::Reply229 => {
                write!(text, "{delimiter}{delimiter}{delimiter}{}{delimiter}", endpoint.port())
            }
        };
        debug_assert!(written.is_ok(), "every form fits {LONGEST_REPLACEMENT} octets");
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
        let mut line = ReplacementText::new();
        let written = write!(line, "{before}{}{after}", self.text_for(endpoint));
        debug_assert!(written.is_ok(), "every line fits {LONGEST_REPLACEMENT} octets");
        line
    }

    fn with_256_octets(&self, endpoint: SocketAddrV4, payload: &[u8]) -> Replacement {
        let behind = payload.get(self.span.end..).unwrap_or_default();
        let closing = usize::from(self.command == Command::Reply227 && behind.first() == Some(&b')'));
        let blank = behind.iter().skip(closing).take_while(|octet| octet.is_ascii_whitespace()).count();
        let span = self.span.start..self.span.end + closing + blank;
        let mut text = self.text_for(endpoint);
        let end = if self.command == Command::Reply227 { ")\r\n" } else { "\r\n" };
        let written = text.try_push_str(end);
        debug_assert!(written.is_ok(), "every form and its end fit {LONGEST_REPLACEMENT} octets");
        let rest = payload.get(span.end..).unwrap_or_default();
        let kept = rest.iter().take(KEPT).take_while(|octet| **octet != 127).count();
        Replacement { lost: span.end + kept..payload.len(), span, text }
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

fn write_host_port(text: &mut ReplacementText, endpoint: SocketAddrV4) -> std::fmt::Result {
    let [a, b, c, d] = Ipv4Addr::octets(endpoint.ip());
    let [high, low] = endpoint.port().to_be_bytes();
    write!(text, "{a},{b},{c},{d},{high},{low}")
}

#[cfg(test)]
mod tests;
