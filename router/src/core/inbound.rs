//! What comes from the WAN: of a translation, through a forward, to the router, or not wanted.

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_alg::Side;

use super::create::Session;
use super::lan::is_never_unicast;
use super::queries::far_end;
use super::{Router, Step, Stop};
use crate::event::{Interface, Origin};
use crate::packet::{Packet, Protocol, TcpFlags, Transport};
use crate::profile::{ForeignDestination, ToWan};
use crate::reason::DropReason;
use crate::state::flow::FlowId;
use crate::state::mapping::MappingId;
use crate::state::progress::Progress;

/// Who wants a packet that belongs to no translation.
struct Wanted {
    inside: SocketAddrV4,
    origin: Origin,
    mapping: MappingId,
}

impl Router {
    #[inline]
    pub(super) fn enter_from_wan(&mut self, packet: &mut Packet<'_>) -> Step {
        let (source, destination) = (packet.source(), packet.destination());
        if is_never_unicast(source) || is_never_unicast(destination) {
            return Err(DropReason::NotUnicast.into());
        }
        if destination != self.wan && !self.is_checked_first(destination) {
            return Err(DropReason::DestinationNotOurs.into());
        }
        if self.processes_options && packet.has_options() && packet.is_source_routed() {
            return Err(DropReason::SourceRouted.into());
        }
        if source == self.wan || self.lan.iter().any(|port| port.holds(source)) {
            return Err(DropReason::SourceSpoofed.into());
        }
        if destination != self.wan {
            return self.with_fragments(Interface::Wan, packet, Self::pass_by);
        }
        self.with_fragments(Interface::Wan, packet, Self::inbound)
    }

    /// Whether a packet to this address, which is not the router's, is looked at before it is dropped.
    #[cold]
    fn is_checked_first(&self, destination: Ipv4Addr) -> bool {
        *self.profile.wan.foreign_destination == ForeignDestination::CheckFirst
            && self.wan_broadcast != Some(destination)
            && !self.lan.iter().any(|port| port.address == destination || port.is_broadcast(destination))
    }

    /// A packet to an address beyond the router.
    #[cold]
    fn pass_by(&mut self, _ingress: Interface, packet: &mut Packet<'_>) -> Step {
        self.passable_beyond(packet)?;
        Err(DropReason::DestinationNotOurs.into())
    }

    fn passable_beyond(&mut self, packet: &Packet<'_>) -> Result<(), Stop> {
        let is_on_lan = self.ports_of(packet.destination()).next().is_some();
        let to = if is_on_lan { Side::Inside } else { Side::Outside };
        self.passable(Side::Outside, to, packet)
    }

