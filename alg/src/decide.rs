//! The decision: what a dialect does with one segment's bytes, and why.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::dialect::{
    AnnouncementsFrom, CutKeyword, Dialect, KeywordPosition, Malformed, MaskCommandsFrom, PortZero, Reaches,
    RefusedPort, RepliesRead, Strictness, Terms, ThirdParty,
};
use crate::dialogue::{Closed, Dialogue};
use crate::keyword::{self, Keyword};
use crate::reason::{LeftAlone, Refused};
use crate::syntax::{self, Text};
use crate::{Announcement, Command, LongLine, Mask, Role, SyntaxFault};

/// Which side of the router something stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The LAN.
    Inside,
    /// The WAN.
    Outside,
}

/// The bytes of one segment, and what the router knows about them.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// All it carries.
    pub bytes: &'a [u8],
    /// The first one's sequence number, as its sender counts.
    pub sequence: u32,
    /// How many of them the gateway has read before: an announcement among those counts no more.
    pub read_from: usize,
    /// Which end of the control connection sent them.
    pub role: Role,
    /// On which side of the router that end stands.
    pub side: Side,
    /// That end's address, as it is on its own side.
    pub sender: Ipv4Addr,
    /// That end's address, as the other end knows it.
    pub external: Ipv4Addr,
    /// The client's port.
    pub client_port: u16,
    /// The server's port, as the one who opened the connection dialled it.
    pub server_port: u16,
}

/// What to do with a segment, or with an announcement in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It announces one, and passes as it is.
    LeaveAlone {
        /// What it announces, where that can be read.
        announcement: Option<Announcement>,
        /// Why it is left alone.
        reason: LeftAlone,
    },
    /// It is dropped.
    Refuse(Refused),
    /// It is dropped, and the connection ended on both sides.
    EndSession(Refused),
    /// A forward is to be opened, and the announcement rewritten to its outer end.
    Open(Opening),
    /// It announces what is reachable as it stands, and leaves in the gateway's words.
    Restate(Announcement),
    /// The announcement is rewritten to the router's address, with the port it has, and no forward opened.
    RewriteOnly(Announcement),
    /// A command of it is made unreadable.
    Mask(Masking),
}

/// A forward to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// What was announced; [`Announcement::replacement`] makes the new text.
    pub announcement: Announcement,
    /// Where the forward leads on the inside.
    pub target: SocketAddrV4,
    /// What it is good for.
    pub terms: Terms,
}

/// A command to make unreadable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masking {
    /// Which one.
    pub command: Mask,
    /// Where its word stands, which [`Mask::masked`] replaces.
    pub span: Range<usize>,
}

impl Dialogue {
    /// What the gateway does with `segment`, which follows all that came before it: nothing, if there is no decision.
    /// There is one for each line where any may announce, and else at most one; where the segment is not to pass, that
    /// is the only one.
    pub fn read(&mut self, dialect: &Dialect, segment: &Segment<'_>) -> Vec<Decision> {
        let mut early = None;
        let follows = dialect.follows_lines() && dialect.watches(segment.client_port, segment.server_port);
        // What the client has said counts for what it goes on to say; a reply is what it was when it was asked for.
        if follows && segment.role == Role::Client {
            early = self.note_lines(segment);
        }
        let decisions = match early.filter(|_| dialect.pipelining == Strictness::EndSession) {
            Some(refused) if self.closed(dialect).is_none() => vec![Decision::EndSession(refused)],
            _ => Reading { dialogue: self, dialect, segment }.decide(),
        };
        if follows && segment.role == Role::Server {
            self.note_lines(segment);
        }
        // Its sender will send it again, and it is to be read then as it was now.
        if !matches!(decisions.as_slice(), [Decision::Refuse(Refused::Malformed(_))]) {
            self.arrived(segment);
        }
        decisions
    }
}

struct Reading<'a> {
    dialogue: &'a Dialogue,
    dialect: &'a Dialect,
    segment: &'a Segment<'a>,
}

