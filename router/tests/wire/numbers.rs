//! Sequence and acknowledgement numbers of a rewritten control connection, and what it looks like on the wire.

use quirknat_alg::{Gaps, KeywordPosition, Malformed, Oversize};
use quirknat_router::reason::DropReason;

use crate::support::{Control, LAN, Lab, PC, SERVER, tcp};

const P: &str = "PORT 192,168,1,100,195,80\r\n";
const REWRITTEN: &str = "PORT 203,0,113,7,195,80\r\n";

/// A client with a short address: 22 octets become 25.
fn growing() -> (Lab, Control) {
    let mut lab = Lab::with(|profile, config| {
        config.lan = vec!["10.0.0.1/24".parse().unwrap()];
        profile.alg.ftp.rewrites_remembered.value = 8;
    });
    let control = Control::between(&mut lab, "10.0.0.2:1024", "198.51.100.9:21");
    (lab, control)
}

const SHORT: &str = "PORT 10,0,0,2,195,80\r\n";

#[test]
fn case_3_after_a_shorter_line_the_client_is_two_behind_and_the_server_two_ahead() {
    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 21);
    let start = control.sent;
    assert_eq!(control.say(&mut lab, P).sequence(), start);
    assert_eq!(control.say(&mut lab, "LIST\r\n").sequence(), start + 25);
    assert_eq!(control.acknowledge(&mut lab, start).acknowledgement(), start);
    assert_eq!(control.acknowledge(&mut lab, start + 25).acknowledgement(), start + 27);
    assert_eq!(control.acknowledge(&mut lab, start + 31).acknowledgement(), start + 33);
    let reply = control.reply(&mut lab, "150 here it comes\r\n");
    assert_eq!(reply.sequence(), control.replied - 19, "what the server sends is counted by nobody else");
    let rst = lab.from_lan(tcp(&control.client, &control.server).seq(control.sent).rst().packet());
    assert_eq!(rst.sequence(), control.sent - 2, "a reset must hit the server's number");
}

/// Case 3, until both wrap.
#[test]
fn numbers_go_on_across_the_wrap() {
    let mut lab = Lab::new();
    lab.connect("192.168.1.100:1024", "198.51.100.9:80");
    let (client, server) = (format!("{PC}:1025"), format!("{SERVER}:21"));
    let start = u32::MAX - 10;
    lab.from_lan(tcp(&client, &server).seq(start.wrapping_sub(1)).syn().packet());
    lab.from_wan(tcp(&server, "203.0.113.7:1025").seq(4999).ack(start).syn().packet());
    let port = lab.from_lan(tcp(&client, &server).seq(start).ack(5000).data(P).packet());
    assert_eq!((port.sequence(), port.text().as_str()), (start, REWRITTEN));
    let list =
        lab.from_lan(tcp(&client, &server).seq(start.wrapping_add(27)).ack(5000).data("LIST\r\n").packet());
    assert_eq!(list.sequence(), 14);
    let ack = lab.from_wan(tcp(&server, "203.0.113.7:1025").seq(5000).ack(14).packet());
    assert_eq!(ack.acknowledgement(), 16);
}

#[test]
fn case_5_a_retransmission_with_more_behind_it() {
    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 21);
    let start = control.sent;
    control.say(&mut lab, P);
    let both = lab.from_lan(control.again(start, format!("{P}LIST\r\n")));
    assert_eq!((both.sequence(), both.text()), (start, format!("{REWRITTEN}LIST\r\n")));
    assert_eq!(lab.router.counters().commands_rewritten, 1);
}

#[test]
fn case_6_an_acknowledgement_of_the_first_of_two_moves_by_the_first_only() {
    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 21);
    let start = control.sent;
    control.say(&mut lab, P);
    control.say(&mut lab, "PORT 192,168,1,100,195,81\r\n");
    assert_eq!(control.acknowledge(&mut lab, start + 25).acknowledgement(), start + 27);
    assert_eq!(control.acknowledge(&mut lab, start + 50).acknowledgement(), start + 54);
}

