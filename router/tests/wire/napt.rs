//! Address and port translation of whole packets.

use quirknat_router::event::{EventKind, TranslationRefusal};
use quirknat_router::profile::{Filtering, Mapping, PortAllocation, PortRange};
use quirknat_router::reason::DropReason;

use crate::support::{
    LAN, Lab, OTHER_PC, PC, SERVER, STRANGER, Seen, WAN, WAN_ADDRESS, at, echo, tcp, udp, with_ttl,
};

fn port_5000(host: &str) -> String {
    format!("{host}:5000")
}

#[test]
fn a_tcp_connection_goes_out_and_back_with_one_hop_less() {
    let mut lab = Lab::new();
    let out = lab.from_lan(tcp("192.168.1.100:1024", "198.51.100.9:80").seq(7).syn().packet());
    assert_eq!((out.on, out.from(), out.to()), (WAN, at("203.0.113.7:1024"), at("198.51.100.9:80")));
    assert_eq!((out.ttl(), out.tcp().seq_number().0), (63, 7));

    let back = lab.from_wan(tcp("198.51.100.9:80", "203.0.113.7:1024").seq(9).ack(8).syn().packet());
    assert_eq!((back.on, back.from(), back.to()), (LAN, at("198.51.100.9:80"), at("192.168.1.100:1024")));
    assert_eq!((back.ttl(), back.tcp().ack_number().0), (63, 8));
    assert_eq!(lab.translations().len(), 1);
}

#[test]
fn a_udp_exchange_goes_out_and_back() {
    let mut lab = Lab::new();
    let out = lab.from_lan(udp("192.168.1.100:5000", "198.51.100.9:53", b"query"));
    assert_eq!((out.on, out.from(), out.ttl()), (WAN, at("203.0.113.7:5000"), 63));
    let back = lab.from_wan(udp("198.51.100.9:53", "203.0.113.7:5000", b"answer"));
    assert_eq!(
        (back.on, back.to(), back.content()[8..].to_vec()),
        (LAN, at("192.168.1.100:5000"), b"answer".to_vec())
    );
}

#[test]
fn a_ping_goes_out_and_its_reply_back_under_its_own_identifier() {
    let mut lab = Lab::new();
    let first = lab.from_lan(echo(true, PC, SERVER, 77));
    let second = lab.from_lan(echo(true, OTHER_PC, SERVER, 77));
    assert_eq!(first.from(), at("203.0.113.7:77"));
    assert_ne!(second.from().port(), 77, "the identifier is taken");
    let back = lab.from_wan(echo(false, SERVER, WAN_ADDRESS, second.from().port()));
    assert_eq!((back.on, back.to()), (LAN, at("192.168.1.101:77")));
}

#[test]
fn a_ping_from_outside_is_not_let_in_by_a_ping_from_inside() {
    let mut lab = Lab::new();
    lab.from_lan(echo(true, PC, SERVER, 77));
    assert_eq!(lab.dropped(WAN, echo(true, SERVER, WAN_ADDRESS, 77)), DropReason::WanPing);
}

#[test]
fn two_hosts_with_one_port_get_two() {
    let mut lab = Lab::new();
    let first = lab.from_lan(udp(&port_5000(PC), "198.51.100.9:53", b""));
    let second = lab.from_lan(udp(&port_5000(OTHER_PC), "198.51.100.9:53", b""));
    assert_eq!(first.from(), at("203.0.113.7:5000"), "the port is preserved");
    assert_ne!(second.from().port(), 5000);
    assert!(second.from().port() >= 1024, "from the profile's range");
    let back = lab.from_wan(udp("198.51.100.9:53", &second.from().to_string(), b""));
    assert_eq!(back.to(), at("192.168.1.101:5000"));
    let tcp = lab.from_lan(tcp(&port_5000(OTHER_PC), "198.51.100.9:53").syn().packet());
    assert_eq!(tcp.from().port(), 5000, "TCP's ports are others than UDP's");
}

#[test]
fn sequential_allocation_goes_through_its_range_and_then_refuses() {
    let mut lab = Lab::with(|profile, _| {
        profile.ports.allocation.value = PortAllocation::Sequential;
        profile.ports.range.value = PortRange { first: 61000, last: 61001 };
    });
    let port =
        |lab: &mut Lab, host: &str| lab.from_lan(udp(&port_5000(host), "198.51.100.9:53", b"")).from().port();
    assert_eq!([port(&mut lab, PC), port(&mut lab, OTHER_PC)], [61000, 61001]);
    lab.events();
    assert_eq!(lab.dropped(LAN, udp("192.168.1.102:5000", "198.51.100.9:53", b"")), DropReason::NoPortLeft);
    let told = lab.events().into_iter().any(|event| {
        matches!(event, EventKind::TranslationRefused { reason: TranslationRefusal::NoPortLeft, .. })
    });
    assert!(told, "the refusal is an event of its own");

    lab.wait_seconds(122);
    assert_eq!(port(&mut lab, "192.168.1.102"), 61000, "ports come free when their mappings end");
}

