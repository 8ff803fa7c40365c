//! The IPv4 header: options on their way, and what stands in the header of the router's own packets.

use quirknat_router::profile::{IpOptions, OwnDontFragment, OwnTypeOfService, Profile};
use quirknat_router::reason::DropReason;

use crate::support::{
    LAN, Lab, PC, ROUTER, SERVER, WAN, WAN_ADDRESS, echo, tcp, udp, with_ip_checksum, with_ttl,
};

/// A datagram with options in its header.
fn with_options(mut packet: Vec<u8>, options: &[u8]) -> Vec<u8> {
    packet.splice(20..20, options.iter().copied());
    packet[0] += u8::try_from(options.len() / 4).unwrap();
    let length = u16::try_from(packet.len()).unwrap();
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    with_ip_checksum(packet)
}

fn with_service(mut packet: Vec<u8>, service: u8) -> Vec<u8> {
    packet[1] = service;
    with_ip_checksum(packet)
}

fn datagram() -> Vec<u8> {
    udp("192.168.1.100:5000", "198.51.100.9:53", b"query")
}

fn answer() -> Vec<u8> {
    udp("198.51.100.9:53", "203.0.113.7:5000", b"answer")
}

fn processing() -> Lab {
    Lab::with(|profile, _| profile.ip.options.value = IpOptions::Process)
}

const RECORD: [u8; 12] = [7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0];

#[test]
fn a_recorded_route_gets_the_address_the_packet_leaves_with() {
    let mut lab = processing();
    let out = lab.from_lan(with_options(datagram(), &RECORD));
    assert_eq!(out.bytes[20..32], [7, 11, 8, 203, 0, 113, 7, 0, 0, 0, 0, 0]);
    let back = lab.from_wan(with_options(answer(), &[7, 11, 8, 1, 2, 3, 4, 0, 0, 0, 0, 0]));
    assert_eq!(back.bytes[20..32], [7, 11, 12, 1, 2, 3, 4, 192, 168, 1, 1, 0]);
    let full = [7, 7, 8, 1, 2, 3, 4, 0];
    assert_eq!(lab.from_lan(with_options(datagram(), &full)).bytes[20..28], full, "there is no room left");
}

#[test]
fn a_source_route_is_not_followed() {
    for kind in [131, 137] {
        let route = [kind, 7, 4, 198, 51, 100, 1, 0];
        let mut lab = processing();
        assert_eq!(lab.dropped(LAN, with_options(datagram(), &route)), DropReason::SourceRouted);
        assert_eq!(lab.dropped(WAN, with_options(answer(), &route)), DropReason::SourceRouted);
    }
}

#[test]
fn options_pass_as_they_are_where_the_profile_does_not_look() {
    let mut lab = Lab::new();
    let out = lab.from_lan(with_options(datagram(), &RECORD));
    assert_eq!(out.bytes[20..32], RECORD);
}

fn own(change: impl FnOnce(&mut Profile)) -> Lab {
    Lab::with(|profile, _| {
        profile.ip.own_type_of_service.value = OwnTypeOfService::FromPacket;
        profile.ip.own_dont_fragment.value = OwnDontFragment::Tcp;
        change(profile);
    })
}

/// The router's own packet's type of service, and whether it may be cut.
fn header(lab: &mut Lab, packet: Vec<u8>) -> (u8, bool) {
    let left = lab.send(LAN, packet);
    assert_eq!((left.len(), left[0].on), (1, LAN), "it is answered");
    (left[0].bytes[1], !left[0].ip().dont_frag())
}

#[test]
fn the_routers_own_packets_have_the_header_that_the_profile_gives_them() {
    let ping = || with_service(echo(true, PC, ROUTER, 1), 0x28);
    let expired = || with_service(with_ttl(1, datagram()), 0x28);
    let refused = || with_service(udp("192.168.1.100:5000", "192.168.1.1:9", b"x"), 0xb8);
    let syn = || with_service(tcp("192.168.1.100:5000", "192.168.1.1:9").syn().packet(), 0x10);
    let mut lab = own(|_| {});
    assert_eq!(header(&mut lab, ping()), (0x28, true));
    assert_eq!(header(&mut lab, expired()), (0xc8, true), "RFC 1812 §4.3.2.5");
    assert_eq!(header(&mut lab, refused()), (0xd8, true));
    assert_eq!(header(&mut lab, syn()), (0x10, false));
    let mut plain = Lab::new();
    for packet in [expired(), refused(), syn()] {
        assert_eq!(header(&mut plain, packet), (0, false));
    }
}

#[test]
fn sources_of_other_networks_pass_where_the_profile_says_so() {
    let foreign = || udp("172.16.0.5:5000", "198.51.100.9:53", b"lost its way");
    assert_eq!(Lab::new().dropped(LAN, foreign()), DropReason::SourceNotOnLan);
    let mut lab = Lab::of("linux-netfilter");
    assert_eq!(lab.from_lan(foreign()).source_address().to_string(), WAN_ADDRESS);
    for own in ["203.0.113.7:5000", "192.168.1.1:5000", "127.0.0.1:5000", "0.0.0.0:5000"] {
        let packet = udp(own, &format!("{SERVER}:53"), b"");
        assert_eq!(lab.dropped(LAN, packet), DropReason::SourceNotOnLan, "{own}");
    }
}

#[test]
fn options_that_are_not_to_be_copied_stand_in_the_first_fragment_alone() {
    let mut lab = Lab::with(|_, config| config.wan_mtu = 100);
    let options = [&RECORD[..11], &[1, 148, 4, 0, 0]].concat();
    let large = with_options(udp("192.168.1.100:5000", "198.51.100.9:53", &[7; 100]), &options);
    let left = lab.send(LAN, large);
    assert_eq!(left[0].bytes[20..36], options);
    assert_eq!(left[1].bytes[20..36], [&[1; 12][..], &[148, 4, 0, 0]].concat(), "RFC 791 §3.1");
}
