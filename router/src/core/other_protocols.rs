//! What is neither TCP nor UDP nor ICMP, where the profile translates it: by its addresses, since it has no ports. A
//! translation is between two hosts, and what comes in belongs to one that the LAN has begun.

use std::net::SocketAddrV4;

use quirknat_alg::Side;

use super::create::Session;
use super::{Router, Step, Stop};
use crate::event::{Origin, TranslationEnd, TranslationRefusal};
use crate::packet::{Gre, Malformed, Packet, Protocol};
use crate::profile::{AddressConflict, GreToldBy};
use crate::reason::DropReason;
use crate::state::flow::FlowId;
use crate::state::mapping::MappingId;

impl Router {
    #[cold]
    pub(super) fn other_protocol(&mut self, from: Side, packet: &mut Packet<'_>) -> Step {
        let number = packet.header().protocol;
        if !self.profile.nat.other.protocols.iter().any(|range| range.contains(number)) {
            return Err(DropReason::UnsupportedProtocol.into());
        }
        let protocol = Protocol::Other(number);
        let receiver = match self.receiver_port(from, number, packet) {
            Ok(port) => port,
            Err(reason) => {
                if from == Side::Inside && !self.is_between_hosts(protocol, packet) {
                    self.passable(Side::Inside, Side::Outside, packet)?;
                }
                return Err(reason.into());
            }
        };
        let source = SocketAddrV4::new(packet.source(), 0);
        let destination = SocketAddrV4::new(packet.destination(), receiver);
        let id = match from {
            Side::Inside => match self.flows.find_exact(from, protocol, source, destination) {
                Some(id) => id,
                None => self.create_between_hosts(protocol, source, destination, packet)?,
            },
            Side::Outside => {
                let found = self.flows.find_exact(from, protocol, destination, source);
                found.ok_or_else(|| self.unsolicited(DropReason::Unsolicited, packet))?
            }
        };
        self.pass(id, from, packet)
    }

    /// Whether a packet from the LAN is between the hosts of a translation that no call ID tells from others. An error
    /// about it, which has to be translated, is not when it quotes too little (Linux `gre_manip_pkt`).
    fn is_between_hosts(&self, protocol: Protocol, packet: &Packet<'_>) -> bool {
        let [source, destination] =
            [packet.source(), packet.destination()].map(|address| SocketAddrV4::new(address, 0));
        self.flows.find_exact(Side::Inside, protocol, source, destination).is_some()
    }

    /// What stands in place of the receiver's port: nothing, or a GRE call ID.
    fn receiver_port(&self, from: Side, number: u8, packet: &Packet<'_>) -> Result<u16, DropReason> {
        if number != Protocol::GRE || *self.profile.nat.other.gre != GreToldBy::CallId {
            return Ok(0);
        }
        match Gre::read(packet.content()) {
            Some(Gre::Plain) => Ok(0),
            Some(Gre::Enhanced { call_id }) => Ok(call_id),
            // Nothing in it is edited on the way out.
            Some(Gre::UnknownVersion) if from == Side::Inside => Ok(0),
            Some(Gre::UnknownVersion | Gre::UnknownContent) => Err(DropReason::UnsupportedProtocol),
            None => Err(DropReason::Malformed(Malformed::TransportLength)),
        }
    }

    fn create_between_hosts(
        &mut self,
        protocol: Protocol,
        inside: SocketAddrV4,
        remote: SocketAddrV4,
        packet: &Packet<'_>,
    ) -> Result<FlowId, Stop> {
        self.passable(Side::Inside, Side::Outside, packet)?;
        let external = SocketAddrV4::new(self.wan, 0);
        if let Some(older) = self.flows.find_exact(Side::Outside, protocol, external, remote) {
            match *self.profile.nat.other.on_conflict {
                AddressConflict::Refuse => {
                    let reason = TranslationRefusal::RemoteTaken;
                    return Err(self.refused(protocol, inside, remote, reason, packet));
                }
                AddressConflict::TakeOver => self.end_translation(older, TranslationEnd::PortTakenOver),
            }
        }
        if let Err(reason) = self.make_room(*inside.ip()) {
            return Err(self.refused(protocol, inside, remote, reason, packet));
        }
        let session = Session { protocol, inside, external, remote };
        Ok(self.insert(session, Side::Inside, Origin::Outbound, MappingId::NONE, packet))
    }
}
