//! What the router sends itself, in the header the profile gives it.

use std::net::Ipv4Addr;

use super::Router;
use crate::packet::{IcmpError, Packet, insert_option, set_header};
use crate::profile::{OwnDontFragment, OwnTypeOfService};

/// RFC 1812 §4.3.2.5: internetwork control.
const ERROR_PRECEDENCE: u8 = 0xc0;
/// What of a type of service is no precedence (RFC 1349 §3), without its lowest bit.
const SERVICE: u8 = 0x1e;
/// RFC 3168 §5.
const CONGESTION: u8 = 0x03;

impl Router {
    /// An answer, or an ICMP error about `packet`, as it leaves.
    pub(super) fn own(&self, mut bytes: Vec<u8>, packet: &Packet<'_>, is_error: bool) -> Vec<u8> {
        const TCP: u8 = 6;
        let asked = packet.as_bytes().get(1).copied().unwrap_or_default();
        let is_tcp = bytes.get(9) == Some(&TCP);
        let service = match *self.profile.ip.own_type_of_service {
            OwnTypeOfService::Zero => 0,
            OwnTypeOfService::FromPacket if is_error => asked & SERVICE | ERROR_PRECEDENCE,
            // A reset says nothing of congestion (RFC 3168 §6.1.5; Linux `ip_send_unicast_reply`).
            OwnTypeOfService::FromPacket if is_tcp => asked & !CONGESTION,
            OwnTypeOfService::FromPacket => asked,
        };
        let may_be_cut = *self.profile.ip.own_dont_fragment == OwnDontFragment::Tcp && !is_tcp;
        set_header(&mut bytes, service, may_be_cut);
        if self.processes_options && packet.has_options() {
            echo_route(&mut bytes, packet);
        }
        bytes
    }

    /// The ICMP error about `packet` from the address `router`. Where options are processed, the packet it quotes has been
    /// through that already.
    pub(super) fn error_about(&self, error: IcmpError, packet: &Packet<'_>, router: Ipv4Addr) -> Vec<u8> {
        let processed = self.processes_options && packet.has_options();
        match packet.recorded_by(router).filter(|_| processed) {
            Some((bytes, route)) => error.quoting(&bytes, packet, router, route.len().next_multiple_of(4)),
            None => error.about(packet, router),
        }
    }
}

/// An answer has the route of what it answers recorded with it, and its sender in that (Linux `__ip_options_echo`).
#[cold]
fn echo_route(answer: &mut Vec<u8>, packet: &Packet<'_>) {
    let source = answer.get(12..16).and_then(|octets| <[u8; 4]>::try_from(octets).ok());
    if let Some((_, route)) = source.and_then(|source| packet.recorded_by(source.into())) {
        insert_option(answer, &route);
    }
}