/// The external ports that one internal endpoint gets towards three remotes: two ports of one address, and another.
fn ports_by(mapping: Mapping) -> [u16; 3] {
    let mut lab = Lab::with(|profile, _| profile.nat.udp.mapping.value = mapping);
    ["198.51.100.9:53", "198.51.100.9:54", "198.51.100.50:53"]
        .map(|remote| lab.from_lan(udp(&port_5000(PC), remote, b"")).from().port())
}

#[test]
fn a_mapping_depends_on_the_remote_as_the_profile_says() {
    assert_eq!(ports_by(Mapping::EndpointIndependent), [5000; 3]);
    let [one, other_port, other_address] = ports_by(Mapping::AddressDependent);
    assert!(one == other_port && one != other_address);
    let [one, other_port, other_address] = ports_by(Mapping::AddressAndPortDependent);
    assert!(one != other_port && one != other_address && other_port != other_address);
}

/// RFC 3489 §5, by what is seen outside: whether two remotes see one port, and who gets in of the one that was sent to,
/// another port of its, and a stranger.
#[test]
fn the_classic_types_are_what_their_names_say() {
    for (profile, is_cone, admitted) in [
        ("full-cone", true, [true, true, true]),
        ("restricted-cone", true, [true, true, false]),
        ("port-restricted-cone", true, [true, false, false]),
        ("symmetric", false, [true, false, false]),
        ("rfc-4787", true, [true, true, true]),
        ("carrier-grade", true, [true, true, true]),
    ] {
        let mut lab = Lab::of(profile);
        let external = lab.udp_mapping();
        let seen = ["198.51.100.9:53", "198.51.100.9:99", "198.51.100.50:53"]
            .map(|remote| lab.send(WAN, udp(remote, &external, b"")).iter().any(|seen| seen.on == LAN));
        assert_eq!(seen, admitted, "{profile}");
        let towards_another = lab.from_lan(udp(&port_5000(PC), "192.0.2.77:53", b"")).from();
        assert_eq!(towards_another == at(&external), is_cone, "{profile}");
    }
}

/// Which of three remotes get in to a mapping that the server's port 53 was sent to: that one, another port of the
/// server's, a stranger.
fn admitted_by(filtering: Filtering) -> [bool; 3] {
    let mut lab = Lab::with(|profile, _| profile.nat.udp.filtering.value = filtering);
    lab.udp_mapping();
    ["198.51.100.9:53", "198.51.100.9:99", "198.51.100.50:53"]
        .map(|remote| !lab.send(WAN, udp(remote, "203.0.113.7:5000", b"")).is_empty())
}

#[test]
fn filtering_admits_whom_the_profile_says() {
    assert_eq!(admitted_by(Filtering::EndpointIndependent), [true, true, true]);
    assert_eq!(admitted_by(Filtering::AddressDependent), [true, true, false]);
    assert_eq!(admitted_by(Filtering::AddressAndPortDependent), [true, false, false]);
}

#[test]
fn a_filtered_packet_says_so_and_an_unsolicited_one_too() {
    let mut lab = Lab::new();
    lab.udp_mapping();
    assert_eq!(lab.dropped(WAN, udp("198.51.100.50:1", "203.0.113.7:5000", b"")), DropReason::Filtered);
    assert_eq!(lab.dropped(WAN, udp("198.51.100.50:1", "203.0.113.7:5001", b"")), DropReason::Unsolicited);
}

#[test]
fn an_address_that_was_let_in_once_is_shut_out_when_its_last_translation_ends() {
    let mut lab = Lab::with(|profile, _| profile.nat.udp.filtering.value = Filtering::AddressDependent);
    lab.udp_mapping();
    lab.wait_seconds(100);
    lab.from_lan(udp(&port_5000(PC), "198.51.100.50:53", b""));
    lab.wait_seconds(25);
    assert_eq!(lab.translations().len(), 1, "the server's is over, the stranger's is not");
    assert_eq!(lab.dropped(WAN, udp("198.51.100.9:53", "203.0.113.7:5000", b"")), DropReason::Filtered);
}

#[test]
fn only_a_syn_comes_in_through_an_open_filter() {
    let mut lab = Lab::with(|profile, _| profile.nat.tcp.filtering.value = Filtering::EndpointIndependent);
    lab.connect("192.168.1.100:1024", "198.51.100.9:80");
    let stranger = || tcp("198.51.100.50:4000", "203.0.113.7:1024");
    assert_eq!(lab.dropped(WAN, stranger().ack(1).packet()), DropReason::Unsolicited);
    assert_eq!(lab.dropped(WAN, stranger().syn().ack(1).packet()), DropReason::Unsolicited);
    assert_eq!(lab.from_wan(stranger().syn().packet()).to(), at("192.168.1.100:1024"));
}

