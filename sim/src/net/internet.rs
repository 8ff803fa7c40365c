//! The public network: who is there, and what it does with what it cannot deliver.

use std::net::Ipv4Addr;

use quirknat_router::packet::{IcmpError, Packet};
use serde::{Deserialize, Serialize};

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
    /// The address that the public network's own ICMP errors come from.
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
    /// Takes the hops off a packet that goes to `destination`, who is there or not.
    pub(super) fn route(&self, bytes: &mut Vec<u8>, is_there: bool) -> Result<(), Undelivered> {
        let Ok(mut packet) = Packet::parse(bytes) else {
            // A real network looks at the IP header alone; one that is sound is carried whatever is in the packet.
            return if is_there && sound_header(bytes) {
                Ok(())
            } else {
                Err(Undelivered { reason: LossReason::Malformed, error: None })
            };
        };
        if !is_there {
            let (reason, treatment) = if packet.destination().is_private() {
                (LossReason::PrivateDestination, self.private_destinations)
            } else {
                (LossReason::NobodyThere, self.unknown_destinations)
            };
            return Err(self.undelivered(reason, treatment.error(), &packet));
        }
        if packet.ttl() <= self.hops {
            return Err(self.undelivered(LossReason::TimeToLive, Some(IcmpError::TimeExceeded), &packet));
        }
        for _ in 0..self.hops {
            packet.decrement_ttl();
        }
        Ok(())
    }

    /// The packet in pieces that fit a wire of this MTU.
    pub(super) fn fit(&self, mut bytes: Vec<u8>, mtu: u16) -> Result<Vec<Vec<u8>>, Undelivered> {
        const DONT_FRAGMENT: u8 = 0x40;
        if bytes.len() <= usize::from(mtu) {
            return Ok(vec![bytes]);
        }
        if bytes.get(6).is_some_and(|flags| flags & DONT_FRAGMENT == 0) {
            return Ok(quirknat_router::packet::fragments(&bytes, usize::from(mtu)));
        }
        let error = IcmpError::FragmentationNeeded { mtu };
        Err(match Packet::parse(&mut bytes) {
            Ok(packet) => self.undelivered(LossReason::TooBig, Some(error), &packet),
            Err(_) => Undelivered { reason: LossReason::TooBig, error: None },
        })
    }

    fn undelivered(&self, reason: LossReason, error: Option<IcmpError>, packet: &Packet<'_>) -> Undelivered {
        let error = error.filter(|_| packet.may_be_answered_with_an_error());
        Undelivered { reason, error: error.map(|error| error.about(packet, self.address)) }
    }
}

/// Whether the IP header can be read and its checksum is right.
fn sound_header(bytes: &[u8]) -> bool {
    smoltcp::wire::Ipv4Packet::new_checked(bytes).is_ok_and(|packet| packet.verify_checksum())
}
