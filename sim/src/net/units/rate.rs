//! How fast a link transmits.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::decimal::{self, DecimalError};

/// A transmitter's rate, in whole bits per second; more than none. Written `"10 Mbit/s"`, `"56 kbit/s"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(NonZeroU64);

/// Why a text is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// It has another form.
    #[error("`{0}` is no rate: write a number and bit/s, kbit/s, Mbit/s or Gbit/s, as in 10 Mbit/s")]
    Malformed(String),
    /// It is no whole number of bits per second.
    #[error("`{0}` is too fine: a rate is a whole number of bits per second")]
    TooFine(String),
    /// It does not fit.
    #[error("`{0}` is too fast: a rate is 18446744073 Gbit/s at most")]
    TooFast(String),
    /// It is none.
    #[error("`{0}` lets nothing through: to cut a link, say that it is down")]
    Zero(String),
}

const UNITS: [(&str, u64); 4] =
    [("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1000), ("bit/s", 1)];

impl Rate {
    /// So many bits per second.
    pub const fn from_bits_per_second(bits: NonZeroU64) -> Self {
        Self(bits)
    }

    /// In bits per second.
    pub const fn bits_per_second(self) -> NonZeroU64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let malformed = || RateError::Malformed(text.to_owned());
        let trimmed = text.trim();
        let unit = UNITS.iter().find_map(|(name, bits)| Some((trimmed.strip_suffix(name)?, *bits)));
        let (number, unit) = unit.ok_or_else(malformed)?;
        let bits = decimal::parse(number.trim_end(), unit).map_err(|error| match error {
            DecimalError::Malformed => malformed(),
            DecimalError::TooFine => RateError::TooFine(text.to_owned()),
            DecimalError::TooLarge => RateError::TooFast(text.to_owned()),
        })?;
        NonZeroU64::new(bits).map(Self).ok_or_else(|| RateError::Zero(text.to_owned()))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0.get();
        let (name, unit) = UNITS.into_iter().find(|&(_, unit)| unit <= bits).unwrap_or(("bit/s", 1));
        decimal::write(formatter, bits, unit)?;
        write!(formatter, " {name}")
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::from_text(deserializer, "a rate as in \"10 Mbit/s\"")
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a rate as in \"10 Mbit/s\": a number and bit/s, kbit/s, Mbit/s or Gbit/s",
            "type": "string",
            "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*[kMG]?bit/s\s*$",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<u64, RateError> {
        text.parse::<Rate>().map(|rate| rate.0.get())
    }

    #[test]
    fn rates_are_read_and_written() {
        for (text, bits, written) in [
            ("10 Mbit/s", 10_000_000, "10 Mbit/s"),
            ("56kbit/s", 56_000, "56 kbit/s"),
            ("1.5 Mbit/s", 1_500_000, "1.5 Mbit/s"),
            ("300 bit/s", 300, "300 bit/s"),
            (" 0.001 Gbit/s ", 1_000_000, "1 Mbit/s"),
            ("1234567 bit/s", 1_234_567, "1.234567 Mbit/s"),
        ] {
            assert_eq!(read(text), Ok(bits), "{text}");
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        assert_eq!(
            read("10 Mbps").unwrap_err().to_string(),
            "`10 Mbps` is no rate: write a number and bit/s, kbit/s, Mbit/s or Gbit/s, as in 10 Mbit/s"
        );
        for text in ["", "10", "Mbit/s", "10 MB/s", "-1 bit/s", "10 mbit/s", "1 M bit/s", "1e6 bit/s"] {
            assert_eq!(read(text), Err(RateError::Malformed(text.to_owned())), "{text}");
        }
        assert_eq!(read("0.5 bit/s"), Err(RateError::TooFine("0.5 bit/s".to_owned())));
        assert_eq!(read("0 Mbit/s"), Err(RateError::Zero("0 Mbit/s".to_owned())));
        assert_eq!(read("18446744074 Gbit/s"), Err(RateError::TooFast("18446744074 Gbit/s".to_owned())));
    }

    #[test]
    fn a_number_without_a_unit_is_refused_with_an_example() {
        let error = serde_json::from_str::<Rate>("10").unwrap_err().to_string();
        assert!(error.contains("expected a rate as in \"10 Mbit/s\""), "{error}");
    }

    proptest! {
        #[test]
        fn it_reads_what_it_writes(bits in prop_oneof![1..=u64::MAX, 1_u64..100_000_000]) {
            let rate = Rate(NonZeroU64::new(bits).unwrap());
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
            let json = serde_json::to_string(&rate).unwrap();
            prop_assert_eq!(serde_json::from_str::<Rate>(&json).unwrap(), rate);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = read(&text);
        }
    }
}