#[test]
fn case_7_a_longer_line_inverts_the_signs() {
    let (mut lab, mut control) = growing();
    let start = control.sent;
    let seen = control.say(&mut lab, SHORT);
    assert_eq!((seen.text().as_str(), SHORT.len(), REWRITTEN.len()), (REWRITTEN, 22, 25));
    assert_eq!(control.say(&mut lab, "LIST\r\n").sequence(), start + 25);
    assert_eq!(control.acknowledge(&mut lab, start + 25).acknowledgement(), start + 22);
    // "PORT " is 5 octets; the 15 behind it became 18, of which the last 4 stand for the last one.
    for part in 0..23 {
        let acknowledged = control.acknowledge(&mut lab, start + part).acknowledgement();
        assert_eq!(acknowledged, start + part.min(19), "no octet is acknowledged that did not arrive whole");
    }
}

#[test]
fn case_8_an_address_of_the_same_length_moves_nothing() {
    let mut lab = Lab::with(|_, config| config.wan = "203.0.113.207/24".parse().unwrap());
    let (client, server) = (format!("{PC}:1024"), format!("{SERVER}:21"));
    let mut control = Control::between(&mut lab, &client, &server);
    let start = control.sent;
    assert_eq!(control.say(&mut lab, P).text(), "PORT 203,0,113,207,195,80\r\n");
    assert_eq!(control.say(&mut lab, "LIST\r\n").sequence(), start + 27);
    assert_eq!(control.acknowledge(&mut lab, start + 27).acknowledgement(), start + 27);
}

#[test]
fn case_31_the_end_of_the_stream_behind_a_command() {
    let mut lab = Lab::new();
    let control = Control::open(&mut lab, 21);
    let start = control.sent;
    let last = tcp(&control.client, &control.server).seq(start).ack(control.replied).fin().data(P);
    let seen = lab.from_lan(last.packet());
    assert!(seen.tcp().fin() && seen.text() == REWRITTEN);
    assert_eq!(
        control.acknowledge(&mut lab, start + 26).acknowledgement(),
        start + 28,
        "the FIN is one more"
    );
}

#[test]
fn case_31_a_retransmission_with_other_digits_leaves_as_the_first_did() {
    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 21);
    let start = control.sent;
    control.say(&mut lab, P);
    let other = lab.from_lan(control.again(start, "PORT 192,168,1,100,255,99\r\n"));
    assert_eq!(other.text(), REWRITTEN, "the server sees one stream");
    let part = lab.from_lan(control.again(start + 10, &P[10..]));
    assert_eq!((part.sequence(), part.text().as_str()), (start + 10, &REWRITTEN[10..]));
}

#[test]
fn case_31_options_urgent_data_and_nul_octets() {
    let mut lab = Lab::new();
    let control = Control::open(&mut lab, 21);
    let timestamps = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
    let segment = tcp(&control.client, &control.server).seq(control.sent).ack(control.replied).data(P);
    let seen = lab.from_lan(segment.options(&timestamps).urgent(3).packet());
    assert_eq!((seen.text().as_str(), &seen.content()[20..32]), (REWRITTEN, &timestamps[..]));

    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 21);
    for odd in [
        "PORT 192,168,1,100,195\0,80\r\n".to_owned(),
        "\0\0\0\0".to_owned(),
        "x".repeat(500),
        "\r\n".repeat(300),
    ] {
        assert_eq!(control.say(&mut lab, &odd).text(), odd);
    }
    assert_eq!(control.say(&mut lab, P).text(), REWRITTEN);
}

/// A SYN that the network delivers once more, late, must not undo the numbers.
#[test]
fn a_late_duplicate_of_the_syn_changes_nothing() {
    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 21);
    control.say(&mut lab, P);
    lab.from_lan(tcp(&control.client, &control.server).seq(999).syn().packet());
    let sent = control.sent;
    assert_eq!(control.say(&mut lab, "LIST\r\n").sequence(), sent - 2);
    assert_eq!(control.acknowledge(&mut lab, sent - 2).acknowledgement(), sent);
}

#[test]
fn a_new_connection_on_the_same_ports_starts_with_its_own_numbers() {
    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 21);
    control.say(&mut lab, P);
    lab.from_wan(tcp(&control.server, &control.outside).seq(control.replied).rst().packet());
    let mut again = Control::between(&mut lab, &control.client, &control.server);
    let sent = again.sent;
    assert_eq!(again.say(&mut lab, "LIST\r\n").sequence(), sent);
    assert_eq!(again.acknowledge(&mut lab, sent + 6).acknowledgement(), sent + 6);
}

