//! Forwards: those the user sets up, the DMZ host, and those that the gateway opens.

use quirknat_alg::{AllowedPeer, DataPort, DataPortConflict, LeftAlone};
use quirknat_router::event::{EventKind, Origin};
use quirknat_router::profile::PortRange;
use quirknat_router::reason::DropReason;

use crate::support::{Control, LAN, Lab, WAN, at, tcp, udp};

/// 195 × 256 + 80.
const PORT_50000: &str = "PORT 192,168,1,100,195,80\r\n";
const PORT_50001: &str = "PORT 192,168,1,100,195,81\r\n";

fn syn(from: &str, to: &str) -> Vec<u8> {
    tcp(from, to).seq(7).syn().packet()
}

fn data_syn(from: &str) -> Vec<u8> {
    syn(from, "203.0.113.7:50000")
}

/// The forwards that opened and ended since the last look.
fn history(lab: &mut Lab) -> Vec<String> {
    let told = |event| match event {
        EventKind::ForwardOpened { forward, external, target, .. } => {
            Some(format!("{forward}: {external} to {target}"))
        }
        EventKind::ForwardRefreshed { forward, .. } => Some(format!("{forward} refreshed")),
        EventKind::ForwardUsed { forward, .. } => Some(format!("{forward} used")),
        EventKind::ForwardEnded { forward, reason } => Some(format!("{forward} ended: {reason:?}")),
        _ => None,
    };
    lab.events().into_iter().filter_map(told).collect()
}

fn with_port_announced() -> (Lab, Control) {
    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 21);
    control.say(&mut lab, PORT_50000);
    (lab, control)
}

#[test]
fn a_users_forward_leads_in_and_its_host_answers_from_it() {
    let mut lab = Lab::with(|_, config| {
        config.forwards = vec![
            "tcp/8080=192.168.1.100:80".parse().unwrap(),
            "udp/5000-5010=192.168.1.101:6000".parse().unwrap(),
        ];
    });
    let there = lab.from_wan(syn("198.51.100.50:4000", "203.0.113.7:8080"));
    assert_eq!((there.on, there.to()), (LAN, at("192.168.1.100:80")));
    let back = lab.from_lan(tcp("192.168.1.100:80", "198.51.100.50:4000").ack(8).syn().packet());
    assert_eq!((back.on, back.from()), (WAN, at("203.0.113.7:8080")));
    let third = lab.from_wan(udp("198.51.100.50:4000", "203.0.113.7:5002", b""));
    assert_eq!(third.to(), at("192.168.1.101:6002"), "ranges lead in step");
    assert_eq!(lab.translations()[0].origin, Origin::StaticForward);
    let beyond = udp("198.51.100.50:4000", "203.0.113.7:5011", b"");
    assert_eq!(lab.dropped(WAN, beyond), DropReason::Unsolicited);
    assert_eq!(lab.dropped(WAN, syn("198.51.100.50:4000", "203.0.113.7:5002")), DropReason::Unsolicited);
}

#[test]
fn a_forwarded_port_is_nobody_elses() {
    let mut lab = Lab::with(|_, config| config.forwards = vec!["udp/5000=192.168.1.101".parse().unwrap()]);
    let other = lab.from_lan(udp("192.168.1.100:5000", "198.51.100.9:53", b""));
    assert_ne!(other.from().port(), 5000);
    let own = lab.from_lan(udp("192.168.1.101:5000", "198.51.100.9:53", b""));
    assert_eq!(own.from().port(), 5000);
}

#[test]
fn the_dmz_host_gets_what_nothing_else_wants() {
    let mut lab = Lab::with(|_, config| {
        config.dmz_host = Some("192.168.1.50".parse().unwrap());
        config.forwards = vec!["tcp/80=192.168.1.100".parse().unwrap()];
    });
    lab.udp_mapping();
    assert_eq!(lab.from_wan(syn("198.51.100.50:4000", "203.0.113.7:99")).to(), at("192.168.1.50:99"));
    assert_eq!(lab.from_wan(syn("198.51.100.50:4000", "203.0.113.7:80")).to(), at("192.168.1.100:80"));
    assert_eq!(lab.from_wan(udp("198.51.100.9:53", "203.0.113.7:5000", b"")).to(), at("192.168.1.100:5000"));
    let stranger = udp("198.51.100.50:53", "203.0.113.7:5000", b"");
    assert_eq!(lab.dropped(WAN, stranger), DropReason::Filtered, "a mapping has the port");
}

