//! ICMP errors about translated packets, and the packets they quote.

use smoltcp::wire::{IpProtocol, Ipv4Packet, TcpPacket, UdpPacket};

use quirknat_router::profile::IcmpErrors;
use quirknat_router::reason::DropReason;

use crate::support::{
    Control, LAN, Lab, OTHER_PC, PC, SERVER, Seen, WAN, WAN_ADDRESS, at, echo, icmp_error, tcp, udp,
    with_ip_checksum,
};

/// A router on the way to the server.
const HOP: &str = "192.0.2.1";

/// The error that a router on the way sends about `seen`, quoting so many octets of it.
fn about(seen: &Seen, quoted: usize) -> Vec<u8> {
    icmp_error(HOP, WAN_ADDRESS, [11, 0], &seen.bytes[..quoted.min(seen.bytes.len())])
}

/// smoltcp finds the quoted packet's checksums right; it must be quoted whole.
fn assert_true_quote(quote: &[u8]) {
    let ip = Ipv4Packet::new_checked(quote).unwrap();
    assert!(ip.verify_checksum(), "the quoted IPv4 header's checksum is true");
    let (source, destination) = (ip.src_addr().into(), ip.dst_addr().into());
    match ip.next_header() {
        IpProtocol::Tcp => {
            assert!(TcpPacket::new_checked(ip.payload()).unwrap().verify_checksum(&source, &destination));
        }
        IpProtocol::Udp => {
            assert!(UdpPacket::new_checked(ip.payload()).unwrap().verify_checksum(&source, &destination));
        }
        _ => assert_eq!(smoltcp::wire::checksum::data(ip.payload()), 0xffff),
    }
}

/// What a host sends out, one packet of each kind.
fn outgoing(host: &str) -> [Vec<u8>; 3] {
    let source = format!("{host}:1024");
    [
        tcp(&source, "198.51.100.9:80").seq(7).syn().packet(),
        udp(&source, "198.51.100.9:53", b"a query"),
        echo(true, host, SERVER, 1024),
    ]
}

#[test]
fn an_error_from_outside_shows_the_sender_its_own_packet() {
    let mut lab = Lab::new();
    // Another host has the ports and the identifier already, so that they change too.
    for packet in outgoing(OTHER_PC) {
        lab.from_lan(packet);
    }
    for packet in outgoing(PC) {
        let seen = lab.from_lan(packet.clone());
        assert_ne!(seen.from().port(), 1024);
        let error = lab.from_wan(about(&seen, usize::MAX));
        assert_eq!((error.on, error.source_address().to_string(), error.ttl()), (LAN, HOP.to_owned(), 63));
        assert_eq!((error.icmp_kind(), error.to().ip()), ([11, 0], at(PC).ip()));
        assert_true_quote(error.quote());
        let mut expected = packet;
        // One hop less, as the hop saw it.
        expected[8] = 63;
        assert_eq!(error.quote(), with_ip_checksum(expected));
    }
}

#[test]
fn an_error_about_a_query_besides_echo_reaches_who_asked() {
    let mut lab = Lab::of("linux-netfilter");
    let asked = icmp_error(PC, SERVER, [17, 0], &[0; 4]);
    let seen = lab.from_lan(asked.clone());
    let error = lab.from_wan(about(&seen, 500));
    assert_eq!(error.quote()[12..16], asked[12..16], "the PC's address");
    let answer = icmp_error(WAN_ADDRESS, SERVER, [18, 0], &[0; 4]);
    let about_answer = icmp_error(HOP, WAN_ADDRESS, [11, 0], &answer);
    assert_eq!(lab.dropped(WAN, about_answer), DropReason::UnrelatedIcmpError, "nobody inside sent it");
}

#[test]
fn a_quote_of_eight_octets_is_enough() {
    let mut lab = Lab::new();
    for packet in outgoing(PC) {
        let seen = lab.from_lan(packet.clone());
        let error = lab.from_wan(about(&seen, 28));
        assert_eq!(error.quote()[12..16], packet[12..16], "the PC's address");
        assert_eq!(error.quote()[20..28], packet[20..28], "the first eight octets as they were sent");
        assert_eq!(lab.dropped(WAN, about(&seen, 27)), DropReason::UnrelatedIcmpError);
    }
}

#[test]
fn an_error_from_inside_shows_the_remote_its_own_packet() {
    let mut lab = Lab::new();
    lab.udp_mapping();
    let packet = udp("198.51.100.9:53", "203.0.113.7:5000", b"an answer");
    let inside = lab.from_wan(packet.clone());
    let error = lab.from_lan(icmp_error(PC, SERVER, [3, 3], &inside.bytes));
    assert_eq!((error.on, error.source_address().to_string()), (WAN, WAN_ADDRESS.to_owned()));
    assert_eq!(error.to().ip(), at(SERVER).ip());
    assert_true_quote(error.quote());
    assert_eq!(error.quote()[12..], packet[12..], "from the address on");
}

