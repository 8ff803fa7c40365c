//! Connections held against both ends' windows: what passes, what is dropped, and for how long a translation lives.

use quirknat_router::event::{EventKind, TranslationEnd};
use quirknat_router::profile::Profile;
use quirknat_router::reason::DropReason;

use crate::support::{LAN, Lab, Tcp, WAN, tcp, udp};

fn client() -> Tcp {
    tcp("192.168.1.100:1024", "198.51.100.9:80")
}

fn server() -> Tcp {
    tcp("198.51.100.9:80", "203.0.113.7:1024")
}

fn netfilter() -> Lab {
    Lab::of("linux-netfilter")
}

fn established() -> Lab {
    let mut lab = netfilter();
    lab.connect("192.168.1.100:1024", "198.51.100.9:80");
    lab
}

#[test]
fn numbers_outside_the_windows_are_dropped() {
    let mut lab = established();
    let beyond = client().seq(1000 + 70_000).ack(5000).data("far too much").packet();
    assert_eq!(lab.dropped(LAN, beyond), DropReason::OutOfWindow);
    let not_sent = server().seq(5000).ack(9000).packet();
    assert_eq!(lab.dropped(WAN, not_sent), DropReason::OutOfWindow);
    assert_eq!(lab.from_lan(client().seq(1000).ack(5000).data("GET /").packet()).on, WAN);
}

#[test]
fn flags_that_cannot_come_next_are_dropped() {
    let mut lab = established();
    let none = client().seq(1000).packet();
    assert_eq!(lab.dropped(LAN, none), DropReason::OutOfState);
    let answer = client().seq(1000).ack(5000).syn().packet();
    assert_eq!(lab.dropped(LAN, answer), DropReason::OutOfState, "an answer from who asked");
    for (packet, why) in [
        (client().seq(1).fin().ack(1).packet(), "a FIN opens nothing"),
        (client().seq(1).rst().packet(), "nor does a RST"),
        (client().seq(1).ack(1).syn().packet(), "nor an answer"),
    ] {
        assert_eq!(netfilter().dropped(LAN, packet), DropReason::OutOfState, "{why}");
    }
}

#[test]
fn a_connection_is_picked_up_in_mid_stream() {
    let mut lab = netfilter();
    assert_eq!(lab.from_lan(client().seq(7).ack(9).data("hello again").packet()).on, WAN);
    assert_eq!(lab.from_wan(server().seq(9).ack(18).packet()).on, LAN);
}

#[test]
fn a_reset_that_may_be_somebody_elses_leaves_the_connection_open() {
    let mut lab = established();
    lab.from_wan(server().seq(5000).ack(1000).packet());
    assert_eq!(lab.dropped(WAN, server().seq(4000).rst().packet()), DropReason::OutOfWindow);
    assert_eq!(lab.from_wan(server().seq(5500).rst().packet()).on, LAN, "its receiver may ask back");
    assert_eq!(lab.from_lan(client().seq(1000).ack(5000).packet()).on, WAN);
    lab.wait_seconds(250);
    assert_eq!(lab.translations().len(), 1, "the answer made it live on");
}

#[test]
fn a_reset_before_any_answer_takes_the_translation_along() {
    let mut lab = netfilter();
    lab.from_lan(client().seq(1).syn().packet());
    lab.events();
    assert_eq!(lab.from_wan(server().seq(0).ack(2).rst().packet()).on, LAN);
    let ended = EventKind::TranslationEnded { translation: 1, reason: TranslationEnd::Reset };
    assert!(lab.events().contains(&ended));
    assert_eq!(lab.translations(), []);
}

#[test]
fn a_syn_after_the_end_makes_another_translation() {
    let mut lab = established();
    lab.from_lan(client().seq(1000).ack(5000).fin().packet());
    lab.from_wan(server().seq(5000).ack(1001).fin().packet());
    lab.from_lan(client().seq(1001).ack(5001).packet());
    lab.events();
    assert_eq!(lab.from_lan(client().seq(90_000).syn().packet()).on, WAN);
    let ended = EventKind::TranslationEnded { translation: 1, reason: TranslationEnd::Replaced };
    assert!(lab.events().contains(&ended));
    let serials: Vec<u32> = lab.translations().iter().map(|translation| translation.serial).collect();
    assert_eq!(serials, [2]);
}

/// The translation lives for `seconds` after these packets, and not a second more.
#[track_caller]
fn assert_lives(seconds: u64, packets: impl Fn(&mut Lab)) {
    for (millis, alive) in [(seconds * 1000 - 1000, true), (seconds * 1000 + 1000, false)] {
        let mut lab = netfilter();
        packets(&mut lab);
        lab.wait_millis(millis);
        assert_eq!(lab.translations().len(), usize::from(alive), "{millis} ms later");
    }
}

