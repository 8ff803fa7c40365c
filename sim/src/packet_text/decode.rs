//! From octets to a line that states every field there is, and from there to the shortest line that says the same.

use std::collections::BTreeMap;

use etherparse::{Ipv4Header, TcpOptionElement, TcpOptionsIterator};

use super::build::build;
use super::icmp;
use super::key::Key;
use super::line::{Body, Endpoint, Line, Protocol, TcpOption, Value, filler};

const TCP_HEADER: usize = 20;
const SHORT_HEADER: usize = 8;
const FLAGS: u16 = 0x1ff;

/// Every field that is in the octets, and the payload as [`Body::Bytes`]. `None`: no IPv4 header, or not of this
/// protocol, or a part of a packet without the beginning of the protocol's header. Of a header that is cut short,
/// the fields that are there.
pub(super) fn decode(bytes: &[u8], protocol: Protocol) -> Option<Line> {
    let (header, message) = Ipv4Header::from_slice(bytes).ok()?;
    let offset = header.fragment_offset.byte_offset();
    let mut values = BTreeMap::new();
    let mut number = |key: Key, number: u32| values.insert(key, Value::Number(number));
    number(Key::Ttl, header.time_to_live.into());
    number(Key::Tos, u32::from(header.dscp.value()) << 2 | u32::from(header.ecn.value()));
    number(Key::IpId, header.identification.into());
    number(Key::TotalLength, header.total_len.into());
    number(Key::IpChecksum, header.header_checksum.into());
    values.insert(Key::DontFragment, Value::Set(header.dont_fragment));
    values.insert(Key::Fragment, Value::Fragment { offset, more: header.more_fragments });
    if !header.options.is_empty() {
        values.insert(Key::IpOptions, Value::Hex(header.options.as_slice().to_vec()));
    }
    let end = |address: [u8; 4]| Endpoint { address: Some(address.into()), port: None };
    let (source, destination) = (end(header.source), end(header.destination));
    let mut line = Line { protocol, source, destination, values, options: Vec::new(), body: Body::None };
    if protocol.number().is_some_and(|known| known != header.protocol.0 || offset != 0) {
        return None;
    }
    let header_length = match protocol {
        Protocol::Tcp => tcp(&mut line, message)?,
        Protocol::Udp => udp(&mut line, message)?,
        Protocol::Icmp => icmp(&mut line, message)?,
        Protocol::Ip => {
            line.values.insert(Key::Proto, Value::Number(header.protocol.0.into()));
            0
        }
    };
    match message.get(header_length..) {
        Some(payload) => line.body = Body::Bytes(payload.to_vec()),
        None => {
            line.values.insert(Key::Cut, Value::Number(u32::try_from(bytes.len()).ok()?));
        }
    }
    Some(line)
}

/// The shortest line whose packet is `bytes`: without each key that is filled in with the same. `None`: there is no
/// such line.
pub(super) fn shortest(mut line: Line, bytes: &[u8]) -> Option<Line> {
    let same = |line: &Line| build(line).is_ok_and(|built| built == bytes);
    if !same(&line) {
        return None;
    }
    let keys: Vec<Key> = line.values.keys().copied().collect();
    for key in keys.into_iter().filter(|key| !matches!(key, Key::Proto | Key::Flags | Key::Kind)) {
        let Some(value) = line.values.remove(&key) else { continue };
        if same(&line) {
            continue;
        }
        if matches!(key, Key::Checksum | Key::IpChecksum) && can_be_judged(key, &line, bytes) {
            line.values.insert(key, Value::Bad);
            if same(&line) {
                continue;
            }
        }
        line.values.insert(key, value);
    }
    if line.values.contains_key(&Key::TcpOptions) {
        line.options.clear();
    }
    if let Body::Bytes(payload) = &line.body {
        if payload.is_empty() {
            line.body = Body::None;
        } else if *payload == filler(payload.len()) {
            line.body = Body::Length(payload.len());
        }
    }
    Some(line)
}

