//! A value and how it is known.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

/// How a value is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// A document says so; the source names it.
    Documented,
    /// Its source code says so; the source names the file.
    SourceRead,
    /// It was seen on the wire; the source says how.
    Measured,
    /// Nothing says so; the source says why it was chosen.
    Assumed,
}

/// A value with its evidence. A user's own file may leave the evidence away; a built-in profile may not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stated<T> {
    /// The value.
    pub value: T,
    /// How it is known; `None` where a file gives the value alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Where it is from; empty where a file gives the value alone.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
}

impl<T> Deref for Stated<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Stated<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatedVisitor(PhantomData))
    }
}

/// The long form of a value. A visitor, not an untagged enum, so that an error keeps its place and its words.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LongForm<T> {
    value: T,
    evidence: Option<Evidence>,
    source: Option<String>,
}

struct StatedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for StatedVisitor<T> {
    type Value = Stated<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value, alone or as { value = …, evidence = …, source = … }")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        alone(value.into_deserializer())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        alone(value.into_deserializer())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        alone(value.into_deserializer())
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Self::Value, E> {
        alone(value.into_deserializer())
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Self::Value, E> {
        alone(value.into_deserializer())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        alone(value.into_deserializer())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        alone(value.into_deserializer())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Self::Value, A::Error> {
        alone(SeqAccessDeserializer::new(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let LongForm { value, evidence, source } = LongForm::deserialize(MapAccessDeserializer::new(map))?;
        match (evidence, source) {
            (Some(_), None) => Err(A::Error::missing_field("source")),
            (None, Some(_)) => Err(A::Error::missing_field("evidence")),
            (Some(_), Some(source)) if source.is_empty() => {
                Err(A::Error::invalid_value(Unexpected::Str(""), &"where the value is from"))
            }
            (evidence, source) => Ok(Stated { value, evidence, source: source.unwrap_or_default() }),
        }
    }
}

fn alone<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Stated<T>, D::Error> {
    Ok(Stated { value: T::deserialize(deserializer)?, evidence: None, source: String::new() })
}
