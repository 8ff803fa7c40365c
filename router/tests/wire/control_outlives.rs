//! A control connection that is idle while what it opened goes on (RFC 6384 §12).

use quirknat_alg::ControlOutlives;
use quirknat_router::event::{EventKind, TranslationEnd};
use quirknat_router::profile::MidStream;
use quirknat_router::reason::DropReason;

use crate::support::{Control, LAN, Lab, SERVER, tcp};

/// 195 × 256 + 80.
const PORT_50000: &str = "PORT 192,168,1,100,195,80\r\n";
const ANNOUNCED: &str = "203.0.113.7:50000";
const DATA: &str = "192.168.1.100:50000";

/// An idle connection's timeout, a closed one's, a forward's, in seconds.
const ESTABLISHED: u32 = 500;
const CLOSING: u32 = 40;
const WAITING: u32 = 900;

fn with_control(outlived: ControlOutlives) -> (Lab, Control) {
    let mut lab = Lab::with(|profile, _| {
        // Or else a command would make a translation of its own.
        profile.tcp.mid_stream.value = MidStream::Drop;
        profile.timeouts.tcp_established.value = ESTABLISHED;
        profile.timeouts.tcp_closing.value = CLOSING;
        profile.alg.ftp.forward_lifetime.value = WAITING;
        profile.alg.ftp.control_outlives.value = outlived;
    });
    let control = Control::open(&mut lab, 21);
    (lab, control)
}

/// The client announces a port, and `from` dials it.
fn dialled(lab: &mut Lab, control: &mut Control, from: &str) {
    control.say(lab, PORT_50000);
    lab.from_wan(tcp(from, ANNOUNCED).seq(7).syn().packet());
    lab.from_lan(tcp(DATA, from).seq(70).ack(8).syn().packet());
}

/// So many seconds of a transfer from the client's `data` port.
fn transferred(lab: &mut Lab, data: &str, server: &str, seconds: u32) {
    for _ in 0..seconds / 100 {
        lab.wait_seconds(100);
        lab.from_lan(tcp(data, server).seq(71).ack(8).data("data").packet());
    }
}

/// Whether a command still gets to the server.
fn passes(lab: &mut Lab, control: &Control) -> bool {
    !lab.send(LAN, control.segment("NOOP\r\n")).is_empty()
}

/// Until when the control connection was kept, each time, and when it ended; in seconds from the first look.
fn history(lab: &mut Lab) -> (Vec<u32>, Option<i64>) {
    let (mut kept, mut ended) = (Vec::new(), None);
    for event in lab.timed_events() {
        match event.kind {
            EventKind::ControlKept { translation: 1, expires_s } => kept.push(expires_s),
            EventKind::TranslationEnded { translation: 1, reason: TranslationEnd::Expired } => {
                ended = Some(event.at.secs());
            }
            _ => {}
        }
    }
    (kept, ended)
}

#[test]
fn without_it_a_transfer_takes_no_longer_than_its_control_connection_may_be_idle() {
    let (mut lab, mut control) = with_control(ControlOutlives::Nothing);
    dialled(&mut lab, &mut control, "198.51.100.9:20");
    transferred(&mut lab, DATA, "198.51.100.9:20", 600);
    assert_eq!(lab.dropped(LAN, control.segment("NOOP\r\n")), DropReason::NoTranslation);
}

#[test]
fn it_outlives_a_transfer_whoever_dialled() {
    for outlived in [ControlOutlives::Forwards, ControlOutlives::DataConnections] {
        let (mut lab, mut control) = with_control(outlived);
        dialled(&mut lab, &mut control, "198.51.100.9:20");
        transferred(&mut lab, DATA, "198.51.100.9:20", 2000);
        assert!(passes(&mut lab, &control), "{outlived:?}, active");

        let (mut lab, control) = with_control(outlived);
        lab.connect("192.168.1.100:1025", "198.51.100.9:50000");
        transferred(&mut lab, "192.168.1.100:1025", "198.51.100.9:50000", 2000);
        // Of a connection that the client dials a gateway that counts its forwards knows nothing.
        assert_eq!(passes(&mut lab, &control), outlived == ControlOutlives::DataConnections, "passive");
    }
}

