//! What the router sends itself, in the header the profile gives it.

use super::Router;
use crate::packet::{Packet, set_header};
use crate::profile::{OwnDontFragment, OwnTypeOfService};

/// RFC 1812 §4.3.2.5: internetwork control.
const ERROR_PRECEDENCE: u8 = 0xc0;
/// What of a type of service is no precedence (RFC 1349 §3), without its lowest bit.
const SERVICE: u8 = 0x1e;

impl Router {
    /// An answer, or an ICMP error about `packet`, as it leaves.
    pub(super) fn own(&self, mut bytes: Vec<u8>, packet: &Packet<'_>, is_error: bool) -> Vec<u8> {
        const TCP: u8 = 6;
        let asked = packet.as_bytes().get(1).copied().unwrap_or_default();
        let service = match *self.profile.ip.own_type_of_service {
            OwnTypeOfService::Zero => 0,
            OwnTypeOfService::FromPacket if is_error => asked & SERVICE | ERROR_PRECEDENCE,
            OwnTypeOfService::FromPacket => asked,
        };
        let is_tcp = bytes.get(9) == Some(&TCP);
        let may_be_cut = *self.profile.ip.own_dont_fragment == OwnDontFragment::Tcp && !is_tcp;
        set_header(&mut bytes, service, may_be_cut);
        bytes
    }
}
