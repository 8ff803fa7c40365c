//! Why a transfer failed: the list of causes, and the one finder of them.
//!
//! A cause is found from what crossed the wires, what programs logged and what routers said of it; never from a time-out
//! alone. Call [`find`] with what there is: with everything, as a judge of scenarios does, or with one end's log. Where
//! the material does not suffice the finding says so, and what would. `docs/causes.md` is made from the list here.

mod catalogue;
mod details;
mod find;

#[cfg(test)]
mod tests;

pub use catalogue::Cause;
pub use details::{Details, Found};
pub use find::{Evidence, Finding, Wanted, Witness, find, find_exchange};
