//! The client: one session by a plan.

mod attempt;
mod outcome;
mod plan;
mod transfer;

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use smoltcp::time::Instant;

pub use outcome::{ClientOutcome, ControlFailure, ModeTried, TransferFailure, TransferOutcome};
pub use plan::{ClientPlan, DataMode, Fallback, Segments, Transfer, Trouble, Trust};

use super::line::{Line, LineReader};
use super::reply::ReplyReader;
use super::transcript::Transcript;
use super::{Action, DataType, Failure, Input, Machine, Reply, ReplyError, TranscriptLine, after};
use attempt::Attempt;

/// One session of a client. A driver makes it and dials the server; what the plan holds is then done step by step,
/// one command at a time, and ends with a [`ClientOutcome`].
#[derive(Debug)]
pub struct ClientSession {
    plan: ClientPlan,
    control: Option<Control>,
    state: State,
    lines: LineReader,
    replies: ReplyReader,
    /// What the next final reply is the answer to.
    awaited: String,
    /// Commands, and the greeting, whose final reply has not come.
    unanswered: u32,
    deadline: Option<Instant>,
    /// What failed and is reported once QUIT is through.
    failure: Option<ControlFailure>,
    done: Vec<TransferOutcome>,
    /// How data connections are made now.
    mode: DataMode,
    /// The ways that failed for the transfer in progress.
    tried: Vec<ModeTried>,
    /// The ways tried for each transfer that is done.
    modes: Vec<Vec<ModeTried>>,
    outcome: Option<ClientOutcome>,
    actions: VecDeque<Action>,
    transcript: Transcript,
}

/// The two ends of the control connection.
#[derive(Clone, Copy, Debug)]
struct Control {
    local: SocketAddrV4,
    remote: SocketAddrV4,
}

#[derive(Debug)]
enum State {
    Connecting,
    Greeting,
    /// AUTH TLS is sent.
    Auth,
    User,
    Pass,
    /// PBSZ, which PROT needs before it (RFC 4217 §9).
    BufferSize,
    /// PROT P is sent.
    Protection,
    Type,
    Transfer(Attempt),
    Quitting,
    Finished,
}

/// The longest line of a server taken in; no RFC sets one.
const MAX_LINE: usize = 4096;

/// What the greeting is the answer to.
const THE_CONNECTION: &str = "the connection";

impl ClientSession {
    /// A session whose control connection is being dialled from `now` on.
    pub fn new(plan: ClientPlan, now: Instant) -> Self {
        let deadline = after(now, plan.reply_timeout);
        Self {
            mode: plan.data_mode,
            plan,
            control: None,
            state: State::Connecting,
            lines: LineReader::new(MAX_LINE),
            replies: ReplyReader::default(),
            awaited: THE_CONNECTION.to_owned(),
            unanswered: 0,
            deadline: Some(deadline),
            failure: None,
            done: Vec::new(),
            tried: Vec::new(),
            modes: Vec::new(),
            outcome: None,
            actions: VecDeque::new(),
            transcript: Transcript::default(),
        }
    }

    /// What became of the session; `None` while it lasts.
    pub fn outcome(&self) -> Option<&ClientOutcome> {
        self.outcome.as_ref()
    }

    /// This end and the other end of the control connection; `None` if it was never established.
    pub fn control_ends(&self) -> Option<(SocketAddrV4, SocketAddrV4)> {
        self.control.map(|control| (control.local, control.remote))
    }

    /// What this client sent and received, with the password masked.
    pub fn transcript(&self) -> &[TranscriptLine] {
        self.transcript.lines()
    }

    fn opened(&mut self, now: Instant, control: Control) {
        if !matches!(self.state, State::Connecting) {
            return;
        }
        self.control = Some(control);
        self.state = State::Greeting;
        self.unanswered = 1;
        self.await_reply(now);
    }

    fn control_bytes(&mut self, now: Instant, mut bytes: &[u8]) {
        if self.control.is_none() {
            return;
        }
        while self.outcome.is_none()
            && let Some(line) = self.lines.next_line(&mut bytes)
        {
            match self.take_line(now, line) {
                Ok(Some(reply)) => {
                    let asked = matches!(self.state, State::Auth) && reply.code == 234;
                    self.take_reply(now, reply);
                    if asked {
                        // What came behind the reply in plain is not the server's.
                        return;
                    }
                }
                Ok(None) => {}
                Err(error) => self.finish(Some(error.into()), Some(Action::CloseControl)),
            }
        }
    }

    fn take_line(&mut self, now: Instant, line: Line) -> Result<Option<Reply>, ReplyError> {
        match line {
            Line::Text(line) => {
                self.transcript.received(now, &line);
                self.replies.push(&line)
            }
            Line::TooLong => Err(ReplyError::TooLong),
        }
    }

    fn take_reply(&mut self, now: Instant, reply: Reply) {
        // RFC 959 §4.2.2: 421 "may be a reply to any command if the service knows it must shut down".
        if reply.code == 421 {
            self.finish(Some(ControlFailure::ServiceClosing(reply)), Some(Action::CloseControl));
            return;
        }
        if reply.is_preliminary() {
            if let State::Transfer(_) = self.state {
                self.transfer_begun(now);
            }
            // 120 asks for minutes of patience (RFC 959 §4.2.2): the deadline is all the patience there is.
            return;
        }
        self.unanswered = self.unanswered.saturating_sub(1);
        self.take_final_reply(now, reply);
    }

