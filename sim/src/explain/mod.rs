//! Explains an FTP session: what crossed the wires as a ladder, the view of each side beside the other, what the
//! routers decided in between, both ends' logs, the cause and what helps. One model ([`Story`]), and forms of it that
//! only show what it says.

mod html;
mod markdown;
pub mod story;
mod tell;
#[cfg(test)]
mod tests;
mod text;
mod words;
mod wrap;

pub use html::html;
pub use markdown::markdown;
pub use story::Story;
pub use tell::{NothingToTell, Telling, tell};
pub use text::text;
pub(crate) use wrap::{Piece, wrap};
