//! What the user's files tell: their sources, and each session as each source tells it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use smoltcp::time::Instant;

use super::capture::read_capture;
use super::log::{Format, LogError};
use super::logged::read_log;
use crate::capture::{CaptureError, looks_like_a_capture};
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

/// Why a file tells nothing.
#[derive(Debug, thiserror::Error)]
pub enum MaterialError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no sound capture.
    #[error("{}: {source}", path.display())]
    Capture {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: CaptureError,
    },
    /// It is no capture, and no log that can be read.
    #[error("{}: {}{source}", path.display(), if source.is_unknown() { "not a capture, and " } else { "" })]
    Log {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: LogError,
    },
}

impl Material {
    /// Adds what a file tells, be it a capture or a log; of a log, `format` says whose it is.
    pub fn read(
        &mut self,
        path: &Path,
        stated: Option<Stated>,
        format: Option<Format>,
    ) -> Result<(), MaterialError> {
        let unreadable = |source| MaterialError::Unreadable { path: path.to_path_buf(), source };
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let is_capture = looks_like_a_capture(file.fill_buf().map_err(unreadable)?);
        let before = self.sources.len();
        let name = path.display().to_string();
        if is_capture {
            read_capture(self, &name, file)
                .map_err(|source| MaterialError::Capture { path: path.to_path_buf(), source })?;
        } else {
            read_log(self, &name, &mut file, format)
                .map_err(|source| MaterialError::Log { path: path.to_path_buf(), source })?;
        }
        for source in self.sources.iter_mut().skip(before) {
            source.stated = stated;
        }
        Ok(())
    }
}
