//! Text logs of FTP clients and servers, as the programs write them, read into accounts of their sessions.
//!
//! A log is streamed, line by line. Which program wrote it, its lines tell; what is not of a dialogue is passed over.
//! Passwords are not kept, in no format. A log is what one end believes: a client's says what the client sent, not what
//! arrived.

mod book;
mod client;
mod format;
mod note;
mod recognise;
mod server;
mod stamp;
#[cfg(test)]
mod tests;
mod text;
mod transcript;
mod words;

use std::collections::VecDeque;
use std::io::{self, BufRead};

use thiserror::Error;

use crate::session::Account;
use book::Book;
pub use format::{Format, Standpoint, UnknownFormat};
pub use note::{Note, Remark};
use text::Lines;

/// What a log tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogReading {
    /// Which program's it is.
    pub format: Format,
    /// Its sessions, in the order in which they began.
    pub sessions: Vec<Account>,
    /// What else there is to say of it.
    pub notes: Vec<Note>,
}

impl LogReading {
    /// Whose log it is.
    pub fn standpoint(&self) -> Standpoint {
        self.format.standpoint()
    }
}

/// Why a log cannot be read.
#[derive(Debug, Error)]
pub enum LogError {
    /// Reading failed.
    #[error("cannot read on")]
    Io(#[from] io::Error),
    /// It is no log of FTP, or in no known format.
    #[error("no log of FTP in a known format: {seen}; known are the logs of {known}", known = format::names())]
    Unknown {
        /// What was seen instead.
        seen: String,
    },
    /// The program is known, but its log has no dialogue.
    #[error("a log of {format}, with no line of an FTP dialogue in it; it has one after: {how}", how = format.how())]
    NoDialogue {
        /// Which program's log it is.
        format: Format,
    },
}

impl LogError {
    /// Whether no program's log was recognised.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}

/// A program's way of writing, line by line.
trait Dialect {
    /// Takes a line, and notes in the book what it tells.
    fn take(&mut self, line: &str, book: &mut Book);

    /// There are no more lines.
    fn finish(&mut self, _book: &mut Book) {}
}

/// Reads a log whose program is told from its lines.
pub fn read(source: &mut impl BufRead) -> Result<LogReading, LogError> {
    let mut lines = Lines::new(source)?;
    let mut first = None;
    let mut window: VecDeque<String> = VecDeque::new();
    let mut promising = 0;
    while promising < recognise::WINDOW {
        let Some(line) = lines.next()? else { break };
        if first.is_none() && !line.trim().is_empty() {
            first = Some(line.clone());
        }
        promising += usize::from(promising > 0 || recognise::is_promising(&line));
        window.push_back(line);
        // What came just before may say where the connection went.
        if promising == 0 && window.len() > recognise::BEFORE {
            window.pop_front();
        }
    }
    let format = recognise::format_of(window.iter().map(String::as_str))
        .ok_or_else(|| LogError::Unknown { seen: seen(lines.count, first.as_deref()) })?;
    read_rest(&mut lines, window, format)
}

/// Reads a log that is this program's, whatever it looks like.
pub fn read_as(source: &mut impl BufRead, format: Format) -> Result<LogReading, LogError> {
    read_rest(&mut Lines::new(source)?, VecDeque::new(), format)
}

fn read_rest<R: BufRead>(
    lines: &mut Lines<'_, R>,
    mut window: VecDeque<String>,
    format: Format,
) -> Result<LogReading, LogError> {
    let mut dialect = format.dialect();
    let mut book = Book::default();
    while let Some(line) = window.pop_front() {
        dialect.take(&line, &mut book);
    }
    while let Some(line) = lines.next()? {
        dialect.take(&line, &mut book);
    }
    dialect.finish(&mut book);
    if lines.cut > 0 {
        book.note(Remark::LinesCut(lines.cut));
    }
    let (sessions, notes) = book.close();
    if sessions.is_empty() {
        return Err(LogError::NoDialogue { format });
    }
    Ok(LogReading { format, sessions, notes })
}

/// The beginning of a file that is not understood. What looks like a password's surroundings is not repeated.
fn seen(count: usize, first: Option<&str>) -> String {
    const SHOWN: usize = 60;
    let Some(first) = first else { return "it is empty".to_owned() };
    let lower = first.to_ascii_lowercase();
    let secret = ["pass", "pwd", "://", "acct", "secret"].iter().filter_map(|word| lower.find(word)).min();
    let shown: String =
        first.get(..secret.unwrap_or(first.len())).unwrap_or_default().chars().take(SHOWN).collect();
    let more = if shown.len() < first.len() { "…" } else { "" };
    let lines = if count == 1 { "one line".to_owned() } else { format!("{count} lines") };
    format!("{lines}, the first of which is \"{}{more}\"", shown.escape_debug())
}
