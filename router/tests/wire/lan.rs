//! The LAN side: a switch of several ports, and several subnets.

use quirknat_router::event::Interface;
use quirknat_router::reason::DropReason;

use crate::support::{
    Lab, OTHER_PC, PC, SERVER, WAN, at, echo, fragmented, icmp_error, reassembled, tcp, udp, with_ttl,
};

const PORT: [Interface; 4] = [Interface::Lan(0), Interface::Lan(1), Interface::Lan(2), Interface::Lan(3)];

/// A router with a switch of four ports.
fn switch() -> Lab {
    Lab::with(|_, config| config.lan = vec!["192.168.1.1/24".parse().unwrap(); 4])
}

/// On which ports copies of a ping come out.
fn where_out(lab: &mut Lab, from: Interface, source: &str, destination: &str) -> Vec<Interface> {
    let ping = echo(true, source, destination, 1);
    let left = lab.send(from, ping.clone());
    assert!(left.iter().all(|seen| seen.bytes == ping), "a switch changes nothing, the TTL included");
    left.into_iter().map(|seen| seen.on).collect()
}

#[test]
fn a_switch_floods_until_it_has_learned() {
    let mut lab = switch();
    assert_eq!(where_out(&mut lab, PORT[1], PC, OTHER_PC), [PORT[0], PORT[2], PORT[3]]);
    assert_eq!(where_out(&mut lab, PORT[3], OTHER_PC, PC), [PORT[1]]);
    assert_eq!(where_out(&mut lab, PORT[1], PC, OTHER_PC), [PORT[3]]);
    assert_eq!(lab.translations(), []);
}

#[test]
fn a_station_that_moves_is_found_where_it_speaks_next() {
    let mut lab = switch();
    where_out(&mut lab, PORT[1], PC, OTHER_PC);
    where_out(&mut lab, PORT[2], PC, OTHER_PC);
    assert_eq!(where_out(&mut lab, PORT[3], OTHER_PC, PC), [PORT[2]]);
    assert_eq!(
        lab.dropped(PORT[2], echo(true, OTHER_PC, PC, 1)),
        DropReason::NoSuchStation,
        "both on one port"
    );
}

#[test]
fn a_reply_from_outside_goes_to_the_port_its_host_is_on_now() {
    let mut lab = switch();
    let out = lab.send(PORT[1], udp("192.168.1.100:5000", "198.51.100.9:53", b"query")).remove(0);
    let answer = || udp("198.51.100.9:53", &out.from().to_string(), b"answer");
    assert_eq!(lab.from_wan(answer()).on, PORT[1]);
    where_out(&mut lab, PORT[2], PC, OTHER_PC);
    assert_eq!(lab.from_wan(answer()).on, PORT[2], "it moved");
    let error = icmp_error(SERVER, "203.0.113.7", [3, 3], &out.bytes);
    assert_eq!(lab.from_wan(error).on, PORT[2], "an error goes there too");
}

#[test]
fn a_forwarded_connection_looks_for_its_host_on_every_port() {
    let mut lab = Lab::with(|_, config| {
        config.lan = vec!["192.168.1.1/24".parse().unwrap(); 3];
        config.forwards = vec!["tcp/80=192.168.1.100".parse().unwrap()];
    });
    let left = lab.send(WAN, tcp("198.51.100.9:4000", "203.0.113.7:80").syn().packet());
    let ports: Vec<Interface> = left.iter().map(|seen| seen.on).collect();
    assert_eq!(ports, PORT[..3]);
    assert!(left.iter().all(|seen| seen.to() == at("192.168.1.100:80") && seen.ttl() == 63));
    lab.send(PORT[2], tcp("192.168.1.100:80", "198.51.100.9:4000").ack(1).syn().packet());
    assert_eq!(lab.from_wan(tcp("198.51.100.9:4000", "203.0.113.7:80").ack(1).packet()).on, PORT[2]);
}