#[test]
fn a_udp_checksum_of_zero_stays_zero() {
    let mut lab = Lab::new();
    let mut packet = udp("192.168.1.100:5000", "198.51.100.9:53", b"no checksum");
    packet[26..28].fill(0);
    let out = lab.from_lan(packet);
    assert_eq!((out.from(), out.udp().checksum()), (at("203.0.113.7:5000"), 0));
}

#[test]
fn no_udp_checksum_ever_becomes_zero() {
    let mut lab = Lab::new();
    // 65536 payloads give every checksum, so that one comes out as zero and must be sent as all ones.
    let mut all_ones = 0;
    for word in 0..=u16::MAX {
        let out = lab.from_lan(udp("192.168.1.100:5000", "198.51.100.9:53", &word.to_be_bytes()));
        assert_ne!(out.udp().checksum(), 0);
        all_ones += u32::from(out.udp().checksum() == 0xffff);
    }
    assert_eq!(all_ones, 1);
}

#[test]
fn a_simultaneous_open_passes() {
    let mut lab = Lab::new();
    lab.from_lan(tcp("192.168.1.100:1024", "198.51.100.9:4000").seq(1).syn().packet());
    let syn = lab.from_wan(tcp("198.51.100.9:4000", "203.0.113.7:1024").seq(9).syn().packet());
    assert_eq!(syn.to(), at("192.168.1.100:1024"));
    lab.from_lan(tcp("192.168.1.100:1024", "198.51.100.9:4000").seq(1).ack(10).syn().packet());
    lab.from_wan(tcp("198.51.100.9:4000", "203.0.113.7:1024").seq(9).ack(2).syn().packet());
    lab.from_lan(tcp("192.168.1.100:1024", "198.51.100.9:4000").seq(2).ack(10).packet());
    lab.wait_seconds(3600);
    assert_eq!(lab.translations().len(), 1, "it is established, not opening");
}

#[test]
fn a_rst_without_a_connection_opens_none() {
    let mut lab = Lab::new();
    let rst = tcp("192.168.1.100:1024", "198.51.100.9:80").rst().packet();
    assert_eq!(lab.dropped(LAN, rst), DropReason::NoTranslation);
    assert_eq!(lab.dropped(LAN, echo(false, PC, SERVER, 5)), DropReason::NoTranslation);
    assert_eq!(lab.translations(), []);
}

#[test]
fn a_packet_that_may_not_pass_makes_no_translation() {
    let mut lab = Lab::new();
    let left = lab.from_lan(with_ttl(1, udp("192.168.1.100:5000", "198.51.100.9:53", b"")));
    assert_eq!((left.on, left.icmp_kind()), (LAN, [11, 0]));
    assert_eq!(lab.translations(), []);
    assert_eq!(
        lab.dropped(WAN, udp(&format!("{STRANGER}:53"), "203.0.113.7:5000", b"")),
        DropReason::Unsolicited
    );
}

#[test]
fn tcp_and_udp_and_queries_have_rules_of_their_own() {
    let mut lab = Lab::with(|profile, _| {
        profile.nat.tcp.mapping.value = Mapping::AddressAndPortDependent;
        profile.nat.icmp.mapping.value = Mapping::AddressDependent;
        profile.nat.udp.filtering.value = Filtering::EndpointIndependent;
    });
    let mut ports = |packet: fn(&str) -> Vec<u8>| {
        ["198.51.100.9", "198.51.100.50"].map(|remote| lab.from_lan(packet(remote)).from().port())
    };
    let udp_ports = ports(|remote| udp(&port_5000(PC), &format!("{remote}:53"), b""));
    let tcp_ports = ports(|remote| tcp(&port_5000(PC), &format!("{remote}:80")).syn().packet());
    let identifiers = ports(|remote| echo(true, PC, remote, 5000));
    assert_eq!(udp_ports, [5000, 5000]);
    assert!(
        tcp_ports[0] != tcp_ports[1] && identifiers[0] != identifiers[1],
        "{tcp_ports:?} {identifiers:?}"
    );
    assert_eq!(lab.from_wan(udp("192.0.2.77:9", "203.0.113.7:5000", b"")).on, LAN);
    let syn = tcp("192.0.2.77:9", "203.0.113.7:5000").syn().packet();
    assert_eq!(lab.dropped(WAN, syn), DropReason::Filtered);
}

/// RFC 5508 §3: a reply that another one sends is let in where filtering says so, a request never.
#[test]
fn a_reply_from_elsewhere_is_filtered_like_any_packet() {
    for (filtering, is_admitted) in
        [(Filtering::EndpointIndependent, true), (Filtering::AddressDependent, false)]
    {
        let mut lab = Lab::with(|profile, _| profile.nat.icmp.filtering.value = filtering);
        lab.from_lan(echo(true, PC, SERVER, 77));
        let left = lab.send(WAN, echo(false, STRANGER, WAN_ADDRESS, 77));
        assert_eq!(left.first().map(Seen::to), is_admitted.then(|| at("192.168.1.100:77")));
        assert_eq!(lab.dropped(WAN, echo(true, STRANGER, WAN_ADDRESS, 77)), DropReason::WanPing);
    }
}
