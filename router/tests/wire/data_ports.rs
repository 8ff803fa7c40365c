//! Which external port an announcement gets, what is in its way, and what becomes of one that is made again.

use quirknat_alg::{DataPort, DataPortConflict, LeftAlone, NoDataPort, PortTaken, Refused, Repeated};
use quirknat_router::event::EventKind;
use quirknat_router::profile::{Ftp, PortRange};
use quirknat_router::reason::DropReason;

use crate::support::{Control, LAN, Lab, WAN, at, tcp};

const P: &str = "PORT 192,168,1,100,195,80\r\n";

fn with_dialect(change: impl FnOnce(&mut Ftp)) -> Lab {
    Lab::with(|profile, _| change(&mut profile.alg.ftp))
}

/// The port that a rewritten line announces.
fn port(text: &str) -> u16 {
    let numbers: Vec<u16> =
        text.trim_end().rsplit(',').take(2).map(|number| number.parse().unwrap()).collect();
    numbers[1] * 256 + numbers[0]
}

/// Neighbours have the announced port on the way to these servers.
fn taken_towards(lab: &mut Lab, servers: &[&str]) {
    for (index, server) in servers.iter().enumerate() {
        let client = format!("192.168.1.{}:50000", 50 + index);
        lab.from_lan(tcp(&client, &format!("{server}:80")).syn().packet());
    }
}

fn history(lab: &mut Lab) -> Vec<String> {
    let entry = |event| match event {
        EventKind::ForwardOpened { external, target, .. } => Some(format!("{} to {target}", external.port())),
        EventKind::ForwardEnded { reason, .. } => Some(format!("{reason:?}")),
        EventKind::ForwardRefreshed { .. } => Some("refreshed".to_owned()),
        _ => None,
    };
    lab.events().into_iter().filter_map(entry).collect()
}

#[test]
fn a_port_is_drawn_from_the_range_or_above_the_announced_one() {
    let range = PortRange { first: 60000, last: 60009 };
    for (data_port, conflict, expected) in [
        (DataPort::Random, DataPortConflict::GiveUp, range),
        (DataPort::Same, DataPortConflict::Random, range),
        (DataPort::Same, DataPortConflict::RandomAbove, PortRange { first: 50001, last: 65535 }),
    ] {
        let mut lab = with_dialect(|ftp| {
            ftp.data_port.value = data_port;
            ftp.data_port_conflict.value = conflict;
            ftp.data_port_range.value = range;
            ftp.data_port_tries.value = 20;
        });
        taken_towards(&mut lab, &["198.51.100.50"]);
        let text = Control::open(&mut lab, 21).say(&mut lab, P).text();
        assert!(expected.contains(port(&text)), "{conflict:?}: {text}");
        let data = tcp("198.51.100.9:20", &format!("203.0.113.7:{}", port(&text))).syn().packet();
        assert_eq!(lab.from_wan(data).to(), at("192.168.1.100:50000"));
    }
}

/// Case 23. The port that is tried first is a try.
#[test]
fn where_no_port_is_found_the_command_passes_or_is_dropped() {
    for (conflict, tries, reason) in [
        (DataPortConflict::GiveUp, 20, LeftAlone::DataPortTaken),
        (DataPortConflict::Random, 1, LeftAlone::NoPortLeft),
        (DataPortConflict::Random, 20, LeftAlone::NoPortLeft),
    ] {
        for no_data_port in [NoDataPort::Pass, NoDataPort::Drop] {
            let mut lab = with_dialect(|ftp| {
                ftp.data_port_conflict.value = conflict;
                ftp.data_port_range.value = PortRange { first: 50000, last: 50000 };
                ftp.data_port_tries.value = tries;
                ftp.no_data_port.value = no_data_port;
            });
            taken_towards(&mut lab, &["198.51.100.50"]);
            let mut control = Control::open(&mut lab, 21);
            if no_data_port == NoDataPort::Drop {
                let dropped = lab.dropped(LAN, control.segment(P));
                assert_eq!(dropped, DropReason::AnnouncementRefused(Refused::NoDataPort));
                continue;
            }
            assert_eq!(control.say(&mut lab, P).text(), P);
            let why = |event| match event {
                EventKind::CommandLeftAlone { reason, .. } => Some(reason),
                _ => None,
            };
            assert_eq!(lab.events().into_iter().find_map(why), Some(reason));
        }
    }
}

/// Case 22, with another host's connection on the port, to the same server or another one.
#[test]
fn what_makes_a_port_taken() {
    for (taken, by_another_server, by_the_same) in [
        (PortTaken::AnyUse, true, true),
        (PortTaken::AnyUseOfSamePeer, false, true),
        (PortTaken::ForwardOfSamePeer, false, false),
    ] {
        for (server, expected) in [("198.51.100.50", by_another_server), ("198.51.100.9", by_the_same)] {
            let mut lab = with_dialect(|ftp| ftp.data_port_taken.value = taken);
            taken_towards(&mut lab, &[server]);
            let text = Control::open(&mut lab, 21).say(&mut lab, P).text();
            assert_eq!(port(&text) != 50000, expected, "{taken:?} {server}");
        }
    }
}

