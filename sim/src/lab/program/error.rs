//! Why a program does not start.

use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::lab::LabError;

/// Why a program does not start. Every message names the program.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// No words at all.
    #[error("there is no program to run: the argument list is empty")]
    Empty,
    /// It is in none of the directories.
    #[error("the program `{program}` is not in {searched}: install it, or give its path")]
    NotFound {
        /// As it was asked for.
        program: String,
        /// Directories, separated by colons.
        searched: String,
    },
    /// There is no such file.
    #[error("there is no program `{}`: install it, or correct the path", .0.display())]
    NoFile(PathBuf),
    /// Its file is something else.
    #[error("the program `{}` is a directory or another special file: give the path of an executable file", .0.display())]
    NotAFile(PathBuf),
    /// Its mode, or that of a directory on the way.
    #[error("the program `{}` may not be executed by this user: `chmod +x` it, or run another", .0.display())]
    NotExecutable(PathBuf),
    /// A script without first line, or a binary for another machine.
    #[error(
        "the kernel cannot execute `{}`: a script must begin with `#!` and its interpreter, a binary be for this machine",
        .0.display()
    )]
    Format(PathBuf),
    /// What its first line, or its ELF header, asks for.
    #[error("the interpreter or loader that `{}` names is missing: install it, or correct the script's first line", .0.display())]
    Interpreter(PathBuf),
    /// Where it should run.
    #[error("the program `{program}` cannot run in the directory {}: {source}; make it, or give another", directory.display())]
    Directory {
        /// As it was asked for.
        program: String,
        /// Where.
        directory: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// An environment variable's name.
    #[error(
        "the program `{program}` cannot have an environment variable `{name}`: use a name without `=` and zero bytes, and a value without zero bytes"
    )]
    Environment {
        /// As it was asked for.
        program: String,
        /// The variable.
        name: String,
    },
    /// Zero bytes end a word.
    #[error("the program `{0}` cannot have an argument with a zero byte: remove it")]
    ZeroByte(String),
    /// Another error of the kernel's.
    #[error("the program `{}` does not start: {errno}", program.display())]
    Execute {
        /// Its file.
        program: PathBuf,
        /// Why not.
        errno: Errno,
    },
    /// No PID namespace, or no process.
    #[error(
        "the program `{}` cannot have a process tree of its own: {errno}; it takes CAP_SYS_ADMIN and room in \
         user.max_pid_namespaces",
        program.display()
    )]
    Isolation {
        /// Its file.
        program: PathBuf,
        /// Why not.
        errno: Errno,
    },
    /// The binary between.
    #[error("cannot start the supervisor {}: {source}; it must be the quirknat binary", supervisor.display())]
    Supervisor {
        /// Its file.
        supervisor: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The host.
    #[error(transparent)]
    Lab(#[from] LabError),
}

impl ProgramError {
    /// What execve's error means, for a file that was there before.
    pub(crate) fn from_exec(program: &Path, errno: Errno) -> Self {
        let program = program.to_owned();
        match errno {
            Errno::ENOENT if program.exists() => Self::Interpreter(program),
            Errno::ENOENT => Self::NoFile(program),
            Errno::ENOEXEC => Self::Format(program),
            Errno::EACCES => Self::NotExecutable(program),
            errno => Self::Execute { program, errno },
        }
    }
}
