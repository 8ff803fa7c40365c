//! The longest packet a link takes.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The longest packet that a link takes, in bytes of IP: 68 to 65535, as in `1492`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Mtu(u16);

/// Why a number is no MTU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an MTU of {0} bytes is too small: IPv4 needs 68 at least (RFC 791 §3.2)")]
pub struct MtuError(u16);

impl Mtu {
    /// What every IPv4 link has to take (RFC 791 §3.2).
    pub const MINIMUM: Self = Self(68);

    /// In bytes.
    pub const fn bytes(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for Mtu {
    type Error = MtuError;

    fn try_from(bytes: u16) -> Result<Self, MtuError> {
        if bytes < Self::MINIMUM.0 { Err(MtuError(bytes)) } else { Ok(Self(bytes)) }
    }
}

impl From<Mtu> for u16 {
    fn from(mtu: Mtu) -> Self {
        mtu.0
    }
}

impl fmt::Display for Mtu {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl JsonSchema for Mtu {
    fn schema_name() -> Cow<'static, str> {
        "Mtu".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "the longest packet a link takes, in bytes of IP",
            "type": "integer",
            "minimum": Self::MINIMUM.0,
            "maximum": u16::MAX,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ipv4_needs_is_the_least() {
        assert_eq!(Mtu::try_from(68), Ok(Mtu::MINIMUM));
        let refused = Mtu::try_from(67).unwrap_err().to_string();
        assert_eq!(refused, "an MTU of 67 bytes is too small: IPv4 needs 68 at least (RFC 791 §3.2)");
        assert_eq!(serde_json::from_str::<Mtu>("1492").unwrap().bytes(), 1492);
        assert!(serde_json::from_str::<Mtu>("67").unwrap_err().to_string().starts_with(&refused));
        assert!(serde_json::from_str::<Mtu>("65536").is_err());
    }
}
