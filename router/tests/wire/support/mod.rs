//! What every test here needs: packets, a router on a virtual clock, and a control connection through it.

mod control;
mod http;
mod lab;
mod packets;
mod seen;

pub(crate) use control::Control;
pub(crate) use http::{Web, soap_request};
pub(crate) use lab::{LAN, Lab, WAN};
pub(crate) use packets::{
    Tcp, at, echo, fragmented, icmp_error, nat_pmp_request, packet, reassembled, tcp, udp, with_ip_checksum,
    with_ttl,
};
pub(crate) use seen::{Seen, assert_true_checksums};

/// The customary addresses.
pub(crate) const PC: &str = "192.168.1.100";
pub(crate) const OTHER_PC: &str = "192.168.1.101";
pub(crate) const ROUTER: &str = "192.168.1.1";
pub(crate) const WAN_ADDRESS: &str = "203.0.113.7";
pub(crate) const SERVER: &str = "198.51.100.9";
pub(crate) const STRANGER: &str = "198.51.100.50";
