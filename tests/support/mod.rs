//! The lab of the real-program tests: a router process and its hosts, each in a network namespace of its own.
//!
//! Nothing here knows what the router should do; that is the tests' business. Everything made here is removed by the
//! `Drop` of what made it, also when a test panics, and every wait has a deadline.

pub mod capture;
pub mod client;
pub mod deadline;
pub mod evidence;
pub mod home;
pub mod labs;
pub mod namespace;
pub mod process;
pub mod requirement;
pub mod scratch;
pub mod server;
pub mod session;
