//! The data connections of a session: the one that is under way, and those that still say what they have to say.

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use smoltcp::time::Instant;

use super::super::stack::{Connection, ConnectionState, Listener, Stack};
use super::super::tls::Tls;
use super::Driver;
use crate::ftp::{Failure, Input};

pub(super) struct Data {
    socket: Socket,
    opened: bool,
    peer_closed: bool,
    /// Bytes as they go on the wire.
    out: VecDeque<u8>,
    close: Close,
    tls: Option<Tls>,
}

#[derive(Clone, Copy)]
enum Socket {
    Listening(Listener),
    Connection(Connection),
}

/// How far this end's FIN is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Close {
    NotAsked,
    /// It goes behind the bytes that wait.
    Asked,
    /// The stack has it.
    Queued,
    /// The peer has acknowledged everything, and the machine knows.
    Told,
}

impl Driver {
    pub(super) fn pump_data(&mut self, now: Instant, stack: &mut impl Stack) -> bool {
        let Some(data) = &mut self.data else { return false };
        let connection = match data.socket {
            Socket::Connection(connection) => connection,
            Socket::Listening(listener) => {
                let Some(connection) = stack.accept(listener) else { return false };
                stack.unlisten(listener);
                data.socket = Socket::Connection(connection);
                connection
            }
        };
        let state = stack.state(connection);
        if !data.opened {
            return match state {
                ConnectionState::Open | ConnectionState::PeerClosed => {
                    data.opened = true;
                    let Some((local, remote)) = stack.ends(connection) else { return false };
                    self.tell(now, stack, Input::DataOpened { local, remote })
                }
                ConnectionState::Closed(why) => {
                    self.data = None;
                    stack.remove(connection);
                    self.tell(now, stack, Input::DataFailed(why))
                }
                ConnectionState::Opening => false,
            };
        }
        if let Some(bytes) = stack.receive(connection) {
            return self.take_data(now, stack, bytes);
        }
        if !data.peer_closed && state == ConnectionState::PeerClosed {
            data.peer_closed = true;
            return self.tell(now, stack, Input::DataClosed);
        }
        if data.close == Close::Queued && stack.is_acknowledged(connection) {
            data.close = Close::Told;
            return self.tell(now, stack, Input::DataSent);
        }
        if let ConnectionState::Closed(_) = state {
            let complete = data.peer_closed && matches!(data.close, Close::Told | Close::NotAsked);
            self.data = None;
            stack.remove(connection);
            if !complete {
                return self.tell(now, stack, Input::DataReset);
            }
        }
        false
    }

    /// Bytes of the data connection, likewise.
    fn take_data(&mut self, now: Instant, stack: &mut impl Stack, mut bytes: Vec<u8>) -> bool {
        let Some(data) = &mut self.data else { return false };
        if let Some(tls) = &mut data.tls {
            match tls.take(&bytes) {
                Ok(plain) => bytes = plain,
                Err(error) => {
                    log::debug!("{}: a data connection is reset: {error}", stack.address());
                    if let Some(data) = self.data.take() {
                        self.abort(data, stack);
                    }
                    return self.tell(now, stack, Input::DataReset);
                }
            }
        }
        bytes.is_empty() || self.tell(now, stack, Input::DataBytes(&bytes))
    }

    pub(super) fn secure_data(&mut self, now: Instant, stack: &mut impl Stack) {
        self.secured += 1;
        let tls = self.tls(&format!("data {}", self.secured), stack.address());
        match (tls, &mut self.data) {
            (_, None) => {}
            (Ok(tls), Some(data)) => data.tls = Some(tls),
            (Err(error), Some(_)) => {
                log::error!("{}: {error}", stack.address());
                if let Some(data) = self.data.take() {
                    self.abort(data, stack);
                }
                self.session.machine().handle(now, Input::DataReset);
            }
        }
    }

    pub(super) fn abort(&mut self, data: Data, stack: &mut impl Stack) {
        match data.socket {
            Socket::Listening(listener) => stack.unlisten(listener),
            Socket::Connection(connection) => {
                stack.abort(connection);
                self.background.push(data);
            }
        }
    }

    pub(super) fn connect(
        &mut self,
        now: Instant,
        from: Option<u16>,
        to: SocketAddrV4,
        stack: &mut impl Stack,
    ) {
        let dialled = stack.dial(from, to);
        self.fill_slot(dialled.map(|connection| Data::new(Socket::Connection(connection))), stack);
        if dialled.is_none() {
            self.session.machine().handle(now, Input::DataFailed(Failure::Unreachable));
        }
    }

    pub(super) fn listen(&mut self, now: Instant, port: Option<u16>, stack: &mut impl Stack) {
        let listening = stack.listen(port);
        self.fill_slot(listening.map(|(listener, _)| Data::new(Socket::Listening(listener))), stack);
        let input = match listening {
            Some((_, port)) => Input::DataListening { local: SocketAddrV4::new(stack.address(), port) },
            None => Input::DataListenFailed,
        };
        self.session.machine().handle(now, input);
    }

    fn fill_slot(&mut self, data: Option<Data>, stack: &mut impl Stack) {
        let Some(mut old) = std::mem::replace(&mut self.data, data) else { return };
        match old.socket {
            Socket::Listening(listener) => stack.unlisten(listener),
            Socket::Connection(_) => {
                // What is still to leave does so in the background; nobody waits for more, nor for a handshake.
                old.tls.take_if(|tls| tls.is_handshaking());
                old.ask_to_close();
                self.background.push(old);
            }
        }
    }
}

impl Data {
    fn new(socket: Socket) -> Self {
        Self {
            socket,
            opened: false,
            peer_closed: false,
            out: VecDeque::new(),
            close: Close::NotAsked,
            tls: None,
        }
    }

    pub(super) fn send(&mut self, bytes: Vec<u8>) {
        match &mut self.tls {
            None => self.out.extend(bytes),
            Some(tls) => tls.put(&bytes),
        }
    }

    pub(super) fn ask_to_close(&mut self) {
        if self.close == Close::NotAsked {
            self.close = Close::Asked;
        }
    }

    /// Gives the socket what it has room for, and the FIN behind the last byte.
    pub(super) fn write(&mut self, stack: &mut impl Stack) -> bool {
        let Socket::Connection(connection) = self.socket else { return false };
        self.write_records();
        let mut sent = 0;
        if !self.out.is_empty() {
            sent = stack.send(connection, self.out.as_slices().0);
            self.out.drain(..sent);
        }
        let handshakes = self.tls.as_ref().is_some_and(Tls::is_handshaking) && !self.peer_closed;
        if self.close == Close::Asked && self.out.is_empty() && !handshakes {
            self.close = Close::Queued;
            stack.close(connection);
            return true;
        }
        sent > 0
    }

    /// What TLS has to say: the handshake by itself, and the end of it all behind the last byte.
    fn write_records(&mut self) {
        let Some(tls) = self.tls.as_mut().filter(|_| self.opened) else { return };
        if self.close == Close::Asked && !tls.is_handshaking() {
            tls.close();
        }
        self.out.extend(tls.leaving());
    }

    /// Whether a socket in the background has come to its end; it is forgotten then.
    pub(super) fn is_over(&self, stack: &mut impl Stack) -> bool {
        let Socket::Connection(connection) = self.socket else { return true };
        // Unread bytes would hold up the peer's FIN.
        while stack.receive(connection).is_some() {}
        let over = matches!(stack.state(connection), ConnectionState::Closed(_));
        if over {
            stack.remove(connection);
        }
        over
    }
}
