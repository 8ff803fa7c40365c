//! Ports that open for LAN hosts: asked for by NAT-PMP, or triggered by what the host sends.

use quirknat_router::event::{EventKind, OpeningEnd, OpeningRefusal, Origin};
use quirknat_router::reason::DropReason;

use crate::support::{LAN, Lab, OTHER_PC, PC, ROUTER, Seen, WAN, at, nat_pmp_request, tcp, udp};

fn nat_pmp() -> Lab {
    Lab::with(|profile, _| {
        profile.services.nat_pmp.value = true;
        profile.services.nat_pmp_forwards.value = 2;
        profile.services.nat_pmp_lifetime.value = 3600;
    })
}

fn ask(lab: &mut Lab, host: &str, request: &[u8]) -> Seen {
    lab.from_lan(udp(&format!("{host}:40000"), &format!("{ROUTER}:5351"), request))
}

/// The answer's result code, epoch, internal port, external port and lifetime.
fn read(answer: &Seen) -> (u16, u32, u16, u16, u32) {
    assert_eq!((answer.on, answer.from()), (LAN, at(&format!("{ROUTER}:5351"))));
    let body = &answer.content()[8..];
    let word = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
    let double = |at: usize| u32::from(word(at)) << 16 | u32::from(word(at + 2));
    assert_eq!((body.len(), body[0], body[1] & 128), (16, 0, 128));
    (word(2), double(4), word(8), word(10), double(12))
}

/// RFC 6886 §3.2.
#[test]
fn the_external_address_is_told() {
    let mut lab = nat_pmp();
    let answer = ask(&mut lab, PC, &[0, 0]);
    assert_eq!(answer.content()[8..], [0, 128, 0, 0, 0, 0, 0, 100, 203, 0, 113, 7]);
    assert_eq!(answer.to(), at("192.168.1.100:40000"));
}

#[test]
fn a_port_that_was_asked_for_leads_to_the_host_until_its_lifetime_is_over() {
    let mut lab = nat_pmp();
    let answer = ask(&mut lab, PC, &nat_pmp_request(true, 80, 8080, 600));
    assert_eq!(read(&answer), (0, 100, 80, 8080, 600));
    let syn = |port: u16| tcp(&format!("198.51.100.9:{port}"), "203.0.113.7:8080").syn().packet();
    assert_eq!(lab.from_wan(syn(1)).to(), at("192.168.1.100:80"));
    assert_eq!(lab.translations()[0].origin, Origin::Requested);
    lab.wait_seconds(300);
    ask(&mut lab, PC, &nat_pmp_request(true, 80, 0, 600));
    lab.wait_seconds(599);
    assert_eq!(lab.from_wan(syn(2)).to(), at("192.168.1.100:80"), "asked for again, it lives again");
    lab.events();
    lab.wait_seconds(2);
    assert!(lab.events().contains(&EventKind::PortsClosed { opening: 1, reason: OpeningEnd::Expired }));
    assert_eq!(lab.dropped(WAN, syn(3)), DropReason::Unsolicited);
}

#[test]
fn a_lifetime_is_no_longer_than_the_profile_grants_and_another_port_is_found() {
    let mut lab = nat_pmp();
    assert_eq!(read(&ask(&mut lab, PC, &nat_pmp_request(false, 9, 5000, 90_000))), (0, 100, 9, 5000, 3600));
    let (result, _, internal, external, _) =
        read(&ask(&mut lab, OTHER_PC, &nat_pmp_request(false, 9, 5000, 60)));
    assert_eq!((result, internal), (0, 9));
    assert_ne!(external, 5000, "it leads to the other host");
    assert_eq!(
        lab.from_wan(udp("198.51.100.9:1", &format!("203.0.113.7:{external}"), b"")).to(),
        at("192.168.1.101:9")
    );
}

#[test]
fn a_host_s_own_mapping_has_the_port_it_is_granted() {
    let mut lab = nat_pmp();
    lab.from_lan(udp("192.168.1.101:9", "198.51.100.9:53", b"has the port"));
    let own = lab.from_lan(udp("192.168.1.100:9", "198.51.100.9:53", b"")).from().port();
    assert_ne!(own, 9);
    assert_eq!(read(&ask(&mut lab, PC, &nat_pmp_request(false, 9, 7000, 60))).3, own);
}

