//! What is wrong in a line, and where.

use std::ops::Range;

use thiserror::Error;

/// A line that cannot be read, or whose packet cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct PacketTextError {
    span: Range<usize>,
    problem: Problem,
}

impl PacketTextError {
    pub(super) const fn new(span: Range<usize>, problem: Problem) -> Self {
        Self { span, problem }
    }

    /// The same, in a line that begins so many octets earlier.
    pub(super) fn moved(self, by: usize) -> Self {
        Self { span: self.span.start + by..self.span.end + by, problem: self.problem }
    }

    /// The octets of the line that it is about; an empty range at its end where something is missing there.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// What is wrong.
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }
}

/// What is wrong in a line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// Something that every line has is not there.
    #[error("{what} is missing{}: write {write}", behind(.after))]
    Missing {
        /// What is missing.
        what: &'static str,
        /// The word it belongs behind; empty at the line's beginning.
        after: String,
        /// What to write.
        write: String,
    },
    /// A word that the notation does not have, or not there.
    #[error("`{word}` is not {what}{}", question(.meant.as_ref()))]
    Unknown {
        /// The word.
        word: String,
        /// What can stand there.
        what: String,
        /// The nearest word that can stand there.
        meant: Option<String>,
    },
    /// A known key in a line of a protocol that has no such field.
    #[error("`{key}` does not belong here: it is a key of {of}")]
    Misplaced {
        /// The key.
        key: String,
        /// Where it belongs.
        of: String,
    },
    /// A value that its key cannot have.
    #[error("`{value}` is not {what}: write {write}")]
    Value {
        /// What it should be: "an address", "a value of `ttl`".
        what: String,
        /// What is written.
        value: String,
        /// What to write.
        write: String,
    },
    /// A word that stands alone, with a value.
    #[error("`{word}` takes no value: write it alone")]
    Alone {
        /// The word.
        word: String,
    },
    /// The same thing is said twice, or two things that exclude each other.
    #[error("`{word}` comes after `{first}`, and a line can have one of them")]
    Twice {
        /// The second.
        word: String,
        /// The first.
        first: String,
    },
    /// An address with a port where the protocol has none.
    #[error("{protocol} has no ports: write the address alone")]
    Port {
        /// The protocol's word.
        protocol: &'static str,
    },
    /// A `*` in a line that is to make a packet.
    #[error("`*` stands only in patterns: a packet that is sent needs a value here")]
    Star,
    /// A backslash before a character that has no escape.
    #[error("`{escape}` is not an escape: there are \\r \\n \\t \\\" \\\\ \\* and \\xNN")]
    Escape {
        /// The backslash and what comes after it.
        escape: String,
    },
    /// A text without an end.
    #[error("the text is not closed: its last character is `\"`")]
    TextNotClosed,
    /// Something else than pairs of hexadecimal digits.
    #[error("hex is pairs of hexadecimal digits, with or without blanks between the pairs")]
    Hex,
    /// A text or a parenthesis where a word is expected, or anything behind a line's end.
    #[error("`{text}` has no meaning here")]
    Unexpected {
        /// What stands there.
        text: String,
    },
    /// Quotes within quotes, without end.
    #[error("a packet quotes a packet at most {most} deep")]
    TooDeep {
        /// How deep.
        most: usize,
    },
    /// The fields of a protocol's header in a fragment that has none.
    #[error(
        "a later fragment has no {protocol} header: write `ip proto={number} ADDRESS > ADDRESS` and the payload"
    )]
    LaterFragment {
        /// The protocol's word.
        protocol: &'static str,
        /// The protocol's number.
        number: u8,
    },
    /// More than an IPv4 packet can hold.
    #[error("the packet would be {length} octets long: at most {} are possible", u16::MAX)]
    TooLong {
        /// Its length.
        length: usize,
    },
    /// More than a TCP header can hold.
    #[error("the options take more than the 40 octets that a TCP header has for them")]
    OptionsTooLong,
    /// More octets are to be left than there are.
    #[error("`cut={cut}` leaves nothing out: the packet has {length} octets")]
    Cut {
        /// What is written.
        cut: usize,
        /// The packet's length.
        length: usize,
    },
}

fn behind(word: &str) -> String {
    if word.is_empty() { String::new() } else { format!(" after {word}") }
}

fn question(word: Option<&String>) -> String {
    word.map(|word| format!(": did you mean `{word}`?")).unwrap_or_default()
}
