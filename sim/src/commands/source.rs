//! What a user names when a scenario is asked for: a file, a folder of them, a built-in one, or cells of the matrix.

use std::path::{Path, PathBuf};

use crate::compatibility::{Cell, Selection};
use crate::exit::Failure;
use crate::scenario::{Builtin, ScenarioError, ScenarioFile, builtin};

/// Where a scenario file's text comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// It comes with the program.
    BuiltIn(&'static Builtin),
    /// The user has it.
    File(PathBuf),
    /// It is made for a cell of the matrix.
    Cell(Cell),
}

impl Source {
    /// The built-in ones.
    pub(crate) fn built_in() -> Vec<Self> {
        builtin().iter().map(Self::BuiltIn).collect()
    }

    /// What `path` names, at least one: what there is on disk comes first.
    pub(crate) fn named(path: &Path) -> Result<Vec<Self>, Failure> {
        if path.is_dir() {
            return Ok(files_in(path)?.into_iter().map(Self::File).collect());
        }
        if !path.exists() {
            if let Some(entry) = builtin().iter().find(|entry| path.as_os_str() == entry.name) {
                return Ok(vec![Self::BuiltIn(entry)]);
            }
            if let Some(selection) = path.to_str().and_then(Selection::parse) {
                let cells = selection.map_err(Failure::usage)?.cells();
                return Ok(cells.into_iter().map(Self::Cell).collect());
            }
        }
        Ok(vec![Self::File(path.to_path_buf())])
    }

    /// Reads and checks it.
    pub(crate) fn read(&self) -> Result<ScenarioFile, ScenarioError> {
        match self {
            Self::BuiltIn(entry) => ScenarioFile::from_toml(&format!("{}.toml", entry.name), entry.toml),
            Self::File(path) => ScenarioFile::read(path),
            Self::Cell(cell) => cell.file(),
        }
    }

    /// What a user types for it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::BuiltIn(entry) => entry.name.to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Cell(cell) => cell.to_string(),
        }
    }
}

/// The scenario files of a folder, by name.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let wrong = |error| Failure::usage(format!("cannot read the folder {}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Failure::usage(format!("{} holds no scenario file (*.toml)", folder.display())));
    }
    files.sort();
    Ok(files)
}
