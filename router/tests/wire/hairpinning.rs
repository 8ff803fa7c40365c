//! From one LAN host to another through the router's WAN address.

use quirknat_router::profile::{Filtering, HairpinnedErrors, Hairpinning};
use quirknat_router::reason::DropReason;

use crate::support::{
    LAN, Lab, OTHER_PC, PC, WAN_ADDRESS, at, echo, fragmented, icmp_error, reassembled, tcp, udp, with_ttl,
};

fn hairpinning(mode: Hairpinning) -> Lab {
    Lab::with(|profile, config| {
        for sessions in [&mut profile.nat.tcp, &mut profile.nat.udp] {
            sessions.hairpinning.value = mode;
            sessions.filtering.value = Filtering::EndpointIndependent;
        }
        profile.icmp.hairpinned_errors.value = HairpinnedErrors::Translate;
        config.forwards = vec!["tcp/80=192.168.1.101:8080".parse().unwrap()];
    })
}

/// RFC 4787 REQ-9a.
#[test]
fn with_the_external_source_two_hosts_speak_through_their_mappings() {
    let mut lab = hairpinning(Hairpinning::ExternalSource);
    lab.from_lan(udp("192.168.1.101:6000", "198.51.100.9:53", b"makes the other one's mapping"));
    let there = lab.from_lan(udp("192.168.1.100:5000", "203.0.113.7:6000", b"hello"));
    assert_eq!((there.on, there.from(), there.to()), (LAN, at("203.0.113.7:5000"), at("192.168.1.101:6000")));
    assert_eq!(there.ttl(), 63, "one router, one hop");
    let back = lab.from_lan(udp("192.168.1.101:6000", "203.0.113.7:5000", b"hello yourself"));
    assert_eq!((back.on, back.from(), back.to()), (LAN, at("203.0.113.7:6000"), at("192.168.1.100:5000")));
}

#[test]
fn a_forwarded_server_is_reached_by_the_public_address_from_inside() {
    let mut lab = hairpinning(Hairpinning::ExternalSource);
    let client = || tcp("192.168.1.100:5000", "203.0.113.7:80");
    let server = || tcp("192.168.1.101:8080", "203.0.113.7:5000");
    assert_eq!(lab.from_lan(client().seq(1).syn().packet()).to(), at("192.168.1.101:8080"));
    let reply = lab.from_lan(server().seq(9).ack(2).syn().packet());
    assert_eq!((reply.from(), reply.to()), (at("203.0.113.7:80"), at("192.168.1.100:5000")));
    lab.from_lan(client().seq(2).ack(10).packet());
    lab.wait_seconds(7000);
    assert_eq!(lab.translations().len(), 2, "out and in, and both are established");
    lab.wait_seconds(500);
    assert_eq!(lab.translations(), []);
}

#[test]
fn a_host_reaches_itself() {
    let mut lab = hairpinning(Hairpinning::ExternalSource);
    lab.from_lan(udp("192.168.1.100:5000", "198.51.100.9:53", b""));
    let own = lab.from_lan(udp("192.168.1.100:5000", "203.0.113.7:5000", b"echo"));
    assert_eq!((own.from(), own.to()), (at("203.0.113.7:5000"), at("192.168.1.100:5000")));
}

#[test]
fn with_the_internal_source_the_sender_s_own_address_arrives() {
    let mut lab = hairpinning(Hairpinning::InternalSource);
    let there = lab.from_lan(tcp("192.168.1.100:5000", "203.0.113.7:80").syn().packet());
    assert_eq!((there.from(), there.to()), (at("192.168.1.100:5000"), at("192.168.1.101:8080")));
    assert_eq!(lab.translations().len(), 1);
}

/// Within one subnet the answer never comes to the router; between two it does.
#[test]
fn an_answer_to_an_internal_source_is_translated_where_it_is_routed() {
    let mut lab = Lab::with(|profile, config| {
        profile.nat.tcp.hairpinning.value = Hairpinning::InternalSource;
        config.lan.push("192.168.2.1/24".parse().unwrap());
        config.forwards = vec!["tcp/80=192.168.2.101:8080".parse().unwrap()];
    });
    lab.from_lan(tcp("192.168.1.100:5000", "203.0.113.7:80").syn().packet());
    let answer = tcp("192.168.2.101:8080", "192.168.1.100:5000").ack(1).syn().packet();
    let answer = lab.send(quirknat_router::event::Interface::Lan(1), answer).remove(0);
    assert_eq!((answer.from(), answer.to()), (at("203.0.113.7:80"), at("192.168.1.100:5000")));
    assert_eq!(answer.ttl(), 63);
}

