//! A text with the places where variables stand in it.

use std::collections::BTreeSet;
use std::ops::Range;

use quirknat_router::diagnostic::Diagnostic;
use toml::Value;
use toml::de::{DeTable, DeValue};

use super::Source;
use super::axes::Matrix;
use super::value::{as_toml, escaped, shown};

/// The places, in the text's order.
#[derive(Debug, Default)]
pub(super) struct Template(Vec<Slot>);

#[derive(Debug)]
struct Slot {
    span: Range<usize>,
    what: Filling,
}

#[derive(Debug)]
enum Filling {
    /// The value in the place of a whole text.
    Value(String),
    /// What shows the value, inside of a text between such quotes.
    Inside(String, Quotes),
    /// `${` itself.
    Dollar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Double,
    Single,
}

/// A text as it is written, with its quotes.
struct Token {
    span: Range<usize>,
    quotes: Quotes,
    /// How many quotes it begins and ends with: 1 or 3.
    length: usize,
}

impl Template {
    pub(super) fn read(source: Source<'_>, matrix: Option<&Matrix>) -> Result<Self, Diagnostic> {
        let parsed = DeTable::parse(source.text)
            .map_err(|error| Diagnostic::from_toml_error(source.file_name, source.text, &error))?;
        let mut spans = Spans::default();
        for (key, value) in parsed.get_ref() {
            if ["matrix", "matrix-exclude"].contains(&key.get_ref().as_ref()) {
                spans.collect(value.get_ref(), true);
            } else {
                spans.collect(value.get_ref(), false);
                spans.text(value.span(), value.get_ref(), false);
            }
        }
        let mut template = Self::default();
        let mut used = BTreeSet::new();
        for token in tokens(source.text) {
            if !spans.of_matrix.contains(&token.span.start) {
                let is_value = spans.values.contains(&token.span.start);
                template.read_token(source, matrix, &token, is_value, &mut used)?;
            }
        }
        let unused = matrix.and_then(|matrix| {
            let unused = matrix.variables().find(|name| !used.contains(*name))?.to_owned();
            Some((unused, matrix.place()))
        });
        match unused {
            Some((name, place)) => Err(source
                .fault(place, format!("the variable `{name}` stands nowhere"))
                .with_help(format!("write \"${{{name}}}\" where its value is to stand"))),
            None => Ok(template),
        }
    }

    fn read_token(
        &mut self,
        source: Source<'_>,
        matrix: Option<&Matrix>,
        token: &Token,
        is_value: bool,
        used: &mut BTreeSet<String>,
    ) -> Result<(), Diagnostic> {
        let inner = token.span.start + token.length..token.span.end - token.length;
        let written = source.text.get(inner.clone()).unwrap_or_default();
        let mut from = 0;
        while let Some(found) = written.get(from..).and_then(|rest| rest.find("${")) {
            let start = from + found;
            let at = inner.start + start;
            if start > from && written.as_bytes().get(start - 1) == Some(&b'$') {
                self.0.push(Slot { span: at - 1..at + 2, what: Filling::Dollar });
                from = start + 2;
                continue;
            }
            let behind = written.get(start + 2..).unwrap_or_default();
            let Some(length) = behind.find('}') else {
                return Err(no_variable(source, at..at + 2, "`${` without `}`"));
            };
            let name = behind.get(..length).unwrap_or_default();
            let span = at..at + length + 3;
            match matrix {
                Some(matrix) if matrix.has(name) => fits(source, matrix, name, token.quotes, span.clone())?,
                Some(matrix) => {
                    let fault = matrix.unknown(source, name, span);
                    let help = fault.help().unwrap_or_default().to_owned();
                    return Err(fault.with_help(format!("{help}\n{ESCAPE}")));
                }
                None => {
                    let message = format!("unknown variable `{name}`: the file has no `matrix` to set one");
                    return Err(no_variable(source, span, &message));
                }
            }
            used.insert(name.to_owned());
            let what = if is_value && written.len() == length + 3 {
                Slot { span: token.span.clone(), what: Filling::Value(name.to_owned()) }
            } else {
                Slot { span, what: Filling::Inside(name.to_owned(), token.quotes) }
            };
            self.0.push(what);
            from = start + length + 3;
        }
        Ok(())
    }

