//! Reading the four announcements, as leniently as the dialect's values say.

mod cursor;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;

use crate::dialect::{
    Argument, Dialect, EmptyNumbers, ExtendedDelimiter, LeadingZeros, LineEnd, Octets, Reaches, ReplyEnd,
    ReplyScan,
};
use crate::{Announcement, Command, SyntaxFault};
use cursor::{Cursor, is_line_end};

/// A segment's bytes, and how many of them the gateway reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    /// Those that are read.
    pub(crate) bytes: &'a [u8],
    /// How many the segment carries.
    pub(crate) whole: usize,
}

/// Reads the announcement whose keyword begins at `start`. `sender` stands in where the form names no address.
pub(crate) fn read(
    text: Text<'_>,
    start: usize,
    command: Command,
    sender: Ipv4Addr,
    dialect: &Dialect,
) -> Result<Announcement, SyntaxFault> {
    let mut cursor = Cursor {
        bytes: text.bytes,
        at: start + command.keyword().len(),
        crosses_lines: dialect.reaches == Reaches::Segment,
    };
    let (endpoint, span, delimiter) = match command {
        Command::Port => {
            find_argument(&mut cursor, dialect.argument)?;
            read_host_port(&mut cursor, dialect)?
        }
        Command::Reply227 => {
            find_in_reply(&mut cursor, command, dialect.reply_scan)?;
            read_host_port(&mut cursor, dialect)?
        }
        Command::Eprt => {
            // The first digit is the family's: the delimiter stands before it.
            let argument = match dialect.argument {
                Argument::FirstDigit => Argument::AfterFirstBlank,
                other => other,
            };
            find_argument(&mut cursor, argument)?;
            read_extended(&mut cursor, None, dialect)?
        }
        Command::Reply229 => {
            find_in_reply(&mut cursor, command, dialect.reply_scan)?;
            read_extended(&mut cursor, Some(sender), dialect)?
        }
    };
    match command {
        Command::Port | Command::Eprt => check_line_end(&cursor, dialect.line_end, text.whole)?,
        Command::Reply227 | Command::Reply229 => check_reply_end(&cursor, dialect.reply_end)?,
    }
    if text.whole.saturating_sub(span.end) > usize::from(dialect.trailing_octets) {
        return Err(SyntaxFault::TrailingOctets);
    }
    let delimiter = match dialect.extended_delimiter {
        ExtendedDelimiter::Keep => delimiter,
        ExtendedDelimiter::Bar | ExtendedDelimiter::BarOnly => b'|',
    };
    let line = start..span.end.max(start + cursor.line_length(start));
    let (address, rest) = (dialect.extended_address, dialect.rest_of_segment);
    Ok(Announcement { command, endpoint, span, line, delimiter, address, rest })
}

fn find_argument(cursor: &mut Cursor<'_>, argument: Argument) -> Result<(), SyntaxFault> {
    match argument {
        Argument::AfterBlanks => {
            cursor.expect(b' ')?;
            while cursor.peek() == Some(b' ') {
                cursor.at += 1;
            }
            Ok(())
        }
        Argument::AfterOneBlank => cursor.expect(b' '),
        Argument::AfterOptionalBlanks => {
            let crosses = cursor.crosses_lines;
            let skipped = |octet: u8| octet.is_ascii_whitespace() && (crosses || !is_line_end(octet));
            while cursor.peek().is_some_and(skipped) {
                cursor.at += 1;
            }
            Ok(())
        }
        Argument::AfterFirstBlank => {
            cursor.skip_until(|octet| octet == b' ')?;
            cursor.at += 1;
            Ok(())
        }
        Argument::FirstDigit => {
            cursor.skip_until(|octet| octet == b' ')?;
            cursor.skip_until(|octet| octet.is_ascii_digit())
        }
        Argument::AfterLastBlank => {
            let (at, octet) = cursor.last_in_line(|octet| octet == b' ' || octet == b'(')?;
            cursor.at = at + 1;
            if octet == b' ' { Ok(()) } else { Err(SyntaxFault::NotANumber) }
        }
    }
}

