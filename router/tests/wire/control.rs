//! What the gateway makes of commands and replies. The cases are those of the catalogue of things an FTP gateway
//! must be tried with; 192.168.1.100:50000 is announced, 203.0.113.7 is the router.

use quirknat_alg::{
    Command, KeywordPosition, LeftAlone, LetterCase, LineEnd, Malformed, Octets, Refused, RefusedPort,
    SyntaxFault, ThirdParty,
};
use quirknat_router::event::EventKind;
use quirknat_router::profile::Ftp;
use quirknat_router::reason::DropReason;

use crate::support::{Control, LAN, Lab, Seen, WAN, at, tcp};

const P: &str = "PORT 192,168,1,100,195,80\r\n";
const REWRITTEN: &str = "PORT 203,0,113,7,195,80\r\n";

fn with_dialect(change: impl FnOnce(&mut Ftp)) -> Lab {
    Lab::with(|profile, _| change(&mut profile.alg.ftp))
}

/// What the gateway did to the announcements since the last look.
#[derive(Debug, Default, PartialEq)]
struct Done {
    forwards: Vec<String>,
    left_alone: Vec<LeftAlone>,
}

fn done(lab: &mut Lab) -> Done {
    let mut done = Done::default();
    for event in lab.events() {
        match event {
            EventKind::ForwardOpened { external, target, .. } => {
                done.forwards.push(format!("{external} to {target}"));
            }
            EventKind::CommandLeftAlone { reason, .. } => done.left_alone.push(reason),
            _ => {}
        }
    }
    done
}

/// One forward was opened, from W:50000 to the PC's.
#[track_caller]
fn assert_forwarded(lab: &mut Lab) {
    let forwards = vec!["203.0.113.7:50000 to 192.168.1.100:50000".to_owned()];
    assert_eq!(done(lab), Done { forwards, left_alone: Vec::new() });
}

/// On a fresh control connection the client's segments leave with these texts.
#[track_caller]
fn assert_says(lab: &mut Lab, segments: &[(&str, &str)]) {
    let mut control = Control::open(lab, 21);
    for (said, heard) in segments {
        assert_eq!(control.say(lab, said).text(), *heard);
    }
}

/// The segments pass as they are, for one reason.
#[track_caller]
fn assert_leaves_alone(lab: &mut Lab, segments: &[&str], reason: LeftAlone) {
    let same: Vec<(&str, &str)> = segments.iter().map(|text| (*text, *text)).collect();
    assert_says(lab, &same);
    assert_eq!(done(lab), Done { forwards: Vec::new(), left_alone: vec![reason] });
}

#[test]
fn case_1_a_command_on_port_21_is_rewritten_and_forwarded() {
    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 21);
    let seen = control.say(&mut lab, P);
    assert_eq!((seen.on, seen.text().as_str(), seen.bytes.len()), (WAN, REWRITTEN, 20 + 20 + 25));
    let events = lab.events();
    let rewritten = events.iter().find_map(|event| match event {
        EventKind::CommandRewritten { before, after, .. } => Some((before.as_str(), after.as_str())),
        _ => None,
    });
    assert_eq!(rewritten, Some((P.trim_end(), REWRITTEN.trim_end())), "without the line's end");
    let opened = events.iter().position(|event| matches!(event, EventKind::ForwardOpened { .. }));
    let told = events.iter().position(|event| matches!(event, EventKind::CommandRewritten { .. }));
    assert!(opened < told, "RFC 6384 §7: the mapping is there before the command leaves");
    assert_eq!(
        lab.from_wan(tcp("198.51.100.9:20", "203.0.113.7:50000").syn().packet()).to(),
        at("192.168.1.100:50000")
    );
}

#[test]
fn case_2_on_port_2121_nothing_is_rewritten_and_the_data_connection_refused() {
    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 2121);
    assert_eq!(control.say(&mut lab, P).text(), P);
    let events = lab.events();
    let expected = EventKind::CommandLeftAlone {
        translation: 1,
        line: Some(P.trim_end().to_owned()),
        announced: Some(at("192.168.1.100:50000")),
        reason: LeftAlone::NotAControlPort,
    };
    assert!(events.contains(&expected), "{events:?}");
    let syn = tcp("198.51.100.9:20", "203.0.113.7:50000").syn().packet();
    assert_eq!(lab.dropped(WAN, syn), DropReason::Unsolicited);
}

