//! The command-line `ftp` of the BSDs and all that came of it (tnftp, netkit, inetutils, macOS, Windows), with `-d`:
//! commands behind an arrow, replies as they are.

use smoltcp::time::Instant;

use super::ONLY;
use crate::diagnose::log::Dialect;
use crate::diagnose::log::book::Book;
use crate::diagnose::log::note::Remark;
use crate::diagnose::log::{stamp, words};
use crate::session::{Fate, Speaker};

#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct Bsd {
    spoken: bool,
}

pub(in crate::diagnose::log) fn recognises(line: &str) -> bool {
    said(line).strip_prefix("---> ").is_some_and(words::is_command)
}

pub(in crate::diagnose::log) fn speaks(line: &str) -> bool {
    recognises(line) || words::is_reply(said(line))
}

/// The line without what a terminal put before it.
fn said(line: &str) -> &str {
    let (_, line) = stamp::take(line);
    line.trim_start_matches("ftp> ")
}

impl Dialect for Bsd {
    fn take(&mut self, line: &str, book: &mut Book) {
        let (at, _) = stamp::take(line);
        let line = said(line);
        if let Some(command) = line.strip_prefix("---> ") {
            self.spoken = true;
            book.command(ONLY, at, command);
        } else if words::is_reply(line) {
            self.spoken = true;
            book.reply(ONLY, at, line);
        } else if let Some(name) = line.strip_prefix("Connected to ") {
            if std::mem::replace(&mut self.spoken, false) {
                book.begin(ONLY);
            }
            book.server(ONLY, words::ipv4(name), None);
            book.established(ONLY, true);
        } else if let Some(end) =
            line.strip_prefix("Trying ").and_then(words::ip_colon_port).filter(|_| !self.spoken)
        {
            book.server(ONLY, Some(*end.ip()), Some(end.port()));
        } else if line.starts_with("Passive mode address mismatch") {
            if let Some(announced) = book.passive(ONLY) {
                book.remark(ONLY, Remark::AddressRefused(announced));
            }
        } else if line.starts_with("ftp: ") && line.to_ascii_lowercase().contains("connect") {
            self.failed(at, line, book);
        }
    }
}

impl Bsd {
    /// `ftp: Can't connect to …` before the first word is the control connection's, after it a data connection's.
    fn failed(&self, at: Option<Instant>, line: &str, book: &mut Book) {
        if !self.spoken {
            let end = words::ip_colon_port(line);
            book.server(ONLY, end.map(|end| *end.ip()), end.map(|end| end.port()));
            book.established(ONLY, false);
        } else if let Some(fate) = words::fate(line) {
            book.dials(ONLY, at, Speaker::Client, words::ip_colon_port(line));
            book.fate(ONLY, at, None, fate);
        } else {
            book.fate(ONLY, at, None, Fate::Unknown);
        }
    }
}
