//! Fragments on their way through, and packets that are too large for a link.

use quirknat_router::event::EventKind;
use quirknat_router::packet::Malformed;
use quirknat_router::profile::{FragmentHandling, Profile};
use quirknat_router::reason::DropReason;

use crate::support::{
    Control, LAN, Lab, Seen, WAN, assert_true_checksums, at, echo, fragmented, reassembled, tcp, udp,
    with_ip_checksum, with_ttl,
};

fn large() -> Vec<u8> {
    let payload: Vec<u8> = (0..1000_u16).map(|number| number.to_be_bytes()[1]).collect();
    udp("192.168.1.100:5000", "198.51.100.9:53", &payload)
}

/// The packet that the fragments which left make up.
fn whole(left: &[Seen]) -> Seen {
    assert!(left.iter().all(|seen| seen.on == left[0].on), "all by one way");
    let bytes = reassembled(left.iter().map(|seen| &seen.bytes[..]));
    assert_true_checksums(&bytes);
    Seen { on: left[0].on, bytes }
}

#[test]
fn fragments_in_order_follow_the_first_ones_translation() {
    let mut lab = Lab::new();
    let left: Vec<Seen> = fragmented(&large(), 9, 400).into_iter().map(|part| lab.from_lan(part)).collect();
    assert!(left.iter().all(|seen| seen.ttl() == 63));
    let whole = whole(&left);
    assert_eq!((whole.on, whole.from(), whole.to()), (WAN, at("203.0.113.7:5000"), at("198.51.100.9:53")));
    assert_eq!(whole.content()[8..], large()[28..]);
}

#[test]
fn fragments_before_their_first_wait_and_then_leave_in_the_order_they_came() {
    let mut lab = Lab::new();
    let parts = fragmented(&large(), 9, 400);
    assert_eq!(lab.send(LAN, parts[2].clone()), []);
    assert_eq!(lab.send(LAN, parts[1].clone()), []);
    let held = lab.events().into_iter().filter(|event| matches!(event, EventKind::FragmentHeld { .. }));
    assert_eq!(held.count(), 2);
    let left = lab.send(LAN, parts[0].clone());
    let offsets: Vec<u16> = left.iter().map(|seen| seen.ip().frag_offset()).collect();
    assert_eq!(offsets, [0, 800, 400], "the first, then the others as they came");
    assert_eq!(whole(&left).content()[8..], large()[28..]);
}

#[test]
fn fragments_from_outside_find_their_host() {
    let mut lab = Lab::new();
    lab.udp_mapping();
    let answer = udp("198.51.100.9:53", "203.0.113.7:5000", &[9; 900]);
    let mut left = Vec::new();
    for part in fragmented(&answer, 77, 304).into_iter().rev() {
        left.extend(lab.send(WAN, part));
    }
    assert_eq!((whole(&left).on, whole(&left).to()), (LAN, at("192.168.1.100:5000")));
}

#[test]
fn a_fragmented_ping_keeps_its_checksum() {
    let mut lab = Lab::new();
    lab.from_lan(echo(true, "192.168.1.101", "198.51.100.9", 5));
    let parts = fragmented(&echo(true, "192.168.1.100", "198.51.100.9", 5), 3, 8);
    let left: Vec<Seen> = parts.into_iter().map(|part| lab.from_lan(part)).collect();
    assert_ne!(whole(&left).from().port(), 5, "under another identifier");
}

#[test]
fn a_fragment_whose_first_never_comes_is_dropped_after_the_timeout() {
    let mut lab = Lab::with(|profile, _| profile.fragments.timeout.value = 30);
    let parts = fragmented(&large(), 9, 400);
    lab.send(LAN, parts[1].clone());
    lab.wait_seconds(29);
    lab.events();
    lab.wait_millis(2000);
    let events = lab.events();
    assert!(
        matches!(events[..], [EventKind::PacketDropped { reason: DropReason::FragmentTimeout, .. }]),
        "{events:?}"
    );
    assert_eq!(lab.send(LAN, parts[0].clone()).len(), 1, "the first alone; the other is gone");
}

