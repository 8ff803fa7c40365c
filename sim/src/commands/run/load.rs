//! Which scenarios are to be played. All files are checked before the first one plays, and read again when their turn
//! comes: what is held of a scenario until then is where it stands and how it is called.

use std::path::PathBuf;
use std::sync::Arc;

use crate::commands::invalid;
use crate::commands::source::Source;
use crate::exit::Failure;
use crate::report::Partition;
use crate::scenario::{Scenario, ScenarioError, ScenarioFile};

/// Where a scenario is.
#[derive(Debug, Clone)]
enum Place {
    /// It is all of a file.
    File(Source),
    /// It is a cell of a file with a matrix. Its text is held: to read it again would be to check all its cells again.
    Cell(Arc<ScenarioFile>, usize),
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
        return Ok(Source::built_in());
    }
    let mut sources = Vec::new();
    for path in paths {
        sources.extend(Source::named(path)?);
    }
    Ok(sources)
}
