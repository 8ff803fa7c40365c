use Way::{Original, Reply};

use super::*;

/// Each timeout another number.
const LIMITS: Limits = Limits {
    syn_sent: 120,
    syn_received: 60,
    established: 432_000,
    fin_wait: 121,
    close_wait: 61,
    last_ack: 30,
    time_wait: 122,
    close: 10,
    retransmitted: 301,
    unacknowledged: 300,
    most_repeated: 3,
};
const SYN: u8 = TcpFlags::SYN;
const ACK: u8 = TcpFlags::ACK;
const FIN: u8 = TcpFlags::FIN;
const RST: u8 = TcpFlags::RST;

fn segment<'a>(flags: u8, sequence: u32, acknowledgement: u32) -> Segment<'a> {
    let flags = TcpFlags(flags);
    Segment { flags, sequence, acknowledgement, rewritten_by: 0, window: 1000, length: 0, options: &[] }
}

fn passes(seconds: u32) -> Verdict {
    Verdict::Passes { refresh: Some(seconds) }
}

/// A connection and what it makes of segments.
struct Connection(Windows);

impl Connection {
    fn begin(first: &Segment<'_>) -> Self {
        assert!(Windows::may_begin(first.flags));
        let mut windows = Windows::begin(first);
        assert!(matches!(windows.judge(Original, first, &LIMITS), Verdict::Passes { .. }));
        Self(windows)
    }

    /// Its handshake is done: the opener's next number is 101, the other end's 501, and each has offered 1000.
    fn established() -> Self {
        let mut connection = Self::begin(&segment(SYN, 100, 0));
        assert_eq!(connection.judge(Reply, segment(SYN | ACK, 500, 101)), passes(60));
        assert_eq!(connection.judge(Original, segment(ACK, 101, 501)), passes(432_000));
        connection
    }

    fn judge(&mut self, way: Way, segment: Segment<'_>) -> Verdict {
        self.0.judge(way, &segment, &LIMITS)
    }
}

#[test]
fn each_state_has_its_timeout() {
    let mut connection = Connection::established();
    assert_eq!(connection.judge(Reply, segment(FIN | ACK, 501, 101)), passes(121), "after a FIN");
    assert_eq!(connection.judge(Original, segment(ACK, 101, 502)), passes(61), "acknowledged");
    assert_eq!(connection.judge(Original, segment(FIN | ACK, 101, 502)), passes(30), "after both");
    assert_eq!(connection.judge(Reply, segment(ACK, 502, 102)), passes(122), "acknowledged");
    assert_eq!(connection.judge(Reply, segment(RST, 502, 0)), passes(10), "reset");
}

#[test]
fn a_syn_that_is_sent_again_does_not_keep_its_entry_alive() {
    let mut connection = Connection::begin(&segment(SYN, 100, 0));
    assert_eq!(connection.judge(Original, segment(SYN, 100, 0)), Verdict::Passes { refresh: None });
    assert_eq!(
        connection.judge(Original, segment(ACK, 101, 501)),
        Verdict::OutOfState,
        "nothing was answered"
    );
}

#[test]
fn a_simultaneous_open_establishes() {
    let mut connection = Connection::begin(&segment(SYN, 100, 0));
    assert_eq!(connection.judge(Reply, segment(SYN, 500, 0)), Verdict::Passes { refresh: None });
    assert_eq!(connection.judge(Original, segment(SYN | ACK, 100, 501)), passes(60));
    assert_eq!(connection.judge(Reply, segment(ACK, 501, 101)), passes(432_000));
}

#[test]
fn a_reset_before_any_answer_ends_the_entry() {
    for (way, sequence, acknowledgement) in [(Original, 101, 0), (Reply, 0, 101)] {
        let mut connection = Connection::begin(&segment(SYN, 100, 0));
        assert_eq!(connection.judge(way, segment(RST | ACK, sequence, acknowledgement)), Verdict::Ends);
    }
}

#[test]
fn data_must_fit_into_the_window() {
    let never = Verdict::OutOfWindow { distrust: false };
    let mut connection = Connection::established();
    let data = |sequence| Segment { length: 10, ..segment(ACK, sequence, 501) };
    assert_eq!(connection.judge(Original, data(101)), passes(300), "not acknowledged yet");
    assert_eq!(connection.judge(Original, data(3200)), never, "far above the window");
    assert_eq!(connection.judge(Original, data(1102)), Verdict::Aside, "a little more than the window");
    assert_eq!(
        connection.judge(Original, data(0_u32.wrapping_sub(2000))),
        Verdict::Aside,
        "long acknowledged"
    );
    assert_eq!(connection.judge(Reply, segment(ACK, 501, 5000)), never, "acknowledges what was not sent");
    assert_eq!(
        connection.judge(Reply, segment(ACK, 501, 111_u32.wrapping_sub(70_000))),
        Verdict::Aside,
        "an old acknowledgement"
    );
    assert_eq!(connection.judge(Reply, segment(ACK, 501, 1112)), passes(432_000), "all that was seen");
}

