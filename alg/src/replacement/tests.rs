use std::net::Ipv4Addr;

use super::*;
use crate::testing::{SENDER, decide, dialect, from_client, from_server, opened};
use crate::{
    Argument, Decision, Dialect, ExtendedDelimiter, KeywordPosition, LeftAlone, LineEnd, ReplyEnd, ReplyScan,
    SyntaxFault,
};

const OUTER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 7), 50000);

/// The payload as it leaves.
fn rewritten(announcement: &Announcement, endpoint: SocketAddrV4, payload: &[u8]) -> String {
    let Replacement { span, text, lost } = announcement.replacement(endpoint, payload);
    let pieces =
        [&payload[..span.start], text.as_bytes(), &payload[span.end..lost.start], &payload[lost.end..]];
    String::from_utf8_lossy(&pieces.concat()).into_owned()
}

#[test]
fn the_longest_forms_fit() {
    let endpoint = SocketAddrV4::new(Ipv4Addr::BROADCAST, 65535);
    for (command, text) in [
        (Command::Port, "PORT 255,255,255,255,255,255\r\n"),
        (Command::Eprt, "EPRT |1|255.255.255.255|65535|\r\n"),
        (Command::Reply227, "227 Entering Passive Mode (255,255,255,255,255,255)\r\n"),
        (Command::Reply229, "229 Entering Extended Passive Mode (|||65535|)\r\n"),
    ] {
        let (written, rest) = (ExtendedAddress::Dots, RestOfSegment::Lose);
        let form = match command {
            Command::Port | Command::Reply227 => Form::HostPort,
            Command::Eprt | Command::Reply229 => Form::Delimited(b'|'),
        };
        let (span, line, address) = (0..0, 0..0, 0..0);
        let announcement =
            Announcement { command, endpoint, span, line, behind_word: 0, address, form, written, rest };
        assert_eq!(announcement.replacement(endpoint, b"").text.as_str(), text);
    }
}

#[test]
fn the_rest_of_the_segment_is_the_dialects() {
    let twice = "PORT 192,168,1,100,195,80\r\nLIST\r\n";
    let padded = "PORT 010,0,0,2,195,80\r\nLIST -a\r\n";
    for (rest, first, second) in [
        (
            RestOfSegment::Keep,
            "PORT 203,0,113,7,195,80\r\nLIST\r\n",
            "PORT 203,0,113,7,195,80\r\nLIST -a\r\n",
        ),
        (
            RestOfSegment::Keep256,
            "PORT 203,0,113,7,195,80\r\nLIST\r\n",
            "PORT 203,0,113,7,195,80\r\nLIST -a\r\n",
        ),
        (
            RestOfSegment::OwnLine,
            "PORT 203,0,113,7,195,80\r\nLIST\r\n",
            "PORT 203,0,113,7,195,80\r\nLIST -a\r\n",
        ),
        (RestOfSegment::Lose, "PORT 203,0,113,7,195,80\r\n", "PORT 203,0,113,7,195,80\r\n"),
        // Two octets of the old line stand behind the new one, and the segment's last two are gone.
        (
            RestOfSegment::Overwrite,
            "PORT 203,0,113,7,195,80\r\n\r\nLIST",
            "PORT 203,0,113,7,195,80\r\nST -a\r\n",
        ),
    ] {
        let dialect = Dialect { rest_of_segment: rest, ..dialect() };
        let announcement = opened(decide(&dialect, &from_client(twice.as_bytes()))).announcement;
        assert_eq!(rewritten(&announcement, OUTER, twice.as_bytes()), first, "{rest:?}");
        assert_eq!(
            announcement.rewritten_line(OUTER, twice.as_bytes()),
            "PORT 203,0,113,7,195,80",
            "{rest:?}"
        );
        let from_ten =
            crate::Segment { sender: Ipv4Addr::new(10, 0, 0, 2), ..from_client(padded.as_bytes()) };
        let announcement = opened(decide(&dialect, &from_ten)).announcement;
        assert_eq!(rewritten(&announcement, OUTER, padded.as_bytes()), second, "{rest:?}");
    }
}

