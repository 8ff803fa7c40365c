//! What files and messages hold.

use crate::scenario::language::Content;

/// A file's bytes: its name over and over, so that two files differ and a shift shows.
pub(super) fn contents(name: &str, size: usize) -> Vec<u8> {
    let line = |number: usize| format!("{name} {number}\n").into_bytes();
    (0..).flat_map(line).take(size).collect()
}

impl Content {
    /// The bytes of a message.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Bytes(size) => contents("message", usize::try_from(*size).unwrap_or(usize::MAX)),
        }
    }
}
