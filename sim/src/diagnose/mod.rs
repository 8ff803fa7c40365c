//! A user's own material, captures and logs of FTP sessions that failed: what happened, why, and what helps.
//!
//! ```text
//! files ─▶ material: what each source tells of each session ─▶ sessions: both sides' views of one, put together
//!                                                                   │
//!                                    facts ─▶ cause, remedy, profiles that would do the same ─▶ text, JSON
//! ```
//!
//! What the material does not tell is not made up: it is said, and what to record.

mod candidates;
mod capture;
mod diagnosis;
mod facts;
mod json;
pub mod log;
mod logged;
mod material;
mod read;
mod rebuild;
mod sessions;
mod text;
mod words;

pub use candidates::{Candidate, Comparison, Difference, Helping};
pub use diagnosis::{Diagnosis, diagnose};
pub use facts::{Announced, Facts, Transfer};
pub use json::json;
pub use material::{Material, Medium, Observed, Source, Stated};
pub use read::MaterialError;
pub use rebuild::NotRebuilt;
pub use sessions::{Session, sessions};
pub use text::text;
