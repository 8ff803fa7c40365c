//! The beginnings of lines, however the lines are cut into segments.

use arrayvec::ArrayVec;

use super::words;
use crate::Role;

/// A word longer than this is no command.
const LONGEST_WORD: usize = 5;

/// What a line is, once enough of it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// A command of the client's, in upper case.
    Command(ArrayVec<u8, LONGEST_WORD>),
    /// What the client said is no command.
    Foreign,
    /// The last line of a reply (RFC 959 §4.2), with its code.
    Reply(u16),
}

/// The line under way.
#[derive(Debug, Clone, Default)]
pub(super) struct Lines {
    word: ArrayVec<u8, LONGEST_WORD>,
    /// Whether it is known already, so that only its end counts.
    known: bool,
}

impl Lines {
    /// What follows is in the middle of a line.
    pub(super) fn lose(&mut self) {
        self.known = true;
    }

    /// One more byte of the direction that `role` sends.
    pub(super) fn take(&mut self, role: Role, octet: u8) -> Option<Line> {
        let found = if self.known { None } else { self.add(role, octet) };
        if octet == b'\n' {
            self.word.clear();
            self.known = false;
        }
        found
    }

    fn add(&mut self, role: Role, octet: u8) -> Option<Line> {
        // Telnet's signals stand before an ABOR (RFC 959 §4.1.3), and an empty line says nothing.
        let is_signal = octet >= 0x80 || octet == b'\r' || octet == b'\n';
        if self.word.is_empty() && is_signal {
            return None;
        }
        let belongs = match role {
            Role::Client => octet.is_ascii_alphabetic(),
            Role::Server => octet.is_ascii_digit(),
        };
        if belongs && self.word.try_push(octet.to_ascii_uppercase()).is_ok() {
            return None;
        }
        self.known = true;
        match role {
            Role::Server => self.code().filter(|_| octet == b' ').map(Line::Reply),
            Role::Client if words::is_command(&self.word) && matches!(octet, b' ' | b'\r' | b'\n') => {
                Some(Line::Command(self.word.clone()))
            }
            Role::Client => Some(Line::Foreign),
        }
    }

    fn code(&self) -> Option<u16> {
        match self.word.as_slice() {
            [hundreds, tens, units] => {
                Some(u16::from(hundreds - b'0') * 100 + u16::from(tens - b'0') * 10 + u16::from(units - b'0'))
            }
            _ => None,
        }
    }
}
