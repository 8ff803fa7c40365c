//! Gateways that keep a few offsets between both ends' numbers, on the wire: each as its source has it.

use quirknat_alg::{Repeated, SequenceNumbers};
use quirknat_router::event::EventKind;

use crate::support::{Control, Lab, tcp};

const P: &str = "PORT 192,168,1,100,195,80\r\n";
const REWRITTEN: &str = "PORT 203,0,113,7,195,80\r\n";
const P1: &str = "PORT 192,168,1,100,195,81\r\n";

fn lab(numbers: SequenceNumbers) -> Lab {
    Lab::with(|profile, _| {
        let ftp = &mut profile.alg.ftp;
        ftp.sequence_numbers.value = numbers;
        ftp.rewrites_remembered.value = numbers.remembers().unwrap_or(3);
    })
}

fn with_control(numbers: SequenceNumbers) -> (Lab, Control) {
    let mut lab = lab(numbers);
    let control = Control::open(&mut lab, 21);
    (lab, control)
}

const ALL: [SequenceNumbers; 5] = [
    SequenceNumbers::TwoOffsets,
    SequenceNumbers::TwoDeltas,
    SequenceNumbers::Ring,
    SequenceNumbers::Latest,
    SequenceNumbers::TwoSlots,
];

#[test]
fn one_command_and_what_follows_it() {
    for numbers in ALL {
        let (mut lab, mut control) = with_control(numbers);
        let start = control.sent;
        let seen = control.say(&mut lab, P);
        assert_eq!((seen.sequence(), seen.text().as_str()), (start, REWRITTEN), "{numbers:?}");
        assert_eq!(control.say(&mut lab, "LIST\r\n").sequence(), start + 25, "{numbers:?}");
        assert_eq!(control.acknowledge(&mut lab, start + 25).acknowledgement(), start + 27, "{numbers:?}");
        assert_eq!(control.acknowledge(&mut lab, start + 31).acknowledgement(), start + 33, "{numbers:?}");
        let reply = control.reply(&mut lab, "150 here it comes\r\n");
        assert_eq!(reply.sequence(), control.replied - 19, "{numbers:?}");
        let rst = lab.from_lan(tcp(&control.client, &control.server).seq(control.sent).rst().packet());
        assert_eq!((rst.sequence(), rst.acknowledgement()), (control.sent - 2, 0), "{numbers:?}");
    }
}

/// Case 4: nothing is remembered of the bytes, so the segment is read and rewritten anew.
#[test]
fn a_command_that_comes_again_is_rewritten_again() {
    for numbers in ALL {
        let (mut lab, mut control) = with_control(numbers);
        let start = control.sent;
        control.say(&mut lab, P);
        let again = lab.from_lan(control.again(start, P));
        let moved = if numbers == SequenceNumbers::Latest { 2 } else { 0 };
        assert_eq!((again.sequence(), again.text().as_str()), (start - moved, REWRITTEN), "{numbers:?}");
        assert_eq!(lab.router.counters().commands_rewritten, 2);
        let opened = |event: &EventKind| matches!(event, EventKind::ForwardOpened { .. });
        assert_eq!(lab.events().iter().filter(|event| opened(event)).count(), 1, "{numbers:?}");
    }
}

/// Case 5, and a part of a command that comes again: it is no command any more, and passes as it is.
#[test]
fn a_command_that_comes_again_otherwise_cut() {
    let (mut lab, mut control) = with_control(SequenceNumbers::TwoOffsets);
    let start = control.sent;
    control.say(&mut lab, P);
    let both = lab.from_lan(control.again(start, format!("{P}LIST\r\n")));
    assert_eq!((both.sequence(), both.text()), (start, format!("{REWRITTEN}LIST\r\n")));
    let part = lab.from_lan(control.again(start + 10, &P[10..]));
    assert_eq!((part.sequence(), part.text().as_str()), (start + 8, &P[10..]), "behind the position");
}