#[test]
fn libslirp_keeps_256_octets_up_to_a_delete() {
    let dialect = Dialect { rest_of_segment: RestOfSegment::Keep256, ..dialect() };
    for (rest, kept) in
        [("x".repeat(300).as_str(), "x".repeat(256).as_str()), ("ab\u{7f}cd", "ab"), ("ab\0cd", "ab")]
    {
        let said = format!("PORT 192,168,1,100,195,80\r\n{rest}");
        let announcement = opened(decide(&dialect, &from_client(said.as_bytes()))).announcement;
        let left = rewritten(&announcement, OUTER, said.as_bytes());
        assert_eq!(left, format!("PORT 203,0,113,7,195,80\r\n{kept}"));
    }
    let dialect = Dialect { commands: Command::ALL.to_vec(), ..dialect };
    let said = b"227 Entering Passive Mode (192,168,1,100,195,80).\r\n";
    let announcement = opened(decide(&dialect, &from_server(said))).announcement;
    let left = rewritten(&announcement, OUTER, said);
    assert_eq!(left, "227 Entering Passive Mode (203,0,113,7,195,80)\r\n.\r\n");
    assert_eq!(announcement.rewritten_line(OUTER, said), "227 Entering Passive Mode (203,0,113,7,195,80)");
    let said = b"227 Entering Passive Mode (192,168,1,100,195,80\r\n226 done\r\n";
    let announcement = opened(decide(&dialect, &from_server(said))).announcement;
    assert_eq!(
        rewritten(&announcement, OUTER, said),
        "227 Entering Passive Mode (203,0,113,7,195,80)\r\n",
        "without its parenthesis what follows is lost"
    );
}

#[test]
fn libslirp_finds_a_word_by_all_but_its_first_letter_and_writes_it_with_one_blank() {
    let dialect = Dialect {
        rest_of_segment: RestOfSegment::Keep256,
        keyword_position: KeywordPosition::TailAnywhere,
        argument: Argument::AfterOptionalBlanks,
        ..dialect()
    };
    for (said, left, line) in [
        ("PORT  192,168,1,100,195,80\r\n", "PORT 203,0,113,7,195,80\r\n", "PORT 203,0,113,7,195,80"),
        ("xSORT192,168,1,100,195,80\r\n", "xSORT 203,0,113,7,195,80\r\n", "ORT 203,0,113,7,195,80"),
    ] {
        let announcement = opened(decide(&dialect, &from_client(said.as_bytes()))).announcement;
        assert_eq!(rewritten(&announcement, OUTER, said.as_bytes()), left);
        assert_eq!(announcement.rewritten_line(OUTER, said.as_bytes()), line);
    }
}

#[test]
fn a_port_stays_as_it_was_written_where_the_dialect_replaces_the_address_alone() {
    let dialect = Dialect {
        commands: Command::ALL.to_vec(),
        rest_of_segment: RestOfSegment::KeepPort,
        extended_address: ExtendedAddress::Commas,
        ..dialect()
    };
    for (segment, left) in [
        (from_client(b"PORT 192,168,1,100,195,080\r\n"), "PORT 203,0,113,7,195,080\r\n"),
        (from_client(b"EPRT |1|192.168.1.100|050000|\r\n"), "EPRT |1|203,0,113,7|050000|\r\n"),
        (from_server(b"227 =192,168,1,100,195,80\r\n"), "227 =203,0,113,7,195,80\r\n"),
        (from_server(b"229 yes (|||50000|)\r\n"), "229 yes (|||50000|)\r\n"),
    ] {
        let announcement = opened(decide(&dialect, &segment)).announcement;
        assert_eq!(rewritten(&announcement, OUTER, segment.bytes), left);
    }
}

