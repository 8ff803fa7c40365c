//! Reading the four announcements, as leniently as the dialect's values say.

mod cursor;
mod numbers;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;

use crate::announcement::{Announcement, Form};
use crate::dialect::{
    Argument, Dialect, ExtendedAddress, ExtendedDelimiter, ExtendedPortZero, LineEnd, Octets, Reaches,
    ReplyEnd, ReplyScan,
};
use crate::{Command, SyntaxFault};
use cursor::{Cursor, is_line_end};
use numbers::{ADDRESS_OCTETS, address, low_half, read_number, read_octets};

/// A segment's bytes, and how many of them the gateway reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a> {
    /// Those that are read.
    pub(crate) bytes: &'a [u8],
    /// How many the segment carries.
    pub(crate) whole: usize,
}

/// Reads the announcement whose keyword is `word`, or all of it but the first letter. `sender` stands in where the form
/// names no address.
pub(crate) fn read(
    text: Text<'_>,
    word: Range<usize>,
    command: Command,
    sender: Ipv4Addr,
    dialect: &Dialect,
) -> Result<Announcement, SyntaxFault> {
    let mut cursor =
        Cursor { bytes: text.bytes, at: word.end, crosses_lines: dialect.reaches != Reaches::Line };
    let found = match command {
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
        Command::Port => check_line_end(&cursor, dialect.line_end, text.whole)?,
        Command::Eprt => check_line_end(&cursor, dialect.extended_line_end, text.whole)?,
        Command::Reply227 => check_reply_end(&cursor, dialect.reply_end)?,
        Command::Reply229 => check_reply_end(&cursor, dialect.extended_reply_end)?,
    }
    let Found { endpoint, span, address, form } = found;
    if text.whole.saturating_sub(span.end) > usize::from(dialect.trailing_octets) {
        return Err(SyntaxFault::TrailingOctets);
    }
    let form = match (dialect.extended_delimiter, form) {
        (ExtendedDelimiter::Bar, Form::Delimited(_)) => Form::Delimited(b'|'),
        (_, form) => form,
    };
    // For people, the letter that the gateway does without belongs to the line.
    let initial = text.bytes.get(..word.start).and_then(|before| before.last());
    let has_initial = word.len() < command.keyword().len()
        && initial.map(u8::to_ascii_uppercase) == command.keyword().bytes().next();
    let start = word.start - usize::from(has_initial);
    let line = start..span.end.max(start + cursor.line_length(start));
    let (written, rest) = (dialect.extended_address, dialect.rest_of_segment);
    Ok(Announcement { command, endpoint, span, line, behind_word: word.end, address, form, written, rest })
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
        ReplyScan::FirstDigitBehindBlank => {
            cursor.skip_until(|octet| octet == b' ')?;
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

/// An endpoint, and where it stands.
struct Found {
    endpoint: SocketAddrV4,
    span: Range<usize>,
    /// Nowhere in a 229.
    address: Range<usize>,
    form: Form,
}

fn read_host_port(cursor: &mut Cursor<'_>, dialect: &Dialect) -> Result<Found, SyntaxFault> {
    let from = cursor.at;
    let [a, b, c, d, high, low] = read_octets(cursor, b",", dialect)?;
    let port = (high << 8) | low;
    let endpoint = SocketAddrV4::new(address([a, b, c, d]), low_half(port));
    let span = from..cursor.at;
    let text = cursor.bytes.get(span.clone()).unwrap_or_default();
    let length =
        text.split(|octet| *octet == b',').take(ADDRESS_OCTETS).map(|number| number.len() + 1).sum::<usize>();
    Ok(Found { endpoint, span, address: from..from + length.saturating_sub(1), form: Form::HostPort })
}

/// `|1|a.b.c.d|port|`, or with `address` given `|||port|` (RFC 2428 §§2, 3).
fn read_extended(
    cursor: &mut Cursor<'_>,
    sender: Option<Ipv4Addr>,
    dialect: &Dialect,
) -> Result<Found, SyntaxFault> {
    if dialect.extended_delimiter == ExtendedDelimiter::Unread {
        return read_numbers(cursor, sender, dialect);
    }
    let from = cursor.at;
    let delimiter = cursor.peek().ok_or(SyntaxFault::CutOff)?;
    let is_read = dialect.extended_delimiter != ExtendedDelimiter::BarOnly || delimiter == b'|';
    if !is_read || !(33..=126).contains(&delimiter) || delimiter.is_ascii_digit() {
        return Err(SyntaxFault::NotANumber);
    }
    cursor.at += 1;
    let (ip, address) = if let Some(sender) = sender {
        cursor.expect(delimiter)?;
        (sender, from..from)
    } else {
        match cursor.peek().ok_or(SyntaxFault::CutOff)? {
            b'1' => cursor.at += 1,
            b'0'..=b'9' => return Err(SyntaxFault::OtherAddressFamily),
            _ => return Err(SyntaxFault::NotANumber),
        }
        cursor.expect(delimiter)?;
        read_address(cursor, dialect)?
    };
    cursor.expect(delimiter)?;
    let port = read_port(cursor, dialect)?;
    cursor.expect(delimiter)?;
    let endpoint = SocketAddrV4::new(ip, port);
    Ok(Found { endpoint, span: from..cursor.at, address, form: Form::Delimited(delimiter) })
}

/// The same by its digits alone.
fn read_numbers(
    cursor: &mut Cursor<'_>,
    sender: Option<Ipv4Addr>,
    dialect: &Dialect,
) -> Result<Found, SyntaxFault> {
    let is_digit = |octet: u8| octet.is_ascii_digit();
    cursor.skip_until(is_digit)?;
    let (ip, address, between) = if let Some(sender) = sender {
        (sender, cursor.at..cursor.at, b'|')
    } else {
        let family = cursor.peek();
        cursor.at += 1;
        if family != Some(b'1') || cursor.peek().is_some_and(is_digit) {
            return Err(SyntaxFault::OtherAddressFamily);
        }
        cursor.skip_until(is_digit)?;
        let (ip, address) = read_address(cursor, dialect)?;
        let between = cursor.peek().ok_or(SyntaxFault::CutOff)?;
        // A full stop goes on with the address, and a comma does where it was written with full stops.
        let with_points = cursor.bytes.get(address.clone()).is_some_and(|text| text.contains(&b'.'));
        if between == b'.' || (between == b',' && with_points) || !between.is_ascii() {
            return Err(SyntaxFault::NotANumber);
        }
        cursor.at += 1;
        (ip, address, between)
    };
    let endpoint = SocketAddrV4::new(ip, read_port(cursor, dialect)?);
    Ok(Found { endpoint, span: address.start..cursor.at, address, form: Form::Numbers(between) })
}

/// The address of an EPRT, and where it stands.
fn read_address(cursor: &mut Cursor<'_>, dialect: &Dialect) -> Result<(Ipv4Addr, Range<usize>), SyntaxFault> {
    let separators: &[u8] = match dialect.extended_address {
        ExtendedAddress::Dots => b".",
        ExtendedAddress::Commas => b".,",
    };
    let from = cursor.at;
    let ip = address(read_octets(cursor, separators, dialect)?);
    Ok((ip, from..cursor.at))
}

/// The port of an EPRT or 229.
fn read_port(cursor: &mut Cursor<'_>, dialect: &Dialect) -> Result<u16, SyntaxFault> {
    let port = read_number(cursor, true, dialect)?;
    if dialect.octets == Octets::Malformed && port.exact > u64::from(u16::MAX) {
        return Err(SyntaxFault::NumberTooLarge);
    }
    if low_half(port.wrapped) == 0 && dialect.extended_port_zero == ExtendedPortZero::Malformed {
        return Err(SyntaxFault::PortZero);
    }
    Ok(low_half(port.wrapped))
}

fn check_line_end(cursor: &Cursor<'_>, wanted: LineEnd, whole: usize) -> Result<(), SyntaxFault> {
    let (first, second) = (cursor.peek(), cursor.bytes.get(cursor.at + 1).copied());
    match (wanted, first, second) {
        (LineEnd::CrlfBehindOctet, Some(octet), _) if (octet, second) != (b'\r', Some(b'\n')) => {
            let behind = cursor.bytes.get(cursor.at + 1..).unwrap_or_default();
            match behind.strip_prefix(b")").unwrap_or(behind) {
                [b'\r', b'\n', ..] => Ok(()),
                [] | [b'\r'] => Err(SyntaxFault::CutOff),
                _ => Err(SyntaxFault::LineEnd),
            }
        }
        (LineEnd::None, _, _)
        | (LineEnd::Crlf | LineEnd::CrlfBehindOctet, Some(b'\r'), Some(b'\n'))
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
