use super::*;
use crate::dialect::{LineEnd, Octets, Range};
use crate::testing::{SENDER, decide, dialect, first, from_client, from_server, opened, reason};
use crate::{Dialogue, may_announce};

const OUTER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 7), 40000);

/// What leaves in place of the announcement's endpoint.
fn text(announcement: &Announcement, endpoint: SocketAddrV4, segment: &Segment<'_>) -> String {
    announcement.replacement(endpoint, segment.bytes).text.to_string()
}

#[test]
fn port_on_21_opens_a_forward_to_what_it_announces() {
    let line = b"PORT 192,168,1,100,65,43\r\n";
    let opening = opened(decide(&dialect(), &from_client(line)));
    assert_eq!(opening.target, SocketAddrV4::new(SENDER, 16683));
    assert_eq!(&line[opening.announcement.span.clone()], b"192,168,1,100,65,43");
    assert_eq!(&line[opening.announcement.line.clone()], b"PORT 192,168,1,100,65,43");
    let outer = SocketAddrV4::new(*OUTER.ip(), 16683);
    assert_eq!(text(&opening.announcement, outer, &from_client(line)), "203,0,113,7,65,43");
}

#[test]
fn port_on_another_port_is_left_alone_and_says_so() {
    let segment = Segment { server_port: 2121, ..from_client(b"PORT 192,168,1,100,65,43\r\n") };
    assert_eq!(reason(decide(&dialect(), &segment)), LeftAlone::NotAControlPort);
    let not_ftp = Segment { server_port: 80, ..from_client(b"PORT of call\r\n") };
    assert_eq!(decide(&dialect(), &not_ftp), None);
}

#[test]
fn a_keyword_counts_only_where_the_dialect_looks() {
    let port = b"NOOP\r\nPORT 192,168,1,100,65,43\r\n";
    let at = |keyword_position| Dialect { keyword_position, ..dialect() };
    assert_eq!(
        reason(decide(&at(KeywordPosition::SegmentStart), &from_client(port))),
        LeftAlone::KeywordPosition
    );
    assert_eq!(
        reason(decide(&at(KeywordPosition::LineStartOfSegment), &from_client(port))),
        LeftAlone::KeywordPosition
    );
    opened(decide(&at(KeywordPosition::AnyLineStart), &from_client(port)));

    let inside_a_line = |keyword_position| {
        let mut dialogue = Dialogue::default();
        let before = Segment { sequence: 996, ..from_client(b"SITE") };
        assert_eq!(first(dialogue.read(&at(keyword_position), &before)), None);
        first(dialogue.read(&at(keyword_position), &from_client(&port[6..])))
    };
    opened(inside_a_line(KeywordPosition::SegmentStart));
    assert_eq!(reason(inside_a_line(KeywordPosition::LineStartOfSegment)), LeftAlone::KeywordPosition);
    let inside_a_word = b"XPORT 192,168,1,100,65,43\r\n";
    opened(decide(&at(KeywordPosition::Anywhere), &from_client(inside_a_word)));
    assert_eq!(decide(&at(KeywordPosition::SegmentStart), &from_client(inside_a_word)), None);
}

#[test]
fn letter_case_is_the_dialects() {
    let in_case = |letter_case| Dialect { letter_case, ..dialect() };
    for (letter_case, word, known) in [
        (LetterCase::Any, "PoRt", true),
        (LetterCase::Upper, "PORT", true),
        (LetterCase::Upper, "port", false),
        (LetterCase::UpperOrLower, "port", true),
        (LetterCase::UpperOrLower, "Port", false),
    ] {
        let line = format!("{word} 192,168,1,100,65,43\r\n");
        match decide(&in_case(letter_case), &from_client(line.as_bytes())) {
            Some(Decision::Open(_)) => assert!(known, "{word} under {letter_case:?}"),
            other => {
                assert!(!known && reason(other) == LeftAlone::LetterCase, "{word} under {letter_case:?}");
            }
        }
    }
}

