//! Echo requests, and what comes back.

use std::net::Ipv4Addr;

use smoltcp::time::{Duration, Instant};

use super::stack::{Echo, EchoAnswer, EchoAnswerKind, Stack};

/// What to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PingPlan {
    /// Whom.
    pub to: Ipv4Addr,
    /// How many requests.
    pub count: u16,
    /// From one request to the next.
    pub every: Duration,
    /// How long to wait for answers after the last one.
    pub patience: Duration,
    /// Bytes of payload.
    pub length: u16,
    /// The requests' time to live.
    pub time_to_live: u8,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PingOutcome {
    /// Requests sent.
    pub sent: u16,
    /// Requests whose reply came with the payload as it was sent; a second reply to one does not count.
    pub answered: u16,
    /// Other answers, in the order they came.
    pub errors: Vec<EchoAnswer>,
}

pub(super) struct Ping {
    plan: PingPlan,
    socket: Option<Echo>,
    sent: u16,
    answered: Vec<u16>,
    errors: Vec<EchoAnswer>,
    next: Instant,
    outcome: Option<PingOutcome>,
}

impl Ping {
    pub(super) fn start(plan: PingPlan, identifier: u16, now: Instant, stack: &mut impl Stack) -> Self {
        let socket = stack.open_echo(identifier, plan.time_to_live);
        let mut ping = Self {
            plan,
            socket,
            sent: 0,
            answered: Vec::new(),
            errors: Vec::new(),
            next: now,
            outcome: None,
        };
        if ping.socket.is_none() {
            ping.finish(stack);
        }
        ping
    }

    pub(super) fn outcome(&self) -> Option<&PingOutcome> {
        self.outcome.as_ref()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.outcome.is_none().then_some(self.next)
    }

    pub(super) fn pump(&mut self, now: Instant, stack: &mut impl Stack) -> bool {
        let Some(socket) = self.socket else { return false };
        let mut moved = false;
        while let Some(answer) = stack.receive_echo(socket) {
            moved = true;
            self.note(answer);
        }
        // An error does not say which request it is about: of several it is waited for those that may still come.
        let all_heard = self.answered.len() == usize::from(self.plan.count)
            || (self.plan.count == 1 && !self.errors.is_empty());
        if self.sent == self.plan.count && all_heard {
            self.finish(stack);
        } else if self.next <= now {
            moved = true;
            if self.sent < self.plan.count {
                self.ask(socket, now, stack);
            } else {
                self.finish(stack);
            }
        }
        moved
    }

    fn ask(&mut self, socket: Echo, now: Instant, stack: &mut impl Stack) {
        self.sent += 1;
        stack.send_echo(socket, self.plan.to, self.sent, &payload(self.plan.length));
        let wait = if self.sent < self.plan.count { self.plan.every } else { self.plan.patience };
        self.next = now + wait;
    }

    fn note(&mut self, answer: EchoAnswer) {
        match &answer.kind {
            EchoAnswerKind::Reply(sequence, bytes) => {
                let sound = answer.from == self.plan.to && *bytes == payload(self.plan.length);
                if sound && !self.answered.contains(sequence) {
                    self.answered.push(*sequence);
                }
            }
            EchoAnswerKind::Unreachable(_) | EchoAnswerKind::TimeExceeded => self.errors.push(answer),
        }
    }

    fn finish(&mut self, stack: &mut impl Stack) {
        if let Some(socket) = self.socket.take() {
            stack.close_echo(socket);
        }
        self.outcome = Some(PingOutcome {
            sent: self.sent,
            answered: u16::try_from(self.answered.len()).unwrap_or(u16::MAX),
            errors: std::mem::take(&mut self.errors),
        });
    }
}

/// The letters that `ping` programs have always sent, over and over.
fn payload(length: u16) -> Vec<u8> {
    (b'a'..=b'w').cycle().take(usize::from(length)).collect()
}
