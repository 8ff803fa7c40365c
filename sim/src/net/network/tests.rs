//! A network without hosts' stacks: packets in, packets out.

use quirknat_router::config::Config;
use quirknat_router::profile::Profile;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::Ipv4Cidr;

use super::*;
use crate::net::{LossReason, Undeliverable};
use crate::packet_text;

const LINKSYS: &str = "linksys-befsr41-1.39";

fn address(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn add_router(network: &mut Network, name: &str, ports: usize, wan: &str, place: Place) -> RouterId {
    let lan = Ipv4Cidr::new(address("192.168.1.1"), 24);
    let lan = if matches!(place, Place::Internet) { lan } else { Ipv4Cidr::new(address("10.0.0.1"), 24) };
    let config = Config::new(vec![lan; ports], Ipv4Cidr::new(address(wan), 32));
    network.add_router(name, Profile::resolve(LINKSYS).unwrap(), config, place, &WireSpec::default()).unwrap()
}

/// A home with one host, and another host outside; all wires without delay.
fn home(internet: InternetSpec) -> (Network, RouterId, HostId, HostId) {
    let mut network = Network::new(internet, 1);
    let router = add_router(&mut network, "home", 1, "203.0.113.7", Place::Internet);
    let wire = WireSpec::default();
    let inside = network.add_host("pc", address("192.168.1.100"), Place::Behind(router), &wire);
    let outside = network.add_host("server", address("198.51.100.9"), Place::Internet, &wire);
    (network, router, inside, outside)
}

/// Sends a packet, lets a minute pass, and says what arrived where.
fn sent(network: &mut Network, from: HostId, line: &str) -> Vec<(HostId, String)> {
    network.send(Instant::ZERO, from, packet_text::parse(line).unwrap());
    network.handle_timeout(Instant::from_secs(60));
    std::iter::from_fn(|| network.poll_delivery())
        .map(|(host, packet)| (host, packet_text::print(&packet)))
        .collect()
}

fn losses(network: &Network) -> Vec<LossReason> {
    let lost = network.events().iter().filter_map(|event| match event {
        NetworkEvent::Lost(loss) => Some(loss.reason),
        _ => None,
    });
    lost.collect()
}

#[test]
fn wires_without_delay_carry_at_once_and_come_to_rest() {
    let (mut network, _, pc, server) = home(InternetSpec::default());
    let arrived = sent(&mut network, pc, "udp 192.168.1.100:4000 > 198.51.100.9:53 \"hello\"");
    assert_eq!(arrived, [(server, "udp 203.0.113.7:4000 > 198.51.100.9:53 ttl=63 \"hello\"".to_owned())]);
    assert!(!network.is_busy());
}

#[test]
fn a_packet_is_followed_from_wire_to_wire() {
    let (mut network, _, pc, _) = home(InternetSpec::default());
    let _ = sent(&mut network, pc, "udp 192.168.1.100:4000 > 198.51.100.9:53 \"hello\"");
    let _ = sent(&mut network, pc, "icmp 192.168.1.100 > 192.168.1.1 echo-request id=1 seq=1");
    let wires = network.wires();
    let way = |crossing: &Crossing| (wires[crossing.wire], crossing.direction, crossing.comes_from);
    let seen: Vec<_> = network.record().iter().map(way).collect();
    assert_eq!(
        seen,
        [
            ("home.lan.pc", Direction::Up, None),
            ("home.wan", Direction::Up, Some(0)),
            ("internet.server", Direction::Down, Some(1)),
            // The router's answer is a packet of its own.
            ("home.lan.pc", Direction::Up, None),
            ("home.lan.pc", Direction::Down, None),
        ]
    );
}

#[test]
fn a_host_is_answered_by_its_own_router_and_hears_itself_from_the_internet() {
    let (mut network, _, pc, server) = home(InternetSpec::default());
    let answer = sent(&mut network, pc, "icmp 192.168.1.100 > 192.168.1.1 echo-request id=1 seq=1");
    assert_eq!(answer, [(pc, "icmp 192.168.1.1 > 192.168.1.100 echo-reply id=1 seq=1".to_owned())]);
    let echo = sent(&mut network, server, "udp 198.51.100.9:1 > 198.51.100.9:2 \"me\"");
    assert_eq!(echo, [(server, "udp 198.51.100.9:1 > 198.51.100.9:2 \"me\"".to_owned())]);
}

#[test]
fn damaged_packets_are_carried_as_far_as_their_ip_header_says() {
    let (mut network, _, _, server) = home(InternetSpec { hops: 3, ..InternetSpec::default() });
    let wrong = "udp 198.51.100.9:1 > 198.51.100.9:2 checksum=bad ttl=9 \"x\"";
    let arrived = sent(&mut network, server, wrong);
    let there = "udp 198.51.100.9:1 > 198.51.100.9:2 checksum=bad ttl=6 \"x\"";
    assert_eq!(arrived, [(server, there.to_owned())]);
    assert_eq!(sent(&mut network, server, "udp 198.51.100.9:1 > 198.51.100.9:2 ip-checksum=bad"), []);
    assert_eq!(sent(&mut network, server, "hex \"45\""), []);
    assert_eq!(sent(&mut network, server, "hex \"\""), []);
    assert_eq!(losses(&network), [LossReason::Malformed; 3]);
}

#[test]
fn each_hop_of_the_internet_has_its_address_and_errors_are_not_answered() {
    let internet = InternetSpec {
        hops: 3,
        private_destinations: Undeliverable::HostUnreachable,
        unknown_destinations: Undeliverable::NetUnreachable,
        ..InternetSpec::default()
    };
    let (mut network, _, _, server) = home(internet);
    for (line, from, kind) in
        [("ttl=1", "192.0.2.1", "time-exceeded"), ("ttl=3", "192.0.2.3", "time-exceeded")]
    {
        let arrived = sent(&mut network, server, &format!("udp 198.51.100.9:1 > 203.0.113.7:2 {line}"));
        assert!(arrived[0].1.starts_with(&format!("icmp {from} > 198.51.100.9 {kind}")), "{arrived:?}");
    }
    let told =
        |network: &mut Network, to: &str| sent(network, server, &format!("udp 198.51.100.9:1 > {to}:2"));
    assert!(told(&mut network, "10.1.2.3")[0].1.contains("destination-unreachable/host"));
    assert!(told(&mut network, "198.51.100.200")[0].1.contains("destination-unreachable/network"));
    assert_eq!(told(&mut network, "224.0.0.1"), [], "no error about a packet to many (RFC 1122)");
    let error = "icmp 198.51.100.9 > 10.1.2.3 time-exceeded quoting (udp 10.1.2.3:1 > 198.51.100.9:2)";
    assert_eq!(sent(&mut network, server, error), []);
}

#[test]
fn three_routers_deep_a_packet_goes_out_and_its_answer_comes_back() {
    let mut network = Network::new(InternetSpec::default(), 1);
    let outer = add_router(&mut network, "outer", 1, "203.0.113.7", Place::Internet);
    let middle = add_router(&mut network, "middle", 1, "192.168.1.2", Place::Behind(outer));
    let lan = Ipv4Cidr::new(address("172.16.0.1"), 24);
    let config = Config::new(vec![lan], Ipv4Cidr::new(address("10.0.0.2"), 32));
    let profile = Profile::resolve(LINKSYS).unwrap();
    let wire = WireSpec::default();
    let inner = network.add_router("inner", profile, config, Place::Behind(middle), &wire).unwrap();
    let pc = network.add_host("pc", address("172.16.0.9"), Place::Behind(inner), &wire);
    let server = network.add_host("server", address("198.51.100.9"), Place::Internet, &wire);
    let there = sent(&mut network, pc, "udp 172.16.0.9:4000 > 198.51.100.9:53 \"q\"");
    assert_eq!(there, [(server, "udp 203.0.113.7:4000 > 198.51.100.9:53 ttl=61 \"q\"".to_owned())]);
    let back = sent(&mut network, server, "udp 198.51.100.9:53 > 203.0.113.7:4000 \"a\"");
    assert_eq!(back, [(pc, "udp 198.51.100.9:53 > 172.16.0.9:4000 ttl=61 \"a\"".to_owned())]);
    // The middle router's new address is learnt from what it sends next.
    network.change_wan_address(Instant::from_secs(60), middle, address("192.168.1.3")).unwrap();
    let there = sent(&mut network, pc, "udp 172.16.0.9:4001 > 198.51.100.9:53 \"q\"");
    assert_eq!(there.len(), 1);
    let back = sent(&mut network, server, "udp 198.51.100.9:53 > 203.0.113.7:4001 \"a\"");
    assert_eq!(back.len(), 1);
}

#[test]
fn a_switch_of_40_hosts_delivers_to_one_of_them_once_it_knows_it() {
    let mut network = Network::new(InternetSpec::default(), 1);
    let router = add_router(&mut network, "home", 40, "203.0.113.7", Place::Internet);
    let host = |number: usize| format!("192.168.1.{}", 100 + number);
    let hosts: Vec<HostId> = (0..40)
        .map(|number| {
            let name = format!("host{number}");
            network.add_host(&name, address(&host(number)), Place::Behind(router), &WireSpec::default())
        })
        .collect();
    let line = |from: usize, to: usize| format!("udp {}:1 > {}:2 \"x\"", host(from), host(to));
    assert_eq!(sent(&mut network, hosts[0], &line(0, 39)).len(), 39, "nobody has heard of it");
    assert_eq!(sent(&mut network, hosts[39], &line(39, 0)), [(hosts[0], line(39, 0))]);
    assert_eq!(sent(&mut network, hosts[0], &line(0, 39)), [(hosts[39], line(0, 39))]);
}

#[test]
fn a_host_beyond_the_last_port_reaches_nobody_and_harms_nobody() {
    let (mut network, router, ..) = home(InternetSpec::default());
    let more: Vec<HostId> = (0..300)
        .map(|number| {
            let wire = WireSpec::default();
            network.add_host(&format!("h{number}"), address("192.168.1.7"), Place::Behind(router), &wire)
        })
        .collect();
    assert_eq!(sent(&mut network, more[299], "udp 192.168.1.7:1 > 198.51.100.9:2"), []);
    let last = network.record().last().unwrap();
    assert_eq!(network.wires()[last.wire], "home.lan.h299");
    assert!(network.comment(last).unwrap().starts_with("dropped: "));
}

#[test]
fn a_router_that_is_off_loses_what_comes_and_is_new_afterwards() {
    let (mut network, router, pc, server) = home(InternetSpec::default());
    let line = "udp 192.168.1.100:4000 > 198.51.100.9:53 \"q\"";
    assert_eq!(sent(&mut network, pc, line).len(), 1);
    network.restart(Instant::from_secs(60), router, Duration::from_secs(1));
    assert_eq!(sent(&mut network, pc, line), []);
    assert_eq!(losses(&network), [LossReason::RouterOff]);
    network.send(
        Instant::from_secs(61),
        server,
        packet_text::parse("udp 198.51.100.9:53 > 203.0.113.7:4000").unwrap(),
    );
    network.handle_timeout(Instant::from_secs(61));
    assert_eq!(network.poll_delivery(), None, "its table is empty");
    assert!(network.events().iter().any(|event| event.to_string().starts_with("dropped: unsolicited")));
}

#[test]
fn a_taken_address_is_refused_and_the_old_one_is_nobodys() {
    let (mut network, router, _, server) = home(InternetSpec::default());
    let now = Instant::ZERO;
    let taken = network.change_wan_address(now, router, address("198.51.100.9"));
    assert_eq!(taken, Err(ChangeError::AddressTaken(address("198.51.100.9"))));
    assert_eq!(network.change_wan_address(now, router, address("203.0.113.7")), Ok(()), "its own");
    assert!(network.change_wan_address(now, router, address("192.168.1.9")).is_err(), "the LAN's");
    network.change_wan_address(now, router, address("203.0.113.8")).unwrap();
    assert_eq!(sent(&mut network, server, "udp 198.51.100.9:1 > 203.0.113.7:2"), []);
    assert_eq!(losses(&network), [LossReason::NobodyThere]);
}

#[test]
fn a_packet_that_comes_twice_is_one_where_it_was_seen_and_two_where_it_arrives() {
    let (mut network, _, pc, _) = home(InternetSpec::default());
    let twice = |spec: &mut WireSpec| spec.up.duplicate = crate::net::units::Probability::ALWAYS;
    for wire in 0..network.wires().len() {
        network.change_wire(Instant::ZERO, wire, twice);
    }
    let arrived = sent(&mut network, pc, "udp 192.168.1.100:4000 > 198.51.100.9:53 \"q\"");
    assert_eq!(arrived.len(), 4, "two at the router, each doubled again");
    let crossed = |name: &str| {
        let wire = network.wires().iter().position(|wire| *wire == name);
        network.record().iter().filter(|crossing| Some(crossing.wire) == wire).count()
    };
    assert_eq!([crossed("home.lan.pc"), crossed("home.wan"), crossed("internet.server")], [2, 2, 4]);
}
