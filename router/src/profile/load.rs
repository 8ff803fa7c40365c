//! Where profiles come from: the built-in ones, and a user's files.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Profile;
use super::check::check;
use crate::diagnostic::{Diagnostic, ReadError, did_you_mean, from_toml, read_text, word_list};

/// A profile that comes with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// The name it is chosen by.
    pub name: &'static str,
    /// Its file.
    pub toml: &'static str,
}

/// The profiles that come with the program, by name.
pub fn builtin() -> &'static [Builtin] {
    BUILTIN
}

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        static BUILTIN: &[Builtin] = &[$(Builtin {
            name: $name,
            toml: include_str!(concat!("../../profiles/", $name, ".toml")),
        }),*];
    };
}

builtin!(
    "carrier-grade",
    "freebsd-libalias",
    "full-cone",
    "hardened",
    "ipfilter",
    "libslirp",
    "linksys-befsr41-1.39",
    "linux-2.2-masq",
    "linux-netfilter",
    "openbsd-ftp-proxy",
    "openvswitch",
    "port-restricted-cone",
    "realtek-ecos",
    "restricted-cone",
    "rfc-4787",
    "smc-7004br",
    "symmetric",
);

/// Why there is no profile. Each is the user's to mend: a wrong name or a wrong file.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// No built-in profile has that name, and it is no file's.
    #[error("unknown profile `{name}`\n{}", help_for_unknown(name))]
    Unknown {
        /// The name as it was given.
        name: String,
    },
    /// Its file could not be read as text.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// Its file says something that no profile can say: one diagnostic for each thing, at least one.
    #[error("{}", rendered(.0))]
    Invalid(Vec<Diagnostic>),
}

impl Profile {
    /// The built-in profile of that name.
    pub fn named(name: &str) -> Result<Self, ProfileError> {
        match BUILTIN.iter().find(|builtin| builtin.name == name) {
            Some(builtin) => Self::from_toml(&format!("{name}.toml"), builtin.toml),
            None => Err(ProfileError::Unknown { name: name.to_owned() }),
        }
    }

    /// The profile that a file's text states; `file_name` is for its diagnostics.
    pub fn from_toml(file_name: &str, text: &str) -> Result<Self, ProfileError> {
        let invalid = |diagnostic| ProfileError::Invalid(vec![diagnostic]);
        let profile: Self = from_toml(file_name, text).map_err(invalid)?;
        let faults = check(&profile, file_name, text);
        if faults.is_empty() { Ok(profile) } else { Err(ProfileError::Invalid(faults)) }
    }

    /// The profile in the file at `path`.
    pub fn from_file(path: &Path) -> Result<Self, ProfileError> {
        Self::from_toml(&path.display().to_string(), &read_text(path)?)
    }

    /// What a user calls a profile: the name of a built-in one, or else a file's path. A path is known by a `/` in it,
    /// by `.toml` at its end, or because the file is there.
    pub fn resolve(name_or_path: &str) -> Result<Self, ProfileError> {
        let is_builtin = BUILTIN.iter().any(|builtin| builtin.name == name_or_path);
        let path = PathBuf::from(name_or_path);
        let is_path = name_or_path.contains('/')
            || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
            || (!name_or_path.is_empty() && path.exists());
        if is_path && !is_builtin { Self::from_file(&path) } else { Self::named(name_or_path) }
    }
}

fn help_for_unknown(name: &str) -> String {
    let names: Vec<_> = BUILTIN.iter().map(|builtin| builtin.name).collect();
    let meant = did_you_mean(name, names.iter().copied())
        .map_or_else(String::new, |meant| format!("did you mean `{meant}`?\n"));
    let list = word_list("built-in profiles:", &names);
    format!("{meant}{list}\na profile of your own is named by its file: `./my-router.toml`")
}

/// Whoever shows an error writes `error: ` before the first.
fn rendered(diagnostics: &[Diagnostic]) -> String {
    let texts: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
    texts.join("\n\nerror: ")
}
