//! What the router does not pass on: packets that are wrong, that are not for it, or that are for itself.

use quirknat_router::event::{EventKind, Interface};
use quirknat_router::packet::Malformed;
use quirknat_router::profile::ToWan;
use quirknat_router::reason::DropReason;

use crate::support::{
    Control, LAN, Lab, PC, ROUTER, SERVER, WAN, WAN_ADDRESS, at, echo, icmp_error, tcp, udp,
    with_ip_checksum, with_ttl,
};

/// A valid packet, broken at one place; says what is wrong with it.
type Broken = (fn(&mut Vec<u8>), Malformed);

const BROKEN_TCP: &[Broken] = &[
    (|packet| packet[10] ^= 1, Malformed::IpChecksum),
    (|packet| packet[8] = 63, Malformed::IpChecksum),
    (|packet| packet[36] ^= 1, Malformed::TransportChecksum),
    (|packet| *packet.last_mut().unwrap() ^= 1, Malformed::TransportChecksum),
    (|packet| packet[0] = 0x65, Malformed::NotIpv4),
    (|packet| packet[0] = 0x44, Malformed::IpLength),
    (|packet| packet[0] = 0x4f, Malformed::IpChecksum),
    (|packet| packet.truncate(19), Malformed::IpLength),
    (|packet| packet.truncate(packet.len() - 1), Malformed::IpLength),
    (Vec::clear, Malformed::IpLength),
    // A data offset before the header's end, and one beyond the packet.
    (|packet| packet[32] = 0x40, Malformed::TransportLength),
    (|packet| packet[32] = 0xf0, Malformed::TransportLength),
    (|packet| shorten(packet, 39), Malformed::TransportLength),
];

/// Cuts the packet, and says so in its IPv4 header.
fn shorten(packet: &mut Vec<u8>, length: u8) {
    packet.truncate(usize::from(length));
    packet[2..4].copy_from_slice(&[0, length]);
    *packet = with_ip_checksum(std::mem::take(packet));
}

/// Case 31: neither a wrong packet's addresses nor its contents do anything.
#[test]
fn a_broken_packet_is_dropped_and_changes_nothing() {
    let mut lab = Lab::new();
    let control = Control::open(&mut lab, 21);
    lab.wait_seconds(10);
    lab.events();
    let before = lab.translations();
    let port = || control.segment("PORT 192,168,1,100,195,80\r\n");
    for (number, (break_it, reason)) in BROKEN_TCP.iter().enumerate() {
        let mut packet = port();
        break_it(&mut packet);
        assert_eq!(lab.dropped(LAN, packet), DropReason::Malformed(*reason), "broken packet {number}");
        let events = lab.events();
        assert!(matches!(events[..], [EventKind::PacketDropped { .. }]), "nothing but a drop: {events:?}");
        assert_eq!(lab.translations(), before);
    }
    assert_eq!(lab.from_lan(port()).text(), "PORT 203,0,113,7,195,80\r\n", "whole, it is rewritten");
}

#[test]
fn a_broken_datagram_or_ping_makes_no_translation() {
    let udp = || udp("192.168.1.100:5000", "198.51.100.9:53", b"query");
    let ping = || echo(true, PC, SERVER, 5);
    let cases: [(Vec<u8>, Broken); 6] = [
        (udp(), (|packet| packet[27] ^= 1, Malformed::TransportChecksum)),
        (udp(), (|packet| packet[25] = 7, Malformed::TransportLength)),
        (udp(), (|packet| packet[25] = 200, Malformed::TransportLength)),
        (udp(), (|packet| shorten(packet, 27), Malformed::TransportLength)),
        (ping(), (|packet| packet[22] ^= 1, Malformed::TransportChecksum)),
        (ping(), (|packet| shorten(packet, 27), Malformed::TransportLength)),
    ];
    let mut lab = Lab::new();
    for (mut packet, (break_it, reason)) in cases {
        break_it(&mut packet);
        assert_eq!(lab.dropped(LAN, packet), DropReason::Malformed(reason));
    }
    assert_eq!(lab.translations(), []);
}

#[test]
fn octets_behind_the_packet_are_not_passed_on() {
    let mut lab = Lab::new();
    let mut packet = udp("192.168.1.100:5000", "198.51.100.9:53", b"query");
    packet.extend_from_slice(b"padding of a short frame");
    assert_eq!(lab.from_lan(packet).bytes.len(), 20 + 8 + 5);
}

