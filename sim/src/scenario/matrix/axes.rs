//! The matrix: its axes with their values, and which of their combinations are cells.

use std::collections::BTreeMap;
use std::ops::Range;

use quirknat_router::diagnostic::{Diagnostic, help_with_choices};
use toml::Value;

use super::Source;
use super::value::{label, shown};

#[derive(Debug)]
pub(super) struct Matrix {
    pub(super) axes: Vec<Axis>,
    /// Where each variable's value is: in which axis, and which part of its values.
    pub(super) variables: BTreeMap<String, (usize, usize)>,
    /// Which combinations are cells; `None`: all.
    pub(super) kept: Option<Vec<usize>>,
    pub(super) place: Range<usize>,
}

#[derive(Debug)]
pub(super) struct Axis {
    pub(super) name: String,
    pub(super) values: Vec<AxisValue>,
}

/// One value of an axis: of one variable, or of each that its table names.
#[derive(Debug)]
pub(super) struct AxisValue {
    pub(super) parts: Vec<Value>,
}

impl Matrix {
    /// A variable that is none, named at `span`.
    pub(super) fn unknown(&self, source: Source<'_>, name: &str, span: Range<usize>) -> Diagnostic {
        let known: Vec<&str> = self.variables.keys().map(String::as_str).collect();
        let help = help_with_choices(name, "variables there are:", &known);
        source.fault(span, format!("unknown variable `{name}`")).with_help(help)
    }

    pub(super) fn has(&self, variable: &str) -> bool {
        self.variables.contains_key(variable)
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Every value of a variable.
    pub(super) fn values_of(&self, variable: &str) -> impl Iterator<Item = &Value> {
        let place = self.variables.get(variable).copied();
        place.into_iter().flat_map(|(axis, part)| {
            let values = self.axes.get(axis).map(|axis| axis.values.as_slice()).unwrap_or_default();
            values.iter().filter_map(move |value| value.parts.get(part))
        })
    }

    /// Where it stands in the file.
    pub(super) fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    pub(super) fn cells(&self) -> usize {
        self.kept.as_ref().map_or_else(|| self.combinations(), Vec::len)
    }

    pub(super) fn combinations(&self) -> usize {
        self.axes.iter().map(|axis| axis.values.len()).product()
    }

    /// What each variable is in a cell.
    pub(super) fn values(&self, cell: usize) -> BTreeMap<&str, &Value> {
        let index = self.combination(cell);
        let variables = self.variables.iter();
        variables
            .filter_map(|(name, (axis, part))| Some((name.as_str(), self.part(index, *axis, *part)?)))
            .collect()
    }

    /// A cell as its name says it: `port=21,mode=pasv`.
    pub(super) fn labels(&self, cell: usize) -> String {
        self.named(cell, label).join(",")
    }

    /// The same for people.
    pub(super) fn shown(&self, cell: usize) -> String {
        self.named(cell, shown).join(", ")
    }

    fn named(&self, cell: usize, write: impl Fn(&Value) -> String) -> Vec<String> {
        let index = self.combination(cell);
        let named = |(place, axis): (usize, &Axis)| {
            let value = self.part(index, place, 0).map(&write).unwrap_or_default();
            format!("{}={value}", axis.name)
        };
        self.axes.iter().enumerate().map(named).collect()
    }

    fn combination(&self, cell: usize) -> usize {
        self.kept.as_ref().map_or(Some(cell), |kept| kept.get(cell).copied()).unwrap_or_default()
    }

    /// A variable's value in a combination. The last axis goes on first.
    pub(super) fn part(&self, combination: usize, axis: usize, part: usize) -> Option<&Value> {
        let behind: usize = self.axes.iter().skip(axis + 1).map(|axis| axis.values.len()).product();
        let values = &self.axes.get(axis)?.values;
        let index = combination.checked_div(behind)?.checked_rem(values.len())?;
        values.get(index)?.parts.get(part)
    }
}
