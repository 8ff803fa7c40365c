use super::*;
use crate::acting::{DataPort, DataPortConflict, NoDataPort, PortTaken, Repeated, SequenceNumbers};
use crate::dialect::{AllowedPeer, Gaps, LineEnd, Octets, Oversize};
use crate::reason::SyntaxFault;

const SENDER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 100);

fn dialect() -> Dialect {
    Dialect {
        control_ports: vec![21],
        commands: vec![Command::Port],
        keyword_position: KeywordPosition::SegmentStart,
        letter_case: LetterCase::Any,
        octets: Octets::Malformed,
        line_end: LineEnd::Crlf,
        malformed: Malformed::Pass,
        third_party: ThirdParty::Pass,
        low_ports_below: 1024,
        low_ports: LowPorts::Pass,
        data_port: DataPort::Same,
        data_port_taken: PortTaken::AnyUse,
        data_port_conflict: DataPortConflict::Allocated,
        data_port_tries: 1,
        no_data_port: NoDataPort::Pass,
        repeated: Repeated::Refresh,
        terms: Terms {
            allowed_peer: AllowedPeer::Peer,
            lifetime: 300,
            connections: 1,
            outstanding: 1,
            ends_with_control: true,
        },
        sequence_numbers: SequenceNumbers::ExactMap,
        rewrites_remembered: 8,
        adjust_sack: true,
        gaps: Gaps::Drop,
        oversize: Oversize::Truncate,
    }
}

fn from_client(bytes: &[u8]) -> Segment<'_> {
    Segment {
        bytes,
        starts_segment: true,
        starts_line: true,
        role: Role::Client,
        side: Side::Inside,
        sender: SENDER,
        control_port: 21,
    }
}

fn from_server(bytes: &[u8]) -> Segment<'_> {
    Segment { role: Role::Server, ..from_client(bytes) }
}

fn reason(decision: &Decision) -> LeftAlone {
    match decision {
        Decision::LeaveAlone { reason, .. } => *reason,
        other => panic!("expected it to be left alone, got {other:?}"),
    }
}

fn opened(decision: Decision) -> Opening {
    match decision {
        Decision::Open(opening) => opening,
        other => panic!("expected a forward, got {other:?}"),
    }
}

#[test]
fn port_on_21_opens_a_forward_to_what_it_announces() {
    let line = b"PORT 192,168,1,100,65,43\r\n";
    let opening = opened(dialect().decide(&from_client(line)));
    assert_eq!(opening.target, SocketAddrV4::new(SENDER, 16683));
    assert_eq!(&line[opening.announcement.span.clone()], b"192,168,1,100,65,43");
    assert_eq!(&line[opening.announcement.line.clone()], b"PORT 192,168,1,100,65,43");
    let outer = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 7), 16683);
    assert_eq!(opening.announcement.text_for(outer).as_str(), "203,0,113,7,65,43");
}

#[test]
fn port_on_another_port_is_left_alone_and_says_so() {
    let segment = Segment { control_port: 2121, ..from_client(b"PORT 192,168,1,100,65,43\r\n") };
    assert_eq!(reason(&dialect().decide(&segment)), LeftAlone::NotAControlPort);
    let not_ftp = Segment { control_port: 80, ..from_client(b"PORT of call\r\n") };
    assert_eq!(dialect().decide(&not_ftp), Decision::Nothing);
}

