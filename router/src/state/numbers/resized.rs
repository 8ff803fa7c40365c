//! What rewriting does to a segment.

/// A segment whose payload was rewritten.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resized {
    /// The payload's length as its sender sent it.
    pub(crate) length: u32,
    /// How much longer it left.
    pub(crate) change: i32,
}