    /// A packet whose transport checksum is wrong. A router that holds connections against their windows asks for that last:
    /// a hop and a forward have been used by then (Linux `nf_conntrack_in`, `init_conntrack`).
    pub(super) fn unsound(&mut self, ingress: Interface, packet: &Packet<'_>) -> Result<(), Stop> {
        let destination = packet.destination();
        match ingress {
            Interface::Wan if destination == self.wan => {
                if let (Some(_), Some((_, remote, external))) = (packet.tcp(), packet.session()) {
                    self.waste_forward(external.port(), remote);
                }
                Ok(())
            }
            Interface::Wan if self.is_checked_first(destination) => self.passable_beyond(packet),
            Interface::Lan(_) if !self.is_own(destination) => {
                self.passable(Side::Inside, Side::Outside, packet)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn is_own(&self, address: Ipv4Addr) -> bool {
        address == self.wan || self.lan.iter().any(|port| port.address == address)
    }

    #[inline]
    fn inbound(&mut self, _ingress: Interface, packet: &mut Packet<'_>) -> Step {
        let Some((protocol, remote, external)) = packet.session() else {
            return self.without_session(Side::Outside, packet);
        };
        let id = match self.flows.find(Side::Outside, protocol, remote, external) {
            Some(id) if !self.begins_anew(id, remote, external.port(), packet) => id,
            _ => self.create_inbound(protocol, remote, external, packet)?,
        };
        self.pass(id, Side::Outside, packet)
    }

    /// Whether a packet between a translation's endpoints is none of it: a ping, since only replies come back to the
    /// one who pings; and the SYN of a transfer that a forward waits for, where the transfer before it is over.
    #[inline]
    fn begins_anew(&self, id: FlowId, remote: SocketAddrV4, port: u16, packet: &Packet<'_>) -> bool {
        match packet.header().transport {
            Transport::Echo { request, .. } => request,
            // Windows say of a SYN what it is.
            Transport::Tcp(tcp) if opens(tcp.flags) && !self.tracking.keeps_windows() => {
                let is_over = self.flows.get(id).is_some_and(|flow| flow.progress.is_over());
                is_over && matches!(self.forwards.admitting(Protocol::Tcp, port, remote), Ok(Some(_)))
            }
            _ => false,
        }
    }

    #[cold]
    pub(super) fn create_inbound(
        &mut self,
        protocol: Protocol,
        remote: SocketAddrV4,
        external: SocketAddrV4,
        packet: &Packet<'_>,
    ) -> Result<FlowId, Stop> {
        if let Transport::Echo { request: true, .. } = packet.transport() {
            return Err(self.wan_ping(packet));
        }
        if packet.tcp().is_some_and(|tcp| self.tracking.refuses_to_begin(tcp.flags)) {
            self.waste_forward(external.port(), remote);
        }
        let wanted = self.wanted(protocol, remote, external, packet);
        let Wanted { inside, origin, mapping } = wanted.map_err(|reason| self.unsolicited(reason, packet))?;
        self.passable(Side::Outside, Side::Inside, packet)?;
        let session = Session { protocol, inside, external, remote: far_end(protocol, remote, packet) };
        self.create_from_outside(session, origin, mapping, packet)
    }

    /// Who wants a packet to the WAN address that belongs to no translation; why nobody does.
    fn wanted(
        &self,
        protocol: Protocol,
        remote: SocketAddrV4,
        external: SocketAddrV4,
        packet: &Packet<'_>,
    ) -> Result<Wanted, DropReason> {
        let wanted = self.who_wants(protocol, remote, external.port())?;
        match packet.tcp() {
            Some(tcp) if self.tracking.refuses_to_begin(tcp.flags) => Err(DropReason::OutOfState),
            Some(_) if self.tracking.keeps_windows() => Ok(wanted),
            Some(tcp) if !opens(tcp.flags) => Err(DropReason::Unsolicited),
            Some(tcp)
                if self.tracking.is_strict()
                    && !Progress::SynFromOutside.expects(tcp.flags, Side::Outside) =>
            {
                Err(DropReason::OutOfState)
            }
            _ => Ok(wanted),
        }
    }

    /// The translation for a packet that came from the LAN to the WAN address, as if from `remote` outside. Nobody is
    /// answered where there is none.
    pub(super) fn hairpinned_inbound(
        &mut self,
        protocol: Protocol,
        remote: SocketAddrV4,
        external: SocketAddrV4,
        packet: &Packet<'_>,
    ) -> Result<FlowId, Stop> {
        match self.flows.find(Side::Outside, protocol, remote, external) {
            Some(id) if !self.begins_anew(id, remote, external.port(), packet) => Ok(id),
            _ => {
                let Wanted { inside, origin, mapping } = self.wanted(protocol, remote, external, packet)?;
                let session = Session { protocol, inside, external, remote };
                self.create_from_outside(session, origin, mapping, packet)
            }
        }
    }

    /// The gateway's forwards come first, since they are for one connection; then the user's, the hosts' openings, the
    /// mappings, the DMZ host.
    fn who_wants(&self, protocol: Protocol, remote: SocketAddrV4, port: u16) -> Result<Wanted, DropReason> {
        let wanted = |inside, origin| Ok(Wanted { inside, origin, mapping: MappingId::NONE });
        let by_alg = self.forwards.admitting(protocol, port, remote);
        if let Some(forward) = by_alg.ok().flatten().and_then(|id| self.forwards.get(id)) {
            return wanted(forward.target, Origin::AlgForward);
        }
        if let Some(target) = self.forwards.static_target(protocol, port) {
            return wanted(target, Origin::StaticForward);
        }
        if let Some((target, origin)) = self.forwards.openings.leads(protocol, port) {
            return wanted(target, origin);
        }
        if let Some(id) = self.mappings.holder(protocol, port) {
            let inside = self.mappings.get(id).map(|mapping| mapping.inside);
            return match inside {
                Some(inside) if self.mappings.admits(id, *remote.ip()) => {
                    Ok(Wanted { inside, origin: Origin::Mapping, mapping: id })
                }
                _ => Err(DropReason::Filtered),
            };
        }
        if by_alg.is_err() {
            return Err(DropReason::ForwardForAnotherPeer);
        }
        match self.forwards.dmz_host {
            Some(host) if protocol != Protocol::Icmp => {
                wanted(SocketAddrV4::new(host, port), Origin::DmzHost)
            }
            _ => Err(DropReason::Unsolicited),
        }
    }

    fn wan_ping(&mut self, packet: &Packet<'_>) -> Stop {
        match *self.profile.wan.ping {
            ToWan::Answer => self.answer(Interface::Wan, packet).err().unwrap_or(Stop::Taken),
            ToWan::Drop => Stop::Dropped(DropReason::WanPing),
        }
    }
}

/// Only a SYN opens a connection from outside.
fn opens(flags: TcpFlags) -> bool {
    flags.has(TcpFlags::SYN) && !flags.has(TcpFlags::ACK) && !flags.has(TcpFlags::RST)
}
