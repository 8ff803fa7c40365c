//! FileZilla's message log: copied from its window, or its log file, in which every line names process and connection.

use std::net::SocketAddrV4;

use smoltcp::time::Instant;

use crate::diagnose::log::Dialect;
use crate::diagnose::log::book::Book;
use crate::diagnose::log::note::Remark;
use crate::diagnose::log::{stamp, words};
use crate::session::{Fate, Speaker};

#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct Filezilla;

const KINDS: [&str; 5] = ["Status:", "Command:", "Response:", "Error:", "Trace:"];

/// A line's parts: when, which connection, what kind, what.
struct Entry<'a> {
    at: Option<Instant>,
    key: &'a str,
    kind: &'static str,
    text: &'a str,
}

fn entry(line: &str) -> Option<Entry<'_>> {
    let (at, rest) = stamp::take(line.trim_start());
    // In the log file: process and connection.
    let mut words = rest.splitn(3, ' ');
    let is_number = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let (key, rest) = match (words.next().filter(is_number), words.next().filter(is_number), words.next()) {
        (Some(process), Some(_), Some(tail)) => {
            (rest.get(..rest.len() - tail.len()).unwrap_or(process).trim_end(), tail)
        }
        _ => ("", rest),
    };
    let kind = KINDS.into_iter().find(|kind| rest.starts_with(kind))?;
    let text = rest.get(kind.len()..)?;
    Some(Entry { at, key, kind, text: text.strip_prefix(['\t', ' ']).unwrap_or(text) })
}

pub(in crate::diagnose::log) fn recognises(line: &str) -> bool {
    entry(line).is_some_and(|entry| match entry.kind {
        "Command:" => words::is_command(entry.text.trim_start()),
        "Response:" => words::is_reply(entry.text.trim_start()),
        "Status:" => entry.text.trim_start().starts_with("Connecting to "),
        _ => false,
    })
}

impl Dialect for Filezilla {
    fn take(&mut self, line: &str, book: &mut Book) {
        let Some(Entry { at, key, kind, text }) = entry(line) else { return };
        match kind {
            "Command:" => book.command(key, at, text.trim_start()),
            "Response:" => book.reply(key, at, text.trim_start_matches('\t')),
            "Status:" => status(at, key, text.trim_start(), book),
            "Error:" => error(at, key, text.trim_start(), book),
            _ => {}
        }
    }
}

fn status(at: Option<Instant>, key: &str, text: &str, book: &mut Book) {
    if text.starts_with("Connecting to ") {
        book.begin(key);
        let end = words::ip_colon_port(text);
        book.server(key, end.map(|end| *end.ip()), end.map(|end| end.port()));
    } else if text.starts_with("Connection established") || text.starts_with("Connected with ") {
        book.established(key, true);
    } else if text.contains("Using server address instead") {
        replaced(at, key, book);
    } else if text.starts_with("Disconnected from server") {
        book.end(key);
    }
}

fn error(at: Option<Instant>, key: &str, text: &str, book: &mut Book) {
    if text.starts_with("The data connection could not be established")
        || text.starts_with("Transfer channel can't be")
    {
        book.fate(key, at, None, words::fate(text).unwrap_or(Fate::Unknown));
    } else if text.starts_with("Connection attempt failed") || text.starts_with("Could not connect to server")
    {
        book.established(key, false);
    }
}

/// The client says that it dials the server's address, which it named when it connected.
pub(super) fn replaced(at: Option<Instant>, key: &str, book: &mut Book) {
    let Some(announced) = book.passive(key) else { return };
    let dialled = book.server_ip(key).map(|ip| SocketAddrV4::new(ip, announced.port()));
    if let Some(dialled) = dialled {
        book.remark(key, Remark::AddressReplaced { announced, dialled });
    }
    book.dials(key, at, Speaker::Client, dialled);
}