#[test]
fn malformed_lines_pass_or_drop_with_their_fault() {
    for (line, fault) in [
        ("PORT\r\n", SyntaxFault::NotANumber),
        ("PORT", SyntaxFault::CutOff),
        ("PORT 192,168,1,100,,\r\n", SyntaxFault::NotANumber),
        ("PORT 192,168,1,100,65,8", SyntaxFault::CutOff),
        ("PORT 192,168,1,100,65,8\r", SyntaxFault::CutOff),
        ("PORT 192,168,1,100,65,43\n", SyntaxFault::LineEnd),
        ("PORT 192,168,1,100,65,43,7\r\n", SyntaxFault::LineEnd),
        ("PORT 192,168,1,300,65,43\r\n", SyntaxFault::NumberTooLarge),
        ("PORT 192,168,1,100,65,99999999999999999999\r\n", SyntaxFault::NumberTooLarge),
    ] {
        let segment = from_client(line.as_bytes());
        assert_eq!(reason(decide(&dialect(), &segment)), LeftAlone::Malformed(fault), "{line:?}");
        let strict = Dialect { malformed: Malformed::Drop, ..dialect() };
        assert_eq!(decide(&strict, &segment), Some(Decision::Refuse(Refused::Malformed(fault))), "{line:?}");
    }
}

#[test]
fn octets_and_line_ends_are_the_dialects() {
    let modulo = Dialect { octets: Octets::Modulo256, ..dialect() };
    let opening = opened(decide(&modulo, &from_client(b"PORT 192,168,257,356,65,43\r\n")));
    assert_eq!(opening.target, SocketAddrV4::new(SENDER, 16683));
    opened(decide(&dialect(), &from_client(b"PORT 192,168,001,100,065,043\r\n")));

    for (line_end, accepted) in [
        (LineEnd::Crlf, &["\r\n"][..]),
        (LineEnd::Cr, &["\r\n", "\r"]),
        (LineEnd::CrOrLf, &["\r\n", "\r", "\n"]),
        (LineEnd::NonDigit, &["\r\n", "\r", "\n", ",", " x"]),
        (LineEnd::None, &["\r\n", "\r", "\n", ",", " x", ""]),
    ] {
        for end in ["\r\n", "\r", "\n", ",", " x", ""] {
            let line = format!("PORT 192,168,1,100,65,43{end}");
            let decision = decide(&Dialect { line_end, ..dialect() }, &from_client(line.as_bytes()));
            assert_eq!(
                matches!(decision, Some(Decision::Open(_))),
                accepted.contains(&end),
                "{end:?} under {line_end:?}"
            );
        }
    }
}

#[test]
fn a_third_partys_address_is_treated_as_the_dialect_says() {
    let segment = from_client(b"PORT 192,168,1,101,65,43\r\n");
    let with = |third_party| decide(&Dialect { third_party, ..dialect() }, &segment);
    assert_eq!(reason(with(ThirdParty::Pass)), LeftAlone::ThirdPartyAddress);
    assert_eq!(with(ThirdParty::Drop), Some(Decision::Refuse(Refused::ThirdPartyAddress)));
    assert_eq!(*opened(with(ThirdParty::UseSender)).target.ip(), SENDER);
    assert_eq!(*opened(with(ThirdParty::Accept)).target.ip(), Ipv4Addr::new(192, 168, 1, 101));
}

#[test]
fn refused_ports_are_treated_as_the_dialect_says() {
    let segment = from_client(b"PORT 192,168,1,100,0,22\r\n");
    let with = |refused_port| decide(&Dialect { refused_port, ..dialect() }, &segment);
    assert_eq!(reason(with(RefusedPort::Pass)), LeftAlone::RefusedPort);
    assert_eq!(with(RefusedPort::Drop), Some(Decision::Refuse(Refused::RefusedPort)));
    assert_eq!(with(RefusedPort::EndSession), Some(Decision::EndSession(Refused::RefusedPort)));
    assert!(matches!(with(RefusedPort::RewriteOnly), Some(Decision::RewriteOnly(_))));
    let lenient = Dialect { refused_ports: Vec::new(), ..dialect() };
    assert_eq!(opened(decide(&lenient, &segment)).target.port(), 22);
    let x11 = Dialect { refused_ports: vec![Range { first: 6000, last: 6000 }], ..dialect() };
    assert_eq!(reason(decide(&x11, &from_client(b"PORT 192,168,1,100,23,112\r\n"))), LeftAlone::RefusedPort);
    opened(decide(&x11, &from_client(b"PORT 192,168,1,100,23,113\r\n")));

    let zero = from_client(b"PORT 192,168,1,100,0,0\r\n");
    let with = |port_zero| decide(&Dialect { port_zero, ..dialect() }, &zero);
    assert_eq!(reason(with(PortZero::Pass)), LeftAlone::PortZero);
    assert_eq!(with(PortZero::Drop), Some(Decision::Refuse(Refused::PortZero)));
    assert_eq!(with(PortZero::EndSession), Some(Decision::EndSession(Refused::PortZero)));
    assert_eq!(opened(with(PortZero::Accept)).target.port(), 0);
}

