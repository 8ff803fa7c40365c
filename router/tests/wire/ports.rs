//! Which external port a mapping gets.

use quirknat_router::event::{EventKind, TranslationEnd};
use quirknat_router::profile::{Mapping, PortAllocation, PortConflict, PortRange, Profile, SystemPorts};
use quirknat_router::reason::DropReason;

use crate::support::{LAN, Lab, OTHER_PC, PC, SERVER, STRANGER, WAN, at, echo, tcp, udp};

fn lab(change: impl FnOnce(&mut Profile)) -> Lab {
    Lab::with(|profile, _| change(profile))
}

/// The external port of a datagram from this host and port.
fn port(lab: &mut Lab, host: &str, port: u16) -> u16 {
    lab.from_lan(udp(&format!("{host}:{port}"), "198.51.100.9:53", b"")).from().port()
}

/// The port of a second host whose own is taken.
fn after_conflict(conflict: PortConflict) -> u16 {
    let mut lab = lab(|profile| profile.ports.on_conflict.value = conflict);
    port(&mut lab, PC, 5000);
    port(&mut lab, OTHER_PC, 5000)
}

#[test]
fn a_conflict_is_solved_as_the_profile_says() {
    assert_eq!(after_conflict(PortConflict::Next), 1024);
    assert_eq!(after_conflict(PortConflict::Upwards), 5001);
    assert!(after_conflict(PortConflict::Random) >= 1024);
    assert_eq!(after_conflict(PortConflict::TakeOver), 5000);
    let mut lab = lab(|profile| profile.ports.on_conflict.value = PortConflict::Refuse);
    port(&mut lab, PC, 5000);
    let refused = udp("192.168.1.101:5000", "198.51.100.9:53", b"");
    assert_eq!(lab.dropped(LAN, refused), DropReason::NoPortLeft);
}

#[test]
fn a_draw_comes_to_the_port_that_was_foretold_once() {
    let mut lab = lab(|profile| profile.ports.on_conflict.value = PortConflict::Random);
    port(&mut lab, PC, 5000);
    lab.router.foretell_port(Some(23456));
    assert_eq!(port(&mut lab, OTHER_PC, 6000), 6000, "nothing is drawn");
    assert_eq!(port(&mut lab, OTHER_PC, 5000), 23456);
    port(&mut lab, PC, 7000);
    assert_ne!(port(&mut lab, OTHER_PC, 7000), 23457, "the next draw is chance again");
    port(&mut lab, PC, 8000);
    lab.router.foretell_port(Some(80));
    assert!(port(&mut lab, OTHER_PC, 8000) >= 1024, "it is of another range");
}

#[test]
fn who_loses_its_port_loses_its_translations() {
    let mut lab = lab(|profile| profile.ports.on_conflict.value = PortConflict::TakeOver);
    lab.from_lan(udp("192.168.1.100:5000", "198.51.100.9:53", b""));
    lab.from_lan(udp("192.168.1.100:5000", "198.51.100.50:53", b""));
    lab.events();
    port(&mut lab, OTHER_PC, 5000);
    let ended: Vec<u32> = lab
        .events()
        .into_iter()
        .filter_map(|event| match event {
            EventKind::TranslationEnded { translation, reason: TranslationEnd::PortTakenOver } => {
                Some(translation)
            }
            _ => None,
        })
        .collect();
    assert_eq!(ended, [1, 2]);
    let answer = lab.from_wan(udp("198.51.100.9:53", "203.0.113.7:5000", b""));
    assert_eq!(answer.to(), at("192.168.1.101:5000"));
}

#[test]
fn a_forwarded_port_cannot_be_taken_over() {
    let mut lab = Lab::with(|profile, config| {
        profile.ports.on_conflict.value = PortConflict::TakeOver;
        config.forwards = vec!["udp/5000=192.168.1.50".parse().unwrap()];
    });
    assert_eq!(port(&mut lab, PC, 5000), 1024);
}

#[test]
fn random_ports_are_the_seed_s_and_of_the_range() {
    let ports = |seed: u64| {
        let mut lab = Lab::with(|profile, config| {
            profile.ports.allocation.value = PortAllocation::Random;
            profile.ports.range.value = PortRange { first: 40000, last: 49999 };
            config.seed = seed;
        });
        [5000, 5001, 5002, 5003].map(|own| port(&mut lab, PC, own))
    };
    assert_eq!(ports(1), ports(1));
    assert_ne!(ports(1), ports(2));
    assert!(ports(1).iter().all(|port| (40000..50000).contains(port)));
    assert!(!ports(1).is_sorted(), "{:?}", ports(1));
    // Published seeds depend on it.
    assert_eq!(ports(1), [49050, 44284, 41061, 45796]);
}

