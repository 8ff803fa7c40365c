//! How long translations live, and what gives way when there is no room.

use smoltcp::time::Duration;

use quirknat_router::event::{Answer, EventKind, Interface, TranslationEnd};
use quirknat_router::profile::{MidStream, Refresh, Timeouts, WhenFull};
use quirknat_router::reason::DropReason;

use crate::support::{LAN, Lab, PC, SERVER, Tcp, WAN, WAN_ADDRESS, at, echo, tcp, udp};

fn distinct_timeouts(timeouts: &mut Timeouts) {
    timeouts.tcp_opening.value = 20;
    timeouts.tcp_established.value = 5000;
    timeouts.tcp_half_closed.value = 4000;
    timeouts.tcp_closing.value = 30;
    timeouts.tcp_reset.value = 35;
    timeouts.udp.value = 40;
    timeouts.udp_answered.value = 45;
    timeouts.icmp.value = 50;
    timeouts.icmp_answered.value = 25;
}

fn client() -> Tcp {
    tcp("192.168.1.100:1024", "198.51.100.9:80")
}

fn server() -> Tcp {
    tcp("198.51.100.9:80", "203.0.113.7:1024")
}

/// After these packets the one translation lives for `seconds`, and not a second more.
#[track_caller]
fn assert_lives(seconds: u32, packets: impl Fn(&mut Lab)) {
    for (millis, alive) in
        [(u64::from(seconds) * 1000 - 1000, true), (u64::from(seconds) * 1000 + 1000, false)]
    {
        let mut lab = Lab::with(|profile, _| distinct_timeouts(&mut profile.timeouts));
        packets(&mut lab);
        lab.events();
        lab.wait_millis(millis);
        assert_eq!(lab.translations().len(), usize::from(alive), "{millis} ms later");
        let expired = EventKind::TranslationEnded { translation: 1, reason: TranslationEnd::Expired };
        assert_eq!(lab.events().contains(&expired), !alive);
    }
}

fn established(lab: &mut Lab) {
    lab.connect("192.168.1.100:1024", "198.51.100.9:80");
}

#[test]
fn each_protocol_and_state_has_its_timeout() {
    assert_lives(40, |lab| drop(lab.udp_mapping()));
    assert_lives(50, |lab| drop(lab.from_lan(echo(true, PC, SERVER, 1))));
    assert_lives(25, |lab| {
        let outside = lab.from_lan(echo(true, PC, SERVER, 1)).from().port();
        lab.from_wan(echo(false, SERVER, WAN_ADDRESS, outside));
    });
    assert_lives(20, |lab| drop(lab.from_lan(client().syn().packet())));
    assert_lives(20, |lab| {
        lab.from_lan(client().syn().packet());
        lab.from_wan(server().ack(1).syn().packet());
    });
    assert_lives(5000, established);
    assert_lives(5000, |lab| drop(lab.from_lan(client().ack(1).data("picked up in the middle").packet())));
}

#[test]
fn half_closed_has_its_timeout_and_so_have_both_fins() {
    assert_lives(4000, |lab| {
        established(lab);
        lab.from_wan(server().seq(5000).ack(1000).fin().packet());
        lab.from_lan(client().seq(1000).ack(5001).packet());
    });
    assert_lives(30, |lab| {
        established(lab);
        lab.from_wan(server().seq(5000).ack(1000).fin().packet());
        lab.from_lan(client().seq(1000).ack(5001).fin().packet());
        lab.from_wan(server().seq(5001).ack(1001).packet());
    });
}

/// RFC 7857 §2.2: it passes, and the mapping stays a while.
#[test]
fn a_reset_passes_and_closes() {
    assert_lives(35, |lab| {
        established(lab);
        assert_eq!(lab.from_wan(server().seq(5000).rst().packet()).on, LAN);
    });
    assert_lives(35, |lab| {
        established(lab);
        assert_eq!(lab.from_lan(client().seq(1000).rst().packet()).on, WAN);
    });
}

