//! Captures: what crossed wires, as files that other programs read and write.

mod link;
mod read;
mod write;

pub use link::{LinkType, Network, network_layer};
pub use read::{CaptureError, CaptureReader, Captured, Interface, looks_like_a_capture};
pub use write::CaptureWriter;
