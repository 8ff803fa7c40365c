//! Packet path benchmark.
fn main() {}
