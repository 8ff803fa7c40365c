//! Every input that the fuzzers have kept (`fuzz/corpus`), once more: an ordinary test, on any toolchain.

use std::path::Path;

#[path = "fuzzed/mod.rs"]
mod fuzzed;

#[test]
fn every_kept_input_is_taken_without_a_fault() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, run) in fuzzed::TARGETS {
        let folder = corpora.join(name);
        let mut inputs: Vec<_> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{name} has a corpus");
        for input in inputs {
            let data = std::fs::read(&input).unwrap();
            // What panics says only what is wrong: say where.
            let outcome = std::panic::catch_unwind(|| run(&data));
            assert!(outcome.is_ok(), "{name}: {}", input.display());
        }
    }
}
