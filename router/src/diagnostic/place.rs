//! Places in a TOML document: which value stands at a span, and at which span a value.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The way from the document's table to a value; empty: the document's table itself.
pub(super) type Place = Vec<Step>;

/// One step of a [`Place`].
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// To a table's value.
    Key(String),
    /// To a list's item.
    Index(usize),
}

/// Where the value stands that `path`'s keys lead to, from the top of the document; for a value in the long form
/// (`{ value = …, evidence = … }`) that is the one inside.
pub fn span_of(source: &str, path: &[&str]) -> Option<Range<usize>> {
    let document = DeTable::parse(source).ok()?;
    let (last, above) = path.split_last()?;
    let mut table = document.get_ref();
    for key in above {
        table = table.get(*key)?.get_ref().as_table()?;
    }
    let value = table.get(*last)?;
    let inner = value.get_ref().as_table().and_then(|table| table.get("value"));
    Some(inner.unwrap_or(value).span())
}

/// Every place whose value stands at `span`, the outermost first.
pub(super) fn places_at(document: &Spanned<DeTable<'_>>, span: &Range<usize>) -> Vec<Place> {
    let mut found = Vec::new();
    if document.span() == *span {
        found.push(Vec::new());
    }
    search_table(document.get_ref(), span, &mut Vec::new(), &mut found);
    found
}

fn search_table(table: &DeTable<'_>, span: &Range<usize>, way: &mut Place, found: &mut Vec<Place>) {
    for (key, value) in table {
        way.push(Step::Key(key.get_ref().to_string()));
        search_value(value, span, way, found);
        way.pop();
    }
}

fn search_value(value: &Spanned<DeValue<'_>>, span: &Range<usize>, way: &mut Place, found: &mut Vec<Place>) {
    if value.span() == *span {
        found.push(way.clone());
    }
    match value.get_ref() {
        DeValue::Table(table) => search_table(table, span, way, found),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                way.push(Step::Index(index));
                search_value(item, span, way, found);
                way.pop();
            }
        }
        _ => {}
    }
}

/// The value at `place`; none at the document's own table.
pub(super) fn value_at<'v, 's>(
    document: &'v mut DeTable<'s>,
    place: &[Step],
) -> Option<&'v mut Spanned<DeValue<'s>>> {
    let (first, rest) = place.split_first()?;
    let Step::Key(key) = first else { return None };
    let mut value = document.get_mut(key.as_str())?;
    for step in rest {
        value = match (step, value.get_mut()) {
            (Step::Key(key), DeValue::Table(table)) => table.get_mut(key.as_str())?,
            (Step::Index(index), DeValue::Array(items)) => items.get_mut(*index)?,
            _ => return None,
        };
    }
    Some(value)
}

/// The table at `place`.
pub(super) fn table_at<'v, 's>(document: &'v mut DeTable<'s>, place: &[Step]) -> Option<&'v mut DeTable<'s>> {
    if place.is_empty() {
        return Some(document);
    }
    match value_at(document, place)?.get_mut() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

/// A place as a file would write it; a list's items have no name of their own.
pub(super) fn name_of(place: &[Step]) -> String {
    let keys: Vec<_> = place
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
        .collect();
    keys.join(".")
}