#[test]
fn ports_used_again_open_anew() {
    assert_lives(20, |lab| {
        established(lab);
        lab.from_wan(server().seq(5000).rst().packet());
        lab.from_lan(client().seq(9000).syn().packet());
    });
}

#[test]
fn packets_of_either_direction_refresh() {
    assert_lives(45, |lab| {
        let outside = lab.udp_mapping();
        lab.wait_seconds(39);
        lab.from_wan(udp("198.51.100.9:53", &outside, b"from outside"));
        lab.wait_seconds(44);
        lab.udp_mapping();
    });
}

/// How long a UDP exchange lives, in seconds, of which the PC has sent a query and, 30 seconds later, `late` comes by.
fn lives_after(refresh: Refresh, late: Interface) -> u32 {
    let mut lab = Lab::with(|profile, _| {
        distinct_timeouts(&mut profile.timeouts);
        profile.timeouts.udp_refresh.value = refresh;
    });
    let outside = lab.udp_mapping();
    lab.wait_seconds(30);
    match late {
        WAN => drop(lab.from_wan(udp("198.51.100.9:53", &outside, b"late"))),
        Interface::Lan(_) => drop(lab.udp_mapping()),
    }
    (30..1000)
        .find(|_| {
            lab.wait_seconds(1);
            lab.translations().is_empty()
        })
        .unwrap()
}

#[test]
fn only_packets_of_the_directions_that_the_profile_names_refresh() {
    assert_eq!([LAN, WAN].map(|late| lives_after(Refresh::Both, late)), [70, 75]);
    assert_eq!([LAN, WAN].map(|late| lives_after(Refresh::Outbound, late)), [70, 40]);
    assert_eq!([LAN, WAN].map(|late| lives_after(Refresh::Inbound, late)), [40, 75]);
}

/// Otherwise a connection from outside could not be established: its last segment is inbound.
#[test]
fn a_segment_that_changes_its_connection_s_state_counts_from_either_side() {
    let mut lab = Lab::with(|profile, config| {
        distinct_timeouts(&mut profile.timeouts);
        profile.timeouts.tcp_refresh.value = Refresh::Outbound;
        config.forwards = vec!["tcp/1024=192.168.1.100".parse().unwrap()];
    });
    lab.from_wan(server().seq(1).syn().packet());
    lab.from_lan(client().seq(9).ack(2).syn().packet());
    lab.from_wan(server().seq(2).ack(10).packet());
    lab.wait_seconds(4000);
    assert_eq!(lab.translations().len(), 1, "it is established");
    lab.from_wan(server().seq(2).ack(10).data("inbound data").packet());
    lab.wait_seconds(1001);
    assert_eq!(lab.translations(), [], "which did not refresh it");
}

/// RFC 7857 REQ-7.
#[test]
fn a_refused_packet_does_not_refresh() {
    let mut lab = Lab::with(|profile, _| distinct_timeouts(&mut profile.timeouts));
    lab.udp_mapping();
    lab.wait_seconds(30);
    let stranger = udp("198.51.100.50:53", "203.0.113.7:5000", b"");
    assert_eq!(lab.dropped(WAN, stranger), DropReason::Filtered);
    lab.wait_seconds(11);
    assert_eq!(lab.translations(), []);
}

#[test]
fn refreshes_are_told_once_a_second() {
    let mut lab = Lab::new();
    for _ in 0..50 {
        lab.udp_mapping();
        lab.wait_millis(100);
    }
    let refreshes =
        lab.events().into_iter().filter(|event| matches!(event, EventKind::TranslationRefreshed { .. }));
    assert_eq!(refreshes.count(), 5, "in five seconds");
}