/// Two hosts announce one port to two servers, and to one.
#[test]
fn a_port_leads_two_servers_to_two_hosts_where_forwards_are_told_apart_by_them() {
    for taken in [PortTaken::AnyUseOfSamePeer, PortTaken::ForwardOfSamePeer] {
        let mut lab = with_dialect(|ftp| ftp.data_port_taken.value = taken);
        Control::open(&mut lab, 21).say(&mut lab, P);
        let other = "PORT 192,168,1,101,195,80\r\n";
        let mut second = Control::between(&mut lab, "192.168.1.101:1030", "198.51.100.50:21");
        assert_eq!(port(&second.say(&mut lab, other).text()), 50000);
        let mut third = Control::between(&mut lab, "192.168.1.101:1031", "198.51.100.9:21");
        assert_ne!(port(&third.say(&mut lab, other).text()), 50000, "the same server: its forwards clash");
        for (server, host) in [("198.51.100.9:20", "192.168.1.100"), ("198.51.100.50:20", "192.168.1.101")] {
            let seen = lab.from_wan(tcp(server, "203.0.113.7:50000").syn().packet());
            assert_eq!(seen.to(), at(&format!("{host}:50000")), "{taken:?}");
        }
        let stranger = tcp("198.51.100.77:20", "203.0.113.7:50000").syn().packet();
        assert!(lab.send(WAN, stranger).is_empty());
    }
}

#[test]
fn a_command_that_is_given_again() {
    for (repeated, again) in [
        (Repeated::Refresh, &["refreshed"][..]),
        (Repeated::OpenAgain, &["refreshed"]),
        (Repeated::NewPort, &["1025 to 192.168.1.100:50000"]),
    ] {
        let mut lab = with_dialect(|ftp| ftp.repeated.value = repeated);
        let mut control = Control::open(&mut lab, 21);
        control.say(&mut lab, P);
        history(&mut lab);
        control.say(&mut lab, P);
        assert_eq!(history(&mut lab), again, "{repeated:?}");
    }
}

/// A neighbour's forward was in the way, and is no more: whose forward is looked for stays where it was, whose port is
/// chosen anew gets the announced one.
#[test]
fn a_command_given_again_when_its_port_has_become_free() {
    for (repeated, again) in [
        (Repeated::Refresh, &["refreshed"][..]),
        (Repeated::OpenAgain, &["Replaced", "50000 to 192.168.1.100:50000"]),
    ] {
        let mut lab = with_dialect(|ftp| {
            ftp.repeated.value = repeated;
            ftp.data_port_taken.value = PortTaken::ForwardOfSamePeer;
            ftp.forward_outstanding.value = 1;
        });
        let mut neighbour = Control::between(&mut lab, "192.168.1.101:1030", "198.51.100.9:21");
        neighbour.say(&mut lab, "PORT 192,168,1,101,195,80\r\n");
        let mut control = Control::open(&mut lab, 21);
        assert_ne!(port(&control.say(&mut lab, P).text()), 50000);
        lab.from_wan(tcp("198.51.100.9:20", "203.0.113.7:50000").syn().packet());
        history(&mut lab);
        control.say(&mut lab, P);
        assert_eq!(history(&mut lab), again, "{repeated:?}");
    }
}

/// Open vSwitch: no time ends it, and it takes connection after connection.
#[test]
fn a_forward_without_a_lifetime_lasts_as_long_as_its_control_connection() {
    let mut lab = with_dialect(|ftp| {
        ftp.forward_lifetime.value = 0;
        ftp.forward_connections.value = 0;
    });
    let mut control = Control::open(&mut lab, 21);
    control.say(&mut lab, P);
    let opened = |event: &EventKind| matches!(event, EventKind::ForwardOpened { expires_s: None, .. });
    assert!(lab.events().iter().any(opened));
    lab.wait_seconds(7000);
    for source in [20, 2001] {
        let syn = tcp(&format!("198.51.100.9:{source}"), "203.0.113.7:50000").syn().packet();
        assert_eq!(lab.from_wan(syn).on, LAN);
    }
    lab.from_wan(tcp(&control.server, &control.outside).seq(control.replied).rst().packet());
    lab.wait_seconds(242);
    assert_eq!(history(&mut lab), ["ControlEnded"]);
    let late = tcp("198.51.100.9:2002", "203.0.113.7:50000").syn().packet();
    assert_eq!(lab.dropped(WAN, late), DropReason::Unsolicited);
}
