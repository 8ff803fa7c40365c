//! The end that asks: requests over UDP or TCP, and what comes back. The plainest program that shows what a router does
//! with a protocol.

use std::net::SocketAddrV4;

use smoltcp::time::{Duration, Instant};
use thiserror::Error;

use super::stack::{Connection, ConnectionState, Datagrams, Stack};
use crate::ftp::Failure;

/// Over which protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// One datagram each way.
    Udp,
    /// One connection for all rounds.
    Tcp,
}

/// What the asking end does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangePlan {
    /// Over which protocol.
    pub carrier: Carrier,
    /// From this port, or from any.
    pub source_port: Option<u16>,
    /// Whom it asks.
    pub to: SocketAddrV4,
    /// What it sends.
    pub request: Vec<u8>,
    /// What it waits for; empty: for nothing.
    pub answer: Vec<u8>,
    /// How many requests.
    pub times: u32,
    /// From one request to the next.
    pub every: Duration,
    /// How long to wait for a connection, and for an answer.
    pub patience: Duration,
}

/// What became of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeOutcome {
    /// Requests sent.
    pub sent: u32,
    /// Requests whose answer came, to the letter.
    pub answered: u32,
    /// Why not all of them were.
    pub failure: Option<ExchangeFailure>,
}

/// Why an exchange failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExchangeFailure {
    /// The source port is taken.
    #[error("source port already taken")]
    PortTaken,
    /// A datagram has no room for the request.
    #[error("the request is longer than a datagram can be")]
    TooLong,
    /// No connection.
    #[error("connection {0}")]
    NotConnected(Failure),
    /// The connection broke, or was closed by the other end.
    #[error("connection broke")]
    Broke,
    /// Nothing came back in time.
    #[error("no answer")]
    NoAnswer,
    /// Other bytes than expected came back.
    #[error("another answer than expected")]
    WrongAnswer,
}

/// The asking end.
pub(super) struct Exchange {
    plan: ExchangePlan,
    socket: Socket,
    sent: u32,
    answered: u32,
    /// What came since the last request.
    came: Vec<u8>,
    /// What of the request the stack has not taken yet.
    to_send: Vec<u8>,
    waits: Waits,
    outcome: Option<ExchangeOutcome>,
    failure: Option<ExchangeFailure>,
}

enum Socket {
    None,
    Udp(Datagrams),
    Tcp(Connection),
}

/// What it waits for.
enum Waits {
    Connecting { until: Instant },
    Answer { until: Instant, next: Instant },
    Next { at: Instant },
}

impl Exchange {
    pub(super) fn start(plan: ExchangePlan, now: Instant, stack: &mut impl Stack) -> Self {
        let socket = match plan.carrier {
            Carrier::Udp => stack.bind(plan.source_port).map(|(socket, _)| Socket::Udp(socket)),
            Carrier::Tcp => stack.dial(plan.source_port, plan.to).map(Socket::Tcp),
        };
        let waits = match plan.carrier {
            Carrier::Udp => Waits::Next { at: now },
            Carrier::Tcp => Waits::Connecting { until: now + plan.patience },
        };
        let mut exchange = Self {
            plan,
            socket: Socket::None,
            sent: 0,
            answered: 0,
            came: Vec::new(),
            to_send: Vec::new(),
            waits,
            outcome: None,
            failure: None,
        };
        match socket {
            Some(socket) => exchange.socket = socket,
            None => exchange.finish(Some(ExchangeFailure::PortTaken), stack),
        }
        exchange
    }

    pub(super) fn outcome(&self) -> Option<&ExchangeOutcome> {
        self.outcome.as_ref()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        if self.outcome.is_some() {
            return None;
        }
        Some(match self.waits {
            Waits::Connecting { until } | Waits::Answer { until, .. } => until,
            Waits::Next { at } => at,
        })
    }

    pub(super) fn pump(&mut self, now: Instant, stack: &mut impl Stack) -> bool {
        if self.outcome.is_some() {
            return self.linger(stack);
        }
        let moved = self.push(stack) | self.take_in(now, stack);
        if self.outcome.is_some() {
            return true;
        }
        match self.waits {
            Waits::Connecting { until } if until <= now => {
                self.finish(Some(ExchangeFailure::NotConnected(Failure::TimedOut)), stack);
                true
            }
            Waits::Answer { until, next } if until <= now => {
                self.failure.get_or_insert(ExchangeFailure::NoAnswer);
                self.round_over(now, next, stack);
                true
            }
            Waits::Next { at } if at <= now => {
                self.ask(now, stack);
                true
            }
            _ => moved,
        }
    }