#[test]
fn windows_are_scaled_where_both_ends_offer_it() {
    let scale = [3, 3, 4, 0];
    let offer = |flags, sequence, acknowledgement| Segment {
        options: &scale,
        ..segment(flags, sequence, acknowledgement)
    };
    let large = Segment { length: 10, ..segment(ACK, 15_000, 501) };
    for (answer, fits) in [(offer(SYN | ACK, 500, 101), true), (segment(SYN | ACK, 500, 101), false)] {
        let mut connection = Connection::begin(&offer(SYN, 100, 0));
        connection.judge(Reply, answer);
        connection.judge(Original, segment(ACK, 101, 501));
        connection.judge(Reply, segment(ACK, 501, 101));
        let verdict = connection.judge(Original, large);
        assert_eq!(verdict == passes(300), fits, "{verdict:?}: 16000 octets of window");
    }
}

#[test]
fn what_is_acknowledged_selectively_counts() {
    let permitted = [4, 2, 0, 0];
    let mut connection = Connection::begin(&Segment { options: &permitted, ..segment(SYN, 100, 0) });
    connection.judge(Reply, Segment { options: &permitted, ..segment(SYN | ACK, 500, 101) });
    connection.judge(Original, segment(ACK, 101, 501));
    let edges = [&[1, 1, 5, 10][..], &900_u32.to_be_bytes(), &950_u32.to_be_bytes()].concat();
    let sack = Segment { options: &edges, ..segment(ACK, 501, 101) };
    assert_eq!(connection.judge(Reply, sack), Verdict::OutOfWindow { distrust: false }, "950 was not sent");
    connection.judge(Original, Segment { length: 50, ..segment(ACK, 900, 501) });
    assert_eq!(connection.judge(Reply, sack), passes(300));
    let beyond = Segment { length: 10, ..segment(ACK, 1940, 501) };
    assert_eq!(connection.judge(Original, beyond), passes(300), "the window begins at the block's end");
}

#[test]
fn a_reset_closes_with_exactly_the_next_number() {
    let reset = |sequence| segment(RST, sequence, 0);
    for (sequence, verdict, after) in [
        (501, passes(10), "closes"),
        (400, Verdict::OutOfWindow { distrust: false }, "refused"),
        (700, passes(10), "may be challenged"),
    ] {
        let mut connection = Connection::established();
        connection.judge(Reply, segment(ACK, 501, 101));
        assert_eq!(connection.judge(Reply, reset(sequence)), verdict, "{after}");
        let next = connection.judge(Original, segment(ACK, 101, 501));
        let lives = match after {
            "closes" => 10,
            "refused" => 432_000,
            // It stays, with a number that nobody has acknowledged.
            _ => 300,
        };
        assert_eq!(next, passes(lives), "{after}");
    }
}

#[test]
fn ends_that_fell_out_of_step_with_the_router_are_followed() {
    let mut connection = Connection::established();
    assert_eq!(connection.judge(Original, segment(SYN, 70_000, 0)), Verdict::Aside, "it may be a new one");
    assert_eq!(connection.judge(Reply, segment(SYN | ACK, 90_000, 70_001)), passes(60), "it is");
    assert_eq!(connection.judge(Original, segment(ACK, 70_001, 90_001)), passes(432_000));
}

#[test]
fn a_reset_that_refuses_what_passed_aside_closes_whatever_its_number() {
    let mut connection = Connection::established();
    assert_eq!(connection.judge(Original, segment(SYN, 70_000, 0)), Verdict::Aside);
    assert_eq!(connection.judge(Reply, segment(RST | ACK, 0, 70_001)), passes(10));
    let mut connection = Connection::begin(&segment(SYN, 100, 0));
    assert_eq!(connection.judge(Reply, segment(ACK, 500, 101)), Verdict::Aside);
    assert_eq!(connection.judge(Original, segment(SYN, 100, 0)), Verdict::Passes { refresh: Some(120) });
    let own = connection.judge(Original, segment(RST | ACK, 100, 500));
    assert_eq!(own, Verdict::OutOfWindow { distrust: false }, "nobody refuses one's own SYN");
}

