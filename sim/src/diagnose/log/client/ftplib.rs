//! Python's ftplib after `set_debuglevel`, with the traceback that ends a failed run.

use super::ONLY;
use crate::diagnose::log::Dialect;
use crate::diagnose::log::book::Book;
use crate::diagnose::log::{stamp, words};
use crate::session::Fate;

#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct Ftplib {
    /// The traceback leads through the opening of a data connection.
    opening: bool,
    /// … and to where it is dialled or accepted.
    there: bool,
}

pub(in crate::diagnose::log) fn recognises(line: &str) -> bool {
    let (_, line) = stamp::take(line);
    line.starts_with("*cmd* ") || line.starts_with("*resp* ")
}

impl Dialect for Ftplib {
    fn take(&mut self, line: &str, book: &mut Book) {
        let (at, line) = stamp::take(line);
        if let Some(command) = line.strip_prefix("*cmd* ") {
            book.command(ONLY, at, &literal(command));
        } else if let Some(reply) = line.strip_prefix("*resp* ") {
            for reply in literal(reply).lines() {
                book.reply(ONLY, at, reply);
            }
        } else if line.starts_with("Traceback ") {
            *self = Self::default();
        } else if line.contains("in ntransfercmd") {
            self.opening = true;
        } else if self.opening && (line.contains("create_connection") || line.contains("sock.accept()")) {
            self.there = true;
        } else if let Some(fate) = words::fate(line).filter(|_| self.there && is_exception(line)) {
            book.fate(ONLY, at, None, fate);
            *self = Self::default();
        } else if self.there && is_exception(line) {
            book.fate(ONLY, at, None, Fate::Unknown);
            *self = Self::default();
        }
    }
}

/// `TimeoutError: [Errno 110] Connection timed out`
fn is_exception(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    !line.starts_with(' ') && (name.ends_with("Error") || name.ends_with("timeout"))
}

/// A Python string literal's value.
fn literal(text: &str) -> String {
    let quote = text.chars().next().filter(|quote| "'\"".contains(*quote));
    let inner = quote.map_or(text, |quote| text.trim_start_matches(quote).trim_end_matches(quote));
    let mut value = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            value.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => value.push('\n'),
            Some('t') => value.push('\t'),
            Some('r') | None => {}
            Some(other) => value.push(other),
        }
    }
    value
}