#[test]
fn what_the_other_side_or_another_command_announces_is_left_alone() {
    let outside = Segment { side: Side::Outside, ..from_client(b"PORT 198,51,100,50,65,43\r\n") };
    assert_eq!(reason(decide(&dialect(), &outside)), LeftAlone::SentFromOutside);
    let eprt = from_client(b"EPRT |1|192.168.1.100|16683|\r\n");
    assert_eq!(reason(decide(&dialect(), &eprt)), LeftAlone::CommandNotInDialect);
    let reply = from_server(b"227 Entering Passive Mode (192,168,1,100,158,26)\r\n");
    assert_eq!(reason(decide(&dialect(), &reply)), LeftAlone::CommandNotInDialect);
    assert_eq!(decide(&dialect(), &from_server(b"220 hello\r\n")), None);
    assert_eq!(decide(&dialect(), &from_client(b"REPORT 192,1,1,1,1,1\r\n")), None);
    assert_eq!(decide(&dialect(), &from_client(b"USER PORT\r\n")), None);
}

#[test]
fn the_extended_forms_and_replies_are_read_where_a_dialect_has_them() {
    let all = Dialect { commands: Command::ALL.to_vec(), ..dialect() };
    for (segment, span, written) in [
        (
            from_client(b"EPRT |1|192.168.1.100|16683|\r\n"),
            &b"|1|192.168.1.100|16683|"[..],
            "|1|203.0.113.7|40000|",
        ),
        (
            from_client(b"EPRT !1!192.168.1.100!16683!\r\n"),
            b"!1!192.168.1.100!16683!",
            "!1!203.0.113.7!40000!",
        ),
        (
            from_server(b"227 Entering Passive Mode (192,168,1,100,65,43).\r\n"),
            b"192,168,1,100,65,43",
            "203,0,113,7,156,64",
        ),
        (from_server(b"227 =192,168,1,100,65,43\r\n"), b"192,168,1,100,65,43", "203,0,113,7,156,64"),
        (from_server(b"229 Extended (|||16683|)\r\n"), b"|||16683|", "|||40000|"),
    ] {
        let opening = opened(decide(&all, &segment));
        assert_eq!(opening.target, SocketAddrV4::new(SENDER, 16683));
        assert_eq!(&segment.bytes[opening.announcement.span.clone()], span);
        assert_eq!(text(&opening.announcement, OUTER, &segment), written);
    }
    assert_eq!(
        reason(decide(&all, &from_client(b"EPRT |2|::1|16683|\r\n"))),
        LeftAlone::Malformed(SyntaxFault::OtherAddressFamily)
    );
    assert_eq!(
        reason(decide(&all, &from_server(b"227 Logout.\r\n"))),
        LeftAlone::Malformed(SyntaxFault::NotANumber)
    );
}

#[test]
fn the_first_look_never_misses_a_segment_that_begins_with_an_announcement() {
    for bytes in [&b"PORT 1"[..], b"port ", b"EPRT |", b"227 Entering", b"229 ("] {
        assert!(may_announce(bytes), "{bytes:?}");
    }
    for bytes in [&b""[..], b"POR", b"USER anonymous", b"220 hi", b"GET /"] {
        assert!(!may_announce(bytes), "{bytes:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_written_announcement_reads_back(a: u32, port in 1_u16.., extended: bool) {
        let endpoint = SocketAddrV4::new(Ipv4Addr::from(a), port);
        let (command, plain) = if extended {
            (Command::Eprt, "EPRT |1|192.168.1.100|16683|\r\n")
        } else {
            (Command::Port, "PORT 192,168,1,100,65,43\r\n")
        };
        let dialect = Dialect { commands: Command::ALL.to_vec(), refused_ports: Vec::new(), ..dialect() };
        let model = opened(decide(&dialect, &from_client(plain.as_bytes()))).announcement;
        let line = format!("{} {}\r\n", command.keyword(), text(&model, endpoint, &from_client(plain.as_bytes())));
        let segment = Segment { sender: *endpoint.ip(), ..from_client(line.as_bytes()) };
        proptest::prop_assert_eq!(opened(decide(&dialect, &segment)).target, endpoint);
    }
}
