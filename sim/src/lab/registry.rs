//! Where the labs that are up are found: a folder of the user's own with a socket for each.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

/// Longer names would not fit into a socket's address with the folder before them (sun_path: 108 octets).
const LONGEST_NAME: usize = 40;

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
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
        let folder = match runtime {
            Some(runtime) => runtime.join("quirknat"),
            None if Uid::effective().is_root() && Path::new("/run").is_dir() => {
                PathBuf::from("/run/quirknat")
            }
            None => std::env::temp_dir().join(format!("quirknat-{}", Uid::effective())),
        };
        let failed = |source| RegistryError::Folder { folder: folder.clone(), source };
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        let metadata = fs::symlink_metadata(&folder).map_err(failed)?;
        // Who can write there could stand in for a lab.
        if !metadata.is_dir() || metadata.uid() != Uid::effective().as_raw() || metadata.mode() & 0o022 != 0 {
            return Err(RegistryError::NotOwn(folder));
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
        if self.is_up(name) {
            return Err(RegistryError::Taken(name.to_owned()));
        }
        Ok(self.socket(name))
    }

    /// The names of the labs that are up, in order. The sockets of those that are gone are removed.
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
            (_, []) => Err(RegistryError::None),
            (Some(name), _) if names.iter().any(|other| other == name) => Ok(name.to_owned()),
            (Some(name), _) => {
                Err(RegistryError::Unknown { name: name.to_owned(), others: names.join(", ") })
            }
            (None, [only]) => Ok(only.clone()),
            (None, _) => Err(RegistryError::Ambiguous(names.join(", "))),
        }
    }

    fn is_up(&self, name: &str) -> bool {
        let socket = self.socket(name);
        match UnixStream::connect(&socket) {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                // Its lab was killed. One that comes up at this moment listens before its socket has this name.
                let _ = fs::remove_file(&socket);
                false
            }
            Err(_) => false,
        }
    }
}
