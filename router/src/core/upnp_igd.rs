//! UPnP-IGD: a LAN host finds the router by SSDP, and asks it for ports by SOAP (InternetGatewayDevice:1,
//! WANIPConnection:1).

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::time::Instant;

use super::lan::is_never_unicast;
use super::{LanPort, Router, Stop};
use crate::event::{Answer, EventKind, Interface, OpeningEnd, OpeningRefusal, Origin};
use crate::packet::{Fragment, Packet, Protocol, TcpFlags, Transport, datagram};
use crate::profile::{Leases, PortRange};
use crate::reason::DropReason;
use crate::state::opening::Opening;
use crate::state::timer::Tick;
use crate::upnp::http::{Request, Status, response};
use crate::upnp::server::Server;
use crate::upnp::soap::{self, Call, Fault, Results};
use crate::upnp::{Device, Identity, Service, description, ssdp};

/// How much of a description is kept, in letters.
const LONGEST_DESCRIPTION: usize = 256;

/// The service of a router that has it.
#[derive(Debug)]
pub(super) struct UpnpIgd {
    seed: u64,
    /// One for each LAN address that somebody has sent a segment to.
    servers: BTreeMap<Ipv4Addr, Server>,
}

impl UpnpIgd {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, servers: BTreeMap::new() }
    }

    /// When [`Router::serve_upnp`] has something to do next.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.servers.values().filter_map(Server::poll_timeout).min()
    }

    /// The links are others: connections end, as their hosts find out.
    pub(super) fn forget_connections(&mut self) {
        self.servers.clear();
    }
}

/// A port that is asked for.
struct Wanted {
    protocol: Protocol,
    external_port: u16,
    target: SocketAddrV4,
    is_enabled: bool,
    description: String,
    /// In seconds; 0: for good.
    lease: u32,
}

impl Router {
    /// What is from or to an address that no unicast conversation has: a search, or nothing for a router.
    #[cold]
    pub(super) fn not_unicast(&mut self, port: u8, own: LanPort, packet: &Packet<'_>) -> Stop {
        let (source, destination) = (packet.source(), packet.destination());
        let is_search = destination == *ssdp::GROUP.ip()
            && packet.fragment() == Fragment::Whole
            && own.holds(source)
            && source != own.address
            && !own.is_broadcast(source)
            && !is_never_unicast(source);
        let found = is_search.then(|| self.ssdp(Interface::Lan(port), own.address, packet));
        found.flatten().unwrap_or(DropReason::NotUnicast.into())
    }

    /// Answers a search that comes to the group or to `own`, the router's address where it comes from.
    pub(super) fn ssdp(&mut self, ingress: Interface, own: Ipv4Addr, packet: &Packet<'_>) -> Option<Stop> {
        let Transport::Udp { source, destination: ssdp::PORT } = packet.transport() else { return None };
        let identity = self.upnp_identity(ingress, own)?;
        let Some(target) = ssdp::target(packet.udp_payload()) else {
            return Some(DropReason::UnreadableRequest.into());
        };
        let (router, client) =
            (SocketAddrV4::new(own, ssdp::PORT), SocketAddrV4::new(packet.source(), source));
        let answers = ssdp::answers(target, identity);
        if answers.is_empty() {
            return Some(DropReason::NoService.into());
        }
        for answer in answers {
            self.transmit(ingress, datagram(router, client, &answer));
        }
        Some(Stop::Answered(Answer::Ssdp))
    }

    fn upnp_identity(&self, ingress: Interface, own: Ipv4Addr) -> Option<Identity> {
        let service = self.upnp_igd.as_ref().filter(|_| ingress != Interface::Wan && own != self.wan)?;
        let at = SocketAddrV4::new(own, *self.profile.services.upnp_igd_port);
        Some(Identity::new(service.seed, at))
    }

