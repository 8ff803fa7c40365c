//! Gives the fuzzers their functions by name.

#[path = "../../tests/fuzzed/mod.rs"]
mod fuzzed;

/// Feeds `data` to a target.
pub fn feed(name: &str, data: &[u8]) {
    let target = fuzzed::TARGETS.iter().find(|(own, _)| *own == name);
    target.expect("a target of that name").1(data);
}