#[test]
fn it_ends_once_the_transfer_has() {
    let (mut lab, mut control) = with_control(ControlOutlives::DataConnections);
    // Both began within second 101, and live from its end.
    dialled(&mut lab, &mut control, "198.51.100.9:20");
    transferred(&mut lab, DATA, "198.51.100.9:20", 500);
    history(&mut lab);
    // The data connection's last segment came in second 601, so it lives until 1101.
    lab.wait_seconds(2000);
    let looks: Vec<u32> = (601 + CLOSING..=1121).step_by(40).collect();
    assert_eq!(history(&mut lab), (looks, Some(1121)));
    assert_eq!(lab.translations(), []);
    assert_eq!(lab.router.poll_timeout(), None);
}

#[test]
fn what_the_clock_leaps_over_comes_out_as_what_it_ticks_through() {
    let run = |leap: bool| {
        let (mut lab, mut control) = with_control(ControlOutlives::DataConnections);
        dialled(&mut lab, &mut control, "198.51.100.9:20");
        transferred(&mut lab, DATA, "198.51.100.9:20", 300);
        history(&mut lab);
        if leap {
            lab.now += smoltcp::time::Duration::from_secs(5000);
            lab.router.handle_timeout(lab.now);
        } else {
            lab.wait_seconds(5000);
        }
        let (kept, ended) = history(&mut lab);
        assert!(ended.is_some() && lab.translations().is_empty());
        kept
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn its_segments_count_as_any() {
    let (mut lab, mut control) = with_control(ControlOutlives::DataConnections);
    dialled(&mut lab, &mut control, "198.51.100.9:20");
    transferred(&mut lab, DATA, "198.51.100.9:20", 600);
    history(&mut lab);
    control.say(&mut lab, "NOOP\r\n");
    lab.wait_seconds(490);
    assert_eq!(history(&mut lab), (vec![], None), "nothing to keep: a segment came in between");
}

#[test]
fn others_connections_are_none_of_its_own() {
    let other_host = ("192.168.1.101:1025", "198.51.100.9:50000");
    let other_server = ("192.168.1.100:1025", "198.51.100.10:50000");
    for (client, server) in [other_host, other_server] {
        let (mut lab, control) = with_control(ControlOutlives::DataConnections);
        lab.connect(client, server);
        transferred(&mut lab, client, server, 600);
        assert!(!passes(&mut lab, &control), "{client} to {server}");
    }
    // Nor is another control connection.
    let (mut lab, control) = with_control(ControlOutlives::DataConnections);
    let second = ("192.168.1.100:1025", "198.51.100.9:21");
    lab.connect(second.0, second.1);
    transferred(&mut lab, second.0, second.1, 600);
    assert!(!passes(&mut lab, &control));
}

#[test]
fn a_forward_that_waits_keeps_it_where_forwards_do() {
    for outlived in [ControlOutlives::Forwards, ControlOutlives::DataConnections] {
        let (mut lab, mut control) = with_control(outlived);
        control.say(&mut lab, PORT_50000);
        lab.wait_seconds(600);
        let data = tcp(&format!("{SERVER}:20"), ANNOUNCED).seq(7).syn().packet();
        let came_in = !lab.send(crate::support::WAN, data).is_empty();
        let kept = outlived == ControlOutlives::Forwards;
        // The article's router closes what an ended control connection has opened.
        assert_eq!((passes(&mut lab, &control), came_in), (kept, kept), "{outlived:?}");
        if kept {
            lab.wait_seconds(2000);
            assert_eq!(lab.translations(), []);
        }
    }
}
