//! ICMP queries besides echo, where the profile translates them, and replies that answer nothing.

use quirknat_router::profile::IcmpQuery;
use quirknat_router::reason::DropReason;

use crate::support::{LAN, Lab, OTHER_PC, PC, SERVER, Seen, WAN, WAN_ADDRESS, at, echo, icmp_error};

/// A message of that type with an identifier, from one address to another.
fn message(kind: u8, source: &str, destination: &str, identifier: u16) -> Vec<u8> {
    let [high, low] = identifier.to_be_bytes();
    // An error's first four octets behind the checksum stand where a query's identifier does.
    let mut packet = icmp_error(source, destination, [kind, 0], &[0; 12]);
    packet[24..28].copy_from_slice(&[high, low, 0, 1]);
    packet[22..24].fill(0);
    let sum = !smoltcp::wire::checksum::data(&packet[20..]);
    packet[22..24].copy_from_slice(&sum.to_be_bytes());
    packet
}

fn identifier(seen: &Seen) -> u16 {
    u16::from_be_bytes([seen.content()[4], seen.content()[5]])
}

#[test]
fn each_kind_is_translated_and_answered_apart() {
    let mut lab = Lab::of("linux-netfilter");
    for request in [13, 15, 17] {
        let out = lab.from_lan(message(request, PC, SERVER, 77));
        assert_eq!((out.on, out.source_address(), identifier(&out)), (WAN, *at(WAN_ADDRESS).ip(), 77));
        let wrong = if request == 13 { 16 } else { 14 };
        if request == 13 {
            assert_eq!(lab.dropped(WAN, message(wrong, SERVER, WAN_ADDRESS, 77)), DropReason::Unsolicited);
        }
        let back = lab.from_wan(message(request + 1, SERVER, WAN_ADDRESS, 77));
        assert_eq!((back.on, back.ip().dst_addr(), identifier(&back)), (LAN, *at(PC).ip(), 77));
    }
    assert_eq!(lab.translations().len(), 3);
}

#[test]
fn two_hosts_with_one_identifier_are_told_apart() {
    let mut lab = Lab::of("linux-netfilter");
    lab.from_lan(message(13, PC, SERVER, 77));
    lab.router.foretell_port(Some(9));
    let other = lab.from_lan(message(13, OTHER_PC, SERVER, 77));
    assert_eq!(identifier(&other), 9, "any number can be an identifier");
    let back = lab.from_wan(message(14, SERVER, WAN_ADDRESS, 9));
    assert_eq!((back.ip().dst_addr(), identifier(&back)), (*at(OTHER_PC).ip(), 77));
}

#[test]
fn what_the_profile_does_not_name_is_dropped() {
    let mut lab = Lab::new();
    assert_eq!(lab.dropped(LAN, message(13, PC, SERVER, 77)), DropReason::UnsupportedIcmpType);
    let mut lab = Lab::with(|profile, _| profile.icmp.queries.value = vec![IcmpQuery::Timestamp]);
    assert_eq!(lab.from_lan(message(13, PC, SERVER, 77)).on, WAN);
    assert_eq!(lab.dropped(LAN, message(17, PC, SERVER, 77)), DropReason::UnsupportedIcmpType);
}

#[test]
fn requests_from_outside_and_replies_from_inside_belong_to_nothing() {
    let mut lab = Lab::of("linux-netfilter");
    lab.from_lan(message(13, PC, SERVER, 77));
    assert_eq!(lab.dropped(WAN, message(13, SERVER, WAN_ADDRESS, 77)), DropReason::Unsolicited);
    assert_eq!(lab.dropped(LAN, message(14, PC, SERVER, 77)), DropReason::NoTranslation);
    lab.from_lan(echo(true, PC, SERVER, 5));
    assert_eq!(lab.dropped(LAN, echo(false, PC, SERVER, 5)), DropReason::NoTranslation);
}

#[test]
fn a_ping_that_goes_on_keeps_its_translation() {
    let mut lab = Lab::of("linux-netfilter");
    for _ in 0..4 {
        lab.from_lan(echo(true, PC, SERVER, 5));
        lab.from_wan(echo(false, SERVER, WAN_ADDRESS, 5));
        lab.wait_seconds(20);
    }
    assert_eq!(lab.translations().first().map(|one| one.serial), Some(1));
}
