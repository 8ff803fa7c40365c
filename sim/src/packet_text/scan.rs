//! A line's words, texts and parentheses, each with where it stands.

use std::ops::Range;

use super::error::{PacketTextError, Problem};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) what: What<'a>,
    /// The octets of the line.
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What<'a> {
    Word(&'a str),
    /// What stands in quotes: the pieces between its stars, which are more than one only where stars have a meaning.
    Text(Vec<Vec<u8>>),
    Open,
    Close,
}

/// Splits a line; `globs`: whether a star in a text stands for anything.
pub(super) fn tokens(line: &str, globs: bool) -> Result<Vec<Token<'_>>, PacketTextError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        let (what, length) = match first {
            '(' => (What::Open, 1),
            ')' => (What::Close, 1),
            '"' => text(rest, globs).map_err(|error| error.moved(at))?,
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            _ => {
                let length = rest.find(ends_a_word).unwrap_or(rest.len());
                (What::Word(rest.get(..length).unwrap_or_default()), length)
            }
        };
        tokens.push(Token { what, span: at..at + length });
        at += length;
    }
    Ok(tokens)
}

fn ends_a_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, '(' | ')' | '"')
}

/// The text that `rest` begins with, and its length with both quotes.
fn text(rest: &str, globs: bool) -> Result<(What<'static>, usize), PacketTextError> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                pieces.push(piece);
                return Ok((What::Text(pieces), at + 1));
            }
            '*' if globs => pieces.push(std::mem::take(&mut piece)),
            '\\' => {
                let (octet, length) =
                    escape(rest.get(at + 1..).unwrap_or_default()).ok_or_else(|| bad_escape(rest, at))?;
                piece.push(octet);
                // The escape's characters are ASCII: as many characters as octets.
                characters.nth(length - 1);
            }
            _ => piece.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err(PacketTextError::new(0..rest.len(), Problem::TextNotClosed))
}

/// The octet that stands behind a backslash, and how many characters say it.
fn escape(rest: &str) -> Option<(u8, usize)> {
    let octet = match rest.chars().next()? {
        'r' => b'\r',
        'n' => b'\n',
        't' => b'\t',
        '"' => b'"',
        '\\' => b'\\',
        '*' => b'*',
        'x' => {
            let digits =
                rest.get(1..3).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
            return Some((u8::from_str_radix(digits, 16).ok()?, 3));
        }
        _ => return None,
    };
    Some((octet, 1))
}

fn bad_escape(rest: &str, at: usize) -> PacketTextError {
    let following = rest.get(at + 1..).unwrap_or_default();
    let length = following.chars().next().map_or(0, char::len_utf8);
    let end = at + 1 + length;
    let escape = rest.get(at..end).unwrap_or_default().to_owned();
    PacketTextError::new(at..end, Problem::Escape { escape })
}
