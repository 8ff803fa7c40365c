//! The NAT half of `freebsd-libalias` on the wire, against the library's source: FreeBSD 9.1, sys/netinet/libalias. What its
//! FTP gateway makes of a line is in dialects/freebsd-libalias.txt.

use quirknat_router::event::EventKind;
use quirknat_router::reason::DropReason;

use crate::support::{
    LAN, Lab, OTHER_PC, PC, SERVER, STRANGER, Seen, WAN, WAN_ADDRESS, at, echo, fragmented, icmp_error,
    reassembled, tcp, udp, with_ip_checksum,
};

fn lab() -> Lab {
    Lab::of("freebsd-libalias")
}

/// The external port of a datagram from here to there.
fn port(lab: &mut Lab, from: &str, to: &str) -> u16 {
    lab.from_lan(udp(from, to, b"")).from().port()
}

/// alias_db.c, GetNewPort under PKT_ALIAS_SAME_PORTS: its own port, whatever it is, unless a link to the same end has it;
/// then ALIAS_PORT_BASE and up.
#[test]
fn ports_stay_and_are_shared_among_hosts_that_go_to_different_ends() {
    let mut lab = lab();
    for own in ["80", "1023", "1024", "5000", "65535"] {
        let own_port: u16 = own.parse().unwrap();
        assert_eq!(port(&mut lab, &format!("{PC}:{own}"), "198.51.100.9:53"), own_port);
        // dst_addr and dst_port are compared both.
        assert_eq!(port(&mut lab, &format!("{OTHER_PC}:{own}"), "198.51.100.9:54"), own_port);
        assert_eq!(port(&mut lab, &format!("192.168.1.102:{own}"), "198.51.100.50:53"), own_port);
        let drawn = port(&mut lab, &format!("192.168.1.102:{own}"), "198.51.100.9:53");
        assert!(drawn >= 32768 && drawn != own_port, "{own} became {drawn}");
    }
}

/// alias_db.c, FindUdpTcpOut: another end is another link, which GetNewPort gives its own port again.
#[test]
fn a_port_once_drawn_is_not_kept_for_other_ends() {
    let mut lab = lab();
    assert_eq!(port(&mut lab, &format!("{PC}:5000"), "198.51.100.9:53"), 5000);
    let drawn = port(&mut lab, &format!("{OTHER_PC}:5000"), "198.51.100.9:53");
    assert_ne!(drawn, 5000);
    assert_eq!(port(&mut lab, &format!("{OTHER_PC}:5000"), "198.51.100.9:53"), drawn, "the same link");
    assert_eq!(port(&mut lab, &format!("{OTHER_PC}:5000"), "198.51.100.50:53"), 5000);
}

/// alias_db.c, _FindLinkIn: a link that has a remote end takes packets of that end alone; FindUdpTcpIn: any other packet
/// is for the machine itself, whose stack answers.
#[test]
fn only_the_end_that_was_asked_gets_in_and_others_are_answered_by_the_machine() {
    let mut lab = lab();
    port(&mut lab, &format!("{PC}:5000"), "198.51.100.9:53");
    assert_eq!(lab.from_wan(udp("198.51.100.9:53", "203.0.113.7:5000", b"")).to(), at("192.168.1.100:5000"));
    for stranger in ["198.51.100.9:54", "198.51.100.50:53"] {
        let refusal = lab.from_wan(udp(stranger, "203.0.113.7:5000", b""));
        assert_eq!((refusal.on, refusal.icmp_kind()), (WAN, [3, 3]), "{stranger}");
    }
    let reset = lab.from_wan(tcp("198.51.100.50:20", "203.0.113.7:5000").syn().packet());
    assert_eq!((reset.on, reset.tcp().rst()), (WAN, true));
}

/// alias_db.c, FindIcmpOut and FindIcmpIn: links by source, destination and identifier, with no remote port; the
/// identifier is found by GetNewPort, as a port is.
#[test]
fn identifiers_are_ports_of_their_own() {
    let mut lab = lab();
    let identifier = |seen: &Seen| seen.from().port();
    assert_eq!(identifier(&lab.from_lan(echo(true, PC, SERVER, 7))), 7);
    assert_eq!(identifier(&lab.from_lan(echo(true, OTHER_PC, STRANGER, 7))), 7, "for another destination");
    let drawn = identifier(&lab.from_lan(echo(true, OTHER_PC, SERVER, 7)));
    assert!(drawn >= 32768, "{drawn}");
    let back = lab.from_wan(echo(false, SERVER, WAN_ADDRESS, drawn));
    assert_eq!(back.to(), at("192.168.1.101:7"));
    assert_eq!(lab.from_wan(echo(false, STRANGER, WAN_ADDRESS, 7)).to(), at("192.168.1.101:7"));
}

