//! Reading the four announcements. A reader is as lenient as the dialect's values for octets and line end say.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::dialect::{Dialect, LineEnd, Octets};
use crate::{Announcement, Command, SyntaxFault};

/// Numbers longer than this are too large whatever they say; nobody pads an octet further.
const LONGEST_NUMBER: usize = 10;

/// Reads the announcement whose keyword begins at `start`. `sender` stands in where the form names no address.
pub(crate) fn read(
    bytes: &[u8],
    start: usize,
    command: Command,
    sender: Ipv4Addr,
    dialect: &Dialect,
) -> Result<Announcement, SyntaxFault> {
    let mut cursor = Cursor { bytes, at: start + command.keyword().len() };
    let (endpoint, span, delimiter) = match command {
        Command::Port => {
            cursor.skip_blanks()?;
            read_host_port(&mut cursor, dialect.octets)?
        }
        Command::Reply227 => {
            // RFC 1123 §4.1.2.6: the reply's text is free, so scan for the first digit after the code.
            cursor.skip_until(|byte| byte.is_ascii_digit())?;
            read_host_port(&mut cursor, dialect.octets)?
        }
        Command::Eprt => {
            cursor.skip_blanks()?;
            read_extended(&mut cursor, None)?
        }
        Command::Reply229 => {
            cursor.skip_until(|byte| byte == b'(')?;
            cursor.at += 1;
            read_extended(&mut cursor, Some(sender))?
        }
    };
    if matches!(command, Command::Port | Command::Eprt) {
        check_line_end(&cursor, dialect.line_end)?;
    }
    let line_end = cursor.at + bytes.iter().skip(cursor.at).take_while(|byte| !is_line_end(**byte)).count();
    Ok(Announcement { command, endpoint, span, line: start..line_end, delimiter })
}

type Found = (SocketAddrV4, std::ops::Range<usize>, u8);

fn read_host_port(cursor: &mut Cursor<'_>, octets: Octets) -> Result<Found, SyntaxFault> {
    let from = cursor.at;
    let mut numbers = [0_u8; 6];
    for (index, number) in numbers.iter_mut().enumerate() {
        if index > 0 {
            cursor.expect(b',')?;
        }
        let value = cursor.number()?;
        *number = match (u8::try_from(value), octets) {
            (Ok(octet), _) => octet,
            (Err(_), Octets::Modulo256) => value.to_le_bytes()[0],
            (Err(_), Octets::Malformed) => return Err(SyntaxFault::NumberTooLarge),
        };
    }
    let [a, b, c, d, high, low] = numbers;
    let endpoint = SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low]));
    Ok((endpoint, from..cursor.at, b'|'))
}

/// `|1|a.b.c.d|port|`, or with `address` given `|||port|` (RFC 2428 §§2, 3).
fn read_extended(cursor: &mut Cursor<'_>, address: Option<Ipv4Addr>) -> Result<Found, SyntaxFault> {
    let from = cursor.at;
    let delimiter = cursor.peek().ok_or(SyntaxFault::CutOff)?;
    if !(33..=126).contains(&delimiter) {
        return Err(SyntaxFault::NotANumber);
    }
    cursor.at += 1;
    let address = if let Some(address) = address {
        cursor.expect(delimiter)?;
        address
    } else {
        if cursor.number()? != 1 {
            return Err(SyntaxFault::OtherAddressFamily);
        }
        cursor.expect(delimiter)?;
        read_dotted(cursor)?
    };
    cursor.expect(delimiter)?;
    let port = u16::try_from(cursor.number()?).map_err(|_| SyntaxFault::NumberTooLarge)?;
    cursor.expect(delimiter)?;
    Ok((SocketAddrV4::new(address, port), from..cursor.at, delimiter))
}

fn read_dotted(cursor: &mut Cursor<'_>) -> Result<Ipv4Addr, SyntaxFault> {
    let mut octets = [0_u8; 4];
    for (index, octet) in octets.iter_mut().enumerate() {
        if index > 0 {
            cursor.expect(b'.')?;
        }
        *octet = u8::try_from(cursor.number()?).map_err(|_| SyntaxFault::NumberTooLarge)?;
    }
    Ok(Ipv4Addr::from(octets))
}

fn check_line_end(cursor: &Cursor<'_>, wanted: LineEnd) -> Result<(), SyntaxFault> {
    let (first, second) = (cursor.peek(), cursor.bytes.get(cursor.at + 1).copied());
    match (wanted, first, second) {
        (LineEnd::None, _, _)
        | (LineEnd::Crlf, Some(b'\r'), Some(b'\n'))
        | (LineEnd::Cr, Some(b'\r'), _)
        | (LineEnd::CrOrLf, Some(b'\r' | b'\n'), _)
        | (LineEnd::NonDigit, Some(_), _) => Ok(()),
        (_, None, _) | (LineEnd::Crlf, Some(b'\r'), None) => Err(SyntaxFault::CutOff),
        _ => Err(SyntaxFault::LineEnd),
    }
}

fn is_line_end(byte: u8) -> bool {
    byte == b'\r' || byte == b'\n'
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// At least one blank, as between a command and its argument (RFC 959 §4.1.3).
    fn skip_blanks(&mut self) -> Result<(), SyntaxFault> {
        self.expect(b' ')?;
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
        Ok(())
    }

    /// Stops before the first byte that is `wanted`; a line end before it means there is none.
    fn skip_until(&mut self, wanted: impl Fn(u8) -> bool) -> Result<(), SyntaxFault> {
        loop {
            match self.peek() {
                None => return Err(SyntaxFault::CutOff),
                Some(byte) if wanted(byte) => return Ok(()),
                Some(byte) if is_line_end(byte) => return Err(SyntaxFault::NotANumber),
                Some(_) => self.at += 1,
            }
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), SyntaxFault> {
        match self.peek() {
            None => Err(SyntaxFault::CutOff),
            Some(byte) if byte == wanted => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(SyntaxFault::NotANumber),
        }
    }

    fn number(&mut self) -> Result<u64, SyntaxFault> {
        let (mut value, mut digits) = (0_u64, 0);
        while let Some(byte) = self.peek().filter(u8::is_ascii_digit) {
            digits += 1;
            if digits > LONGEST_NUMBER {
                return Err(SyntaxFault::NumberTooLarge);
            }
            value = value * 10 + u64::from(byte - b'0');
            self.at += 1;
        }
        match (digits, self.peek()) {
            (0, None) => Err(SyntaxFault::CutOff),
            (0, Some(_)) => Err(SyntaxFault::NotANumber),
            _ => Ok(value),
        }
    }
}