#[test]
fn a_rewrite_that_is_forgotten_still_counts() {
    let mut lab = Lab::with(|profile, _| profile.alg.ftp.rewrites_remembered.value = 1);
    let mut control = Control::open(&mut lab, 21);
    let start = control.sent;
    for text in [P, "NOOP\r\n", "PORT 192,168,1,100,195,81\r\n"] {
        control.say(&mut lab, text);
    }
    let noop = lab.from_lan(control.again(start + 27, "NOOP\r\n"));
    assert_eq!(noop.sequence(), start + 25, "between the forgotten one and the other");
    assert_eq!(control.acknowledge(&mut lab, start + 31).acknowledgement(), start + 33);
    assert_eq!(control.acknowledge(&mut lab, start + 56).acknowledgement(), start + 60);
}

#[test]
fn selective_acknowledgements_follow_the_numbers_where_the_dialect_says_so() {
    for (adjust, moved) in [(true, 2), (false, 0)] {
        let mut lab = Lab::with(|profile, _| profile.alg.ftp.adjust_sack.value = adjust);
        let mut control = Control::open(&mut lab, 21);
        let start = control.sent;
        control.say(&mut lab, P);
        control.say(&mut lab, "LIST\r\n");
        let sack = tcp(&control.server, &control.outside).seq(control.replied).ack(start);
        let seen = lab.from_wan(sack.sack(&[(start + 25, start + 31)]).packet());
        assert_eq!(seen.sack(), [(start + 25 + moved, start + 31 + moved)]);
        assert_eq!(seen.acknowledgement(), start);
    }
}

#[test]
fn a_selective_acknowledgement_of_a_part_of_a_longer_line_is_taken_out() {
    let (mut lab, mut control) = growing();
    let start = control.sent;
    control.say(&mut lab, SHORT);
    let sack = tcp(&control.server, &control.outside).seq(control.replied).ack(start);
    // Within the new address and port, beyond the old ones' length.
    let seen = lab.from_wan(sack.sack(&[(start + 20, start + 22)]).packet());
    assert_eq!(seen.sack(), [], "it would claim what did not arrive");
    assert_eq!(seen.content()[20..32], [1; 12], "no-operations in its place");

    control.say(&mut lab, "LIST\r\n");
    let sack = tcp(&control.server, &control.outside).seq(control.replied).ack(start);
    let seen = lab.from_wan(sack.sack(&[(start + 21, start + 31)]).packet());
    assert_eq!(seen.sack(), [(start + 20, start + 28)], "the last octet of the old piece is not all there");
}

#[test]
fn a_segment_before_missing_ones_is_dealt_with_as_the_dialect_says() {
    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 21);
    let early = control.again(control.sent + 6, P);
    assert_eq!(lab.dropped(LAN, early.clone()), DropReason::GapInControl);
    control.say(&mut lab, "NOOP\r\n");
    assert_eq!(lab.from_lan(early).text(), REWRITTEN);

    let mut lab = Lab::with(|profile, _| profile.alg.ftp.gaps.value = Gaps::Pass);
    let mut control = Control::open(&mut lab, 21);
    let early = control.again(control.sent + 6, P);
    assert_eq!(lab.from_lan(early).text(), P, "uninspected");
    assert_eq!(control.say(&mut lab, "NOOP\r\n").text(), "NOOP\r\n");
}

/// A line of the client's that fills the link, the command at its start.
fn full_segment() -> (String, String) {
    let filler = "x".repeat(1460 - SHORT.len());
    (format!("{SHORT}{filler}"), format!("{REWRITTEN}{filler}"))
}