/// alias.c, IcmpAliasOut: echo and timestamp, and no other query.
#[test]
fn echo_and_timestamp_are_translated_and_other_queries_are_not() {
    for (kind, passes) in [(13, true), (15, false), (17, false)] {
        let mut lab = lab();
        let query = icmp_error(PC, SERVER, [kind, 0], &[0; 12]);
        if passes {
            assert_eq!(lab.from_lan(query).source_address(), *at(WAN_ADDRESS).ip());
        } else {
            assert_eq!(lab.dropped(LAN, query), DropReason::UnsupportedIcmpType);
        }
    }
}

/// alias.c, IcmpAliasIn2: unreachable, source quench, time exceeded and parameter problem, from whomever, by the packet
/// they quote; a redirect is none of them.
#[test]
fn errors_come_in_by_the_packet_they_quote() {
    let mut lab = lab();
    port(&mut lab, &format!("{OTHER_PC}:5000"), "198.51.100.9:53");
    let sent = udp("192.168.1.100:5000", "198.51.100.9:53", b"a query");
    let seen = lab.from_lan(sent.clone());
    assert_ne!(seen.from().port(), 5000);
    for kind in [[3, 3], [4, 0], [11, 0], [12, 0]] {
        let error = lab.from_wan(icmp_error("192.0.2.1", WAN_ADDRESS, kind, &seen.bytes[..28]));
        assert_eq!((error.on, error.to().ip(), error.icmp_kind()), (LAN, at(PC).ip(), kind));
        assert_eq!(error.quote()[12..20], sent[12..20], "the PC's address");
        assert_eq!(error.quote()[20..24], sent[20..24], "the PC's port");
    }
    let redirect = icmp_error("192.0.2.1", WAN_ADDRESS, [5, 1], &seen.bytes[..28]);
    assert!(lab.send(WAN, redirect).iter().all(|seen| seen.on == WAN), "it does not reach the LAN");
}

/// After these packets the one link lives for so many seconds, give or take one.
#[track_caller]
fn assert_lives(seconds: u64, packets: impl Fn(&mut Lab)) {
    for (millis, alive) in [(seconds * 1000 - 1000, true), (seconds * 1000 + 1000, false)] {
        let mut lab = lab();
        packets(&mut lab);
        lab.wait_millis(millis);
        assert_eq!(lab.translations().len(), usize::from(alive), "{millis} ms later");
    }
}

const CLIENT: &str = "192.168.1.100:1024";
const WEB: &str = "198.51.100.9:80";
const OUTSIDE: &str = "203.0.113.7:1024";

/// alias_db.c: TCP_EXPIRE_INITIAL while it opens, TCP_EXPIRE_CONNECTED once it is up (SetStateIn, SetStateOut).
#[test]
fn a_connection_has_five_minutes_to_open_and_then_a_day() {
    assert_lives(300, |lab| drop(lab.from_lan(tcp(CLIENT, WEB).seq(999).syn().packet())));
    assert_lives(86400, |lab| drop(lab.connect(CLIENT, WEB)));
}

/// alias.c, TcpMonitorIn and TcpMonitorOut; alias_db.c: TCP_EXPIRE_SINGLEDEAD while the other side is connected,
/// TCP_EXPIRE_DEAD after that.
#[test]
fn one_sides_end_leaves_90_seconds_and_both_sides_10() {
    let server_fin = || tcp(WEB, OUTSIDE).seq(5000).ack(1000).fin().packet();
    let client_fin = || tcp(CLIENT, WEB).seq(1000).ack(5000).fin().packet();
    assert_lives(90, |lab| {
        lab.connect(CLIENT, WEB);
        lab.from_wan(server_fin());
    });
    assert_lives(90, |lab| {
        lab.connect(CLIENT, WEB);
        lab.from_lan(client_fin());
    });
    assert_lives(90, |lab| {
        lab.connect(CLIENT, WEB);
        lab.from_wan(tcp(WEB, OUTSIDE).seq(5000).rst().packet());
    });
    assert_lives(10, |lab| {
        lab.connect(CLIENT, WEB);
        lab.from_wan(server_fin());
        lab.from_lan(client_fin());
    });
}

