//! NAT-PMP (RFC 6886): a LAN host asks the router for its external address, and for a port of it.

use std::net::SocketAddrV4;

use super::{Router, Stop};
use crate::event::{Answer, EventKind, Interface, OpeningEnd, OpeningRefusal, Origin};
use crate::packet::bytes::{read_u16, read_u32};
use crate::packet::{Packet, Protocol, Transport, datagram};
use crate::profile::PortRange;
use crate::reason::DropReason;
use crate::state::opening::Opening;

/// RFC 6886 §3.
const PORT: u16 = 5351;
const VERSION: u8 = 0;
const RESPONSE: u8 = 128;
const EXTERNAL_ADDRESS: u8 = 0;
const MAP_UDP: u8 = 1;
const MAP_TCP: u8 = 2;
/// RFC 6886 §3.3: version, opcode, reserved, internal port, suggested external port, lifetime.
const REQUEST: usize = 12;

/// RFC 6886 §3.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
enum ResultCode {
    Success = 0,
    UnsupportedVersion = 1,
    Refused = 2,
    OutOfResources = 4,
    UnsupportedOpcode = 5,
}

/// A request for a port.
#[derive(Debug, Clone, Copy)]
struct Request {
    protocol: Protocol,
    inside: SocketAddrV4,
    suggested: u16,
    lifetime: u32,
}

impl Router {
    /// Answers a datagram to a LAN address of the router's own, if it is a request; `None` leaves it to others.
    pub(super) fn nat_pmp(&mut self, ingress: Interface, packet: &Packet<'_>) -> Option<Stop> {
        let Transport::Udp { source, destination: PORT } = packet.transport() else { return None };
        if !*self.profile.services.nat_pmp || ingress == Interface::Wan || packet.destination() == self.wan {
            return None;
        }
        let client = SocketAddrV4::new(packet.source(), source);
        let body = packet.udp_payload();
        let (Some(version), Some(opcode)) = (body.first().copied(), body.get(1).copied()) else {
            return Some(DropReason::UnreadableRequest.into());
        };
        // RFC 6886 §3.5: a response that comes astray is not answered.
        if opcode >= RESPONSE {
            return Some(DropReason::UnreadableRequest.into());
        }
        let answer = match (version, opcode) {
            (VERSION, EXTERNAL_ADDRESS) => {
                [&self.head(opcode, ResultCode::Success)[..], &self.wan.octets()].concat()
            }
            (VERSION, MAP_UDP | MAP_TCP) if body.len() < REQUEST => {
                return Some(DropReason::UnreadableRequest.into());
            }
            (VERSION, MAP_UDP | MAP_TCP) => {
                let protocol = if opcode == MAP_UDP { Protocol::Udp } else { Protocol::Tcp };
                let inside = SocketAddrV4::new(*client.ip(), read_u16(body, 4));
                let request =
                    Request { protocol, inside, suggested: read_u16(body, 6), lifetime: read_u32(body, 8) };
                self.map(opcode, request)
            }
            (VERSION, _) => self.head(opcode, ResultCode::UnsupportedOpcode).to_vec(),
            _ => self.head(opcode, ResultCode::UnsupportedVersion).to_vec(),
        };
        let router = SocketAddrV4::new(packet.destination(), PORT);
        self.transmit(ingress, datagram(router, client, &answer));
        Some(Stop::Answered(Answer::NatPmp))
    }

    /// What every response begins with: the last field is the seconds since the tables were empty.
    fn head(&self, opcode: u8, result: ResultCode) -> [u8; 8] {
        let ([high, low], [a, b, c, d]) = ((result as u16).to_be_bytes(), self.clock.tick.to_be_bytes());
        [VERSION, RESPONSE | opcode, high, low, a, b, c, d]
    }

    fn map(&mut self, opcode: u8, request: Request) -> Vec<u8> {
        let (result, external, lifetime) =
            if request.lifetime == 0 { self.unmap(request) } else { self.grant(request) };
        let internal = request.inside.port().to_be_bytes();
        let head = self.head(opcode, result);
        [&head[..], &internal, &external.to_be_bytes(), &lifetime.to_be_bytes()].concat()
    }

    /// RFC 6886 §3.4: internal port 0 stands for all that the host has of the protocol.
    fn unmap(&mut self, request: Request) -> (ResultCode, u16, u32) {
        let Request { protocol, inside, .. } = request;
        let openings = &self.forwards.openings;
        let own = match inside.port() {
            0 => openings.of_host(protocol, *inside.ip(), Origin::Requested),
            _ => openings.to(protocol, inside, Origin::Requested).into_iter().collect(),
        };
        for number in own {
            self.close(number, OpeningEnd::Deleted);
        }
        (ResultCode::Success, 0, 0)
    }

    fn grant(&mut self, request: Request) -> (ResultCode, u16, u32) {
        let Request { protocol, inside, suggested, lifetime } = request;
        if inside.port() == 0 {
            return (ResultCode::Refused, 0, 0);
        }
        let lifetime = lifetime.min(*self.profile.services.nat_pmp_lifetime);
        let deadline = self.clock.tick_after.saturating_add(lifetime);
        if let Some(number) = self.forwards.openings.to(protocol, inside, Origin::Requested) {
            self.reopen(number, deadline);
            let external = self.forwards.openings.get(number).map_or(0, |opening| opening.ports.first);
            return (ResultCode::Success, external, lifetime);
        }
        let most = usize::try_from(*self.profile.services.nat_pmp_forwards).unwrap_or(usize::MAX);
        let has_room = self.forwards.openings.count(Origin::Requested) < most;
        let Some(port) = self.port_for(request).filter(|_| has_room) else {
            let reason = if has_room { OpeningRefusal::NoPortLeft } else { OpeningRefusal::TooMany };
            self.events.push(EventKind::PortsRefused { protocol, target: inside, wanted: suggested, reason });
            return (ResultCode::OutOfResources, 0, 0);
        };
        let ports = PortRange { first: port, last: port };
        self.open(Opening::new(protocol, ports, inside, Origin::Requested, deadline));
        (ResultCode::Success, port, lifetime)
    }

    /// The port the host's own mapping has, the one it suggests, or another (RFC 6886 §3.3).
    fn port_for(&mut self, request: Request) -> Option<u16> {
        let Request { protocol, inside, suggested, .. } = request;
        let own = self.mappings.external_port_of(protocol, inside);
        if let Some(port) = own.filter(|port| self.forwards.target(protocol, *port).is_none()) {
            return Some(port);
        }
        if suggested != 0 && self.is_free(protocol, suggested, inside) {
            return Some(suggested);
        }
        self.next_free(protocol, inside)
    }
}