/// Two translations must never be one on the WAN.
#[test]
fn a_port_that_the_dmz_host_is_reached_on_is_not_mapped_for_another_host() {
    let mut lab = Lab::with(|_, config| config.dmz_host = Some("192.168.1.50".parse().unwrap()));
    lab.from_wan(udp("198.51.100.9:53", "203.0.113.7:5000", b""));
    let other = lab.from_lan(udp("192.168.1.100:5000", "198.51.100.9:53", b""));
    assert_ne!(other.from().port(), 5000);
    let own = lab.from_lan(udp("192.168.1.50:5000", "198.51.100.50:53", b""));
    assert_eq!(own.from().port(), 5000, "it may have it itself");
    lab.wait_seconds(125);
    let later = lab.from_lan(udp("192.168.1.100:5000", "198.51.100.9:53", b""));
    assert_eq!(later.from().port(), 5000, "and anyone when that is over");
}

/// Case 1 and 24: the forward is open before the command leaves, for the server from any port.
#[test]
fn a_forward_leads_the_servers_connection_in() {
    let (mut lab, _) = with_port_announced();
    assert_eq!(history(&mut lab), ["1: 203.0.113.7:50000 to 192.168.1.100:50000"]);
    assert_eq!(lab.dropped(WAN, data_syn("198.51.100.50:20")), DropReason::ForwardForAnotherPeer);
    let seen = lab.from_wan(data_syn("198.51.100.9:54321"));
    assert_eq!((seen.on, seen.to()), (LAN, at("192.168.1.100:50000")));
    assert_eq!(history(&mut lab), ["1 used", "1 ended: UsedUp"]);
    let back = lab.from_lan(tcp("192.168.1.100:50000", "198.51.100.9:54321").ack(8).syn().packet());
    assert_eq!(back.from(), at("203.0.113.7:50000"));
}

/// Who gets in, of the server's port 20, another port of the server's, a stranger's port 20.
fn admitted(allowed: AllowedPeer) -> [bool; 3] {
    ["198.51.100.9:20", "198.51.100.9:54321", "198.51.100.50:20"].map(|from| {
        let mut lab = Lab::with(|profile, _| profile.alg.ftp.forward_allowed_peer.value = allowed);
        Control::open(&mut lab, 21).say(&mut lab, PORT_50000);
        !lab.send(WAN, data_syn(from)).is_empty()
    })
}

/// Case 24.
#[test]
fn a_forward_is_for_whom_the_profile_says() {
    assert_eq!(admitted(AllowedPeer::Peer), [true, true, false]);
    assert_eq!(admitted(AllowedPeer::PeerDataPort), [true, false, false]);
    assert_eq!(admitted(AllowedPeer::Anyone), [true, true, true]);
}

/// Case 25.
#[test]
fn a_forward_takes_as_many_connections_as_the_profile_says() {
    for (connections, admitted) in [(1, 1), (2, 2), (0, 5)] {
        let mut lab = Lab::with(|profile, _| profile.alg.ftp.forward_connections.value = connections);
        Control::open(&mut lab, 21).say(&mut lab, PORT_50000);
        let came_in = (1..=5)
            .filter(|number| !lab.send(WAN, data_syn(&format!("198.51.100.9:{}", 2000 + number))).is_empty())
            .count();
        assert_eq!(came_in, admitted);
    }
}

#[test]
fn only_a_syn_uses_a_forward() {
    let (mut lab, _) = with_port_announced();
    let ack = tcp("198.51.100.9:20", "203.0.113.7:50000").ack(1).packet();
    assert_eq!(lab.dropped(WAN, ack), DropReason::Unsolicited);
    assert_eq!(lab.dropped(WAN, udp("198.51.100.9:20", "203.0.113.7:50000", b"")), DropReason::Unsolicited);
    assert_eq!(lab.from_wan(data_syn("198.51.100.9:20")).on, LAN);
}

/// Case 26.
#[test]
fn a_forward_lives_as_long_as_the_profile_says() {
    let (mut lab, _) = with_port_announced();
    lab.wait_seconds(299);
    assert_eq!(lab.from_wan(data_syn("198.51.100.9:20")).on, LAN);

    let (mut lab, _) = with_port_announced();
    history(&mut lab);
    lab.wait_millis(301_000);
    assert_eq!(history(&mut lab), ["1 ended: Expired"]);
    assert_eq!(lab.dropped(WAN, data_syn("198.51.100.9:20")), DropReason::Unsolicited);
}

