//! From a line to the octets of its packet. What a line leaves out is filled in here, and nowhere else.

use std::net::Ipv4Addr;

use etherparse::{
    Icmpv4Header, Icmpv4Type, IpDscp, IpEcn, IpFragOffset, IpNumber, Ipv4Header, Ipv4Options, TcpHeader,
    TcpOptionElement, UdpHeader,
};
use quirknat_router::packet::checksum;

use super::error::Problem;
use super::icmp;
use super::key::Key;
use super::line::{Body, Form, Line, Protocol, TcpOption, Value, filler};

/// RFC 1122 §3.2.1.7 recommends 64.
const TTL: u8 = 64;
const WINDOW: u16 = 65535;
pub(super) const IP_HEADER: usize = 20;
const TCP_CHECKSUM_AT: usize = 16;
const UDP_CHECKSUM_AT: usize = 6;
const ICMP_CHECKSUM_AT: usize = 2;

/// What is wrong, and what of the line it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unbuildable {
    pub(super) about: About,
    pub(super) problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Body,
    TcpOptions,
    Key(Key),
}

pub(super) fn build_form(form: &Form) -> Result<Vec<u8>, Unbuildable> {
    match form {
        Form::Packet(line) => build(line),
        Form::Raw(bytes) => Ok(bytes.clone()),
    }
}

pub(super) fn build(line: &Line) -> Result<Vec<u8>, Unbuildable> {
    let payload = payload(&line.body)?;
    let mut message = match line.protocol {
        Protocol::Tcp => tcp_header(line)?,
        Protocol::Udp => udp_header(line, payload.len()),
        Protocol::Icmp => icmp_header(line),
        Protocol::Ip => Vec::new(),
    };
    message.extend_from_slice(&payload);

    let options = line.hex(Key::IpOptions);
    let length = IP_HEADER + options.len() + message.len();
    let Ok(full_length) = u16::try_from(length) else {
        return Err(Unbuildable { about: About::Body, problem: Problem::TooLong { length } });
    };
    let total_length = line.short(Key::TotalLength).unwrap_or(full_length);
    // What stands behind the stated end of the packet is no part of the message.
    let covered = usize::from(total_length).saturating_sub(IP_HEADER + options.len()).min(message.len());
    put_checksum(line, &mut message, covered);

    let mut bytes = ip_header(line, total_length);
    bytes.append(&mut message);
    if let Some(cut) = line.short(Key::Cut).map(usize::from) {
        if cut >= length {
            let problem = Problem::Cut { cut, length };
            return Err(Unbuildable { about: About::Key(Key::Cut), problem });
        }
        bytes.truncate(cut);
    }
    Ok(bytes)
}

fn payload(body: &Body) -> Result<Vec<u8>, Unbuildable> {
    match body {
        Body::None | Body::Glob(_) => Ok(Vec::new()),
        Body::Bytes(bytes) => Ok(bytes.clone()),
        Body::Length(length) => Ok(filler(*length)),
        Body::Quote(line) => {
            build(line).map_err(|error| Unbuildable { about: About::Body, problem: error.problem })
        }
    }
}

fn tcp_header(line: &Line) -> Result<Vec<u8>, Unbuildable> {
    let flag =
        |bit: u16| matches!(line.values.get(&Key::Flags), Some(Value::Flags { bits, .. }) if bits & bit != 0);
    let mut header = TcpHeader {
        source_port: line.source.port.unwrap_or_default(),
        destination_port: line.destination.port.unwrap_or_default(),
        sequence_number: line.number(Key::Seq).unwrap_or_default(),
        acknowledgment_number: line.number(Key::Ack).unwrap_or_default(),
        fin: flag(0x01),
        syn: flag(0x02),
        rst: flag(0x04),
        psh: flag(0x08),
        ack: flag(0x10),
        urg: flag(0x20),
        ece: flag(0x40),
        cwr: flag(0x80),
        ns: flag(0x100),
        window_size: line.short(Key::Win).unwrap_or(WINDOW),
        urgent_pointer: line.short(Key::Urg).unwrap_or_default(),
        ..TcpHeader::default()
    };
    let raw = line.hex(Key::TcpOptions);
    let elements: Vec<_> = line.options.iter().map(element).collect();
    let written = if raw.is_empty() { header.set_options(&elements) } else { header.set_options_raw(raw) };
    if written.is_err() {
        return Err(Unbuildable { about: About::TcpOptions, problem: Problem::OptionsTooLong });
    }
    Ok(header.to_bytes().to_vec())
}

fn element(option: &TcpOption) -> TcpOptionElement {
    match option {
        TcpOption::Nop => TcpOptionElement::Noop,
        TcpOption::MaximumSegmentSize(size) => TcpOptionElement::MaximumSegmentSize(size.unwrap_or_default()),
        TcpOption::WindowScale(shift) => TcpOptionElement::WindowScale(shift.unwrap_or_default()),
        TcpOption::SackPermitted => TcpOptionElement::SelectiveAcknowledgementPermitted,
        TcpOption::Sack(blocks) => {
            let mut blocks = blocks.iter().copied();
            let first = blocks.next().unwrap_or_default();
            let rest = [blocks.next(), blocks.next(), blocks.next()];
            TcpOptionElement::SelectiveAcknowledgement(first, rest)
        }
        TcpOption::Timestamps(values) => {
            let (value, echo) = values.unwrap_or_default();
            TcpOptionElement::Timestamp(value, echo)
        }
    }
}

