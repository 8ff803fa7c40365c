//! Both machines against each other, and against what no peer should send.

mod client;
mod pair;
mod random;
mod server;
mod session;
mod ways;
