//! Worlds to put a router in: hosts, links and the internet on a clock, what its wires carry, and what is made of it.

pub mod capture;
pub mod ftp;
