//! The article as one picture: who is behind a router × control port × mode × whose software knows of its NAT, for a
//! profile, and whether a transfer works there.
//!
//! A [`Cell`] is a place in that picture. It is a scenario like any other, written in the scenario language, with a
//! name that stands wherever a scenario's can: `matrix[behind=client,control=2121,mode=port,aware=neither]`. What comes
//! of playing it is an [`Entry`]; a [`Document`] has them all, and is shown in several shapes. (The `[matrix]` of a
//! scenario file, which multiplies that file, is another thing.)

mod cell;
mod claims;
mod coordinates;
mod document;
mod entry;
mod html;
mod markdown;
mod scenario;
mod selection;
mod sign;
mod table;

pub use cell::{ARTICLE_PROFILE, Cell};
pub use claims::{Claim, Expected, claims};
pub use coordinates::{Aware, Behind, ControlPort, Coordinate};
pub use document::{CauseCount, Document, ProfileNamed, anchor};
pub use entry::{Entry, Outcome, Works};
pub use html::html;
pub use markdown::markdown;
pub use selection::{Selection, SelectionError};
pub use table::table;

#[cfg(test)]
mod tests;
