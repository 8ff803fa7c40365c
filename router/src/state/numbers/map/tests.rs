#![expect(clippy::cast_possible_truncation, reason = "sequence numbers of small streams, which fit")]

use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use quirknat_alg::ReplacementText;

use super::*;

fn text(text: &str) -> ReplacementText {
    ReplacementText::from(text).unwrap()
}

#[test]
fn after_a_shorter_line_the_client_is_two_behind_and_its_acknowledgement_two_ahead() {
    let mut stream = Stream::new(8);
    stream.begin(1000);
    stream.replace(1005, 20, text("203,0,113,7,195,80"));
    assert_eq!(stream.to_rewritten(1000), 1000);
    assert_eq!(stream.to_rewritten(1027), 1025);
    assert_eq!(stream.to_original(1025), 1027);
    assert_eq!(stream.to_original(1005), 1005);
}

#[test]
fn an_acknowledgement_of_the_first_of_two_edits_moves_by_the_first_only() {
    let mut stream = Stream::new(8);
    stream.replace(5, 20, text("203,0,113,7,195,80"));
    stream.replace(32, 20, text("203,0,113,7,195,81"));
    assert_eq!(stream.to_original(25), 27);
    assert_eq!(stream.to_original(50), 54);
}

#[test]
fn a_longer_line_is_acknowledged_only_when_all_of_it_arrived() {
    let mut stream = Stream::new(8);
    stream.replace(5, 4, text("longer"));
    assert_eq!(stream.to_original(10), 8, "one byte of the new piece is missing: so is one of the old");
    assert_eq!(stream.to_original(11), 9);
    assert_eq!(stream.rewritten_payload(8, b"d\r\n").unwrap(), b"ger\r\n");
}

#[test]
fn numbers_wrap_inside_an_edit() {
    let mut stream = Stream::new(8);
    let start = u32::MAX - 3;
    stream.replace(start, 10, text("12345678"));
    assert_eq!(stream.to_rewritten(start.wrapping_add(10)), start.wrapping_add(8));
    assert_eq!(stream.to_original(start.wrapping_add(8)), start.wrapping_add(10));
}

#[test]
fn a_forgotten_edit_goes_on_counting() {
    let mut stream = Stream::new(1);
    stream.replace(5, 20, text("203,0,113,7,195,80"));
    stream.replace(32, 20, text("203,0,113,7,195,81"));
    assert_eq!(stream.to_rewritten(54), 50);
    assert_eq!(stream.to_rewritten(30), 28);
}

#[test]
fn an_edit_two_gigabytes_back_does_not_turn_round() {
    let mut stream = Stream::new(8);
    stream.begin(0);
    stream.replace(5, 20, text("203,0,113,7,195,80"));
    stream.advance(0, b"PORT 192,168,1,100,195,80\r\n");
    let mut sequence = 27_u32;
    let chunk = vec![b'x'; 1 << 24];
    for _ in 0..200 {
        stream.advance(sequence, &chunk);
        sequence = sequence.wrapping_add(1 << 24);
        assert_eq!(stream.to_rewritten(sequence), sequence.wrapping_sub(2));
        assert_eq!(stream.to_original(sequence.wrapping_sub(2)), sequence);
    }
}

/// An original stream, the pieces of it that are replaced, and the rewritten stream that must come out.
#[derive(Debug)]
struct Case {
    stream: Stream,
    original: Vec<u8>,
    rewritten: Vec<u8>,
    start: u32,
    /// Which original bytes were sent: at first those of the replaced pieces, since a piece is replaced only when a
    /// segment that holds all of it passes.
    sent: Vec<bool>,
}