#[test]
fn a_dialect_may_watch_other_ports_or_none() {
    let mut lab = with_dialect(|ftp| ftp.control_ports.value = vec![21, 2121]);
    assert_eq!(Control::open(&mut lab, 2121).say(&mut lab, P).text(), REWRITTEN);
    let mut lab = with_dialect(|ftp| ftp.control_ports.value = Vec::new());
    assert_leaves_alone(&mut lab, &[P], LeftAlone::NotAControlPort);
}

#[test]
fn case_9_a_keyword_in_two_segments_is_not_found() {
    let mut lab = Lab::new();
    assert_says(&mut lab, &[("POR", "POR"), ("T 192,168,1,100,195,80\r\n", "T 192,168,1,100,195,80\r\n")]);
    assert_eq!(done(&mut lab), Done::default());
}

#[test]
fn case_10_a_command_cut_off_in_its_last_number() {
    let cut = ["PORT 192,168,1,100,195,8", "0\r\n"];
    assert_leaves_alone(&mut Lab::new(), &cut, LeftAlone::Malformed(SyntaxFault::CutOff));

    let mut lab = with_dialect(|ftp| ftp.malformed.value = Malformed::Drop);
    let mut control = Control::open(&mut lab, 21);
    let dropped = lab.dropped(LAN, control.segment(cut[0]));
    assert_eq!(dropped, DropReason::AnnouncementRefused(Refused::Malformed(SyntaxFault::CutOff)));
    assert_eq!(control.say(&mut lab, P).text(), REWRITTEN, "sent again as a whole it is read");

    let mut lab = with_dialect(|ftp| ftp.line_end.value = LineEnd::None);
    assert_says(&mut lab, &[(cut[0], "PORT 203,0,113,7,195,8"), (cut[1], cut[1])]);
    assert_eq!(
        done(&mut lab).forwards,
        ["203.0.113.7:49928 to 192.168.1.100:49928"],
        "195 × 256 + 8: the wrong port"
    );
}

#[test]
fn case_11_one_octet_a_segment_passes_every_position() {
    for position in [
        KeywordPosition::SegmentStart,
        KeywordPosition::LineStartOfSegment,
        KeywordPosition::AnyLineStart,
        KeywordPosition::Anywhere,
    ] {
        let mut lab = with_dialect(|ftp| ftp.keyword_position.value = position);
        let mut control = Control::open(&mut lab, 21);
        let heard: String = P.chars().map(|octet| control.say(&mut lab, octet.to_string()).text()).collect();
        assert_eq!((heard.as_str(), done(&mut lab)), (P, Done::default()));
    }
}

#[test]
fn case_12_a_command_behind_another_in_one_segment() {
    let both = &format!("NOOP\r\n{P}");
    for position in [KeywordPosition::SegmentStart, KeywordPosition::LineStartOfSegment] {
        let mut lab = with_dialect(|ftp| ftp.keyword_position.value = position);
        assert_leaves_alone(&mut lab, &[both], LeftAlone::KeywordPosition);
    }
    for position in [KeywordPosition::AnyLineStart, KeywordPosition::Anywhere] {
        let mut lab = with_dialect(|ftp| ftp.keyword_position.value = position);
        assert_says(&mut lab, &[(both, &format!("NOOP\r\n{REWRITTEN}"))]);
        assert_forwarded(&mut lab);
    }
}

#[test]
fn case_13_what_follows_the_command_in_its_segment_is_kept() {
    let mut lab = Lab::new();
    assert_says(&mut lab, &[(&format!("{P}LIST\r\n"), &format!("{REWRITTEN}LIST\r\n"))]);
    assert_forwarded(&mut lab);
}

/// Slipstreaming: the body of a form, padded so that a segment begins with the command.
#[test]
fn case_14_a_segment_that_begins_with_a_command_in_the_middle_of_a_line() {
    let segments = [("POST / HTTP/1.1\r\n\r\nxxxx", "POST / HTTP/1.1\r\n\r\nxxxx"), (P, REWRITTEN)];
    let mut lab = Lab::new();
    assert_says(&mut lab, &segments);
    assert_forwarded(&mut lab);

    let mut careful = with_dialect(|ftp| ftp.keyword_position.value = KeywordPosition::LineStartOfSegment);
    assert_leaves_alone(&mut careful, &[segments[0].0, P], LeftAlone::KeywordPosition);
    let mut careful = with_dialect(|ftp| ftp.keyword_position.value = KeywordPosition::LineStartOfSegment);
    assert_says(&mut careful, &[("NOOP\r\n", "NOOP\r\n"), (P, REWRITTEN)]);
}

