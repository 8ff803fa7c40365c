//! What the user's files tell: their sources, and each session as each source tells it.

use smoltcp::time::Instant;

use crate::session::Account;

/// All that the files tell.
#[derive(Debug, Default)]
pub struct Material {
    /// The logs, and the captures' interfaces.
    pub sources: Vec<Source>,
    /// The sessions, source by source.
    pub observed: Vec<Observed>,
}

/// A log, or one interface of a capture.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file, and the interface where the capture has several.
    pub name: String,
    /// What kind it is.
    pub medium: Medium,
    /// Sources with the same number have one clock: they are interfaces of one capture.
    pub clock: usize,
    /// On which side of the router it was recorded, where the user says so.
    pub stated: Option<Stated>,
    /// From when to when, on its own clock.
    pub span: Option<(Instant, Instant)>,
    /// Whether more than control connections is in it: without, a missing data connection says nothing.
    pub sees_data: bool,
    /// What is to be known of it as a whole.
    pub notes: Vec<String>,
}

/// What kind a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// Packets.
    Capture,
    /// What the client says.
    ClientLog,
    /// What the server says.
    ServerLog,
    /// A log that does not tell whose it is.
    Log,
}

/// On which side of the router a source was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stated {
    /// Inside.
    Lan,
    /// Outside.
    Wan,
}

/// A session as one source tells it.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Which source, as an index.
    pub source: usize,
    /// What it tells.
    pub account: Account,
    /// When it was first seen.
    pub began: Option<Instant>,
    /// Whether its beginning is missing.
    pub joined: bool,
    /// Whether the control connection was encrypted from some point on.
    pub encrypted: bool,
    /// What is to be known of it besides.
    pub notes: Vec<String>,
}