    /// The text with every variable's value in its place.
    pub(super) fn fill<'v>(&self, text: &str, value: &dyn Fn(&str) -> Option<&'v Value>) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut from = 0;
        for slot in &self.0 {
            filled.push_str(text.get(from..slot.span.start).unwrap_or_default());
            match &slot.what {
                Filling::Dollar => filled.push_str("${"),
                Filling::Value(name) => filled.push_str(&value(name).map(as_toml).unwrap_or_default()),
                Filling::Inside(name, quotes) => {
                    let text = value(name).map(shown).unwrap_or_default();
                    filled.push_str(&if *quotes == Quotes::Double { escaped(&text) } else { text });
                }
            }
            from = slot.span.end;
        }
        filled.push_str(text.get(from..).unwrap_or_default());
        filled
    }
}

const ESCAPE: &str = "for the characters themselves, write `$${`";

fn no_variable(source: Source<'_>, span: Range<usize>, message: &str) -> Diagnostic {
    source.fault(span, message).with_help(ESCAPE)
}

/// Between single quotes nothing can be escaped.
fn fits(
    source: Source<'_>,
    matrix: &Matrix,
    name: &str,
    quotes: Quotes,
    span: Range<usize>,
) -> Result<(), Diagnostic> {
    let wrong = |text: &String| text.contains(|letter: char| letter == '\'' || letter.is_control());
    let misfit = matrix.values_of(name).map(shown).find(wrong).filter(|_| quotes == Quotes::Single);
    match misfit {
        Some(text) => Err(source
            .fault(span, format!("`{}` cannot stand between single quotes", escaped(&text)))
            .with_help("write the text between double quotes")),
        None => Ok(()),
    }
}

/// Where texts begin that are values, and those in the matrix.
#[derive(Default)]
struct Spans {
    values: BTreeSet<usize>,
    of_matrix: BTreeSet<usize>,
}

impl Spans {
    fn collect(&mut self, value: &DeValue<'_>, of_matrix: bool) {
        let inner: Vec<_> = match value {
            DeValue::Table(table) => table.values().collect(),
            DeValue::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        for value in inner {
            self.text(value.span(), value.get_ref(), of_matrix);
            self.collect(value.get_ref(), of_matrix);
        }
    }

    fn text(&mut self, span: Range<usize>, value: &DeValue<'_>, of_matrix: bool) {
        if value.is_str() {
            let place = if of_matrix { &mut self.of_matrix } else { &mut self.values };
            place.insert(span.start);
        }
    }
}

/// The texts of a TOML document that can be parsed, keys and values; not those in its comments.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(['#', '"', '\''])) {
        let start = at + found;
        let rest = text.get(start..).unwrap_or_default();
        if rest.starts_with('#') {
            at = start + rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let quotes = if rest.starts_with('"') { Quotes::Double } else { Quotes::Single };
        let triple = if quotes == Quotes::Double { "\"\"\"" } else { "'''" };
        let length = if rest.starts_with(triple) { 3 } else { 1 };
        let end = start + length + end_of(rest.get(length..).unwrap_or_default(), quotes, length);
        tokens.push(Token { span: start..end, quotes, length });
        at = end;
    }
    tokens
}

/// How long a text is behind its opening quotes, with the closing ones.
fn end_of(text: &str, quotes: Quotes, length: usize) -> usize {
    let quote = if quotes == Quotes::Double { b'"' } else { b'\'' };
    let octets = text.as_bytes();
    let mut at = 0;
    while let Some(octet) = octets.get(at) {
        let run = octets.iter().skip(at).take_while(|octet| **octet == quote).count();
        match *octet {
            b'\\' if quotes == Quotes::Double => at += 2,
            // One or two quotes may stand before the closing three.
            _ if run >= length => return at + if length == 3 { run.min(5) } else { 1 },
            _ if run > 0 => at += run,
            _ => at += 1,
        }
    }
    octets.len()
}
