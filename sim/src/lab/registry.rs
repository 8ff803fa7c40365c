//! Where the labs that are up are found: a folder of the user's own with a socket for each.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use nix::unistd::Uid;

use super::control;

/// Longer names would not fit into a socket's address with the folder before them.
const LONGEST_NAME: usize = 40;
/// Octets of a socket's address, without the zero at its end (sun_path of unix(7)).
const LONGEST_ADDRESS: usize = 107;

/// Why a lab cannot be registered or found.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The folder cannot be had.
    #[error("cannot use the folder {folder} for the labs that are up: {source}")]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder is somebody else's.
    #[error(
        "the folder {0} for the labs that are up belongs to another user: remove it, or set XDG_RUNTIME_DIR"
    )]
    NotOwn(PathBuf),
    /// Others may put things there.
    #[error(
        "others may write to the folder {0} for the labs that are up, and stand in for a lab there: `chmod 0700` it \
         after a look at what it has"
    )]
    Writable(PathBuf),
    /// Sockets in it cannot have an address.
    #[error(
        "the path of the folder {0} for the labs that are up is too long for a socket in it: set XDG_RUNTIME_DIR to a \
         shorter one"
    )]
    TooLong(PathBuf),
    /// The name cannot be one.
    #[error(
        "`{0}` is no name for a lab: use letters, digits, `-`, `_` and `.`, at most {LONGEST_NAME} of them, \
         beginning with a letter or digit"
    )]
    Name(String),
    /// There is one of this name.
    #[error(
        "a lab called `{0}` is up already: choose another --name, or take it down with `quirknat lab down {0}`"
    )]
    Taken(String),
    /// There is none.
    #[error("no lab is up: `quirknat lab up SCENARIO` brings one up")]
    None,
    /// There is none of this name.
    #[error("no lab called `{name}` is up; those that are: {others}")]
    Unknown {
        /// The name.
        name: String,
        /// The names there are.
        others: String,
    },
    /// There are several.
    #[error("several labs are up: name one of {0}")]
    Ambiguous(String),
}

/// The folder with the sockets.
#[derive(Debug)]
pub struct Registry {
    folder: PathBuf,
}

impl Registry {
    /// The user's own: `quirknat` in `$XDG_RUNTIME_DIR`, in /run for root, or else in the folder for temporary files.
    pub fn open() -> Result<Self, RegistryError> {
        let folder = place();
        let failed = |source| RegistryError::Folder { folder: folder.clone(), source };
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        let metadata = fs::symlink_metadata(&folder).map_err(failed)?;
        if !metadata.is_dir() || metadata.uid() != Uid::effective().as_raw() {
            return Err(RegistryError::NotOwn(folder));
        }
        if metadata.mode() & 0o022 != 0 {
            return Err(RegistryError::Writable(folder));
        }
        Ok(Self { folder })
    }

    /// Where the lab of this name listens, if it is up.
    pub fn socket(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.lab"))
    }

    /// Where what its process has to say is written.
    pub fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    /// A place for a new lab of this name. What a lab that is gone has left there is removed.
    pub fn reserve(&self, name: &str) -> Result<PathBuf, RegistryError> {
        let fit = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
        let begins_well = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
        if !begins_well || name.len() > LONGEST_NAME || !name.chars().all(fit) {
            return Err(RegistryError::Name(name.to_owned()));
        }
        let socket = self.socket(name);
        if unnamed(&socket).as_os_str().len() > LONGEST_ADDRESS {
            return Err(RegistryError::TooLong(self.folder.clone()));
        }
        if self.is_up(name) {
            return Err(RegistryError::Taken(name.to_owned()));
        }
        Ok(socket)
    }

    /// The names of the labs that are up, in order. The sockets of those that are gone are removed, which is logged.
    pub fn names(&self) -> Result<Vec<String>, RegistryError> {
        let failed = |source| RegistryError::Folder { folder: self.folder.clone(), source };
        let mut names = Vec::new();
        for entry in self.folder.read_dir().map_err(failed)? {
            let file_name = entry.map_err(failed)?.file_name();
            let name = file_name.to_str().and_then(|name| name.strip_suffix(".lab"));
            if let Some(name) = name.filter(|name| self.is_up(name)) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The lab of this name, or the only one there is.
    pub fn find(&self, name: Option<&str>) -> Result<String, RegistryError> {
        let names = self.names()?;
        match (name, names.as_slice()) {
            (Some(name), _) if names.iter().any(|other| other == name) => Ok(name.to_owned()),
            (_, []) => Err(RegistryError::None),
            (Some(name), _) => {
                Err(RegistryError::Unknown { name: name.to_owned(), others: names.join(", ") })
            }
            (None, [only]) => Ok(only.clone()),
            (None, _) => Err(RegistryError::Ambiguous(names.join(", "))),
        }
    }

    fn is_up(&self, name: &str) -> bool {
        let socket = self.socket(name);
        if !is_refused(&socket) {
            return socket.exists();
        }
        // Its lab was killed. Between that look and the removal another may have done the same, and put a new lab's
        // socket there: hence the second look, while nobody else is at it.
        let Some(_lock) = lock(&self.folder, FlockArg::LockExclusiveNonblock) else { return false };
        if is_refused(&socket) && fs::remove_file(&socket).is_ok() {
            let log = self.log(name);
            log::warn!(
                "the lab {name} is gone: its process was killed; what it said is in {}",
                log.display()
            );
        }
        false
    }
}

/// Where a socket is until it listens and gets its name.
pub(super) fn unnamed(socket: &Path) -> PathBuf {
    socket.with_extension(format!("{}.new", std::process::id()))
}

/// Whoever gives a socket its name, or takes away one that a killed lab has left, has this.
pub(super) fn lock(folder: &Path, how: FlockArg) -> Option<Flock<File>> {
    Flock::lock(File::open(folder).ok()?, how).ok()
}

/// There is a socket, and nobody listens.
fn is_refused(socket: &Path) -> bool {
    control::connect_at_once(socket).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

fn place() -> PathBuf {
    // Another user's is left by sudo and su.
    let is_own = |folder: &PathBuf| {
        let metadata = fs::metadata(folder);
        folder.is_absolute() && metadata.is_ok_and(|it| it.is_dir() && it.uid() == Uid::effective().as_raw())
    };
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(is_own) {
        Some(runtime) => runtime.join("quirknat"),
        None if Uid::effective().is_root() && Path::new("/run").is_dir() => PathBuf::from("/run/quirknat"),
        None => std::env::temp_dir().join(format!("quirknat-{}", Uid::effective())),
    }
}
