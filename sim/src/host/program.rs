//! Real programs on a host.

use std::collections::BTreeMap;
use std::io;

use smoltcp::time::Duration;

use crate::lab::ProgramError;

/// A real program to run, in a folder of its own that is removed with it. `{dir}` stands for that folder in words,
/// variables and files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramPlan {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables added to its environment.
    pub environment: BTreeMap<String, String>,
    /// Text files put into its folder before it starts.
    pub files: BTreeMap<String, String>,
    /// How long it may run; `None`: until its host is gone.
    pub time_limit: Option<Duration>,
    /// How many bytes it may write to stdout, and to stderr.
    pub output_limit: usize,
}

/// How a program ended, and what it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramEnd {
    /// Its exit status, or how it ended without one.
    pub status: Result<i32, String>,
    /// What it wrote to stdout, cut at its limit.
    pub stdout: Vec<u8>,
    /// The same for stderr.
    pub stderr: Vec<u8>,
}

/// Why a program does not start.
#[derive(Debug, thiserror::Error)]
pub enum ProgramFailure {
    /// There is nothing to run it on.
    #[error("a simulated host runs no programs: use `--backend netns`")]
    Simulated,
    /// Its folder.
    #[error("cannot make a program's folder: {0}; make room in TMPDIR, and let this user write there")]
    Folder(#[source] io::Error),
    /// A file there.
    #[error("cannot write the program's file `{name}`: {source}")]
    File {
        /// Its name.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// A file elsewhere.
    #[error("the program's file `{0}` would lie outside of its folder: give a path below it, without `..`")]
    FileOutside(String),
    /// The program itself, or its host.
    #[error(transparent)]
    Start(#[from] ProgramError),
}
