//! The router as its neighbours see it: packets in, packets and events out, over the public interface alone.

mod support;

mod acting;
mod adjusted;
mod control;
mod control_outlives;
mod data_ports;
mod determinism;
mod dialects;
mod forwards;
mod fragments;
mod freebsd_libalias;
mod hairpinning;
mod icmp_errors;
mod invariants;
mod ip_header;
mod lan;
mod libslirp;
mod limits;
mod lines;
mod napt;
mod numbers;
mod offsets;
mod openings;
mod other_protocols;
mod ports;
mod queries;
mod refused;
mod sequence;
mod server_behind;
mod tcp_tracking;
mod tcp_windows;
mod timeouts;
mod unsolicited;
mod upnp_igd;
