//! Protocols that have no ports: translated by their addresses, where the profile translates them.

use quirknat_router::event::{EventKind, TranslationEnd, TranslationRefusal};
use quirknat_router::packet::Protocol;
use quirknat_router::profile::{AddressConflict, GreToldBy, TellRefusal};
use quirknat_router::reason::DropReason;

use crate::support::{
    LAN, Lab, OTHER_PC, PC, ROUTER, SERVER, STRANGER, WAN, WAN_ADDRESS, at, fragmented, icmp_error, packet,
    reassembled, with_ttl,
};

const ESP: u8 = 50;
const SCTP: u8 = 132;

fn esp(source: &str, destination: &str) -> Vec<u8> {
    packet(ESP, source, destination, b"a security association, and so on")
}

/// Enhanced GRE (RFC 2637 §4.1).
fn call(source: &str, destination: &str, id: u8) -> Vec<u8> {
    packet(Protocol::GRE, source, destination, &[0x30, 1, 0x88, 0x0b, 0, 4, 0, id, 0, 0, 0, 1, 7, 7, 7, 7])
}

#[test]
fn its_addresses_are_translated_and_nothing_else() {
    let mut lab = Lab::of("linux-netfilter");
    let out = lab.from_lan(esp(PC, SERVER));
    assert_eq!((out.on, out.source_address(), out.ttl()), (WAN, *at(WAN_ADDRESS).ip(), 63));
    assert_eq!(out.content(), &esp(PC, SERVER)[20..]);
    let back = lab.from_wan(esp(SERVER, WAN_ADDRESS));
    assert_eq!((back.on, back.ip().dst_addr()), (LAN, *at(PC).ip()));
    assert_eq!(back.content(), &esp(SERVER, WAN_ADDRESS)[20..]);
    let listed: Vec<String> = lab.translations().iter().map(ToString::to_string).collect();
    assert_eq!(listed, ["esp 192.168.1.100:0 is 203.0.113.7:0 towards 198.51.100.9:0"]);
}

#[test]
fn what_the_lan_has_not_begun_stays_outside() {
    let mut lab = Lab::of("linux-netfilter");
    assert_eq!(lab.dropped(WAN, esp(SERVER, WAN_ADDRESS)), DropReason::Unsolicited);
    lab.from_lan(esp(PC, SERVER));
    assert_eq!(lab.dropped(WAN, esp(STRANGER, WAN_ADDRESS)), DropReason::Unsolicited, "another remote");
    let other = packet(51, SERVER, WAN_ADDRESS, &[0; 16]);
    assert_eq!(lab.dropped(WAN, other), DropReason::Unsolicited, "another protocol");
    assert_eq!(lab.translations().len(), 1);
}

#[test]
fn what_the_profile_does_not_name_is_dropped() {
    let mut lab = Lab::of("linux-netfilter");
    assert_eq!(lab.dropped(LAN, packet(SCTP, PC, SERVER, &[0; 16])), DropReason::UnsupportedProtocol);
    let mut lab = Lab::new();
    assert_eq!(lab.from_lan(esp(PC, SERVER)).on, WAN);
    assert_eq!(lab.dropped(LAN, packet(253, PC, SERVER, &[])), DropReason::UnsupportedProtocol);
    assert_eq!(lab.dropped(WAN, packet(253, SERVER, WAN_ADDRESS, &[])), DropReason::UnsupportedProtocol);
}

#[test]
fn a_second_host_waits_until_the_first_one_is_done() {
    let mut lab = Lab::of("linux-netfilter");
    lab.from_lan(esp(PC, SERVER));
    lab.events();
    assert_eq!(lab.dropped(LAN, esp(OTHER_PC, SERVER)), DropReason::RemoteTaken);
    let refused = TranslationRefusal::RemoteTaken;
    assert!(
        lab.events()
            .iter()
            .any(|event| matches!(event, EventKind::TranslationRefused { reason, .. } if *reason == refused))
    );
    assert_eq!(lab.from_lan(esp(OTHER_PC, STRANGER)).on, WAN, "another remote is free");
    lab.wait_seconds(601);
    assert_eq!(lab.from_lan(esp(OTHER_PC, SERVER)).on, WAN);
    assert_eq!(lab.from_wan(esp(SERVER, WAN_ADDRESS)).ip().dst_addr(), *at(OTHER_PC).ip());
}

#[test]
fn a_second_host_takes_over_or_is_told_where_the_profile_says_so() {
    let mut lab = Lab::with(|profile, _| profile.nat.other.on_conflict.value = AddressConflict::TakeOver);
    lab.from_lan(esp(PC, SERVER));
    lab.events();
    lab.from_lan(esp(OTHER_PC, SERVER));
    let taken = TranslationEnd::PortTakenOver;
    assert!(
        lab.events()
            .iter()
            .any(|event| matches!(event, EventKind::TranslationEnded { reason, .. } if *reason == taken))
    );
    assert_eq!(lab.from_wan(esp(SERVER, WAN_ADDRESS)).ip().dst_addr(), *at(OTHER_PC).ip());

    let mut lab = Lab::with(|profile, _| profile.table.tell_refusal.value = TellRefusal::Prohibited);
    lab.from_lan(esp(PC, SERVER));
    assert_eq!(lab.from_lan(esp(OTHER_PC, SERVER)).icmp_kind(), [3, 13]);
}

