//! pyftpdlib's log at level DEBUG: `<-` is what the client said, `->` what it was answered.

use smoltcp::time::Instant;

use crate::diagnose::log::Dialect;
use crate::diagnose::log::book::Book;
use crate::diagnose::log::{stamp, words};

#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct Pyftpdlib {
    /// Where the server said it listens.
    port: Option<u16>,
}

/// `203.0.113.7:59164-[quirk] <- PASV`: which client, what.
fn entry(line: &str) -> Option<(Option<Instant>, &str, &str)> {
    let (at, rest) = untimed(line);
    let (key, rest) = rest.split_once("-[")?;
    let (_, text) = rest.split_once("] ")?;
    key.parse::<std::net::SocketAddr>().ok()?;
    Some((at, key, text))
}

/// The line without its prefix, `[I 2026-11-25 21:51:24]` or a time as the user's own logging has it.
fn untimed(line: &str) -> (Option<Instant>, &str) {
    match line.strip_prefix('[').and_then(|line| line.split_once("] ")) {
        Some((prefix, rest)) => {
            let time = prefix.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
            (stamp::take(time.trim_start()).0, rest)
        }
        None => stamp::take(line),
    }
}

pub(in crate::diagnose::log) fn recognises(line: &str) -> bool {
    entry(line).is_some_and(|(_, _, text)| {
        text.starts_with("FTP session ") || text.starts_with("<- ") || text.starts_with("-> ")
    })
}

impl Dialect for Pyftpdlib {
    fn take(&mut self, line: &str, book: &mut Book) {
        let Some((at, key, text)) = entry(line) else {
            if line.contains("starting FTP server on ") {
                self.port = words::ip_colon_port(untimed(line).1).map(|end| end.port());
            }
            return;
        };
        if text.starts_with("FTP session opened") {
            book.begin(key);
            let end = words::ip_colon_port(key);
            book.client(key, end.map(|end| *end.ip()), end.map(|end| end.port()));
            book.server(key, None, self.port);
            book.established(key, true);
        } else if let Some(command) = text.strip_prefix("<- ") {
            book.command(key, at, command);
        } else if let Some(reply) = text.strip_prefix("-> ") {
            book.reply(key, at, reply);
        } else if text.starts_with("FTP session closed") {
            book.end(key);
        }
    }
}