fn find_in_reply(cursor: &mut Cursor<'_>, command: Command, scan: ReplyScan) -> Result<(), SyntaxFault> {
    match scan {
        ReplyScan::FirstDigit if command == Command::Reply227 => {
            cursor.expect(b' ')?;
            cursor.skip_until(|octet| octet.is_ascii_digit())
        }
        ReplyScan::FirstDigit | ReplyScan::Parenthesis => {
            cursor.skip_until(|octet| octet == b'(')?;
            cursor.at += 1;
            Ok(())
        }
        ReplyScan::LastParenthesis => {
            let (at, octet) = cursor.last_in_line(|octet| octet == b' ' || octet == b'(')?;
            cursor.at = at + 1;
            if octet == b'(' { Ok(()) } else { Err(SyntaxFault::NotANumber) }
        }
        ReplyScan::Phrase => {
            let phrase: &[u8] = match command {
                Command::Reply229 => b" Entering Extended Passive Mode (",
                _ => b" Entering Passive Mode (",
            };
            phrase.iter().try_for_each(|octet| cursor.expect(*octet))
        }
    }
}

type Found = (SocketAddrV4, Range<usize>, u8);

fn read_host_port(cursor: &mut Cursor<'_>, dialect: &Dialect) -> Result<Found, SyntaxFault> {
    let from = cursor.at;
    let [a, b, c, d, high, low] = read_octets(cursor, b',', dialect)?;
    let port = (high << 8) | low;
    let endpoint = SocketAddrV4::new(address([a, b, c, d]), low_half(port));
    Ok((endpoint, from..cursor.at, b'|'))
}

/// `|1|a.b.c.d|port|`, or with `address` given `|||port|` (RFC 2428 §§2, 3).
fn read_extended(
    cursor: &mut Cursor<'_>,
    sender: Option<Ipv4Addr>,
    dialect: &Dialect,
) -> Result<Found, SyntaxFault> {
    let from = cursor.at;
    let delimiter = cursor.peek().ok_or(SyntaxFault::CutOff)?;
    let is_read = dialect.extended_delimiter != ExtendedDelimiter::BarOnly || delimiter == b'|';
    if !is_read || !(33..=126).contains(&delimiter) || delimiter.is_ascii_digit() {
        return Err(SyntaxFault::NotANumber);
    }
    cursor.at += 1;
    let address = if let Some(sender) = sender {
        cursor.expect(delimiter)?;
        sender
    } else {
        match cursor.peek().ok_or(SyntaxFault::CutOff)? {
            b'1' => cursor.at += 1,
            b'0'..=b'9' => return Err(SyntaxFault::OtherAddressFamily),
            _ => return Err(SyntaxFault::NotANumber),
        }
        cursor.expect(delimiter)?;
        address(read_octets(cursor, b'.', dialect)?)
    };
    cursor.expect(delimiter)?;
    let port = read_number(cursor, dialect)?;
    if dialect.octets == Octets::Malformed && port.exact > u64::from(u16::MAX) {
        return Err(SyntaxFault::NumberTooLarge);
    }
    cursor.expect(delimiter)?;
    Ok((SocketAddrV4::new(address, low_half(port.wrapped)), from..cursor.at, delimiter))
}

/// `N` numbers with `separator` between them, as the dialect takes octets.
fn read_octets<const N: usize>(
    cursor: &mut Cursor<'_>,
    separator: u8,
    dialect: &Dialect,
) -> Result<[u32; N], SyntaxFault> {
    let mut octets = [0_u32; N];
    for (index, octet) in octets.iter_mut().enumerate() {
        if index > 0 {
            cursor.expect(separator)?;
        }
        let number = read_number(cursor, dialect)?;
        *octet = match dialect.octets {
            Octets::Malformed if number.exact > 255 => return Err(SyntaxFault::NumberTooLarge),
            Octets::Malformed | Octets::Unchecked => number.wrapped,
            Octets::Modulo256 => number.wrapped & 255,
        };
    }
    // Where a number may be missing, a separator behind the last one announces one too many.
    if dialect.empty_numbers == EmptyNumbers::Zero && cursor.peek() == Some(separator) {
        return Err(SyntaxFault::NotANumber);
    }
    Ok(octets)
}