#[test]
fn a_keyword_counts_only_where_the_dialect_looks() {
    let port = b"NOOP\r\nPORT 192,168,1,100,65,43\r\n";
    let at = |keyword_position| Dialect { keyword_position, ..dialect() };
    assert_eq!(
        reason(&at(KeywordPosition::SegmentStart).decide(&from_client(port))),
        LeftAlone::KeywordPosition
    );
    assert_eq!(
        reason(&at(KeywordPosition::LineStartOfSegment).decide(&from_client(port))),
        LeftAlone::KeywordPosition
    );
    opened(at(KeywordPosition::AnyLineStart).decide(&from_client(port)));

    let inside_a_line = Segment { starts_line: false, ..from_client(&port[6..]) };
    opened(at(KeywordPosition::SegmentStart).decide(&inside_a_line));
    assert_eq!(
        reason(&at(KeywordPosition::LineStartOfSegment).decide(&inside_a_line)),
        LeftAlone::KeywordPosition
    );
    let inside_a_word = b"XPORT 192,168,1,100,65,43\r\n";
    opened(at(KeywordPosition::Anywhere).decide(&from_client(inside_a_word)));
    assert_eq!(at(KeywordPosition::SegmentStart).decide(&from_client(inside_a_word)), Decision::Nothing);
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
        match in_case(letter_case).decide(&from_client(line.as_bytes())) {
            Decision::Open(_) => assert!(known, "{word} under {letter_case:?}"),
            other => {
                assert!(!known && reason(&other) == LeftAlone::LetterCase, "{word} under {letter_case:?}");
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
        assert_eq!(reason(&dialect().decide(&segment)), LeftAlone::Malformed(fault), "{line:?}");
        let strict = Dialect { malformed: Malformed::Drop, ..dialect() };
        assert_eq!(strict.decide(&segment), Decision::Refuse(Refused::Malformed(fault)), "{line:?}");
    }
}

#[test]
fn octets_and_line_ends_are_the_dialects() {
    let modulo = Dialect { octets: Octets::Modulo256, ..dialect() };
    let opening = opened(modulo.decide(&from_client(b"PORT 192,168,257,356,65,43\r\n")));
    assert_eq!(opening.target, SocketAddrV4::new(SENDER, 16683));
    opened(dialect().decide(&from_client(b"PORT 192,168,001,100,065,043\r\n")));

    for (line_end, accepted) in [
        (LineEnd::Crlf, &["\r\n"][..]),
        (LineEnd::Cr, &["\r\n", "\r"]),
        (LineEnd::CrOrLf, &["\r\n", "\r", "\n"]),
        (LineEnd::NonDigit, &["\r\n", "\r", "\n", ",", " x"]),
        (LineEnd::None, &["\r\n", "\r", "\n", ",", " x", ""]),
    ] {
        for end in ["\r\n", "\r", "\n", ",", " x", ""] {
            let line = format!("PORT 192,168,1,100,65,43{end}");
            let decision = Dialect { line_end, ..dialect() }.decide(&from_client(line.as_bytes()));
            assert_eq!(
                matches!(decision, Decision::Open(_)),
                accepted.contains(&end),
                "{end:?} under {line_end:?}"
            );
        }
    }
}

#[test]
fn a_third_partys_address_is_treated_as_the_dialect_says() {
    let segment = from_client(b"PORT 192,168,1,101,65,43\r\n");
    let with = |third_party| Dialect { third_party, ..dialect() }.decide(&segment);
    assert_eq!(reason(&with(ThirdParty::Pass)), LeftAlone::ThirdPartyAddress);
    assert_eq!(with(ThirdParty::Drop), Decision::Refuse(Refused::ThirdPartyAddress));
    assert_eq!(*opened(with(ThirdParty::UseSender)).target.ip(), SENDER);
    assert_eq!(*opened(with(ThirdParty::Accept)).target.ip(), Ipv4Addr::new(192, 168, 1, 101));
}

#[test]
fn low_ports_are_treated_as_the_dialect_says() {
    let segment = from_client(b"PORT 192,168,1,100,0,22\r\n");
    let with = |low_ports| Dialect { low_ports, ..dialect() }.decide(&segment);
    assert_eq!(reason(&with(LowPorts::Pass)), LeftAlone::LowPort);
    assert_eq!(with(LowPorts::Drop), Decision::Refuse(Refused::LowPort));
    assert_eq!(opened(with(LowPorts::Accept)).target.port(), 22);
    let zero = Dialect { low_ports_below: 0, ..dialect() };
    assert_eq!(reason(&zero.decide(&from_client(b"PORT 192,168,1,100,0,0\r\n"))), LeftAlone::PortZero);
}

#[test]
fn what_the_other_side_or_another_command_announces_is_left_alone() {
    let outside = Segment { side: Side::Outside, ..from_client(b"PORT 198,51,100,50,65,43\r\n") };
    assert_eq!(reason(&dialect().decide(&outside)), LeftAlone::SentFromOutside);
    let eprt = from_client(b"EPRT |1|192.168.1.100|16683|\r\n");
    assert_eq!(reason(&dialect().decide(&eprt)), LeftAlone::CommandNotInDialect);
    let reply = from_server(b"227 Entering Passive Mode (192,168,1,100,158,26)\r\n");
    assert_eq!(reason(&dialect().decide(&reply)), LeftAlone::CommandNotInDialect);
    assert_eq!(dialect().decide(&from_server(b"220 hello\r\n")), Decision::Nothing);
    assert_eq!(dialect().decide(&from_client(b"REPORT 192,1,1,1,1,1\r\n")), Decision::Nothing);
    assert_eq!(dialect().decide(&from_client(b"USER PORT\r\n")), Decision::Nothing);
}

#[test]
fn the_extended_forms_and_replies_are_read_where_a_dialect_has_them() {
    let all = Dialect { commands: Command::ALL.to_vec(), ..dialect() };
    let outer = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 7), 40000);
    for (segment, span, text) in [
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
        let opening = opened(all.decide(&segment));
        assert_eq!(opening.target, SocketAddrV4::new(SENDER, 16683));
        assert_eq!(&segment.bytes[opening.announcement.span.clone()], span);
        assert_eq!(opening.announcement.text_for(outer).as_str(), text);
    }
    assert_eq!(
        reason(&all.decide(&from_client(b"EPRT |2|::1|16683|\r\n"))),
        LeftAlone::Malformed(SyntaxFault::OtherAddressFamily)
    );
    assert_eq!(
        reason(&all.decide(&from_server(b"227 Logout.\r\n"))),
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
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), server: bool) {
        let role = if server { Role::Server } else { Role::Client };
        let all = Dialect { commands: Command::ALL.to_vec(), keyword_position: KeywordPosition::Anywhere, ..dialect() };
        let _ = all.decide(&Segment { role, ..from_client(&bytes) });
    }

    #[test]
    fn any_written_announcement_reads_back(a: u32, port in 1_u16.., extended: bool) {
        let endpoint = SocketAddrV4::new(Ipv4Addr::from(a), port);
        let command = if extended { Command::Eprt } else { Command::Port };
        let any = Announcement { command, endpoint, span: 0..0, line: 0..0, delimiter: b'|' };
        let line = format!("{} {}\r\n", command.keyword(), any.text_for(endpoint));
        let dialect = Dialect { commands: Command::ALL.to_vec(), low_ports_below: 0, ..dialect() };
        let segment = Segment { sender: *endpoint.ip(), ..from_client(line.as_bytes()) };
        proptest::prop_assert_eq!(opened(dialect.decide(&segment)).target, endpoint);
    }
}
