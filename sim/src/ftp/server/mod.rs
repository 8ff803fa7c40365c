//! The server: one session, that is one control connection.

mod command;
mod config;
mod control;
mod data;

use std::collections::VecDeque;
use std::net::SocketAddrV4;
use std::sync::Arc;

use smoltcp::time::Instant;

pub use config::{DataSource, ForeignAddress, NoCommand, ServerConfig, SetupCommand};

use super::line::{Line, LineReader};
use super::transcript::Transcript;
use super::{Action, DataType, Files, Input, Machine, Reply, TranscriptLine, after};
use data::{Job, Setup};

/// One session of a server. A server is its configuration and its files; a driver makes a session for each control
/// connection it accepts, and reports that with [`Input::ControlOpened`].
#[derive(Debug)]
pub struct ServerSession {
    config: Arc<ServerConfig>,
    files: Files,
    control: Option<Control>,
    reader: LineReader,
    /// Lines that wait for the one before them.
    pending: VecDeque<Line>,
    login: Login,
    failed_logins: u32,
    security: Security,
    data_type: DataType,
    /// After EPSV ALL no other set-up of a data connection is served (RFC 2428 §4).
    epsv_only: bool,
    setup: Setup,
    job: Option<Job>,
    /// How many ports of the passive range were tried before.
    passive_turn: u32,
    deadline: Option<Instant>,
    over: bool,
    actions: VecDeque<Action>,
    transcript: Transcript,
}

/// The two ends of the control connection.
#[derive(Clone, Copy, Debug)]
struct Control {
    local: SocketAddrV4,
    remote: SocketAddrV4,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Login {
    Out,
    /// USER was taken, PASS is next.
    User(String),
    In,
}

/// How far a session is with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    None,
    /// The control connection is TLS.
    Control,
    /// PBSZ was taken.
    Sized,
    /// Data connections are TLS too.
    Data,
}

/// The longest command line with its end; RFC 959 sets no limit, and a name of 255 bytes fits well.
const MAX_LINE: usize = 512;

/// How many commands a client may send ahead of the replies.
const MAX_PENDING: usize = 64;

impl ServerSession {
    /// A session that waits for its control connection.
    pub fn new(config: Arc<ServerConfig>, files: Files) -> Self {
        Self {
            config,
            files,
            control: None,
            reader: LineReader::new(MAX_LINE),
            pending: VecDeque::new(),
            login: Login::Out,
            failed_logins: 0,
            security: Security::None,
            // RFC 959 §3.1.1.1: the default type is ASCII.
            data_type: DataType::Ascii,
            epsv_only: false,
            setup: Setup::Default,
            job: None,
            passive_turn: 0,
            deadline: None,
            over: false,
            actions: VecDeque::new(),
            transcript: Transcript::default(),
        }
    }

    /// This end and the other end of the control connection; `None` before it is established.
    pub fn control_ends(&self) -> Option<(SocketAddrV4, SocketAddrV4)> {
        self.control.map(|control| (control.local, control.remote))
    }

    /// What this server received and sent, with passwords masked.
    pub fn transcript(&self) -> &[TranscriptLine] {
        self.transcript.lines()
    }

    fn opened(&mut self, now: Instant, control: Control) {
        if self.control.is_some() {
            return;
        }
        self.control = Some(control);
        let lines = self.config.banner.lines().map(str::to_owned).collect();
        let greeting = Reply { code: 220, lines };
        // A banner without a line is still a greeting.
        let greeting = if greeting.lines.is_empty() { Reply::new(220, "") } else { greeting };
        self.answer(now, &greeting);
        self.rest(now);
    }

    fn control_bytes(&mut self, now: Instant, mut bytes: &[u8]) {
        if self.control.is_none() {
            return;
        }
        while !self.over
            && let Some(line) = self.reader.next_line(&mut bytes)
        {
            let before = self.security;
            self.take_line(now, line);
            if before == Security::None && self.security != before {
                // What came behind AUTH in plain is not the client's.
                return;
            }
        }
    }

    fn take_line(&mut self, now: Instant, line: Line) {
        if let Line::Text(text) = &line {
            self.transcript.received(now, text);
            // The one command that does not wait for the transfer before it (RFC 959 §4.1.3). Its own reply does.
            if text.trim_end().eq_ignore_ascii_case("ABOR") && self.job.is_some() {
                self.abort_transfer(now);
            }
        }
        if self.pending.len() >= MAX_PENDING {
            self.end(now, "Too many commands at once.");
            return;
        }
        self.pending.push_back(line);
        self.serve_pending(now);
    }

    /// Forgets what has come and was not served.
    fn forget_lines(&mut self) {
        self.reader = LineReader::new(MAX_LINE);
        self.pending.clear();
    }

    fn serve_pending(&mut self, now: Instant) {
        while !self.over && !self.is_busy() {
            let Some(line) = self.pending.pop_front() else { return };
            self.rest(now);
            match line {
                Line::Text(line) => self.serve(now, &line),
                Line::TooLong => self.reply(now, 500, "Command line too long."),
            }
        }
    }

    /// Whether a command has still to be answered.
    fn is_busy(&self) -> bool {
        self.job.is_some() || matches!(self.setup, Setup::Binding { .. })
    }

    fn reply(&mut self, now: Instant, code: u16, text: &str) {
        self.answer(now, &Reply::new(code, text));
    }

    fn answer(&mut self, now: Instant, reply: &Reply) {
        let mut bytes = Vec::new();
        for line in reply.wire_lines() {
            self.transcript.sent(now, &line);
            bytes.extend_from_slice(line.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        self.actions.push_back(Action::SendControl(bytes));
    }

    /// From now on the session is idle.
    fn rest(&mut self, now: Instant) {
        self.deadline = Some(after(now, self.config.idle_timeout));
    }

    /// 421 and the end, by the server's own will.
    fn end(&mut self, now: Instant, text: &str) {
        self.drop_data();
        self.reply(now, 421, text);
        self.hang_up(Some(Action::CloseControl));
    }

    fn hang_up(&mut self, last: Option<Action>) {
        self.drop_data();
        self.actions.extend(last);
        self.pending.clear();
        self.deadline = None;
        self.over = true;
    }
}

impl Machine for ServerSession {
    fn handle(&mut self, now: Instant, input: Input<'_>) {
        if self.over {
            return;
        }
        match input {
            Input::ControlOpened { local, remote } => self.opened(now, Control { local, remote }),
            Input::ControlBytes(bytes) => self.control_bytes(now, bytes),
            // As after ABOR and QUIT (RFC 959 §4.1.1, QUIT).
            Input::ControlClosed => self.hang_up(Some(Action::CloseControl)),
            Input::ControlReset | Input::ControlFailed(_) => self.hang_up(None),
            Input::DataListening { local } => self.data_listening(now, local),
            Input::DataListenFailed => self.data_listen_failed(now),
            Input::DataOpened { remote, .. } => self.data_opened(now, remote),
            Input::DataFailed(_) => self.data_failed(now),
            Input::DataBytes(bytes) => self.data_bytes(now, bytes),
            Input::DataProgress => self.data_progress(now),
            Input::DataClosed => self.data_closed(now),
            Input::DataReset => self.data_reset(now),
            Input::DataSent => self.data_sent(now),
        }
        self.serve_pending(now);
    }

    fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        if self.job.is_some() {
            self.job_timed_out(now);
            self.serve_pending(now);
        } else {
            self.end(now, "Timeout.");
        }
    }

    fn is_finished(&self) -> bool {
        self.over
    }
}
