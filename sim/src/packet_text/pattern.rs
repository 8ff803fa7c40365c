//! An expectation for a packet: what is written must hold, what is left out is not looked at.

use std::fmt;

use super::decode::{can_be_judged, decode, shortest};
use super::error::PacketTextError;
use super::glob;
use super::key::Key;
use super::line::{Body, Endpoint, Form, Line, Protocol, TcpOption, Value};
use super::parse::{self, Mode};
use super::print;

/// A line with parts left out, to be held against packets. The module's documentation says what it can state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    form: Form,
}

/// What of a pattern does not hold for a packet; at least one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// In the order of the notation.
    pub mismatches: Vec<Mismatch>,
}

/// One thing that is not as the pattern says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// A key or what else it is about: `seq`, `source`, `flags`, `payload`, `quoted ttl`.
    pub what: String,
    /// As the pattern has it.
    pub expected: String,
    /// As the packet has it, in the same notation; `None`: it has no such thing.
    pub seen: Option<String>,
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(line: &str) -> Result<Self, PacketTextError> {
        Ok(Self { text: line.trim().to_owned(), form: parse::form(line, Mode::Pattern)? })
    }

    /// Whether all that is written holds for the packet.
    pub fn matches(&self, packet: &[u8]) -> bool {
        self.difference(packet).is_none()
    }

    /// What does not hold for the packet; `None`: it matches. Of another protocol's packet the protocol alone is named.
    pub fn difference(&self, packet: &[u8]) -> Option<Difference> {
        let mismatches = match &self.form {
            Form::Packet(line) => differences(line, packet),
            Form::Raw(bytes) if bytes == packet => Vec::new(),
            Form::Raw(_) => vec![Mismatch::new("packet", self.text.clone(), Some(super::print(packet)))],
        };
        (!mismatches.is_empty()).then_some(Difference { mismatches })
    }

    /// As it was written, without blanks around it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mismatch) in self.mismatches.iter().enumerate() {
            if at > 0 {
                formatter.write_str("; ")?;
            }
            mismatch.fmt(formatter)?;
        }
        Ok(())
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, expected, seen } = self;
        match seen {
            Some(seen) => write!(formatter, "{what}: expected {expected}, saw {seen}"),
            None => write!(formatter, "{what}: expected {expected}, saw nothing"),
        }
    }
}

impl Mismatch {
    fn new(what: impl Into<String>, expected: impl Into<String>, seen: Option<String>) -> Self {
        Self { what: what.into(), expected: expected.into(), seen }
    }
}

fn differences(expected: &Line, packet: &[u8]) -> Vec<Mismatch> {
    let Some(seen) = decode(packet, expected.protocol) else {
        let known = Protocol::ALL.into_iter().find(|protocol| decode(packet, *protocol).is_some());
        let seen = known.map_or("no IPv4 packet", Protocol::name);
        return vec![Mismatch::new("protocol", expected.protocol.name(), Some(seen.to_owned()))];
    };
    let protocol = expected.protocol;
    let mut found = Vec::new();
    found.extend(endpoint("source", expected.source, seen.source, protocol));
    found.extend(endpoint("destination", expected.destination, seen.destination, protocol));
    found.extend(expected.values.iter().filter_map(|(key, value)| field(*key, value, &seen, packet)));
    found.extend(expected.options.iter().filter_map(|wanted| option(wanted, &seen.options)));
    found.extend(body(&expected.body, &seen.body).unwrap_or_default());
    found
}

fn endpoint(what: &str, expected: Endpoint, seen: Endpoint, protocol: Protocol) -> Option<Mismatch> {
    let address = expected.address.is_none() || expected.address == seen.address;
    let port = expected.port.is_none() || expected.port == seen.port;
    let text = |end| print::endpoint_text(end, protocol);
    (!address || !port).then(|| Mismatch::new(what, text(expected), Some(text(seen))))
}

fn field(key: Key, expected: &Value, line: &Line, packet: &[u8]) -> Option<Mismatch> {
    let text = |value: &Value| print::value_text(key, value, line.protocol);
    let Some(seen) = line.values.get(&key) else {
        return Some(Mismatch::new(key.name(), text(expected), None));
    };
    if matches!(expected, Value::Bad | Value::Right) {
        let judged = judgement(key, line, packet);
        let holds = judged.as_ref() == Some(expected);
        let judged = judged.map_or_else(String::new, |judged| format!("{} ", text(&judged)));
        return (!holds)
            .then(|| Mismatch::new(key.name(), text(expected), Some(format!("{judged}{}", text(seen)))));
    }
    let holds = match (expected, seen) {
        (Value::Any, Value::Fragment { offset, more }) => *offset > 0 || *more,
        (Value::Any, _) => true,
        (Value::Flags { bits, exact: false }, Value::Flags { bits: seen, .. }) => seen & bits == *bits,
        (Value::Kind { kind, code: None }, Value::Kind { kind: seen, .. }) => kind == seen,
        _ => expected == seen,
    };
    (!holds).then(|| Mismatch::new(key.name(), text(expected), Some(text(seen))))
}

/// Whether a checksum is right or bad; `None` where that cannot be known, as for a part of a packet, or where there
/// is no checksum.
fn judgement(key: Key, line: &Line, packet: &[u8]) -> Option<Value> {
    let absent = key == Key::Checksum && line.protocol == Protocol::Udp && line.number(key) == Some(0);
    if absent || !can_be_judged(key, line, packet) {
        return None;
    }
    let right = !shortest(line.clone(), packet)?.values.contains_key(&key);
    Some(if right { Value::Right } else { Value::Bad })
}

fn option(expected: &TcpOption, seen: &[TcpOption]) -> Option<Mismatch> {
    let same_kind = |option: &&TcpOption| std::mem::discriminant(*option) == std::mem::discriminant(expected);
    let any = match expected {
        TcpOption::MaximumSegmentSize(size) => size.is_none(),
        TcpOption::WindowScale(shift) => shift.is_none(),
        TcpOption::Timestamps(values) => values.is_none(),
        TcpOption::Sack(blocks) => blocks.is_empty(),
        TcpOption::Nop | TcpOption::SackPermitted => true,
    };
    let mut candidates = seen.iter().filter(same_kind);
    if candidates.clone().any(|option| any || option == expected) {
        return None;
    }
    let found = candidates.next().map(print::option_text);
    Some(Mismatch::new("options", print::option_text(expected), found))
}

fn body(expected: &Body, seen: &Body) -> Option<Vec<Mismatch>> {
    let payload: &[u8] = if let Body::Bytes(bytes) = seen { bytes } else { &[] };
    let holds = match expected {
        Body::None => true,
        Body::Bytes(bytes) => bytes == payload,
        Body::Length(length) if *length == payload.len() => true,
        Body::Length(length) => {
            return Some(vec![Mismatch::new("length", length.to_string(), Some(payload.len().to_string()))]);
        }
        Body::Glob(pieces) => glob::matches(pieces, payload),
        Body::Quote(line) => {
            let quoted = differences(line, payload).into_iter();
            return Some(
                quoted.map(|inner| Mismatch { what: format!("quoted {}", inner.what), ..inner }).collect(),
            );
        }
    };
    let text = || (!payload.is_empty()).then(|| print::body_text(&Body::Bytes(payload.to_vec())));
    (!holds).then(|| vec![Mismatch::new("payload", print::body_text(expected), text())])
}
