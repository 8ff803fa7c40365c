use super::*;

fn port(line: &[u8]) -> bool {
    b"PORT ".starts_with(line) || line.starts_with(b"PORT ")
}

/// A segment goes its way as in the router: joined, cut, held. What leaves, and how much waits.
fn send(lines: &mut Lines, next: &mut u32, sequence: u32, payload: &[u8]) -> (u32, String, usize) {
    let joined = lines.join(sequence, payload);
    let (sequence, payload) = match &joined {
        Some(joined) => (joined.sequence, &joined.payload[..]),
        None => (sequence, payload),
    };
    let seen = (next.wrapping_sub(sequence) as usize).min(payload.len());
    let cut = lines.incomplete(payload, seen, port);
    let waits = lines.hold(sequence, payload, seen, cut);
    let end = sequence.wrapping_add(length(&payload[..cut]));
    if before(*next, end) {
        *next = end;
    }
    (sequence, String::from_utf8_lossy(&payload[..cut]).into_owned(), waits)
}

fn begun() -> (Lines, u32) {
    let mut lines = Lines::default();
    assert_eq!(lines.received(1000), 1000);
    (lines, 1000)
}

#[test]
fn a_line_in_three_segments_leaves_in_one() {
    let (mut lines, mut next) = begun();
    assert_eq!(send(&mut lines, &mut next, 1000, b"PO"), (1000, String::new(), 2));
    assert_eq!(lines.acknowledge_held(), Some(1002));
    assert_eq!(send(&mut lines, &mut next, 1002, b"RT 1"), (1000, String::new(), 6));
    assert_eq!(lines.acknowledge_held(), Some(1006));
    assert_eq!(send(&mut lines, &mut next, 1006, b"\r\n"), (1000, "PORT 1\r\n".to_owned(), 0));
    assert_eq!(lines.received(1008), 1008);
}

#[test]
fn what_was_acknowledged_goes_along_until_the_receiver_has_it() {
    let (mut lines, mut next) = begun();
    send(&mut lines, &mut next, 1000, b"PO");
    lines.acknowledge_held();
    send(&mut lines, &mut next, 1002, b"RT 1\r\n");
    // Lost; its sender has only the second part to send again.
    assert_eq!(send(&mut lines, &mut next, 1002, b"RT 1\r\n"), (1000, "PORT 1\r\n".to_owned(), 0));
    assert_eq!(lines.received(1000), 1002, "no less than it was told before");
    assert_eq!(lines.received(1008), 1008);
    assert_eq!(lines.join(1002, b"RT 1\r\n"), None);
}

#[test]
fn nothing_is_acknowledged_before_what_went_before_has_arrived() {
    let (mut lines, mut next) = begun();
    assert_eq!(send(&mut lines, &mut next, 1000, b"NOOP\r\nPO"), (1000, "NOOP\r\n".to_owned(), 2));
    assert_eq!(lines.acknowledge_held(), None, "the first line may still be lost");
    assert_eq!(lines.received(1003), 1003);
    assert_eq!(lines.received(1006), 1008);
    assert_eq!(lines.acknowledge_held(), Some(1008));
}

#[test]
fn a_part_of_what_is_held_that_comes_again_changes_nothing() {
    let (mut lines, mut next) = begun();
    send(&mut lines, &mut next, 1000, b"NOOP\r\nPORT");
    assert_eq!(send(&mut lines, &mut next, 1000, b"NOOP\r\nPO"), (1000, "NOOP\r\n".to_owned(), 4));
    assert_eq!(send(&mut lines, &mut next, 1006, b"PO"), (1006, String::new(), 4));
    assert_eq!(send(&mut lines, &mut next, 1008, b"RT 1\r\n"), (1006, "PORT 1\r\n".to_owned(), 0));
}

#[test]
fn an_acknowledgement_alone_stands_where_the_receiver_expects_it() {
    let (mut lines, mut next) = begun();
    send(&mut lines, &mut next, 1000, b"PO");
    lines.acknowledge_held();
    assert_eq!(send(&mut lines, &mut next, 1002, b""), (1000, String::new(), 2));
}

#[test]
fn only_a_line_that_began_at_its_start_is_held() {
    let (mut lines, mut next) = begun();
    assert_eq!(send(&mut lines, &mut next, 1000, b"STOR re").2, 0);
    assert_eq!(send(&mut lines, &mut next, 1007, b"PORT").2, 0, "in the middle of a line");
    assert_eq!(send(&mut lines, &mut next, 1011, b"\r\nPORT").2, 4);
}
