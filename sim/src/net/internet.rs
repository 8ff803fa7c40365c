//! The public network: who is there, and what it does with what it cannot deliver.

use std::net::Ipv4Addr;

use quirknat_router::packet::{IcmpError, Packet};
use serde::{Deserialize, Serialize};
use smoltcp::wire::Ipv4Packet;

use super::record::LossReason;

/// How the public network treats packets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct InternetSpec {
    /// What becomes of a packet to a private address (RFC 1918). Providers route none; most say nothing about it.
    pub private_destinations: Undeliverable,
    /// What becomes of a packet to a public address that nobody in this scenario has.
    pub unknown_destinations: Undeliverable,
    /// How many routers a packet passes on the public network: each takes one off its time to live.
    pub hops: u8,
    /// The address that the first of these routers has, where its ICMP errors come from; each further one has the next
    /// address. Without hops it is the address that all ICMP errors of the public network come from.
    pub address: Ipv4Addr,
}

impl Default for InternetSpec {
    fn default() -> Self {
        Self {
            private_destinations: Undeliverable::Drop,
            unknown_destinations: Undeliverable::Drop,
            hops: 0,
            // TEST-NET-1 (RFC 5737 §3): no scenario's host has it by chance.
            address: Ipv4Addr::new(192, 0, 2, 1),
        }
    }
}

/// What becomes of a packet that cannot be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Undeliverable {
    /// It is silently lost.
    Drop,
    /// ICMP network unreachable (RFC 792, code 0).
    NetUnreachable,
    /// ICMP host unreachable (RFC 792, code 1).
    HostUnreachable,
    /// ICMP communication administratively prohibited (RFC 1812 §5.2.7.1, code 13).
    Prohibited,
}

impl Undeliverable {
    fn error(self) -> Option<IcmpError> {
        match self {
            Self::Drop => None,
            Self::NetUnreachable => Some(IcmpError::NetUnreachable),
            Self::HostUnreachable => Some(IcmpError::HostUnreachable),
            Self::Prohibited => Some(IcmpError::Prohibited),
        }
    }
}

/// A packet that ends on the public network.
pub(super) struct Undelivered {
    pub(super) reason: LossReason,
    /// The error that tells its sender.
    pub(super) error: Option<Vec<u8>>,
}

impl InternetSpec {
    /// Takes the hops off a packet on its way to its destination, who is there or not. Routers look at the IP header
    /// alone: one that is sound is carried, whatever is in the packet.
    pub(super) fn route(&self, bytes: &mut [u8], is_there: bool) -> Result<(), Undelivered> {
        let Some((destination, time_to_live)) = header(bytes) else {
            return Err(Undelivered { reason: LossReason::Malformed, error: None });
        };
        // What cannot be delivered ends at the first router, which has no route for it.
        let hops = if is_there { self.hops } else { self.hops.min(1) };
        if time_to_live <= hops {
            let error = Some(IcmpError::TimeExceeded);
            return Err(self.undelivered(LossReason::TimeToLive, error, bytes, time_to_live.max(1)));
        }
        if !is_there {
            let (reason, treatment) = if destination.is_private() {
                (LossReason::PrivateDestination, self.private_destinations)
            } else {
                (LossReason::NobodyThere, self.unknown_destinations)
            };
            return Err(self.undelivered(reason, treatment.error(), bytes, 1));
        }
        if self.hops > 0 {
            let mut packet = Ipv4Packet::new_unchecked(bytes);
            packet.set_hop_limit(time_to_live - self.hops);
            packet.fill_checksum();
        }
        Ok(())
    }

    /// The packet, which is longer than `mtu`, in pieces that are not.
    pub(super) fn fit(&self, bytes: &[u8], mtu: u16) -> Result<Vec<Vec<u8>>, Undelivered> {
        if Ipv4Packet::new_checked(bytes).is_ok_and(|packet| !packet.dont_frag()) {
            return Ok(quirknat_router::packet::fragments(bytes, usize::from(mtu)));
        }
        let error = Some(IcmpError::FragmentationNeeded { mtu });
        Err(self.undelivered(LossReason::TooBig, error, bytes, self.hops))
    }

    /// `hop` counts the public network's routers from 1. No error is sent about what cannot be read, about an error, or
    /// about a packet to many (RFC 1122 §3.2.2).
    fn undelivered(
        &self,
        reason: LossReason,
        error: Option<IcmpError>,
        bytes: &[u8],
        hop: u8,
    ) -> Undelivered {
        let Some(error) = error else { return Undelivered { reason, error: None } };
        let from = u32::from(self.address).saturating_add(u32::from(hop.saturating_sub(1)));
        let mut bytes = bytes.to_vec();
        let packet = Packet::parse(&mut bytes).ok().filter(|packet| {
            let destination = packet.destination();
            packet.may_be_answered_with_an_error()
                && !destination.is_multicast()
                && !destination.is_broadcast()
        });
        Undelivered { reason, error: packet.map(|packet| error.about(&packet, from.into())) }
    }
}

/// The destination and time to live of a packet whose IP header can be read and has the right checksum.
fn header(bytes: &[u8]) -> Option<(Ipv4Addr, u8)> {
    let packet = Ipv4Packet::new_checked(bytes).ok().filter(Ipv4Packet::verify_checksum)?;
    (packet.version() == 4).then(|| (packet.dst_addr(), packet.hop_limit()))
}
