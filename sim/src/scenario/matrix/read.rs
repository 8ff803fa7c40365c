//! Reads the matrix of a file.

use std::collections::BTreeMap;
use std::ops::Range;

use quirknat_router::diagnostic::Diagnostic;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Value};

use super::Source;
use super::axes::{Axis, AxisValue, Matrix};
use super::value::label;

/// More would be a mistake, and would take days.
const MOST_CELLS: usize = 100_000;

impl Matrix {
    /// The matrix of a file, if it has one.
    pub(super) fn read(source: Source<'_>) -> Result<Option<Self>, Diagnostic> {
        let parsed = DeTable::parse(source.text)
            .map_err(|error| Diagnostic::from_toml_error(source.file_name, source.text, &error))?;
        let document = parsed.get_ref();
        let excluded = document.get("matrix-exclude");
        let Some(table) = document.get("matrix") else {
            return match excluded {
                Some(excluded) => {
                    Err(source.fault(excluded.span(), "cells are left out of a matrix, and there is none"))
                }
                None => Ok(None),
            };
        };
        let place = document.keys().find(|key| key.get_ref() == "matrix").map_or(0..0, Spanned::span);
        let mut matrix = Self { axes: Vec::new(), variables: BTreeMap::new(), kept: None, place };
        let Some(axes) = table.get_ref().as_table() else {
            return Err(
                source.fault(table.span(), "a matrix is a table, with a list of values for each variable")
            );
        };
        let mut axes: Vec<_> = axes.iter().collect();
        axes.sort_by_key(|(key, _)| key.span().start);
        for (key, values) in axes {
            matrix.read_axis(source, key, values)?;
        }
        let cells = matrix.axes.iter().try_fold(1_usize, |cells, axis| cells.checked_mul(axis.values.len()));
        if matrix.axes.is_empty() || cells.is_none_or(|cells| cells > MOST_CELLS) {
            let message = match cells {
                _ if matrix.axes.is_empty() => "the matrix has no variable".to_owned(),
                Some(cells) => format!("the matrix has {cells} cells, and {MOST_CELLS} are the most"),
                None => format!("the matrix has more than {MOST_CELLS} cells"),
            };
            return Err(source.fault(matrix.place, message));
        }
        if let Some(excluded) = excluded {
            matrix.exclude(source, excluded)?;
        }
        Ok(Some(matrix))
    }

    fn read_axis(
        &mut self,
        source: Source<'_>,
        key: &Spanned<impl AsRef<str>>,
        values: &Spanned<DeValue<'_>>,
    ) -> Result<(), Diagnostic> {
        let name = key.get_ref().as_ref();
        let Some(items) = values.get_ref().as_array() else {
            let message = format!("`{name}` has one value, and an axis of the matrix is a list of them");
            let written = source.text.get(values.span()).unwrap_or_default();
            let help = format!("a list stands in brackets: `[{written}]`");
            return Err(source.fault(values.span(), message).with_help(help));
        };
        let Some(first) = items.first() else {
            return Err(
                source.fault(values.span(), format!("`{name}` has no value, so there is no cell at all"))
            );
        };
        let names = variable_names(name, key.span(), first);
        for (variable, span) in &names {
            self.name(source, variable, span.clone(), names.len())?;
        }
        let mut axis = Axis { name: name.to_owned(), values: Vec::new() };
        let mut labels = Vec::new();
        for item in items {
            let value = read_value(source, &names, first, item)?;
            let called = value.parts.first().map(label).unwrap_or_default();
            if labels.contains(&called) {
                let message = format!(
                    "two values of `{name}` are called `{called}`: their cells could not be told apart"
                );
                return Err(source.fault(item.span(), message));
            }
            labels.push(called);
            axis.values.push(value);
        }
        self.axes.push(axis);
        Ok(())
    }

    /// Takes a name for the next axis's next part.
    fn name(
        &mut self,
        source: Source<'_>,
        variable: &str,
        span: Range<usize>,
        parts: usize,
    ) -> Result<(), Diagnostic> {
        let usable = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if variable.is_empty() || !variable.chars().all(usable) {
            let message =
                format!("`{variable}` is no variable's name: letters, digits, `-` and `_` make one");
            return Err(source.fault(span, message));
        }
        let axis = self.axes.len();
        let part = self.variables.values().filter(|(other, _)| *other == axis).count();
        debug_assert!(part < parts, "an axis has a name for each part");
        match self.variables.insert(variable.to_owned(), (axis, part)) {
            Some(_) => Err(source.fault(span, format!("the variable `{variable}` is set twice"))),
            None => Ok(()),
        }
    }

