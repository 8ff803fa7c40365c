//! lftp's `debug`, from level 5 on.

use smoltcp::time::Instant;

use super::ONLY;
use crate::diagnose::log::Dialect;
use crate::diagnose::log::book::Book;
use crate::diagnose::log::note::Remark;
use crate::diagnose::log::{stamp, words};
use crate::session::{Fate, Speaker};

#[derive(Debug, Default)]
pub(in crate::diagnose::log) struct Lftp {
    /// A data connection is being dialled.
    dialling: bool,
    /// lftp said that it does not believe the last 227.
    replaces: bool,
}

pub(in crate::diagnose::log) fn recognises(line: &str) -> bool {
    let (_, line) = stamp::take(line);
    line.strip_prefix("<--- ").is_some_and(words::is_reply)
        || line.starts_with("---- Connecting ")
        || line.starts_with("---- Data connection established")
}

pub(in crate::diagnose::log) fn speaks(line: &str) -> bool {
    let (_, line) = stamp::take(line);
    line.strip_prefix("<--- ").is_some_and(words::is_reply)
        || line.strip_prefix("---> ").is_some_and(words::is_command)
}

impl Dialect for Lftp {
    fn take(&mut self, line: &str, book: &mut Book) {
        let (at, line) = stamp::take(line);
        if let Some(command) = line.strip_prefix("---> ") {
            book.command(ONLY, at, command);
        } else if let Some(reply) = line.strip_prefix("<--- ") {
            book.reply(ONLY, at, reply);
        } else if let Some(told) = line.strip_prefix("---- ") {
            self.told(at, told, book);
        } else if let Some(error) = line.strip_prefix("**** ") {
            self.failed(at, error, book);
        }
    }
}

impl Lftp {
    fn told(&mut self, at: Option<Instant>, told: &str, book: &mut Book) {
        if told.starts_with("Connecting data socket to ") {
            let to = words::ip_port(told);
            if let (true, Some(announced), Some(dialled)) = (self.replaces, book.passive(ONLY), to) {
                book.remark(ONLY, Remark::AddressReplaced { announced, dialled });
            }
            self.dialling = true;
            self.replaces = false;
            book.dials(ONLY, at, Speaker::Client, to);
        } else if told.starts_with("Connecting to ") {
            self.dialling = false;
            book.begin(ONLY);
            let end = words::ip_port(told);
            book.server(ONLY, end.map(|end| *end.ip()), end.map(|end| end.port()));
        } else if told.starts_with("Data connection established") {
            self.dialling = false;
            book.fate(ONLY, at, None, Fate::Opened);
        } else if told.starts_with("Accepted data connection from ") {
            book.fate(ONLY, at, words::ip_port(told), Fate::Opened);
        } else if told.starts_with("Address returned by PASV") {
            self.replaces = true;
        } else if told.starts_with("Closing control socket") {
            book.end(ONLY);
        }
    }

    fn failed(&mut self, at: Option<Instant>, error: &str, book: &mut Book) {
        let of_data =
            error.starts_with("Data socket error") || (self.dialling && error.starts_with("Timeout"));
        if of_data {
            self.dialling = false;
            if let Some(fate) = words::fate(error) {
                book.fate(ONLY, at, None, fate);
            }
        } else if error.starts_with("Socket error") || error.starts_with("Timeout") {
            book.established(ONLY, false);
        }
    }
}
