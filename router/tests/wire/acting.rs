//! What a gateway does besides opening and rewriting: it ends sessions, puts announcements from outside in its own words,
//! makes commands unreadable, writes lines of its own.

use quirknat_alg::{
    AnnouncementsFrom, Command, Malformed, Mask, RefusedPort, RestOfSegment, SequenceNumbers,
};
use quirknat_router::event::{EventKind, TranslationEnd};
use quirknat_router::profile::Ftp;
use quirknat_router::reason::DropReason;

use crate::support::{Control, LAN, Lab, Seen, WAN, at, tcp};

const P: &str = "PORT 192,168,1,100,195,80\r\n";
const REWRITTEN: &str = "PORT 203,0,113,7,195,80\r\n";
const MODELS: [SequenceNumbers; 2] = [SequenceNumbers::ExactMap, SequenceNumbers::TwoOffsets];

fn with_dialect(change: impl FnOnce(&mut Ftp)) -> Lab {
    Lab::with(|profile, _| change(&mut profile.alg.ftp))
}

fn with_numbers(numbers: SequenceNumbers, change: impl FnOnce(&mut Ftp)) -> Lab {
    with_dialect(|ftp| {
        ftp.sequence_numbers.value = numbers;
        ftp.rewrites_remembered.value = numbers.remembers().unwrap_or(8);
        change(ftp);
    })
}

/// Where a reset goes, between which ends, with which number.
fn reset(seen: &Seen) -> (bool, String, String, u32) {
    assert!(seen.tcp().rst());
    (seen.on == WAN, seen.from().to_string(), seen.to().to_string(), seen.sequence())
}

#[test]
fn a_session_is_ended_on_both_sides_with_the_numbers_that_each_expects() {
    for numbers in MODELS {
        let mut lab = with_numbers(numbers, |ftp| ftp.malformed.value = Malformed::EndSession);
        let mut control = Control::open(&mut lab, 21);
        control.say(&mut lab, P);
        lab.events();
        let left = lab.send(LAN, control.segment("PORT ,,\r\n"));
        let (client, server, outside) = (&control.client, &control.server, &control.outside);
        let expected = [
            (true, outside.clone(), server.clone(), control.sent - 2),
            (false, server.clone(), client.clone(), control.replied),
        ];
        assert_eq!(left.iter().map(reset).collect::<Vec<_>>(), expected, "{numbers:?}");
        let events = lab.events();
        let ended = |event: &EventKind| {
            matches!(event, EventKind::TranslationEnded { reason: TranslationEnd::SessionRefused, .. })
        };
        let dropped = |event: &EventKind| {
            matches!(event, EventKind::PacketDropped { reason: DropReason::AnnouncementRefused(_), .. })
        };
        assert!(events.iter().any(ended) && events.iter().any(dropped), "{events:?}");
        assert_eq!(lab.translations(), []);
        let late = tcp(server, outside).seq(control.replied).ack(control.sent - 2).data("500 what?\r\n");
        assert_eq!(lab.dropped(WAN, late.packet()), DropReason::Unsolicited);
    }
}

fn restating(numbers: SequenceNumbers) -> Lab {
    with_numbers(numbers, |ftp| {
        ftp.commands.value = Command::ALL.to_vec();
        ftp.announcements_from.value = AnnouncementsFrom::EitherSide;
        ftp.forward_outstanding.value = 1;
    })
}

/// Linux reads an outside server's replies, too: the same address in its own words, which may be other ones.
#[test]
fn what_is_announced_outside_leaves_in_the_gateways_words() {
    let reply = "227 Entering Passive Mode (198,051,100,009,158,026).\r\n";
    let restated = "227 Entering Passive Mode (198,51,100,9,158,26).\r\n";
    for numbers in MODELS {
        let mut lab = restating(numbers);
        let mut control = Control::open(&mut lab, 21);
        let start = control.replied;
        let seen = control.reply(&mut lab, reply);
        assert_eq!((seen.on, seen.text().as_str(), seen.sequence()), (LAN, restated, start), "{numbers:?}");
        let shorter = u32::try_from(reply.len() - restated.len()).unwrap();
        let next = control.reply(&mut lab, "150 here it comes\r\n");
        assert_eq!(next.sequence(), control.replied - 19 - shorter, "{numbers:?}");
        let heard = tcp(&control.client, &control.server).seq(control.sent).ack(control.replied - shorter);
        assert_eq!(lab.from_lan(heard.packet()).acknowledgement(), control.replied, "{numbers:?}");
    }
}

