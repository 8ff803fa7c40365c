//! Which scenarios are to be played. All files are checked before the first one plays, and read again when their turn
//! comes: what is held of a scenario until then is where it stands and how it is called.

use std::path::{Path, PathBuf};

use crate::exit::Failure;
use crate::report::Partition;
use crate::scenario::{Builtin, Scenario, ScenarioError, builtin};

/// Where a scenario's text stands.
#[derive(Debug, Clone)]
enum Source {
    BuiltIn(&'static Builtin),
    File(PathBuf),
}

impl Source {
    fn read(&self) -> Result<Scenario, ScenarioError> {
        match self {
            Self::BuiltIn(entry) => Scenario::from_toml(&format!("{}.toml", entry.name), entry.toml),
            Self::File(path) => Scenario::from_file(path),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::BuiltIn(entry) => entry.name.to_owned(),
            Self::File(path) => {
                path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
            }
        }
    }
}

/// One scenario to play. A file is one scenario; where a file describes several, its index among them belongs here,
/// beside the source.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// Its place in the undivided run, from 1.
    pub position: usize,
    /// Its name, unlike any other's.
    pub name: String,
    source: Source,
}

impl Job {
    /// Reads it again. It was checked, so an error means that the file is not what it was.
    pub(super) fn scenario(&self) -> Result<Scenario, ScenarioError> {
        self.source.read()
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

    /// Adds what a file describes. Here one file would become several jobs.
    fn check(&mut self, source: Source, filter: Option<&str>) -> Result<(), Failure> {
        let scenario = source.read().map_err(|error| match error {
            ScenarioError::Invalid(diagnostic) => Failure::Invalid(diagnostic),
            other @ ScenarioError::Unreadable(_) => Failure::usage(other),
        })?;
        let name = source.name();
        if filter.is_none_or(|text| name.contains(text) || scenario.title.contains(text)) {
            self.jobs.push(Job { position: self.jobs.len() + 1, name, source });
        }
        Ok(())
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