#[test]
fn no_more_fragments_wait_than_the_profile_says() {
    let mut lab = Lab::with(|profile, _| profile.fragments.held.value = 2);
    let parts = fragmented(&large(), 9, 200);
    lab.send(LAN, parts[1].clone());
    lab.send(LAN, parts[2].clone());
    assert_eq!(lab.dropped(LAN, parts[3].clone()), DropReason::FragmentNoRoom);
    assert_eq!(lab.send(LAN, parts[0].clone()).len(), 3);
    assert_eq!(lab.send(LAN, parts[3].clone()).len(), 1, "the first is known now");
    let other = fragmented(&large(), 10, 200);
    assert_eq!(lab.send(LAN, other[1].clone()), [], "and there is room again");
    assert!(matches!(lab.events().last(), Some(EventKind::FragmentHeld { identification: 10, .. })));
}

#[test]
fn none_waits_where_the_profile_says_so() {
    let mut lab = Lab::with(|profile, _| profile.fragments.held.value = 0);
    let parts = fragmented(&large(), 9, 400);
    assert_eq!(lab.dropped(LAN, parts[1].clone()), DropReason::FragmentNoRoom);
    assert_eq!(lab.send(LAN, parts[0].clone()).len(), 1);
    assert_eq!(lab.send(LAN, parts[1].clone()).len(), 1, "after the first one they follow it");
}

#[test]
fn more_fragmented_packets_than_are_remembered_still_pass() {
    let mut lab = Lab::new();
    for identification in 0..1000 {
        for part in fragmented(&large(), identification, 800) {
            assert_eq!(lab.send(LAN, part).len(), 1, "packet {identification}");
        }
    }
}

#[test]
fn fragments_are_told_apart_by_identification() {
    let mut lab = Lab::new();
    let (one, two) = (fragmented(&large(), 1, 800), fragmented(&large(), 2, 800));
    lab.from_lan(one[0].clone());
    assert_eq!(lab.send(LAN, two[1].clone()), [], "the other packet's first did not come");
    assert_eq!(lab.send(LAN, one[1].clone()).len(), 1);
}

#[test]
fn a_later_fragment_with_no_hop_left_is_dropped_silently() {
    let mut lab = Lab::new();
    let parts = fragmented(&large(), 9, 800);
    lab.from_lan(parts[0].clone());
    assert_eq!(lab.dropped(LAN, with_ttl(1, parts[1].clone())), DropReason::TtlExceeded);
}

#[test]
fn fragments_are_dropped_where_the_profile_says_so() {
    let mut lab = Lab::with(|profile, _| profile.fragments.handling.value = FragmentHandling::Drop);
    for part in fragmented(&large(), 9, 400) {
        assert_eq!(lab.dropped(LAN, part), DropReason::Fragment);
    }
    assert_eq!(lab.translations(), []);
}

fn large_ping(sequence: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let payload = vec![7; 3000];
    etherparse::PacketBuilder::ipv4([192, 168, 1, 100], [192, 168, 1, 1], 64)
        .icmpv4_echo_request(5, sequence)
        .write(&mut bytes, &payload)
        .unwrap();
    bytes
}

#[test]
fn a_ping_to_the_router_in_fragments_of_any_order_is_answered_in_fragments() {
    let mut lab = Lab::new();
    let mut parts = fragmented(&large_ping(1), 3, 1400);
    parts.rotate_left(1);
    let last = parts.pop().unwrap();
    for part in parts {
        assert_eq!(lab.send(LAN, part), []);
    }
    let left = lab.send(LAN, last);
    assert!(left.len() == 3 && left.iter().all(|seen| seen.bytes.len() <= 1500));
    let whole = whole(&left);
    assert_eq!((whole.on, whole.bytes.len()), (LAN, large_ping(1).len()));
    assert_eq!(whole.content()[8..], large_ping(1)[28..], "the data comes back");
}

