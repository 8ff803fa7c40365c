//! A home router as a deterministic core: a packet in, packets and events out.
//!
//! [`Router`] is the whole of it: no clock, no device, no thread. What it does is in a [`profile::Profile`]; where it
//! stands is in a [`config::Config`]. Devices are at the edge, in [`device`].
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

pub mod config;
mod core;
pub mod device;
pub mod diagnostic;
pub mod event;
pub mod packet;
pub mod profile;
pub mod queue;
pub mod reason;
mod state;
mod upnp;

pub use core::{Counters, NotTurned, Router, Translation};
/// What a gateway is like and why it does what it does: the types of its events and profiles.
pub use quirknat_alg as alg;
