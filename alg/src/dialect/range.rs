//! A range of numbers, as profiles write it.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A range of numbers, written `"1-1023"`, or `"6000"` for one; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The lowest.
    pub first: u16,
    /// The highest.
    pub last: u16,
}

impl Range {
    /// Every number there is.
    pub const ALL: Self = Self { first: 0, last: u16::MAX };

    /// Whether `number` lies in it.
    pub fn contains(self, number: impl Into<usize>) -> bool {
        (usize::from(self.first)..=usize::from(self.last)).contains(&number.into())
    }
}

impl fmt::Display for Range {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(out, "{}", self.first)
        } else {
            write!(out, "{}-{}", self.first, self.last)
        }
    }
}

impl Serialize for Range {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(RangeVisitor)
    }
}

struct RangeVisitor;

impl Visitor<'_> for RangeVisitor {
    type Value = Range;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number from 0 to 65535, or two with the lower first, as in \"1-1023\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Range, E> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let range = first.trim().parse().ok().zip(last.trim().parse().ok());
        range
            .map(|(first, last)| Range { first, last })
            .filter(|range| range.first <= range.last)
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}