#[test]
fn a_ping_to_the_router_whose_fragments_contradict_each_other_is_dropped() {
    let mut lab = Lab::new();
    let long = fragmented(&large_ping(1), 3, 1400);
    let short = fragmented(&echo(true, "192.168.1.100", "192.168.1.1", 5), 3, 8);
    lab.send(LAN, long[2].clone());
    assert_eq!(lab.dropped(LAN, short.last().unwrap().clone()), DropReason::FragmentContradicts);
}

#[test]
fn of_pings_to_the_router_that_are_under_way_only_the_newest_are_kept() {
    let mut lab = Lab::new();
    let pings: Vec<Vec<Vec<u8>>> =
        (0..5).map(|number| fragmented(&large_ping(number), 10 + number, 1400)).collect();
    for ping in &pings {
        lab.send(LAN, ping[0].clone());
        lab.send(LAN, ping[1].clone());
    }
    assert_eq!(lab.send(LAN, pings[0][2].clone()), [], "the first one's beginning is forgotten");
    assert_eq!(lab.send(LAN, pings[4][2].clone()).len(), 3, "the last one's is not");
}

#[test]
fn a_ping_to_the_router_whose_rest_comes_too_late_is_not_answered() {
    let mut lab = Lab::new();
    let parts = fragmented(&large_ping(1), 3, 1400);
    lab.send(LAN, parts[0].clone());
    lab.send(LAN, parts[1].clone());
    lab.wait_seconds(32);
    assert_eq!(lab.send(LAN, parts[2].clone()), []);
}

/// Case 31: a gateway cannot read a part of a segment, and must not pass what it cannot read.
#[test]
fn a_part_of_a_control_segment_is_dropped() {
    let mut lab = Lab::new();
    let control = Control::open(&mut lab, 21);
    let parts = fragmented(&control.segment("PORT 192,168,1,100,195,80\r\n"), 9, 24);
    assert_eq!(lab.dropped(LAN, parts[0].clone()), DropReason::FragmentOfControl);
    assert_eq!(lab.send(LAN, parts[1].clone()), [], "the rest waits in vain");
    let events = lab.events();
    assert!(!events.iter().any(|event| matches!(event, EventKind::ForwardOpened { .. })), "{events:?}");
}

#[test]
fn a_packet_too_large_for_the_link_is_fragmented() {
    let mut lab = Lab::with(|_, config| (config.lan_mtu, config.wan_mtu) = (576, 576));
    let left = lab.send(LAN, large());
    assert!(left.len() == 2 && left.iter().all(|seen| seen.bytes.len() <= 576));
    assert_eq!(whole(&left).content()[8..], large()[28..]);
}

#[test]
fn fragments_too_large_for_the_link_are_cut_again() {
    let mut lab = Lab::with(|_, config| (config.lan_mtu, config.wan_mtu) = (300, 300));
    let parts = fragmented(&large(), 9, 400);
    let mut left = lab.send(LAN, parts[2].clone());
    left.extend(lab.send(LAN, parts[1].clone()));
    assert_eq!(left, []);
    left = lab.send(LAN, parts[0].clone());
    assert!(left.iter().all(|seen| seen.bytes.len() <= 300), "{left:?}");
    assert_eq!(whole(&left).content()[8..], large()[28..]);
}

#[test]
fn a_packet_too_large_that_may_not_be_fragmented_is_answered_with_the_mtu() {
    let mut lab = Lab::with(|_, config| (config.lan_mtu, config.wan_mtu) = (576, 576));
    lab.udp_mapping();
    let before = lab.translations();
    let from_server = udp("198.51.100.9:53", "203.0.113.7:5000", &[1; 600]);
    for (into, mut packet) in [(LAN, large()), (WAN, from_server)] {
        packet[6] = 0x40;
        let packet = crate::support::with_ip_checksum(packet);
        let answer = lab.send(into, packet.clone()).remove(0);
        assert_eq!((answer.on, answer.icmp_kind()), (into, [3, 4]));
        assert_eq!(answer.content()[6..8], 576_u16.to_be_bytes(), "RFC 1191 §4");
        assert_eq!(answer.quote()[..20], packet[..20]);
    }
    assert_eq!(lab.translations(), before);
}