/// RFC 6886 §3.4.
#[test]
fn a_host_closes_its_ports_one_by_one_or_all_of_a_protocol() {
    let mut lab = nat_pmp();
    ask(&mut lab, PC, &nat_pmp_request(true, 80, 80, 600));
    ask(&mut lab, PC, &nat_pmp_request(true, 81, 81, 600));
    assert_eq!(read(&ask(&mut lab, OTHER_PC, &nat_pmp_request(true, 80, 0, 0))), (0, 100, 80, 0, 0));
    let knock = |port: u16| tcp("198.51.100.9:1", &format!("203.0.113.7:{port}")).syn().packet();
    assert_eq!(lab.from_wan(knock(80)).on, LAN, "nobody closes another's");
    assert_eq!(read(&ask(&mut lab, PC, &nat_pmp_request(true, 80, 0, 0))), (0, 100, 80, 0, 0));
    let knock_again = tcp("198.51.100.9:2", "203.0.113.7:80").syn().packet();
    assert_eq!(lab.dropped(WAN, knock_again), DropReason::Unsolicited);
    ask(&mut lab, PC, &nat_pmp_request(true, 0, 0, 0));
    assert_eq!(lab.dropped(WAN, knock(81)), DropReason::Unsolicited);
}

/// RFC 6886 §3.5.
#[test]
fn what_cannot_be_granted_is_answered_with_its_result_code() {
    let mut lab = nat_pmp();
    ask(&mut lab, PC, &nat_pmp_request(true, 80, 80, 600));
    ask(&mut lab, PC, &nat_pmp_request(true, 81, 81, 600));
    lab.events();
    assert_eq!(read(&ask(&mut lab, PC, &nat_pmp_request(true, 82, 82, 600))), (4, 100, 82, 0, 0));
    assert!(lab.events().iter().any(|event| matches!(
        event,
        EventKind::PortsRefused { wanted: 82, reason: OpeningRefusal::TooMany, .. }
    )));
    let result = |lab: &mut Lab, request: &[u8]| {
        let answer = ask(lab, PC, request);
        [answer.content()[9], answer.content()[11]]
    };
    assert_eq!(result(&mut lab, &[0, 3]), [131, 5], "an opcode that there is not");
    assert_eq!(result(&mut lab, &[2, 1]), [129, 1], "PCP's version");
    for astray in [&[][..], &[0], &[0, 128], &[0, 1, 0, 0, 0, 80]] {
        let packet = udp("192.168.1.100:40000", "192.168.1.1:5351", astray);
        assert_eq!(lab.dropped(LAN, packet), DropReason::UnreadableRequest, "{astray:?}");
    }
}

#[test]
fn nobody_is_answered_from_outside_or_where_the_profile_has_no_such_service() {
    let mut lab = nat_pmp();
    let from_outside = udp("198.51.100.9:40000", "203.0.113.7:5351", &[0, 0]);
    assert_eq!(lab.dropped(WAN, from_outside), DropReason::Unsolicited);
    assert_eq!(ask(&mut Lab::new(), PC, &[0, 0]).icmp_kind(), [3, 3]);
}

fn triggering() -> Lab {
    Lab::with(|profile, config| {
        profile.forwards.triggers.value = 1;
        profile.forwards.trigger_lifetime.value = 600;
        config.triggers = vec!["tcp/6667-6669=tcp/113".parse().unwrap()];
    })
}

#[test]
fn what_a_host_sends_opens_the_ports_of_its_trigger_for_it() {
    let mut lab = triggering();
    let ident = |port: u16| tcp(&format!("198.51.100.9:{port}"), "203.0.113.7:113").syn().packet();
    assert_eq!(lab.dropped(WAN, ident(1)), DropReason::Unsolicited);
    lab.from_lan(tcp("192.168.1.100:1024", "198.51.100.9:6668").syn().packet());
    assert_eq!(lab.from_wan(ident(2)).to(), at("192.168.1.100:113"));
    assert!(lab.translations().iter().any(|one| one.origin == Origin::Triggered));
    lab.from_lan(tcp("192.168.1.101:1024", "198.51.100.9:6667").syn().packet());
    assert_eq!(lab.from_wan(ident(3)).to(), at("192.168.1.100:113"), "whoever came first has it");
    lab.wait_seconds(500);
    lab.from_lan(tcp("192.168.1.100:1025", "198.51.100.9:6667").syn().packet());
    lab.wait_seconds(500);
    assert_eq!(lab.from_wan(ident(4)).on, LAN, "its traffic keeps it open");
    lab.wait_seconds(101);
    assert_eq!(lab.dropped(WAN, ident(5)), DropReason::Unsolicited);
}
