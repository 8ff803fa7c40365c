//! Why a transfer failed, found from what crossed the wires and what routers said of it; never from a time-out alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The cause of a failure. Each text is a whole sentence's worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The server was told a LAN address by PORT or EPRT.
    #[error("PORT told the server an address of the client's LAN, which is reached from nowhere else")]
    LanAddressInPort,
    /// The client was told a LAN address by 227.
    #[error("227 told the client an address of the server's LAN, which is reached from nowhere else")]
    LanAddressInPassiveReply,
    /// The server refused an announced address because it is not the client's.
    #[error("the server refused an announced address that is not the one the client comes from")]
    ForeignAddressRefused,
    /// A data connection came to a router that had no forward for it.
    #[error("the data connection came to a router that forwards no such port")]
    DataPortNotForwarded,
    /// What was sent came to a router that knew nobody to pass it on to.
    #[error("what was sent came to a router that forwards it to nobody")]
    NotForwarded,
    /// A router forgot a connection while it was in use: it restarted, got another address, or the translation ended.
    #[error("a router forgot the connection while it was in use")]
    TranslationForgotten,
    /// A router had no room for another translation.
    #[error("a router had no room for another translation")]
    TableFull,
    /// Nobody listens where the control connection was dialled, or a router on the way has no forward for it.
    #[error("the control connection was refused, or nothing answered it")]
    ControlNotAnswered,
    /// A wire lost packets, and no other cause is seen.
    #[error("a wire on the way lost packets")]
    PacketsLost,
}
