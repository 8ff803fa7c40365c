//! The NAT half of `libslirp` on the wire, against its source: commit 5367fa1, src/. What its FTP emulation makes of a line
//! is in dialects/libslirp.txt; what the host's kernel decides is in neither.

use quirknat_router::reason::DropReason;

use crate::support::{
    LAN, Lab, OTHER_PC, PC, SERVER, STRANGER, Seen, WAN, WAN_ADDRESS, at, echo, fragmented, icmp_error,
    reassembled, tcp, udp,
};

fn lab() -> Lab {
    Lab::of("libslirp")
}

const CLIENT: &str = "192.168.1.100:1024";
const WEB: &str = "198.51.100.9:80";

/// udp.c, udp_input: solookup goes by the guest's address and port; socket.c, sorecvfrom passes on whoever sends, with
/// his own address.
#[test]
fn a_guests_datagram_socket_has_one_port_and_hears_everybody() {
    let mut lab = lab();
    let outside = lab.from_lan(udp("192.168.1.100:5000", "198.51.100.9:53", b"")).from();
    for peer in ["198.51.100.9:54", "198.51.100.50:53", "192.0.2.77:9"] {
        assert_eq!(lab.from_lan(udp("192.168.1.100:5000", peer, b"")).from(), outside, "to {peer}");
    }
    for stranger in ["198.51.100.9:53", "198.51.100.200:1234"] {
        let heard = lab.from_wan(udp(stranger, &outside.to_string(), b""));
        assert_eq!((heard.from(), heard.to()), (at(stranger), at("192.168.1.100:5000")));
    }
    let other = lab.from_lan(udp("192.168.1.101:5000", "198.51.100.9:53", b"")).from();
    assert_ne!(other, outside, "a socket is one guest's alone");
}

/// tcp_subr.c, tcp_fconnect: a socket for each connection, which knows of no other; a connected one hears its peer alone.
#[test]
fn each_connection_has_a_port_of_its_own_that_its_peer_alone_reaches() {
    let mut lab = lab();
    let first = lab.connect(CLIENT, WEB);
    let second = lab.connect(CLIENT, "198.51.100.50:80");
    assert_ne!(first, second);
    for stranger in ["198.51.100.9:81", "198.51.100.50:80"] {
        let reset = lab.from_wan(tcp(stranger, &first).seq(1).syn().packet());
        assert_eq!((reset.on, reset.tcp().rst()), (WAN, true), "{stranger}: the host's stack answers");
    }
}

/// tcp_subr.c, tcp_fconnect: no bind, so that the guest's port is nobody's concern, a system port neither.
#[test]
fn the_guests_own_port_is_not_looked_at() {
    for own in [80, 1023, 40000] {
        let mut lab = lab();
        let outside = lab.from_lan(udp(&format!("{PC}:{own}"), "198.51.100.9:53", b"")).from().port();
        assert!((32768..=60999).contains(&outside), "{own} became {outside}");
    }
}

/// tcp_input.c, tcp_input: what is no SYN and has no connection goes to dropwithreset.
#[test]
fn a_segment_in_the_middle_is_reset_towards_the_guest() {
    let mut lab = lab();
    let reset = lab.from_lan(tcp(CLIENT, WEB).seq(1000).ack(5000).data("hello?").packet());
    assert_eq!((reset.on, reset.to(), reset.tcp().rst()), (LAN, at(CLIENT), true));
    assert_eq!(lab.translations().len(), 0);
}

/// After these packets the one translation lives for so many seconds, give or take one.
#[track_caller]
fn assert_lives(seconds: u64, packets: impl Fn(&mut Lab)) {
    for (millis, alive) in [(seconds * 1000 - 1000, true), (seconds * 1000 + 1000, false)] {
        let mut lab = lab();
        packets(&mut lab);
        lab.wait_millis(millis);
        assert_eq!(lab.translations().len(), usize::from(alive), "{millis} ms later");
    }
}

/// tcp_timer.h: TCPTV_KEEP_INIT to get connected, and no timer after that, since slirp_do_keepalive is false.
#[test]
fn a_connection_has_75_seconds_to_open_and_then_all_the_time() {
    assert_lives(75, |lab| drop(lab.from_lan(tcp(CLIENT, WEB).seq(999).syn().packet())));
    let mut lab = lab();
    lab.connect(CLIENT, WEB);
    lab.wait_seconds(30 * 86400);
    assert_eq!(lab.translations().len(), 1, "a month later");
}

/// tcp_input.c, tcp_input: TIME_WAIT is 2 × TCPTV_MSL; a RST closes at once.
#[test]
fn both_fins_leave_10_seconds_and_a_reset_none() {
    let opened = |lab: &mut Lab| {
        let outside = lab.connect(CLIENT, WEB);
        lab.from_wan(tcp(WEB, &outside).seq(5000).ack(1000).fin().packet());
        outside
    };
    assert_lives(10, |lab| {
        let outside = opened(lab);
        lab.from_lan(tcp(CLIENT, WEB).seq(1000).ack(5001).fin().packet());
        lab.from_wan(tcp(WEB, &outside).seq(5001).ack(1001).packet());
    });
    let mut lab = lab();
    let outside = lab.connect(CLIENT, WEB);
    lab.from_wan(tcp(WEB, &outside).seq(5000).rst().packet());
    assert_eq!(lab.translations().len(), 0);
}

