//! Reads a user's file, whatever it is.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::capture::read_capture;
use super::log::{Format, LogError};
use super::logged::read_log;
use super::material::{Material, Stated};
use crate::capture::{CaptureError, looks_like_a_capture};

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
            self.read_capture(&name, file)
                .map_err(|source| MaterialError::Capture { path: path.to_path_buf(), source })?;
        } else {
            self.read_log(&name, &mut file, format)
                .map_err(|source| MaterialError::Log { path: path.to_path_buf(), source })?;
        }
        for source in self.sources.iter_mut().skip(before) {
            source.stated = stated;
        }
        Ok(())
    }

    /// Adds what a capture tells, wherever it comes from; `name` is what it is called in what is said of it.
    pub fn read_capture(&mut self, name: &str, capture: impl Read) -> Result<(), CaptureError> {
        read_capture(self, name, capture)
    }

    /// Likewise a log, which `format` may say whose it is.
    pub fn read_log(
        &mut self,
        name: &str,
        log: &mut impl BufRead,
        format: Option<Format>,
    ) -> Result<(), LogError> {
        read_log(self, name, log, format)
    }
}
