//! What to run, and the file that it is.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::unistd::{AccessFlags, access};

use super::ProgramError;

/// Where servers are, which a user's PATH may lack.
const ADMINISTRATORS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// A program to run. Its stdin is empty.
#[derive(Clone, Debug)]
pub struct ProgramSpec {
    /// The program and its arguments. A program without `/` is looked for in PATH, then where administrators' programs
    /// are; one with `/` is relative to `directory`.
    pub argv: Vec<String>,
    /// Variables besides those of this process. A PATH here counts for finding the program too.
    pub environment: Vec<(String, String)>,
    /// Where it runs.
    pub directory: PathBuf,
    /// How long it may run; `None` for a server, which is ended with [`end`](super::Program::end).
    pub time_limit: Option<Duration>,
    /// Octets it may write to stdout, and to stderr.
    pub output_limit: usize,
}

impl ProgramSpec {
    /// The program's file, after a look at all that can be wrong before anything is started.
    pub(super) fn resolve(&self) -> Result<PathBuf, ProgramError> {
        let name = self.argv.first().filter(|name| !name.is_empty()).ok_or(ProgramError::Empty)?;
        self.check_words(name)?;
        let unusable = |source| ProgramError::Directory {
            program: name.clone(),
            directory: self.directory.clone(),
            source,
        };
        let directory = std::path::absolute(&self.directory).map_err(unusable)?;
        if !fs::metadata(&directory).map_err(unusable)?.is_dir() {
            return Err(unusable(io::ErrorKind::NotADirectory.into()));
        }
        if name.contains('/') {
            let file = directory.join(name);
            return check_file(&file).map(|()| file);
        }
        self.search(name, &directory)
    }

    fn check_words(&self, name: &str) -> Result<(), ProgramError> {
        if self.argv.iter().any(|word| word.contains('\0')) {
            return Err(ProgramError::ZeroByte(name.replace('\0', "\\0")));
        }
        let unfit = |(name, value): &&(String, String)| {
            name.is_empty() || name.contains(['=', '\0']) || value.contains('\0')
        };
        self.environment.iter().find(unfit).map_or(Ok(()), |(variable, _)| {
            let (program, name) = (name.to_owned(), variable.replace('\0', "\\0"));
            Err(ProgramError::Environment { program, name })
        })
    }

    /// The first that may be executed; otherwise the first that may not tells more than that there is none.
    fn search(&self, name: &str, directory: &Path) -> Result<PathBuf, ProgramError> {
        let given = self.environment.iter().rev().find(|(variable, _)| variable == "PATH");
        let path =
            given.map(|(_, path)| OsString::from(path)).or_else(|| env::var_os("PATH")).unwrap_or_default();
        let places: Vec<PathBuf> = env::split_paths(&path).chain(ADMINISTRATORS.map(PathBuf::from)).collect();
        let mut reason = None;
        for file in places.iter().map(|place| directory.join(place).join(name)) {
            match check_file(&file) {
                Ok(()) => return Ok(file),
                Err(error @ ProgramError::NotExecutable(_)) => reason = reason.or(Some(error)),
                Err(_) => {}
            }
        }
        Err(reason.unwrap_or_else(|| {
            let searched: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
            ProgramError::NotFound { program: name.to_owned(), searched: searched.join(":") }
        }))
    }

    /// The supervisor's command for it. What is meant for the program alone goes through arguments, so that it cannot
    /// change the supervisor.
    pub(super) fn supervised(&self, file: &Path, supervisor: &Path) -> Command {
        let mut command = Command::new(supervisor);
        command.arg("supervise").arg(format!("--parent={}", std::process::id()));
        command.arg(option("--program=", file.as_os_str()));
        command.arg(option("--directory=", self.directory.as_os_str()));
        for (name, value) in &self.environment {
            command.arg(format!("--set={name}={value}"));
        }
        command.arg("--").args(&self.argv);
        command
    }
}

fn option(name: &str, value: &std::ffi::OsStr) -> OsString {
    let mut option = OsString::from(name);
    option.push(value);
    option
}

fn check_file(file: &Path) -> Result<(), ProgramError> {
    match fs::metadata(file) {
        Ok(metadata) if !metadata.is_file() => Err(ProgramError::NotAFile(file.to_owned())),
        Ok(_) if access(file, AccessFlags::X_OK).is_err() => {
            Err(ProgramError::NotExecutable(file.to_owned()))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(ProgramError::NotExecutable(file.to_owned()))
        }
        Err(_) => Err(ProgramError::NoFile(file.to_owned())),
    }
}
