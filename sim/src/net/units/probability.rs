//! How often something happens.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::decimal::{self, DecimalError};

/// A probability, in whole billionths. Written as a percentage, `"0.5%"`, or as a number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Probability(u32);

/// Why a text is no probability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbabilityError {
    /// It has another form.
    #[error("`{0}` is no probability: write a number from 0 to 1, or a percentage as in 1.5%")]
    Malformed(String),
    /// It is more than certain.
    #[error("`{0}` is more than certain: a probability is a number from 0 to 1, or a percentage up to 100%")]
    TooLarge(String),
    /// It is no whole number of billionths.
    #[error("`{0}` is too fine: a probability is held in billionths, nine places after the point")]
    TooFine(String),
}

const BILLION: u32 = 1_000_000_000;
const PERCENT: u32 = BILLION / 100;

impl Probability {
    /// 0.
    pub const NEVER: Self = Self(0);
    /// 1.
    pub const ALWAYS: Self = Self(BILLION);

    /// In billionths: at most 1,000,000,000.
    pub const fn billionths(self) -> u32 {
        self.0
    }
}

impl FromStr for Probability {
    type Err = ProbabilityError;

    fn from_str(text: &str) -> Result<Self, ProbabilityError> {
        let trimmed = text.trim();
        let (number, unit) =
            trimmed.strip_suffix('%').map_or((trimmed, BILLION), |number| (number.trim_end(), PERCENT));
        let billionths = decimal::parse(number, u64::from(unit)).map_err(|error| match error {
            DecimalError::Malformed => ProbabilityError::Malformed(text.to_owned()),
            DecimalError::TooFine => ProbabilityError::TooFine(text.to_owned()),
            DecimalError::TooLarge => ProbabilityError::TooLarge(text.to_owned()),
        })?;
        match u32::try_from(billionths) {
            Ok(billionths) if billionths <= BILLION => Ok(Self(billionths)),
            _ => Err(ProbabilityError::TooLarge(text.to_owned())),
        }
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::write(formatter, u64::from(self.0), u64::from(PERCENT))?;
        formatter.write_str("%")
    }
}

impl Serialize for Probability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ProbabilityVisitor)
    }
}

struct ProbabilityVisitor;

impl Visitor<'_> for ProbabilityVisitor {
    type Value = Probability;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number from 0 to 1, or a percentage as in \"1.5%\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Probability, E> {
        text.parse().map_err(E::custom)
    }

    /// The shortest decimal that is this very number is what the file says.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Probability, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Probability, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Probability, E> {
        let number =
            u64::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))?;
        self.visit_u64(number)
    }
}

impl JsonSchema for Probability {
    fn schema_name() -> Cow<'static, str> {
        "Probability".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a number from 0 to 1, or a percentage as in \"1.5%\"",
            "anyOf": [
                { "type": "number", "minimum": 0, "maximum": 1 },
                { "type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*%?\s*$" },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        p: Probability,
    }

    fn read(text: &str) -> Result<Probability, ProbabilityError> {
        text.parse()
    }

    #[test]
    fn percentages_and_numbers_are_read() {
        for text in ["1%", "1 %", "0.01", " 1.0% ", "0.010"] {
            assert_eq!(read(text), Ok(Probability(PERCENT)), "{text}");
        }
        assert_eq!(read("0"), Ok(Probability::NEVER));
        assert_eq!(read("100%"), Ok(Probability::ALWAYS));
        assert_eq!(read("1"), Ok(Probability::ALWAYS));
        assert_eq!(read("0.0000001%"), Ok(Probability(1)));
    }

    #[test]
    fn what_is_none_is_refused() {
        let refused = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(
            refused("often"),
            "`often` is no probability: write a number from 0 to 1, or a percentage as in 1.5%"
        );
        assert_eq!(read("-1%"), Err(ProbabilityError::Malformed("-1%".to_owned())));
        assert_eq!(read("%"), Err(ProbabilityError::Malformed("%".to_owned())));
        assert_eq!(read("101%"), Err(ProbabilityError::TooLarge("101%".to_owned())));
        assert_eq!(read("1.000000001"), Err(ProbabilityError::TooLarge("1.000000001".to_owned())));
        assert_eq!(read("0.0000000001"), Err(ProbabilityError::TooFine("0.0000000001".to_owned())));
    }

    #[test]
    fn files_have_numbers_or_strings() {
        let file = |text: &str| toml::from_str::<File>(text).map(|file| file.p).map_err(|e| e.to_string());
        for text in ["p = 0.01", "p = \"1%\"", "p = 1e-2"] {
            assert_eq!(file(text), Ok(Probability(PERCENT)), "{text}");
        }
        assert_eq!(file("p = 0"), Ok(Probability::NEVER));
        assert_eq!(file("p = 1"), Ok(Probability::ALWAYS));
        assert_eq!(file("p = 0.000000001"), Ok(Probability(1)));
        for text in
            ["p = 2", "p = -1", "p = -0.5", "p = nan", "p = inf", "p = true", "p = \"\"", "p = 1e-300"]
        {
            assert!(file(text).unwrap_err().contains("from 0 to 1") || text == "p = 1e-300", "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_reads_what_it_writes(billionths in 0..=BILLION) {
            let probability = Probability(billionths);
            prop_assert_eq!(read(&probability.to_string()), Ok(probability));
            let json = serde_json::to_string(&probability).unwrap();
            prop_assert_eq!(serde_json::from_str::<Probability>(&json).unwrap(), probability);
            let number = f64::from(billionths) / f64::from(BILLION);
            let file: File = toml::from_str(&format!("p = {number:?}")).unwrap();
            prop_assert_eq!(file.p, probability);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = read(&text);
        }
    }
}