    /// Hands a segment to the service's TCP, if it is for it; `None` leaves it to others.
    pub(super) fn upnp_segment(&mut self, ingress: Interface, packet: &Packet<'_>) -> Option<Stop> {
        let (tcp, own) = (packet.tcp()?, packet.destination());
        let Identity { at, .. } = self.upnp_identity(ingress, own)?;
        if tcp.destination != at.port() {
            return None;
        }
        let (now, mtu) = (self.events.now(), self.lan_mtu);
        let service = self.upnp_igd.as_mut()?;
        let seed = service.seed ^ u64::from(u32::from(own));
        let server = service.servers.entry(own).or_insert_with(|| Server::new(at, mtu, seed, now));
        let client = SocketAddrV4::new(packet.source(), tcp.source);
        server.receive(client, tcp.flags.has(TcpFlags::SYN), packet.as_bytes().to_vec());
        // Where it has nothing to say, it took what came.
        let has_answered = self.poll_upnp(own, now);
        Some(if has_answered { Stop::Answered(Answer::UpnpIgd) } else { Stop::Taken })
    }

    /// Lets time pass for the service's connections.
    #[cold]
    pub(super) fn serve_upnp(&mut self, now: Instant) {
        self.events.at(now, None);
        let is_due = |server: &Server| server.poll_timeout().is_some_and(|next| next <= now);
        let servers = self.upnp_igd.as_ref().map(|service| &service.servers);
        let due: Vec<Ipv4Addr> = servers
            .into_iter()
            .flatten()
            .filter(|(_, server)| is_due(server))
            .map(|(address, _)| *address)
            .collect();
        for address in due {
            self.poll_upnp(address, now);
        }
    }

    /// One server's turn; says whether it has sent anything.
    fn poll_upnp(&mut self, own: Ipv4Addr, now: Instant) -> bool {
        let taken = self.upnp_igd.as_mut().and_then(|service| service.servers.remove(&own));
        let Some(mut server) = taken else { return false };
        server.poll(now, |client, request| self.upnp_answer(own, client, request));
        let mut has_sent = false;
        while let Some(mut bytes) = server.poll_transmit() {
            let egress =
                Packet::parse(&mut bytes).ok().and_then(|packet| self.towards(packet.destination(), &packet));
            if let Some(egress) = egress {
                self.transmit(egress, bytes);
                has_sent = true;
            }
        }
        if let Some(service) = self.upnp_igd.as_mut() {
            service.servers.insert(own, server);
        }
        has_sent
    }

    fn upnp_answer(&mut self, own: Ipv4Addr, client: Ipv4Addr, request: &Request) -> Vec<u8> {
        let Some(identity) = self.upnp_identity(Interface::Lan(0), own) else {
            return response(Status::NotFound, "");
        };
        let service = Service::ALL.into_iter().find(|service| service.control_path() == request.path);
        match (request.method.as_str(), service) {
            ("POST", Some(service)) => {
                let call = Call::read(service, request.soap_action.as_deref(), &request.body);
                match call.and_then(|call| Ok(soap::answer(&call, &self.upnp_call(client, identity, &call)?)))
                {
                    Ok(body) => response(Status::Ok, &body),
                    Err(fault) => response(Status::Fault, &soap::fault(fault)),
                }
            }
            ("GET", None) => match description::document(&request.path, identity) {
                Some(document) => response(Status::Ok, &document),
                None => response(Status::NotFound, ""),
            },
            _ => response(Status::MethodNotAllowed, ""),
        }
    }

