//! Worlds to put a router in: what its wires carry, and what is made of it.

pub mod capture;