#[test]
fn cases_15_and_16_an_address_that_is_not_the_senders() {
    for address in ["192,168,1,101", "10,9,8,7", "203,0,113,7"] {
        let command = &format!("PORT {address},195,80\r\n");
        let mut lab = with_dialect(|ftp| ftp.third_party.value = ThirdParty::Pass);
        assert_leaves_alone(&mut lab, &[command], LeftAlone::ThirdPartyAddress);

        let mut lab = with_dialect(|ftp| ftp.third_party.value = ThirdParty::Drop);
        let control = Control::open(&mut lab, 21);
        let dropped = lab.dropped(LAN, control.segment(command));
        assert_eq!(dropped, DropReason::AnnouncementRefused(Refused::ThirdPartyAddress));
        assert_eq!(done(&mut lab), Done::default());

        let mut lab = with_dialect(|ftp| ftp.third_party.value = ThirdParty::UseSender);
        assert_says(&mut lab, &[(command, REWRITTEN)]);
        assert_forwarded(&mut lab);
    }
}

/// The hole of CVE-2001-0405: a forward to a host that did not ask for it.
#[test]
fn case_15_a_neighbours_address_is_forwarded_to_where_a_dialect_accepts_it() {
    let mut lab = with_dialect(|ftp| ftp.third_party.value = ThirdParty::Accept);
    assert_says(&mut lab, &[("PORT 192,168,1,101,195,80\r\n", REWRITTEN)]);
    assert_eq!(done(&mut lab).forwards, ["203.0.113.7:50000 to 192.168.1.101:50000"]);
    assert_eq!(
        lab.from_wan(tcp("198.51.100.9:20", "203.0.113.7:50000").syn().packet()).to(),
        at("192.168.1.101:50000")
    );
}

/// A bounce: the router must not be led to send what comes in on its WAN out of it again, nor to itself.
#[test]
fn case_16_a_forward_to_the_world_or_to_the_router_leads_nowhere() {
    for address in ["10,9,8,7", "203,0,113,7", "192,168,1,1"] {
        let mut lab = with_dialect(|ftp| ftp.third_party.value = ThirdParty::Accept);
        let mut control = Control::open(&mut lab, 21);
        control.say(&mut lab, format!("PORT {address},195,80\r\n"));
        assert_eq!(done(&mut lab).left_alone, [LeftAlone::ThirdPartyAddress]);
        let left = lab.send(WAN, tcp("198.51.100.9:20", "203.0.113.7:50000").syn().packet());
        assert_eq!(left, [], "to {address}");
    }
}

#[test]
fn case_17_low_ports() {
    let command = "PORT 192,168,1,100,0,22\r\n";
    assert_leaves_alone(&mut Lab::new(), &[command], LeftAlone::RefusedPort);
    assert_leaves_alone(&mut Lab::new(), &["PORT 192,168,1,100,0,0\r\n"], LeftAlone::PortZero);
    assert_says(&mut Lab::new(), &[("PORT 192,168,1,100,23,112\r\n", "PORT 203,0,113,7,23,112\r\n")]);
    let mut lab = with_dialect(|ftp| ftp.refused_ports.value = Vec::new());
    assert_says(&mut lab, &[(command, "PORT 203,0,113,7,0,22\r\n")]);
    let mut lab = with_dialect(|ftp| ftp.refused_port.value = RefusedPort::Drop);
    let control = Control::open(&mut lab, 21);
    assert_eq!(
        lab.dropped(LAN, control.segment(command)),
        DropReason::AnnouncementRefused(Refused::RefusedPort)
    );
}

#[test]
fn case_18_commands_without_numbers() {
    for (command, fault) in [
        ("PORT ,,\r\n", SyntaxFault::NotANumber),
        ("PORT 192,168,1,100,,\r\n", SyntaxFault::NotANumber),
        ("PORT\r\n", SyntaxFault::NotANumber),
        ("PORT", SyntaxFault::CutOff),
    ] {
        assert_leaves_alone(&mut Lab::new(), &[command], LeftAlone::Malformed(fault));
    }
}

