//! What was said on a control connection, wherever it was read: from a wire, a capture or a program's log.

use smoltcp::time::Instant;

use super::announcement::Announcement;
use crate::ftp::masked;

/// Who said a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speaker {
    /// The end that opened the control connection.
    Client,
    /// The other one.
    Server,
}

/// A line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When its end crossed or was logged; `None` in logs without times.
    pub at: Option<Instant>,
    /// Who said it.
    pub by: Speaker,
    /// What it says; the argument of PASS is `****`.
    pub text: String,
}

impl Line {
    /// A line; a password in it is masked.
    pub fn new(at: Option<Instant>, by: Speaker, text: &str) -> Self {
        Self { at, by, text: masked(text) }
    }

    /// Where the data connection is to be dialled, as this line announces.
    pub fn announces(&self) -> Option<Announcement> {
        match self.by {
            Speaker::Client => Announcement::of_command(&self.text),
            Speaker::Server => Announcement::of_reply(&self.text),
        }
    }

    /// The verb of a command, in capitals.
    pub fn verb(&self) -> Option<String> {
        let verb = self.text.split(' ').next().filter(|verb| !verb.is_empty())?;
        (self.by == Speaker::Client).then(|| verb.to_ascii_uppercase())
    }

    /// The code of a reply's last line (RFC 959 §4.2): three digits, and a space or nothing behind them.
    pub fn code(&self) -> Option<u16> {
        let (digits, rest) = self.text.split_at_checked(3)?;
        let is_last = rest.is_empty() || rest.starts_with(' ');
        let is_code = digits.bytes().all(|byte| byte.is_ascii_digit());
        (self.by == Speaker::Server && is_last && is_code).then(|| digits.parse().ok())?
    }
}

/// The commands of RFC 959, of its extensions, and of what common programs send besides.
const COMMANDS: [&str; 62] = [
    "ABOR", "ACCT", "ADAT", "ALLO", "APPE", "AUTH", "AVBL", "CCC", "CDUP", "CLNT", "CSID", "CWD", "DELE",
    "EPRT", "EPSV", "FEAT", "HELP", "HOST", "LANG", "LIST", "LPRT", "LPSV", "MDTM", "MFMT", "MKD", "MLSD",
    "MLST", "MODE", "NLST", "NOOP", "OPTS", "PASS", "PASV", "PBSZ", "PORT", "PRET", "PROT", "PWD", "QUIT",
    "REIN", "REST", "RETR", "RMD", "RNFR", "RNTO", "SITE", "SIZE", "SMNT", "STAT", "STOR", "STOU", "STRU",
    "SYST", "TYPE", "USER", "XCRC", "XCUP", "XCWD", "XMKD", "XPWD", "XRMD", "XSHA1",
];

/// Whether a line is a command of FTP, by its verb.
pub fn is_command(line: &str) -> bool {
    let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
    COMMANDS.binary_search(&verb.as_str()).is_ok()
}

/// A line whose end is missing, without what it may show of a password.
pub(super) fn mask_cut(line: &str) -> String {
    let verb = line.trim_start().get(..4).unwrap_or_default();
    if verb.eq_ignore_ascii_case("PASS") { "PASS ****".to_owned() } else { line.to_owned() }
}

/// A control connection's lines, in the order in which they were said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialogue {
    /// The lines.
    pub lines: Vec<Line>,
}

impl Dialogue {
    /// What one end said, in order.
    pub fn said_by(&self, speaker: Speaker) -> impl DoubleEndedIterator<Item = &str> {
        self.lines.iter().filter(move |line| line.by == speaker).map(|line| line.text.as_str())
    }

    /// What was announced, in order.
    pub fn announcements(&self) -> impl DoubleEndedIterator<Item = Announcement> {
        self.lines.iter().filter_map(Line::announces)
    }

    /// What one end announced last.
    pub fn announced_last_by(&self, speaker: Speaker) -> Option<Announcement> {
        self.lines.iter().rev().filter(|line| line.by == speaker).find_map(Line::announces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_by_who_said_it() {
        let command = Line::new(None, Speaker::Client, "retr readme.txt");
        assert_eq!((command.verb().as_deref(), command.code()), (Some("RETR"), None));
        let reply = Line::new(None, Speaker::Server, "226 Transfer complete.");
        assert_eq!((reply.verb(), reply.code()), (None, Some(226)));
        for text in ["220-Welcome", "22", "+26 x", "2266 x", ""] {
            assert_eq!(Line::new(None, Speaker::Server, text).code(), None, "{text}");
        }
    }

    #[test]
    fn a_password_is_never_kept() {
        assert_eq!(Line::new(None, Speaker::Client, "PASS secret").text, "PASS ****");
    }
}
