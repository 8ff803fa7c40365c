//! Worlds to put a router in: hosts, links and the internet on a clock, what its wires carry, and what is made of it.
//! The `quirknat` program is a thin shell over this library.

pub mod attack;
pub mod capture;
pub mod cause;
pub mod check;
pub mod cli;
pub mod commands;
#[cfg(test)]
mod committed;
pub mod compatibility;
pub mod diagnose;
pub mod exit;
pub mod explain;
pub mod ftp;
pub mod host;
pub mod lab;
pub mod net;
pub mod packet_text;
pub mod record;
pub mod remedy;
pub mod replay;
pub mod report;
pub mod scenario;
pub mod session;
pub mod software;
pub mod world;
