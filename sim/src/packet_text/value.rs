//! The values of words: addresses, numbers, flags, types, options.

use std::net::Ipv4Addr;
use std::ops::Range;

use super::error::{PacketTextError, Problem};
use super::icmp;
use super::key::{FLAGS, Key, NO_FLAGS, Shape};
use super::line::{Endpoint, Protocol, TcpOption, Value};
use super::parse::{Mode, Result, unknown_among};

const STAR: &str = "*";
/// IPv4's and TCP's header have as much room.
const LONGEST_OPTIONS: usize = 40;
const MOST_SACK_BLOCKS: usize = 4;

pub(super) fn endpoint(word: &str, span: &Range<usize>, protocol: Protocol, mode: Mode) -> Result<Endpoint> {
    let (address, port) = match word.split_once(':') {
        Some((address, port)) => (address, Some(port)),
        None => (word, None),
    };
    let address_at = span.start..span.start + address.len();
    let address_value = if address == STAR {
        star(&address_at, mode)?;
        None
    } else {
        let write = "four numbers from 0 to 255, as in 192.0.2.1";
        let bad = || bad_value("an address", address, address_at.clone(), write);
        Some(address.parse::<Ipv4Addr>().map_err(|_| bad())?)
    };
    let port = match port {
        Some(_) if !protocol.has_ports() => {
            let problem = Problem::Port { protocol: protocol.name() };
            return Err(PacketTextError::new(address_at.end..span.end, problem));
        }
        Some(port) => optional(port, address_at.end + 1..span.end, mode, |port, at| {
            let number = number(port, u16::MAX.into());
            number.and_then(narrow).ok_or_else(|| bad_value("a port", port, at, "a number from 0 to 65535"))
        })?,
        None if protocol.has_ports() && mode == Mode::Packet => {
            let (after, write) = (word.to_owned(), "ADDRESS:PORT");
            let problem = Problem::Missing { what: "a port", after, write: write.to_owned() };
            return Err(PacketTextError::new(span.clone(), problem));
        }
        None => None,
    };
    Ok(Endpoint { address: address_value, port })
}

pub(super) fn of_key(
    key: Key,
    text: &str,
    span: Range<usize>,
    protocol: Protocol,
    mode: Mode,
) -> Result<Value> {
    let shape = key.shape(protocol);
    let parsed = |text: &str, span: Range<usize>| {
        let value = match shape {
            Shape::Number(most) => number(text, most).map(Value::Number),
            Shape::Checksum => checksum(text, key, protocol),
            Shape::Options => options(text).map(Value::Hex),
            Shape::Fragment => fragment(text),
            Shape::Address => text.parse().ok().map(Value::Address),
            Shape::Word => None,
        };
        value.ok_or_else(|| {
            bad_value(&format!("a value of `{}`", key.name()), text, span, &write_for(shape, key, protocol))
        })
    };
    Ok(optional(text, span, mode, parsed)?.unwrap_or(Value::Any))
}

fn write_for(shape: Shape, key: Key, protocol: Protocol) -> String {
    match shape {
        Shape::Number(most) => format!("a number from 0 to {most}"),
        Shape::Checksum if key == Key::Checksum && protocol == Protocol::Udp => {
            "bad, ok, none or a number from 0 to 0xffff".to_owned()
        }
        Shape::Checksum => "bad, ok or a number from 0 to 0xffff".to_owned(),
        Shape::Options => {
            format!("0x and hexadecimal digits, in groups of four octets, {LONGEST_OPTIONS} octets at most")
        }
        Shape::Fragment => {
            "the offset in octets, a multiple of 8 up to 65528, and + where more fragments follow".to_owned()
        }
        Shape::Address | Shape::Word => "four numbers from 0 to 255, as in 192.0.2.1".to_owned(),
    }
}

fn checksum(text: &str, key: Key, protocol: Protocol) -> Option<Value> {
    match text {
        "bad" => Some(Value::Bad),
        "ok" => Some(Value::Right),
        "none" if key == Key::Checksum && protocol == Protocol::Udp => Some(Value::Number(0)),
        _ => number(text, u16::MAX.into()).map(Value::Number),
    }
}

fn options(text: &str) -> Option<Vec<u8>> {
    let bytes = hex_digits(text.strip_prefix("0x")?.as_bytes())?;
    (!bytes.is_empty() && bytes.len() % 4 == 0 && bytes.len() <= LONGEST_OPTIONS).then_some(bytes)
}

fn fragment(text: &str) -> Option<Value> {
    let (digits, more) = text.strip_suffix('+').map_or((text, false), |digits| (digits, true));
    let offset: u16 = narrow(number(digits, u16::MAX.into())?)?;
    offset.is_multiple_of(8).then_some(Value::Fragment { offset, more })
}

/// Of a payload; `None`: of any length.
pub(super) fn payload_length(text: &str, span: Range<usize>, mode: Mode) -> Result<Option<usize>> {
    optional(text, span, mode, |text, span| {
        let length = number(text, u16::MAX.into()).and_then(|length| usize::try_from(length).ok());
        length.ok_or_else(|| bad_value("a value of `length`", text, span, "a number from 0 to 65535"))
    })
}

/// Whether a word is meant as flags: at least one of its parts is one.
pub(super) fn looks_like_flags(word: &str) -> bool {
    let known = |part: &str| part == STAR || part == NO_FLAGS || FLAGS.iter().any(|(_, name)| *name == part);
    word.split(',').any(known)
}