/// Case 4: sent again because it was lost beyond the router, the command leaves as it did, and opens nothing.
#[test]
fn a_retransmitted_command_opens_no_second_forward() {
    let (mut lab, control) = with_port_announced();
    history(&mut lab);
    let again = lab.from_lan(control.again(control.sent - 27, PORT_50000));
    assert_eq!(again.text(), "PORT 203,0,113,7,195,80\r\n");
    assert_eq!(history(&mut lab), [] as [&str; 0]);
}

#[test]
fn the_same_command_given_anew_refreshes_the_same_forward() {
    let (mut lab, mut control) = with_port_announced();
    lab.wait_seconds(200);
    assert_eq!(control.say(&mut lab, PORT_50000).text(), "PORT 203,0,113,7,195,80\r\n");
    assert_eq!(history(&mut lab), ["1: 203.0.113.7:50000 to 192.168.1.100:50000", "1 refreshed"]);
    lab.wait_seconds(299);
    assert_eq!(lab.from_wan(data_syn("198.51.100.9:20")).on, LAN);
}

#[test]
fn one_forward_more_than_may_be_outstanding_takes_the_oldest_ones_place() {
    let mut lab = Lab::with(|profile, _| profile.alg.ftp.forward_outstanding.value = 1);
    let mut control = Control::open(&mut lab, 21);
    control.say(&mut lab, PORT_50000);
    history(&mut lab);
    control.say(&mut lab, PORT_50001);
    assert_eq!(history(&mut lab), ["1 ended: Replaced", "2: 203.0.113.7:50001 to 192.168.1.100:50001"]);
    assert_eq!(lab.dropped(WAN, data_syn("198.51.100.9:20")), DropReason::Unsolicited);
    assert_eq!(lab.from_wan(syn("198.51.100.9:20", "203.0.113.7:50001")).on, LAN);
}

/// Case 22.
#[test]
fn a_data_port_that_another_host_has_is_dealt_with_as_the_profile_says() {
    let answer = |data_port, conflict| {
        let mut lab = Lab::with(|profile, _| {
            profile.alg.ftp.data_port.value = data_port;
            profile.alg.ftp.data_port_conflict.value = conflict;
        });
        lab.from_lan(syn("192.168.1.101:50000", "198.51.100.50:80"));
        let text = Control::open(&mut lab, 21).say(&mut lab, PORT_50000).text();
        (text, lab.events())
    };
    let (text, events) = answer(DataPort::Same, DataPortConflict::GiveUp);
    assert_eq!(text, PORT_50000);
    let reason = |event: &EventKind| match event {
        EventKind::CommandLeftAlone { reason, .. } => Some(*reason),
        _ => None,
    };
    assert_eq!(events.iter().find_map(reason), Some(LeftAlone::DataPortTaken));
    for data_port in [DataPort::Same, DataPort::Allocated] {
        let (text, events) = answer(data_port, DataPortConflict::Allocated);
        assert_eq!(text, "PORT 203,0,113,7,4,1\r\n", "1025, the first one free");
        let external = |event: &EventKind| match event {
            EventKind::ForwardOpened { external, target, .. } => Some((external.port(), *target)),
            _ => None,
        };
        assert_eq!(events.iter().find_map(external), Some((1025, at("192.168.1.100:50000"))));
    }
}

/// Case 23.
#[test]
fn a_command_is_left_alone_when_no_port_is_left() {
    let mut lab = Lab::with(|profile, _| {
        profile.ports.range.value = PortRange { first: 60000, last: 60000 };
    });
    lab.from_lan(syn("192.168.1.101:50000", "198.51.100.50:80"));
    lab.from_lan(syn("192.168.1.101:60000", "198.51.100.50:80"));
    let mut control = Control::open(&mut lab, 21);
    assert_eq!(control.say(&mut lab, PORT_50000).text(), PORT_50000);
    let events = lab.events();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, EventKind::CommandLeftAlone { reason: LeftAlone::NoPortLeft, .. })),
        "{events:?}"
    );
}

