//! From octets to their canonical line.

use std::fmt::Write;

use super::decode::{decode, shortest};
use super::icmp;
use super::key::{FLAGS, Key, NO_FLAGS, Shape};
use super::line::{Body, Endpoint, Form, Line, Protocol, TcpOption, Value};

/// Packets quoted within packets, at most: routers do not answer an ICMP error with another.
pub(super) const DEEPEST: usize = 3;

/// The first of the notation's forms that says exactly these octets.
pub(super) fn form_of(bytes: &[u8]) -> Form {
    line_of(bytes, 0).map_or_else(|| Form::Raw(bytes.to_vec()), Form::Packet)
}

fn line_of(bytes: &[u8], depth: usize) -> Option<Line> {
    Protocol::ALL.into_iter().find_map(|protocol| {
        let line = shortest(decode(bytes, protocol)?, bytes)?;
        Some(with_quote(line, depth))
    })
}

/// The same, with the payload of an ICMP error as the packet that it is the beginning of.
fn with_quote(mut line: Line, depth: usize) -> Line {
    if depth < DEEPEST && line.kind().is_some_and(|(kind, _)| icmp::quotes(kind)) {
        let quoted = match &line.body {
            Body::Bytes(payload) => line_of(payload, depth + 1),
            _ => None,
        };
        if let Some(quoted) = quoted {
            line.body = Body::Quote(Box::new(quoted));
        }
    }
    line
}

pub(super) fn form_text(form: &Form) -> String {
    match form {
        Form::Packet(line) => line_text(line),
        Form::Raw(bytes) => format!("hex \"{}\"", hex(bytes)),
    }
}

pub(super) fn line_text(line: &Line) -> String {
    let mut text = line.protocol.name().to_owned();
    if let Some(value) = line.values.get(&Key::Proto) {
        push(&mut text, &key_text(Key::Proto, value, line.protocol));
    }
    push(&mut text, &endpoint_text(line.source, line.protocol));
    push(&mut text, ">");
    push(&mut text, &endpoint_text(line.destination, line.protocol));
    let (before, behind): (Vec<_>, Vec<_>) = line
        .values
        .iter()
        .filter(|(key, _)| **key != Key::Proto)
        .partition(|(key, _)| **key < Key::TcpOptions);
    for (key, value) in before {
        push(&mut text, &key_text(*key, value, line.protocol));
    }
    for option in &line.options {
        push(&mut text, &option_text(option));
    }
    for (key, value) in behind {
        push(&mut text, &key_text(*key, value, line.protocol));
    }
    push(&mut text, &body_text(&line.body));
    text
}

fn push(text: &mut String, word: &str) {
    if !word.is_empty() {
        text.push(' ');
        text.push_str(word);
    }
}

pub(super) fn endpoint_text(end: Endpoint, protocol: Protocol) -> String {
    let address = end.address.map_or_else(|| "*".to_owned(), |address| address.to_string());
    match end.port {
        Some(port) => format!("{address}:{port}"),
        None if protocol.has_ports() && end.address.is_some() => format!("{address}:*"),
        None => address,
    }
}

/// `KEY=VALUE`, or the word that says it.
pub(super) fn key_text(key: Key, value: &Value, protocol: Protocol) -> String {
    match (key, value) {
        (Key::Flags | Key::Kind, _) => value_text(key, value, protocol),
        (Key::DontFragment, Value::Set(false)) => "no-df".to_owned(),
        (Key::DontFragment, _) => "df".to_owned(),
        _ => format!("{}={}", key.name(), value_text(key, value, protocol)),
    }
}

pub(super) fn value_text(key: Key, value: &Value, protocol: Protocol) -> String {
    match value {
        Value::Number(number) => match key {
            Key::Checksum if *number == 0 && protocol == Protocol::Udp => "none".to_owned(),
            _ if key.shape(protocol) == Shape::Checksum => format!("0x{number:04x}"),
            Key::Tos => format!("0x{number:02x}"),
            Key::Rest => format!("0x{number:08x}"),
            _ => number.to_string(),
        },
        Value::Address(address) => address.to_string(),
        Value::Hex(bytes) => format!("0x{}", hex(bytes)),
        Value::Set(set) => (if *set { "set" } else { "not set" }).to_owned(),
        Value::Fragment { offset, more } => format!("{offset}{}", if *more { "+" } else { "" }),
        Value::Flags { bits, exact } => flags_text(*bits, *exact),
        Value::Kind { kind, code } => icmp::kind_text(*kind, *code),
        Value::Bad => "bad".to_owned(),
        Value::Right => "ok".to_owned(),
        Value::Any => "*".to_owned(),
    }
}

fn flags_text(bits: u16, exact: bool) -> String {
    let mut names: Vec<_> = FLAGS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect();
    if !exact {
        names.push("*");
    }
    if names.is_empty() { NO_FLAGS.to_owned() } else { names.join(",") }
}

pub(super) fn option_text(option: &TcpOption) -> String {
    let pair = |(left, right): &(u32, u32)| format!("{left}:{right}");
    match option {
        TcpOption::Nop => "nop".to_owned(),
        TcpOption::SackPermitted => "sack-permitted".to_owned(),
        TcpOption::MaximumSegmentSize(size) => format!("mss={}", or_star(size.map(|size| size.to_string()))),
        TcpOption::WindowScale(shift) => format!("wscale={}", or_star(shift.map(|shift| shift.to_string()))),
        TcpOption::Timestamps(values) => format!("timestamps={}", or_star(values.as_ref().map(pair))),
        TcpOption::Sack(blocks) => {
            let list: Vec<_> = blocks.iter().map(pair).collect();
            format!("sack={}", or_star((!list.is_empty()).then(|| list.join(","))))
        }
    }
}

fn or_star(text: Option<String>) -> String {
    text.unwrap_or_else(|| "*".to_owned())
}

pub(super) fn body_text(body: &Body) -> String {
    match body {
        Body::None => String::new(),
        Body::Bytes(bytes) if mostly_text(bytes) => format!("\"{}\"", escaped(bytes, false)),
        Body::Bytes(bytes) => format!("hex \"{}\"", hex(bytes)),
        Body::Length(length) => format!("length={length}"),
        Body::Glob(pieces) => {
            let pieces: Vec<_> = pieces.iter().map(|piece| escaped(piece, true)).collect();
            format!("\"{}\"", pieces.join("*"))
        }
        Body::Quote(line) => format!("quoting ({})", line_text(line)),
    }
}

/// At least three quarters of the octets are printable ASCII, line ends and tabs.
fn mostly_text(bytes: &[u8]) -> bool {
    let readable = |octet: &&u8| matches!(octet, b' '..=b'~' | b'\r' | b'\n' | b'\t');
    bytes.iter().filter(readable).count() * 4 >= bytes.len() * 3
}

fn escaped(bytes: &[u8], stars: bool) -> String {
    bytes.iter().fold(String::new(), |mut text, octet| {
        match octet {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'*' if stars => text.push_str("\\*"),
            b' '..=b'~' => text.push(char::from(*octet)),
            _ => add(&mut text, format_args!("\\x{octet:02x}")),
        }
        text
    })
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, octet| {
        add(&mut text, format_args!("{octet:02x}"));
        text
    })
}

fn add(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(what);
}
