//! What the WAN gets for a packet that nothing wants.

use quirknat_router::event::EventKind;
use quirknat_router::profile::{Profile, UnsolicitedTcp, UnsolicitedUdp};
use quirknat_router::reason::DropReason;
use smoltcp::wire::IpProtocol;

use crate::support::{Lab, WAN, WAN_ADDRESS, at, tcp, udp, with_ip_checksum};

fn answering(tcp: UnsolicitedTcp, udp: UnsolicitedUdp, delay: u32) -> impl FnOnce(&mut Profile) {
    move |profile| {
        profile.wan.unsolicited_tcp.value = tcp;
        profile.wan.unsolicited_udp.value = udp;
        profile.wan.syn_answer_delay.value = delay;
    }
}

fn lab(change: impl FnOnce(&mut Profile)) -> Lab {
    Lab::with(|profile, _| change(profile))
}

fn syn() -> Vec<u8> {
    tcp("198.51.100.9:20", "203.0.113.7:16683").seq(7).syn().packet()
}

#[test]
fn an_unsolicited_packet_is_rejected_where_the_profile_says_so() {
    let mut lab = lab(answering(UnsolicitedTcp::Reset, UnsolicitedUdp::PortUnreachable, 0));
    let reset = lab.from_wan(syn());
    assert_eq!((reset.on, reset.from(), reset.to()), (WAN, at("203.0.113.7:16683"), at("198.51.100.9:20")));
    assert!(reset.tcp().rst());
    assert_eq!(reset.tcp().ack_number().0, 8);

    let datagram = udp("198.51.100.9:53", "203.0.113.7:5000", b"");
    let refusal = lab.from_wan(datagram.clone());
    assert_eq!((refusal.on, refusal.icmp_kind(), refusal.quote()), (WAN, [3, 3], &datagram[..]));
    assert_eq!(refusal.ip().next_header(), IpProtocol::Icmp);

    let rst = tcp("198.51.100.9:20", "203.0.113.7:16683").rst().packet();
    assert_eq!(lab.dropped(WAN, rst), DropReason::Unsolicited);
    let mut part = tcp("198.51.100.9:20", "203.0.113.7:16683").syn().data([0; 8]).packet();
    part[6] = 0x20;
    assert_eq!(lab.dropped(WAN, with_ip_checksum(part)), DropReason::Unsolicited, "its length is not known");
}

#[test]
fn icmp_can_refuse_tcp_and_udp_alike() {
    for (tcp_answer, udp_answer, code) in [
        (UnsolicitedTcp::PortUnreachable, UnsolicitedUdp::PortUnreachable, 3),
        (UnsolicitedTcp::Prohibited, UnsolicitedUdp::Prohibited, 13),
    ] {
        let mut lab = lab(answering(tcp_answer, udp_answer, 0));
        for packet in [syn(), udp("198.51.100.9:53", "203.0.113.7:5000", b"")] {
            let refusal = lab.from_wan(packet.clone());
            assert_eq!((refusal.on, refusal.icmp_kind(), refusal.quote()), (WAN, [3, code], &packet[..]));
            assert_eq!(refusal.source_address().to_string(), WAN_ADDRESS);
        }
        let rst = tcp("198.51.100.9:20", "203.0.113.7:16683").rst().packet();
        assert_eq!(lab.dropped(WAN, rst), DropReason::Unsolicited, "nothing refuses a reset");
    }
}

#[test]
fn what_filtering_refuses_is_answered_like_what_nothing_wants() {
    let mut lab = lab(answering(UnsolicitedTcp::Drop, UnsolicitedUdp::PortUnreachable, 0));
    lab.udp_mapping();
    let stranger = udp("198.51.100.50:53", "203.0.113.7:5000", b"");
    assert_eq!(lab.from_wan(stranger).icmp_kind(), [3, 3]);
}

/// RFC 5382 REQ-4.
#[test]
fn a_syn_is_answered_when_its_time_is_over_and_other_segments_at_once() {
    let mut lab = lab(answering(UnsolicitedTcp::PortUnreachable, UnsolicitedUdp::Drop, 6));
    assert_eq!(lab.send(WAN, syn()), []);
    assert!(matches!(lab.events()[..], [EventKind::SynHeld { answered_s: 107, .. }]));
    let data = tcp("198.51.100.9:20", "203.0.113.7:16684").ack(1).packet();
    assert_eq!(lab.from_wan(data).icmp_kind(), [3, 3]);
    lab.wait_millis(5900);
    assert_eq!(lab.transmitted(), [], "not within six seconds");
    lab.wait_millis(1000);
    let answers = lab.transmitted();
    assert_eq!((answers.len(), answers[0].icmp_kind(), answers[0].quote()), (1, [3, 3], &syn()[..]));
    assert_eq!(lab.router.poll_timeout(), None);
}

#[test]
fn a_syn_whose_connection_is_opened_from_the_lan_meanwhile_is_never_answered() {
    let mut lab = lab(answering(UnsolicitedTcp::Reset, UnsolicitedUdp::Drop, 6));
    assert_eq!(lab.send(WAN, syn()), []);
    lab.wait_seconds(2);
    lab.from_lan(tcp("192.168.1.100:16683", "198.51.100.9:20").seq(1).syn().packet());
    lab.events();
    lab.wait_seconds(10);
    assert_eq!(lab.transmitted(), []);
    let dropped = EventKind::PacketDropped {
        reason: DropReason::OpenedMeanwhile,
        packet_source: Some(*at("198.51.100.9").ip()),
        packet_destination: Some(*at(WAN_ADDRESS).ip()),
    };
    assert_eq!(lab.events(), [dropped]);
}

#[test]
fn a_flood_of_syns_waits_in_bounded_room() {
    let mut lab = lab(answering(UnsolicitedTcp::Reset, UnsolicitedUdp::Drop, 2000));
    let syn = |port: u16| tcp(&format!("198.51.100.9:{port}"), "203.0.113.7:16683").syn().packet();
    for port in 1..=256 {
        assert_eq!(lab.send(WAN, syn(port)), []);
    }
    assert_eq!(lab.dropped(WAN, syn(300)), DropReason::SynNoRoom);
    lab.wait_seconds(2001);
    assert_eq!(lab.transmitted().len(), 256, "each is answered, however far the delay");
    assert_eq!(lab.send(WAN, syn(300)), []);
    assert_eq!(
        lab.from_lan(udp("192.168.1.100:5000", "198.51.100.9:53", b"")).on,
        WAN,
        "and traffic goes on"
    );
}
