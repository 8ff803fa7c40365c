//! What messages hold.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Content {
    /// This text.
    Text(String),
    /// So many bytes of any text.
    Bytes(u32),
}

impl Default for Content {
    fn default() -> Self {
        Self::Text("hello".to_owned())
    }
}

/// By hand, so that what is neither is refused in words.
impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl Visitor<'_> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, or a number of bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Text(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<Content, E> {
        let bytes = u32::try_from(bytes).map_err(|_| E::invalid_value(Unexpected::Signed(bytes), &self))?;
        Ok(Content::Bytes(bytes))
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<Content, E> {
        let bytes = u32::try_from(bytes).map_err(|_| E::invalid_value(Unexpected::Unsigned(bytes), &self))?;
        Ok(Content::Bytes(bytes))
    }
}