#[test]
fn both_ends_lines_may_be_rewritten_on_one_connection() {
    for numbers in MODELS {
        let mut lab = restating(numbers);
        let mut control = Control::open(&mut lab, 21);
        assert_eq!(control.say(&mut lab, P).text(), REWRITTEN);
        control.reply(&mut lab, "229 Entering Extended Passive Mode (|||040474|)\r\n");
        let said =
            tcp(&control.client, &control.server).seq(control.sent).ack(control.replied - 1).data("LIST\r\n");
        let seen = lab.from_lan(said.packet());
        assert_eq!(
            (seen.sequence(), seen.acknowledgement()),
            (control.sent - 2, control.replied),
            "{numbers:?}"
        );
        let replied = tcp(&control.server, &control.outside).seq(control.replied).ack(control.sent + 4);
        let seen = lab.from_wan(replied.data("150 here it comes\r\n").packet());
        assert_eq!(
            (seen.sequence(), seen.acknowledgement()),
            (control.replied - 1, control.sent + 6),
            "{numbers:?}"
        );
    }
}

/// Linux: an expectation for what is announced outside takes the place of the one that was there.
#[test]
fn an_announcement_from_outside_takes_the_place_of_a_forward() {
    let mut lab = restating(SequenceNumbers::TwoOffsets);
    let mut control = Control::open(&mut lab, 21);
    control.say(&mut lab, P);
    control.reply(&mut lab, "227 Entering Passive Mode (198,51,100,9,158,26).\r\n");
    let data = tcp("198.51.100.9:20", "203.0.113.7:50000").syn().packet();
    assert_eq!(lab.dropped(WAN, data), DropReason::Unsolicited);
}

#[test]
fn a_refused_port_may_be_announced_without_a_forward() {
    for numbers in MODELS {
        let mut lab = with_numbers(numbers, |ftp| ftp.refused_port.value = RefusedPort::RewriteOnly);
        let mut control = Control::open(&mut lab, 21);
        let seen = control.say(&mut lab, "PORT 192,168,1,100,0,22\r\n");
        assert_eq!(seen.text(), "PORT 203,0,113,7,0,22\r\n");
        let rewritten =
            |event: &EventKind| matches!(event, EventKind::CommandRewritten { forward: None, .. });
        assert!(lab.events().iter().any(rewritten));
        let data = tcp("198.51.100.9:20", "203.0.113.7:22").syn().packet();
        assert_eq!(lab.dropped(WAN, data), DropReason::Unsolicited);
    }
}

/// The SMC 7004BR.
#[test]
fn a_command_is_made_unreadable_and_moves_nothing() {
    for numbers in MODELS {
        let mut lab = with_numbers(numbers, |ftp| ftp.mask_commands.value = vec![Mask::Pasv]);
        let mut control = Control::open(&mut lab, 21);
        let start = control.sent;
        assert_eq!(control.say(&mut lab, "PASV\r\n").text(), "P@SW\r\n");
        let masked = |event: &EventKind| matches!(event, EventKind::CommandMasked { .. });
        assert!(lab.events().iter().any(masked));
        assert_eq!(lab.from_lan(control.again(start, "PASV\r\n")).text(), "P@SW\r\n", "sent again");
        assert_eq!(control.say(&mut lab, "LIST\r\n").sequence(), start + 6);
        assert_eq!(control.acknowledge(&mut lab, start + 6).acknowledgement(), start + 6);
    }
}

/// libalias: one line of its own in the whole segment's place; what else was in it is lost, and counted.
#[test]
fn the_rest_of_a_segment_is_lost_with_a_line_of_the_gateways_own() {
    let mut lab = with_numbers(SequenceNumbers::Ring, |ftp| {
        ftp.rewrites_remembered.value = 3;
        ftp.rest_of_segment.value = RestOfSegment::Lose;
    });
    let mut control = Control::open(&mut lab, 21);
    let start = control.sent;
    let said = control.say(&mut lab, format!("{P}LIST\r\n"));
    assert_eq!((said.sequence(), said.text().as_str()), (start, REWRITTEN));
    assert_eq!(control.say(&mut lab, "NOOP\r\n").sequence(), start + 25);
    assert_eq!(control.acknowledge(&mut lab, start + 25).acknowledgement(), start + 33, "8 are gone");
    assert_eq!(
        lab.from_wan(tcp("198.51.100.9:20", "203.0.113.7:50000").syn().packet()).to(),
        at("192.168.1.100:50000")
    );
}
