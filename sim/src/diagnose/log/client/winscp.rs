//! WinSCP's session log: a mark, the time, and what happened.

use smoltcp::time::Instant;

use super::{ONLY, filezilla};
use crate::diagnose::log::Dialect;
use crate::diagnose::log::book::Book;
use crate::diagnose::log::{stamp, words};
use crate::session::{Fate, Speaker};

#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct Winscp;

/// Its mark, its time, and the rest. Without a time it is another program's.
fn entry(line: &str) -> Option<(char, Instant, &str)> {
    let mark = line.chars().next().filter(|mark| ".<>!*".contains(*mark))?;
    let (at, rest) = stamp::take(line.strip_prefix(mark)?.strip_prefix(' ')?);
    Some((mark, at?, rest))
}

pub(in crate::diagnose::log) fn recognises(line: &str) -> bool {
    entry(line).is_some_and(|(mark, _, text)| match mark {
        '>' => words::is_command(text),
        '<' => words::is_reply(text),
        '.' => text.starts_with("WinSCP Version"),
        _ => false,
    })
}

impl Dialect for Winscp {
    fn take(&mut self, line: &str, book: &mut Book) {
        match entry(line) {
            Some(('>', at, text)) => book.command(ONLY, Some(at), text),
            Some(('<', at, text)) => book.reply(ONLY, Some(at), text),
            Some((_, at, text)) => told(at, text, book),
            None => {}
        }
    }
}

fn told(at: Instant, text: &str, book: &mut Book) {
    if text.starts_with("Connecting to ") {
        let end = words::ip_colon_port(text);
        // Data connections are told of in the same words.
        if let Some(to) = end.filter(|end| book.passive_port(ONLY) == Some(end.port())) {
            book.dials(ONLY, Some(at), Speaker::Client, Some(to));
            return;
        }
        book.begin(ONLY);
        book.server(ONLY, end.map(|end| *end.ip()), end.map(|end| end.port()));
    } else if text.starts_with("Connected with ") {
        let end = words::ip_colon_port(text);
        book.server(ONLY, end.map(|end| *end.ip()), end.map(|end| end.port()));
        book.established(ONLY, true);
    } else if text.contains("unroutable address") {
        filezilla::replaced(Some(at), ONLY, book);
    } else if text.contains("(data connection)") || text.starts_with("Transfer channel can't be opened") {
        book.fate(ONLY, Some(at), None, words::fate(text).unwrap_or(Fate::Unknown));
    } else if text.starts_with("Connection failed") || text.starts_with("Can't connect") {
        book.established(ONLY, false);
    }
}
