//! The cases of the catalogue of what an FTP gateway must be tried with: a client's 27-octet `PORT` line that leaves with
//! 25 octets, or one of 22 that leaves with 25, at 1000 and behind.

use quirknat_alg::Side;

use super::{Offsets, Resized};

const SHRUNK: Option<Resized> = Some(Resized { length: 27, change: -2 });
const GROWN: Option<Resized> = Some(Resized { length: 22, change: 3 });

fn all() -> [(&'static str, Offsets); 5] {
    [
        ("two-offsets", Offsets::two_offsets()),
        ("two-deltas", Offsets::two_deltas()),
        ("ring", Offsets::ring(3)),
        ("latest", Offsets::latest()),
        ("two-slots", Offsets::two_slots(Side::Inside)),
    ]
}

/// The numbers that segments leave with, each rewritten or not.
fn passed(offsets: &mut Offsets, segments: &[(u32, Option<Resized>)]) -> Vec<u32> {
    segments.iter().map(|(sequence, resized)| offsets.pass(*sequence, *resized)).collect()
}

fn acknowledged(offsets: &mut Offsets, numbers: &[u32]) -> Vec<u32> {
    numbers.iter().map(|number| offsets.acknowledge(*number)).collect()
}

#[test]
fn case_3_one_line_that_shrank_is_two_less_and_two_more_in_all_of_them() {
    for (name, mut offsets) in all() {
        assert_eq!(
            passed(&mut offsets, &[(1000, SHRUNK), (1027, None), (2000, None)]),
            [1000, 1025, 1998],
            "{name}"
        );
        assert_eq!(acknowledged(&mut offsets, &[1025, 1031]), [1027, 1033], "{name}");
    }
}

#[test]
fn case_7_one_line_that_grew_inverts_the_signs() {
    for (name, mut offsets) in all() {
        assert_eq!(passed(&mut offsets, &[(1000, GROWN), (1022, None)]), [1000, 1025], "{name}");
        assert_eq!(acknowledged(&mut offsets, &[1025, 1031]), [1022, 1028], "{name}");
    }
}

#[test]
fn case_8_a_line_of_the_same_length_moves_nothing() {
    for (name, mut offsets) in all() {
        let same = Some(Resized { length: 27, change: 0 });
        assert_eq!(passed(&mut offsets, &[(1000, same), (1027, None)]), [1000, 1027], "{name}");
        assert_eq!(acknowledged(&mut offsets, &[1000, 1027]), [1000, 1027], "{name}");
    }
}

/// Case 3, where the numbers wrap.
#[test]
fn numbers_wrap_in_all_but_the_one_that_compares_them_plainly() {
    let start = u32::MAX - 40;
    for (name, mut offsets) in all() {
        let passed = passed(&mut offsets, &[(start, SHRUNK), (start + 27, None), (10, None)]);
        let is_lost = name == "two-slots";
        assert_eq!(passed, [start, start + 25, if is_lost { 10 } else { 8 }], "{name}");
        assert_eq!(acknowledged(&mut offsets, &[8]), [if is_lost { 8 } else { 10 }], "{name}");
    }
}

/// Case 4: lost beyond the router, the line comes again. What leaves must be at the number it left with before.
#[test]
fn case_4_the_line_again_stays_where_it_was_but_for_one_difference_for_all() {
    for (name, mut offsets) in all() {
        let again = passed(&mut offsets, &[(1000, SHRUNK), (1000, SHRUNK), (1027, None)]);
        let expected = match name {
            // The difference is added once more; the slots then count it from later on than the segment's end.
            "latest" => [1000, 998, 1023],
            "two-slots" => [1000, 1000, 1027],
            _ => [1000, 1000, 1025],
        };
        assert_eq!(again, expected, "{name}");
    }
}

/// Case 5: the line comes again with more behind it.
#[test]
fn case_5_a_longer_segment_from_the_same_number_on() {
    for (name, mut offsets) in all() {
        let longer = Some(Resized { length: 33, change: -2 });
        let passed = passed(&mut offsets, &[(1000, SHRUNK), (1000, longer), (1033, None)]);
        let expected = match name {
            "latest" => [1000, 998, 1029],
            "two-slots" => [1000, 1000, 1033],
            _ => [1000, 1000, 1031],
        };
        assert_eq!(passed, expected, "{name}");
    }
}

/// Case 6: two lines under way, 1000 and 1027, that leave at 1000 and 1025; the receiver has the first, then both.
#[test]
fn case_6_two_lines_under_way() {
    for (name, mut offsets) in all() {
        assert_eq!(
            passed(&mut offsets, &[(1000, SHRUNK), (1027, SHRUNK), (1054, None)]),
            [1000, 1025, 1050],
            "{name}"
        );
        let expected = match name {
            "latest" => [1029, 1054],
            // One slot for what the inside end sends: that of the first is gone.
            "two-slots" => [1025, 1054],
            _ => [1027, 1054],
        };
        assert_eq!(acknowledged(&mut offsets, &[1025, 1050]), expected, "{name}");
    }
}

/// Both were sent, the first was lost and comes again: it must be at 1000.
#[test]
fn the_first_of_two_lines_again() {
    for (name, mut offsets) in all() {
        let again = passed(&mut offsets, &[(1000, SHRUNK), (1027, SHRUNK), (1000, SHRUNK)])[2];
        let expected = match name {
            "two-offsets" | "two-deltas" => 998,
            "latest" => 996,
            _ => 1000,
        };
        assert_eq!(again, expected, "{name}");
    }
}

#[test]
fn a_ring_forgets_the_oldest_of_more_than_it_has_room_for() {
    let mut ring = Offsets::ring(3);
    let lines: Vec<_> = (0..4).map(|line| (1000 + 27 * line, SHRUNK)).collect();
    assert_eq!(passed(&mut ring, &lines), [1000, 1025, 1050, 1075]);
    assert_eq!(
        acknowledged(&mut ring, &[1025, 1050, 1075, 1100]),
        [1025, 1054, 1081, 1108],
        "not 1027, the first"
    );
}

/// `nf_ct_seq_adjust` takes the offset of before away and compares then, `masq_fix_ack_seq` compares what came: with a
/// position of 1027, an acknowledgement of 1026 (1028 to the sender) is behind it to the one and not to the other.
#[test]
fn two_offsets_and_two_deltas_differ_in_where_an_acknowledgement_stands() {
    let (mut offsets, mut deltas) = (Offsets::two_offsets(), Offsets::two_deltas());
    for numbers in [&mut offsets, &mut deltas] {
        passed(numbers, &[(1000, SHRUNK), (1027, SHRUNK)]);
    }
    assert_eq!(offsets.acknowledge(1026), 1030);
    assert_eq!(deltas.acknowledge(1026), 1028);
}

/// A rewritten line that is older than the newest one moves nothing (`nf_ct_seqadj_set`).
#[test]
fn two_offsets_are_moved_by_newer_lines_only() {
    let mut offsets = Offsets::two_offsets();
    passed(&mut offsets, &[(1000, SHRUNK), (1027, SHRUNK), (1000, SHRUNK), (1027, SHRUNK)]);
    assert_eq!(passed(&mut offsets, &[(1054, None)]), [1050]);
}

#[test]
fn one_difference_for_all_goes_to_the_end_whose_line_was_rewritten_last() {
    let (mut client, mut server) = (Offsets::latest(), Offsets::latest());
    client.pass(1000, SHRUNK);
    server.take_over(&mut client);
    server.pass(5000, GROWN);
    assert_eq!(passed(&mut client, &[(1027, None)]), [1027]);
    assert_eq!(passed(&mut server, &[(5022, None)]), [5023], "3 - 2");
}

/// What the outside end sends goes into the slot that is not in use, which is then used: both lines keep their place.
#[test]
fn two_slots_are_written_in_turn_for_the_outside_end() {
    let mut slots = Offsets::two_slots(Side::Outside);
    assert_eq!(passed(&mut slots, &[(1000, SHRUNK), (1027, SHRUNK), (1054, None)]), [1000, 1025, 1050]);
    assert_eq!(acknowledged(&mut slots, &[1050]), [1054]);
}

#[test]
fn a_number_is_found_that_is_acknowledged_as_another() {
    for (name, mut offsets) in all() {
        assert_eq!(offsets.acknowledged_as(1027), None, "{name}");
        offsets.pass(1000, SHRUNK);
        assert_eq!(offsets.acknowledged_as(1027), Some(1025), "{name}");
    }
}

#[test]
fn a_syn_with_another_number_begins_anew_and_the_same_one_does_not() {
    for (name, mut offsets) in all() {
        offsets.begin(999);
        offsets.pass(1000, SHRUNK);
        offsets.begin(999);
        assert_eq!(offsets.pass(1027, None), 1025, "{name}");
        offsets.begin(7000);
        assert_eq!(offsets.pass(7001, None), 7001, "{name}");
    }
}
