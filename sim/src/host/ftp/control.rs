//! The control connection of a session: what arrives on it, and what is to leave.

use std::collections::VecDeque;

use smoltcp::time::Instant;

use super::super::stack::{Connection, ConnectionState, Stack};
use super::super::tls::{Tls, TlsFailure};
use super::Driver;
use crate::ftp::Input;

pub(super) struct Control {
    pub(super) connection: Option<Connection>,
    opened: bool,
    peer_closed: bool,
    writes: Writes,
    pub(super) close: bool,
    tls: Option<Tls>,
}

/// What is still to be sent. One entry is one write, so that it leaves as one segment.
#[derive(Default)]
struct Writes {
    queue: VecDeque<Write>,
    /// The last write was a piece of a command: the next waits until it is acknowledged.
    waits: bool,
}

struct Write {
    bytes: Vec<u8>,
    /// Nothing may share a segment with it.
    alone: bool,
}

impl Driver {
    pub(super) fn pump_control(&mut self, now: Instant, stack: &mut impl Stack) -> bool {
        let Some(connection) = self.control.connection else { return false };
        let state = stack.state(connection);
        if !self.control.opened {
            return match state {
                ConnectionState::Open | ConnectionState::PeerClosed => {
                    self.control.opened = true;
                    let Some((local, remote)) = stack.ends(connection) else { return false };
                    self.tell(now, stack, Input::ControlOpened { local, remote })
                }
                ConnectionState::Closed(why) => {
                    self.control.connection = None;
                    stack.remove(connection);
                    self.tell(now, stack, Input::ControlFailed(why))
                }
                ConnectionState::Opening => false,
            };
        }
        if let Some(bytes) = stack.receive(connection) {
            return self.take_control(now, stack, bytes);
        }
        if !self.control.peer_closed && state == ConnectionState::PeerClosed {
            self.control.peer_closed = true;
            return self.tell(now, stack, Input::ControlClosed);
        }
        if let ConnectionState::Closed(_) = state {
            self.control.connection = None;
            stack.remove(connection);
            if !self.control.peer_closed {
                return self.tell(now, stack, Input::ControlReset);
            }
        }
        false
    }

    /// Bytes of the control connection, out of their TLS records if it has them.
    fn take_control(&mut self, now: Instant, stack: &mut impl Stack, mut bytes: Vec<u8>) -> bool {
        if let Some(tls) = &mut self.control.tls {
            let plain = tls.take(&bytes);
            self.control.writes.push(tls.leaving(), false);
            match plain {
                Ok(plain) => bytes = plain,
                Err(error) => return self.give_up_control(now, stack, &error),
            }
        }
        bytes.is_empty() || self.tell(now, stack, Input::ControlBytes(&bytes))
    }

    fn give_up_control(&mut self, now: Instant, stack: &mut impl Stack, error: &TlsFailure) -> bool {
        log::debug!("{}: the control connection is reset: {error}", stack.address());
        if let Some(connection) = self.control.connection {
            while !self.control.writes.queue.is_empty() && self.control.writes.send(connection, stack) {}
            stack.abort(connection);
        }
        self.tell(now, stack, Input::ControlReset)
    }

    pub(super) fn write_control(&mut self, stack: &mut impl Stack) -> bool {
        let Some(connection) = self.control.connection.filter(|_| self.control.opened) else { return false };
        if !self.control.writes.queue.is_empty() {
            return self.control.writes.send(connection, stack);
        }
        if self.control.close {
            if let Some(tls) = &mut self.control.tls {
                tls.close();
                self.control.writes.push(tls.leaving(), false);
                if self.control.writes.send(connection, stack) {
                    return true;
                }
            }
            self.control.close = false;
            stack.close(connection);
            return true;
        }
        false
    }

    pub(super) fn secure_control(&mut self, now: Instant, stack: &mut impl Stack) {
        match self.tls("control", stack.address()) {
            Ok(mut tls) => {
                self.control.writes.push(tls.leaving(), false);
                self.control.tls = Some(tls);
            }
            Err(error) => {
                log::error!("{}: {error}", stack.address());
                self.session.machine().handle(now, Input::ControlReset);
            }
        }
    }
}

impl Control {
    pub(super) fn new(connection: Option<Connection>) -> Self {
        Self {
            connection,
            opened: false,
            peer_closed: false,
            writes: Writes::default(),
            close: false,
            tls: None,
        }
    }

    /// Queues what the machine sends; a TLS record is a write too.
    pub(super) fn send(&mut self, bytes: Vec<u8>, alone: bool) {
        let bytes = match &mut self.tls {
            None => bytes,
            Some(tls) => {
                tls.put(&bytes);
                tls.leaving()
            }
        };
        self.writes.push(bytes, alone);
    }
}

impl Writes {
    fn push(&mut self, bytes: Vec<u8>, alone: bool) {
        if !bytes.is_empty() {
            self.queue.push_back(Write { bytes, alone });
        }
    }

    /// Gives the socket the next write, or what it has room for.
    fn send(&mut self, connection: Connection, stack: &mut impl Stack) -> bool {
        if self.waits && !stack.is_delivered(connection) {
            return false;
        }
        let Some(write) = self.queue.front_mut() else { return false };
        let sent = stack.send(connection, &write.bytes);
        self.waits = write.alone;
        if sent == write.bytes.len() {
            self.queue.pop_front();
        } else {
            write.bytes.drain(..sent);
        }
        sent > 0
    }
}