/// Case 6, and the first of the two again.
#[test]
fn two_commands_under_way() {
    for (numbers, acknowledged, first_again) in [
        (SequenceNumbers::TwoOffsets, [27, 54], -2),
        (SequenceNumbers::TwoDeltas, [27, 54], -2),
        (SequenceNumbers::Ring, [27, 54], 0),
        (SequenceNumbers::Latest, [29, 54], -4),
    ] {
        let (mut lab, mut control) = with_control(numbers);
        let start = control.sent;
        control.say(&mut lab, P);
        assert_eq!(control.say(&mut lab, P1).sequence(), start + 25, "{numbers:?}");
        let heard =
            [25, 50].map(|number| control.acknowledge(&mut lab, start + number).acknowledgement() - start);
        assert_eq!(heard, acknowledged, "{numbers:?}");
        let again = lab.from_lan(control.again(start, P));
        assert_eq!(again.sequence(), start.wrapping_add_signed(first_again), "{numbers:?}");
    }
}

/// `nf_ct_seq_adjust` looks at no flag.
#[test]
fn an_acknowledgement_number_without_its_flag_is_moved_too() {
    let (mut lab, mut control) = with_control(SequenceNumbers::TwoOffsets);
    control.say(&mut lab, P);
    let rst = tcp(&control.server, &control.outside).seq(control.replied).rst();
    assert_eq!(
        lab.from_wan(rst.packet()).acknowledgement(),
        0,
        "not behind the position: the offset of before"
    );
    let (mut lab, mut control) = with_control(SequenceNumbers::Latest);
    control.say(&mut lab, P);
    let rst = tcp(&control.server, &control.outside).seq(control.replied).rst();
    assert_eq!(lab.from_wan(rst.packet()).acknowledgement(), 2);
}

#[test]
fn edges_of_selective_acknowledgements_move_each_by_itself() {
    let (mut lab, mut control) = with_control(SequenceNumbers::TwoOffsets);
    let start = control.sent;
    control.say(&mut lab, P);
    control.say(&mut lab, "LIST\r\n");
    let sack = |blocks: &[(u32, u32)]| {
        tcp(&control.server, &control.outside).seq(control.replied).ack(start).sack(blocks).packet()
    };
    let seen = lab.from_wan(sack(&[(start + 25, start + 31)]));
    assert_eq!(seen.sack(), [(start + 27, start + 33)]);
    let seen = lab.from_wan(sack(&[(start, start + 1)]));
    assert_eq!(
        seen.sack(),
        [(start, start + 3)],
        "where it ends is behind the position, where it starts is not"
    );
}

#[test]
fn the_end_of_the_stream_behind_a_command() {
    for numbers in ALL {
        let (mut lab, control) = with_control(numbers);
        let start = control.sent;
        let last = tcp(&control.client, &control.server).seq(start).ack(control.replied).fin().data(P);
        let seen = lab.from_lan(last.packet());
        assert!(seen.tcp().fin() && seen.text() == REWRITTEN);
        let acknowledged = control.acknowledge(&mut lab, start + 26).acknowledgement();
        assert_eq!(acknowledged, start + 28, "{numbers:?}");
    }
}

#[test]
fn a_new_connection_on_the_same_ports_starts_with_its_own_numbers() {
    for numbers in ALL {
        let (mut lab, mut control) = with_control(numbers);
        control.say(&mut lab, P);
        lab.from_wan(tcp(&control.server, &control.outside).seq(control.replied).rst().packet());
        lab.from_lan(tcp(&control.client, &control.server).seq(7000).syn().packet());
        let list = tcp(&control.client, &control.server).seq(7001).ack(1).data("LIST\r\n");
        assert_eq!(lab.from_lan(list.packet()).sequence(), 7001, "{numbers:?}");
    }
}

/// libalias: another port each time, and with it another difference.
#[test]
fn a_command_that_comes_again_may_get_another_port() {
    let mut lab = Lab::with(|profile, _| {
        let ftp = &mut profile.alg.ftp;
        ftp.sequence_numbers.value = SequenceNumbers::Ring;
        ftp.rewrites_remembered.value = 3;
        ftp.repeated.value = Repeated::NewPort;
    });
    let mut control = Control::open(&mut lab, 21);
    let start = control.sent;
    control.say(&mut lab, P);
    let again = lab.from_lan(control.again(start, P));
    assert_eq!((again.sequence(), again.text().as_str()), (start, "PORT 203,0,113,7,4,1\r\n"));
    assert_eq!(
        control.say(&mut lab, "LIST\r\n").sequence(),
        start + 25,
        "of two records as far, the first in the ring"
    );
}