#[test]
fn each_state_of_a_connection_has_its_timeout() {
    let syn = |lab: &mut Lab| drop(lab.from_lan(client().seq(999).syn().packet()));
    let open = |lab: &mut Lab| drop(lab.connect("192.168.1.100:1024", "198.51.100.9:80"));
    assert_lives(120, syn);
    assert_lives(119, |lab| {
        syn(lab);
        lab.wait_seconds(1);
        syn(lab);
    });
    assert_lives(60, |lab| {
        syn(lab);
        lab.from_wan(server().seq(4999).ack(1000).syn().packet());
    });
    assert_lives(432_000, open);
    assert_lives(300, |lab| {
        open(lab);
        lab.from_lan(client().seq(1000).ack(5000).data("not acknowledged").packet());
    });
    let fin = move |lab: &mut Lab| {
        open(lab);
        lab.from_lan(client().seq(1000).ack(5000).fin().packet());
    };
    assert_lives(120, fin);
    assert_lives(60, move |lab| {
        fin(lab);
        lab.from_wan(server().seq(5000).ack(1001).packet());
    });
    let fins = move |lab: &mut Lab| {
        fin(lab);
        lab.from_wan(server().seq(5000).ack(1001).fin().packet());
    };
    assert_lives(30, fins);
    assert_lives(120, move |lab| {
        fins(lab);
        lab.from_lan(client().seq(1001).ack(5001).packet());
    });
    assert_lives(10, move |lab| {
        open(lab);
        lab.from_lan(client().seq(1000).ack(5000).rst().packet());
    });
}

#[test]
fn two_refused_ends_shorten_what_is_left() {
    assert_lives(300, |lab| {
        lab.connect("192.168.1.100:1024", "198.51.100.9:80");
        lab.from_wan(server().seq(5000).ack(1000).packet());
        let inner = client().seq(900_000).ack(5000).fin().packet();
        let outer = server().seq(900_000).ack(1000).fin().packet();
        assert_eq!(lab.dropped(LAN, inner), DropReason::OutOfWindow);
        assert_eq!(lab.dropped(WAN, outer), DropReason::OutOfWindow);
    });
}

#[test]
fn an_exchange_has_the_longer_timeout_once_it_has_lasted() {
    let query = || udp("192.168.1.100:5000", "198.51.100.9:53", b"query");
    let answer = || udp("198.51.100.9:53", "203.0.113.7:5000", b"answer");
    let exchange = move |lab: &mut Lab, after: &[u64]| {
        lab.from_lan(query());
        lab.from_wan(answer());
        for millis in after {
            lab.wait_millis(*millis);
            lab.from_lan(query());
        }
    };
    assert_lives(30, move |lab| exchange(lab, &[]));
    assert_lives(30, move |lab| exchange(lab, &[1900]));
    assert_lives(120, move |lab| exchange(lab, &[2100]));
    assert_lives(30, move |lab| {
        lab.from_lan(query());
        lab.wait_seconds(3);
        lab.from_wan(answer());
    });
}

#[test]
fn a_connection_from_outside_is_held_against_its_windows_too() {
    let mut lab = Lab::with(|profile, config| {
        *profile = Profile::named("linux-netfilter").unwrap();
        config.forwards = vec!["tcp/80=192.168.1.100".parse().unwrap()];
    });
    let (remote, inside) = ("198.51.100.9:4000", "192.168.1.100:80");
    lab.from_wan(tcp(remote, "203.0.113.7:80").seq(1).syn().packet());
    lab.from_lan(tcp(inside, remote).seq(70).ack(2).syn().packet());
    lab.from_wan(tcp(remote, "203.0.113.7:80").seq(2).ack(71).packet());
    let not_sent = tcp(inside, remote).seq(71).ack(900).packet();
    assert_eq!(lab.dropped(LAN, not_sent), DropReason::OutOfWindow);
}

#[test]
fn a_rewritten_lines_acknowledgement_fits_in_its_senders_numbers() {
    let mut lab = Lab::with(|profile, config| {
        *profile = Profile::named("linux-netfilter").unwrap();
        config.lan = vec!["10.0.0.1/24".parse().unwrap()];
    });
    let (client, server) = ("10.0.0.2:1024", "198.51.100.9:21");
    lab.connect(client, server);
    let line = "PORT 10,0,0,2,195,80\r\n";
    lab.from_lan(tcp(client, server).seq(1000).ack(5000).data("NOOP\r\n").packet());
    let seen = lab.from_lan(tcp(client, server).seq(1006).ack(5000).data(line).packet());
    assert_eq!(seen.text(), "PORT 203,0,113,7,195,80\r\n");
    let end = 1006 + u32::try_from(seen.text().len()).unwrap();
    let back = lab.from_wan(tcp(server, "203.0.113.7:1024").seq(5000).ack(end).packet());
    assert_eq!(back.acknowledgement(), 1006 + u32::try_from(line.len()).unwrap());
}
