//! The sessions of a log while it is read: what a program's own way of writing was turned into, line by line, becomes
//! accounts here, in one way for all programs.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::time::Instant;

use super::note::{Note, Remark};
use crate::session::{Account, Announcement, DataAttempt, End, Ending, Fate, Line, Speaker};

/// More sessions than this are not kept.
pub(super) const MAX_SESSIONS: usize = 1000;
/// More lines of all sessions together than this are not kept.
pub(super) const MAX_LINES: usize = 100_000;
/// More bytes of lines of all sessions together than this are not kept.
const MAX_BYTES: usize = 16 << 20;
/// More data connections of one session than this are not kept.
const MAX_ATTEMPTS: usize = 10_000;

/// Sessions in the making. A key tells those apart that run at the same time: a connection's number, a process, a
/// client's address; whatever the program writes. Programs that log one session after the other use one key.
#[derive(Debug, Default)]
pub(super) struct Book {
    sessions: Vec<Session>,
    open: BTreeMap<String, usize>,
    notes: Vec<Note>,
    lines: usize,
    bytes: usize,
    sessions_left_out: bool,
    lines_left_out: usize,
}

#[derive(Debug, Default)]
struct Session {
    account: Account,
    /// The last announcement, and whether a data connection is on record for it.
    announced: Option<(Speaker, Announcement)>,
    attempted: bool,
    /// The command whose transfer is under way.
    transfer: Option<Instantly>,
    /// The client's PASS was its last word, and no reply came since.
    waits_for_login: bool,
}

/// When something was said, where the log has times.
type Instantly = Option<Instant>;

impl Book {
    /// A new session begins under this key, whatever was open under it before.
    pub(super) fn begin(&mut self, key: &str) {
        self.open.remove(key);
        self.session(key);
    }

    /// The session under this key is over.
    pub(super) fn end(&mut self, key: &str) {
        self.open.remove(key);
    }

    /// Whether a session is open under this key.
    pub(super) fn is_open(&self, key: &str) -> bool {
        self.open.contains_key(key)
    }

    /// The key's session goes on under another key, as when a server's next process takes it over.
    pub(super) fn rename(&mut self, old: &str, new: &str) {
        if let Some(place) = self.open.remove(old) {
            self.open.insert(new.to_owned(), place);
        }
    }

    /// The keys of open sessions in which a PASS waits for its answer.
    pub(super) fn waiting_for_login(&self) -> impl Iterator<Item = &str> {
        let waits = |place: &usize| self.sessions.get(*place).is_some_and(|session| session.waits_for_login);
        self.open.iter().filter(move |(_, place)| waits(place)).map(|(key, _)| key.as_str())
    }

    /// What was said last in the key's session, and by whom.
    pub(super) fn last_line(&self, key: &str) -> Option<&Line> {
        self.sessions.get(*self.open.get(key)?)?.account.dialogue.lines.last()
    }

    /// The client said a line.
    pub(super) fn command(&mut self, key: &str, at: Option<Instant>, text: &str) {
        // A greeting, or the first command after a QUIT, belongs to another session.
        if self.last_line(key).is_some_and(is_farewell) {
            self.end(key);
        }
        self.say(key, Line::new(at, Speaker::Client, text));
    }

    /// The server said a line.
    pub(super) fn reply(&mut self, key: &str, at: Option<Instant>, text: &str) {
        let greets = text.starts_with("220 ") || text.starts_with("220-");
        let after_farewell = self.last_line(key).is_some_and(is_farewell);
        if greets && after_farewell {
            self.end(key);
        }
        self.say(key, Line::new(at, Speaker::Server, text));
    }

    fn say(&mut self, key: &str, line: Line) {
        let length = line.text.len();
        if self.lines >= MAX_LINES || self.bytes + length > MAX_BYTES {
            self.lines_left_out += 1;
            return;
        }
        let Some(session) = self.session(key) else {
            self.lines_left_out += 1;
            return;
        };
        session.say(line);
        self.lines += 1;
        self.bytes += length;
    }

    /// What the log tells of the server's end of the control connection.
    pub(super) fn server(&mut self, key: &str, ip: Option<Ipv4Addr>, port: Option<u16>) {
        if let Some(session) = self.session(key) {
            known(&mut session.account.server, ip, port);
        }
    }

