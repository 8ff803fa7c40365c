//! Hairpinning: from a LAN host to another one through the router's WAN address (RFC 4787 §6). The packet takes both ways,
//! out and in, each with a translation of its own, and passes the router once.

use std::net::SocketAddrV4;

use quirknat_alg::Side;

use super::pass::Passing;
use super::track::Judged;
use super::{Router, Step, Stop};
use crate::event::{Interface, Passage, TranslationEnd};
use crate::packet::{End, Packet, Protocol, Transport};
use crate::profile::{HairpinnedErrors, Hairpinning};
use crate::reason::DropReason;
use crate::state::flow::FlowId;

impl Router {
    /// A packet from the LAN to the WAN address. A ping is for the router itself.
    #[cold]
    pub(super) fn enter_for_wan_address(&mut self, port: u8, packet: &mut Packet<'_>) -> Step {
        const ICMP: u8 = Protocol::Icmp.number();
        let ingress = Interface::Lan(port);
        match packet.transport() {
            Transport::Echo { request: true, .. } => self.answer(ingress, packet),
            Transport::None if packet.header().protocol == ICMP => self.answer(ingress, packet),
            _ if self.is_to_router(packet) => self.answer(ingress, packet),
            _ if !self.hairpins() => Err(DropReason::Hairpinning.into()),
            _ => self.with_fragments(ingress, packet, Self::hairpin),
        }
    }

    fn hairpins(&self) -> bool {
        let leads_back =
            |protocol| !matches!(self.hairpinning(protocol), Hairpinning::Off | Hairpinning::ToRouter);
        [Protocol::Tcp, Protocol::Udp].into_iter().any(leads_back)
    }

    /// Whether a packet to the WAN address is for the router itself, whoever else may want it.
    fn is_to_router(&self, packet: &Packet<'_>) -> bool {
        const TCP: u8 = Protocol::Tcp.number();
        const ICMP: u8 = Protocol::Icmp.number();
        let hairpinning = match packet.header().protocol {
            TCP => *self.profile.nat.tcp.hairpinning,
            ICMP => Hairpinning::Off,
            // What has no ports goes as UDP does.
            _ => *self.profile.nat.udp.hairpinning,
        };
        hairpinning == Hairpinning::ToRouter
    }

    fn hairpin(&mut self, ingress: Interface, packet: &mut Packet<'_>) -> Step {
        let Some((protocol, source, external)) = packet.session() else {
            return match packet.transport() {
                Transport::IcmpError => self.hairpin_error(packet),
                _ => Err(DropReason::Hairpinning.into()),
            };
        };
        let hairpinning = self.hairpinning(protocol);
        if hairpinning == Hairpinning::Off {
            return Err(DropReason::Hairpinning.into());
        }
        self.passable(Side::Inside, Side::Inside, packet)?;
        let remote = match hairpinning {
            Hairpinning::ExternalSource => self.out_through(ingress, protocol, source, external, packet)?,
            Hairpinning::InternalSource | Hairpinning::Off | Hairpinning::ToRouter => source,
        };
        let id = self.hairpinned_inbound(protocol, remote, external, packet)?;
        let to = self.take_part(id, Side::Outside, packet)?;
        packet.hop(End::Destination, to.inside);
        let egress = self.lan_egress(*to.inside.ip(), to.lan_port, packet);
        self.passed(egress, Some(to.serial), Passage::Hairpinned);
        Ok(egress)
    }

    /// The way out; gives the source that the packet then has.
    fn out_through(
        &mut self,
        ingress: Interface,
        protocol: Protocol,
        source: SocketAddrV4,
        external: SocketAddrV4,
        packet: &mut Packet<'_>,
    ) -> Result<SocketAddrV4, Stop> {
        let id: FlowId = match self.flows.find(Side::Inside, protocol, source, external) {
            Some(id) => id,
            None => self.open_outbound(protocol, source, external, packet)?,
        };
        if let (Interface::Lan(port), Some(flow)) = (ingress, self.flows.get_mut(id)) {
            flow.lan_port = port;
        }
        let from = self.take_part(id, Side::Inside, packet)?;
        packet.set_endpoint(End::Source, from.external);
        Ok(from.external)
    }

    /// An error about a packet that came in by hairpinning, to the external source it had (RFC 5508 REQ-7).
    fn hairpin_error(&mut self, packet: &mut Packet<'_>) -> Step {
        if *self.profile.icmp.hairpinned_errors == HairpinnedErrors::Drop {
            return Err(DropReason::IcmpErrorRefused.into());
        }
        let unrelated = || Stop::Dropped(DropReason::UnrelatedIcmpError);
        let quote = packet.quote().ok_or_else(unrelated)?;
        let from = self.flows.find(Side::Inside, quote.protocol, quote.destination, quote.source);
        let from = from.ok_or_else(unrelated)?;
        let external = self.flows.get(from).map(|flow| flow.external).ok_or_else(unrelated)?;
        let to =
            self.flows.find(Side::Outside, quote.protocol, external, quote.source).ok_or_else(unrelated)?;
        let host = self.flows.get(to).map(|flow| (flow.inside, flow.lan_port, flow.serial));
        let (inside, lan_port, serial) = host.ok_or_else(unrelated)?;
        self.passable(Side::Inside, Side::Inside, packet)?;
        packet.set_quoted_endpoint(quote, End::Destination, external);
        packet.set_quoted_endpoint(quote, End::Source, inside);
        packet.finish_quote();
        packet.set_endpoint(End::Source, external);
        packet.hop(End::Destination, inside);
        let egress = self.lan_egress(*inside.ip(), lan_port, packet);
        self.passed(egress, Some(serial), Passage::Hairpinned);
        Ok(egress)
    }

    /// An answer to what came in with an internal source, on its way from one LAN subnet to another: it leaves with the
    /// address that its receiver has sent to.
    pub(super) fn answer_to_hairpinned(&mut self, packet: &mut Packet<'_>) -> Result<(), Stop> {
        let Some((protocol, source, destination)) = packet.session() else { return Ok(()) };
        if self.hairpinning(protocol) != Hairpinning::InternalSource {
            return Ok(());
        }
        let Some(id) = self.flows.find(Side::Inside, protocol, source, destination) else { return Ok(()) };
        let from = self.take_part(id, Side::Inside, packet)?;
        packet.set_endpoint(End::Source, from.external);
        Ok(())
    }

    fn take_part(&mut self, id: FlowId, from: Side, packet: &mut Packet<'_>) -> Result<Passing, Stop> {
        if self.is_particular {
            match self.judge(id, from, packet) {
                Judged::Passes | Judged::Ends => {}
                Judged::Dropped(reason) => return Err(reason.into()),
                // Its SYN comes again, and finds nothing in its way.
                Judged::BeginsAnew => {
                    self.end_translation(id, TranslationEnd::Replaced);
                    return Err(DropReason::NoTranslation.into());
                }
            }
            self.look_closely(id, from, packet)?;
        }
        self.read(id, from, packet)?;
        self.touch(id, from, packet).ok_or(Stop::Dropped(DropReason::NoTranslation))
    }

    fn hairpinning(&self, protocol: Protocol) -> Hairpinning {
        match protocol {
            Protocol::Tcp => *self.profile.nat.tcp.hairpinning,
            Protocol::Udp => *self.profile.nat.udp.hairpinning,
            Protocol::Icmp | Protocol::Other(_) => Hairpinning::Off,
        }
    }
}