#[test]
fn copies_for_every_port_fit_their_links_too() {
    let mut lab = Lab::with(|_, config| {
        config.lan = vec!["192.168.1.1/24".parse().unwrap(); 2];
        config.forwards = vec!["udp/53=192.168.1.100".parse().unwrap()];
        config.lan_mtu = 600;
        config.wan_mtu = 600;
    });
    let left = lab.send(WAN, udp("198.51.100.9:4000", "203.0.113.7:53", &[5; 1000]));
    assert!(left.iter().all(|seen| seen.bytes.len() <= 600));
    for port in &PORT[..2] {
        let whole = reassembled(left.iter().filter(|seen| seen.on == *port).map(|seen| &seen.bytes[..]));
        assert_eq!(whole.len(), 1028);
    }
}

#[test]
fn the_switch_answers_on_the_port_a_question_came_from() {
    let mut lab = switch();
    for port in PORT {
        assert_eq!(lab.send(port, echo(true, PC, "192.168.1.1", 1))[0].on, port);
        assert_eq!(lab.send(port, udp("192.168.1.100:5000", "192.168.1.1:53", b""))[0].on, port);
        let hopless = with_ttl(1, udp("192.168.1.100:5000", "198.51.100.9:53", b""));
        assert_eq!(lab.send(port, hopless)[0].on, port);
    }
}

#[test]
fn a_router_with_one_port_has_nowhere_to_switch_to() {
    let mut lab = Lab::new();
    assert_eq!(lab.dropped(PORT[0], echo(true, PC, OTHER_PC, 1)), DropReason::NoSuchStation);
}

/// A router with two subnets.
fn two_subnets() -> Lab {
    Lab::with(|_, config| config.lan.push("192.168.2.1/24".parse().unwrap()))
}

#[test]
fn between_subnets_packets_are_routed_and_not_translated() {
    let mut lab = two_subnets();
    let there = lab.send(PORT[0], udp("192.168.1.100:5000", "192.168.2.100:53", b"query")).remove(0);
    assert_eq!((there.on, there.from(), there.ttl()), (PORT[1], at("192.168.1.100:5000"), 63));
    let back = lab.send(PORT[1], udp("192.168.2.100:53", "192.168.1.100:5000", b"answer")).remove(0);
    assert_eq!((back.on, back.to(), back.ttl()), (PORT[0], at("192.168.1.100:5000"), 63));
    assert_eq!(lab.translations(), []);
}

#[test]
fn fragments_between_subnets_pass_in_any_order() {
    let mut lab = two_subnets();
    let parts = fragmented(&udp("192.168.1.100:5000", "192.168.2.100:53", &[3; 900]), 9, 400);
    let left: Vec<_> = parts.into_iter().rev().map(|part| lab.send(PORT[0], part).remove(0)).collect();
    assert!(left.iter().all(|seen| seen.on == PORT[1]));
    assert_eq!(reassembled(left.iter().map(|seen| &seen.bytes[..])).len(), 928);
}

#[test]
fn each_subnet_has_its_own_translations_and_its_own_broadcast() {
    let mut lab = two_subnets();
    lab.send(PORT[0], udp("192.168.1.100:5000", "198.51.100.9:53", b""));
    let second = lab.send(PORT[1], udp("192.168.2.100:5000", "198.51.100.9:53", b"")).remove(0);
    let back = lab.from_wan(udp("198.51.100.9:53", &second.from().to_string(), b""));
    assert_eq!((back.on, back.to()), (PORT[1], at("192.168.2.100:5000")));
    let broadcast = udp("192.168.1.100:5000", "192.168.2.255:53", b"");
    assert_eq!(lab.dropped(PORT[0], broadcast), DropReason::NotUnicast);
    let foreign = udp("192.168.2.100:5000", "198.51.100.9:53", b"");
    assert_eq!(lab.dropped(PORT[0], foreign), DropReason::SourceNotOnLan, "of the other subnet");
}
