//! What stands before the network layer, and where that begins.

use std::fmt;

/// What a capture's packets begin with: one of the numbers of <https://www.tcpdump.org/linktypes.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkType {
    /// BSD loopback: the address family, in the byte order of the machine (0), or in the network's (108).
    Loopback,
    /// Ethernet (1), with IEEE 802.1Q tags or without, and PPP over it.
    Ethernet,
    /// PPP, with HDLC framing or without (9, 50).
    Ppp,
    /// PPP over Ethernet, from the PPPoE header on (51).
    PppOverEthernet,
    /// Nothing: IP of either version (12, 14, 101, 228, 229).
    Raw,
    /// Linux's "any" interface (113).
    LinuxCooked,
    /// The same, newer (276).
    LinuxCooked2,
    /// Another one, by its number.
    Other(u32),
}

impl LinkType {
    /// By its number in a file.
    pub fn from_number(number: u32) -> Self {
        match number {
            0 | 108 => Self::Loopback,
            1 => Self::Ethernet,
            9 | 50 => Self::Ppp,
            51 => Self::PppOverEthernet,
            12 | 14 | 101 | 228 | 229 => Self::Raw,
            113 => Self::LinuxCooked,
            276 => Self::LinuxCooked2,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback => out.write_str("loopback"),
            Self::Ethernet => out.write_str("Ethernet"),
            Self::Ppp => out.write_str("PPP"),
            Self::PppOverEthernet => out.write_str("PPP over Ethernet"),
            Self::Raw => out.write_str("raw IP"),
            Self::LinuxCooked => out.write_str("Linux cooked"),
            Self::LinuxCooked2 => out.write_str("Linux cooked v2"),
            Self::Other(number) => write!(out, "link type {number}"),
        }
    }
}

/// The network layer of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network<'a> {
    /// IPv4, from its header on.
    Ipv4(&'a [u8]),
    /// IPv6, likewise.
    Ipv6(&'a [u8]),
    /// Another one: ARP, a PPP negotiation.
    Other,
    /// The capture does not hold enough of it to tell.
    Cut,
    /// The link type is none of those known here.
    UnknownLink,
}

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];
const PPPOE_SESSION: u16 = 0x8864;

/// Finds the network layer of a packet that was captured behind this link.
pub fn network_layer(link: LinkType, bytes: &[u8]) -> Network<'_> {
    let found = match link {
        LinkType::Loopback => by_version(bytes.get(4..)),
        LinkType::Ethernet => by_type(bytes, 12),
        LinkType::Ppp => ppp(bytes),
        LinkType::PppOverEthernet => bytes.get(6..).and_then(ppp),
        LinkType::Raw => by_version(Some(bytes)),
        LinkType::LinuxCooked => by_type(bytes, 14),
        LinkType::LinuxCooked2 => word(bytes, 0).and_then(|kind| of_type(kind, bytes.get(20..)?)),
        LinkType::Other(_) => Some(Network::UnknownLink),
    };
    found.unwrap_or(Network::Cut)
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

/// The type stands at this place, the rest behind it.
fn by_type(bytes: &[u8], at: usize) -> Option<Network<'_>> {
    of_type(word(bytes, at)?, bytes.get(at + 2..)?)
}

fn of_type(kind: u16, mut rest: &[u8]) -> Option<Network<'_>> {
    let mut kind = kind;
    while VLAN.contains(&kind) {
        kind = word(rest, 2)?;
        rest = rest.get(4..)?;
    }
    match kind {
        IPV4 | IPV6 => by_version(Some(rest)),
        PPPOE_SESSION => ppp(rest.get(6..)?),
        _ => Some(Network::Other),
    }
}

/// With HDLC's address and control octets before the protocol, or without them; with the protocol in two octets or, where
/// that is compressed, in one (RFC 1661 §6.5).
fn ppp(bytes: &[u8]) -> Option<Network<'_>> {
    let bytes = bytes.strip_prefix(&[0xff, 0x03]).unwrap_or(bytes);
    match bytes {
        [0x00, 0x21 | 0x57, rest @ ..] | [0x21 | 0x57, rest @ ..] => by_version(Some(rest)),
        [] | [_] => None,
        _ => Some(Network::Other),
    }
}

fn by_version(bytes: Option<&[u8]>) -> Option<Network<'_>> {
    let bytes = bytes?;
    match bytes.first()? >> 4 {
        4 => Some(Network::Ipv4(bytes)),
        6 => Some(Network::Ipv6(bytes)),
        _ => Some(Network::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: [u8; 3] = [0x45, 1, 2];

    fn behind(head: &[u8]) -> Vec<u8> {
        [head, &IP].concat()
    }

    #[test]
    fn every_link_leads_to_the_network_layer() {
        let ethernet = |rest: &[u8]| [&[0; 12], rest].concat();
        let pppoe = [0x11, 0, 0, 1, 0, 9, 0, 0x21];
        let cooked2 = [&[8, 0][..], &[0; 18]].concat();
        for (link, head) in [
            (LinkType::Raw, vec![]),
            (LinkType::Loopback, vec![2, 0, 0, 0]),
            (LinkType::Ethernet, ethernet(&[8, 0])),
            (LinkType::Ethernet, ethernet(&[0x81, 0, 0, 7, 8, 0])),
            (LinkType::Ethernet, ethernet(&[0x88, 0xa8, 0, 7, 0x81, 0, 0, 7, 8, 0])),
            (LinkType::Ethernet, ethernet(&[&[0x88, 0x64], &pppoe[..]].concat())),
            (LinkType::PppOverEthernet, pppoe.to_vec()),
            (LinkType::Ppp, vec![0xff, 3, 0, 0x21]),
            (LinkType::Ppp, vec![0x21]),
            (LinkType::LinuxCooked, [&[0; 14][..], &[8, 0]].concat()),
            (LinkType::LinuxCooked2, cooked2),
        ] {
            let whole = behind(&head);
            assert_eq!(network_layer(link, &whole), Network::Ipv4(&IP), "{link} {head:x?}");
            for cut in 0..head.len() {
                let found = network_layer(link, &whole[..cut]);
                assert!(!matches!(found, Network::Ipv4(_) | Network::Ipv6(_)), "{link} at {cut}: {found:?}");
            }
        }
    }

    #[test]
    fn what_is_not_ip_is_told_apart() {
        let arp = [&[0; 12][..], &[8, 6, 0, 1]].concat();
        assert_eq!(network_layer(LinkType::Ethernet, &arp), Network::Other);
        assert_eq!(network_layer(LinkType::Raw, &[0x60, 1]), Network::Ipv6(&[0x60, 1]));
        assert_eq!(network_layer(LinkType::Other(147), &IP), Network::UnknownLink);
    }
}
