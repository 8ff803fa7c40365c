//! The pages of a picture: one for the whole, one for each cell that says how its session went.

use std::path::{Path, PathBuf};

use crate::compatibility::{Cell, anchor};
use crate::exit::Failure;
use crate::explain::{Telling, html, markdown, tell};
use crate::remedy::Remedy;
use crate::scenario::Played;
use crate::scenario::language::BackendName;

/// The folder of the cells' pages, in that of the picture.
const CELLS: &str = "cells";

/// The form of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageForm {
    Markdown,
    Html,
}

/// Writes them.
#[derive(Debug)]
pub(super) struct Pages {
    folder: PathBuf,
    form: PageForm,
    /// Where the cells are played.
    pub(super) ground: BackendName,
    /// The profiles as they were given, in their order.
    profiles: Vec<String>,
}

impl PageForm {
    fn ending(self) -> &'static str {
        match self {
            Self::Markdown => "md",
            Self::Html => "html",
        }
    }
}

impl Pages {
    /// Makes the folder, so that nothing is played for one that cannot be.
    pub(super) fn begin(
        folder: &Path,
        form: PageForm,
        ground: BackendName,
        profiles: Vec<String>,
    ) -> Result<Self, Failure> {
        let cells = folder.join(CELLS);
        std::fs::create_dir_all(&cells).map_err(|error| cannot_write(&cells, &error))?;
        Ok(Self { folder: folder.to_owned(), form, ground, profiles })
    }

    /// Writes the page of a cell. One that has no scenario of its own has none.
    pub(super) fn write(
        &self,
        cell: &Cell,
        played: &Played,
        remedies: &[Remedy],
        seed: u64,
    ) -> Result<(), Failure> {
        if !cell.awareness_applies() {
            return Ok(());
        }
        let telling = Telling { backend: self.ground, seed, step: None, all_packets: false };
        let mut story = tell(played, telling).map_err(Failure::usage)?;
        for step in &mut story.steps {
            step.remedies = remedies.iter().map(ToString::to_string).collect();
        }
        let page = match self.form {
            PageForm::Markdown => markdown(&story),
            PageForm::Html => html(&story).map_err(Failure::environment)?,
        };
        let profiles = self.profiles.iter().map(String::as_str);
        self.file(&format!("{CELLS}/{}", anchor(profiles, cell)), &page).map(drop)
    }

    /// Writes the page of the whole; gives where it is.
    pub(super) fn write_index(&self, page: &str) -> Result<PathBuf, Failure> {
        self.file("index", page)
    }

    fn file(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.folder.join(format!("{name}.{}", self.form.ending()));
        std::fs::write(&path, text).map_err(|error| cannot_write(&path, &error))?;
        Ok(path)
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::environment(format!("cannot write to {}: {error}", path.display()))
}
