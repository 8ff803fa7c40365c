//! Which of a capture's packets are the LAN's: on which interface, and in which subnet. Looked for before a replay, where
//! the user does not say.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::Ipv4Addr;

use smoltcp::wire::Ipv4Cidr;

use crate::capture::{CaptureError, CaptureReader, Interface, Network, network_layer};

/// Subnets that are counted; a home has one.
const MOST_SUBNETS: usize = 4096;

/// What a capture has of LANs.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// The interfaces.
    pub interfaces: Vec<Interface>,
    /// Packets from private addresses to public ones: by interface, subnet of 24 bits, and host.
    outbound: BTreeMap<(usize, [u8; 3]), Seen>,
}

#[derive(Debug, Clone, Default)]
struct Seen {
    packets: u64,
    /// Whether a host has `.1`, which is the router's mostly.
    has_one: bool,
}

/// Looks a capture through.
pub fn survey(capture: impl Read) -> Result<Survey, CaptureError> {
    let mut reader = CaptureReader::new(capture)?;
    let mut survey = Survey::default();
    while let Some(packet) = reader.next_packet()? {
        let Network::Ipv4(bytes) = network_layer(packet.link, packet.bytes) else { continue };
        let Some((source, destination)) = ends(bytes) else { continue };
        if source.is_private() && !is_local(destination) {
            let [a, b, c, host] = source.octets();
            let key = (packet.interface, [a, b, c]);
            if survey.outbound.len() < MOST_SUBNETS || survey.outbound.contains_key(&key) {
                let seen = survey.outbound.entry(key).or_default();
                seen.packets += 1;
                seen.has_one |= host == 1;
            }
        }
    }
    survey.interfaces = reader.interfaces().to_vec();
    Ok(survey)
}

impl Survey {
    /// The interface with the most packets of a LAN, of all or of `within`; and the router's address and subnet there.
    /// Also how many other subnets there are.
    pub fn lan(&self, within: Option<usize>) -> Option<(usize, Ipv4Cidr, usize)> {
        let seen = || self.outbound.iter().filter(|((at, _), _)| within.is_none_or(|within| within == *at));
        // The first of equals: on the way of one packet the LAN's wires come before the others.
        let ((interface, [a, b, c]), most) = seen().rev().max_by_key(|(_, seen)| seen.packets)?;
        let router = Ipv4Addr::new(*a, *b, *c, if most.has_one { 254 } else { 1 });
        let others = seen().filter(|((at, _), _)| at == interface).count() - 1;
        Some((*interface, Ipv4Cidr::new(router, 24), others))
    }
}

/// Which way a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Outbound,
    Inbound,
    Within,
    Neither,
}

pub(super) fn way(lan: Ipv4Cidr, bytes: &[u8]) -> Way {
    let Some((source, destination)) = ends(bytes) else { return Way::Neither };
    match (lan.contains_addr(&source), lan.contains_addr(&destination)) {
        (true, true) => Way::Within,
        (true, false) if destination.is_multicast() || destination.is_broadcast() => Way::Within,
        (true, false) => Way::Outbound,
        (false, true) => Way::Inbound,
        (false, false) => Way::Neither,
    }
}

fn ends(bytes: &[u8]) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let address = |at: usize| bytes.get(at..)?.first_chunk::<4>().copied().map(Ipv4Addr::from);
    Some((address(12)?, address(16)?))
}

fn is_local(address: Ipv4Addr) -> bool {
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
}