#[test]
fn filtering_holds_for_neighbours_too() {
    let mut lab = hairpinning(Hairpinning::ExternalSource);
    lab.from_lan(udp("192.168.1.101:6000", "198.51.100.9:53", b""));
    assert_eq!(
        lab.dropped(LAN, udp("192.168.1.100:5000", "203.0.113.7:7000", b"")),
        DropReason::Unsolicited,
        "nobody has that port"
    );
    let mut lab = Lab::with(|profile, _| profile.nat.udp.hairpinning.value = Hairpinning::ExternalSource);
    lab.from_lan(udp("192.168.1.101:6000", "198.51.100.9:53", b""));
    let knock = || udp("192.168.1.100:5000", "203.0.113.7:6000", b"");
    assert_eq!(lab.dropped(LAN, knock()), DropReason::Filtered);
    // What the other one has sent to opens the way back, as it does outside.
    lab.send(LAN, udp("192.168.1.101:6000", "203.0.113.7:5000", b""));
    assert_eq!(lab.from_lan(knock()).to(), at("192.168.1.101:6000"));
}

/// RFC 5508 REQ-7.
#[test]
fn an_error_about_a_hairpinned_packet_comes_back_as_from_outside() {
    let mut lab = hairpinning(Hairpinning::ExternalSource);
    lab.from_lan(udp("192.168.1.101:6000", "198.51.100.9:53", b""));
    let original = udp("192.168.1.100:5000", "203.0.113.7:6000", b"hello");
    let there = lab.from_lan(original.clone());
    let error = || icmp_error(OTHER_PC, WAN_ADDRESS, [3, 3], &there.bytes);
    let back = lab.from_lan(error());
    assert_eq!((back.icmp_kind(), back.source_address()), ([3, 3], *at(WAN_ADDRESS).ip()));
    assert_eq!(back.ip().dst_addr(), *at(PC).ip());
    assert_eq!(back.quote(), with_ttl(63, original), "the packet as the PC knows it, one hop on");

    let mut lab = Lab::with(|profile, _| {
        profile.nat.udp.hairpinning.value = Hairpinning::ExternalSource;
        profile.nat.udp.filtering.value = Filtering::EndpointIndependent;
    });
    lab.from_lan(udp("192.168.1.101:6000", "198.51.100.9:53", b""));
    lab.from_lan(udp("192.168.1.100:5000", "203.0.113.7:6000", b"hello"));
    assert_eq!(lab.dropped(LAN, error()), DropReason::IcmpErrorRefused);
}

#[test]
fn fragments_are_hairpinned_like_whole_packets() {
    let mut lab = hairpinning(Hairpinning::ExternalSource);
    lab.from_lan(udp("192.168.1.101:6000", "198.51.100.9:53", b""));
    let whole = udp("192.168.1.100:5000", "203.0.113.7:6000", &[7; 64]);
    let seen: Vec<_> = fragmented(&whole, 3, 24).into_iter().map(|fragment| lab.from_lan(fragment)).collect();
    assert!(seen.iter().all(|fragment| fragment.on == LAN && fragment.ttl() == 63));
    let whole = reassembled(seen.iter().map(|fragment| &fragment.bytes[..]));
    assert_eq!(whole[12..20], [203, 0, 113, 7, 192, 168, 1, 101]);
}

#[test]
fn a_ping_to_the_wan_address_is_the_router_s_and_a_stray_reply_is_nobody_s() {
    let mut lab = hairpinning(Hairpinning::ExternalSource);
    assert_eq!(lab.from_lan(echo(true, PC, WAN_ADDRESS, 9)).icmp_kind(), [0, 0]);
    assert_eq!(lab.dropped(LAN, echo(false, PC, WAN_ADDRESS, 9)), DropReason::Hairpinning);
}

#[test]
fn the_wan_address_is_the_routers_own_from_inside_where_the_profile_says_so() {
    let mut lab = hairpinning(Hairpinning::ToRouter);
    let refused = lab.from_lan(udp("192.168.1.100:5000", "203.0.113.7:6000", b"hello"));
    assert_eq!((refused.on, refused.source_address()), (LAN, *at(WAN_ADDRESS).ip()));
    assert_eq!(refused.icmp_kind(), [3, 3], "by the address that was asked");
    let reset = lab.from_lan(tcp("192.168.1.100:5000", "203.0.113.7:80").seq(1).syn().packet());
    assert!(reset.tcp().rst(), "whoever is forwarded to from outside");
    assert_eq!(lab.translations(), []);
}
