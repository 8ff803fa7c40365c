//! A user's own material, captures and logs of FTP sessions that failed: what happened, why, and what helps.
//!
//! ```text
//! files ─▶ material: what each source tells of each session ─▶ sessions: both sides' views of one, put together
//!                                                                   │
//!                                    facts ─▶ cause, remedy, profiles that would do the same ─▶ text, JSON
//! ```
//!
//! What the material does not tell is not made up: it is said, and what to record.

mod capture;
pub mod log;
mod logged;
mod material;
mod sessions;
mod text;

pub use material::{Material, MaterialError, Medium, Observed, Source, Stated};
pub use sessions::{Session, sessions};
pub use text::text;
