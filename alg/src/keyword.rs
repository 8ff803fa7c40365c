//! Finding the words that announce.

use crate::dialect::{Argument, Dialect, ReplyScan, Strictness};
use crate::{Command, Mask, Role};

/// A word at which a gateway stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    /// It begins an announcement.
    Announces(Command),
    /// The dialect makes it unreadable.
    Masked(Mask),
    /// It is for the other end to say, and the dialect minds.
    OfOtherEnd,
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

/// The keyword at `start` of what `role` says.
pub(crate) fn at(bytes: &[u8], start: usize, role: Role, dialect: &Dialect) -> Option<Keyword> {
    let rest = bytes.get(start..)?;
    // Most places are told apart by their first byte.
    if !matches!(rest.first()?.to_ascii_uppercase(), b'P' | b'E' | b'2') {
        return None;
    }
    let found = Command::ALL.into_iter().find(|command| {
        behind(rest, command.keyword()).is_some_and(|behind| may_follow(*command, behind, dialect))
    });
    match found {
        Some(command) if command.sent_by() == role => Some(Keyword::Announces(command)),
        Some(_) if dialect.wrong_role == Strictness::EndSession => Some(Keyword::OfOtherEnd),
        _ if role == Role::Client => dialect.mask_commands.iter().copied().find_map(|mask| {
            let behind = behind(rest, mask.keyword())?;
            let ends = behind.first().is_none_or(|next| !next.is_ascii_alphanumeric());
            ends.then_some(Keyword::Masked(mask))
        }),
        _ => None,
    }
}

/// Whether `bytes` are the beginning, or all, of a keyword that `role` sends. A reply's takes in the blank behind its code.
pub(crate) fn is_cut(bytes: &[u8], role: Role, commands: &[Command]) -> bool {
    let is_beginning = |command: &Command| {
        let blank = if command.sent_by() == Role::Server { " " } else { "" };
        let mut pattern = command.keyword().bytes().chain(blank.bytes());
        bytes.iter().all(|octet| pattern.next().is_some_and(|wanted| wanted.eq_ignore_ascii_case(octet)))
    };
    !bytes.is_empty() && commands.iter().filter(|command| command.sent_by() == role).any(is_beginning)
}

/// What stands behind `keyword`, if `bytes` begin with it.
fn behind<'a>(bytes: &'a [u8], keyword: &str) -> Option<&'a [u8]> {
    let (word, behind) = bytes.split_at_checked(keyword.len())?;
    word.eq_ignore_ascii_case(keyword.as_bytes()).then_some(behind)
}

/// Whether `behind` can stand behind the keyword as the dialect reads it: `PORTAL` is another word, and `227-` begins a
/// longer reply whose last line announces, to all but those that do not look.
fn may_follow(command: Command, behind: &[u8], dialect: &Dialect) -> bool {
    let Some(&next) = behind.first() else { return true };
    let ends_word = !next.is_ascii_alphanumeric() && next != b'-';
    match (command.sent_by(), dialect.argument, dialect.reply_scan) {
        (Role::Client, Argument::AfterFirstBlank | Argument::FirstDigit, _)
        | (Role::Server, _, ReplyScan::Parenthesis) => true,
        (Role::Client, Argument::AfterOptionalBlanks, _) => !next.is_ascii_alphabetic(),
        (Role::Client, Argument::AfterOneBlank | Argument::AfterLastBlank, _) => next == b' ',
        (Role::Client, Argument::AfterBlanks, _) => ends_word,
        (Role::Server, _, ReplyScan::Phrase | ReplyScan::LastParenthesis | ReplyScan::FirstDigit) => {
            next == b' '
        }
    }
}
