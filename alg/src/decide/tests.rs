use super::*;
use crate::dialect::LineEnd;
use crate::may_announce;
use crate::testing::{SENDER, decide, dialect, from_client, from_server, opened, reason};

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
fn what_is_no_announcement_on_another_port_is_not_reported() {
    let not_ftp = Segment { server_port: 80, ..from_client(b"PORT of call\r\n") };
    assert_eq!(decide(&dialect(), &not_ftp), None);
}

#[test]
fn what_is_malformed_says_what_its_fault_is() {
    for (line, fault) in [
        ("PORT 192,168,1,100,65,8\r", SyntaxFault::CutOff),
        ("PORT 192,168,1,100,65,43\n", SyntaxFault::LineEnd),
        ("PORT 192,168,1,100,65,99999999999999999999\r\n", SyntaxFault::NumberTooLarge),
    ] {
        let decision = decide(&dialect(), &from_client(line.as_bytes()));
        assert_eq!(reason(decision), LeftAlone::Malformed(fault), "{line:?}");
    }
}

#[test]
fn line_ends_are_the_dialects() {
    for (line_end, accepted) in [
        (LineEnd::Crlf, &["\r\n"][..]),
        (LineEnd::CrlfBehindOctet, &["\r\n", ";\r\n", ";)\r\n"]),
        (LineEnd::CrlfEndsSegment, &["\r\n"]),
        (LineEnd::Cr, &["\r\n", "\r"]),
        (LineEnd::CrOrLf, &["\r\n", "\r", "\n"]),
        (LineEnd::NonDigit, &["\r\n", ";\r\n", ";)\r\n", "\r", "\n", ",", " x"]),
        (LineEnd::None, &["\r\n", ";\r\n", ";)\r\n", "\r", "\n", ",", " x", ""]),
    ] {
        for end in ["\r\n", ";\r\n", ";)\r\n", "\r", "\n", ",", " x", ""] {
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
fn what_the_other_side_or_another_command_announces_is_left_alone() {
    let outside = Segment { side: Side::Outside, ..from_client(b"PORT 198,51,100,50,65,43\r\n") };
    assert_eq!(reason(decide(&dialect(), &outside)), LeftAlone::SentFromOutside);
    let reply = from_server(b"227 Entering Passive Mode (192,168,1,100,158,26)\r\n");
    assert_eq!(reason(decide(&dialect(), &reply)), LeftAlone::CommandNotInDialect);
    assert_eq!(decide(&dialect(), &from_server(b"220 hello\r\n")), None);
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
