//! Quantities as a scenario's author writes them: `"10 ms"`, `"1.5 Mbit/s"`, `"1%"`.
//!
//! Each reads what it writes, holds whole numbers, and is exact: what it cannot hold it refuses, rather than round. No
//! duration crate fits: humantime and jiff read `m` as minutes, which on a network may as well be meant as milliseconds.

mod decimal;
mod mtu;
mod probability;
mod rate;
mod time_span;

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserializer;
use serde::de::{Error, Visitor};

pub use mtu::{Mtu, MtuError};
pub use probability::{Probability, ProbabilityError};
pub use rate::{Rate, RateError};
pub use time_span::{TimeSpan, TimeSpanError};

/// Reads a quantity that is written as a string; `expected` says how, for whoever writes something else.
fn from_text<'de, D, T>(deserializer: D, expected: &'static str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    deserializer.deserialize_str(Text { expected, quantity: PhantomData })
}

struct Text<T> {
    expected: &'static str,
    quantity: PhantomData<T>,
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}
