//! A packet's fields, with the octets each is in (RFC 791 §3.1, RFC 9293 §3.1, RFC 792).

use std::net::Ipv4Addr;
use std::ops::Range;

use etherparse::{Ipv4HeaderSlice, TcpHeaderSlice, TcpOptionElement, TcpOptionsIterator};
use quirknat_router::packet::TcpFlags;

use super::label;
use super::sight::{Inner, Sight};
use crate::explain::story::Field;

const IP: &str = "IPv4";
const TCP: &str = "TCP";
const ICMP: &str = "ICMP";
const PAYLOAD: &str = "payload";
const WORN: [&str; 2] = ["time to live", "header checksum"];

/// Whether a field that differs was rewritten as a whole. The fields that wear with every hop are not marked, and of the
/// payload what differs is found in it.
pub(super) fn is_compared(field: &Field) -> bool {
    !(field.of == IP && WORN.contains(&field.name)) && field.name != PAYLOAD
}

/// The fields of a packet's headers.
pub(super) fn of(bytes: &[u8], sight: &Sight) -> Vec<Field> {
    let mut fields = Vec::new();
    let Ok(header) = Ipv4HeaderSlice::from_slice(bytes) else { return fields };
    let start = header.slice().len();
    ip(&header, &mut Fields { of: IP, base: 0, list: &mut fields });
    let mut rest = Fields { of: TCP, base: start, list: &mut fields };
    match &sight.inner {
        Inner::Tcp(segment) => {
            let octets = bytes.get(start..).unwrap_or_default();
            if let Ok(header) = TcpHeaderSlice::from_slice(octets) {
                tcp(&header, &mut rest);
                let length = segment.payload.len();
                if length > 0 {
                    rest.add(
                        PAYLOAD,
                        header.slice().len()..header.slice().len() + length,
                        octets_text(length),
                    );
                }
            }
        }
        Inner::Icmp { kind, code, quoted } => {
            rest.of = ICMP;
            let name = label::icmp_name(*kind, *code);
            rest.add("type", 0..1, format!("{kind}"));
            rest.add("code", 1..2, format!("{code} ({name})"));
            rest.add("checksum", 2..4, hex(bytes, start + 2..start + 4));
            rest.add("rest of header", 4..8, hex(bytes, start + 4..start + 8));
            if let Some((quoted, octets)) = quoted {
                let range = octets.start - start..octets.end - start;
                rest.add("quoted packet", range, label::quoted(quoted));
            }
        }
        Inner::Other => {}
    }
    fields
}

/// The fields of one header, which begins at an octet of the packet.
struct Fields<'a> {
    of: &'static str,
    base: usize,
    list: &'a mut Vec<Field>,
}

impl Fields<'_> {
    fn add(&mut self, name: &'static str, octets: Range<usize>, value: impl Into<String>) {
        let octets = self.base + octets.start..self.base + octets.end;
        self.list.push(Field { of: self.of, name, value: value.into(), octets, rewritten: false });
    }
}

fn ip(header: &Ipv4HeaderSlice<'_>, fields: &mut Fields<'_>) {
    let length = header.slice().len();
    fields.add("version and header length", 0..1, format!("4, {length} octets"));
    let (dscp, ecn) = (header.dcp().value(), header.ecn().value());
    fields.add("DSCP and ECN", 1..2, format!("{dscp}, {ecn}"));
    fields.add("total length", 2..4, header.total_len().to_string());
    fields.add("identification", 4..6, format!("0x{:04x}", header.identification()));
    let mut flags = Vec::new();
    if header.dont_fragment() {
        flags.push("don't fragment".to_owned());
    }
    if header.more_fragments() {
        flags.push("more fragments".to_owned());
    }
    flags.push(format!("offset {}", header.fragments_offset().byte_offset()));
    fields.add("flags and fragment offset", 6..8, flags.join(", "));
    fields.add(WORN[0], 8..9, header.ttl().to_string());
    fields.add("protocol", 9..10, header.protocol().0.to_string());
    fields.add(WORN[1], 10..12, format!("0x{:04x}", header.header_checksum()));
    fields.add("source", 12..16, Ipv4Addr::from(header.source()).to_string());
    fields.add("destination", 16..20, Ipv4Addr::from(header.destination()).to_string());
    if length > 20 {
        fields.add("options", 20..length, octets_text(length - 20));
    }
}

fn tcp(header: &TcpHeaderSlice<'_>, fields: &mut Fields<'_>) {
    let length = header.slice().len();
    let flags = TcpFlags(header.slice().get(13).copied().unwrap_or_default());
    fields.add("source port", 0..2, header.source_port().to_string());
    fields.add("destination port", 2..4, header.destination_port().to_string());
    fields.add("sequence number", 4..8, header.sequence_number().to_string());
    fields.add("acknowledgement number", 8..12, header.acknowledgment_number().to_string());
    fields.add("header length and flags", 12..14, format!("{length} octets, {}", label::flags(flags)));
    fields.add("window", 14..16, header.window_size().to_string());
    fields.add("checksum", 16..18, format!("0x{:04x}", header.checksum()));
    fields.add("urgent pointer", 18..20, header.urgent_pointer().to_string());
    if length > 20 {
        let options = TcpOptionsIterator::from_slice(header.options()).map_while(Result::ok);
        let options: Vec<String> = options.map(|option| option_text(&option)).collect();
        fields.add("options", 20..length, options.join(", "));
    }
}

fn option_text(option: &TcpOptionElement) -> String {
    match option {
        TcpOptionElement::Noop => "no-operation".to_owned(),
        TcpOptionElement::MaximumSegmentSize(size) => format!("maximum segment size {size}"),
        TcpOptionElement::WindowScale(shift) => format!("window scale {shift}"),
        TcpOptionElement::SelectiveAcknowledgementPermitted => "SACK permitted".to_owned(),
        TcpOptionElement::SelectiveAcknowledgement(first, rest) => {
            let blocks = std::iter::once(first).chain(rest.iter().flatten());
            let blocks: Vec<String> = blocks.map(|(left, right)| format!("{left}–{right}")).collect();
            format!("SACK {}", blocks.join(" "))
        }
        TcpOptionElement::Timestamp(value, echo) => format!("timestamp {value}, echo {echo}"),
    }
}

fn octets_text(count: usize) -> String {
    if count == 1 { "1 octet".to_owned() } else { format!("{count} octets") }
}

fn hex(bytes: &[u8], range: Range<usize>) -> String {
    let octets = bytes.get(range).unwrap_or_default();
    octets.iter().fold("0x".to_owned(), |text, octet| format!("{text}{octet:02x}"))
}