    fn upnp_call(&mut self, client: Ipv4Addr, identity: Identity, call: &Call) -> Result<Results, Fault> {
        let told = |results: &[(&'static str, &str)]| {
            Ok(results.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
        };
        match (call.service, call.action.as_str()) {
            (Service::WanIp, "AddPortMapping") => self.add_port_mapping(client, call),
            (Service::WanIp, "DeletePortMapping") => self.delete_port_mapping(client, call),
            (Service::WanIp, "GetSpecificPortMappingEntry") => self.specific_entry(call),
            (Service::WanIp, "GetGenericPortMappingEntry") => self.generic_entry(call),
            (Service::WanIp, "GetExternalIPAddress") => {
                Ok(vec![("NewExternalIPAddress", self.wan.to_string())])
            }
            (Service::WanIp, "GetStatusInfo") => Ok(vec![
                ("NewConnectionStatus", "Connected".to_owned()),
                ("NewLastConnectionError", "ERROR_NONE".to_owned()),
                ("NewUptime", self.clock.tick.to_string()),
            ]),
            (Service::WanIp, "GetConnectionTypeInfo") => {
                told(&[("NewConnectionType", "IP_Routed"), ("NewPossibleConnectionTypes", "IP_Routed")])
            }
            (Service::WanIp, "GetNATRSIPStatus") => {
                told(&[("NewRSIPAvailable", "0"), ("NewNATEnabled", "1")])
            }
            // The link's rates are not the router's to know.
            (Service::WanCommon, "GetCommonLinkProperties") => told(&[
                ("NewWANAccessType", "Ethernet"),
                ("NewLayer1UpstreamMaxBitRate", "0"),
                ("NewLayer1DownstreamMaxBitRate", "0"),
                ("NewPhysicalLinkStatus", "Up"),
            ]),
            (Service::Layer3Forwarding, "GetDefaultConnectionService") => {
                let (device, service) = (Device::WanConnection, Service::WanIp);
                let named = format!("{}:{},{}", identity.udn(device), device.kind(), service.id());
                Ok(vec![("NewDefaultConnectionService", named)])
            }
            _ => Err(Fault::InvalidAction),
        }
    }

    /// WANIPConnection:1 §2.4.16.
    fn add_port_mapping(&mut self, client: Ipv4Addr, call: &Call) -> Result<Results, Fault> {
        let (protocol, external_port) = endpoint(call)?;
        let host: Ipv4Addr = call.number("NewInternalClient")?;
        let port: u16 = call.number("NewInternalPort")?;
        let wanted = Wanted {
            protocol,
            external_port,
            target: SocketAddrV4::new(host, port),
            is_enabled: call.truth("NewEnabled")?,
            description: call.text("NewPortMappingDescription")?.chars().take(LONGEST_DESCRIPTION).collect(),
            lease: call.number("NewLeaseDuration")?,
        };
        if external_port == 0 {
            return Err(Fault::AnyExternalPort);
        }
        if port == 0 || !self.is_lan_host(host) {
            return Err(Fault::InvalidArguments);
        }
        self.may_add(client, &wanted).map_err(|(reason, fault)| {
            let Wanted { protocol, target, external_port: wanted, .. } = wanted;
            self.events.push(EventKind::PortsRefused { protocol, target, wanted, reason });
            fault
        })?;
        self.put_port_mapping(wanted);
        Ok(Vec::new())
    }

    fn may_add(&self, client: Ipv4Addr, wanted: &Wanted) -> Result<(), (OpeningRefusal, Fault)> {
        let services = &self.profile.services;
        if *wanted.target.ip() != client && !*services.upnp_igd_other_hosts {
            return Err((OpeningRefusal::ForAnotherHost, Fault::NotAuthorized));
        }
        if wanted.lease != 0 && *services.upnp_igd_leases == Leases::Permanent {
            return Err((OpeningRefusal::NotForGood, Fault::PermanentOnly));
        }
        let Wanted { protocol, external_port, target, .. } = *wanted;
        let openings = &self.forwards.openings;
        match openings.at(protocol, external_port, Origin::UpnpIgd) {
            Some((number, older))
                if older.target.ip() == target.ip()
                    && !openings.lead_elsewhere(number, protocol, external_port, target) =>
            {
                return Ok(());
            }
            Some(_) => return Err((OpeningRefusal::PortTaken, Fault::Conflict)),
            None => {}
        }
        // A host's own mapping may have the port.
        let own = self.mappings.external_port_of(protocol, target) == Some(external_port);
        let is_free = self.is_free(protocol, external_port, target)
            || own
                && !self.mappings.is_occupied_by_another(protocol, external_port, target)
                && !self.forwards.leads_elsewhere(protocol, external_port, target);
        if !is_free {
            return Err((OpeningRefusal::PortTaken, Fault::Conflict));
        }
        let most = usize::try_from(*services.upnp_igd_forwards).unwrap_or(usize::MAX);
        if openings.count(Origin::UpnpIgd) >= most {
            return Err((OpeningRefusal::TooMany, Fault::ActionFailed));
        }
        Ok(())
    }

    /// What was there for the same port lives on where only its time is another.
    fn put_port_mapping(&mut self, wanted: Wanted) {
        let Wanted { protocol, external_port, target, is_enabled, description, lease } = wanted;
        let deadline = match lease {
            0 => Opening::FOR_GOOD,
            _ => self.clock.tick_after.saturating_add(lease),
        };
        let older = self.forwards.openings.at(protocol, external_port, Origin::UpnpIgd);
        if let Some((number, older)) = older {
            if older.target == target && older.is_enabled == is_enabled && older.description == description {
                return self.reopen(number, deadline);
            }
            self.close(number, OpeningEnd::Replaced);
        }
        let ports = PortRange { first: external_port, last: external_port };
        let opening = Opening::new(protocol, ports, target, Origin::UpnpIgd, deadline);
        self.open(Opening { is_enabled, description, ..opening });
    }

    /// WANIPConnection:1 §2.4.17.
    fn delete_port_mapping(&mut self, client: Ipv4Addr, call: &Call) -> Result<Results, Fault> {
        let (protocol, port) = endpoint(call)?;
        let found = self.forwards.openings.at(protocol, port, Origin::UpnpIgd);
        let (number, opening) = found.ok_or(Fault::NoSuchEntry)?;
        if *opening.target.ip() != client && !*self.profile.services.upnp_igd_other_hosts {
            return Err(Fault::NotAuthorized);
        }
        self.close(number, OpeningEnd::Deleted);
        Ok(Vec::new())
    }

    /// WANIPConnection:1 §2.4.15.
    fn specific_entry(&self, call: &Call) -> Result<Results, Fault> {
        let (protocol, port) = endpoint(call)?;
        let found = self.forwards.openings.at(protocol, port, Origin::UpnpIgd);
        let (_, opening) = found.ok_or(Fault::NoSuchEntry)?;
        Ok(entry(opening, self.clock.tick_after))
    }

    /// WANIPConnection:1 §2.4.14.
    fn generic_entry(&self, call: &Call) -> Result<Results, Fault> {
        let index: u16 = call.number("NewPortMappingIndex")?;
        let found = self.forwards.openings.of(Origin::UpnpIgd).nth(usize::from(index));
        let (_, opening) = found.ok_or(Fault::NoSuchIndex)?;
        let protocol = if opening.protocol == Protocol::Tcp { "TCP" } else { "UDP" };
        let mut results = vec![
            ("NewRemoteHost", String::new()),
            ("NewExternalPort", opening.ports.first.to_string()),
            ("NewProtocol", protocol.to_owned()),
        ];
        results.extend(entry(opening, self.clock.tick_after));
        Ok(results)
    }
}

/// What names a port: its protocol and number, for any remote host. Whom it is open to cannot be chosen.
fn endpoint(call: &Call) -> Result<(Protocol, u16), Fault> {
    let port = call.number("NewExternalPort")?;
    let protocol = match call.text("NewProtocol")? {
        "TCP" => Protocol::Tcp,
        "UDP" => Protocol::Udp,
        _ => return Err(Fault::InvalidArguments),
    };
    match call.text("NewRemoteHost")? {
        "" => Ok((protocol, port)),
        _ => Err(Fault::OneRemoteHost),
    }
}

fn entry(opening: &Opening, now: Tick) -> Results {
    let lease = Opening::expires(opening.deadline).map_or(0, |deadline| deadline.saturating_sub(now));
    vec![
        ("NewInternalPort", opening.target.port().to_string()),
        ("NewInternalClient", opening.target.ip().to_string()),
        ("NewEnabled", u8::from(opening.is_enabled).to_string()),
        ("NewPortMappingDescription", opening.description.clone()),
        ("NewLeaseDuration", lease.to_string()),
    ]
}
