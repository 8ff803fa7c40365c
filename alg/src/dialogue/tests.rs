use super::*;
use crate::testing::{Talk, decide, dialect, first, from_client, opened, reason};
use crate::{
    CutKeyword, Decision, KeywordPosition, LeftAlone, Malformed, Mask, MaskCommandsFrom, RepliesRead, Side,
    Strictness, SyntaxFault, WrongRole,
};

const P: &str = "PORT 192,168,1,100,195,80\r\n";
const OPEN_227: &str = "227 Entering Passive Mode (192,168,1,100,195,80).\r\n";

fn at(keyword_position: KeywordPosition) -> Dialect {
    Dialect { keyword_position, commands: Command::ALL.to_vec(), ..dialect() }
}

#[test]
fn remembered_newlines_decide_what_is_read() {
    let mut talk = Talk::new(at(KeywordPosition::AfterRememberedNewline));
    assert_eq!(reason(talk.say(P)), LeftAlone::KeywordPosition, "nothing came before it");
    opened(talk.say(P));
    talk.say("NOO");
    assert_eq!(reason(talk.say(P)), LeftAlone::KeywordPosition, "in the middle of a line");
    opened(talk.say(P));
    opened(talk.say_again(P));
    talk.say("LIST\r\n");
    let two_newlines_ago = Segment { sequence: 1000 + 27, ..from_client(P.as_bytes()) };
    assert_eq!(
        reason(first(talk.dialogue.read(&talk.dialect, &two_newlines_ago))),
        LeftAlone::KeywordPosition
    );
}

#[test]
fn what_was_dropped_as_malformed_leaves_no_newline_behind() {
    let strict = Dialect { malformed: Malformed::Drop, ..at(KeywordPosition::AfterRememberedNewline) };
    let mut talk = Talk::logged_in(strict);
    let fault = Some(Decision::Refuse(Refused::Malformed(SyntaxFault::LineEnd)));
    assert_eq!(talk.say("PORT 192,168,1,100,195,80\n"), fault);
    assert_eq!(talk.say_again("PORT 192,168,1,100,195,80\n"), fault);
}

#[test]
fn a_numbers_circle_does_not_disturb_the_newlines() {
    let dialect = at(KeywordPosition::AfterRememberedNewline);
    let mut dialogue = Dialogue::default();
    let mut sequence = u32::MAX - 20;
    for _ in 0..4 {
        dialogue.read(&dialect, &Segment { sequence, ..from_client(b"NOOP\r\n") });
        sequence = sequence.wrapping_add(6);
        let here = Segment { sequence, ..from_client(P.as_bytes()) };
        opened(first(dialogue.clone().read(&dialect, &here)));
    }
}

#[test]
fn a_segment_without_crlf_hides_the_next_one_from_libalias() {
    let mut talk = Talk::new(at(KeywordPosition::AfterCrlfSegment));
    opened(talk.say(P));
    talk.say("NOOP\n");
    assert_eq!(reason(talk.say(P)), LeftAlone::KeywordPosition);
    opened(talk.say(P));
}

#[test]
fn the_servers_half_line_hides_a_command_where_the_flag_is_shared() {
    let mut shared = Talk::new(at(KeywordPosition::AfterCrlfSegment));
    shared.reply("150 Opening");
    assert_eq!(reason(shared.say(P)), LeftAlone::KeywordPosition);
    let mut own = Talk::new(at(KeywordPosition::AfterOwnCrlfSegment));
    assert_eq!(reason(own.say(P)), LeftAlone::KeywordPosition, "the first is not read");
    own.reply("150 Opening");
    opened(own.say(P));
    own.say("NOOP\n");
    assert_eq!(reason(own.say(P)), LeftAlone::KeywordPosition);
}

#[test]
fn lines_are_counted_by_the_stream_and_not_by_the_segment() {
    let mut talk = Talk::new(at(KeywordPosition::AnyLineStart));
    opened(talk.say(format!("NOOP\r\n{P}")));
    talk.say("STOR x");
    assert_eq!(reason(talk.say(P)), LeftAlone::KeywordPosition);
    let both = format!("PORT x\r\n{P}{P}");
    let segment = Segment { sequence: 1000 + 2 * 33, ..from_client(both.as_bytes()) };
    let decisions = talk.dialogue.read(&talk.dialect, &segment);
    assert!(
        matches!(decisions.as_slice(), [Decision::LeaveAlone { .. }, Decision::Open(_), Decision::Open(_)]),
        "{decisions:?}"
    );
    let strict = Dialect { malformed: Malformed::Drop, ..talk.dialect.clone() };
    let dropped = talk.dialogue.read(&strict, &Segment { read_from: 0, ..segment });
    assert_eq!(dropped, [Decision::Refuse(Refused::Malformed(SyntaxFault::NotANumber))]);
}

