//! One transfer of a client: agree on a data connection, send the command, move the bytes, hear the verdict.
//!
//! The events of the two connections come in any order: data before the 150, the 226 before the last byte. So each
//! event is noted in the [`Attempt`](super::attempt::Attempt), and `ClientSession::progress` looks at all of it.

use std::net::SocketAddrV4;

use smoltcp::time::Instant;

use super::attempt::{Attempt, Ports, Socket, Stage, Verdict};
use super::{
    ClientSession, ControlFailure, DataMode, Fallback, ModeTried, State, Transfer, TransferFailure,
    TransferOutcome, Trouble,
};
use crate::ftp::host_port::{find_extended_port, format_extended};
use crate::ftp::{
    Action, DataType, Failure, HostPortError, Reply, after, ascii, find_host_port, format_host_port,
};

impl ClientSession {
    pub(super) fn next_transfer(&mut self, now: Instant) {
        let unsendable = |transfer: &Transfer| transfer.command().contains(['\r', '\n']);
        while self.plan.transfers.get(self.done.len()).is_some_and(unsendable) {
            self.end_transfer(TransferOutcome::Failed { what: TransferFailure::Unsendable, reply: None });
        }
        let (Some(control), true) = (self.control, self.done.len() < self.plan.transfers.len()) else {
            self.quit(now);
            return;
        };
        match self.mode {
            DataMode::Port | DataMode::Eprt => {
                let ports = self.plan.data_ports.clone();
                self.listen(now, ports.map_or(Ports::Any, Ports::These));
            }
            DataMode::NoCommand => {
                let port = control.local.port();
                self.listen(now, Ports::These(port..=port));
            }
            DataMode::Pasv | DataMode::Epsv => self.ask(now, self.mode.verb()),
        }
    }

    fn listen(&mut self, now: Instant, mut ports: Ports) {
        let port = ports.next();
        self.state = State::Transfer(Attempt::new(Stage::Listening(ports), Socket::Waiting, now));
        self.await_reply(now);
        self.open_data(Action::ListenData { port });
    }

    /// Has a data socket made, protected as the session is.
    fn open_data(&mut self, action: Action) {
        self.actions.push_back(action);
        if self.plan.tls {
            self.actions.push_back(Action::SecureData);
        }
    }

    fn ask(&mut self, now: Instant, command: &str) {
        self.state = State::Transfer(Attempt::new(Stage::Asking, Socket::None, now));
        self.send(now, command);
    }

    pub(super) fn data_listening(&mut self, now: Instant, local: SocketAddrV4) {
        let (State::Transfer(attempt), Some(control)) = (&mut self.state, self.control) else { return };
        if !matches!(attempt.stage, Stage::Listening(_)) {
            return;
        }
        attempt.stage = Stage::Announcing;
        let announced = SocketAddrV4::new(self.plan.announce.unwrap_or(*control.local.ip()), local.port());
        match self.mode {
            DataMode::Port => self.send(now, &format!("PORT {}", format_host_port(announced))),
            DataMode::Eprt => self.send(now, &format!("EPRT {}", format_extended(announced))),
            DataMode::NoCommand | DataMode::Pasv | DataMode::Epsv => self.run(now),
        }
    }

    pub(super) fn data_listen_failed(&mut self, now: Instant) {
        let State::Transfer(attempt) = &mut self.state else { return };
        let Stage::Listening(ports) = &mut attempt.stage else { return };
        if let Some(port) = ports.next() {
            self.open_data(Action::ListenData { port: Some(port) });
        } else {
            attempt.socket = Socket::Gone;
            self.fail(now, TransferFailure::NotListening, None);
        }
    }

