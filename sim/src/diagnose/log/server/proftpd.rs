//! ProFTPD's logs: the SystemLog with `DebugLevel 5` or more, and an ExtendedLog, whose lines have a command and the
//! code of its reply.

use std::collections::BTreeMap;

use smoltcp::time::Instant;

use crate::diagnose::log::Dialect;
use crate::diagnose::log::book::{Book, MAX_SESSIONS};
use crate::diagnose::log::note::Remark;
use crate::diagnose::log::{stamp, words};
use crate::session::{Ending, Fate, Speaker};

/// The debug log. It tells what was asked, and of answers only those with an address.
#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct Debug {
    /// The command that each process is at: it is dispatched to one module after the other.
    under_way: BTreeMap<String, String>,
    told: bool,
}

/// `… proftpd[31011] server (203.0.113.7[203.0.113.7]): FTP session opened.`: when, which process, which client, what.
fn debug_entry(line: &str) -> Option<(Option<Instant>, &str, &str, &str)> {
    let (at, rest) = stamp::take(line);
    let (process, rest) = words::between(rest, "proftpd[", "]")?;
    let (head, text) = rest.split_once("): ").or_else(|| rest.split_once(") - "))?;
    let client = head.rsplit('[').next()?.strip_suffix(']')?;
    Some((at, process, client, text))
}

pub(in crate::diagnose::log) fn recognises_debug(line: &str) -> bool {
    debug_entry(line).is_some()
}

impl Dialect for Debug {
    fn take(&mut self, line: &str, book: &mut Book) {
        let Some((at, key, client, text)) = debug_entry(line) else { return };
        if text.starts_with("FTP session opened") {
            book.client(key, words::ipv4(client), None);
            book.established(key, true);
        } else if let Some(end) = text.strip_prefix("connected - local").and_then(words::ip_colon_port) {
            book.server(key, Some(*end.ip()), Some(end.port()));
        } else if let Some(end) = text.strip_prefix("connected - remote").and_then(words::ip_colon_port) {
            book.client(key, Some(*end.ip()), Some(end.port()));
        } else if text.starts_with("dispatching ") {
            self.dispatched(at, key, text, book);
        } else if text.starts_with("Entering Passive Mode") {
            book.reply(key, at, &format!("227 {text}"));
        } else if text.starts_with("Entering Extended Passive Mode") {
            book.reply(key, at, &format!("229 {text}"));
        } else if text.starts_with("Transfer completed") {
            book.ended(key, Ending::Closed);
        } else if text.contains("data connection opened - ") {
            opened(at, key, text, book);
        } else if let Some(failed) = text.strip_prefix("Error connecting to ") {
            let to = words::ip_colon_port(&failed.replacen('#', ":", 1));
            book.dials(key, at, Speaker::Server, to);
            book.fate(key, at, None, words::fate(failed).unwrap_or(Fate::Unknown));
        } else if let Some(told) = text.strip_prefix("client sent RFC1918 address ") {
            let mut addresses = told.split('\'').filter_map(words::ipv4);
            if let (Some(announced), Some(used)) = (addresses.next(), addresses.next()) {
                book.remark(key, Remark::PortReplaced { announced, used });
            }
        } else if text.starts_with("FTP session closed") {
            self.under_way.remove(key);
            book.end(key);
        }
    }
}

impl Debug {
    /// `dispatching CMD command 'PASV' to mod_core`
    fn dispatched(&mut self, at: Option<Instant>, key: &str, text: &str, book: &mut Book) {
        let Some((command, _)) = words::between(text, " command '", "' to mod_") else { return };
        if text.starts_with("dispatching CMD ")
            && self.under_way.get(key).is_none_or(|known| known != command)
        {
            if self.under_way.len() < MAX_SESSIONS {
                self.under_way.insert(key.to_owned(), command.to_owned());
            }
            book.command(key, at, command);
            if !std::mem::replace(&mut self.told, true) {
                book.note(Remark::NoReplies);
            }
        } else if text.starts_with("dispatching LOG_CMD") {
            self.under_way.remove(key);
        }
    }
}

/// `active data connection opened - local  : 198.51.100.9:36037`, and another line with `remote`.
fn opened(at: Option<Instant>, key: &str, text: &str, book: &mut Book) {
    let Some((kind, end)) = text.split_once(" data connection opened - ") else { return };
    let Some((_, end)) = end.split_once(':').map(|(side, end)| (side, words::ip_colon_port(end))) else {
        return;
    };
    match (kind, text.contains(" remote")) {
        ("active", true) => {
            book.dials(key, at, Speaker::Server, end);
            book.fate(key, at, None, Fate::Opened);
        }
        ("passive", false) => {
            book.dials(key, at, Speaker::Client, end);
            book.fate(key, at, None, Fate::Opened);
        }
        ("passive", true) => book.fate(key, at, end, Fate::Opened),
        _ => {}
    }
}

/// An ExtendedLog whose LogFormat has `"%r" %s`, as the default one does: any order of the rest.
#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct Extended {
    told: bool,
}

/// `[25/Nov/2026:21:51:28 +0000] [31011] 203.0.113.7 quirk "PASV" 227 -`: when, whose, which client, command, code.
fn extended_entry(line: &str) -> Option<(Option<Instant>, String, &str, &str, &str)> {
    let (head, rest) = line.split_once('"')?;
    let (command, tail) = rest.split_once("\" ")?;
    let code = tail.get(..3).filter(|code| words::is_reply(code))?;
    if !words::is_command(command) || !matches!(tail.as_bytes().get(3), None | Some(b' ')) {
        return None;
    }
    let at = head.find('[').and_then(|at| stamp::take(head.get(at..)?).0).or_else(|| stamp::take(head).0);
    let client = head.split([' ', '[', ']']).find(|word| words::ipv4(word).is_some()).unwrap_or_default();
    let is_number = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let process =
        head.split('[').filter_map(|part| part.split_once(']')).map(|(inner, _)| inner).find(is_number);
    let key = process.map_or_else(|| format!("{client} "), str::to_owned);
    Some((at, key, client, command, code))
}

pub(in crate::diagnose::log) fn recognises_extended(line: &str) -> bool {
    extended_entry(line).is_some()
}

impl Dialect for Extended {
    fn take(&mut self, line: &str, book: &mut Book) {
        let Some((at, key, client, command, code)) = extended_entry(line) else { return };
        book.command(&key, at, command);
        book.reply(&key, at, code);
        book.client(&key, words::ipv4(client), None);
        if !std::mem::replace(&mut self.told, true) {
            book.note(Remark::CodesOnly);
        }
    }
}