fn udp_header(line: &Line, payload: usize) -> Vec<u8> {
    // Longer is no packet, which is found out later.
    let length = u16::try_from(UdpHeader::LEN + payload).unwrap_or(u16::MAX);
    let header = UdpHeader {
        source_port: line.source.port.unwrap_or_default(),
        destination_port: line.destination.port.unwrap_or_default(),
        length: line.short(Key::UdpLength).unwrap_or(length),
        checksum: 0,
    };
    header.to_bytes().to_vec()
}

fn icmp_header(line: &Line) -> Vec<u8> {
    let (kind, code) = line.kind().unwrap_or_default();
    // The typed messages of etherparse cannot say every code, so all are written as unknown ones.
    let message = Icmpv4Type::Unknown {
        type_u8: kind,
        code_u8: code.unwrap_or_default(),
        bytes5to8: line.number(Key::Rest).map_or_else(|| second_word(line), u32::to_be_bytes),
    };
    Icmpv4Header { icmp_type: message, checksum: 0 }.to_bytes().to_vec()
}

fn second_word(line: &Line) -> [u8; 4] {
    let (kind, code) = line.kind().unwrap_or_default();
    let pair = |high: u16, low: u16| (u32::from(high) << 16 | u32::from(low)).to_be_bytes();
    match icmp::keys(kind, code) {
        [Key::Id, ..] => {
            pair(line.short(Key::Id).unwrap_or_default(), line.short(Key::Seq).unwrap_or_default())
        }
        [Key::Mtu] => pair(0, line.short(Key::Mtu).unwrap_or_default()),
        [Key::Gateway] => match line.values.get(&Key::Gateway) {
            Some(Value::Address(address)) => address.octets(),
            _ => [0; 4],
        },
        [Key::Pointer] => [line.octet(Key::Pointer).unwrap_or_default(), 0, 0, 0],
        _ => [0; 4],
    }
}

/// Writes the transport header's checksum, over the first `covered` octets of the message.
fn put_checksum(line: &Line, message: &mut [u8], covered: usize) {
    let at = match line.protocol {
        Protocol::Tcp => TCP_CHECKSUM_AT,
        Protocol::Udp => UDP_CHECKSUM_AT,
        Protocol::Icmp => ICMP_CHECKSUM_AT,
        Protocol::Ip => return,
    };
    let sum = checksum::sum(message.get(..covered).unwrap_or_default());
    let right = if line.protocol == Protocol::Icmp {
        !sum
    } else {
        let [source, destination] =
            [line.source, line.destination].map(|end| u32::from(address(end.address)));
        let number = line.protocol.number().unwrap_or_default();
        !checksum::add(checksum::pseudo_header(source, destination, number, covered), sum)
    };
    // In UDP a zero says that there is none (RFC 768).
    let right = if line.protocol == Protocol::Udp && right == 0 { u16::MAX } else { right };
    let stated = stated_checksum(line, Key::Checksum, right);
    if let Some(field) = message.get_mut(at..at + 2) {
        field.copy_from_slice(&stated.to_be_bytes());
    }
}

fn stated_checksum(line: &Line, key: Key, right: u16) -> u16 {
    match line.values.get(&key) {
        Some(Value::Bad) => bad_checksum(right),
        Some(Value::Number(number)) => u16::try_from(*number).unwrap_or_default(),
        _ => right,
    }
}

/// One more than the right one. Never zero, which has a meaning in UDP and elsewhere is as good as `0xffff`.
fn bad_checksum(right: u16) -> u16 {
    right.checked_add(1).unwrap_or(1)
}

fn ip_header(line: &Line, total_length: u16) -> Vec<u8> {
    let tos = line.octet(Key::Tos).unwrap_or_default();
    let (offset, more) = match line.values.get(&Key::Fragment) {
        Some(Value::Fragment { offset, more }) => (*offset, *more),
        _ => (0, false),
    };
    let protocol = line.protocol.number().or_else(|| line.octet(Key::Proto)).unwrap_or_default();
    let mut header = Ipv4Header {
        dscp: IpDscp::try_new(tos >> 2).unwrap_or_default(),
        ecn: IpEcn::try_new(tos & 3).unwrap_or_default(),
        total_len: total_length,
        identification: line.short(Key::IpId).unwrap_or_default(),
        dont_fragment: line.values.get(&Key::DontFragment) == Some(&Value::Set(true)),
        more_fragments: more,
        fragment_offset: IpFragOffset::try_new(offset / 8).unwrap_or_default(),
        time_to_live: line.octet(Key::Ttl).unwrap_or(TTL),
        protocol: IpNumber(protocol),
        header_checksum: 0,
        source: address(line.source.address).octets(),
        destination: address(line.destination.address).octets(),
        options: Ipv4Options::try_from(line.hex(Key::IpOptions)).unwrap_or_default(),
    };
    header.header_checksum = stated_checksum(line, Key::IpChecksum, header.calc_header_checksum());
    header.to_bytes().to_vec()
}

fn address(address: Option<Ipv4Addr>) -> Ipv4Addr {
    address.unwrap_or(Ipv4Addr::UNSPECIFIED)
}