pub(super) fn flags(word: &str, span: &Range<usize>, mode: Mode) -> Result<Value> {
    if word == NO_FLAGS {
        return Ok(Value::Flags { bits: 0, exact: true });
    }
    let (mut bits, mut exact) = (0, true);
    let mut at = span.start;
    for part in word.split(',') {
        let part_at = at..at + part.len();
        at = part_at.end + 1;
        match FLAGS.iter().find(|(_, name)| *name == part) {
            Some((bit, name)) if bits & bit != 0 => {
                let (word, first) = (part.to_owned(), (*name).to_owned());
                return Err(PacketTextError::new(part_at, Problem::Twice { word, first }));
            }
            Some((bit, _)) => bits |= bit,
            None if part == STAR => {
                star(&part_at, mode)?;
                exact = false;
            }
            None => {
                let names = FLAGS.map(|(_, name)| name);
                return Err(unknown_among(part, part_at, "a flag of tcp".to_owned(), &names));
            }
        }
    }
    Ok(Value::Flags { bits, exact })
}

/// `TYPE` or `TYPE/CODE`; `None`: the word is no type.
pub(super) fn kind(word: &str, span: &Range<usize>, mode: Mode) -> Result<Option<Value>> {
    if word == STAR {
        star(span, mode)?;
        return Ok(Some(Value::Any));
    }
    let (name, code) = word.split_once('/').map_or((word, None), |(name, code)| (name, Some(code)));
    let Some(kind) = icmp::kind_of(name) else { return Ok(None) };
    let code_at = span.start + name.len() + 1..span.end;
    let code = match code {
        None => None,
        Some(STAR) => {
            star(&code_at, mode)?;
            None
        }
        Some(code) => {
            let what = || format!("a code of {name} (a name or a number from 0 to 255)");
            let known = icmp::code_of(kind, code);
            Some(known.ok_or_else(|| unknown_among(code, code_at, what(), icmp::code_names(kind)))?)
        }
    };
    Ok(Some(Value::Kind { kind, code }))
}

pub(super) fn option_word(word: &str) -> TcpOption {
    if word == "nop" { TcpOption::Nop } else { TcpOption::SackPermitted }
}

/// One of the options that are written with a value.
pub(super) fn option(name: &str, text: &str, span: Range<usize>, mode: Mode) -> Result<TcpOption> {
    let short = "a number from 0 to 65535";
    let bad = |write: &'static str| {
        move |text: &str, span: Range<usize>| bad_value(&format!("a value of `{name}`"), text, span, write)
    };
    match name {
        "mss" => {
            let size = |text: &str, span| {
                number(text, u16::MAX.into()).and_then(narrow).ok_or_else(|| bad(short)(text, span))
            };
            optional(text, span, mode, size).map(TcpOption::MaximumSegmentSize)
        }
        "wscale" => {
            let shift = |text: &str, span| {
                let shift = number(text, u8::MAX.into()).and_then(|shift| u8::try_from(shift).ok());
                shift.ok_or_else(|| bad("a number from 0 to 255")(text, span))
            };
            optional(text, span, mode, shift).map(TcpOption::WindowScale)
        }
        "sack" => {
            let blocks = |text: &str, span| {
                let blocks: Option<Vec<_>> = text.split(',').map(pair).collect();
                let blocks = blocks.filter(|blocks| blocks.len() <= MOST_SACK_BLOCKS);
                blocks.ok_or_else(|| bad("LEFT:RIGHT, up to four of them with commas between")(text, span))
            };
            optional(text, span, mode, blocks).map(|blocks| TcpOption::Sack(blocks.unwrap_or_default()))
        }
        _ => {
            let values = |text: &str, span| pair(text).ok_or_else(|| bad("VALUE:ECHO-REPLY")(text, span));
            optional(text, span, mode, values).map(TcpOption::Timestamps)
        }
    }
}

fn pair(text: &str) -> Option<(u32, u32)> {
    let (left, right) = text.split_once(':')?;
    Some((number(left, u32::MAX)?, number(right, u32::MAX)?))
}

/// Pairs of digits, with blanks between the pairs.
pub(super) fn hex_text(pieces: &[Vec<u8>]) -> Option<Vec<u8>> {
    let [piece] = pieces else { return None };
    let groups = piece.split(|octet| *octet == b' ').map(hex_digits);
    groups.collect::<Option<Vec<_>>>().map(|groups| groups.concat())
}

fn hex_digits(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_chunks::<2>();
    let octets = pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?));
    if rest.is_empty() { octets.collect() } else { None }
}

/// Digits, or `0x` and hexadecimal digits; up to `most`.
fn number(text: &str, most: u32) -> Option<u32> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    // Unlike the standard library, no sign.
    let plain = digits.chars().all(|digit| digit.is_digit(radix));
    u32::from_str_radix(digits, radix).ok().filter(|number| plain && *number <= most)
}

fn narrow(number: u32) -> Option<u16> {
    u16::try_from(number).ok()
}

/// A value, or `None` for a star where stars are allowed.
fn optional<T>(
    text: &str,
    span: Range<usize>,
    mode: Mode,
    parse: impl FnOnce(&str, Range<usize>) -> Result<T>,
) -> Result<Option<T>> {
    if text == STAR {
        star(&span, mode)?;
        return Ok(None);
    }
    parse(text, span).map(Some)
}

fn star(span: &Range<usize>, mode: Mode) -> Result<()> {
    match mode {
        Mode::Pattern => Ok(()),
        Mode::Packet => Err(PacketTextError::new(span.clone(), Problem::Star)),
    }
}

fn bad_value(what: &str, value: &str, span: Range<usize>, write: &str) -> PacketTextError {
    let (value, write) = (value.to_owned(), write.to_owned());
    let problem = Problem::Value { what: what.to_owned(), value, write };
    PacketTextError::new(span, problem)
}