#[test]
fn without_a_driver_the_next_packet_finds_the_time_gone_by() {
    let mut lab = Lab::new();
    let outside = lab.udp_mapping();
    lab.now += Duration::from_secs(122);
    let late = udp("198.51.100.9:53", &outside, b"late");
    assert_eq!(lab.dropped(WAN, late), DropReason::Unsolicited);
    assert_eq!(lab.router.poll_timeout(), None, "nothing is left to end");
}

#[test]
fn years_take_no_time() {
    let mut lab = Lab::with(|profile, _| profile.timeouts.tcp_established.value = 100_000_000);
    established(&mut lab);
    lab.wait_seconds(99_999_999);
    assert_eq!(lab.translations().len(), 1);
    lab.wait_seconds(2);
    assert_eq!(lab.translations(), []);
    assert_eq!(lab.router.poll_timeout(), None);
}

#[test]
fn each_of_many_ends_at_its_own_time() {
    let mut lab = Lab::new();
    for number in 0..100 {
        lab.from_lan(udp(&format!("192.168.1.100:{}", 5000 + number), "198.51.100.9:53", b""));
        lab.wait_millis(700);
    }
    lab.wait_seconds(60);
    lab.wait_seconds(120);
    let events = lab.timed_events();
    let time = |wanted: fn(&EventKind) -> Option<u32>| {
        events.iter().filter_map(move |event| Some((wanted(&event.kind)?, event.at))).collect::<Vec<_>>()
    };
    let made = time(|event| match event {
        EventKind::TranslationCreated { translation, .. } => Some(*translation),
        _ => None,
    });
    let mut ended = time(|event| match event {
        EventKind::TranslationEnded { translation, .. } => Some(*translation),
        _ => None,
    });
    ended.sort_unstable();
    assert_eq!((made.len(), ended.len()), (100, 100));
    for ((one, from), (other, to)) in made.into_iter().zip(ended) {
        assert_eq!(one, other);
        let lived = to - from;
        assert!(Duration::from_secs(120) <= lived && lived < Duration::from_secs(121), "{lived}");
    }
}

#[test]
fn a_segment_in_mid_stream_is_dropped_where_the_profile_says_so() {
    let mut lab = Lab::with(|profile, _| {
        distinct_timeouts(&mut profile.timeouts);
        profile.tcp.mid_stream.value = MidStream::Drop;
    });
    established(&mut lab);
    lab.wait_seconds(5001);
    let late = client().seq(1000).ack(5000).data("hello again").packet();
    assert_eq!(lab.dropped(LAN, late), DropReason::NoTranslation);
}

#[test]
fn a_segment_in_mid_stream_is_reset_where_the_profile_says_so() {
    let mut lab = Lab::with(|profile, _| profile.tcp.mid_stream.value = MidStream::Reset);
    let seen = lab.from_lan(client().seq(1000).ack(5000).data("hello again").packet());
    assert_eq!((seen.on, seen.from(), seen.to()), (LAN, at("198.51.100.9:80"), at("192.168.1.100:1024")));
    assert_eq!((seen.tcp().rst(), seen.tcp().seq_number().0), (true, 5000), "the number it acknowledged");
    let answered = EventKind::PacketAnswered { answer: Answer::Reset, to: PC.parse().unwrap() };
    assert_eq!(lab.events(), [answered]);
    assert!(lab.translations().is_empty());
    let reset = client().seq(1000).rst().packet();
    assert_eq!(lab.dropped(LAN, reset), DropReason::NoTranslation, "nothing answers a reset");
    established(&mut lab);
    let segment = client().seq(1000).ack(5000).data("in its connection").packet();
    assert_eq!(lab.from_lan(segment).on, WAN);
}

/// A table for three, with three in it: the first was refreshed last, the second is due to end first.
fn full(when_full: WhenFull) -> Lab {
    let mut lab = Lab::with(|profile, _| {
        profile.table.translations.value = 3;
        profile.table.when_full.value = when_full;
    });
    for port in [5000, 5001, 5002] {
        lab.from_lan(udp(&format!("{PC}:{port}"), "198.51.100.9:53", b""));
        lab.wait_seconds(5);
    }
    lab.from_lan(udp("192.168.1.100:5000", "198.51.100.9:53", b""));
    lab.events();
    lab
}

