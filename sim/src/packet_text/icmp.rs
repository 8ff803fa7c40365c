//! ICMP's types and codes by name (RFC 792, RFC 950, RFC 1122 §3.2.2.1, RFC 1256, RFC 1812 §5.2.7.1).

use super::key::Key;

/// A type, its name, and its codes' names, counted from 0.
type Kind = (u8, &'static str, &'static [&'static str]);

const UNREACHABLE: &[&str] = &[
    "network",
    "host",
    "protocol",
    "port",
    "fragmentation-needed",
    "source-route-failed",
    "network-unknown",
    "host-unknown",
    "host-isolated",
    "network-prohibited",
    "host-prohibited",
    "network-tos",
    "host-tos",
    "administratively-prohibited",
    "precedence-violation",
    "precedence-cutoff",
];

const KINDS: &[Kind] = &[
    (ECHO_REPLY, "echo-reply", &[]),
    (DESTINATION_UNREACHABLE, "destination-unreachable", UNREACHABLE),
    (4, "source-quench", &[]),
    (REDIRECT, "redirect", &["network", "host", "network-tos", "host-tos"]),
    (ECHO_REQUEST, "echo-request", &[]),
    (9, "router-advertisement", &[]),
    (10, "router-solicitation", &[]),
    (11, "time-exceeded", &["ttl", "reassembly"]),
    (PARAMETER_PROBLEM, "parameter-problem", &["pointer", "missing-option", "bad-length"]),
    (13, "timestamp-request", &[]),
    (14, "timestamp-reply", &[]),
    (17, "address-mask-request", &[]),
    (18, "address-mask-reply", &[]),
];

const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;
const DESTINATION_UNREACHABLE: u8 = 3;
const FRAGMENTATION_NEEDED: u8 = 4;
const REDIRECT: u8 = 5;
const PARAMETER_PROBLEM: u8 = 12;

/// The keys that the second word of a message's header is written with.
pub(super) fn keys(kind: u8, code: Option<u8>) -> &'static [Key] {
    match (kind, code.unwrap_or_default()) {
        (ECHO_REPLY | ECHO_REQUEST | 13 | 14 | 17 | 18, _) => &[Key::Id, Key::Seq],
        (DESTINATION_UNREACHABLE, FRAGMENTATION_NEEDED) => &[Key::Mtu],
        (REDIRECT, _) => &[Key::Gateway],
        (PARAMETER_PROBLEM, _) => &[Key::Pointer],
        _ => &[],
    }
}

/// The messages that have a key, for whoever wrote it elsewhere.
pub(super) const fn messages_with(key: Key) -> &'static str {
    match key {
        Key::Mtu => "destination-unreachable/fragmentation-needed",
        Key::Gateway => "redirect",
        Key::Pointer => "parameter-problem",
        _ => "echo-request, echo-reply and the other queries and replies",
    }
}

/// Whether the message is about a packet, and has its beginning behind the header.
pub(super) fn quotes(kind: u8) -> bool {
    matches!(kind, DESTINATION_UNREACHABLE | 4 | REDIRECT | 11 | PARAMETER_PROBLEM)
}

pub(super) fn kind_names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(_, name, _)| *name)
}

/// The names of the codes of a type; none where they have no names.
pub(super) fn code_names(kind: u8) -> &'static [&'static str] {
    KINDS.iter().find(|(known, ..)| *known == kind).map_or(&[], |(_, _, codes)| codes)
}

/// By name or by number.
pub(super) fn kind_of(word: &str) -> Option<u8> {
    let named = KINDS.iter().find(|(_, name, _)| *name == word).map(|(kind, ..)| *kind);
    named.or_else(|| decimal(word))
}

/// By name or by number.
pub(super) fn code_of(kind: u8, word: &str) -> Option<u8> {
    let named = code_names(kind).iter().position(|name| *name == word);
    named.and_then(|at| u8::try_from(at).ok()).or_else(|| decimal(word))
}

fn decimal(word: &str) -> Option<u8> {
    word.parse().ok().filter(|_| word.bytes().all(|octet| octet.is_ascii_digit()))
}

/// As it is written. Code 0 is left out where it says no more than the type does.
pub(super) fn kind_text(kind: u8, code: Option<u8>) -> String {
    let name = KINDS.iter().find(|(known, ..)| *known == kind).map(|(_, name, _)| *name);
    let name = name.map_or_else(|| kind.to_string(), ToOwned::to_owned);
    let telling = matches!(kind, DESTINATION_UNREACHABLE | REDIRECT);
    match code {
        Some(code) if code != 0 || telling => match code_names(kind).get(usize::from(code)) {
            Some(code) => format!("{name}/{code}"),
            None => format!("{name}/{code}"),
        },
        _ => name,
    }
}