#[test]
fn a_random_search_finds_the_last_port_that_is_free() {
    let mut lab = lab(|profile| {
        profile.ports.allocation.value = PortAllocation::Random;
        profile.ports.range.value = PortRange { first: 40000, last: 40003 };
    });
    let mut ports = [5000, 5001, 5002, 5003].map(|own| port(&mut lab, PC, own));
    ports.sort_unstable();
    assert_eq!(ports, [40000, 40001, 40002, 40003]);
    let none_left = udp("192.168.1.100:5004", "198.51.100.9:53", b"");
    assert_eq!(lab.dropped(LAN, none_left), DropReason::NoPortLeft);
}

/// RFC 4787 REQ-4.
#[test]
fn parity_is_kept_where_the_profile_says_so_for_udp_alone() {
    let mut lab = lab(|profile| {
        profile.ports.allocation.value = PortAllocation::Sequential;
        profile.ports.range.value = PortRange { first: 40000, last: 40007 };
        profile.ports.parity.value = true;
    });
    assert_eq!([5001, 5003, 5000, 5002].map(|own| port(&mut lab, PC, own)), [40001, 40003, 40004, 40006]);
    let tcp = lab.from_lan(tcp("192.168.1.100:5001", "198.51.100.9:80").syn().packet());
    assert_eq!(tcp.from().port(), 40000);
}

/// RFC 4787 REQ-3a.
#[test]
fn a_system_port_stays_among_its_own_where_the_profile_says_so() {
    for (system_ports, expected) in [(SystemPorts::Any, 1024), (SystemPorts::OwnRange, 1)] {
        let mut lab = lab(|profile| profile.ports.system_ports.value = system_ports);
        assert_eq!([port(&mut lab, PC, 500), port(&mut lab, OTHER_PC, 500)], [500, expected]);
        assert_eq!([port(&mut lab, PC, 5000), port(&mut lab, OTHER_PC, 5000) / 1024], [5000, 1]);
    }
}

fn overloading() -> Lab {
    lab(|profile| {
        profile.ports.overloading.value = true;
        for sessions in [&mut profile.nat.tcp, &mut profile.nat.udp] {
            sessions.mapping.value = Mapping::AddressAndPortDependent;
        }
        profile.nat.icmp.mapping.value = Mapping::AddressDependent;
    })
}

/// RFC 4787 §4.2.1 on what REQ-3 forbids.
#[test]
fn overloaded_ports_are_told_apart_by_where_they_lead() {
    let mut lab = overloading();
    assert_eq!(port(&mut lab, PC, 5000), 5000);
    let other = lab.from_lan(udp(&format!("{OTHER_PC}:5000"), &format!("{STRANGER}:53"), b""));
    assert_eq!(other.from().port(), 5000, "towards another remote the port is free");
    let same = lab.from_lan(udp(&format!("{OTHER_PC}:5000"), &format!("{SERVER}:53"), b""));
    assert_ne!(same.from().port(), 5000, "towards the same one it is not");
    for (remote, host) in [(SERVER, PC), (STRANGER, OTHER_PC)] {
        let answer = lab.from_wan(udp(&format!("{remote}:53"), "203.0.113.7:5000", b""));
        assert_eq!(answer.to(), at(&format!("{host}:5000")));
    }
    assert_eq!(lab.dropped(WAN, udp("198.51.100.9:54", "203.0.113.7:5000", b"")), DropReason::Filtered);
}

/// Ports shared by hosts that send elsewhere.
fn shared_ports() -> Lab {
    lab(|profile| {
        profile.ports.overloading.value = true;
        profile.ports.on_conflict.value = PortConflict::Random;
        for sessions in [&mut profile.nat.tcp, &mut profile.nat.udp] {
            sessions.mapping.value = Mapping::AddressAndPortDependent;
        }
    })
}

