//! Finding the words that announce.

use std::ops::Range;

use crate::dialect::{Argument, Dialect, LetterCase, ReplyScan, WrongRole};
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

/// The keyword of what `role` says that begins at `start`, and where it stands.
pub(crate) fn at(
    bytes: &[u8],
    start: usize,
    role: Role,
    dialect: &Dialect,
) -> Option<(Range<usize>, Keyword)> {
    let rest = bytes.get(start..)?;
    // Most places are told apart by their first byte.
    if !matches!(rest.first()?.to_ascii_uppercase(), b'P' | b'E' | b'2') {
        return None;
    }
    let found = Command::ALL.into_iter().find(|command| {
        behind(rest, command.keyword()).is_some_and(|behind| may_follow(*command, behind, dialect))
    });
    if let Some(command) = found {
        return Some((start..start + command.keyword().len(), said_by(role, command, dialect)?));
    }
    let masked = dialect.mask_commands.iter().filter(|_| role == Role::Client);
    masked.copied().find_map(|mask| {
        let behind = behind(rest, mask.keyword())?;
        let ends = behind.first().is_none_or(|next| !next.is_ascii_alphanumeric());
        ends.then_some((start..start + mask.keyword().len(), Keyword::Masked(mask)))
    })
}

/// The first word of the dialect's that is there but for its first letter, up to a NUL, and where it stands.
pub(crate) fn first_tail(bytes: &[u8], role: Role, dialect: &Dialect) -> Option<(Range<usize>, Keyword)> {
    let bytes = bytes.split(|octet| *octet == 0).next()?;
    let tails = Command::ALL.into_iter().filter(|command| dialect.commands.contains(command));
    tails.filter_map(|command| Some((command, said_by(role, command, dialect)?))).find_map(
        |(command, keyword)| {
            let (_, tail) = command.keyword().split_at_checked(1)?;
            let follows = if command.sent_by() == Role::Server { " Entering" } else { "" };
            let is_here = |place: &[u8]| {
                let (word, behind) = place.split_at_checked(tail.len()).unwrap_or_default();
                is_written(word, tail, dialect.letter_case) && behind == follows.as_bytes()
            };
            let start = bytes.windows(tail.len() + follows.len()).position(is_here)?;
            Some((start..start + tail.len(), keyword))
        },
    )
}

/// What a command is that `role` has said.
fn said_by(role: Role, command: Command, dialect: &Dialect) -> Option<Keyword> {
    if dialect.reads_from(role, command) {
        Some(Keyword::Announces(command))
    } else {
        (dialect.wrong_role == WrongRole::EndSession).then_some(Keyword::OfOtherEnd)
    }
}

/// Whether `written` is `word`, in letters that the dialect knows.
pub(crate) fn is_written(written: &[u8], word: &str, letter_case: LetterCase) -> bool {
    match letter_case {
        LetterCase::Any => written.eq_ignore_ascii_case(word.as_bytes()),
        LetterCase::Upper => written == word.as_bytes(),
        LetterCase::UpperOrLower => {
            written == word.as_bytes() || written == word.to_ascii_lowercase().as_bytes()
        }
    }
}

/// Whether `bytes` are the beginning, or all, of a keyword that `role` sends. A reply's takes in the blank behind its code.
pub(crate) fn is_cut(bytes: &[u8], role: Role, dialect: &Dialect) -> bool {
    let is_beginning = |command: &Command| {
        let blank = if command.sent_by() == Role::Server { " " } else { "" };
        let mut pattern = command.keyword().bytes().chain(blank.bytes());
        bytes.iter().all(|octet| pattern.next().is_some_and(|wanted| wanted.eq_ignore_ascii_case(octet)))
    };
    let mut commands = dialect.commands.iter().filter(|command| dialect.reads_from(role, **command));
    !bytes.is_empty() && commands.any(is_beginning)
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
        | (Role::Server, _, ReplyScan::Parenthesis | ReplyScan::FirstDigitBehindBlank) => true,
        (Role::Client, Argument::AfterOptionalBlanks, _) => !next.is_ascii_alphabetic(),
        (Role::Client, Argument::AfterOneBlank | Argument::AfterLastBlank, _) => next == b' ',
        (Role::Client, Argument::AfterBlanks, _) => ends_word,
        (Role::Server, _, ReplyScan::Phrase | ReplyScan::LastParenthesis | ReplyScan::FirstDigit) => {
            next == b' '
        }
    }
}
