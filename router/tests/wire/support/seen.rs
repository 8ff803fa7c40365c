//! A packet that left the router, as a sniffer on the link would show it.

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::event::Interface;
use smoltcp::wire::{Icmpv4Packet, IpProtocol, Ipv4Packet, TcpPacket, UdpPacket};

/// A packet on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) on: Interface,
    pub(crate) bytes: Vec<u8>,
}

impl Seen {
    pub(crate) fn ip(&self) -> Ipv4Packet<&[u8]> {
        Ipv4Packet::new_checked(&self.bytes[..]).unwrap()
    }

    /// The source, with an echo's identifier as its port.
    pub(crate) fn from(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.ip().src_addr(), self.ports().0)
    }

    /// The destination, with an echo's identifier as its port.
    pub(crate) fn to(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.ip().dst_addr(), self.ports().1)
    }

    pub(crate) fn source_address(&self) -> Ipv4Addr {
        self.ip().src_addr()
    }

    fn ports(&self) -> (u16, u16) {
        match self.ip().next_header() {
            IpProtocol::Tcp => (self.tcp().src_port(), self.tcp().dst_port()),
            IpProtocol::Udp => (self.udp().src_port(), self.udp().dst_port()),
            IpProtocol::Icmp => (self.icmp().echo_ident(), self.icmp().echo_ident()),
            _ => (0, 0),
        }
    }

    pub(crate) fn ttl(&self) -> u8 {
        self.ip().hop_limit()
    }

    pub(crate) fn tcp(&self) -> TcpPacket<&[u8]> {
        TcpPacket::new_checked(self.content()).unwrap()
    }

    pub(crate) fn udp(&self) -> UdpPacket<&[u8]> {
        UdpPacket::new_unchecked(self.content())
    }

    pub(crate) fn icmp(&self) -> Icmpv4Packet<&[u8]> {
        Icmpv4Packet::new_checked(self.content()).unwrap()
    }

    /// ICMP type and code.
    pub(crate) fn icmp_kind(&self) -> [u8; 2] {
        assert_eq!(self.ip().next_header(), IpProtocol::Icmp);
        [self.content()[0], self.content()[1]]
    }

    /// What an ICMP error quotes.
    pub(crate) fn quote(&self) -> &[u8] {
        &self.content()[8..]
    }

    /// Everything behind the IPv4 header.
    pub(crate) fn content(&self) -> &[u8] {
        let header_length = usize::from(self.bytes[0] & 0x0f) * 4;
        &self.bytes[header_length..]
    }

    pub(crate) fn sequence(&self) -> u32 {
        self.tcp().seq_number().0.cast_unsigned()
    }

    pub(crate) fn acknowledgement(&self) -> u32 {
        self.tcp().ack_number().0.cast_unsigned()
    }

    /// What TCP carries, as text.
    pub(crate) fn text(&self) -> String {
        let header_length = usize::from(self.tcp().header_len());
        String::from_utf8_lossy(&self.content()[header_length..]).into_owned()
    }

    /// The SACK blocks, absent ones left out.
    pub(crate) fn sack(&self) -> Vec<(u32, u32)> {
        let repr = self.tcp();
        repr.selective_ack_ranges().unwrap().into_iter().flatten().collect()
    }
}

/// smoltcp reads the packet and finds every checksum right that can be checked.
pub(crate) fn assert_true_checksums(bytes: &[u8]) {
    let ip = Ipv4Packet::new_checked(bytes).unwrap();
    assert!(ip.verify_checksum(), "the IPv4 checksum is true");
    assert_eq!(usize::from(ip.total_len()), bytes.len(), "the packet is as long as it says");
    if ip.more_frags() || ip.frag_offset() != 0 {
        return;
    }
    let (source, destination) = (ip.src_addr().into(), ip.dst_addr().into());
    match ip.next_header() {
        IpProtocol::Tcp => {
            let tcp = TcpPacket::new_checked(ip.payload()).unwrap();
            assert!(tcp.verify_checksum(&source, &destination), "the TCP checksum is true");
        }
        IpProtocol::Udp => {
            let udp = UdpPacket::new_checked(ip.payload()).unwrap();
            assert!(udp.verify_checksum(&source, &destination), "the UDP checksum is true");
        }
        IpProtocol::Icmp => {
            let icmp = Icmpv4Packet::new_checked(ip.payload()).unwrap();
            assert!(icmp.verify_checksum(), "the ICMP checksum is true");
        }
        _ => {}
    }
}