#[test]
fn an_endpoints_other_port_is_reused_where_the_profile_says_so() {
    for (reuse, expected) in [(true, [5000, 23456, 23456, 5000]), (false, [5000, 23456, 5000, 23456])] {
        let mut lab = shared_ports();
        if reuse {
            lab = Lab::of("linux-netfilter");
        }
        let external = |lab: &mut Lab, source: &str, remote: &str| {
            lab.router.foretell_port(Some(23456));
            lab.from_lan(udp(source, remote, b"")).from().port()
        };
        let [one, other] = ["192.168.1.100:5000", "192.168.1.101:5000"];
        let ports = [
            external(&mut lab, one, "198.51.100.9:53"),
            external(&mut lab, other, "198.51.100.9:53"),
            external(&mut lab, other, "198.51.100.50:53"),
            external(&mut lab, one, "198.51.100.50:53"),
        ];
        assert_eq!(ports, expected, "reuse: {reuse}");
    }
}

#[test]
fn what_is_reused_is_the_latest_and_only_while_it_lives() {
    let mut lab = Lab::of("linux-netfilter");
    port(&mut lab, PC, 5000);
    lab.router.foretell_port(Some(23456));
    assert_eq!(port(&mut lab, OTHER_PC, 5000), 23456);
    lab.wait_seconds(40);
    assert_eq!(lab.translations(), []);
    let anew = lab.from_lan(udp("192.168.1.101:5000", "198.51.100.50:53", b""));
    assert_eq!(anew.from().port(), 5000, "nothing is left to reuse");
}

#[test]
fn low_ports_have_two_ranges_where_the_profile_says_so() {
    for (own, foretold, expected) in [(500, 300, 300), (512, 700, 700), (1023, 600, 600)] {
        let mut lab = Lab::of("linux-netfilter");
        port(&mut lab, PC, own);
        lab.router.foretell_port(Some(foretold));
        assert_eq!(port(&mut lab, OTHER_PC, own), expected);
    }
    let mut lab = Lab::of("linux-netfilter");
    port(&mut lab, PC, 1023);
    lab.router.foretell_port(Some(550));
    assert!((600..=1023).contains(&port(&mut lab, OTHER_PC, 1023)), "550 is in neither");
}

#[test]
fn a_forwards_port_is_free_for_mappings_where_the_profile_says_so() {
    for (reserved, expected) in [(true, false), (false, true)] {
        let mut lab = Lab::with(|profile, config| {
            *profile = Profile::named("linux-netfilter").unwrap();
            profile.ports.reserved_by_forwards.value = reserved;
            config.forwards = vec!["udp/5000=192.168.1.101".parse().unwrap()];
        });
        assert_eq!(port(&mut lab, PC, 5000) == 5000, expected);
    }
}

/// RFC 6888 REQ-8.
#[test]
fn a_port_rests_after_its_mapping_ended() {
    let mut lab = Lab::with(|profile, _| {
        profile.ports.allocation.value = PortAllocation::Preserving;
        profile.ports.on_conflict.value = PortConflict::Refuse;
        profile.ports.reuse_delay.value = 120;
        profile.timeouts.udp.value = 30;
    });
    let from = |host: &str| udp(&format!("{host}:5000"), "198.51.100.9:53", b"");
    lab.from_lan(from(PC));
    lab.wait_seconds(31);
    assert_eq!(lab.translations(), []);
    assert_eq!(lab.dropped(LAN, from(OTHER_PC)), DropReason::NoPortLeft);
    assert_eq!(lab.dropped(LAN, from(PC)), DropReason::NoPortLeft, "not even for the one that had it");
    let same_number = tcp(&format!("{OTHER_PC}:5000"), "198.51.100.9:80").syn().packet();
    assert_eq!(lab.from_lan(same_number).from().port(), 5000, "TCP has ports of its own");
    lab.wait_seconds(118);
    assert_eq!(lab.dropped(LAN, from(OTHER_PC)), DropReason::NoPortLeft);
    lab.wait_seconds(2);
    assert_eq!(lab.from_lan(from(OTHER_PC)).from().port(), 5000);
}

#[test]
fn an_echo_s_identifier_does_not_rest() {
    let mut lab = Lab::with(|profile, _| {
        profile.ports.allocation.value = PortAllocation::Preserving;
        profile.ports.on_conflict.value = PortConflict::Refuse;
        profile.ports.reuse_delay.value = 120;
    });
    lab.from_lan(echo(true, PC, "198.51.100.9", 7));
    lab.wait_seconds(100);
    assert_eq!(lab.translations(), []);
    assert_eq!(lab.from_lan(echo(true, OTHER_PC, "198.51.100.9", 7)).from().port(), 7);
}
