//! Which scenarios are to be played. All files are checked before the first one plays, and read again when their turn
//! comes: what is held of a scenario until then is where it stands and how it is called.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::commands::invalid;
use crate::exit::Failure;
use crate::report::Partition;
use crate::scenario::{Builtin, Scenario, ScenarioError, ScenarioFile, builtin};

/// Where a file's text stands.
#[derive(Debug, Clone)]
enum Source {
    BuiltIn(&'static Builtin),
    File(PathBuf),
}

/// Where a scenario is.
#[derive(Debug, Clone)]
enum Place {
    /// It is all of a file.
    File(Source),
    /// It is a cell of a file with a matrix. Its text is held: to read it again would be to check all its cells again.
    Cell(Arc<ScenarioFile>, usize),
}

impl Source {
    fn read(&self) -> Result<ScenarioFile, ScenarioError> {
        match self {
            Self::BuiltIn(entry) => ScenarioFile::from_toml(&format!("{}.toml", entry.name), entry.toml),
            Self::File(path) => ScenarioFile::read(path),
        }
    }
}

/// One scenario to play: a file, or a cell of one with a matrix.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// Its place in the undivided run, from 1.
    pub position: usize,
    /// Its name, unlike any other's.
    pub name: String,
    place: Place,
}

impl Job {
    /// Reads it again. It was checked, so an error means that the file is not what it was.
    pub(super) fn scenario(&self) -> Result<Scenario, ScenarioError> {
        let cell = match &self.place {
            Place::Cell(file, index) => file.cell(*index),
            Place::File(source) => source.read()?.cell(0),
        };
        cell.map(|(_, scenario)| scenario)
    }
}

/// What is to be played, in order.
#[derive(Debug)]
pub(super) struct WorkList {
    jobs: Vec<Job>,
}

impl WorkList {
    /// The scenarios that `paths` name, all checked; with a filter, those whose name or title has it.
    pub(super) fn load(paths: &[PathBuf], filter: Option<&str>) -> Result<Self, Failure> {
        let mut list = Self { jobs: Vec::new() };
        for source in sources(paths)? {
            list.check(source, filter)?;
        }
        if list.jobs.is_empty() {
            return Err(Failure::usage("no scenario is left to play: look at PATH and --filter"));
        }
        if let Some(name) = list.name_given_twice() {
            return Err(Failure::usage(format!(
                "two scenarios are called `{name}`: rename one, or play them apart"
            )));
        }
        Ok(list)
    }

    /// Adds what a file describes.
    fn check(&mut self, source: Source, filter: Option<&str>) -> Result<(), Failure> {
        let file = source.read().map_err(invalid)?;
        if !file.has_matrix() {
            let (name, scenario) = file.cell(0).map_err(invalid)?;
            self.add(name, &scenario.title, Place::File(source), filter);
            return Ok(());
        }
        let file = Arc::new(file);
        for index in 0..file.cells() {
            let (name, scenario) = file.cell(index).map_err(invalid)?;
            self.add(name, &scenario.title, Place::Cell(Arc::clone(&file), index), filter);
        }
        Ok(())
    }

    fn add(&mut self, name: String, title: &str, place: Place, filter: Option<&str>) {
        if filter.is_none_or(|text| name.contains(text) || title.contains(text)) {
            self.jobs.push(Job { position: self.jobs.len() + 1, name, place });
        }
    }

    /// Leaves the part's jobs. Positions stay those of the whole.
    pub(super) fn keep(&mut self, part: Partition) {
        self.jobs.retain(|job| part.has(job.position));
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.jobs.iter().map(|job| job.name.as_str())
    }

    pub(super) fn jobs(&self) -> impl Iterator<Item = Job> {
        self.jobs.iter().cloned()
    }

    /// A name that two scenarios have: reports and artifacts could not tell them apart.
    fn name_given_twice(&self) -> Option<String> {
        let mut names: Vec<&str> = self.names().collect();
        names.sort_unstable();
        names.windows(2).find(|pair| pair.first() == pair.last())?.first().map(|name| (*name).to_owned())
    }
}

fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    if paths.is_empty() {
        return Ok(builtin().iter().map(Source::BuiltIn).collect());
    }
    let mut sources = Vec::new();
    for path in paths {
        let entry = builtin().iter().find(|entry| path.as_os_str() == entry.name);
        match entry.filter(|_| !path.exists()) {
            Some(entry) => sources.push(Source::BuiltIn(entry)),
            None if path.is_dir() => sources.extend(files_in(path)?.into_iter().map(Source::File)),
            None => sources.push(Source::File(path.clone())),
        }
    }
    Ok(sources)
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
