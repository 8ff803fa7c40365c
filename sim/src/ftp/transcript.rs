//! What one end of a control connection sent and received, as its own log would show it.

use smoltcp::time::Instant;

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranscriptLine {
    /// When it was sent, or when its end arrived.
    pub at: Instant,
    /// Which way it went.
    pub direction: Direction,
    /// The line without its end; the argument of PASS is `****`.
    pub text: String,
}

/// Which way a line went, as seen from the end whose log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// This end wrote it.
    Sent,
    /// The other end wrote it, or a router on the way.
    Received,
}

/// A log in the making. It stops growing at a length no honest session reaches.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    lines: Vec<TranscriptLine>,
}

const MAX_LINES: usize = 10_000;

impl Transcript {
    pub(super) fn sent(&mut self, at: Instant, text: &str) {
        self.push(at, Direction::Sent, text);
    }

    pub(super) fn received(&mut self, at: Instant, text: &str) {
        self.push(at, Direction::Received, text);
    }

    pub(super) fn lines(&self) -> &[TranscriptLine] {
        &self.lines
    }

    fn push(&mut self, at: Instant, direction: Direction, text: &str) {
        if self.lines.len() < MAX_LINES {
            self.lines.push(TranscriptLine { at, direction, text: masked(text) });
        }
    }
}

/// A command as logs may show it: the argument of PASS and of ACCT is `****`.
pub fn masked(text: &str) -> String {
    let command = text.trim_start();
    match command.split_once(|c: char| c.is_whitespace()) {
        Some((verb, _)) if ["PASS", "ACCT"].iter().any(|secret| verb.eq_ignore_ascii_case(secret)) => {
            format!("{verb} ****")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_masked_however_the_command_is_written() {
        assert_eq!(masked("PASS secret"), "PASS ****");
        assert_eq!(masked(" pass\tsecret words"), "pass ****");
        assert_eq!(masked("ACCT secret"), "ACCT ****");
        assert_eq!(masked("PASV"), "PASV");
        assert_eq!(masked("RETR pass secret"), "RETR pass secret");
    }
}