impl Reading<'_> {
    fn decide(&self) -> Vec<Decision> {
        if self.dialect.long_line == LongLine::EndSession && self.is_handled() && self.has_long_line() {
            return vec![Decision::EndSession(Refused::LongLine)];
        }
        let mut decisions = Vec::new();
        let decided = self.keywords().filter_map(|(word, keyword)| self.decide_at(word, keyword));
        for decision in decided {
            match (&decision, self.dialect.keyword_position) {
                (Decision::Refuse(_) | Decision::EndSession(_), _) => return vec![decision],
                (_, KeywordPosition::AnyLineStart) => decisions.push(decision),
                // It goes on to look for one that it can use.
                (Decision::LeaveAlone { .. }, KeywordPosition::Anywhere) if decisions.is_empty() => {
                    decisions.push(decision);
                }
                (Decision::LeaveAlone { .. }, KeywordPosition::Anywhere) => {}
                _ => return vec![decision],
            }
        }
        if decisions.is_empty() && self.is_cut_keyword() {
            decisions.push(self.malformed(SyntaxFault::CutOff));
        }
        decisions
    }

    /// The keywords at which a person would see a command, also where the gateway passes over them, so that what it
    /// leaves alone is reported.
    fn keywords(&self) -> impl Iterator<Item = (Range<usize>, Keyword)> {
        let bytes = self.visible();
        let anywhere = self.dialect.keyword_position == KeywordPosition::Anywhere;
        let tail = self.first_tail();
        let is_found = tail.is_some();
        let starts_line = |start: usize| match start.checked_sub(1) {
            None => true,
            Some(previous) => bytes.get(previous) == Some(&b'\n'),
        };
        let starts =
            (self.segment.read_from..bytes.len()).filter(move |start| anywhere || starts_line(*start));
        let whole = starts
            .filter(move |_| !is_found)
            .filter_map(move |start| keyword::at(bytes, start, self.segment.role, self.dialect));
        tail.into_iter().chain(whole)
    }

    /// The keyword that is found by all but its first letter, if the dialect looks for such.
    fn first_tail(&self) -> Option<(Range<usize>, Keyword)> {
        if self.dialect.keyword_position != KeywordPosition::TailAnywhere {
            return None;
        }
        let from = self.segment.read_from;
        let (word, keyword) =
            keyword::first_tail(self.visible().get(from..)?, self.segment.role, self.dialect)?;
        Some((from + word.start..from + word.end, keyword))
    }

    /// What the gateway reads of the segment.
    fn visible(&self) -> &[u8] {
        let bytes = match (self.dialect.reaches, self.segment.bytes) {
            (Reaches::SegmentButLastOctet, [but_last @ .., _]) => but_last,
            (_, whole) => whole,
        };
        match usize::from(self.dialect.octets_read) {
            0 => bytes,
            most => bytes.get(..most).unwrap_or(bytes),
        }
    }

    fn decide_at(&self, word: Range<usize>, keyword: Keyword) -> Option<Decision> {
        let (dialect, segment) = (self.dialect, self.segment);
        let command = match keyword {
            Keyword::Announces(command) => command,
            Keyword::Masked(mask) => return self.mask(word, mask),
            Keyword::OfOtherEnd => {
                let strict = self.may_read() && self.position_is_watched(&word);
                return strict.then_some(Decision::EndSession(Refused::WrongRole));
            }
        };
        let text = Text { bytes: self.visible(), whole: segment.bytes.len() };
        let read = syntax::read(text, word.clone(), command, segment.sender, dialect);
        // A reply that names a command announces nothing, although a gateway may take it for one.
        let is_meant = read.is_ok() || command.sent_by() == segment.role;
        let leave =
            |reason| is_meant.then(|| Decision::LeaveAlone { announcement: read.clone().ok(), reason });
        if !dialect.watches(segment.client_port, segment.server_port) {
            // Nothing says that this is FTP but the text itself: only a whole announcement counts.
            return leave(LeftAlone::NotAControlPort).filter(|_| read.is_ok());
        }
        match self.dialogue.closed(dialect) {
            None => {}
            Some(_) if read.is_err() => return None,
            Some(Closed::Encrypted) => return leave(LeftAlone::Encrypted),
            Some(Closed::Foreign) => return leave(LeftAlone::Foreign),
        }
        if segment.side == Side::Outside && dialect.announcements_from == AnnouncementsFrom::Inside {
            return leave(LeftAlone::SentFromOutside);
        }
        if !dialect.commands.contains(&command) {
            return leave(LeftAlone::CommandNotInDialect);
        }
        if let Some(reason) = self.overlooks(&word, command) {
            return leave(reason);
        }
        match read {
            Ok(announcement) => Some(self.judge_endpoint(announcement)),
            Err(_) if !is_meant && dialect.malformed == Malformed::Pass => None,
            Err(fault) => Some(self.malformed(fault)),
        }
    }

    /// Whether the gateway has to do with this connection at all, and reads it still.
    fn is_handled(&self) -> bool {
        let inside = match (self.segment.side, self.segment.role) {
            (Side::Inside, role) => role,
            (Side::Outside, Role::Client) => Role::Server,
            (Side::Outside, Role::Server) => Role::Client,
        };
        self.may_read() && self.dialect.handles(inside)
    }

    /// Whether a line of the segment, with what came of it before, is longer than the gateway has room for.
    fn has_long_line(&self) -> bool {
        let mut before = self.dialogue.direction(self.segment.role).octets_before(self.segment.sequence);
        let limit = usize::from(self.dialect.line_limit);
        self.segment.bytes.split_inclusive(|octet| *octet == b'\n').any(|line| {
            let length = std::mem::take(&mut before) + line.len();
            length > limit
        })
    }

    /// Whether the line that a word stands in is.
    fn is_in_long_line(&self, word: &Range<usize>) -> bool {
        let (before, from) = self.segment.bytes.split_at_checked(word.start).unwrap_or_default();
        let to_end = from.iter().position(|octet| *octet == b'\n').map_or(from.len(), |end| end + 1);
        let from_start = before.iter().rev().take_while(|octet| **octet != b'\n').count();
        from_start + to_end > usize::from(self.dialect.line_limit)
    }

    /// Why the gateway does not see a keyword of its own.
    fn overlooks(&self, word: &Range<usize>, command: Command) -> Option<LeftAlone> {
        let (dialect, segment) = (self.dialect, self.segment);
        if dialect.after_login && !self.dialogue.logged_in {
            return Some(LeftAlone::BeforeLogin);
        }
        if dialect.long_line == LongLine::Unread && self.is_in_long_line(word) {
            return Some(LeftAlone::LongLine);
        }
        let asked_only = dialect.replies_read == RepliesRead::Asked && command.sent_by() == Role::Server;
        if asked_only && !self.dialogue.has_asked_for(command) {
            return Some(LeftAlone::Unasked);
        }
        if !dialect.payload_lengths.contains(segment.bytes.len()) {
            return Some(LeftAlone::SegmentLength);
        }
        if !self.position_is_watched(word) {
            return Some(LeftAlone::KeywordPosition);
        }
        let written = segment.bytes.get(word.clone()).unwrap_or_default();
        if written.len() == command.keyword().len()
            && !keyword::is_written(written, command.keyword(), dialect.letter_case)
        {
            return Some(LeftAlone::LetterCase);
        }
        None
    }

    fn judge_endpoint(&self, announcement: Announcement) -> Decision {
        let (dialect, sender) = (self.dialect, self.segment.sender);
        let announced = announcement.endpoint;
        let mut target = announced;
        if *announced.ip() != sender {
            match dialect.third_party {
                ThirdParty::Pass => return left_alone(announcement, LeftAlone::ThirdPartyAddress),
                ThirdParty::DropUnlessExternal if *announced.ip() == self.segment.external => {
                    target = SocketAddrV4::new(sender, announced.port());
                }
                ThirdParty::Drop | ThirdParty::DropUnlessExternal => {
                    return Decision::Refuse(Refused::ThirdPartyAddress);
                }
                ThirdParty::EndSession => return Decision::EndSession(Refused::ThirdPartyAddress),
                ThirdParty::UseSender => target = SocketAddrV4::new(sender, announced.port()),
                ThirdParty::Accept => {}
            }
        }
        if announced.port() == 0 {
            match dialect.port_zero {
                PortZero::Accept => {}
                PortZero::Pass => return left_alone(announcement, LeftAlone::PortZero),
                PortZero::Drop => return Decision::Refuse(Refused::PortZero),
                PortZero::EndSession => return Decision::EndSession(Refused::PortZero),
                PortZero::RewriteOnly => return Decision::RewriteOnly(announcement),
            }
        }
        if dialect.refused_ports.iter().any(|range| range.contains(announced.port())) {
            match dialect.refused_port {
                RefusedPort::Pass => return left_alone(announcement, LeftAlone::RefusedPort),
                RefusedPort::Drop => return Decision::Refuse(Refused::RefusedPort),
                RefusedPort::EndSession => return Decision::EndSession(Refused::RefusedPort),
                RefusedPort::RewriteOnly => return Decision::RewriteOnly(announcement),
            }
        }
        match self.segment.side {
            Side::Inside => Decision::Open(Opening { announcement, target, terms: dialect.terms }),
            Side::Outside => Decision::Restate(Announcement { endpoint: target, ..announcement }),
        }
    }

    fn malformed(&self, fault: SyntaxFault) -> Decision {
        match self.dialect.malformed {
            Malformed::Pass => {
                Decision::LeaveAlone { announcement: None, reason: LeftAlone::Malformed(fault) }
            }
            Malformed::Drop => Decision::Refuse(Refused::Malformed(fault)),
            Malformed::EndSession => Decision::EndSession(Refused::Malformed(fault)),
        }
    }

    /// Whether the gateway reads this connection, and this side of it, at all.
    fn may_read(&self) -> bool {
        self.dialect.watches(self.segment.client_port, self.segment.server_port)
            && self.dialogue.closed(self.dialect).is_none()
    }

    fn mask(&self, span: Range<usize>, command: Mask) -> Option<Decision> {
        let masks = match self.dialect.mask_commands_from {
            MaskCommandsFrom::Inside => self.segment.side == Side::Inside,
            MaskCommandsFrom::Outside => self.segment.side == Side::Outside,
            MaskCommandsFrom::EitherSide => true,
        };
        let seen = masks && self.may_read() && self.position_is_watched(&span);
        seen.then_some(Decision::Mask(Masking { command, span }))
    }

    /// Whether the segment is the beginning of one of the dialect's keywords and no more.
    fn is_cut_keyword(&self) -> bool {
        let (dialect, segment) = (self.dialect, self.segment);
        let is_read =
            segment.side == Side::Inside || dialect.announcements_from == AnnouncementsFrom::EitherSide;
        dialect.cut_keyword == CutKeyword::Malformed
            && is_read
            && self.may_read()
            && segment.read_from == 0
            && self.position_is_watched(&(0..0))
            && keyword::is_cut(segment.bytes, segment.role, dialect)
    }

    fn position_is_watched(&self, word: &Range<usize>) -> bool {
        let direction = self.dialogue.direction(self.segment.role);
        let at_segment_start = word.start == 0;
        let starts_line = || direction.starts_line(self.segment.sequence);
        match self.dialect.keyword_position {
            KeywordPosition::SegmentStart => at_segment_start,
            KeywordPosition::LineStartOfSegment => at_segment_start && starts_line(),
            KeywordPosition::AnyLineStart => !at_segment_start || starts_line(),
            KeywordPosition::Anywhere => true,
            KeywordPosition::TailAnywhere => self.first_tail().is_some_and(|(tail, _)| tail == *word),
            KeywordPosition::AfterRememberedNewline => {
                at_segment_start && direction.remembers(self.segment.sequence)
            }
            KeywordPosition::AfterCrlfSegment => at_segment_start && !self.dialogue.waits_for_crlf,
            KeywordPosition::AfterOwnCrlfSegment => at_segment_start && direction.ended_with_crlf(),
        }
    }
}

fn left_alone(announcement: Announcement, reason: LeftAlone) -> Decision {
    Decision::LeaveAlone { announcement: Some(announcement), reason }
}

#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;
