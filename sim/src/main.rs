//! The `quirknat` program.
fn main() {}