#[test]
fn a_segment_of_just_the_mtu_passes_whole() {
    let mut lab = Lab::with(|_, config| (config.lan_mtu, config.wan_mtu) = (576, 576));
    let fits = tcp("192.168.1.100:1024", "198.51.100.9:80").ack(1).data([0; 536]).packet();
    assert_eq!(lab.from_lan(fits).bytes.len(), 576);
}

fn reassembling() -> Lab {
    Lab::with(|profile, _| profile.fragments.handling.value = FragmentHandling::Reassemble)
}

#[test]
fn fragments_are_put_together_and_cut_for_the_next_link_where_the_profile_says_so() {
    let mut lab = reassembling();
    let mut parts = fragmented(&large(), 9, 400);
    parts.rotate_left(1);
    let last = parts.pop().unwrap();
    for part in parts {
        assert_eq!(lab.send(LAN, part), [], "nothing leaves before the packet is whole");
    }
    let left = lab.send(LAN, last);
    let size = left.iter().map(|seen| seen.bytes.len()).max().unwrap();
    assert!(
        left.len() < fragmented(&large(), 9, 400).len() && size > 420,
        "cut anew: {} of {size}",
        left.len()
    );
    let packet = whole(&left);
    assert_eq!(
        (packet.on, packet.ttl(), *packet.from().ip()),
        (WAN, 63, *crate::support::at("203.0.113.7").ip())
    );
    assert_eq!(packet.content()[8..], large()[28..]);
    assert_eq!(lab.router.counters().forwarded, 1);
}

/// Fragments that follow their first one pass unverified; a whole packet does not.
#[test]
fn a_packet_put_together_has_its_checksum_verified() {
    let mut damaged = large();
    let end = damaged.len() - 1;
    damaged[end] ^= 1;
    let mut lab = reassembling();
    let parts = fragmented(&damaged, 9, 800);
    let (last, others) = parts.split_last().unwrap();
    for part in others {
        assert_eq!(lab.send(LAN, part.clone()), []);
    }
    let reason = DropReason::Malformed(quirknat_router::packet::Malformed::TransportChecksum);
    assert_eq!(lab.dropped(LAN, last.clone()), reason);
    assert_eq!(lab.translations(), []);
}

#[test]
fn a_packet_that_is_not_whole_in_time_is_dropped() {
    let mut lab = Lab::with(|profile, _| {
        profile.fragments.handling.value = FragmentHandling::Reassemble;
        profile.fragments.timeout.value = 2000;
    });
    lab.send(LAN, fragmented(&large(), 9, 800).swap_remove(0));
    lab.events();
    lab.wait_seconds(1999);
    assert_eq!(lab.events(), []);
    lab.wait_seconds(2);
    let told = lab.events();
    assert!(
        matches!(told[..], [EventKind::PacketDropped { reason: DropReason::ReassemblyTimeout, .. }]),
        "{told:?}"
    );
    assert_eq!(lab.router.poll_timeout(), None);
}

#[test]
fn no_more_fragments_wait_for_their_packet_than_the_profile_says() {
    let mut lab = Lab::with(|profile, _| {
        profile.fragments.handling.value = FragmentHandling::Reassemble;
        profile.fragments.held.value = 2;
    });
    for identification in 1..=2 {
        assert_eq!(lab.send(LAN, fragmented(&large(), identification, 800).swap_remove(0)), []);
    }
    let third = fragmented(&large(), 3, 800).swap_remove(0);
    assert_eq!(lab.dropped(LAN, third), DropReason::FragmentNoRoom);
}