#[test]
fn a_quoted_datagram_without_a_checksum_has_none_afterwards() {
    let mut lab = Lab::new();
    let mut packet = udp("192.168.1.100:5000", "198.51.100.9:53", b"query");
    packet[26..28].fill(0);
    let seen = lab.from_lan(packet);
    assert_eq!(lab.from_wan(about(&seen, 500)).quote()[26..28], [0, 0]);
}

#[test]
fn a_quoted_sequence_number_is_the_senders_own() {
    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 21);
    control.say(&mut lab, "PORT 192,168,1,100,195,80\r\n");
    let start = control.sent;
    let list = control.say(&mut lab, "LIST\r\n");
    assert_eq!(list.sequence(), start - 2, "as the server counts");
    for quoted in [28, 500] {
        let error = lab.from_wan(about(&list, quoted));
        assert_eq!(error.quote()[24..28], start.to_be_bytes());
        if quoted > 28 {
            assert_true_quote(error.quote());
        }
    }
}

#[test]
fn an_error_that_quotes_nothing_of_ours_is_dropped() {
    let mut lab = Lab::new();
    lab.udp_mapping();
    let quotes = [
        udp("203.0.113.7:5000", "198.51.100.9:54", b"another port"),
        udp("203.0.113.7:5001", "198.51.100.9:53", b"not our port"),
        udp("198.51.100.9:53", "203.0.113.7:5000", b"the wrong way round"),
        tcp("203.0.113.7:5000", "198.51.100.9:53").packet(),
        Vec::new(),
        vec![0x45; 20],
        vec![0x4f; 30],
    ];
    for quote in quotes {
        let error = icmp_error(HOP, WAN_ADDRESS, [3, 1], &quote);
        assert_eq!(lab.dropped(WAN, error), DropReason::UnrelatedIcmpError, "{quote:?}");
    }
}

#[test]
fn an_error_neither_refreshes_nor_ends_a_translation() {
    let mut lab = Lab::new();
    let seen = lab.from_lan(tcp("192.168.1.100:1024", "198.51.100.9:80").seq(7).syn().packet());
    let before = lab.translations();
    for kind in [[3, 1], [3, 2], [3, 3], [3, 4], [11, 0], [12, 0], [4, 0]] {
        lab.wait_seconds(5);
        lab.from_wan(icmp_error(HOP, WAN_ADDRESS, kind, &seen.bytes));
        assert_eq!(lab.translations(), before);
    }
}

/// An error about a datagram of the PC's, from `sender` outside.
fn error_from(lab: &mut Lab, sender: &str) -> Vec<u8> {
    let seen = lab.from_lan(udp("192.168.1.100:5000", "198.51.100.9:53", b"query"));
    icmp_error(sender, WAN_ADDRESS, [3, 1], &seen.bytes)
}

#[test]
fn errors_are_treated_as_the_profile_says() {
    let with = |treatment| Lab::with(|profile, _| profile.icmp.inbound_errors.value = treatment);

    let mut lab = with(IcmpErrors::Drop);
    let error = error_from(&mut lab, SERVER);
    assert_eq!(lab.dropped(WAN, error), DropReason::IcmpErrorRefused);

    let mut lab = with(IcmpErrors::TranslateFromPeer);
    let (peer, hop) = (error_from(&mut lab, SERVER), error_from(&mut lab, HOP));
    assert_eq!(lab.from_wan(peer).on, LAN);
    assert_eq!(lab.dropped(WAN, hop), DropReason::IcmpErrorNotFromPeer);

    let mut lab = with(IcmpErrors::TranslateOuter);
    let error = error_from(&mut lab, SERVER);
    let left = lab.from_wan(error.clone());
    assert_eq!((left.on, *left.to().ip()), (LAN, *at(PC).ip()));
    assert_eq!(left.quote(), &error[28..], "it quotes what the sender never sent so");
}

#[test]
fn errors_from_the_lan_have_a_treatment_of_their_own() {
    let mut lab = Lab::with(|profile, _| profile.icmp.outbound_errors.value = IcmpErrors::Drop);
    let outside = lab.udp_mapping();
    let answer = lab.from_wan(udp("198.51.100.9:53", &outside, b"answer"));
    let error = icmp_error(PC, SERVER, [3, 3], &answer.bytes);
    assert_eq!(lab.dropped(LAN, error), DropReason::IcmpErrorRefused);
}

#[test]
fn an_error_from_the_lan_must_be_to_the_other_end_where_the_profile_says_so() {
    for (to_peer, on) in [(false, Some(WAN)), (true, None)] {
        let mut lab = Lab::with(|profile, _| profile.icmp.outbound_errors_to_peer.value = to_peer);
        lab.from_lan(udp("192.168.1.100:1024", "198.51.100.9:53", b"a query"));
        let answer = lab.from_wan(udp("198.51.100.9:53", "203.0.113.7:1024", b"an answer"));
        let error = |destination| icmp_error(PC, destination, [3, 3], &answer.bytes);
        assert_eq!(lab.send(LAN, error("198.51.100.50")).first().map(|seen| seen.on), on);
        assert_eq!(lab.from_lan(error(SERVER)).on, WAN);
    }
}