fn case(start: u32, pieces: &[(u8, u8, String)]) -> Case {
    let mut stream = Stream::new(64);
    stream.begin(start);
    let (mut original, mut rewritten, mut sent) = (Vec::new(), Vec::new(), Vec::new());
    for (index, (plain, replaced, new)) in pieces.iter().enumerate() {
        let filler = vec![b'a' + u8::try_from(index % 26).unwrap(); usize::from(*plain)];
        original.extend_from_slice(&filler);
        rewritten.extend_from_slice(&filler);
        let at = start.wrapping_add(u32::try_from(original.len()).unwrap());
        stream.replace(at, usize::from(*replaced), text(new));
        original.extend(std::iter::repeat_n(b'#', usize::from(*replaced)));
        rewritten.extend_from_slice(new.as_bytes());
        sent.resize(original.len() - usize::from(*replaced), false);
        sent.resize(original.len(), true);
    }
    original.extend_from_slice(b"tail");
    rewritten.extend_from_slice(b"tail");
    sent.resize(original.len(), false);
    Case { stream, original, rewritten, start, sent }
}

proptest! {
    /// However the stream is cut, lost, repeated and reordered: every segment that comes out is a piece of the one
    /// rewritten stream, at its place; together they are all of it; and no acknowledgement covers a byte that a
    /// receiver of these segments lacks.
    #[test]
    fn any_segments_give_the_one_rewritten_stream(
        start: u32,
        pieces in vec((0_u8..30, 1_u8..28, "[0-9,]{0,30}"), 1..6),
        segments in vec((any::<proptest::sample::Index>(), 1_usize..40), 0..60),
    ) {
        let Case { stream, original, rewritten, start, mut sent } = case(start, &pieces);
        let mut received = vec![None; rewritten.len()];
        // Arbitrary segments first, then all bytes in order as their sender would at last.
        let arbitrary = segments.iter().map(|(at, length)| (at.index(original.len()), *length));
        let in_order = (0..original.len()).step_by(7).map(|at| (at, 7));
        for (at, length) in arbitrary.chain(in_order) {
            let end = (at + length).min(original.len());
            let sequence = start.wrapping_add(at as u32);
            let payload = &original[at..end];
            let out = stream.rewritten_payload(sequence, payload).unwrap_or_else(|| payload.to_vec());
            let place = stream.to_rewritten(sequence).wrapping_sub(start) as usize;
            prop_assert_eq!(&out[..], &rewritten[place..place + out.len()]);
            received[place..place + out.len()].fill(Some(()));
            sent[at..end].fill(true);

            let have = received.iter().take_while(|byte| byte.is_some()).count();
            let acknowledged = stream.to_original(start.wrapping_add(have as u32)).wrapping_sub(start) as usize;
            prop_assert!(acknowledged <= original.len());
            prop_assert!(sent[..acknowledged].iter().all(|sent| *sent), "acknowledged what was never sent");
            let image = stream.to_rewritten(start.wrapping_add(acknowledged as u32)).wrapping_sub(start) as usize;
            prop_assert!(image <= have, "acknowledged what did not arrive");
        }
        prop_assert!(received.iter().all(Option::is_some), "the whole rewritten stream arrived");
        let all = stream.to_original(start.wrapping_add(rewritten.len() as u32));
        prop_assert_eq!(all.wrapping_sub(start) as usize, original.len());
    }

    /// A SACK block, translated, claims only bytes whose every image arrived.
    #[test]
    fn a_sack_block_claims_only_what_arrived(
        start: u32,
        pieces in vec((0_u8..30, 1_u8..28, "[0-9,]{0,30}"), 1..6),
        left: proptest::sample::Index,
        right: proptest::sample::Index,
    ) {
        let Case { stream, rewritten, start, .. } = case(start, &pieces);
        let (left, right) = (left.index(rewritten.len()) as u32, right.index(rewritten.len()) as u32);
        let (left, right) = (left.min(right), left.max(right) + 1);
        let (from, to) = stream.sack_to_original(start.wrapping_add(left), start.wrapping_add(right));
        if to.wrapping_sub(from).cast_signed() > 0 {
            prop_assert!(stream.to_rewritten(from).wrapping_sub(start) >= left);
            prop_assert!(stream.to_rewritten(to).wrapping_sub(start) <= right);
        }
    }
}
