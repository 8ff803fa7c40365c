//! A server's reply: three digits and text, on one line or on several (RFC 959 §4.2).

use std::fmt;

use thiserror::Error;

/// A complete reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Between 100 and 599.
    pub code: u16,
    /// The text of each line without code, separator and line end; at least one line.
    pub lines: Vec<String>,
}

/// Why a line is not (part of) a reply.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplyError {
    /// It does not begin with a code between 100 and 599 and a space or hyphen.
    #[error("not an FTP reply: {0:?}")]
    NotAReply(String),
    /// A line, or the lines of one reply together, are longer than any sensible server's.
    #[error("a reply without end")]
    TooLong,
}

impl Reply {
    /// A reply of one line.
    pub fn new(code: u16, text: impl Into<String>) -> Self {
        Self { code, lines: vec![text.into()] }
    }

    /// 1yz: the action has begun; another reply follows.
    pub fn is_preliminary(&self) -> bool {
        self.code / 100 == 1
    }

    /// 2yz: done.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// 4yz, 5yz: not done.
    pub fn is_negative(&self) -> bool {
        self.code >= 400
    }

    /// The text of the last line, the one that counts.
    pub fn text(&self) -> &str {
        self.lines.last().map_or("", String::as_str)
    }

    /// The lines as they are sent, each without its line end.
    pub(super) fn wire_lines(&self) -> Vec<String> {
        let last = self.lines.len().saturating_sub(1);
        let line = |(index, text): (usize, &String)| {
            if index == last {
                format!("{} {text}", self.code)
            } else if index == 0 {
                format!("{}-{text}", self.code)
            } else {
                // A space before it, so that no line between can be taken for the last (RFC 959 §4.2).
                format!(" {text}")
            }
        };
        self.lines.iter().enumerate().map(line).collect()
    }
}

/// `550 No such file`: code and last line.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text())
    }
}

/// Puts lines together to replies; bounded.
#[derive(Debug, Default)]
pub(super) struct ReplyReader {
    /// A reply of several lines whose last has not come.
    open: Option<Reply>,
    bytes: usize,
}

/// The lines of one reply together; a generous welcome text.
const MAX_REPLY: usize = 64 * 1024;

impl ReplyReader {
    /// Takes in a line; the reply, if it was a reply's last.
    pub(super) fn push(&mut self, line: &str) -> Result<Option<Reply>, ReplyError> {
        let Some(mut reply) = self.open.take() else {
            return self.first_line(line);
        };
        // One for the line itself: empty lines cost memory too.
        self.bytes = self.bytes.saturating_add(line.len()).saturating_add(1);
        if self.bytes > MAX_REPLY {
            return Err(ReplyError::TooLong);
        }
        match split(line) {
            Some((code, Separator::Last, text)) if code == reply.code => {
                reply.lines.push(text.to_owned());
                Ok(Some(reply))
            }
            Some((code, Separator::More, text)) if code == reply.code => {
                reply.lines.push(text.to_owned());
                self.open = Some(reply);
                Ok(None)
            }
            _ => {
                reply.lines.push(line.strip_prefix(' ').unwrap_or(line).to_owned());
                self.open = Some(reply);
                Ok(None)
            }
        }
    }

    fn first_line(&mut self, line: &str) -> Result<Option<Reply>, ReplyError> {
        let (code, separator, text) = split(line).ok_or_else(|| ReplyError::NotAReply(line.to_owned()))?;
        let reply = Reply::new(code, text);
        if separator == Separator::Last {
            return Ok(Some(reply));
        }
        self.bytes = line.len();
        self.open = Some(reply);
        Ok(None)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Last,
    More,
}

fn split(line: &str) -> Option<(u16, Separator, &str)> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let code: u16 = digits.parse().ok().filter(|code| (100..600).contains(code))?;
    // A bare code, without even the space, is common enough to be taken.
    let separator = match rest.chars().next() {
        None | Some(' ') => Separator::Last,
        Some('-') => Separator::More,
        Some(_) => return None,
    };
    Some((code, separator, rest.get(1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<Vec<Reply>, ReplyError> {
        let mut reader = ReplyReader::default();
        let mut replies = Vec::new();
        for line in lines {
            replies.extend(reader.push(line)?);
        }
        Ok(replies)
    }

    #[test]
    fn a_reply_of_several_lines_ends_at_its_code_and_a_space() {
        let replies =
            read(&["220-Hello", "220-code again", "331 not the end", " indented", "220 Ready", "200 Ok"]);
        let hello =
            ["Hello", "code again", "331 not the end", "indented", "Ready"].map(str::to_owned).to_vec();
        assert_eq!(replies, Ok(vec![Reply { code: 220, lines: hello }, Reply::new(200, "Ok")]));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let reply = Reply {
            code: 211,
            lines: ["Features:", "SIZE", "211 tricky", "End"].map(str::to_owned).to_vec(),
        };
        let lines = reply.wire_lines();
        assert_eq!(lines, ["211-Features:", " SIZE", " 211 tricky", "211 End"]);
        assert_eq!(read(&lines.iter().map(String::as_str).collect::<Vec<_>>()), Ok(vec![reply]));
    }

    #[test]
    fn other_protocols_are_not_replies() {
        for line in [
            "SSH-2.0-OpenSSH",
            "",
            "22",
            "099 low",
            "600 high",
            "2200 long",
            "HTTP/1.1 400",
            "+OK",
            "ab\u{e9}",
        ] {
            assert_eq!(read(&[line]), Err(ReplyError::NotAReply(line.to_owned())), "{line}");
        }
    }

    #[test]
    fn a_reply_without_end_is_an_error() {
        let mut reader = ReplyReader::default();
        assert_eq!(reader.push("220-"), Ok(None));
        assert!((0..=MAX_REPLY).any(|_| reader.push("") == Err(ReplyError::TooLong)));
    }
}