/// The port of the translation that gives way to a new one.
fn victim(when_full: WhenFull) -> u16 {
    let mut lab = full(when_full);
    let before = lab.translations();
    lab.from_lan(udp("192.168.1.101:6000", "198.51.100.9:53", b""));
    assert_eq!(lab.translations().len(), 3);
    let ended = lab.events().into_iter().find_map(|event| match event {
        EventKind::TranslationEnded { translation, reason: TranslationEnd::Evicted } => Some(translation),
        _ => None,
    });
    let gone = before.iter().find(|translation| Some(translation.serial) == ended).unwrap();
    assert!(!lab.translations().contains(gone));
    gone.inside.port()
}

#[test]
fn a_full_table_gives_way_as_the_profile_says() {
    assert_eq!(victim(WhenFull::EvictOldest), 5000);
    assert_eq!(victim(WhenFull::EvictIdle), 5001);
    let mut lab = full(WhenFull::Refuse);
    let refused = udp("192.168.1.101:6000", "198.51.100.9:53", b"");
    assert_eq!(lab.dropped(LAN, refused), DropReason::TableFull);
    assert_eq!(lab.translations().len(), 3);
    lab.udp_mapping();
}

#[test]
fn the_idle_one_is_the_one_due_to_end_first_also_when_it_was_cut_short() {
    let mut lab = Lab::with(|profile, _| {
        profile.table.translations.value = 3;
        profile.table.when_full.value = WhenFull::EvictIdle;
    });
    established(&mut lab);
    lab.connect("192.168.1.100:1025", "198.51.100.9:80");
    lab.wait_seconds(200);
    lab.udp_mapping();
    lab.from_lan(echo(true, PC, SERVER, 9));
    lab.wait_seconds(1);
    // The second connection has 240 seconds left now, the ping 59.
    lab.from_lan(tcp("192.168.1.100:1025", "198.51.100.9:80").seq(1000).rst().packet());
    let ports = |lab: &Lab| lab.translations().iter().map(|one| one.inside.port()).collect::<Vec<_>>();
    lab.from_lan(echo(true, PC, SERVER, 1));
    assert_eq!(ports(&lab), [1024, 1025, 1]);
    lab.wait_seconds(1);
    lab.from_lan(echo(true, PC, SERVER, 2));
    assert_eq!(ports(&lab), [1024, 1025, 2]);
    lab.wait_seconds(190);
    assert_eq!(ports(&lab), [1024, 1025]);
    lab.from_lan(echo(true, PC, SERVER, 3));
    lab.from_lan(echo(true, PC, SERVER, 4));
    assert_eq!(ports(&lab), [1024, 3, 4], "the reset one had 49 seconds left");
}

/// Making room may end the very mapping that a packet from outside is about to join.
#[test]
fn a_mapping_that_made_room_for_its_own_guest_goes_on() {
    let mut lab = Lab::with(|profile, _| {
        profile.table.translations.value = 1;
        profile.table.when_full.value = WhenFull::EvictOldest;
        profile.nat.udp.filtering.value = quirknat_router::profile::Filtering::EndpointIndependent;
    });
    lab.udp_mapping();
    let guest = lab.from_wan(udp("198.51.100.50:99", "203.0.113.7:5000", b""));
    assert_eq!(guest.to().to_string(), "192.168.1.100:5000");
    assert_eq!(lab.router.mappings(), 1);
    let other = lab.from_wan(udp("198.51.100.50:98", "203.0.113.7:5000", b""));
    assert_eq!(other.to().to_string(), "192.168.1.100:5000", "the mapping still leads there");
    assert_eq!(lab.dropped(WAN, echo(true, SERVER, WAN_ADDRESS, 5000)), DropReason::WanPing);
}
