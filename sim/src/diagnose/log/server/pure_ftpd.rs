//! Pure-FTPd's syslog: commands with `-d`, replies too with a second `-d`.

use smoltcp::time::Instant;

use crate::diagnose::log::Dialect;
use crate::diagnose::log::book::Book;
use crate::diagnose::log::note::Remark;
use crate::diagnose::log::{stamp, words};

#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct PureFtpd;

/// A line's parts: when, what tells its session from others, which client, what.
struct Entry<'a> {
    at: Option<Instant>,
    key: &'a str,
    client: &'a str,
    text: &'a str,
}

fn entry(line: &str) -> Option<Entry<'_>> {
    let (at, rest) = stamp::take(line);
    let rest = rest.get(rest.find("pure-ftpd")?..)?;
    let (who, text) = words::between(rest, "(", ") [")?;
    let (_, client) = who.rsplit_once('@')?;
    let (_, text) = text.split_once("] ")?;
    let process = words::between(rest, "pure-ftpd[", "]").map(|(process, _)| process);
    Some(Entry { at, key: process.unwrap_or(client), client, text })
}

pub(in crate::diagnose::log) fn recognises(line: &str) -> bool {
    entry(line).is_some()
}

impl Dialect for PureFtpd {
    fn take(&mut self, line: &str, book: &mut Book) {
        let Some(Entry { at, key, client, text }) = entry(line) else { return };
        if text.starts_with("New connection from ") {
            let leaves = |line: &crate::session::Line| matches!(line.code(), Some(221 | 421 | 530 | 227));
            if book.is_open(key) && !book.last_line(key).is_some_and(leaves) {
                book.remark(key, Remark::Mixed);
            }
            book.begin(key);
            book.client(key, words::ipv4(client), None);
            book.established(key, true);
        } else if let Some((verb, rest)) = words::between(text, "Command [", "] [") {
            let argument = rest.strip_suffix(']').unwrap_or(rest);
            let command = format!("{} {argument}", verb.to_ascii_uppercase());
            book.command(key, at, command.trim_end());
            book.client(key, words::ipv4(client), None);
        } else if words::is_reply(text) && !text.ends_with(" Logout.") {
            // The last reply is "<whatever code came before> Logout.", which answers nothing.
            book.reply(key, at, text);
            book.client(key, words::ipv4(client), None);
        } else if text == "Logout."
            && book.last_line(key).is_none_or(|line| line.verb().as_deref() != Some("QUIT"))
        {
            book.end(key);
        }
    }
}