    /// A final reply while a transfer is in progress.
    pub(super) fn transfer_reply(&mut self, now: Instant, reply: Reply) {
        let State::Transfer(attempt) = &mut self.state else { return };
        match attempt.stage {
            Stage::Announcing if reply.is_positive() => self.run(now),
            Stage::Asking if reply.is_positive() => self.dial(now, reply),
            Stage::Announcing | Stage::Asking => {
                let command = self.mode.verb();
                self.fail(now, TransferFailure::SetupRefused { command }, Some(reply));
            }
            Stage::Running => {
                attempt.reply = Some(reply);
                self.progress(now);
            }
            // A reply to nothing is not taken for the reply to what is sent next.
            Stage::Listening(_) | Stage::Dialling => {}
        }
    }

    /// Dials where the reply to PASV or EPSV says.
    fn dial(&mut self, now: Instant, reply: Reply) {
        let (State::Transfer(attempt), Some(control)) = (&mut self.state, self.control) else { return };
        let peer = *control.remote.ip();
        let announced = match self.mode {
            DataMode::Epsv => find_extended_port(reply.text()).map(|port| SocketAddrV4::new(peer, port)),
            _ => find_host_port(reply.text()),
        };
        let dialable =
            |to: SocketAddrV4| if to.port() == 0 { Err(HostPortError::OutOfRange) } else { Ok(to) };
        match announced.and_then(dialable) {
            Ok(announced) => {
                let Some(host) = self.plan.trust_passive_address.dialled(*announced.ip(), peer) else {
                    self.fail(now, TransferFailure::ForeignPassiveAddress, Some(reply));
                    return;
                };
                let to = SocketAddrV4::new(host, announced.port());
                attempt.stage = Stage::Dialling;
                attempt.socket = Socket::Waiting;
                self.deadline = Some(after(now, self.plan.data_timeout));
                self.open_data(Action::ConnectData { from_port: None, to });
            }
            Err(error) => {
                let command = self.mode.verb();
                self.fail(now, TransferFailure::NoAddress { command, error }, Some(reply));
            }
        }
    }

    /// Sends the command itself.
    fn run(&mut self, now: Instant) {
        let State::Transfer(attempt) = &mut self.state else { return };
        let Some(transfer) = self.plan.transfers.get(self.done.len()) else { return };
        let command = transfer.command();
        attempt.stage = Stage::Running;
        attempt.opens_by = after(now, self.plan.data_timeout);
        let opens_by = attempt.opens_by;
        let open = attempt.socket == Socket::Open;
        self.send(now, &command);
        if !open {
            self.deadline = Some(opens_by);
        }
    }

    /// A 1yz reply. Only the first counts: a server cannot buy time with more of them.
    pub(super) fn transfer_begun(&mut self, now: Instant) {
        if let State::Transfer(attempt) = &mut self.state
            && attempt.stage == Stage::Running
            && !attempt.begun
        {
            attempt.begun = true;
            self.progress(now);
        }
    }

    pub(super) fn data_opened(&mut self, now: Instant) {
        let State::Transfer(attempt) = &mut self.state else { return };
        if attempt.socket != Socket::Waiting {
            return;
        }
        attempt.socket = Socket::Open;
        match attempt.stage {
            Stage::Dialling => self.run(now),
            Stage::Running => self.progress(now),
            Stage::Listening(_) | Stage::Announcing | Stage::Asking => {}
        }
    }

    pub(super) fn data_failed(&mut self, now: Instant, why: Failure) {
        let State::Transfer(attempt) = &mut self.state else { return };
        if attempt.socket != Socket::Waiting {
            return;
        }
        match attempt.stage {
            Stage::Dialling => {
                attempt.socket = Socket::Gone;
                self.fail(now, TransferFailure::NotOpened(why), None);
            }
            Stage::Running => {
                attempt.socket = Socket::Gone;
                attempt.failed = Some(TransferFailure::NotOpened(why));
                self.progress(now);
            }
            // Nothing is dialled, and the reply to PORT is still owed: going on now would take it for another's.
            Stage::Listening(_) | Stage::Announcing | Stage::Asking => {}
        }
    }

    pub(super) fn data_bytes(&mut self, now: Instant, bytes: &[u8]) {
        let limit = self.plan.max_received;
        let Some(attempt) = self.moving_attempt() else { return };
        if attempt.received.len().saturating_add(bytes.len()) <= limit {
            attempt.received.extend_from_slice(bytes);
        } else {
            self.break_off(TransferFailure::TooLong);
        }
        self.progress(now);
    }

