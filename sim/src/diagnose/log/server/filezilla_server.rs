//! FileZilla Server's log, of 0.9 (`(000002) … (192.0.2.7)> PASV`) and of 1.x (`… >> [FTP Session 6 192.0.2.7] PASV`).

use smoltcp::time::Instant;

use crate::diagnose::log::Dialect;
use crate::diagnose::log::book::Book;
use crate::diagnose::log::{stamp, words};

#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct FilezillaServer;

/// A line's parts: when, which session, which client, what.
struct Entry<'a> {
    at: Option<Instant>,
    key: &'a str,
    client: &'a str,
    text: &'a str,
}

fn entry(line: &str) -> Option<Entry<'_>> {
    of_1(line).or_else(|| of_0_9(line))
}

/// `2025-08-25T00:15:15.084Z >> [FTP Session 6 192.0.2.7 user] RETR file`
fn of_1(line: &str) -> Option<Entry<'_>> {
    let (at, rest) = stamp::take(line);
    let (session, text) = words::between(rest, "[FTP Session ", "] ")?;
    let mut parts = session.splitn(3, ' ');
    Some(Entry { at, key: parts.next()?, client: parts.next().unwrap_or_default(), text })
}

/// `(000002) 20/07/2014 11:12:43 - (not logged in) (192.0.2.7)> PASV`
fn of_0_9(line: &str) -> Option<Entry<'_>> {
    let (key, rest) = line.strip_prefix('(')?.split_once(')')?;
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (at, rest) = stamp::take(rest.trim_start());
    let (who, text) = rest.split_once(")> ")?;
    let (_, client) = who.rsplit_once('(')?;
    Some(Entry { at, key, client, text })
}

pub(in crate::diagnose::log) fn recognises(line: &str) -> bool {
    entry(line).is_some()
}

impl Dialect for FilezillaServer {
    fn take(&mut self, line: &str, book: &mut Book) {
        let Some(Entry { at, key, client, text }) = entry(line) else { return };
        if words::is_reply(text) {
            book.reply(key, at, text);
        } else if words::is_command(text) {
            book.command(key, at, text);
        } else if let Some(told) = text.strip_prefix("Connected") {
            book.begin(key);
            book.established(key, true);
            let port = told.split_once(" on port ").and_then(|(_, port)| words::leading_number(port));
            book.server(key, None, port);
        } else if text.starts_with("disconnected") || text.starts_with("Session ") && text.contains("ended") {
            book.end(key);
            return;
        } else if !book.is_open(key) {
            return;
        }
        book.client(key, words::ipv4(client), None);
    }
}
