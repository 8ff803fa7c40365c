//! How long something takes.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smoltcp::time::Duration;

use super::decimal::{self, DecimalError};

/// A length of time, in whole microseconds, up to a hundred years. Written `"10 ms"`, `"1.5s"`, `"2h 30min"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct TimeSpan(u64);

/// Why a text is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeSpanError {
    /// It has another form.
    #[error("`{0}` is no duration: write a number and us, ms, s, min or h, as in 250ms or 2h 30min")]
    Malformed(String),
    /// Its units do not get smaller from left to right.
    #[error("`{0}` has its units out of order: write each once, the largest first, as in 2h 30min")]
    OutOfOrder(String),
    /// It is no whole number of microseconds.
    #[error("`{0}` is too fine: a duration is a whole number of microseconds")]
    TooFine(String),
    /// It is more than a scenario's clock should be asked for.
    #[error("`{0}` is too long: a duration is a hundred years at most, which are 876600h")]
    TooLong(String),
}

/// The largest first.
const UNITS: [(&str, u64); 5] =
    [("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000), ("ms", 1000), ("us", 1)];

impl TimeSpan {
    /// No time.
    pub const ZERO: Self = Self(0);
    /// A hundred years of 365¼ days. Any clock can go on by it and not run over.
    pub const MAXIMUM: Self = Self(876_600 * 3_600_000_000);

    /// So many microseconds, or the maximum.
    pub const fn from_micros(micros: u64) -> Self {
        if micros > Self::MAXIMUM.0 { Self::MAXIMUM } else { Self(micros) }
    }

    /// In microseconds.
    pub const fn micros(self) -> u64 {
        self.0
    }
}

impl From<TimeSpan> for Duration {
    fn from(span: TimeSpan) -> Self {
        Self::from_micros(span.0)
    }
}

impl FromStr for TimeSpan {
    type Err = TimeSpanError;

    fn from_str(text: &str) -> Result<Self, TimeSpanError> {
        let mut rest = text.trim();
        let mut micros: u64 = 0;
        let mut smallest = u64::MAX;
        loop {
            let (term, unit, behind) =
                split_term(rest).ok_or_else(|| TimeSpanError::Malformed(text.to_owned()))?;
            if unit >= smallest {
                return Err(TimeSpanError::OutOfOrder(text.to_owned()));
            }
            let amount = decimal::parse(term, unit).map_err(|error| match error {
                DecimalError::Malformed => TimeSpanError::Malformed(text.to_owned()),
                DecimalError::TooFine => TimeSpanError::TooFine(text.to_owned()),
                DecimalError::TooLarge => TimeSpanError::TooLong(text.to_owned()),
            })?;
            micros = micros.saturating_add(amount);
            if micros > Self::MAXIMUM.0 {
                return Err(TimeSpanError::TooLong(text.to_owned()));
            }
            smallest = unit;
            rest = behind;
            if rest.is_empty() {
                return Ok(Self(micros));
            }
        }
    }
}

/// A number, its unit in microseconds, and what follows.
fn split_term(text: &str) -> Option<(&str, u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|&end| end > 0)?;
    let (number, behind) = text.split_at(end);
    let behind = behind.trim_start();
    let end = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
    let (name, behind) = behind.split_at(end);
    let (_, unit) = UNITS.iter().find(|(known, _)| *known == name)?;
    Some((number, *unit, behind.trim_start()))
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, rest) = (self.0 / 3_600_000_000, self.0 % 3_600_000_000);
        let (minutes, rest) = (rest / 60_000_000, rest % 60_000_000);
        let mut gap = "";
        for (amount, name) in [(hours, "h"), (minutes, "min")] {
            if amount > 0 {
                write!(formatter, "{gap}{amount} {name}")?;
                gap = " ";
            }
        }
        if rest == 0 && !gap.is_empty() {
            return Ok(());
        }
        let (unit, name) = match rest {
            1..1000 => (1, "us"),
            1000..1_000_000 => (1000, "ms"),
            _ => (1_000_000, "s"),
        };
        formatter.write_str(gap)?;
        decimal::write(formatter, rest, unit)?;
        write!(formatter, " {name}")
    }
}

impl Serialize for TimeSpan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::from_text(deserializer, "a duration as in \"250 ms\"")
    }
}

impl JsonSchema for TimeSpan {
    fn schema_name() -> Cow<'static, str> {
        "TimeSpan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a duration as in \"250 ms\" or \"2h 30min\": numbers with us, ms, s, min or h",
            "type": "string",
            "pattern": r"^\s*([0-9]+(\.[0-9]+)?\s*(us|ms|s|min|h)\s*)+$",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<u64, TimeSpanError> {
        text.parse::<TimeSpan>().map(TimeSpan::micros)
    }

    #[test]
    fn durations_are_read_and_written() {
        for (text, micros, written) in [
            ("10 ms", 10_000, "10 ms"),
            ("10ms", 10_000, "10 ms"),
            ("1.5s", 1_500_000, "1.5 s"),
            ("2h", 7_200_000_000, "2 h"),
            ("2h 30min", 9_000_000_000, "2 h 30 min"),
            ("2h30min", 9_000_000_000, "2 h 30 min"),
            ("1.5 h", 5_400_000_000, "1 h 30 min"),
            ("0.1 min", 6_000_000, "6 s"),
            (" 90 s ", 90_000_000, "1 min 30 s"),
            ("250us", 250, "250 us"),
            ("1.25 ms", 1250, "1.25 ms"),
            ("1h 1us", 3_600_000_001, "1 h 1 us"),
            ("0s", 0, "0 s"),
            ("0 us", 0, "0 s"),
            ("876600h", 876_600 * 3_600_000_000, "876600 h"),
        ] {
            assert_eq!(read(text), Ok(micros), "{text}");
            assert_eq!(TimeSpan(micros).to_string(), written);
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        assert_eq!(
            read("10 m").unwrap_err().to_string(),
            "`10 m` is no duration: write a number and us, ms, s, min or h, as in 250ms or 2h 30min"
        );
        for text in
            ["", " ", "10", "ms", "-1 s", "1,5 s", "1..5 s", ".5 s", "1 S", "1 sec", "1s,", "1s 5", "1 s s"]
        {
            assert_eq!(read(text), Err(TimeSpanError::Malformed(text.to_owned())), "{text}");
        }
        for text in ["30min 2h", "1s 1s"] {
            assert_eq!(read(text), Err(TimeSpanError::OutOfOrder(text.to_owned())), "{text}");
        }
        assert_eq!(read("0.5 us"), Err(TimeSpanError::TooFine("0.5 us".to_owned())));
        for text in ["876600h 1us", "99999999999999999999999 h", "18446744073709551615 us"] {
            assert_eq!(read(text), Err(TimeSpanError::TooLong(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_number_without_a_unit_is_refused_with_an_example() {
        let error = serde_json::from_str::<TimeSpan>("10").unwrap_err().to_string();
        assert!(error.contains("expected a duration as in \"250 ms\""), "{error}");
    }

    proptest! {
        #[test]
        fn it_reads_what_it_writes(micros in prop_oneof![0..=TimeSpan::MAXIMUM.0, 0_u64..10_000_000_000]) {
            let span = TimeSpan(micros);
            prop_assert_eq!(span.to_string().parse(), Ok(span));
            let json = serde_json::to_string(&span).unwrap();
            prop_assert_eq!(serde_json::from_str::<TimeSpan>(&json).unwrap(), span);
        }

        #[test]
        fn no_text_panics(text in ".*|[0-9.hmsuin ]*") {
            let _ = read(&text);
        }
    }
}