/// alias_db.c: UDP_EXPIRE_TIME and ICMP_EXPIRE_TIME, answered or not, from the latest packet of either side (_FindLinkOut
/// and _FindLinkIn set the timestamp).
#[test]
fn datagrams_and_pings_leave_60_seconds_from_the_latest_of_either_side() {
    let query = || udp("192.168.1.100:5000", "198.51.100.9:53", b"query");
    let answer = || udp("198.51.100.9:53", "203.0.113.7:5000", b"answer");
    assert_lives(60, |lab| drop(lab.from_lan(query())));
    for late in [LAN, WAN] {
        assert_lives(60, move |lab| {
            lab.from_lan(query());
            lab.wait_seconds(50);
            lab.send(late, if late == LAN { query() } else { answer() });
        });
    }
    assert_lives(60, |lab| drop(lab.from_lan(echo(true, PC, SERVER, 7))));
    assert_lives(60, |lab| {
        lab.from_lan(echo(true, PC, SERVER, 7));
        lab.from_wan(echo(false, SERVER, WAN_ADDRESS, 7));
    });
}

/// alias.c, TcpAliasOut makes a link for any segment; TcpMonitorOut drops none.
#[test]
fn any_segment_opens_and_none_is_dropped_for_its_flags() {
    let mut lab = lab();
    for segment in [
        tcp(CLIENT, WEB).seq(1000).ack(5000).data("in the middle"),
        tcp(CLIENT, WEB).seq(77).ack(1).fin(),
        tcp(CLIENT, WEB).seq(900_000).rst(),
        tcp(CLIENT, WEB).seq(3).syn(),
    ] {
        assert_eq!(lab.from_lan(segment.packet()).from(), at(OUTSIDE));
    }
    assert_eq!(lab.from_wan(tcp(WEB, OUTSIDE).seq(1).ack(2).data("whatever").packet()).to(), at(CLIENT));
    assert_eq!(lab.translations().len(), 1);
}

/// alias.c, LibAliasOutLocked without PKT_ALIAS_UNREGISTERED_ONLY: whatever the source's network.
#[test]
fn sources_of_any_network_are_translated() {
    let foreign = udp("172.16.0.5:5000", "198.51.100.9:53", b"");
    assert_eq!(lab().from_lan(foreign).from(), at("203.0.113.7:5000"));
}

/// alias.c, LibAliasInLocked: the number of a first fragment leads the others, by FragmentIn; those before it wait
/// (LibAliasSaveFragment) up to FRAGMENT_PTR_EXPIRE_TIME.
#[test]
fn fragments_from_outside_follow_their_first_and_wait_for_it_30_seconds() {
    let answer = udp("198.51.100.9:53", "203.0.113.7:5000", &[9; 900]);
    let parts = fragmented(&answer, 77, 304);
    let mut lab = lab();
    port(&mut lab, &format!("{PC}:5000"), "198.51.100.9:53");
    let mut left: Vec<Seen> = Vec::new();
    for part in [&parts[1], &parts[0], &parts[2]] {
        left.extend(lab.send(WAN, part.clone()));
    }
    assert_eq!(left.len(), 3, "each by itself: nothing is put together");
    let whole = Seen { on: LAN, bytes: reassembled(left.iter().map(|seen| &seen.bytes[..])) };
    assert_eq!(whole.to(), at("192.168.1.100:5000"));

    lab.send(WAN, fragmented(&answer, 78, 304)[1].clone());
    lab.events();
    let is_given_up = |event: &EventKind| matches!(event, EventKind::PacketDropped { .. });
    lab.wait_seconds(29);
    assert!(!lab.events().iter().any(is_given_up));
    lab.wait_seconds(2);
    assert!(lab.events().iter().any(is_given_up));
}

/// ip_options.c, ip_dooptions: ip_dosourceroute is 0, and a recorded route gets the address of the way out.
#[test]
fn the_machine_records_routes_and_follows_none() {
    let with_options = |options: &[u8]| {
        let mut packet = udp("192.168.1.100:5000", "198.51.100.9:53", b"query");
        packet.splice(20..20, options.iter().copied());
        packet[0] += u8::try_from(options.len() / 4).unwrap();
        let length = u16::try_from(packet.len()).unwrap();
        packet[2..4].copy_from_slice(&length.to_be_bytes());
        with_ip_checksum(packet)
    };
    let mut lab = lab();
    let recorded = lab.from_lan(with_options(&[7, 7, 4, 0, 0, 0, 0, 0]));
    assert_eq!(recorded.bytes[20..28], [7, 7, 8, 203, 0, 113, 7, 0]);
    for kind in [131, 137] {
        let routed = with_options(&[kind, 7, 4, 198, 51, 100, 1, 0]);
        assert_eq!(lab.dropped(LAN, routed), DropReason::SourceRouted);
    }
}