#[test]
fn a_segment_that_outgrows_the_link_is_dealt_with_as_the_dialect_says() {
    let (said, rewritten) = full_segment();
    let mut length = Vec::new();
    for oversize in [Oversize::Grow, Oversize::Truncate, Oversize::LeaveAlone] {
        let mut lab = Lab::with(|profile, config| {
            config.lan = vec!["10.0.0.1/24".parse().unwrap()];
            profile.alg.ftp.oversize.value = oversize;
        });
        let control = Control::between(&mut lab, "10.0.0.2:1024", "198.51.100.9:21");
        let mut segment = control.segment(&said);
        segment[6] = 0x40;
        let seen = lab.from_lan(crate::support::with_ip_checksum(segment));
        length.push(seen.bytes.len());
        let expected = if oversize == Oversize::LeaveAlone { &said } else { &rewritten };
        assert!(expected.starts_with(&seen.text()));
    }
    assert_eq!(length, [1503, 1500, 1500]);
}

#[test]
fn a_segment_that_outgrows_the_link_is_dropped_or_cut_where_the_dialect_says_so() {
    let (said, _) = full_segment();
    for dont_fragment in [true, false] {
        let mut lab = Lab::with(|profile, config| {
            config.lan = vec!["10.0.0.1/24".parse().unwrap()];
            profile.alg.ftp.oversize.value = Oversize::Drop;
        });
        let control = Control::between(&mut lab, "10.0.0.2:1024", "198.51.100.9:21");
        let mut segment = control.segment(&said);
        segment[6] = if dont_fragment { 0x40 } else { 0 };
        let segment = crate::support::with_ip_checksum(segment);
        if dont_fragment {
            assert_eq!(lab.dropped(LAN, segment), DropReason::FragmentationNeeded);
        } else {
            assert_eq!(lab.send(LAN, segment).len(), 2, "two fragments leave");
        }
    }
}

#[test]
fn what_was_cut_off_at_the_links_mtu_follows_when_it_is_sent_again() {
    let (said, rewritten) = full_segment();
    let (mut lab, control) = growing();
    let start = control.sent;
    let last = tcp(&control.client, &control.server).seq(start).ack(control.replied).fin().data(&said);
    let cut = lab.from_lan(last.packet());
    assert!(!cut.tcp().fin(), "the stream does not end with what was cut");
    let got = start + 1460;
    let acknowledged = control.acknowledge(&mut lab, got).acknowledgement();
    assert_eq!(acknowledged, start + 1457);
    let rest = lab.from_lan(control.again(acknowledged, &said[1457..]));
    assert_eq!(rest.sequence(), got);
    assert_eq!(cut.text() + &rest.text(), rewritten);
}

#[test]
fn of_several_commands_in_a_segment_those_are_rewritten_that_the_dialect_looks_for() {
    let second = "PORT 192,168,1,100,195,81\r\n";
    for (position, heard) in [
        (KeywordPosition::AnyLineStart, "PORT 203,0,113,7,195,81\r\n"),
        (KeywordPosition::Anywhere, second),
        (KeywordPosition::SegmentStart, second),
    ] {
        let mut lab = Lab::with(|profile, _| profile.alg.ftp.keyword_position.value = position);
        let mut control = Control::open(&mut lab, 21);
        let start = control.sent;
        let seen = control.say(&mut lab, format!("{P}NOOP\r\n{second}"));
        assert_eq!(seen.text(), format!("{REWRITTEN}NOOP\r\n{heard}"));
        let shorter = u32::try_from(60 - seen.text().len()).unwrap();
        assert_eq!(control.acknowledge(&mut lab, start + 60 - shorter).acknowledgement(), start + 60);
        let again = lab.from_lan(control.again(start + 33, second));
        assert_eq!((again.sequence(), again.text().as_str()), (start + 31, heard));
    }
}

/// The whole segment is decided on before any of it is acted on: one that is dropped opens nothing.
#[test]
fn a_command_that_is_refused_takes_those_before_it_in_its_segment_along() {
    let mut lab = Lab::with(|profile, _| {
        profile.alg.ftp.keyword_position.value = KeywordPosition::AnyLineStart;
        profile.alg.ftp.malformed.value = Malformed::Drop;
    });
    let mut control = Control::open(&mut lab, 21);
    let dropped = lab.dropped(LAN, control.segment(format!("{P}PORT ,,\r\n")));
    assert!(matches!(dropped, DropReason::AnnouncementRefused(_)));
    assert_eq!(lab.router.counters().commands_rewritten, 0);
    assert_eq!(control.say(&mut lab, P).text(), REWRITTEN);
}
