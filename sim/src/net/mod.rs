//! The network between hosts and routers, on a clock that is given.

pub mod link;
pub mod random;
pub mod units;
