//! The router as its neighbours see it: packets in, packets and events out, over the public interface alone.

mod support;

mod control;
mod determinism;
mod forwards;
mod fragments;
mod icmp_errors;
mod invariants;
mod lan;
mod napt;
mod numbers;
mod refused;
mod sequence;
mod server_behind;
mod timeouts;
