//! Worlds of simulated hosts, all on one public network.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::*;
use crate::host::{Carrier, ExchangeFailure, ExchangePlan, PingPlan};
use crate::packet_text;

const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);

fn world(hosts: u8) -> (World<Simulated>, Vec<HostId>) {
    let mut world = World::new(Simulated, InternetSpec::default(), 1);
    let ids = (0..hosts).map(|number| {
        let address = Ipv4Addr::new(198, 51, 100, 9 + number);
        let Ok(id) =
            world.add_host(&format!("h{number}"), public(address), Place::Internet, &WireSpec::default());
        id
    });
    let ids = ids.collect();
    (world, ids)
}

fn asks(carrier: Carrier, to: SocketAddrV4, length: usize) -> ExchangePlan {
    ExchangePlan {
        carrier,
        source_port: None,
        to,
        request: vec![b'x'; length],
        answer: b"yes".to_vec(),
        times: 1,
        every: Duration::ZERO,
        patience: Duration::from_secs(5),
    }
}

#[test]
fn forty_connections_asked_for_at_one_instant_are_all_accepted() {
    let (mut world, hosts) = world(41);
    world.host(hosts[0]).unwrap().answer(Carrier::Tcp, 7, 5, b"yes".to_vec()).unwrap();
    let begin = |host: &HostId| {
        let plan = asks(Carrier::Tcp, SocketAddrV4::new(SERVER, 7), 5);
        (*host, world.host(*host).unwrap().exchange(Instant::ZERO, plan))
    };
    let asking: Vec<Activity> = hosts[1..].iter().map(begin).collect();
    world.run_until(Instant::from_secs(5));
    for (host, activity) in asking {
        let outcome = world.host(host).unwrap().exchanged(activity).unwrap();
        assert_eq!((outcome.answered, &outcome.failure), (1, &None));
    }
}

#[test]
fn what_a_host_sends_to_itself_never_leaves_it() {
    let (mut world, hosts) = world(1);
    let host = world.host(hosts[0]).unwrap();
    host.answer(Carrier::Tcp, 7, 5, b"yes".to_vec()).unwrap();
    let asking = host.exchange(Instant::ZERO, asks(Carrier::Tcp, SocketAddrV4::new(SERVER, 7), 5));
    world.run_until(Instant::from_secs(5));
    assert_eq!(world.host(hosts[0]).unwrap().exchanged(asking).unwrap().answered, 1);
    assert_eq!(world.network().record(), []);
}

#[test]
fn what_is_too_long_for_a_packet_is_refused() {
    let (mut world, hosts) = world(2);
    let to = SocketAddrV4::new(SERVER, 7);
    let host = world.host(hosts[1]).unwrap();
    let asking = host.exchange(Instant::ZERO, asks(Carrier::Udp, to, 65_508));
    let plan = PingPlan {
        to: SERVER,
        count: 1,
        every: Duration::ZERO,
        patience: Duration::from_secs(1),
        length: u16::MAX,
        time_to_live: 64,
    };
    let ping = host.ping(Instant::ZERO, plan);
    world.run_until(Instant::from_secs(5));
    let host = world.host(hosts[1]).unwrap();
    assert_eq!(host.exchanged(asking).unwrap().failure, Some(ExchangeFailure::TooLong));
    assert_eq!(host.pinged(ping).unwrap().answered, 0);
}

#[test]
fn a_new_connection_takes_the_place_of_one_in_time_wait() {
    let (mut world, hosts) = world(2);
    world.host(hosts[0]).unwrap().answer(Carrier::Tcp, 7, 5, b"yes".to_vec()).unwrap();
    for second in [1, 2, 3] {
        let plan =
            ExchangePlan { source_port: Some(4000), ..asks(Carrier::Tcp, SocketAddrV4::new(SERVER, 7), 5) };
        let now = world.now();
        let asking = world.host(hosts[1]).unwrap().exchange(now, plan);
        world.run_until(Instant::from_secs(second));
        assert_eq!(world.host(hosts[1]).unwrap().exchanged(asking).unwrap().failure, None);
    }
}

/// Two programs that answer each other for ever, on wires without delay.
#[test]
fn what_never_ends_at_one_instant_is_ended() {
    let (mut world, hosts) = world(2);
    for host in &hosts {
        world.host(*host).unwrap().answer(Carrier::Udp, 7, 1, b"x".to_vec()).unwrap();
    }
    world.network_mut().forget();
    let spark = packet_text::parse("udp 198.51.100.10:7 > 198.51.100.9:7 \"x\"").unwrap();
    world.inject(hosts[1], spark);
    world.run_until(Instant::from_secs(1));
    assert_eq!(world.now(), Instant::from_secs(1));
}

#[test]
fn a_peer_that_is_gone_is_not_spoken_to_for_ever() {
    let (mut world, hosts) = world(2);
    let asking = world
        .host(hosts[1])
        .unwrap()
        .exchange(Instant::ZERO, asks(Carrier::Tcp, SocketAddrV4::new(SERVER, 7), 5));
    let spoofed = packet_text::parse("tcp 198.51.100.99:1 > 198.51.100.9:21 SYN seq=1 mss=1460").unwrap();
    world.host(hosts[0]).unwrap().serve(21, crate::ftp::ServerConfig::default(), crate::ftp::Files::new());
    world.inject(hosts[1], spoofed);
    world.run_until(Instant::from_secs(300));
    assert!(world.is_finished((hosts[1], asking)));
    let crossed = world.network().crossings();
    world.run_until(Instant::from_secs(30_000));
    assert_eq!(world.network().crossings(), crossed);
}