/// Case 27: what runs goes on.
#[test]
fn a_running_transfer_survives_its_control_connection() {
    let (mut lab, control) = with_port_announced();
    lab.from_wan(data_syn("198.51.100.9:20"));
    lab.from_lan(tcp("192.168.1.100:50000", "198.51.100.9:20").ack(8).syn().packet());
    lab.from_wan(tcp("198.51.100.9:20", "203.0.113.7:50000").seq(8).ack(1).packet());
    lab.from_lan(tcp(&control.client, &control.server).seq(control.sent).rst().packet());
    lab.wait_seconds(300);
    assert_eq!(lab.translations().len(), 1, "the control connection's translation is over");
    let data = lab.from_wan(tcp("198.51.100.9:20", "203.0.113.7:50000").seq(8).ack(1).data("file").packet());
    assert_eq!(data.to(), at("192.168.1.100:50000"));
}

/// Case 27: what waits ends with its control connection's translation.
#[test]
fn a_waiting_forward_ends_with_its_control_connection() {
    for (ends, expected) in [(true, &["1 ended: ControlEnded"][..]), (false, &[])] {
        let mut lab = Lab::with(|profile, _| profile.alg.ftp.forward_ends_with_control.value = ends);
        let mut control = Control::open(&mut lab, 21);
        control.say(&mut lab, PORT_50000);
        lab.from_wan(tcp(&control.server, &control.outside).seq(control.replied).rst().packet());
        history(&mut lab);
        lab.wait_seconds(242);
        assert_eq!(history(&mut lab), expected);
        assert_eq!(lab.send(WAN, data_syn("198.51.100.9:20")).is_empty(), ends);
    }
}

/// One data port for transfer after transfer, as a server that dials from port 20 and a client with a fixed port do.
#[test]
fn a_transfer_on_the_ports_of_the_one_before_uses_its_own_forward() {
    let (mut lab, mut control) = with_port_announced();
    lab.from_wan(data_syn("198.51.100.9:20"));
    lab.from_lan(tcp("192.168.1.100:50000", "198.51.100.9:20").seq(1).ack(8).syn().packet());
    lab.from_wan(tcp("198.51.100.9:20", "203.0.113.7:50000").seq(8).ack(2).fin().packet());
    lab.from_lan(tcp("192.168.1.100:50000", "198.51.100.9:20").seq(2).ack(9).fin().packet());
    lab.wait_seconds(60);
    control.say(&mut lab, PORT_50000);
    history(&mut lab);
    assert_eq!(lab.from_wan(data_syn("198.51.100.9:20")).to(), at("192.168.1.100:50000"));
    assert_eq!(history(&mut lab), ["2 used", "2 ended: UsedUp"]);
}

/// The first host's transfer is over but remembered; a server's port 20 must not lead the second's to the first.
#[test]
fn another_hosts_transfer_does_not_go_to_the_host_that_had_the_port_before() {
    let (mut lab, _) = with_port_announced();
    lab.from_wan(data_syn("198.51.100.9:20"));
    lab.from_lan(tcp("192.168.1.100:50000", "198.51.100.9:20").seq(1).ack(8).rst().packet());
    let mut second = Control::between(&mut lab, "192.168.1.101:1024", "198.51.100.9:21");
    second.say(&mut lab, "PORT 192,168,1,101,195,80\r\n");
    let external = lab.events().into_iter().find_map(|event| match event {
        EventKind::ForwardOpened { external, .. } => Some(external.to_string()),
        _ => None,
    });
    let seen = lab.from_wan(syn("198.51.100.9:20", &external.unwrap()));
    assert_eq!(seen.to(), at("192.168.1.101:50000"));
}

/// A client that reconnects announces its fixed port again, while the range has one port only.
#[test]
fn a_second_control_connection_takes_a_forward_over_with_its_port() {
    let mut lab = Lab::with(|profile, _| {
        profile.alg.ftp.data_port.value = DataPort::Allocated;
        profile.ports.range.value = PortRange { first: 60000, last: 60000 };
    });
    let mut first = Control::open(&mut lab, 21);
    first.say(&mut lab, PORT_50000);
    let mut second = Control::between(&mut lab, "192.168.1.100:1025", "198.51.100.9:21");
    history(&mut lab);
    second.say(&mut lab, PORT_50000);
    assert_eq!(history(&mut lab), ["1 ended: Replaced", "2: 203.0.113.7:60000 to 192.168.1.100:50000"]);
    lab.from_lan(tcp(&first.client, &first.server).seq(first.sent).rst().packet());
    lab.wait_seconds(250);
    let seen = lab.from_wan(syn("198.51.100.9:20", "203.0.113.7:60000"));
    assert_eq!(seen.to(), at("192.168.1.100:50000"), "the first's end leaves the second's open");
}
