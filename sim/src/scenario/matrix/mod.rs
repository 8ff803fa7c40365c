//! A scenario file: one scenario, or by its matrix as many as there are combinations of its variables' values.
//!
//! Variables are put into the text, before anything is read from it. So a cell is a file like any other, with the same
//! lines, and what is wrong in it is shown there.

mod axes;
mod read;
mod template;
mod value;

use std::path::{Path, PathBuf};

use quirknat_router::diagnostic::{Diagnostic, from_toml, read_text};

use super::language::Scenario;
use super::profiles::{ProfileFault, Profiles};
use super::{ScenarioError, check};
pub(crate) use value::path_safe;

use axes::Matrix;
use template::Template;

/// A scenario file, read and checked. Its cells are made one at a time.
#[derive(Debug)]
pub struct ScenarioFile {
    name: String,
    file_name: String,
    folder: PathBuf,
    text: String,
    matrix: Option<Matrix>,
    template: Template,
    profiles: Profiles,
}

/// A text with the name of its file, for diagnostics.
#[derive(Clone, Copy)]
struct Source<'a> {
    file_name: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn fault(&self, span: std::ops::Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.file_name, self.text, message).at(span)
    }
}

impl ScenarioFile {
    /// The scenario file at `path`, called by its stem.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        Self::from_toml(&path.display().to_string(), &read_text(path)?)
    }

    /// The scenario file that a text is. `file_name` is for diagnostics, its stem is the scenario's name, and files that
    /// it names may lie in its folder. Every cell is checked, so that nothing is wrong any more once something plays.
    pub fn from_toml(file_name: &str, text: &str) -> Result<Self, ScenarioError> {
        let path = Path::new(file_name);
        let source = Source { file_name, text };
        let matrix = Matrix::read(source).map_err(invalid)?;
        let template = Template::read(source, matrix.as_ref()).map_err(invalid)?;
        let file = Self {
            name: path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
            file_name: file_name.to_owned(),
            folder: path.parent().map_or_else(PathBuf::new, Path::to_path_buf),
            text: text.to_owned(),
            matrix,
            template,
            profiles: Profiles::default(),
        };
        (0..file.cells()).try_for_each(|index| file.scenario(index).map(|_| ()).map_err(invalid))?;
        Ok(file)
    }

    /// How many scenarios it is: 1 without a matrix.
    pub fn cells(&self) -> usize {
        self.matrix.as_ref().map_or(1, Matrix::cells)
    }

    /// Whether it has a matrix, be it one of a single cell.
    pub fn has_matrix(&self) -> bool {
        self.matrix.is_some()
    }

    /// The file's name without folder and ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A cell's name, as in `sweep[port=21,mode=pasv]`; the file's without a matrix. Each cell has its own, and it can
    /// name a folder.
    pub fn cell_name(&self, index: usize) -> String {
        match &self.matrix {
            Some(matrix) => format!("{}[{}]", self.name, matrix.labels(index)),
            None => self.name.clone(),
        }
    }

    /// A cell by its place, from 0: the last variable's value changes first. It is made now, with its name.
    pub fn cell(&self, index: usize) -> Result<(String, Scenario), ScenarioError> {
        if index >= self.cells() {
            return Err(ScenarioError::NoSuchCell { index, cells: self.cells() });
        }
        let scenario = self.scenario(index).map_err(invalid)?;
        Ok((self.cell_name(index), scenario))
    }

    fn scenario(&self, index: usize) -> Result<Scenario, Diagnostic> {
        let Some(matrix) = &self.matrix else {
            return self.read_scenario(&self.template.fill(&self.text, &|_| None));
        };
        let values = matrix.values(index);
        let text = self.template.fill(&self.text, &|variable| values.get(variable).copied());
        self.read_scenario(&text).map_err(|fault| self.in_cell(fault, &text, &matrix.shown(index)))
    }

    fn read_scenario(&self, text: &str) -> Result<Scenario, Diagnostic> {
        let mut scenario: Scenario = from_toml(&self.file_name, text)?;
        scenario.folder.clone_from(&self.folder);
        for network in scenario.network.values_mut() {
            let profile = self.profiles.of(&self.folder, &network.router).map_err(|fault| match fault {
                ProfileFault::InProfile(fault) => *fault,
                ProfileFault::InScenario { place, message, help } => {
                    let fault = Diagnostic::new(self.file_name.as_str(), text, message).at(place);
                    match help {
                        Some(help) => fault.with_help(help),
                        None => fault,
                    }
                }
            })?;
            network.router.resolved = Some(profile);
        }
        check::check(&scenario, &self.file_name, text)?;
        Ok(scenario)
    }

    /// A fault of a cell's text, with the cell.
    fn in_cell(&self, fault: Diagnostic, text: &str, cell: &str) -> Diagnostic {
        if fault.file_name() != self.file_name {
            return fault;
        }
        let message = format!("{}, in the cell {cell}", fault.message());
        let mut told = Diagnostic::new(self.file_name.as_str(), text, message);
        if let Some(span) = fault.span() {
            told = told.at(span);
        }
        match fault.help() {
            Some(help) => told.with_help(help),
            None => told,
        }
    }

    /// The scenario of a file without a matrix.
    pub(super) fn into_only(self) -> Result<Scenario, ScenarioError> {
        match &self.matrix {
            None => self.scenario(0).map_err(invalid),
            Some(matrix) => {
                let source = Source { file_name: &self.file_name, text: &self.text };
                let message =
                    format!("a single scenario is wanted, and this file's matrix makes {}", self.cells());
                Err(invalid(source.fault(matrix.place(), message)))
            }
        }
    }
}

fn invalid(diagnostic: Diagnostic) -> ScenarioError {
    ScenarioError::Invalid(Box::new(diagnostic))
}

#[cfg(test)]
mod tests;
