//! How many translations one host may have, what a refused one is told, and the identification of what leaves.

use quirknat_router::event::{EventKind, TranslationRefusal};
use quirknat_router::profile::{Identification, TellRefusal, WhenFull};
use quirknat_router::reason::DropReason;

use crate::support::{LAN, Lab, OTHER_PC, PC, WAN, fragmented, reassembled, tcp, udp, with_ip_checksum};

fn limited() -> Lab {
    Lab::with(|profile, _| profile.table.per_host.value = 2)
}

fn datagram(host: &str, port: u16) -> Vec<u8> {
    udp(&format!("{host}:{port}"), "198.51.100.9:53", b"")
}

/// RFC 6888 REQ-4.
#[test]
fn a_host_at_its_limit_is_refused_and_its_neighbour_is_not() {
    let mut lab = limited();
    lab.from_lan(datagram(PC, 5000));
    lab.from_lan(datagram(PC, 5001));
    lab.events();
    assert_eq!(lab.dropped(LAN, datagram(PC, 5002)), DropReason::HostLimit);
    assert!(lab.events().iter().any(|event| matches!(
        event,
        EventKind::TranslationRefused { reason: TranslationRefusal::HostLimit, .. }
    )));
    lab.from_lan(datagram(OTHER_PC, 5002));
    lab.from_lan(datagram(PC, 5000));
    lab.wait_seconds(100);
    lab.from_lan(datagram(PC, 5000));
    lab.wait_seconds(30);
    assert_eq!(lab.from_lan(datagram(PC, 5002)).on, WAN, "one of its own has ended");
}

/// RFC 5508 REQ-8, RFC 6888 REQ-11.
#[test]
fn a_refusal_is_told_by_code_13_or_1_where_the_profile_says_so() {
    for (tell, code) in [(TellRefusal::Prohibited, 13), (TellRefusal::HostUnreachable, 1)] {
        let mut lab = Lab::with(|profile, _| {
            profile.table.per_host.value = 1;
            profile.table.tell_refusal.value = tell;
        });
        lab.from_lan(datagram(PC, 5000));
        let refused = tcp("192.168.1.100:1024", "198.51.100.9:80").syn().packet();
        let told = lab.from_lan(refused.clone());
        assert_eq!((told.on, told.icmp_kind(), told.quote()), (LAN, [3, code], &refused[..]));
    }
}

/// A connection from outside that finds no room is told nothing: the outside hears of no limits.
#[test]
fn a_refused_connection_from_outside_is_dropped() {
    let mut lab = Lab::with(|profile, config| {
        profile.table.per_host.value = 1;
        profile.table.tell_refusal.value = TellRefusal::Prohibited;
        config.forwards = vec!["tcp/80=192.168.1.100".parse().unwrap()];
    });
    lab.from_lan(datagram(PC, 5000));
    let syn = tcp("198.51.100.9:4000", "203.0.113.7:80").syn().packet();
    assert_eq!(lab.dropped(WAN, syn), DropReason::HostLimit);
}

/// Linux's early_drop: what both ends count on is not given up for what begins.
#[test]
fn a_full_table_gives_up_the_oldest_that_is_not_established() {
    let mut lab = Lab::with(|profile, _| {
        profile.table.translations.value = 4;
        profile.table.when_full.value = WhenFull::EvictUnestablished;
    });
    lab.connect("192.168.1.100:1024", "198.51.100.9:80");
    let answered = lab.from_lan(datagram(PC, 5000));
    lab.from_wan(udp("198.51.100.9:53", &answered.from().to_string(), b""));
    lab.from_lan(tcp("192.168.1.100:1025", "198.51.100.9:80").syn().packet());
    lab.from_lan(datagram(PC, 5001));
    let ports = |lab: &Lab| lab.translations().iter().map(|one| one.inside.port()).collect::<Vec<_>>();
    lab.from_lan(datagram(PC, 5002));
    assert_eq!(ports(&lab), [1024, 5000, 5001, 5002], "the SYN that nobody has answered is gone");
    for port in [5001, 5002] {
        let out = lab.from_lan(datagram(PC, port));
        lab.from_wan(udp("198.51.100.9:53", &out.from().to_string(), b""));
    }
    assert_eq!(lab.dropped(LAN, datagram(PC, 5003)), DropReason::TableFull);
    lab.from_lan(tcp("192.168.1.100:1024", "198.51.100.9:80").seq(1000).fin().ack(5000).packet());
    assert_eq!(lab.dropped(LAN, datagram(PC, 5003)), DropReason::TableFull, "half closed");
    assert_eq!(ports(&lab), [1024, 5000, 5001, 5002]);
    lab.wait_seconds(121);
    assert_eq!(lab.from_lan(datagram(PC, 5003)).on, WAN, "the exchanges have expired");
}

fn identification(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[4], packet[5]])
}

/// RFC 7857 §10, RFC 6864 §5.3.1.
#[test]
fn identifications_are_the_router_s_own_where_the_profile_says_so() {
    let mut lab = Lab::with(|profile, _| profile.ip.identification.value = Identification::Rewrite);
    let numbered = |host: &str| {
        let mut packet = datagram(host, 5000);
        packet[4..6].copy_from_slice(&[7, 7]);
        with_ip_checksum(packet)
    };
    let first = lab.from_lan(numbered(PC));
    let second = lab.from_lan(numbered(OTHER_PC));
    assert_ne!(identification(&first.bytes), identification(&second.bytes), "two hosts used one number");
    let mut atomic = numbered(PC);
    atomic[6] = 0x40;
    let atomic = lab.from_lan(with_ip_checksum(atomic));
    assert_eq!(
        identification(&atomic.bytes),
        0x0707,
        "it cannot become a fragment: the number means nothing"
    );
    let answer = lab.from_wan({
        let mut packet = udp("198.51.100.9:53", &first.from().to_string(), b"");
        packet[4..6].copy_from_slice(&[9, 9]);
        with_ip_checksum(packet)
    });
    assert_eq!(identification(&answer.bytes), 0x0909, "what comes in has its sender's");
}

#[test]
fn fragments_of_one_packet_get_one_new_identification() {
    let mut lab = Lab::with(|profile, _| profile.ip.identification.value = Identification::Rewrite);
    lab.from_lan(datagram(OTHER_PC, 5000));
    let fragments = fragmented(&udp("192.168.1.100:5000", "198.51.100.9:53", &[7; 64]), 7, 24);
    // A later one comes first and waits.
    assert_eq!(lab.send(LAN, fragments[1].clone()), []);
    let mut seen = lab.send(LAN, fragments[0].clone());
    seen.extend(lab.send(LAN, fragments[2].clone()));
    let whole = reassembled(seen.iter().map(|fragment| &fragment.bytes[..]));
    assert_eq!(identification(&whole), 2, "the one after the other host's");
}