#[test]
fn a_login_comes_first_where_the_dialect_says_so() {
    let mut talk = Talk::new(Dialect { after_login: true, ..dialect() });
    assert_eq!(reason(talk.say(P)), LeftAlone::BeforeLogin);
    talk.log_in();
    opened(talk.say(P));
    talk.reply("200 ok\r\n");
    talk.say("REIN\r\n");
    assert_eq!(reason(talk.say(P)), LeftAlone::BeforeLogin);

    let mut cut = Talk::new(Dialect { after_login: true, ..dialect() });
    for piece in ["230-welcome\r\n 230 of you", "\r\n", "23", "0 in\r\n"] {
        assert_eq!(reason(cut.say(P)), LeftAlone::BeforeLogin, "before {piece:?}");
        cut.reply(piece);
    }
    opened(cut.say(P));
}

#[test]
fn tls_ends_the_reading_with_the_servers_234() {
    let stop = Dialect { after_auth_tls: AfterAuthTls::Stop, ..dialect() };
    for (reply, reads_on) in [("234 go\r\n", false), ("534 no\r\n", true), ("234-go\r\n", true)] {
        let mut talk = Talk::new(stop.clone());
        talk.say("AUTH TLS\r\n");
        talk.reply(reply);
        let decision = talk.say(P);
        if reads_on {
            opened(decision);
        } else {
            assert_eq!(reason(decision), LeftAlone::Encrypted);
        }
    }
    let mut talk = Talk::new(Dialect { malformed: Malformed::EndSession, ..stop.clone() });
    talk.say("auth tls\r\n");
    talk.reply("234 go\r\n");
    assert_eq!(talk.say("PORT of a record\r\n"), None);

    let mut blind = Talk::new(dialect());
    blind.say("AUTH TLS\r\n");
    blind.reply("234 go\r\n");
    opened(blind.say(P));
    let mut unasked = Talk::new(stop);
    unasked.reply("234 go\r\n");
    opened(unasked.say(P));
}

#[test]
fn another_protocol_is_watched_no_more() {
    let stop = Dialect { foreign_lines: ForeignLines::StopWatching, ..dialect() };
    for foreign in ["POST / HTTP/1.1\r\n", "GET", "\u{16}\u{3}\u{1}", "PORTAL x\r\n", " NOOP\r\n", "USERX"] {
        let mut talk = Talk::new(stop.clone());
        talk.say(foreign);
        if foreign == "GET" {
            // Three letters may still become a command.
            talk.say(" /\r\n");
        }
        assert_eq!(reason(talk.say(P)), LeftAlone::Foreign, "{foreign:?}");
        assert_eq!(reason(talk.say(format!("USER u\r\n{P}"))), LeftAlone::Foreign, "{foreign:?}");
    }
    let mut talk = Talk::new(stop);
    for known in ["USER u\r\n", "pass \u{16}\r\n", "\r\n", "PWD\r\n", "NO", "OP\r\n"] {
        talk.say(known);
    }
    talk.say(b"\xff\xf4\xff\xf2ABOR\r\n");
    opened(talk.say(P));
    let mut blind = Talk::new(dialect());
    blind.say("POST / HTTP/1.1\r\n");
    opened(blind.say(P));
}

#[test]
fn replies_are_read_when_they_were_asked_for() {
    let asked = Dialect { commands: Command::ALL.to_vec(), replies_read: RepliesRead::Asked, ..dialect() };
    let mut talk = Talk::with_inside(asked, Role::Server);
    assert_eq!(reason(talk.reply(OPEN_227)), LeftAlone::Unasked);
    talk.say("PASV\r\n");
    opened(talk.reply(OPEN_227));
    assert_eq!(reason(talk.reply(OPEN_227)), LeftAlone::Unasked, "it was answered");
    talk.say("EPSV\r\n");
    assert_eq!(reason(talk.reply(OPEN_227)), LeftAlone::Unasked);
    talk.say("EPSV\r\n");
    opened(talk.reply("229 yes (|||50000|)\r\n"));
    talk.say("PASV\r\nNOOP\r\n");
    assert_eq!(reason(talk.reply(OPEN_227)), LeftAlone::Unasked);
}

#[test]
fn strict_gateways_end_what_is_out_of_turn() {
    let strict = Dialect { pipelining: Strictness::EndSession, ..dialect() };
    let mut talk = Talk::logged_in(strict.clone());
    opened(talk.say(P));
    assert_eq!(talk.say("LIST\r\n"), Some(Decision::EndSession(Refused::Pipelined)));
    let mut patient = Talk::logged_in(strict.clone());
    opened(patient.say(P));
    patient.reply("200 ok\r\n");
    assert_eq!(patient.say("LIST\r\n"), None);
    let mut together = Talk::logged_in(strict);
    assert_eq!(together.say(format!("NOOP\r\n{P}")), Some(Decision::EndSession(Refused::Pipelined)));

    let strict = Dialect { wrong_role: WrongRole::EndSession, ..at(KeywordPosition::SegmentStart) };
    let mut talk = Talk::new(strict);
    assert_eq!(talk.reply(P), Some(Decision::EndSession(Refused::WrongRole)));
    assert_eq!(talk.say(OPEN_227), Some(Decision::EndSession(Refused::WrongRole)));
    assert_eq!(Talk::new(at(KeywordPosition::SegmentStart)).say(OPEN_227), None);
}