#[test]
fn addresses_that_no_conversation_has_are_dropped() {
    let mut lab = Lab::new();
    for destination in
        ["224.0.0.251:5353", "255.255.255.255:67", "192.168.1.255:137", "127.0.0.1:53", "0.0.0.0:53"]
    {
        let packet = udp("192.168.1.100:5000", destination, b"");
        assert_eq!(lab.dropped(LAN, packet), DropReason::NotUnicast, "{destination}");
    }
    for source in ["224.0.0.1:5000", "255.255.255.255:5000", "127.0.0.1:5000"] {
        let packet = udp(source, "203.0.113.7:5000", b"");
        assert_eq!(lab.dropped(WAN, packet), DropReason::NotUnicast, "{source}");
    }
    assert_eq!(lab.dropped(LAN, udp("192.168.1.255:1", "198.51.100.9:53", b"")), DropReason::NotUnicast);
}

#[test]
fn spoofed_sources_are_dropped() {
    let mut lab = Lab::new();
    for source in ["192.168.2.100:5000", "198.51.100.9:5000", "192.168.1.1:5000", "203.0.113.7:5000"] {
        let packet = udp(source, "198.51.100.50:53", b"");
        assert_eq!(lab.dropped(LAN, packet), DropReason::SourceNotOnLan, "{source}");
    }
    for source in ["192.168.1.100:5000", "192.168.1.1:5000", "203.0.113.7:5000"] {
        let packet = udp(source, "203.0.113.7:5000", b"");
        assert_eq!(lab.dropped(WAN, packet), DropReason::SourceSpoofed, "{source}");
    }
    let to_lan = udp("198.51.100.9:53", "192.168.1.100:5000", b"");
    assert_eq!(lab.dropped(WAN, to_lan), DropReason::DestinationNotOurs);
    assert_eq!(lab.dropped(Interface::Lan(7), echo(true, PC, SERVER, 5)), DropReason::SourceNotOnLan);
}

#[test]
fn hairpinning_is_not_done() {
    let mut lab = Lab::new();
    lab.udp_mapping();
    let packet = udp("192.168.1.101:6000", "203.0.113.7:5000", b"");
    assert_eq!(lab.dropped(LAN, packet), DropReason::Hairpinning);
}

#[test]
fn other_protocols_and_other_icmp_are_dropped() {
    let mut lab = Lab::new();
    let mut other = udp("192.168.1.100:5000", "198.51.100.9:53", b"");
    other[9] = 253;
    assert_eq!(lab.dropped(LAN, with_ip_checksum(other)), DropReason::UnsupportedProtocol);
    let timestamp = icmp_error(PC, SERVER, [13, 0], &[0; 12]);
    assert_eq!(lab.dropped(LAN, timestamp), DropReason::UnsupportedIcmpType);
}

#[test]
fn a_used_up_time_to_live_is_answered_from_the_side_it_came_from() {
    let mut lab = Lab::new();
    lab.connect("192.168.1.100:1024", "198.51.100.9:80");
    let before = lab.translations();
    lab.wait_seconds(5);
    let from_pc = with_ttl(1, tcp("192.168.1.100:1024", "198.51.100.9:80").seq(1000).ack(5000).packet());
    let from_server = with_ttl(1, tcp("198.51.100.9:80", "203.0.113.7:1024").seq(5000).ack(1000).packet());
    for (into, packet, router) in [(LAN, from_pc, ROUTER), (WAN, from_server, WAN_ADDRESS)] {
        let mut left = lab.send(into, packet.clone());
        let answer = left.remove(0);
        assert_eq!((left.len(), answer.on, answer.icmp_kind()), (0, into, [11, 0]));
        assert_eq!(answer.source_address().to_string(), router);
        assert_eq!(answer.to().ip().octets(), packet[12..16], "to the sender");
        assert_eq!(answer.quote(), packet, "with the packet as it came in");
    }
    assert_eq!(lab.translations(), before, "a packet that goes no further refreshes nothing");
}

#[test]
fn an_error_quotes_no_more_than_fits_into_576_octets() {
    let mut lab = Lab::new();
    let packet = with_ttl(1, udp("192.168.1.100:5000", "198.51.100.9:53", &[7; 1400]));
    let answer = lab.from_lan(packet.clone());
    assert_eq!(answer.bytes.len(), 576);
    assert_eq!(answer.quote(), &packet[..576 - 28]);
}

#[test]
fn no_error_is_sent_about_an_error() {
    let mut lab = Lab::new();
    let outside = lab.udp_mapping();
    let quoted = udp(&outside, "198.51.100.9:53", b"query");
    for kind in [[3, 1], [4, 0], [11, 0], [12, 0]] {
        let error = with_ttl(1, icmp_error(SERVER, WAN_ADDRESS, kind, &quoted));
        assert_eq!(lab.dropped(WAN, error.clone()), DropReason::TtlExceeded);
    }
}

