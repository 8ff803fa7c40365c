//! The router as its neighbours see it: packets in, packets and events out, over the public interface alone.

mod support;

mod icmp_errors;
mod lan;
mod napt;
mod refused;