/// socket.h, SO_EXPIRE: 4 minutes from what either side sent last (socket.c, sosendto and sorecvfrom).
#[test]
fn a_datagram_socket_has_four_minutes_from_the_latest_of_either_side() {
    let query = || udp("192.168.1.100:5000", "198.51.100.9:123", b"query");
    assert_lives(240, |lab| drop(lab.from_lan(query())));
    assert_lives(240, |lab| {
        let outside = lab.from_lan(query()).from().to_string();
        lab.wait_seconds(200);
        lab.from_wan(udp("198.51.100.9:123", &outside, b"answer"));
    });
    assert_lives(240, |lab| {
        lab.from_lan(query());
        lab.wait_seconds(200);
        lab.from_lan(query());
    });
}

/// ip_icmp.c, icmp_send: SO_EXPIRE for a request; icmp_receive: the socket goes with its reply.
#[test]
fn an_echo_request_waits_four_minutes_and_is_forgotten_with_its_reply() {
    assert_lives(240, |lab| drop(lab.from_lan(echo(true, PC, SERVER, 7))));
    let mut lab = lab();
    let outside = lab.from_lan(echo(true, PC, SERVER, 7)).from().port();
    assert_eq!(lab.from_wan(echo(false, SERVER, WAN_ADDRESS, outside)).to(), at("192.168.1.100:7"));
    lab.wait_seconds(2);
    assert_eq!(lab.translations().len(), 0);
}

/// ip_icmp.c, icmp_input frees all but echo requests.
#[test]
fn of_icmp_a_guest_sends_echo_requests_alone() {
    let mut lab = lab();
    for query in [13, 15, 17] {
        let packet = icmp_error(PC, SERVER, [query, 0], &[0; 12]);
        assert_eq!(lab.dropped(LAN, packet), DropReason::UnsupportedIcmpType, "{query}");
    }
    let outside = lab.from_lan(udp("192.168.1.100:5000", "198.51.100.9:53", b"")).from().to_string();
    let answer = lab.from_wan(udp("198.51.100.9:53", &outside, b"answer"));
    let unreachable = icmp_error(PC, SERVER, [3, 3], &answer.bytes[..28]);
    assert!(lab.send(LAN, unreachable).is_empty());
}

/// socket.c, sorecvfrom: a socket that is not connected hears of no error, so that none reaches the guest.
#[test]
fn no_error_from_outside_reaches_a_guest() {
    let mut lab = lab();
    let seen = lab.from_lan(udp("192.168.1.100:5000", "198.51.100.9:53", b"query"));
    for kind in [[3, 3], [3, 1], [11, 0]] {
        let error = icmp_error(STRANGER, WAN_ADDRESS, kind, &seen.bytes[..28]);
        assert!(lab.send(WAN, error).iter().all(|seen| seen.on == WAN), "{kind:?}");
    }
}

/// ip_input.c, ip_reass: udp_input gets the whole datagram, which a socket sends anew, under the host's own number.
#[test]
fn a_guests_fragments_leave_as_one_datagram_of_the_hosts() {
    let datagram = udp("192.168.1.100:5000", "198.51.100.9:53", &[9; 900]);
    let mut parts = fragmented(&datagram, 77, 304);
    parts.reverse();
    let mut lab = lab();
    let last = parts.pop().unwrap();
    for part in parts {
        assert!(lab.send(LAN, part).is_empty(), "it waits for the whole");
    }
    let whole = lab.from_lan(last);
    assert_eq!((whole.on, whole.content().len()), (WAN, 908));
    assert!(!whole.ip().more_frags() && whole.ip().frag_offset() == 0);
    assert_ne!(whole.ip().ident(), 77);
}

/// socket.c, sosendto and tcp_subr.c, tcp_fconnect: all that leaves is sent by the host, which numbers it.
#[test]
fn identifications_are_the_hosts() {
    let mut lab = lab();
    let numbers: Vec<u16> = [PC, OTHER_PC]
        .map(|guest| lab.from_lan(udp(&format!("{guest}:5000"), "198.51.100.9:53", b"")))
        .iter()
        .map(|seen| seen.ip().ident())
        .collect();
    assert_ne!(numbers[0], numbers[1], "both had 0");
}

/// ip.h, IPFRAGTTL: 60 half seconds for the rest of a packet to come.
#[test]
fn fragments_have_30_seconds() {
    let parts = fragmented(&udp("192.168.1.100:5000", "198.51.100.9:53", &[9; 600]), 77, 304);
    for (seconds, is_whole) in [(29, true), (32, false)] {
        let mut lab = lab();
        lab.send(LAN, parts[0].clone());
        lab.wait_seconds(seconds);
        let left: Vec<Seen> = lab.send(LAN, parts[1].clone());
        assert_eq!(!left.is_empty(), is_whole, "{seconds} s");
        if is_whole {
            let bytes = reassembled(left.iter().map(|seen| &seen.bytes[..]));
            assert_eq!(bytes.len(), 20 + 608);
        }
    }
}
