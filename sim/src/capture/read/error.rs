//! Why a capture cannot be read.

use std::io;

/// Why a capture cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// There is nothing in it.
    #[error("the file is empty: no capture was written to it")]
    Empty,
    /// Its first octets are those of another kind of file.
    #[error("not a capture: its first octets are {}, and neither of pcap nor of pcapng", hex(.0))]
    NotACapture(Vec<u8>),
    /// It is packed.
    #[error("the file is packed with {with}: unpack it first, as with `{unpack} FILE`")]
    Packed {
        /// By this program.
        with: &'static str,
        /// How to unpack it.
        unpack: &'static str,
    },
    /// It says something that no capture can say.
    #[error("at offset {offset}: {what}")]
    Broken {
        /// Where in the file, in octets.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// The system says so.
    #[error("at offset {offset}: {source}")]
    Unreadable {
        /// Where in the file, in octets.
        offset: u64,
        /// What the system says.
        source: io::Error,
    },
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