    fn take_final_reply(&mut self, now: Instant, reply: Reply) {
        let positive = reply.is_positive();
        match self.state {
            State::Greeting if positive && self.plan.tls => {
                self.state = State::Auth;
                self.send(now, "AUTH TLS");
            }
            State::Auth if reply.code == 234 => {
                self.actions.push_back(Action::SecureControl);
                self.log_in(now);
            }
            State::Greeting if positive => self.log_in(now),
            State::User if reply.code == 331 => {
                self.state = State::Pass;
                self.send(now, &format!("PASS {}", self.plan.password));
            }
            State::User | State::Pass if positive && self.plan.tls => {
                self.state = State::BufferSize;
                self.send(now, "PBSZ 0");
            }
            State::BufferSize if positive => {
                self.state = State::Protection;
                self.send(now, "PROT P");
            }
            State::User | State::Pass | State::Protection if positive => self.logged_in(now),
            State::Type if positive => self.next_transfer(now),
            State::Transfer(_) => self.transfer_reply(now, reply),
            State::Greeting
            | State::Auth
            | State::User
            | State::Pass
            | State::BufferSize
            | State::Protection
            | State::Type => {
                self.failure = Some(ControlFailure::Refused { to: self.awaited.clone(), reply });
                self.quit(now);
            }
            // What was given up on may still be answered before QUIT is.
            State::Quitting if self.unanswered > 0 && reply.code != 221 => {}
            State::Quitting => self.finish(None, Some(Action::CloseControl)),
            State::Connecting | State::Finished => {}
        }
    }

    fn log_in(&mut self, now: Instant) {
        let breaks_line = |text: &str| text.contains(['\r', '\n']);
        if breaks_line(&self.plan.user) || breaks_line(&self.plan.password) {
            self.failure = Some(ControlFailure::Unsendable);
            self.quit(now);
            return;
        }
        self.state = State::User;
        self.send(now, &format!("USER {}", self.plan.user));
    }

    fn logged_in(&mut self, now: Instant) {
        if self.plan.transfers.is_empty() {
            self.quit(now);
            return;
        }
        self.state = State::Type;
        let letter = match self.plan.data_type {
            DataType::Image => 'I',
            DataType::Ascii => 'A',
        };
        self.send(now, &format!("TYPE {letter}"));
    }

    /// QUIT, and the wait for what is still to be answered.
    fn quit(&mut self, now: Instant) {
        self.state = State::Quitting;
        self.send(now, "QUIT");
    }

    /// Sends one command and waits for its reply.
    fn send(&mut self, now: Instant, command: &str) {
        self.transcript.sent(now, command);
        let line = format!("{command}\r\n").into_bytes();
        if self.plan.segments == Segments::Whole {
            self.actions.push_back(Action::SendControl(line));
        } else {
            self.actions.extend(self.plan.segments.cut(&line).into_iter().map(Action::SendControlPiece));
        }
        // The verb alone: an outcome must not hold the password.
        command.split(' ').next().unwrap_or_default().clone_into(&mut self.awaited);
        self.unanswered = self.unanswered.saturating_add(1);
        self.await_reply(now);
    }

    fn await_reply(&mut self, now: Instant) {
        self.deadline = Some(after(now, self.plan.reply_timeout));
    }

    fn no_reply(&mut self) {
        let failure = match self.state {
            State::Connecting => ControlFailure::NotConnected(Failure::TimedOut),
            _ => ControlFailure::NoReply { to: self.awaited.clone() },
        };
        self.finish(Some(failure), Some(Action::AbortControl));
    }

    /// The end of the session: `last` is what to do with the control connection.
    fn finish(&mut self, failure: Option<ControlFailure>, last: Option<Action>) {
        // The first failure is the cause of those that follow.
        let failure = self.failure.take().or(failure);
        if let State::Transfer(attempt) = std::mem::replace(&mut self.state, State::Finished) {
            self.end_attempt(&attempt, failure.as_ref());
        }
        self.done.resize(
            self.plan.transfers.len(),
            TransferOutcome::Failed { what: TransferFailure::NotAttempted, reply: None },
        );
        self.modes.resize(self.plan.transfers.len(), Vec::new());
        self.actions.extend(last);
        self.deadline = None;
        let transfers = std::mem::take(&mut self.done);
        let modes = std::mem::take(&mut self.modes);
        self.outcome = Some(ClientOutcome { control: failure.map_or(Ok(()), Err), transfers, modes });
    }
}

impl Machine for ClientSession {
    fn handle(&mut self, now: Instant, input: Input<'_>) {
        if self.outcome.is_some() {
            return;
        }
        match input {
            Input::ControlOpened { local, remote } => self.opened(now, Control { local, remote }),
            Input::ControlFailed(why) => self.finish(Some(ControlFailure::NotConnected(why)), None),
            Input::ControlBytes(bytes) => self.control_bytes(now, bytes),
            // Not every server says goodbye before it closes.
            Input::ControlClosed if matches!(self.state, State::Quitting) => {
                self.finish(None, Some(Action::CloseControl));
            }
            Input::ControlClosed => self.finish(Some(ControlFailure::Closed), Some(Action::CloseControl)),
            Input::ControlReset => self.finish(Some(ControlFailure::Reset), None),
            Input::DataListening { local } => self.data_listening(now, local),
            Input::DataListenFailed => self.data_listen_failed(now),
            Input::DataOpened { .. } => self.data_opened(now),
            Input::DataFailed(why) => self.data_failed(now, why),
            Input::DataBytes(bytes) => self.data_bytes(now, bytes),
            Input::DataProgress => self.data_progress(now),
            Input::DataClosed => self.data_closed(now),
            Input::DataReset => self.data_reset(now),
            Input::DataSent => self.data_sent(now),
        }
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
        if let State::Transfer(_) = self.state {
            self.transfer_timed_out(now);
        } else {
            self.no_reply();
        }
    }

    fn is_finished(&self) -> bool {
        self.outcome.is_some()
    }
}