#[test]
fn case_19_leading_zeros_are_read_as_decimals() {
    let mut lab = Lab::new();
    assert_says(&mut lab, &[("PORT 192,168,001,100,195,080\r\n", REWRITTEN)]);
    assert_forwarded(&mut lab);
}

#[test]
fn an_octet_over_255_is_malformed_or_taken_modulo_256() {
    let command = "PORT 448,168,1,100,195,336\r\n";
    assert_leaves_alone(&mut Lab::new(), &[command], LeftAlone::Malformed(SyntaxFault::NumberTooLarge));
    let mut lab = with_dialect(|ftp| ftp.octets.value = Octets::Modulo256);
    assert_says(&mut lab, &[(command, REWRITTEN)]);
    assert_forwarded(&mut lab);
}

#[test]
fn case_20_letters() {
    for (keyword, known) in [
        ("port", [LetterCase::Any, LetterCase::UpperOrLower].as_slice()),
        ("PoRt", &[LetterCase::Any]),
        ("PORT", &[LetterCase::Any, LetterCase::UpperOrLower, LetterCase::Upper]),
    ] {
        for letters in [LetterCase::Any, LetterCase::UpperOrLower, LetterCase::Upper] {
            let mut lab = with_dialect(|ftp| ftp.letter_case.value = letters);
            let command = P.replace("PORT", keyword);
            if known.contains(&letters) {
                assert_says(&mut lab, &[(&command, &REWRITTEN.replace("PORT", keyword))]);
            } else {
                assert_leaves_alone(&mut lab, &[&command], LeftAlone::LetterCase);
            }
        }
    }
}

#[test]
fn case_21_a_keyword_inside_a_word() {
    let command = "REPORT 192,168,1,100,195,80\r\n";
    let mut lab = Lab::new();
    assert_says(&mut lab, &[(command, command)]);
    assert_eq!(done(&mut lab), Done::default());
    let mut lab = with_dialect(|ftp| ftp.keyword_position.value = KeywordPosition::Anywhere);
    assert_says(&mut lab, &[(command, "REPORT 203,0,113,7,195,80\r\n")]);
}

#[test]
fn case_28_extended_commands() {
    for (command, rewritten) in [
        ("EPRT |1|192.168.1.100|50000|\r\n", "EPRT |1|203.0.113.7|50000|\r\n"),
        ("EPRT !1!192.168.1.100!50000!\r\n", "EPRT !1!203.0.113.7!50000!\r\n"),
    ] {
        assert_leaves_alone(&mut Lab::new(), &[command], LeftAlone::CommandNotInDialect);
        let mut lab = with_dialect(|ftp| ftp.commands.value = vec![Command::Port, Command::Eprt]);
        assert_says(&mut lab, &[(command, rewritten)]);
        assert_forwarded(&mut lab);
    }
    let mut lab = with_dialect(|ftp| ftp.commands.value = vec![Command::Port, Command::Eprt]);
    let other_family = LeftAlone::Malformed(SyntaxFault::OtherAddressFamily);
    assert_leaves_alone(&mut lab, &["EPRT |2|2001:db8::1|50000|\r\n"], other_family);
}

#[test]
fn case_29_replies_of_a_server_outside_pass() {
    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 21);
    for (reply, told) in [
        ("227 Entering Passive Mode (198,51,100,9,158,26).\r\n", 1),
        ("227 Logout.\r\n", 1),
        ("221 Logout.\r\n", 0),
    ] {
        assert_eq!(control.reply(&mut lab, reply).text(), reply);
        assert_eq!(
            done(&mut lab),
            Done { forwards: vec![], left_alone: vec![LeftAlone::SentFromOutside; told] }
        );
    }
}

#[test]
fn case_30_records_of_a_secured_connection_pass() {
    let mut lab = Lab::new();
    let mut control = Control::open(&mut lab, 21);
    control.say(&mut lab, "AUTH TLS\r\n");
    let record = [0x17, 3, 3, 0, 30, b'P', b'O', b'R', b'T', b' ', 0xff, 0, 1];
    let unlucky = b"PORT \x8c\x01\xff\xee\r\nPORT 1,2\x00";
    for bytes in [&record[..], unlucky] {
        let seen = control.say(&mut lab, bytes);
        assert_eq!(payload(&seen), bytes);
    }
    assert_eq!(done(&mut lab).forwards, [] as [&str; 0]);
}

fn payload(seen: &Seen) -> &[u8] {
    &seen.content()[usize::from(seen.tcp().header_len())..]
}