#[test]
fn numbers_are_replaced_between_whatever_stands_there() {
    let dialect = Dialect {
        commands: Command::ALL.to_vec(),
        extended_delimiter: ExtendedDelimiter::Unread,
        extended_line_end: LineEnd::None,
        reply_scan: ReplyScan::FirstDigitBehindBlank,
        ..dialect()
    };
    let other = SocketAddrV4::new(*OUTER.ip(), 40001);
    for (segment, left, own_line) in [
        (
            from_client(b"EPRT 1: 192.168.1.100 50000|\r\n"),
            "EPRT 1: 203.0.113.7 40001|\r\n",
            "EPRT |1|203.0.113.7|40001|\r\n",
        ),
        (
            from_server(b"229-port 50000.\r\n"),
            "229-port 40001.\r\n",
            "229 Entering Extended Passive Mode (|||40001|)\r\n",
        ),
    ] {
        let announcement = opened(decide(&dialect, &segment)).announcement;
        assert_eq!(rewritten(&announcement, other, segment.bytes), left);
        let whole = Dialect { rest_of_segment: RestOfSegment::Lose, ..dialect.clone() };
        let announcement = opened(decide(&whole, &segment)).announcement;
        assert_eq!(rewritten(&announcement, other, segment.bytes), own_line);
    }
}

#[test]
fn a_proxy_writes_the_whole_line_anew() {
    let dialect = Dialect {
        rest_of_segment: RestOfSegment::OwnLine,
        line_end: LineEnd::None,
        keyword_position: KeywordPosition::AnyLineStart,
        ..dialect()
    };
    let said = b"NOOP\r\nport 192,168,1,100,195,80abc\nLIST\r\n";
    let announcement = opened(decide(&dialect, &from_client(said))).announcement;
    assert_eq!(rewritten(&announcement, OUTER, said), "NOOP\r\nPORT 203,0,113,7,195,80\r\nLIST\r\n");
    assert_eq!(announcement.rewritten_line(OUTER, said), "PORT 203,0,113,7,195,80");
}

#[test]
fn an_extended_address_is_written_as_the_dialect_says() {
    let said = b"EPRT |1|192.168.1.100|50000|\r\n";
    for (extended_address, text) in
        [(ExtendedAddress::Dots, "|1|203.0.113.7|50000|"), (ExtendedAddress::Commas, "|1|203,0,113,7|50000|")]
    {
        let dialect = Dialect { commands: Command::ALL.to_vec(), extended_address, ..dialect() };
        let announcement = opened(decide(&dialect, &from_client(said))).announcement;
        assert_eq!(announcement.replacement(OUTER, said).text.as_str(), text);
    }
}

#[test]
fn another_delimiter_is_malformed_where_the_dialect_says_so() {
    let commands = Command::ALL.to_vec();
    let dialect = Dialect { commands, extended_delimiter: ExtendedDelimiter::BarOnly, ..dialect() };
    let bar = opened(decide(&dialect, &from_client(b"EPRT |1|192.168.1.100|50000|\r\n")));
    assert_eq!(bar.target, SocketAddrV4::new(SENDER, 50000));
    let other = decide(&dialect, &from_client(b"EPRT !1!192.168.1.100!50000!\r\n"));
    let reason = LeftAlone::Malformed(SyntaxFault::NotANumber);
    assert_eq!(other, Some(Decision::LeaveAlone { announcement: None, reason }));
}

#[test]
fn the_delimiter_is_the_dialects() {
    let said = b"EPRT !1!192.168.1.100!50000!\r\n";
    for (extended_delimiter, text) in [
        (ExtendedDelimiter::Keep, "!1!203.0.113.7!50000!"),
        (ExtendedDelimiter::Bar, "|1|203.0.113.7|50000|"),
    ] {
        let dialect = Dialect { commands: Command::ALL.to_vec(), extended_delimiter, ..dialect() };
        let announcement = opened(decide(&dialect, &from_client(said))).announcement;
        assert_eq!(announcement.replacement(OUTER, said).text.as_str(), text);
    }
}

#[test]
fn a_line_that_was_scanned_for_reads_as_it_leaves() {
    let dialect = Dialect { commands: Command::ALL.to_vec(), reply_end: ReplyEnd::Line, ..dialect() };
    let said = b"227 Entering Passive Mode (192,168,1,100,195,80).\r\n";
    let announcement = opened(decide(&dialect, &from_server(said))).announcement;
    assert_eq!(announcement.endpoint, SocketAddrV4::new(SENDER, 50000));
    assert_eq!(announcement.rewritten_line(OUTER, said), "227 Entering Passive Mode (203,0,113,7,195,80).");
}