/// Whether the octets that a checksum is about are all there: a part of a packet does not have those of the
/// transport's.
pub(super) fn can_be_judged(key: Key, line: &Line, bytes: &[u8]) -> bool {
    const MORE_FRAGMENTS: u16 = 0x2000;
    let complete = line.short(Key::Cut).is_none()
        && short(bytes, 2).is_some_and(|length| usize::from(length) <= bytes.len())
        && short(bytes, 6).is_some_and(|word| word & MORE_FRAGMENTS == 0);
    key == Key::IpChecksum || complete
}

/// Fills in what there is of the header, and says how long it is to be; `None` without ports.
fn tcp(line: &mut Line, message: &[u8]) -> Option<usize> {
    ports(line, message)?;
    long_at(line, Key::Seq, message, 4);
    long_at(line, Key::Ack, message, 8);
    let Some(word) = short(message, 12) else { return Some(TCP_HEADER) };
    line.values.insert(Key::Flags, Value::Flags { bits: word & FLAGS, exact: true });
    short_at(line, Key::Win, message, 14);
    short_at(line, Key::Checksum, message, 16);
    short_at(line, Key::Urg, message, 18);
    // A header that claims to be shorter than it can be is read as the shortest.
    let length = usize::from(word >> 12).max(TCP_HEADER / 4) * 4;
    let options = message.get(TCP_HEADER..length.min(message.len())).unwrap_or_default();
    if !options.is_empty() {
        // What is cut off makes no difference to a line that says where it is cut off.
        let mut whole = options.to_vec();
        whole.resize(length - TCP_HEADER, 0);
        line.values.insert(Key::TcpOptions, Value::Hex(whole));
        line.options = TcpOptionsIterator::from_slice(options)
            .map_while(Result::ok)
            .map(|element| option(&element))
            .collect();
    }
    Some(length)
}

fn option(element: &TcpOptionElement) -> TcpOption {
    match *element {
        TcpOptionElement::Noop => TcpOption::Nop,
        TcpOptionElement::MaximumSegmentSize(size) => TcpOption::MaximumSegmentSize(Some(size)),
        TcpOptionElement::WindowScale(shift) => TcpOption::WindowScale(Some(shift)),
        TcpOptionElement::SelectiveAcknowledgementPermitted => TcpOption::SackPermitted,
        TcpOptionElement::SelectiveAcknowledgement(first, rest) => {
            TcpOption::Sack(std::iter::once(first).chain(rest.into_iter().flatten()).collect())
        }
        TcpOptionElement::Timestamp(value, echo) => TcpOption::Timestamps(Some((value, echo))),
    }
}

fn udp(line: &mut Line, message: &[u8]) -> Option<usize> {
    ports(line, message)?;
    short_at(line, Key::UdpLength, message, 4);
    short_at(line, Key::Checksum, message, 6);
    Some(SHORT_HEADER)
}

fn icmp(line: &mut Line, message: &[u8]) -> Option<usize> {
    let [kind, code] = short(message, 0)?.to_be_bytes();
    line.values.insert(Key::Kind, Value::Kind { kind, code: Some(code) });
    short_at(line, Key::Checksum, message, 2);
    long_at(line, Key::Rest, message, 4);
    for key in icmp::keys(kind, Some(code)) {
        match key {
            Key::Id => short_at(line, Key::Id, message, 4),
            Key::Seq => short_at(line, Key::Seq, message, 6),
            Key::Mtu => short_at(line, Key::Mtu, message, 6),
            Key::Pointer => {
                if let Some(pointer) = message.get(4) {
                    line.values.insert(Key::Pointer, Value::Number((*pointer).into()));
                }
            }
            Key::Gateway => {
                if let Some(gateway) = long(message, 4) {
                    line.values.insert(Key::Gateway, Value::Address(gateway.into()));
                }
            }
            _ => {}
        }
    }
    Some(SHORT_HEADER)
}

fn ports(line: &mut Line, message: &[u8]) -> Option<()> {
    line.source.port = Some(short(message, 0)?);
    line.destination.port = Some(short(message, 2)?);
    Some(())
}

fn short_at(line: &mut Line, key: Key, message: &[u8], at: usize) {
    if let Some(number) = short(message, at) {
        line.values.insert(key, Value::Number(number.into()));
    }
}

fn long_at(line: &mut Line, key: Key, message: &[u8], at: usize) {
    if let Some(number) = long(message, at) {
        line.values.insert(key, Value::Number(number));
    }
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}
