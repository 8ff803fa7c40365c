//! Where something stands in a scenario's text, by its path.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One step of a path.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    /// To a table's value.
    Key(&'a str),
    /// To a list's item.
    Item(usize),
}

/// The keys of the table at `path`, in the file's order, each with its place.
pub(super) fn keys<'d>(document: &'d DeTable<'_>, path: &[Part<'_>]) -> Vec<(&'d str, Range<usize>)> {
    let Some(DeValue::Table(table)) = value(document, path).map(Spanned::get_ref) else { return Vec::new() };
    let mut keys: Vec<_> = table.keys().map(|key| (key.get_ref().as_ref(), key.span())).collect();
    keys.sort_by_key(|(_, span)| span.start);
    keys
}

/// The place of the key that `path` ends with; of the item, where it ends with one.
pub(super) fn key(document: &DeTable<'_>, path: &[Part<'_>]) -> Option<Range<usize>> {
    match path.split_last()? {
        (Part::Key(last), above) => {
            let keys = if above.is_empty() {
                document.keys().map(|key| (key.get_ref().as_ref(), key.span())).collect()
            } else {
                keys(document, above)
            };
            keys.into_iter().find(|(key, _)| key == last).map(|(_, span)| span)
        }
        (Part::Item(_), _) => value(document, path).map(Spanned::span),
    }
}

/// The value at `path`.
pub(super) fn value<'d, 's>(
    document: &'d DeTable<'s>,
    path: &[Part<'_>],
) -> Option<&'d Spanned<DeValue<'s>>> {
    let (first, rest) = path.split_first()?;
    let Part::Key(key) = first else { return None };
    let mut value = document.get(*key)?;
    for part in rest {
        value = match (part, value.get_ref()) {
            (Part::Key(key), DeValue::Table(table)) => table.get(*key)?,
            (Part::Item(index), DeValue::Array(items)) => items.get(*index)?,
            _ => return None,
        };
    }
    Some(value)
}
