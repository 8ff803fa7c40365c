//! `ncftpget -d FILE` and its kin, and the traces of ncftp: what LibNcFTP writes.

use super::ONLY;
use crate::diagnose::log::Dialect;
use crate::diagnose::log::book::Book;
use crate::diagnose::log::note::Remark;
use crate::diagnose::log::{stamp, words};
use crate::session::{Fate, Speaker};

#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct Ncftp;

pub(in crate::diagnose::log) fn recognises(line: &str) -> bool {
    let (at, line) = stamp::take(line);
    at.is_some()
        && (line.strip_prefix("Cmd: ").is_some_and(words::is_command) || line.starts_with("LibNcFTP "))
}

pub(in crate::diagnose::log) fn speaks(line: &str) -> bool {
    let (at, line) = stamp::take(line);
    at.is_some() && (line.strip_prefix("Cmd: ").is_some_and(words::is_command) || reply(line).is_some())
}

/// `227: Entering Passive Mode (…)`: the code with a colon.
fn reply(line: &str) -> Option<String> {
    let (code, text) = line.split_once(": ")?;
    let reply = format!("{code} {text}");
    (code.len() == 3 && words::is_reply(&reply)).then_some(reply)
}

impl Dialect for Ncftp {
    fn take(&mut self, line: &str, book: &mut Book) {
        let (at, line) = stamp::take(line);
        if let Some(command) = line.strip_prefix("Cmd: ") {
            book.command(ONLY, at, command);
        } else if let Some(reply) = reply(line) {
            book.reply(ONLY, at, &reply);
        } else if line.starts_with("LibNcFTP ") {
            book.begin(ONLY);
        } else if let Some(name) = line.strip_prefix("Connected to ") {
            book.server(ONLY, words::ipv4(name), None);
            book.established(ONLY, true);
        } else if let Some(fixed) = line.strip_prefix("Fixing bogus PASV data address from ") {
            let ends = fixed.split_once(" to ");
            let (announced, dialled) = ends
                .map(|(from, to)| (words::ip_colon_port(from), words::ip_colon_port(to)))
                .unwrap_or_default();
            if let (Some(announced), Some(dialled)) = (announced, dialled) {
                book.remark(ONLY, Remark::AddressReplaced { announced, dialled });
            }
        } else if line.starts_with("connect to ") {
            book.dials(ONLY, at, Speaker::Client, words::ip_colon_port(line));
            book.fate(ONLY, at, None, words::fate(line).unwrap_or(Fate::Unknown));
        } else if line.contains("accept") && line.contains("data connection") {
            if let Some(fate) = words::fate(line) {
                book.fate(ONLY, at, None, fate);
            }
        } else if line.contains("ould not connect to ") {
            book.established(ONLY, false);
        }
    }
}
