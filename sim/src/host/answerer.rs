//! The end that answers: each request that comes, over UDP or TCP.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use super::exchange::Carrier;
use super::stack::{Connection, ConnectionState, Datagrams, Listener, Stack};

/// The answering end.
pub(super) struct Answerer {
    request_length: usize,
    answer: Vec<u8>,
    socket: AnsweringSocket,
    seen: Seen,
}

/// What an answering end has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whole requests that came.
    pub requests: u32,
    /// Who sent them, as seen from here, in the order they were first seen.
    pub from: Vec<SocketAddrV4>,
}

enum AnsweringSocket {
    Udp(Datagrams),
    Tcp { listener: Listener, connections: BTreeMap<Connection, Conversation> },
}

#[derive(Default)]
struct Conversation {
    came: usize,
    to_send: Vec<u8>,
    closing: bool,
}

impl Answerer {
    /// Answers each `request_length` bytes that come to `port` with `answer`; `None`: the port is taken.
    pub(super) fn open(
        carrier: Carrier,
        port: u16,
        request_length: usize,
        answer: Vec<u8>,
        stack: &mut impl Stack,
    ) -> Option<Self> {
        let socket = match carrier {
            Carrier::Udp => AnsweringSocket::Udp(stack.bind(Some(port))?.0),
            Carrier::Tcp => {
                let (listener, _) = stack.listen(Some(port))?;
                AnsweringSocket::Tcp { listener, connections: BTreeMap::new() }
            }
        };
        Some(Self { request_length: request_length.max(1), answer, socket, seen: Seen::default() })
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    pub(super) fn pump(&mut self, stack: &mut impl Stack) -> bool {
        match &mut self.socket {
            AnsweringSocket::Udp(socket) => {
                let Some((from, payload)) = stack.receive_from(*socket) else { return false };
                if payload.len() >= self.request_length {
                    self.seen.note(from);
                    if !self.answer.is_empty() {
                        stack.send_to(*socket, from, &self.answer);
                    }
                }
                true
            }
            AnsweringSocket::Tcp { listener, connections } => {
                let mut moved = false;
                if let Some(connection) = stack.accept(*listener) {
                    connections.insert(connection, Conversation::default());
                    moved = true;
                }
                connections.retain(|connection, conversation| {
                    if let ConnectionState::Closed(_) = stack.state(*connection) {
                        stack.remove(*connection);
                        return false;
                    }
                    moved |= conversation.pump(
                        *connection,
                        (self.request_length, &self.answer),
                        &mut self.seen,
                        stack,
                    );
                    true
                });
                moved
            }
        }
    }

    pub(super) fn close(self, stack: &mut impl Stack) {
        match self.socket {
            AnsweringSocket::Udp(socket) => stack.unbind(socket),
            AnsweringSocket::Tcp { listener, connections } => {
                stack.unlisten(listener);
                for connection in connections.into_keys() {
                    stack.abort(connection);
                    stack.remove(connection);
                }
            }
        }
    }
}

impl Conversation {
    fn pump(
        &mut self,
        connection: Connection,
        (request_length, answer): (usize, &[u8]),
        seen: &mut Seen,
        stack: &mut impl Stack,
    ) -> bool {
        let mut moved = false;
        if let Some(bytes) = stack.receive(connection) {
            moved = true;
            self.came += bytes.len();
            while self.came >= request_length {
                self.came -= request_length;
                if let Some((_, from)) = stack.ends(connection) {
                    seen.note(from);
                }
                self.to_send.extend_from_slice(answer);
            }
        }
        if !self.to_send.is_empty() {
            let taken = stack.send(connection, &self.to_send);
            self.to_send.drain(..taken);
            moved |= taken > 0;
        }
        if !self.closing && self.to_send.is_empty() && stack.state(connection) == ConnectionState::PeerClosed
        {
            self.closing = true;
            stack.close(connection);
            moved = true;
        }
        moved
    }
}

impl Seen {
    fn note(&mut self, from: SocketAddrV4) {
        self.requests += 1;
        if !self.from.contains(&from) {
            self.from.push(from);
        }
    }
}
