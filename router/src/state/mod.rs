//! What a router remembers: translations, the mappings they share, transfers, forwards, rewritten streams, fragments, stations,
//! and the timers that end each of them.

pub(crate) mod flow;
pub(crate) mod forward;
pub(crate) mod fragment;
pub(crate) mod line;
pub(crate) mod mapping;
pub(crate) mod numbers;
pub(crate) mod opening;
pub(crate) mod progress;
pub(crate) mod reassembly;
pub(crate) mod resting;
pub(crate) mod station;
pub(crate) mod timer;
pub(crate) mod transfers;
pub(crate) mod windows;
