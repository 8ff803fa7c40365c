//! Any conversation in any dialect: what the fuzzer `alg` asserts, of octets at random.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use quirknat_alg::Decision;

#[path = "../../tests/fuzzed/alg/mod.rs"]
mod alg;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_decision_lies_within_the_segment_and_the_dialects_limits(
        dialect in vec(any::<u8>(), 128),
        steps in vec(any::<u8>(), 0..120),
    ) {
        let program = [dialect, steps].concat();
        let decided = alg::play(&program);
        prop_assert_eq!(alg::play(&program), decided, "the same is decided of the same");
    }
}

/// So that what is asserted of rewrites and refusals is asserted of some.
#[test]
fn the_kept_conversations_come_to_every_kind_of_decision() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/alg");
    let kept = std::fs::read_dir(corpus).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let decided: Vec<_> = kept.flat_map(|program| alg::play(&program)).collect();
    let kinds: [fn(&Decision) -> bool; 7] = [
        |decision| matches!(decision, Decision::LeaveAlone { announcement: Some(_), .. }),
        |decision| matches!(decision, Decision::Refuse(_)),
        |decision| matches!(decision, Decision::EndSession(_)),
        |decision| matches!(decision, Decision::Open(_)),
        |decision| matches!(decision, Decision::Restate(_)),
        |decision| matches!(decision, Decision::RewriteOnly(_)),
        |decision| matches!(decision, Decision::Mask(_)),
    ];
    for (number, is_one) in kinds.iter().enumerate() {
        assert!(decided.iter().any(is_one), "kind {number} of {} decisions", decided.len());
    }
}