    pub(super) fn data_progress(&mut self, now: Instant) {
        if self.moving_attempt().is_some_and(|attempt| attempt.handed_over.is_some()) {
            self.progress(now);
        }
    }

    pub(super) fn data_closed(&mut self, now: Instant) {
        let sends = self.sends();
        let Some(attempt) = self.moving_attempt() else { return };
        // A server that closes its half may still be reading.
        if !sends {
            attempt.finished = true;
            attempt.socket = Socket::Gone;
            self.actions.push_back(Action::CloseData);
            self.progress(now);
        }
    }

    pub(super) fn data_reset(&mut self, now: Instant) {
        let Some(attempt) = self.moving_attempt() else {
            self.data_failed(now, Failure::Refused);
            return;
        };
        attempt.socket = Socket::Gone;
        if !attempt.finished {
            attempt.failed = Some(TransferFailure::Broke);
        }
        self.progress(now);
    }

    pub(super) fn data_sent(&mut self, now: Instant) {
        if let Some(attempt) = self.moving_attempt()
            && attempt.handed_over.is_some()
        {
            attempt.finished = true;
            self.progress(now);
        }
    }

    pub(super) fn transfer_timed_out(&mut self, now: Instant) {
        let State::Transfer(attempt) = &mut self.state else { return };
        match (&attempt.stage, attempt.socket) {
            (Stage::Listening(_), _) => self.fail(now, TransferFailure::NotListening, None),
            (Stage::Dialling, _) => self.fail(now, TransferFailure::NotOpened(Failure::TimedOut), None),
            (Stage::Running, _) if attempt.failed.is_some() => self.give_up(now),
            (Stage::Running, Socket::Waiting) => {
                // The server's own account of it, a 425, may be on its way: wait for that too.
                self.break_off(TransferFailure::NotOpened(Failure::TimedOut));
                self.progress(now);
            }
            (Stage::Running, Socket::Open) if attempt.is_moving() => {
                self.break_off(TransferFailure::Stalled);
                self.progress(now);
            }
            (Stage::Announcing | Stage::Asking | Stage::Running, _) => self.no_reply(),
        }
    }

    /// Looks at what is known of a running transfer: what is to be done next, and until when to wait.
    fn progress(&mut self, now: Instant) {
        let sends = self.sends();
        let State::Transfer(attempt) = &mut self.state else { return };
        if sends && attempt.begun && attempt.socket == Socket::Open && attempt.handed_over.is_none() {
            self.hand_over();
        }
        let State::Transfer(attempt) = &mut self.state else { return };
        if let Some(verdict) = attempt.verdict(sends) {
            self.conclude(now, verdict);
            return;
        }
        self.deadline = Some(match attempt.socket {
            Socket::Waiting => attempt.opens_by,
            _ if attempt.is_moving() => after(now, self.plan.data_timeout),
            _ => after(now, self.plan.reply_timeout),
        });
    }

    /// Puts the file on the data connection.
    fn hand_over(&mut self) {
        let (State::Transfer(attempt), Some(Transfer::Put { bytes, .. })) =
            (&mut self.state, self.plan.transfers.get(self.done.len()))
        else {
            return;
        };
        let bytes = match self.plan.data_type {
            DataType::Image => bytes.clone(),
            DataType::Ascii => ascii::to_wire(bytes),
        };
        attempt.handed_over = Some(bytes.len());
        if !bytes.is_empty() {
            self.actions.push_back(Action::SendData(bytes));
        }
        self.actions.push_back(Action::CloseData);
    }