/// Two subnets, so that the router routes ICMP of any kind.
#[test]
fn no_error_is_sent_about_a_redirect_or_a_part_of_an_error() {
    let mut lab = Lab::with(|_, config| config.lan.push("192.168.2.1/24".parse().unwrap()));
    let redirect = with_ttl(1, icmp_error(PC, "192.168.2.100", [5, 1], &[0; 28]));
    assert_eq!(lab.dropped(LAN, redirect), DropReason::TtlExceeded);
    let mut part = with_ttl(1, icmp_error(PC, "192.168.2.100", [3, 1], &[0; 28]));
    part[6] = 0x20;
    assert_eq!(lab.dropped(LAN, with_ip_checksum(part)), DropReason::TtlExceeded);
    let ping = with_ttl(1, echo(true, PC, "192.168.2.100", 5));
    assert_eq!(lab.from_lan(ping).icmp_kind(), [11, 0], "about a ping it is");
}

#[test]
fn the_lan_gets_an_answer_to_its_ping_on_either_address() {
    let mut lab = Lab::new();
    for router in [ROUTER, WAN_ADDRESS] {
        let reply = lab.from_lan(echo(true, PC, router, 9));
        assert_eq!((reply.on, reply.icmp_kind(), reply.icmp().echo_ident()), (LAN, [0, 0], 9));
        assert_eq!((reply.source_address().to_string(), *reply.to().ip()), (router.to_owned(), *at(PC).ip()));
        assert_eq!(&reply.content()[8..], b"are you there?");
    }
    assert_eq!(lab.translations(), []);
}

#[test]
fn the_wan_gets_an_answer_where_the_profile_says_so() {
    let ping = || echo(true, SERVER, WAN_ADDRESS, 9);
    assert_eq!(Lab::new().dropped(WAN, ping()), DropReason::WanPing);
    let mut lab = Lab::with(|profile, _| profile.wan.ping.value = ToWan::Answer);
    let reply = lab.from_wan(ping());
    assert_eq!((reply.on, reply.icmp_kind(), reply.to().ip()), (WAN, [0, 0], at(SERVER).ip()));
}

#[test]
fn the_router_has_no_service_for_the_lan() {
    let mut lab = Lab::new();
    let question = udp("192.168.1.100:5000", "192.168.1.1:53", b"query");
    let refusal = lab.from_lan(question.clone());
    assert_eq!((refusal.icmp_kind(), refusal.source_address().to_string()), ([3, 3], ROUTER.to_owned()));
    assert_eq!(refusal.quote(), question);

    let syn = lab.from_lan(tcp("192.168.1.100:1024", "192.168.1.1:80").seq(7).syn().packet());
    let reset = syn.tcp();
    assert!(reset.rst() && reset.ack(), "RFC 9293 §3.10.7.1");
    assert_eq!((reset.seq_number().0, reset.ack_number().0), (0, 8));

    let data = lab.from_lan(tcp("192.168.1.100:1024", "192.168.1.1:80").seq(7).ack(70).data("four").packet());
    let reset = data.tcp();
    assert!(reset.rst() && !reset.ack());
    assert_eq!(reset.seq_number().0, 70);

    let rst = tcp("192.168.1.100:1024", "192.168.1.1:80").seq(7).rst().packet();
    assert_eq!(lab.dropped(LAN, rst), DropReason::NoService);
}

/// What is for somebody else is none of the router's, unless its profile looks whether it could be forwarded first.
#[test]
fn what_is_for_somebody_else_is_answered_only_where_it_would_be_forwarded() {
    let to = |destination: &str| udp("198.51.100.9:53", destination, b"");
    let over = |destination: &str| with_ttl(1, to(destination));
    let mut lab = Lab::of("linux-netfilter");
    for elsewhere in ["203.0.113.9:7", "192.0.2.5:7", "192.168.1.100:7"] {
        assert_eq!(lab.dropped(WAN, to(elsewhere)), DropReason::DestinationNotOurs);
        let told = lab.from_wan(over(elsewhere));
        assert_eq!((told.on, told.icmp_kind(), told.quote()), (WAN, [11, 0], &over(elsewhere)[..]));
        assert_eq!(told.source_address(), *at(WAN_ADDRESS).ip());
    }
    for own in ["192.168.1.1:7", "192.168.1.255:7", "203.0.113.255:7"] {
        assert_eq!(lab.dropped(WAN, over(own)), DropReason::DestinationNotOurs, "{own}");
    }
    let mut large = udp("198.51.100.9:53", "203.0.113.9:7", &[0; 1500]);
    large[6] = 0x40;
    assert_eq!(lab.from_wan(with_ip_checksum(large)).icmp_kind(), [3, 4]);
    assert_eq!(lab.translations(), []);
    assert_eq!(Lab::new().dropped(WAN, over("203.0.113.9:7")), DropReason::DestinationNotOurs);
}
