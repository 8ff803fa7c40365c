//! How commands are spread over TCP segments.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Unexpected, Visitor};

/// The segments of a command.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Segments {
    /// Each of at most so many bytes.
    Each(#[schemars(range(min = 1))] u16),
    /// The first of so many bytes; the rest is one.
    First(#[schemars(inner(range(min = 1)), length(min = 1))] Vec<u16>),
}

/// By hand, so that what is neither is refused in words.
impl<'de> Deserialize<'de> for Segments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SegmentsVisitor)
    }
}

struct SegmentsVisitor;

impl<'de> Visitor<'de> for SegmentsVisitor {
    type Value = Segments;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "the most bytes of a segment, or a list of the lengths of the first ones, from 1 to 65535",
        )
    }

    fn visit_i64<E: Error>(self, length: i64) -> Result<Segments, E> {
        match u16::try_from(length) {
            Ok(length) if length > 0 => Ok(Segments::Each(length)),
            _ => Err(E::invalid_value(Unexpected::Signed(length), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Segments, A::Error> {
        let mut lengths = Vec::new();
        while let Some(length) = list.next_element::<u16>()? {
            if length == 0 {
                return Err(A::Error::invalid_value(Unexpected::Unsigned(0), &self));
            }
            lengths.push(length);
        }
        if lengths.is_empty() {
            Err(A::Error::invalid_length(0, &self))
        } else {
            Ok(Segments::First(lengths))
        }
    }
}

impl From<&Segments> for crate::ftp::Segments {
    fn from(segments: &Segments) -> Self {
        match segments {
            Segments::Each(length) => Self::Each(usize::from(*length)),
            Segments::First(lengths) => Self::First(lengths.iter().copied().map(usize::from).collect()),
        }
    }
}
