//! What is known of a transfer in progress, and what follows from it.

use std::ops::RangeInclusive;

use smoltcp::time::Instant;

use super::TransferFailure;
use crate::ftp::{Action, Reply};

/// A transfer in progress.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) stage: Stage,
    pub(super) socket: Socket,
    /// A 1yz reply to the command came.
    pub(super) begun: bool,
    /// Put: the bytes were handed over, so many.
    pub(super) handed_over: Option<usize>,
    /// Get: all bytes have come. Put: all are acknowledged.
    pub(super) finished: bool,
    pub(super) received: Vec<u8>,
    /// What became of the data connection, kept until the server has said what it makes of it.
    pub(super) failed: Option<TransferFailure>,
    /// The final reply to the command.
    pub(super) reply: Option<Reply>,
    /// Until when the data connection may open.
    pub(super) opens_by: Instant,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The driver is making the listening socket; these ports may be tried besides.
    Listening(Ports),
    /// PORT or EPRT is sent.
    Announcing,
    /// PASV or EPSV is sent.
    Asking,
    /// The driver dials; the command follows.
    Dialling,
    /// The command is sent.
    Running,
}

/// The ports to listen on that were not tried.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ports {
    /// The driver's choice, once.
    Any,
    These(RangeInclusive<u16>),
}

impl Ports {
    /// The next of a range; `None`: none is left, or the driver chooses.
    pub(super) fn next(&mut self) -> Option<u16> {
        match self {
            Self::Any => None,
            Self::These(ports) => ports.next(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Socket {
    None,
    Waiting,
    Open,
    /// Closed by both, reset or dropped: nothing is owed to it.
    Gone,
}

/// How a transfer ended.
pub(super) enum Verdict {
    Received,
    Sent(usize),
    Failed(TransferFailure),
}

impl Attempt {
    pub(super) fn new(stage: Stage, socket: Socket, now: Instant) -> Self {
        Self {
            stage,
            socket,
            begun: false,
            handed_over: None,
            finished: false,
            received: Vec::new(),
            failed: None,
            reply: None,
            opens_by: now,
        }
    }

    /// How it ended, once the server has spoken and there is nothing more to come.
    pub(super) fn verdict(&self, sends: bool) -> Option<Verdict> {
        let reply = self.reply.as_ref()?;
        if !reply.is_positive() {
            return Some(Verdict::Failed(self.failure(reply)));
        }
        match self.handed_over {
            // The server has it all, even where the last acknowledgement is still on its way.
            Some(bytes) => return Some(Verdict::Sent(bytes)),
            None if sends => return Some(Verdict::Failed(TransferFailure::NotCompleted)),
            None => {}
        }
        match &self.failed {
            Some(failed) => Some(Verdict::Failed(failed.clone())),
            None if self.finished => Some(Verdict::Received),
            // "Transfer complete" can overtake the bytes.
            None => None,
        }
    }

    fn failure(&self, reply: &Reply) -> TransferFailure {
        match (reply.code, &self.failed) {
            (425, _) => TransferFailure::NotOpenedByServer,
            (_, Some(failed)) => failed.clone(),
            (426, None) => TransferFailure::Broke,
            (_, None) if self.begun => TransferFailure::NotCompleted,
            (_, None) => TransferFailure::Refused,
        }
    }

    /// Whether bytes are due on the data connection.
    pub(super) fn is_moving(&self) -> bool {
        let started =
            self.begun || self.handed_over.is_some() || self.reply.is_some() || !self.received.is_empty();
        self.socket == Socket::Open && started && !self.finished
    }

    /// What is still to be done about the data socket.
    pub(super) fn last_action(&self) -> Option<Action> {
        match self.socket {
            Socket::Waiting => Some(Action::AbortData),
            Socket::Open if self.handed_over.is_none() => Some(Action::CloseData),
            Socket::Open if !self.finished => Some(Action::AbortData),
            Socket::Open | Socket::None | Socket::Gone => None,
        }
    }
}
