//! A variable's values, written into a text.

use std::fmt::Write;

use toml::Value;

/// As TOML, in one line, so that what follows stays on its line.
pub(super) fn as_toml(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", escaped(text)),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(as_toml).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// Inside of a longer text: a text without its quotes, anything else as TOML.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => as_toml(other),
    }
}

/// What may stand between double quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' | '\\' => written.extend(['\\', letter]),
            letter if letter.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(written, "\\u{:04x}", u32::from(letter));
            }
            letter => written.push(letter),
        }
    }
    written
}

/// What stands for the value in a cell's name.
pub(super) fn label(value: &Value) -> String {
    path_safe(&shown(value), "")
}

/// A text that a file can be called: what cannot stand in a name, and is none of `besides`, is `_`.
pub(crate) fn path_safe(text: &str, besides: &str) -> String {
    let usable =
        |letter: &char| letter.is_alphanumeric() || "-_.:%+@".contains(*letter) || besides.contains(*letter);
    text.chars().map(|letter| if usable(&letter) { letter } else { '_' }).collect()
}