/// What leaves of a packet that came in these fragments, in that order.
fn left(lab: &mut Lab, fragments: &[Vec<u8>]) -> Vec<Vec<u8>> {
    fragments.iter().flat_map(|fragment| lab.send(LAN, fragment.clone())).map(|seen| seen.bytes).collect()
}

fn content_lengths(fragments: &[Vec<u8>]) -> Vec<usize> {
    fragments.iter().map(|fragment| fragment.len() - 20).collect()
}

#[test]
fn a_packet_leaves_in_the_fragments_it_came_in_where_the_profile_says_so() {
    let datagram = || udp("192.168.1.100:5000", "198.51.100.9:53", &[7; 100]);
    let cut = |mtu, size| {
        let mut lab = Lab::with(|profile, config| {
            *profile = Profile::named("linux-netfilter").unwrap();
            config.wan_mtu = mtu;
        });
        let mut fragments = fragmented(&datagram(), 9, size);
        fragments.reverse();
        let left = left(&mut lab, &fragments);
        assert_eq!(reassembled(left.iter().map(Vec::as_slice)).len(), datagram().len());
        content_lengths(&left)
    };
    assert_eq!(cut(1500, 40), [40, 40, 28]);
    assert_eq!(cut(68, 64), [48, 48, 12], "they do not fit");
    assert_eq!(cut(1500, 24), [24, 24, 24, 24, 12], "in order, whatever order they came in");
}

#[test]
fn a_first_fragment_within_the_header_is_read_once_the_packet_is_whole() {
    let segment = tcp("192.168.1.100:5000", "198.51.100.9:80").seq(1).syn().packet();
    let fragments = fragmented(&segment, 9, 8);
    let mut lab = Lab::of("linux-netfilter");
    let left = left(&mut lab, &fragments);
    assert_eq!(reassembled(left.iter().map(Vec::as_slice))[12..16], [203, 0, 113, 7]);
    let mut lab = Lab::new();
    let headless = DropReason::Malformed(Malformed::TransportLength);
    assert_eq!(lab.dropped(LAN, fragments[0].clone()), headless, "nothing can be read of it alone");
}

#[test]
fn fragments_that_may_not_be_cut_say_so_where_they_are_cut_anew() {
    let uncut = |fragment: &Vec<u8>| {
        let mut fragment = fragment.clone();
        fragment[6] |= 0x40;
        with_ip_checksum(fragment)
    };
    let datagram = udp("192.168.1.100:5000", "198.51.100.9:53", &[7; 100]);
    let fragments: Vec<Vec<u8>> = fragmented(&datagram, 9, 64).iter().map(uncut).collect();
    let mut lab = Lab::of("linux-netfilter");
    let may_be_cut = |fragment: &Vec<u8>| fragment[6] & 0x40 == 0;
    assert!(left(&mut lab, &fragments).iter().all(may_be_cut), "they leave as they came, but for the flag");
    let segment = tcp("192.168.1.100:5000", "198.51.100.9:80").seq(1).syn().packet();
    let headless: Vec<Vec<u8>> = fragmented(&segment, 10, 8).iter().map(uncut).collect();
    assert!(!left(&mut lab, &headless).iter().any(may_be_cut), "don't fragment is kept");
    let mut lab = Lab::with(|profile, config| {
        *profile = Profile::named("linux-netfilter").unwrap();
        config.wan_mtu = 68;
    });
    let refused: Vec<_> = fragments.iter().flat_map(|fragment| lab.send(LAN, fragment.clone())).collect();
    assert_eq!((refused.len(), refused[0].icmp_kind()), (1, [3, 4]), "the largest does not fit");
}

#[test]
fn the_last_fragment_takes_all_that_is_left() {
    let mut lab = Lab::with(|_, config| config.wan_mtu = 70);
    let datagram = udp("192.168.1.100:5000", "198.51.100.9:53", &[7; 90]);
    assert_eq!(content_lengths(&left(&mut lab, &[datagram])), [48, 50], "RFC 791 §3.2");
}
