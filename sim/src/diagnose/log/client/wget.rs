//! `wget -d`: commands behind an arrow of its own, replies as they are.

use super::ONLY;
use crate::diagnose::log::Dialect;
use crate::diagnose::log::book::Book;
use crate::diagnose::log::words;
use crate::session::{Fate, Speaker};

#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct Wget;

pub(in crate::diagnose::log) fn recognises(line: &str) -> bool {
    line.strip_prefix("--> ").is_some_and(words::is_command)
        || line.starts_with("DEBUG output created by Wget")
}

pub(in crate::diagnose::log) fn speaks(line: &str) -> bool {
    recognises(line) || words::is_reply(line)
}

impl Dialect for Wget {
    fn take(&mut self, line: &str, book: &mut Book) {
        if let Some(command) = line.strip_prefix("--> ") {
            book.command(ONLY, None, command.trim_end());
        } else if words::is_reply(line) {
            book.reply(ONLY, None, line);
        } else if let Some(text) = line.strip_prefix("Connecting to ") {
            connecting(text, book);
        } else if line.starts_with("trying to connect to ") {
            book.dials(ONLY, None, Speaker::Client, words::ip_port(line));
        } else if line.starts_with("couldn't connect to ") {
            book.fate(ONLY, None, None, words::fate(line).unwrap_or(Fate::Unknown));
        } else if line.contains("Accepted client at socket") {
            book.fate(ONLY, None, None, Fate::Opened);
        } else if line.starts_with("accept: ") {
            book.fate(ONLY, None, None, words::fate(line).unwrap_or(Fate::Unknown));
        }
    }
}

/// `198.51.100.9:21... connected.`, `nas (nas)|198.51.100.9|:21... failed: Connection refused.`
fn connecting(text: &str, book: &mut Book) {
    book.begin(ONLY);
    let (there, outcome) = text.split_once("... ").unwrap_or((text, ""));
    let named = words::between(there, "|", "|:");
    let end = match named {
        Some((ip, port)) => (words::ipv4(ip), words::leading_number(port)),
        None => {
            words::ip_colon_port(there).map(|end| (Some(*end.ip()), Some(end.port()))).unwrap_or_default()
        }
    };
    book.server(ONLY, end.0, end.1);
    if outcome.starts_with("connected") || outcome.starts_with("failed") {
        book.established(ONLY, outcome.starts_with("connected"));
    }
}
