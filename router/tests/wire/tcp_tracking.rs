//! How TCP's flags move a translation on, and what strict tracking makes of those that cannot come next.

use quirknat_router::event::{EventKind, TranslationEnd};
use quirknat_router::profile::{MidStream, OnEnd, Profile, TcpTracking};
use quirknat_router::reason::DropReason;

use crate::support::{LAN, Lab, Tcp, WAN, tcp};

fn client() -> Tcp {
    tcp("192.168.1.100:1024", "198.51.100.9:80")
}

fn server() -> Tcp {
    tcp("198.51.100.9:80", "203.0.113.7:1024")
}

/// A connection that is established, under a profile with something changed.
fn established(change: impl FnOnce(&mut Profile)) -> Lab {
    let mut lab = Lab::with(|profile, _| change(profile));
    lab.connect("192.168.1.100:1024", "198.51.100.9:80");
    lab.events();
    lab
}

fn ended(lab: &mut Lab) -> Option<TranslationEnd> {
    lab.events().into_iter().find_map(|event| match event {
        EventKind::TranslationEnded { reason, .. } => Some(reason),
        _ => None,
    })
}

#[test]
fn a_reset_that_ends_its_translation_passes_first() {
    let mut lab = established(|profile| profile.tcp.on_rst.value = OnEnd::Remove);
    assert_eq!(lab.from_wan(server().seq(5000).rst().packet()).on, LAN);
    assert_eq!((ended(&mut lab), lab.translations()), (Some(TranslationEnd::Reset), vec![]));
}

#[test]
fn a_reset_that_says_nothing_leaves_the_timeout_as_it_is() {
    let mut lab = established(|profile| profile.tcp.on_rst.value = OnEnd::Keep);
    lab.from_wan(server().seq(5000).rst().packet());
    lab.wait_seconds(7400);
    assert_eq!(lab.from_lan(client().seq(1000).ack(5000).data("still here").packet()).on, WAN);
}

#[test]
fn the_second_fin_ends_a_translation_where_the_profile_says_so() {
    let mut lab = established(|profile| profile.tcp.on_fin.value = OnEnd::Remove);
    lab.from_wan(server().seq(5000).ack(1000).fin().packet());
    assert_eq!(ended(&mut lab), None, "half of it is open");
    assert_eq!(lab.from_lan(client().seq(1000).ack(5001).fin().packet()).on, WAN);
    assert_eq!((ended(&mut lab), lab.translations()), (Some(TranslationEnd::Closed), vec![]));
    let last = server().seq(5001).ack(1001).packet();
    assert_eq!(lab.dropped(WAN, last), DropReason::Unsolicited, "the last acknowledgement comes too late");
}

#[test]
fn fins_that_say_nothing_leave_the_timeout_as_it_is() {
    let mut lab = established(|profile| profile.tcp.on_fin.value = OnEnd::Keep);
    lab.from_wan(server().seq(5000).ack(1000).fin().packet());
    lab.from_lan(client().seq(1000).ack(5001).fin().packet());
    lab.wait_seconds(7400);
    assert_eq!(lab.translations().len(), 1);
}

fn strict(profile: &mut Profile) {
    profile.tcp.tracking.value = TcpTracking::Strict;
    profile.tcp.mid_stream.value = MidStream::Drop;
}

#[test]
fn strict_tracking_lets_a_whole_connection_pass() {
    let mut lab = established(strict);
    lab.from_lan(client().seq(1000).ack(5000).data("request").packet());
    lab.from_wan(server().seq(5000).ack(1007).data("response").packet());
    lab.from_wan(server().seq(5008).ack(1007).fin().packet());
    lab.from_lan(client().seq(1007).ack(5009).fin().packet());
    lab.from_wan(server().seq(5009).ack(1008).packet());
    assert_eq!(lab.from_lan(client().seq(9000).syn().packet()).on, WAN, "its ports can be used again");
}

#[test]
fn strict_tracking_drops_what_cannot_come_next() {
    let mut lab = Lab::with(|profile, _| strict(profile));
    let out_of_state = DropReason::OutOfState;
    assert_eq!(lab.dropped(LAN, client().syn().fin().packet()), out_of_state, "no such segment");
    assert_eq!(lab.translations(), []);
    lab.from_lan(client().seq(999).syn().packet());
    assert_eq!(lab.dropped(LAN, client().seq(1000).ack(1).data("early").packet()), out_of_state);
    assert_eq!(lab.dropped(WAN, server().seq(5000).ack(1000).data("early").packet()), out_of_state);
    lab.from_wan(server().seq(4999).ack(1000).syn().packet());
    lab.from_lan(client().seq(1000).ack(5000).packet());
    assert_eq!(lab.dropped(WAN, server().seq(7).syn().packet()), out_of_state, "within a connection");
    assert_eq!(
        lab.dropped(LAN, tcp("192.168.1.100:1024", "198.51.100.9:80").packet()),
        out_of_state,
        "no flags"
    );
    lab.from_wan(server().seq(5000).rst().packet());
    assert_eq!(lab.dropped(LAN, client().seq(1000).ack(5000).data("late").packet()), out_of_state);
}

#[test]
fn a_dropped_segment_changes_neither_state_nor_timeout() {
    let mut lab = Lab::with(|profile, _| strict(profile));
    lab.from_lan(client().seq(999).syn().packet());
    let before = lab.translations();
    lab.wait_seconds(100);
    lab.dropped(WAN, server().seq(5000).ack(1000).data("early").packet());
    assert_eq!(lab.translations(), before);
}

#[test]
fn strict_tracking_knows_the_simultaneous_open() {
    let mut lab = Lab::with(|profile, _| strict(profile));
    lab.from_lan(client().seq(1).syn().packet());
    assert_eq!(lab.from_wan(server().seq(9).syn().packet()).on, LAN);
    lab.from_lan(client().seq(1).ack(10).syn().packet());
    lab.from_wan(server().seq(9).ack(2).syn().packet());
    assert_eq!(lab.from_lan(client().seq(2).ack(10).data("data").packet()).on, WAN);
}