/// A decimal number of any length.
struct Number {
    /// Its value, or the greatest there is.
    exact: u64,
    /// Its value in 32 bits, as C's unsigned arithmetic has it.
    wrapped: u32,
}

fn read_number(cursor: &mut Cursor<'_>, dialect: &Dialect) -> Result<Number, SyntaxFault> {
    let first = cursor.peek();
    let mut number = Number { exact: 0, wrapped: 0 };
    let mut digits = 0_usize;
    while let Some(octet) = cursor.peek().filter(u8::is_ascii_digit) {
        let digit = octet - b'0';
        number.exact = number.exact.saturating_mul(10).saturating_add(u64::from(digit));
        number.wrapped = number.wrapped.wrapping_mul(10).wrapping_add(u32::from(digit));
        digits += 1;
        cursor.at += 1;
    }
    match (digits, first) {
        (0, None) => Err(SyntaxFault::CutOff),
        (0, Some(_)) if dialect.empty_numbers == EmptyNumbers::Malformed => Err(SyntaxFault::NotANumber),
        (2.., Some(b'0')) if dialect.leading_zeros == LeadingZeros::Malformed => {
            Err(SyntaxFault::LeadingZero)
        }
        _ => Ok(number),
    }
}

/// Four numbers as an address. What is over 255 falls into the number to its left.
fn address([a, b, c, d]: [u32; 4]) -> Ipv4Addr {
    Ipv4Addr::from((a << 24) | (b << 16) | (c << 8) | d)
}

fn low_half(number: u32) -> u16 {
    let [_, _, high, low] = number.to_be_bytes();
    u16::from_be_bytes([high, low])
}

fn check_line_end(cursor: &Cursor<'_>, wanted: LineEnd, whole: usize) -> Result<(), SyntaxFault> {
    let (first, second) = (cursor.peek(), cursor.bytes.get(cursor.at + 1).copied());
    match (wanted, first, second) {
        (LineEnd::None, _, _)
        | (LineEnd::Crlf, Some(b'\r'), Some(b'\n'))
        | (LineEnd::Cr, Some(b'\r'), _)
        | (LineEnd::CrOrLf, Some(b'\r' | b'\n'), _)
        | (LineEnd::NonDigit, Some(_), _) => Ok(()),
        (LineEnd::CrlfEndsSegment, Some(b'\r'), Some(b'\n')) if cursor.at + 2 == whole => Ok(()),
        (_, None, _) | (LineEnd::Crlf | LineEnd::CrlfEndsSegment, Some(b'\r'), None) => {
            Err(SyntaxFault::CutOff)
        }
        _ => Err(SyntaxFault::LineEnd),
    }
}

fn check_reply_end(cursor: &Cursor<'_>, wanted: ReplyEnd) -> Result<(), SyntaxFault> {
    let rest = cursor.bytes.get(cursor.at..).unwrap_or_default();
    match (wanted, rest) {
        (ReplyEnd::Nothing, _) | (ReplyEnd::AnyOctet, [_, ..]) | (ReplyEnd::Parenthesis, [b')', ..]) => {
            return Ok(());
        }
        (_, []) => return Err(SyntaxFault::CutOff),
        (ReplyEnd::Parenthesis, _) => return Err(SyntaxFault::LineEnd),
        (ReplyEnd::Line, _) => {}
    }
    let rest = rest.strip_prefix(b")").unwrap_or(rest);
    let rest = rest.strip_prefix(b".").unwrap_or(rest);
    match rest {
        [b'\r', b'\n', ..] => Ok(()),
        [] | [b'\r'] => Err(SyntaxFault::CutOff),
        _ => Err(SyntaxFault::LineEnd),
    }
}