    /// What the log tells of the client's end.
    pub(super) fn client(&mut self, key: &str, ip: Option<Ipv4Addr>, port: Option<u16>) {
        if let Some(session) = self.session(key) {
            known(&mut session.account.client, ip, port);
        }
    }

    /// Whether the control connection was established.
    pub(super) fn established(&mut self, key: &str, established: bool) {
        if let Some(session) = self.session(key)
            && session.account.established != Some(true)
        {
            session.account.established = Some(established);
        }
    }

    /// A data connection is dialled.
    pub(super) fn dials(&mut self, key: &str, at: Option<Instant>, by: Speaker, to: Option<SocketAddrV4>) {
        let Some(session) = self.session(key) else { return };
        // Some say twice where they dial.
        let is_known =
            |last: &DataAttempt| last.fate == Fate::Unknown && last.to == to && last.dialled_by == Some(by);
        if !(session.attempted && session.account.data.last().is_some_and(is_known)) {
            session.attempt(attempt(at, Some(by), to));
        }
    }

    /// What became of the data connection dialled last; where none was on record, of the one that was announced.
    pub(super) fn fate(&mut self, key: &str, at: Option<Instant>, from: Option<SocketAddrV4>, fate: Fate) {
        let Some(session) = self.session(key) else { return };
        if !session.attempted {
            session.attempt_announced(at);
        }
        if let Some(last) = session.account.data.last_mut() {
            last.fate = fate;
            last.from = from.or(last.from);
        }
    }

    /// How the data connection that was there ended, by other words than a reply's.
    pub(super) fn ended(&mut self, key: &str, ending: Ending) {
        let last = self.session(key).and_then(|session| session.account.data.last_mut());
        if let Some(last) = last.filter(|last| last.fate == Fate::Opened) {
            last.ended = Some(ending);
        }
    }

    /// Something worth saying beside the dialogue.
    pub(super) fn remark(&mut self, key: &str, remark: Remark) {
        let session = self.open.get(key).copied();
        if self.notes.len() < MAX_SESSIONS {
            self.notes.push(Note { session, remark });
        }
    }

    /// Something worth saying of the log as a whole.
    pub(super) fn note(&mut self, remark: Remark) {
        self.notes.push(Note { session: None, remark });
    }

    /// The address of the last 227, where it is the last announcement.
    pub(super) fn passive(&self, key: &str) -> Option<SocketAddrV4> {
        match self.sessions.get(*self.open.get(key)?)?.announced {
            Some((_, Announcement::Passive(end))) => Some(end),
            _ => None,
        }
    }

    /// The port of the server's last announcement, where nothing was announced since.
    pub(super) fn passive_port(&self, key: &str) -> Option<u16> {
        match self.sessions.get(*self.open.get(key)?)?.announced {
            Some((_, Announcement::Passive(end))) => Some(end.port()),
            Some((_, Announcement::ExtendedPassive(port))) => Some(port),
            _ => None,
        }
    }

    /// The server's address, where it is known.
    pub(super) fn server_ip(&self, key: &str) -> Option<Ipv4Addr> {
        self.sessions.get(*self.open.get(key)?)?.account.server.ip
    }

    /// What was read, in the order in which the sessions began; those in which nothing happened are left out.
    pub(super) fn close(mut self) -> (Vec<Account>, Vec<Note>) {
        if self.sessions_left_out {
            self.notes.push(Note { session: None, remark: Remark::SessionsLeftOut });
        }
        if self.lines_left_out > 0 {
            self.notes.push(Note { session: None, remark: Remark::LinesLeftOut(self.lines_left_out) });
        }
        let mut kept = Vec::new();
        let mut places = BTreeMap::new();
        for (place, session) in self.sessions.into_iter().enumerate() {
            let account = session.account;
            if is_encrypted(&account) {
                self.notes.push(Note { session: Some(place), remark: Remark::Encrypted });
            }
            if is_ftp(&account) || account.dialogue.lines.is_empty() && account.established == Some(false) {
                places.insert(place, kept.len());
                kept.push(account);
            }
        }
        let renumbered = |note: Note| match note.session {
            Some(place) => Some(Note { session: Some(*places.get(&place)?), ..note }),
            None => Some(note),
        };
        (kept, self.notes.into_iter().filter_map(renumbered).collect())
    }