    /// Leaves out what the file says.
    fn exclude(&mut self, source: Source<'_>, excluded: &Spanned<DeValue<'_>>) -> Result<(), Diagnostic> {
        let wrong = |span| {
            source.fault(span, "cells are left out by a list of tables: [{ port = 21, mode = \"pasv\" }]")
        };
        let rules = excluded.get_ref().as_array().ok_or_else(|| wrong(excluded.span()))?;
        let mut kept: Vec<usize> = (0..self.combinations()).collect();
        for rule in rules {
            let table = rule.get_ref().as_table().filter(|table| !table.is_empty());
            let table = table.ok_or_else(|| wrong(rule.span()))?;
            let mut conditions = Vec::new();
            for (key, values) in table {
                let name = key.get_ref().as_ref();
                let Some(place) = self.variables.get(name) else {
                    return Err(self.unknown(source, name, key.span()));
                };
                let values = match values.get_ref() {
                    DeValue::Array(items) => items.iter().map(|item| plain(item.get_ref())).collect(),
                    value => vec![plain(value)],
                };
                conditions.push((*place, values));
            }
            let before = kept.len();
            kept.retain(|index| {
                let fits = |((axis, part), values): &((usize, usize), Vec<Value>)| {
                    self.part(*index, *axis, *part).is_some_and(|value| values.contains(value))
                };
                !conditions.iter().all(fits)
            });
            if kept.len() == before {
                return Err(source.fault(rule.span(), "no cell is left out by this"));
            }
        }
        if kept.is_empty() {
            return Err(source.fault(excluded.span(), "every cell is left out"));
        }
        self.kept = Some(kept);
        Ok(())
    }
}

/// The variables that an axis sets: one of its own name, or those its tables name, in the first one's order.
fn variable_names(
    axis: &str,
    span: Range<usize>,
    first: &Spanned<DeValue<'_>>,
) -> Vec<(String, Range<usize>)> {
    let Some(table) = first.get_ref().as_table() else { return vec![(axis.to_owned(), span)] };
    let mut keys: Vec<_> = table.keys().map(|key| (key.get_ref().to_string(), key.span())).collect();
    keys.sort_by_key(|(_, span)| span.start);
    keys
}

fn read_value(
    source: Source<'_>,
    names: &[(String, Range<usize>)],
    first: &Spanned<DeValue<'_>>,
    item: &Spanned<DeValue<'_>>,
) -> Result<AxisValue, Diagnostic> {
    match (first.get_ref().is_table(), item.get_ref().is_table()) {
        (true, false) => {
            return Err(source.fault(item.span(), "the first value is a table, and this is none"));
        }
        (false, true) => {
            return Err(source.fault(item.span(), "this value is a table, and the first is none"));
        }
        _ => {}
    }
    let parts: Vec<&Spanned<DeValue<'_>>> = match item.get_ref().as_table() {
        Some(table) => {
            let mut parts = Vec::new();
            for (name, _) in names {
                match table.get(name.as_str()) {
                    Some(value) => parts.push(value),
                    None => {
                        return Err(
                            source.fault(item.span(), format!("this value does not set `{name}`, others do"))
                        );
                    }
                }
            }
            let other = table.keys().find(|key| names.iter().all(|(name, _)| key.get_ref() != name));
            if let Some(key) = other {
                return Err(
                    source.fault(key.span(), format!("the first value does not set `{}`", key.get_ref()))
                );
            }
            parts
        }
        None => vec![item],
    };
    for part in &parts {
        let text = source.text.get(part.span()).unwrap_or_default();
        if holds_table(part.get_ref()) {
            let message = "a variable's value is a text, a number, `true`, `false` or a list of them";
            return Err(source.fault(part.span(), message));
        }
        if text.contains("${") {
            return Err(source.fault(part.span(), "a variable cannot stand in the matrix itself"));
        }
    }
    Ok(AxisValue { parts: parts.into_iter().map(|part| plain(part.get_ref())).collect() })
}

fn holds_table(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => true,
        DeValue::Array(items) => items.iter().any(|item| holds_table(item.get_ref())),
        _ => false,
    }
}

/// A value without its places. The text was parsed, so its numbers can be read.
fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => {
            let digits = number.as_str();
            Value::Integer(i64::from_str_radix(digits, number.radix()).unwrap_or_default())
        }
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(truth) => Value::Boolean(*truth),
        DeValue::Datetime(date) => Value::Datetime(*date),
        DeValue::Array(items) => Value::Array(items.iter().map(|item| plain(item.get_ref())).collect()),
        DeValue::Table(table) => {
            let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                (key.to_string(), plain(value.get_ref()))
            };
            Value::Table(table.iter().map(entry).collect())
        }
    }
}
