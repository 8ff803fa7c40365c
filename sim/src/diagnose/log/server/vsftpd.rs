//! vsftpd's log with `log_ftp_protocol=YES`, in its own file or through syslog.

use smoltcp::time::Instant;

use crate::diagnose::log::Dialect;
use crate::diagnose::log::book::Book;
use crate::diagnose::log::{stamp, words};

#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct Vsftpd;

/// A line's parts: when, which process, what kind, which client, what was said.
struct Entry<'a> {
    at: Option<Instant>,
    process: &'a str,
    kind: &'a str,
    client: &'a str,
    said: Option<&'a str>,
}

fn entry(line: &str) -> Option<Entry<'_>> {
    let (at, rest) = stamp::take(line);
    let (process, rest) =
        words::between(rest, "[pid ", "]").or_else(|| words::between(rest, "vsftpd[", "]:"))?;
    let (head, rest) = rest.split_once(": Client \"")?;
    let (client, rest) = rest.split_once('"')?;
    let kind = head.rsplit("] ").next().unwrap_or(head).trim();
    let said = rest.strip_prefix(", \"").map(|said| said.strip_suffix('"').unwrap_or(said));
    Some(Entry { at, process, kind, client, said })
}

pub(in crate::diagnose::log) fn recognises(line: &str) -> bool {
    entry(line).is_some_and(|entry| {
        matches!(entry.kind, "FTP command" | "FTP response" | "CONNECT") || entry.kind.ends_with(" LOGIN")
    })
}

impl Dialect for Vsftpd {
    fn take(&mut self, line: &str, book: &mut Book) {
        let Some(Entry { at, process, kind, client, said }) = entry(line) else { return };
        let key = format!("{process} {client}");
        match (kind, said) {
            ("CONNECT", _) => {
                book.begin(&key);
                told_of(client, &key, book);
            }
            ("FTP command", Some(said)) => {
                taken_over(process, client, book);
                book.command(&key, at, said);
                told_of(client, &key, book);
            }
            ("FTP response", Some(said)) => {
                taken_over(process, client, book);
                // In a reply of several lines, their ends are shown as question marks.
                book.reply(&key, at, said.strip_suffix("??").unwrap_or(said));
                told_of(client, &key, book);
            }
            // LOGIN, DOWNLOAD, UPLOAD: nothing that the dialogue lacks, but anonymous users' passwords.
            _ => {}
        }
    }
}

fn told_of(client: &str, key: &str, book: &mut Book) {
    book.client(key, words::ipv4(client), None);
    book.established(key, true);
}

/// After the login another process goes on with the session. It is started after the one that took the password, and
/// has the next free number: of the sessions that wait for an answer to PASS, it is the one whose number is nearest below.
fn taken_over(process: &str, client: &str, book: &mut Book) {
    let key = format!("{process} {client}");
    let Some(number) = process.parse::<u64>().ok().filter(|_| !book.is_open(&key)) else { return };
    let before = book
        .waiting_for_login()
        .filter_map(|key| key.split_once(' '))
        .filter(|(_, of)| *of == client)
        .filter_map(|(process, _)| process.parse::<u64>().ok())
        .filter(|before| *before < number)
        .max();
    if let Some(before) = before {
        book.rename(&format!("{before} {client}"), &key);
    }
}