    fn session(&mut self, key: &str) -> Option<&mut Session> {
        if !self.open.contains_key(key) {
            if self.sessions.len() >= MAX_SESSIONS {
                self.sessions_left_out = true;
                return None;
            }
            self.open.insert(key.to_owned(), self.sessions.len());
            self.sessions.push(Session::default());
        }
        self.sessions.get_mut(*self.open.get(key)?)
    }
}

impl Session {
    fn say(&mut self, line: Line) {
        if let Some(announcement) = line.announces() {
            self.announced = Some((line.by, announcement));
            self.attempted = false;
        }
        match line.by {
            Speaker::Client => {
                let verb = line.verb().unwrap_or_default();
                self.waits_for_login = verb == "PASS";
                if is_transfer(&verb) {
                    self.transfer = Some(line.at);
                }
            }
            Speaker::Server => {
                self.account.established = Some(true);
                self.waits_for_login = false;
                self.transfer_goes_on(&line);
            }
        }
        self.account.dialogue.lines.push(line);
    }

    /// 226 and 250 end a transfer whose data connection was there, whoever dialled it; 426 one that broke off
    /// (RFC 959 §4.2.2).
    fn transfer_goes_on(&mut self, line: &Line) {
        let Some(code) = line.code().filter(|code| *code >= 200) else { return };
        let Some(at) = self.transfer.take() else { return };
        let ending = match code {
            226 | 250 => Ending::Closed,
            426 => Ending::Reset,
            _ => return,
        };
        if !self.attempted {
            self.attempt_announced(at);
        }
        if let Some(last) = self.account.data.last_mut() {
            last.ended = Some(ending);
            if last.fate == Fate::Unknown {
                last.fate = Fate::Opened;
            }
        }
    }

    /// A data connection that the log tells of only by what came before and after it. Where a client dialled is
    /// not known: some do not believe a 227.
    fn attempt_announced(&mut self, at: Option<Instant>) {
        let (dialled_by, to) = match self.announced {
            Some((Speaker::Client, announcement)) => (Some(Speaker::Server), announcement.endpoint()),
            Some((Speaker::Server, _)) => (Some(Speaker::Client), None),
            None => (Some(Speaker::Server), self.account.client.whole()),
        };
        self.attempt(attempt(at, dialled_by, to));
    }

    fn attempt(&mut self, attempt: DataAttempt) {
        self.attempted = true;
        if self.account.data.len() < MAX_ATTEMPTS {
            self.account.data.push(attempt);
        }
    }
}

/// An attempt of which nothing more is known yet.
fn attempt(at: Option<Instant>, dialled_by: Option<Speaker>, to: Option<SocketAddrV4>) -> DataAttempt {
    DataAttempt { at, dialled_by, from: None, to, fate: Fate::Unknown, carried: None, ended: None }
}

fn known(end: &mut End, ip: Option<Ipv4Addr>, port: Option<u16>) {
    end.ip = ip.or(end.ip);
    end.port = port.or(end.port);
}

/// The server's last words to a client that left, or that was thrown out.
fn is_farewell(line: &Line) -> bool {
    matches!(line.code(), Some(221 | 421)) || line.verb().is_some_and(|verb| verb == "QUIT")
}

/// AUTH, and 234 for an answer (RFC 4217 §4).
fn is_encrypted(account: &Account) -> bool {
    let mut lines = account.dialogue.lines.iter();
    lines.any(|line| line.verb().is_some_and(|verb| verb == "AUTH"))
        && lines.any(|line| line.code() == Some(234))
}

/// A command, or a reply with its code: another protocol's headers are neither.
fn is_ftp(account: &Account) -> bool {
    account.dialogue.lines.iter().any(|line| line.by == Speaker::Client || line.code().is_some())
}

fn is_transfer(verb: &str) -> bool {
    matches!(verb, "RETR" | "STOR" | "STOU" | "APPE" | "LIST" | "NLST" | "MLSD")
}
