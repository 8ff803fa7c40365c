//! A dialogue as people write it down, and as many programs log it: commands and replies, each on a line, with or
//! without marks before them (`Client>`, `Server>`, `>`, `<`, `->`, `<-`, `C:`, `S:`, times). Which of both a line is, it
//! says itself: a reply begins with a code.

use smoltcp::time::Instant;

use super::Dialect;
use super::book::Book;
use super::{stamp, words};
use crate::session::Speaker;

#[derive(Debug, Default)]
pub(super) struct Transcript;

const MARKS: [&str; 14] = [
    "client",
    "server",
    "command:",
    "reply:",
    "response:",
    "sent:",
    "received:",
    "c:",
    "s:",
    "-",
    "<",
    ">",
    "*",
    ":",
];

fn entry(line: &str) -> (Option<Instant>, &str) {
    let (mut at, mut rest) = stamp::take(line.trim_start());
    'marks: loop {
        rest = rest.trim_start();
        for mark in MARKS {
            let is_mark = rest.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark));
            if is_mark && !words::is_command(rest) {
                rest = rest.get(mark.len()..).unwrap_or_default();
                continue 'marks;
            }
        }
        if at.is_none() {
            let (later, after) = stamp::take(rest);
            at = later;
            rest = after;
        }
        return (at, rest.trim_end());
    }
}

/// Who may have said a line, and what. Alone it proves nothing: SMTP has codes, too.
pub(super) fn said(line: &str) -> Option<(Speaker, &str)> {
    let (_, text) = entry(line);
    let by = if words::is_reply(text) {
        Speaker::Server
    } else if is_told(text) {
        Speaker::Client
    } else {
        return None;
    };
    Some((by, text))
}

pub(super) fn recognises(line: &str) -> bool {
    said(line).is_some()
}

/// A command as machines write it: in capitals.
fn is_told(text: &str) -> bool {
    let verb = text.split(' ').next().unwrap_or_default();
    words::is_command(text) && verb.bytes().all(|byte| byte.is_ascii_uppercase())
}

impl Dialect for Transcript {
    fn take(&mut self, line: &str, book: &mut Book) {
        let (at, _) = entry(line);
        match said(line) {
            Some((Speaker::Client, text)) => book.command("", at, text),
            Some((Speaker::Server, text)) => book.reply("", at, text),
            None => connected(line, book),
        }
    }
}

/// `Connected to 198.51.100.9 port 2121`, `connecting to 198.51.100.9 : 21`, in so far as it says an address.
fn connected(line: &str, book: &mut Book) {
    let (_, text) = entry(line);
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("connecting to ") || lower.starts_with("connected to ") {
        let compact = lower.replace(" : ", ":");
        if let Some(end) = words::ip_port(&compact).or_else(|| words::ip_colon_port(&compact)) {
            book.server("", Some(*end.ip()), Some(end.port()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_taken_off_and_nothing_else() {
        for line in [
            "PASV",
            "Client> PASV",
            "> PASV",
            ">>> PASV",
            "---> PASV",
            "C: PASV",
            "[12:01:02] > PASV",
            "12:01:02 -> PASV",
            "COMMAND:>\tPASV",
            "  client>PASV",
        ] {
            assert_eq!(entry(line).1, "PASV", "{line}");
        }
        assert_eq!(entry("Server> 227 =1,2,3,4,5,6").1, "227 =1,2,3,4,5,6");
        assert_eq!(entry("< 220-Welcome").1, "220-Welcome");
    }

    #[test]
    fn prose_is_no_dialogue() {
        for line in ["Use PASV mode.", "user logged in", "port 21 is open", "", "List of files", "2 files"] {
            assert!(!recognises(line), "{line}");
        }
    }
}
