//! Placeholder.

pub mod ftp;