#[test]
fn a_segment_that_is_the_beginning_of_a_keyword_is_malformed_to_some() {
    let cut = Dialect { cut_keyword: CutKeyword::Malformed, ..at(KeywordPosition::SegmentStart) };
    let is_cut = |decision: Option<Decision>| match decision {
        None => false,
        other => reason(other) == LeftAlone::Malformed(SyntaxFault::CutOff),
    };
    for (said, malformed) in
        [("P", true), ("po", true), ("POR", true), ("PORT", true), ("E", true), ("PX", false), ("NOO", false)]
    {
        assert_eq!(is_cut(Talk::new(cut.clone()).say(said)), malformed, "{said:?}");
        assert_eq!(is_cut(Talk::new(dialect()).say(said)), said == "PORT", "{said:?}");
    }
    let mut behind = Talk::with_inside(cut, Role::Server);
    for (said, malformed) in [("2", true), ("22", true), ("227 ", true), ("220", false), ("230 ", false)] {
        assert_eq!(is_cut(behind.reply(said)), malformed, "{said:?}");
    }
}

#[test]
fn a_masked_command_is_found_where_commands_are_looked_for() {
    let masks = Dialect { mask_commands: vec![Mask::Pasv], ..dialect() };
    for (said, span) in
        [("PASV\r\n", Some(0..4)), ("pasv\r\n", Some(0..4)), ("PASVX\r\n", None), ("EPSV\r\n", None)]
    {
        let found = match Talk::new(masks.clone()).say(said) {
            Some(Decision::Mask(masking)) => Some(masking.span),
            other => {
                assert_eq!(other, None);
                None
            }
        };
        assert_eq!(found, span, "{said:?}");
    }
    let elsewhere = Segment { server_port: 2121, ..from_client(b"PASV\r\n") };
    assert_eq!(decide(&masks, &elsewhere), None);
    assert_eq!(decide(&dialect(), &from_client(b"PASV\r\n")), None);
}

#[test]
fn commands_are_masked_of_the_side_that_the_dialect_names() {
    let from_outside = Segment { side: Side::Outside, ..from_client(b"PASV\r\n") };
    for (from, inside, outside) in [
        (MaskCommandsFrom::Inside, true, false),
        (MaskCommandsFrom::Outside, false, true),
        (MaskCommandsFrom::EitherSide, true, true),
    ] {
        let masks = Dialect { mask_commands: vec![Mask::Pasv], mask_commands_from: from, ..dialect() };
        let is_masked = |segment| matches!(decide(&masks, segment), Some(Decision::Mask(_)));
        let seen = (is_masked(&from_client(b"PASV\r\n")), is_masked(&from_outside));
        assert_eq!(seen, (inside, outside), "{from:?}");
        assert_eq!((masks.handles(Role::Client), masks.handles(Role::Server)), (true, outside), "{from:?}");
    }
}

#[test]
fn what_was_read_before_is_not_read_again_unless_it_may_be() {
    let both = format!("{P}LIST\r\n");
    let again = Segment { read_from: P.len(), ..from_client(both.as_bytes()) };
    assert_eq!(decide(&dialect(), &again), None);
    opened(decide(&dialect(), &Segment { read_from: 0, ..again }));
}

#[test]
fn a_missing_piece_loses_the_line_and_no_more() {
    let stop = Dialect { foreign_lines: ForeignLines::StopWatching, ..dialect() };
    let mut talk = Talk::new(stop);
    talk.say("USER u\r\n");
    let later = Segment { sequence: 2000, ..from_client(b"f a name\r\nNOOP\r\n") };
    assert_eq!(first(talk.dialogue.read(&talk.dialect, &later)), None);
    let next = Segment { sequence: 2000 + 16, ..from_client(P.as_bytes()) };
    opened(first(talk.dialogue.read(&talk.dialect, &next)));
}

#[test]
fn another_connection_of_the_same_ends_begins_anew() {
    let mut talk = Talk::new(Dialect { foreign_lines: ForeignLines::StopWatching, ..dialect() });
    talk.say("GET /\r\n");
    talk.dialogue.begin(&talk.dialect, Role::Client, 1000);
    assert_eq!(reason(talk.say(P)), LeftAlone::Foreign, "the same SYN once more");
    talk.dialogue.begin(&talk.dialect, Role::Client, 9000);
    let fresh = Segment { sequence: 9000, ..from_client(P.as_bytes()) };
    opened(first(talk.dialogue.read(&talk.dialect, &fresh)));
}
