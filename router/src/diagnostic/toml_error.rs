//! TOML errors in words: what was met, what is accepted, and where.
//!
//! The deserializer's errors are one sentence each. The sentence is taken apart, so that a list of accepted words
//! can become help. Where the sentence names a type of ours instead (`expected enum ToWan`), the type is asked: a word that
//! nothing is called is put in the place, and the answer lists what may stand there.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::place::{Place, name_of, places_at, table_at, value_at};
use super::{Diagnostic, help_with_choices, word_list};

/// Reads TOML text as a `T`.
pub fn from_toml<T: DeserializeOwned>(file_name: &str, source: &str) -> Result<T, Diagnostic> {
    toml::from_str(source).map_err(|error| {
        explain(file_name.to_owned(), source.to_owned(), &error, &|question| {
            let mut document = DeTable::parse(source).ok()?;
            question.put_into(document.get_mut())?;
            T::deserialize(toml::Deserializer::from(document)).err()
        })
    })
}

/// A word that no key and no value is called. It sorts before all others, so that it is the first to be met.
const NO_WORD: &str = "";

/// What the type is asked.
pub(super) enum Question<'a> {
    /// Which words may stand at this place?
    Word(&'a Place),
    /// Which words may stand in a list at this place?
    Item(&'a Place),
    /// Which keys may stand in the table at this place?
    Key(&'a Place),
}

type Ask<'a> = &'a dyn Fn(Question<'_>) -> Option<Error>;

pub(super) fn explain(file_name: String, source: String, error: &Error, ask: Ask<'_>) -> Diagnostic {
    let places = match (error.span(), DeTable::parse(&source)) {
        (Some(span), Ok(document)) => places_at(&document, &span),
        _ => Vec::new(),
    };
    let Explained { message, help, whole_file } =
        Fault::parse(error.message()).explain(&source, error.span(), &places, ask);
    let mut diagnostic = Diagnostic::new(file_name, source, message);
    if let Some(span) = error.span().filter(|_| !whole_file) {
        diagnostic = diagnostic.at(span);
    }
    match help {
        Some(help) => diagnostic.with_help(help),
        None => diagnostic,
    }
}

struct Explained {
    message: String,
    help: Option<String>,
    /// Whether the place is the document itself, where a caret would point at nothing.
    whole_file: bool,
}

/// The deserializer's sentence, taken apart.
#[derive(Debug)]
enum Fault<'a> {
    UnknownKey { word: &'a str, accepted: Vec<&'a str> },
    UnknownWord { word: &'a str, accepted: Vec<&'a str> },
    MissingKey(&'a str),
    WrongType { found: &'a str, expected: &'a str },
    Other(&'a str),
}

impl<'a> Fault<'a> {
    fn parse(sentence: &'a str) -> Self {
        if let Some((word, accepted)) = unknown(sentence, "unknown field `") {
            return Self::UnknownKey { word, accepted };
        }
        if let Some((word, accepted)) = unknown(sentence, "unknown variant `") {
            return Self::UnknownWord { word, accepted };
        }
        if let Some(key) = sentence.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            return Self::MissingKey(key);
        }
        if sentence == "wanted string or table" {
            return Self::WrongType { found: "", expected: "" };
        }
        let wrong = ["invalid type: ", "invalid value: "]
            .iter()
            .find_map(|start| sentence.strip_prefix(start)?.rsplit_once(", expected "));
        match wrong {
            Some((found, expected)) => Self::WrongType { found, expected },
            None => Self::Other(sentence),
        }
    }

    fn explain(self, source: &str, span: Option<Range<usize>>, places: &[Place], ask: Ask<'_>) -> Explained {
        let text = span.and_then(|span| source.get(span)).unwrap_or_default();
        let plain = |message, help| Explained { message, help, whole_file: false };
        match self {
            // A date reaches a visitor as a table with one key of the parser's own.
            Self::UnknownKey { word, .. } if word.starts_with("$__toml_private") => {
                plain(format!("unexpected date `{text}`"), None)
            }
            Self::UnknownKey { word, accepted } => plain(
                format!("unknown key `{word}`"),
                Some(help_with_choices(word, "keys that may stand here:", &accepted)),
            ),
            Self::UnknownWord { word, accepted } => plain(
                format!("unknown value `{word}`"),
                Some(help_with_choices(word, "values that may stand here:", &accepted)),
            ),
            Self::MissingKey(key) => missing_key(key, source, places, ask),
            Self::WrongType { found, expected } => {
                let (message, help) = wrong_type(found, expected, text, places, ask);
                plain(message, help)
            }
            Self::Other(sentence) => {
                let (message, help) = syntax(sentence, text);
                plain(message, help)
            }
        }
    }
}

/// "unknown field `x`, expected one of `a`, `b`": the word and the list. A derived sentence ends in the list and a
/// key cannot hold what stands before it, except on purpose: then the list is the last one.
fn unknown<'a>(sentence: &'a str, start: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let rest = sentence.strip_prefix(start)?;
    let (word, accepted) =
        rest.rsplit_once("`, expected ").or_else(|| rest.rsplit_once("`, there are no "))?;
    Some((word, quoted(accepted)))
}

/// What stands between back-ticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn missing_key(key: &str, source: &str, places: &[Place], ask: Ask<'_>) -> Explained {
    // A table may share its place with one that it holds alone: it is the one whose keys the missing one belongs to.
    let known = places.iter().find_map(|place| {
        let answer = ask(Question::Key(place))?;
        let (_, accepted) = unknown(answer.message(), "unknown field `")?;
        let accepted: Vec<_> = accepted.into_iter().map(str::to_owned).collect();
        accepted.iter().any(|name| name == key).then_some((place, accepted))
    });
    let place = known.as_ref().map(|(place, _)| *place).or_else(|| places.first());
    let mut document = DeTable::parse(source).ok();
    let present =
        document.as_mut().zip(place).and_then(|(document, place)| table_at(document.get_mut(), place));
    let absent = |name: &&str| present.as_ref().is_none_or(|table| !table.contains_key(*name));
    let accepted = known.as_ref().map(|(_, accepted)| accepted.as_slice()).unwrap_or_default();
    let missing: Vec<_> = accepted.iter().map(String::as_str).filter(absent).collect();
    let help = (missing.len() > 1).then(|| word_list("keys not given there:", &missing));
    let table = place.map(|place| name_of(place)).unwrap_or_default();
    let whole_file = table.is_empty();
    let message = match table.as_str() {
        "" => format!("missing key `{key}` at the top of the file"),
        table => format!("missing key `{key}` in `{table}`"),
    };
    Explained { message, help, whole_file }
}

fn wrong_type(
    found: &str,
    expected: &str,
    text: &str,
    places: &[Place],
    ask: Ask<'_>,
) -> (String, Option<String>) {
    let found = match found {
        "" => format!("`{}`", text.lines().next().unwrap_or_default()),
        found => in_file_words(found),
    };
    if let Some(words) = places.iter().find_map(|place| accepted_words(&ask(Question::Word(place))?)) {
        return (format!("unexpected {found}, expected one of {words}"), None);
    }
    if expected != "a sequence" {
        return (format!("unexpected {found}, expected {}", in_file_words(expected)), None);
    }
    let items = places.iter().find_map(|place| accepted_words(&ask(Question::Item(place))?));
    let of_items = items.map_or_else(String::new, |items| format!(" of {items}"));
    let help =
        (!text.is_empty() && !text.contains('\n')).then(|| format!("a list stands in brackets: `[{text}]`"));
    (format!("unexpected {found}, expected a list{of_items}"), help)
}

/// "`a`, `b`", from the answer to a question about words.
fn accepted_words(answer: &Error) -> Option<String> {
    let (word, accepted) = unknown(answer.message(), "unknown variant `")?;
    let words: Vec<_> = accepted.iter().map(|word| format!("`{word}`")).collect();
    (word == NO_WORD).then(|| words.join(", "))
}

/// serde's words for types in a file's.
fn in_file_words(text: &str) -> String {
    match text {
        "a sequence" => "a list".to_owned(),
        "sequence" => "list".to_owned(),
        "a map" => "a table".to_owned(),
        "map" => "table".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" => "a whole number from 0 to 4294967295".to_owned(),
        "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        _ if text.starts_with("struct ") => "a table".to_owned(),
        _ if text.starts_with("enum ") => "one of a few words".to_owned(),
        _ => text.trim_end_matches(" as i128").trim_end_matches(" as u128").to_owned(),
    }
}

/// The parser's own sentences, where they say too little or another thing.
fn syntax(sentence: &str, text: &str) -> (String, Option<String>) {
    match sentence {
        "duplicate key" => {
            let help = "a key stands once in its table, and a table once in its file; this is the second one";
            (format!("duplicate key `{text}`"), Some(help.to_owned()))
        }
        "invalid IPv4 address syntax" => {
            let help = "an address is four numbers from 0 to 255, as in \"192.0.2.1\"";
            (format!("{text} is no IPv4 address"), Some(help.to_owned()))
        }
        _ if sentence.starts_with("string values must be quoted") && text.is_empty() => {
            ("missing value after `=`".to_owned(), None)
        }
        _ if sentence.starts_with("string values must be quoted") => {
            (format!("unquoted word `{text}`"), Some(format!("words stand in quotes: `\"{text}\"`")))
        }
        _ => (lower_first(sentence), None),
    }
}

fn lower_first(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next().map_or_else(String::new, |first| first.to_lowercase().chain(rest).collect())
}

impl Question<'_> {
    fn put_into(&self, document: &mut DeTable<'_>) -> Option<()> {
        let no_word = || DeValue::String(Cow::Borrowed(NO_WORD));
        match self {
            Self::Word(place) => *value_at(document, place)?.get_mut() = no_word(),
            Self::Item(place) => {
                let item = DeTable::parse("i = ['']").ok()?.into_inner().remove("i")?;
                *value_at(document, place)?.get_mut() = item.into_inner();
            }
            Self::Key(place) => {
                let table = table_at(document, place)?;
                table.insert(
                    Spanned::new(0..0, Cow::Borrowed(NO_WORD)),
                    Spanned::new(0..0, DeValue::Boolean(true)),
                );
            }
        }
        Some(())
    }
}