/// Linux without a PPTP helper: calls are told apart on the way out, and their answers do not come in.
#[test]
fn a_call_id_stands_for_the_receiver_s_port() {
    let mut lab = Lab::of("linux-netfilter");
    lab.from_lan(call(PC, SERVER, 5));
    assert_eq!(lab.from_lan(call(OTHER_PC, SERVER, 6)).on, WAN, "another call");
    assert_eq!(lab.dropped(LAN, call(OTHER_PC, SERVER, 5)), DropReason::RemoteTaken);
    assert_eq!(lab.dropped(WAN, call(SERVER, WAN_ADDRESS, 5)), DropReason::Unsolicited);
    lab.from_lan(call(PC, SERVER, 0));
    assert_eq!(lab.from_wan(call(SERVER, WAN_ADDRESS, 0)).ip().dst_addr(), *at(PC).ip());
    assert_eq!(lab.dropped(LAN, packet(Protocol::GRE, PC, SERVER, &[0; 7])).to_string(), {
        "the lengths in the transport header are wrong"
    });
    let not_ppp = packet(Protocol::GRE, PC, SERVER, &[0x30, 1, 8, 0, 0, 4, 0, 1]);
    assert_eq!(lab.dropped(LAN, not_ppp), DropReason::UnsupportedProtocol);
}

#[test]
fn calls_are_one_translation_where_nothing_tells_them_apart() {
    let mut lab = Lab::with(|profile, _| profile.nat.other.gre.value = GreToldBy::Nothing);
    lab.from_lan(call(PC, SERVER, 5));
    lab.from_lan(call(PC, SERVER, 6));
    assert_eq!(lab.translations().len(), 1);
    assert_eq!(lab.from_wan(call(SERVER, WAN_ADDRESS, 9)).ip().dst_addr(), *at(PC).ip());
    let error = icmp_error(SERVER, WAN_ADDRESS, [3, 2], &call(WAN_ADDRESS, SERVER, 5));
    assert_eq!(lab.from_wan(error).quote(), call(PC, SERVER, 5));
}

#[test]
fn it_lives_as_long_as_its_timeouts_say() {
    for (protocol, first, answered) in [(ESP, 600, 600), (Protocol::GRE, 30, 180)] {
        let zero = |source: &str, destination: &str| packet(protocol, source, destination, &[0; 16]);
        let mut lab = Lab::of("linux-netfilter");
        lab.from_lan(zero(PC, SERVER));
        lab.wait_seconds(first - 1);
        lab.from_lan(zero(PC, SERVER));
        lab.wait_seconds(first - 1);
        lab.from_wan(zero(SERVER, WAN_ADDRESS));
        lab.wait_seconds(answered - 1);
        lab.from_wan(zero(SERVER, WAN_ADDRESS));
        lab.wait_seconds(answered - 1);
        assert_eq!(lab.translations().len(), 1);
        lab.wait_seconds(2);
        assert_eq!(lab.translations(), []);
    }
}

#[test]
fn an_error_about_it_is_translated_with_its_quote() {
    let mut lab = Lab::of("linux-netfilter");
    let out = lab.from_lan(esp(PC, SERVER));
    let error = lab.from_wan(icmp_error("198.51.100.1", WAN_ADDRESS, [11, 0], &out.bytes[..20]));
    assert_eq!((error.on, error.ip().dst_addr()), (LAN, *at(PC).ip()));
    assert_eq!(error.quote(), &with_ttl(63, esp(PC, SERVER))[..20], "its addresses are enough");
    let about_nobody = icmp_error(SERVER, WAN_ADDRESS, [3, 2], &packet(51, WAN_ADDRESS, SERVER, &[0; 8]));
    assert_eq!(lab.dropped(WAN, about_nobody), DropReason::UnrelatedIcmpError);
}

#[test]
fn fragments_follow() {
    for profile in ["linux-netfilter", "linksys-befsr41-1.39"] {
        let mut lab = Lab::of(profile);
        let whole = packet(ESP, PC, SERVER, &[9; 100]);
        let mut seen = Vec::new();
        for fragment in fragmented(&whole, 5, 48) {
            seen.extend(lab.send(LAN, fragment));
        }
        let out = reassembled(seen.iter().map(|fragment| &fragment.bytes[..]));
        assert_eq!((&out[12..16], &out[20..]), (&[203, 0, 113, 7][..], &[9; 100][..]), "{profile}");
    }
}

/// RFC 1122 §3.2.2.1.
#[test]
fn the_router_itself_has_no_such_protocol() {
    let mut lab = Lab::of("linux-netfilter");
    for own in [ROUTER, WAN_ADDRESS] {
        let told = lab.from_lan(esp(PC, own));
        assert_eq!((told.on, told.icmp_kind(), told.source_address()), (LAN, [3, 2], *at(own).ip()));
    }
    assert_eq!(Lab::new().dropped(LAN, esp(PC, WAN_ADDRESS)), DropReason::Hairpinning);
}
