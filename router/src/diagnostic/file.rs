//! Reading a file of the user's.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Diagnostic;

/// A profile or a scenario is some kilobytes; a device or a core file given by mistake is not read to its end.
const LARGEST: u64 = 4 << 20;

/// Why a file could not be read as text.
#[derive(Debug, Error)]
pub enum ReadError {
    /// Nothing has that name.
    #[error("no file `{}`; check the path, it is taken from the current directory", path.display())]
    Missing {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The path is a directory's.
    #[error("`{}` is a directory; name a file in it", path.display())]
    Directory {
        /// The path as it was given.
        path: PathBuf,
    },
    /// It is there, and may not be read.
    #[error("no permission to read `{}`; check its mode and those of the directories above it", path.display())]
    Forbidden {
        /// The path as it was given.
        path: PathBuf,
    },
    /// It is larger than any file meant for this program.
    #[error("`{}` is larger than {} MiB; name a TOML file", path.display(), LARGEST >> 20)]
    TooLarge {
        /// The path as it was given.
        path: PathBuf,
    },
    /// Reading failed for another reason.
    #[error("cannot read `{}`: {error}", path.display())]
    Failed {
        /// The path as it was given.
        path: PathBuf,
        /// The system's reason; the text above names it, so it is no link of a chain.
        error: io::Error,
    },
    /// It is not text.
    #[error("{0}")]
    NotText(Diagnostic),
}

/// Reads the file at `path` as UTF-8 text.
pub fn read_text(path: &Path) -> Result<String, ReadError> {
    let mut octets = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut octets));
    let path_buf = || path.to_path_buf();
    match read {
        Ok(_) if octets.len() as u64 > LARGEST => Err(ReadError::TooLarge { path: path_buf() }),
        Ok(_) => text(path, octets),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::NotFound => ReadError::Missing { path: path_buf() },
            io::ErrorKind::IsADirectory => ReadError::Directory { path: path_buf() },
            io::ErrorKind::PermissionDenied => ReadError::Forbidden { path: path_buf() },
            _ => ReadError::Failed { path: path_buf(), error },
        }),
    }
}

fn text(path: &Path, octets: Vec<u8>) -> Result<String, ReadError> {
    String::from_utf8(octets).map_err(|error| {
        let start = error.utf8_error().valid_up_to();
        let octet = error.as_bytes().get(start).copied().unwrap_or_default();
        let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let message = format!("octet 0x{octet:02x} is not UTF-8");
        let place = start..start + char::REPLACEMENT_CHARACTER.len_utf8();
        let diagnostic = Diagnostic::new(path.display().to_string(), shown, message).at(place);
        ReadError::NotText(diagnostic.with_help("save the file as UTF-8"))
    })
}
