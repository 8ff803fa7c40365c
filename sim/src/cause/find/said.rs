//! What was said on a control connection, command by command, each with its reply.

use std::net::SocketAddrV4;

use crate::session::{Announcement, Dialogue, Line, Speaker};

/// A command and its final reply, as far as there was one.
pub(super) struct Said<'a> {
    pub(super) verb: String,
    pub(super) line: &'a Line,
    pub(super) reply: Option<&'a Line>,
}

impl Said<'_> {
    pub(super) fn code(&self) -> Option<u16> {
        self.reply?.code()
    }

    pub(super) fn is_refused(&self) -> bool {
        self.code().is_some_and(|code| code >= 400)
    }

    /// What it comes to: where the data connection is to be dialled.
    pub(super) fn announces(&self) -> Option<Announcement> {
        self.line.announces().or_else(|| self.reply?.announces())
    }

    /// The endpoint with its address, where one is said.
    pub(super) fn announced(&self) -> Option<SocketAddrV4> {
        self.announces()?.endpoint()
    }
}

/// The commands in order. Replies come in the order of commands (RFC 959 §5.4); the greeting is the first.
pub(super) fn said(dialogue: &Dialogue) -> Vec<Said<'_>> {
    let mut all: Vec<Said<'_>> = Vec::new();
    let mut answered = 0;
    for line in &dialogue.lines {
        if let Some(verb) = line.verb() {
            all.push(Said { verb, line, reply: None });
        } else if line.code().is_some_and(|code| code >= 200) {
            if line.announces().is_some() {
                answered = asked_for(&all, answered).unwrap_or(answered);
            }
            if let Some(said) = all.get_mut(answered) {
                said.reply = Some(line);
                answered += 1;
            }
        }
    }
    all
}

/// The command that a 227 or 229 answers: some logs have no other replies.
fn asked_for(all: &[Said<'_>], from: usize) -> Option<usize> {
    let asks = |said: &Said<'_>| matches!(said.verb.as_str(), "PASV" | "EPSV");
    all.iter().skip(from).position(asks).map(|place| place + from)
}

/// The last command that was to agree on a data connection, and those behind it.
pub(super) fn last_setup<'a, 'b>(all: &'b [Said<'a>]) -> Option<(&'b Said<'a>, &'b [Said<'a>])> {
    let is_setup = |said: &Said<'_>| matches!(said.verb.as_str(), "PORT" | "EPRT" | "PASV" | "EPSV");
    // `EPSV ALL` agrees on nothing.
    let place = all.iter().rposition(|said| is_setup(said) && !said.line.text.ends_with(" ALL"))?;
    let (before, behind) = all.split_at_checked(place + 1)?;
    Some((before.last()?, behind))
}

/// The last transfer command.
pub(super) fn last_transfer<'a, 'b>(all: &'b [Said<'a>]) -> Option<&'b Said<'a>> {
    all.iter().rfind(|said| is_transfer(&said.verb))
}

pub(super) fn is_transfer(verb: &str) -> bool {
    matches!(verb, "LIST" | "NLST" | "MLSD" | "RETR" | "STOR" | "STOU" | "APPE")
}

/// Whether the control connection was encrypted: AUTH was taken (RFC 2228 §3, RFC 4217 §4).
pub(super) fn is_encrypted(all: &[Said<'_>]) -> bool {
    all.iter().any(|said| said.verb == "AUTH" && said.code().is_some_and(|code| matches!(code, 234 | 334)))
        && !all.iter().any(|said| said.verb == "CCC" && said.code() == Some(200))
}

/// The code of the last reply.
pub(super) fn last_code(dialogue: &Dialogue) -> Option<u16> {
    let codes = dialogue.lines.iter().rev().filter(|line| line.by == Speaker::Server).filter_map(Line::code);
    codes.filter(|code| *code != 221).find(|code| *code >= 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialogue(lines: &[(Speaker, &str)]) -> Dialogue {
        Dialogue { lines: lines.iter().map(|(by, text)| Line::new(None, *by, text)).collect() }
    }

    #[test]
    fn each_command_gets_its_own_reply() {
        use Speaker::{Client, Server};
        let dialogue = dialogue(&[
            (Server, "220-Hello"),
            (Server, "220 there"),
            (Client, "USER me"),
            (Client, "PASS you"),
            (Server, "331 More"),
            (Server, "230 In"),
            (Client, "PORT 192,168,1,100,65,43"),
            (Server, "200 Taken"),
            (Client, "LIST"),
            (Server, "150 Here it comes"),
            (Server, "425 It does not"),
            (Client, "QUIT"),
            (Server, "221 Bye"),
        ]);
        let all = said(&dialogue);
        let codes: Vec<_> = all.iter().map(|said| (said.verb.as_str(), said.code())).collect();
        let expected = [("USER", 331), ("PASS", 230), ("PORT", 200), ("LIST", 425), ("QUIT", 221)];
        assert_eq!(codes, expected.map(|(verb, code)| (verb, Some(code))));
        let (setup, behind) = last_setup(&all).unwrap();
        assert_eq!((setup.announced().unwrap().port(), behind.len()), (16683, 2));
        assert_eq!(last_code(&dialogue), Some(425));
        assert!(!is_encrypted(&all));
    }

    #[test]
    fn a_227_answers_pasv_also_where_nothing_else_was_answered() {
        use Speaker::{Client, Server};
        let dialogue =
            dialogue(&[(Client, "USER me"), (Client, "PASV"), (Server, "227 =192,168,1,100,65,43")]);
        let answered: Vec<_> = said(&dialogue).iter().map(Said::code).collect();
        assert_eq!(answered, [None, Some(227)]);
    }
}