    fn ask(&mut self, now: Instant, stack: &mut impl Stack) {
        self.sent += 1;
        self.came.clear();
        match self.socket {
            Socket::Udp(socket) => {
                if !stack.send_to(socket, self.plan.to, &self.plan.request) {
                    self.finish(Some(ExchangeFailure::TooLong), stack);
                    return;
                }
            }
            Socket::Tcp(_) => {
                self.to_send.extend_from_slice(&self.plan.request);
                self.push(stack);
            }
            Socket::None => {}
        }
        let next = now + self.plan.every;
        if self.plan.answer.is_empty() {
            self.round_over(now, next, stack);
        } else {
            self.waits = Waits::Answer { until: now + self.plan.patience, next };
        }
    }

    fn push(&mut self, stack: &mut impl Stack) -> bool {
        let Socket::Tcp(connection) = self.socket else { return false };
        if self.to_send.is_empty() {
            return false;
        }
        let taken = stack.send(connection, &self.to_send);
        self.to_send.drain(..taken);
        taken > 0
    }

    fn take_in(&mut self, now: Instant, stack: &mut impl Stack) -> bool {
        match self.socket {
            Socket::Udp(socket) => {
                let Some((from, payload)) = stack.receive_from(socket) else { return false };
                // As of a connected socket: others' datagrams are not for it.
                if from != self.plan.to {
                    return true;
                }
                self.came = payload;
            }
            Socket::Tcp(connection) => {
                let state = stack.state(connection);
                if let (Waits::Connecting { .. }, ConnectionState::Open | ConnectionState::PeerClosed) =
                    (&self.waits, state)
                {
                    self.waits = Waits::Next { at: now };
                    return true;
                }
                // What came before the end is read first.
                match (stack.receive(connection), state) {
                    (Some(bytes), _) => self.came.extend(bytes),
                    (None, ConnectionState::Closed(why)) => {
                        let failure = match self.waits {
                            Waits::Connecting { .. } => ExchangeFailure::NotConnected(why),
                            _ => ExchangeFailure::Broke,
                        };
                        self.finish(Some(failure), stack);
                        return true;
                    }
                    (None, ConnectionState::PeerClosed) => {
                        self.finish(Some(ExchangeFailure::Broke), stack);
                        return true;
                    }
                    (None, ConnectionState::Opening | ConnectionState::Open) => return false,
                }
            }
            Socket::None => return false,
        }
        // A datagram is an answer, right or wrong; on a connection it is complete by its length.
        let is_whole = self.came.len() >= self.plan.answer.len() || matches!(self.socket, Socket::Udp(_));
        if let Waits::Answer { next, .. } = self.waits
            && is_whole
        {
            if self.came == self.plan.answer {
                self.answered += 1;
            } else {
                self.failure.get_or_insert(ExchangeFailure::WrongAnswer);
            }
            self.round_over(now, next, stack);
        }
        true
    }

    fn round_over(&mut self, now: Instant, next: Instant, stack: &mut impl Stack) {
        if self.sent >= self.plan.times {
            self.finish(None, stack);
        } else {
            self.waits = Waits::Next { at: next.max(now) };
        }
    }

    fn finish(&mut self, failure: Option<ExchangeFailure>, stack: &mut impl Stack) {
        match self.socket {
            // Bytes may wait behind a full window; the FIN goes behind them.
            Socket::Tcp(connection) => stack.close(connection),
            Socket::Udp(socket) => stack.unbind(socket),
            Socket::None => {}
        }
        if let Socket::Udp(_) = self.socket {
            self.socket = Socket::None;
        }
        let failure = self.failure.take().or(failure);
        self.outcome = Some(ExchangeOutcome { sent: self.sent, answered: self.answered, failure });
    }

    /// A connection goes on until both ends have closed it.
    fn linger(&mut self, stack: &mut impl Stack) -> bool {
        if let Socket::Tcp(connection) = self.socket {
            while stack.receive(connection).is_some() {}
            if let ConnectionState::Closed(_) = stack.state(connection) {
                stack.remove(connection);
                self.socket = Socket::None;
            }
        }
        false
    }

    /// Whether nothing of it is left.
    pub(super) fn is_gone(&self) -> bool {
        self.outcome.is_some() && matches!(self.socket, Socket::None)
    }
}