    fn conclude(&mut self, now: Instant, verdict: Verdict) {
        let State::Transfer(attempt) = &mut self.state else { return };
        let outcome = match verdict {
            Verdict::Failed(what) => {
                let reply = attempt.reply.take();
                self.fail(now, what, reply);
                return;
            }
            Verdict::Sent(bytes) => TransferOutcome::Sent { bytes },
            Verdict::Received => {
                let wire = std::mem::take(&mut attempt.received);
                TransferOutcome::Received(match self.plan.data_type {
                    DataType::Image => wire,
                    DataType::Ascii => ascii::from_wire(&wire),
                })
            }
        };
        self.tried.push(ModeTried { mode: self.mode, failure: None });
        self.end_transfer(outcome);
        self.next_transfer(now);
    }

    /// Drops the data connection and remembers why, until the server's reply.
    fn break_off(&mut self, why: TransferFailure) {
        if let State::Transfer(attempt) = &mut self.state {
            attempt.socket = Socket::Gone;
            attempt.failed = Some(why);
            self.actions.push_back(Action::AbortData);
        }
    }

    fn fail(&mut self, now: Instant, what: TransferFailure, reply: Option<Reply>) {
        if let State::Transfer(attempt) = &self.state {
            let last = attempt.last_action();
            self.actions.extend(last);
        }
        self.tried.push(ModeTried { mode: self.mode, failure: Some(what.clone()) });
        let again = self.tries_again(&what).then_some(self.mode);
        match again.or_else(|| self.other_way(&what)) {
            Some(mode) => self.mode = mode,
            None => self.end_transfer(TransferOutcome::Failed { what, reply }),
        }
        self.next_transfer(now);
    }

    /// Whether the same way is tried once more: another port may do.
    fn tries_again(&self, what: &TransferFailure) -> bool {
        let tries = self.tried.iter().filter(|tried| tried.mode == self.mode).count();
        let dials = matches!(self.mode, DataMode::Pasv | DataMode::Epsv);
        dials && what.trouble() == Some(Trouble::NotOpened) && tries < self.plan.passive_tries
    }

    /// The way to try next, after this one failed.
    fn other_way(&self, what: &TransferFailure) -> Option<DataMode> {
        let trouble = what.trouble()?;
        let fits = |rule: &&Fallback| {
            let is_new = self.tried.iter().all(|tried| tried.mode != rule.to);
            rule.from == self.mode && rule.on == trouble && is_new
        };
        self.plan.fallbacks.iter().find(fits).map(|rule| rule.to)
    }

    fn end_transfer(&mut self, outcome: TransferOutcome) {
        self.done.push(outcome);
        self.modes.push(std::mem::take(&mut self.tried));
    }

    /// The data connection failed and the server says nothing about it: QUIT, which it may still answer.
    fn give_up(&mut self, now: Instant) {
        if let State::Transfer(attempt) = &mut self.state
            && let Some(what) = attempt.failed.take()
        {
            self.tried.push(ModeTried { mode: self.mode, failure: Some(what.clone()) });
            self.end_transfer(TransferOutcome::Failed { what, reply: None });
            self.quit(now);
        }
    }

    /// The session ends during the transfer.
    pub(super) fn end_attempt(&mut self, attempt: &Attempt, failure: Option<&ControlFailure>) {
        self.actions.extend(attempt.last_action());
        let failure = failure.cloned().unwrap_or(ControlFailure::Closed);
        let reply = match &failure {
            ControlFailure::ServiceClosing(reply) => Some(reply.clone()),
            _ => None,
        };
        let what = attempt.failed.clone().unwrap_or(TransferFailure::SessionEnded(failure));
        self.tried.push(ModeTried { mode: self.mode, failure: Some(what.clone()) });
        self.end_transfer(TransferOutcome::Failed { what, reply });
    }

    /// The attempt, if its command is sent and its data connection open.
    fn moving_attempt(&mut self) -> Option<&mut Attempt> {
        match &mut self.state {
            State::Transfer(attempt) if attempt.stage == Stage::Running && attempt.socket == Socket::Open => {
                Some(attempt)
            }
            _ => None,
        }
    }

    /// Whether the transfer in progress goes to the server.
    fn sends(&self) -> bool {
        matches!(self.plan.transfers.get(self.done.len()), Some(Transfer::Put { .. }))
    }
}