#[test]
fn a_connection_opens_anew_after_its_end() {
    let mut connection = Connection::established();
    connection.judge(Original, segment(FIN | ACK, 101, 501));
    connection.judge(Reply, segment(FIN | ACK, 501, 102));
    assert_eq!(connection.judge(Original, segment(ACK, 102, 502)), passes(122));
    for way in [Original, Reply] {
        assert_eq!(connection.judge(way, segment(SYN, 5000, 0)), Verdict::BeginsAnew);
    }
    let mut connection = Connection::established();
    connection.judge(Reply, segment(RST, 501, 0));
    assert_eq!(
        connection.judge(Original, segment(SYN, 5000, 0)),
        Verdict::Aside,
        "it may be somebody else's"
    );
    connection.judge(Original, segment(RST, 101, 0));
    assert_eq!(connection.judge(Original, segment(SYN, 5000, 0)), Verdict::BeginsAnew);
}

#[test]
fn the_answer_to_a_syn_within_a_closing_connection_does_not_close_it() {
    let mut connection = Connection::established();
    connection.judge(Original, segment(FIN | ACK, 101, 501));
    assert_eq!(connection.judge(Reply, segment(FIN | ACK, 501, 102)), passes(30));
    assert_eq!(connection.judge(Original, segment(SYN, 5000, 0)), Verdict::Aside);
    assert_eq!(connection.judge(Reply, segment(ACK, 502, 102)), Verdict::Aside, "a challenge (RFC 5961 §4)");
    assert_eq!(connection.judge(Original, segment(ACK, 102, 502)), passes(122));
}

#[test]
fn a_connection_is_picked_up_in_the_middle() {
    let first = Segment { length: 10, ..segment(ACK, 1000, 2000) };
    let mut windows = Windows::begin(&first);
    assert_eq!(windows.judge(Original, &first, &LIMITS), passes(300), "nothing came back yet");
    let mut connection = Connection(windows);
    assert_eq!(connection.judge(Original, segment(ACK, 900_000, 77)), passes(300), "its scale is not known");
    assert_eq!(connection.judge(Reply, segment(ACK, 2000, 1010)), passes(300), "the first that came back");
    assert_eq!(connection.judge(Reply, segment(ACK, 2000, 1010)), passes(432_000));
    for flags in [FIN | ACK, RST, SYN | ACK, 0, SYN | FIN] {
        assert!(!Windows::may_begin(TcpFlags(flags)), "{flags:#x}");
    }
}

#[test]
fn an_end_that_repeats_itself_has_a_shorter_timeout() {
    let mut connection = Connection::established();
    for repeated in 1..=4 {
        let verdict = connection.judge(Original, segment(ACK, 101, 501));
        assert_eq!(verdict, passes(if repeated >= 3 { 301 } else { 432_000 }), "{repeated}");
    }
    let closed = Segment { window: 0, ..segment(ACK, 501, 101) };
    assert_eq!(connection.judge(Reply, closed), passes(301), "its window is closed");
    assert_eq!(connection.judge(Reply, segment(ACK, 501, 101)), passes(432_000));
}

#[test]
fn two_refused_ends_are_distrusted() {
    let mut connection = Connection::established();
    connection.judge(Reply, segment(ACK, 501, 101));
    let fin = |sequence, acknowledgement| segment(FIN | ACK, sequence, acknowledgement);
    assert_eq!(connection.judge(Original, fin(90_000, 501)), Verdict::OutOfWindow { distrust: false });
    assert_eq!(connection.judge(Reply, fin(90_000, 101)), Verdict::OutOfWindow { distrust: true });
}

#[test]
fn a_rewritten_stream_is_acknowledged_in_its_receivers_numbers() {
    let mut connection = Connection::established();
    connection.judge(Original, Segment { length: 20, ..segment(ACK, 101, 501) });
    let rewritten = Segment { rewritten_by: 4, ..segment(ACK, 501, 125) };
    assert_eq!(connection.judge(Reply, rewritten), passes(432_000));
}

#[test]
fn urgent_data_is_no_more_than_data() {
    for (flags, possible) in
        [(ACK, true), (SYN, true), (FIN | ACK, true), (SYN | ACK, false), (RST, false), (FIN, false)]
    {
        assert_eq!(Windows::is_possible(TcpFlags(flags | TcpFlags::URG)), possible, "{flags:#x}");
    }
}
