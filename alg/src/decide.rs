//! The decision: what a dialect does with one segment's bytes, and why.

use std::net::{Ipv4Addr, SocketAddrV4};

use serde::{Deserialize, Serialize};

use crate::dialect::{Dialect, KeywordPosition, LetterCase, LowPorts, Malformed, Terms, ThirdParty};
use crate::reason::{LeftAlone, Refused};
use crate::{Announcement, Command, Role, syntax};

/// Which side of the router something stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The LAN.
    Inside,
    /// The WAN.
    Outside,
}

/// The bytes of one segment that the gateway has not seen before, and what it knows about them.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// The bytes, in stream order.
    pub bytes: &'a [u8],
    /// Whether the first byte is also the segment's first (a retransmission may carry new bytes behind old ones).
    pub starts_segment: bool,
    /// Whether the byte before the first one ended a line, or there was none.
    pub starts_line: bool,
    /// Which end of the control connection sent them.
    pub role: Role,
    /// On which side of the router that end stands.
    pub side: Side,
    /// That end's address, as it is on its own side.
    pub sender: Ipv4Addr,
    /// The server's port, as the one who opened the connection dialled it.
    pub control_port: u16,
}

/// What to do with a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing in it announces an address.
    Nothing,
    /// It announces one, and passes as it is.
    LeaveAlone {
        /// What it announces, where that can be read.
        announcement: Option<Announcement>,
        /// Why it is left alone.
        reason: LeftAlone,
    },
    /// It is dropped.
    Refuse(Refused),
    /// A forward is to be opened, and the announcement rewritten to its outer end.
    Open(Opening),
}

/// A forward to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// What was announced; [`Announcement::text_for`] makes the new text.
    pub announcement: Announcement,
    /// Where the forward leads on the inside.
    pub target: SocketAddrV4,
    /// What it is good for.
    pub terms: Terms,
}

/// A cheap first look for the packet path: can `bytes` begin with a keyword of either role at all?
#[inline]
pub fn may_announce(bytes: &[u8]) -> bool {
    match bytes.first_chunk::<4>() {
        Some([b'2', b'2', b'7' | b'9', _]) => true,
        Some(word) => {
            let upper = u32::from_be_bytes(*word) & 0xdfdf_dfdf;
            upper == u32::from_be_bytes(*b"PORT") || upper == u32::from_be_bytes(*b"EPRT")
        }
        None => false,
    }
}

impl Dialect {
    /// Whether a connection to `port` is a control connection to this gateway.
    pub fn watches(&self, port: u16) -> bool {
        self.control_ports.contains(&port)
    }

    /// Whether it rewrites anything that `role` sends.
    pub fn rewrites_from(&self, role: Role) -> bool {
        self.commands.iter().any(|command| command.sent_by() == role)
    }

    /// What this gateway does with `segment`.
    pub fn decide(&self, segment: &Segment<'_>) -> Decision {
        let Some((start, command)) = self.find_keyword(segment) else { return Decision::Nothing };
        let read = syntax::read(segment.bytes, start, command, segment.sender, self);
        let leave = |reason| Decision::LeaveAlone { announcement: read.clone().ok(), reason };

        if !self.watches(segment.control_port) {
            // Nothing says that this is FTP but the text itself: only a whole announcement counts.
            return if read.is_ok() { leave(LeftAlone::NotAControlPort) } else { Decision::Nothing };
        }
        if segment.side == Side::Outside {
            return leave(LeftAlone::SentFromOutside);
        }
        if !self.commands.contains(&command) {
            return leave(LeftAlone::CommandNotInDialect);
        }
        if !self.position_is_watched(segment, start) {
            return leave(LeftAlone::KeywordPosition);
        }
        if !self.letters_are_known(segment.bytes, start, command) {
            return leave(LeftAlone::LetterCase);
        }
        match (read, self.malformed) {
            (Ok(announcement), _) => self.judge_endpoint(segment.sender, announcement),
            (Err(fault), Malformed::Pass) => {
                Decision::LeaveAlone { announcement: None, reason: LeftAlone::Malformed(fault) }
            }
            (Err(fault), Malformed::Drop) => Decision::Refuse(Refused::Malformed(fault)),
        }
    }

    fn judge_endpoint(&self, sender: Ipv4Addr, announcement: Announcement) -> Decision {
        let announced = announcement.endpoint;
        let mut target = announced;
        if *announced.ip() != sender {
            match self.third_party {
                ThirdParty::Pass => return left_alone(announcement, LeftAlone::ThirdPartyAddress),
                ThirdParty::Drop => return Decision::Refuse(Refused::ThirdPartyAddress),
                ThirdParty::UseSender => target = SocketAddrV4::new(sender, announced.port()),
                ThirdParty::Accept => {}
            }
        }
        if announced.port() == 0 {
            return left_alone(announcement, LeftAlone::PortZero);
        }
        if announced.port() < self.low_ports_below {
            match self.low_ports {
                LowPorts::Accept => {}
                LowPorts::Pass => return left_alone(announcement, LeftAlone::LowPort),
                LowPorts::Drop => return Decision::Refuse(Refused::LowPort),
            }
        }
        Decision::Open(Opening { announcement, target, terms: self.terms })
    }

    /// The first keyword of the sender's role. Line starts are looked at whatever the dialect says, so that what a
    /// person would call a command is reported even where the gateway passes over it.
    fn find_keyword(&self, segment: &Segment<'_>) -> Option<(usize, Command)> {
        let mut previous_ends_line = segment.starts_line || segment.starts_segment;
        for start in 0..segment.bytes.len() {
            let candidate = previous_ends_line || self.keyword_position == KeywordPosition::Anywhere;
            if candidate && let Some(command) = keyword_at(segment.bytes, start, segment.role) {
                return Some((start, command));
            }
            previous_ends_line = segment.bytes.get(start) == Some(&b'\n');
        }
        None
    }

    fn position_is_watched(&self, segment: &Segment<'_>, start: usize) -> bool {
        let at_segment_start = start == 0 && segment.starts_segment;
        match self.keyword_position {
            KeywordPosition::SegmentStart => at_segment_start,
            KeywordPosition::LineStartOfSegment => at_segment_start && segment.starts_line,
            KeywordPosition::AnyLineStart => start > 0 || segment.starts_line,
            KeywordPosition::Anywhere => true,
        }
    }

    fn letters_are_known(&self, bytes: &[u8], start: usize, command: Command) -> bool {
        let keyword = command.keyword();
        let written = bytes.get(start..start + keyword.len()).unwrap_or_default();
        match self.letter_case {
            LetterCase::Any => true,
            LetterCase::Upper => written == keyword.as_bytes(),
            LetterCase::UpperOrLower => {
                written == keyword.as_bytes() || written == keyword.to_ascii_lowercase().as_bytes()
            }
        }
    }
}

fn left_alone(announcement: Announcement, reason: LeftAlone) -> Decision {
    Decision::LeaveAlone { announcement: Some(announcement), reason }
}

fn keyword_at(bytes: &[u8], start: usize, role: Role) -> Option<Command> {
    Command::ALL.into_iter().filter(|command| command.sent_by() == role).find(|command| {
        let keyword = command.keyword().as_bytes();
        let end = start + keyword.len();
        // `PORTAL` is another word, and `227-` begins a longer reply whose last line announces.
        bytes.get(start..end).is_some_and(|word| word.eq_ignore_ascii_case(keyword))
            && bytes.get(end).is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'-')
    })
}

#[cfg(test)]
mod tests;
