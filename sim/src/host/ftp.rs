//! Runs an FTP machine over a host's stack: sockets to inputs, actions to sockets.

use std::collections::VecDeque;
use std::net::SocketAddrV4;

use smoltcp::time::Instant;

use super::stack::{Connection, ConnectionState, Listener, Stack};
use super::tls::{Tls, TlsFailure};
use crate::ftp::{Action, ClientSession, Failure, Input, Machine, ServerSession};

/// Which machine a driver runs.
pub(super) enum Session {
    Client(Box<ClientSession>),
    Server(Box<ServerSession>),
}

impl Session {
    fn machine(&mut self) -> &mut dyn Machine {
        match self {
            Self::Client(session) => session.as_mut(),
            Self::Server(session) => session.as_mut(),
        }
    }
}

/// One session with its sockets.
pub(super) struct Driver {
    pub(super) session: Session,
    control: Control,
    data: Option<Data>,
    /// Sockets that left the data slot and go on by themselves.
    background: Vec<Data>,
    /// For what is random in the session.
    seed: u64,
    /// Data connections that were TLS so far.
    secured: usize,
}

struct Control {
    connection: Option<Connection>,
    opened: bool,
    peer_closed: bool,
    writes: Writes,
    close: bool,
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

struct Data {
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
    /// A session whose control connection is `control`: being dialled by a client, or accepted by a server.
    pub(super) fn new(session: Session, control: Option<Connection>, seed: u64) -> Self {
        let control = Control {
            connection: control,
            opened: false,
            peer_closed: false,
            writes: Writes::default(),
            close: false,
            tls: None,
        };
        Self { session, control, data: None, background: Vec::new(), seed, secured: 0 }
    }

    pub(super) fn is_finished(&mut self) -> bool {
        self.session.machine().is_finished()
    }

    /// Whether the session is over and no socket of it is left.
    pub(super) fn is_gone(&mut self) -> bool {
        self.control.connection.is_none()
            && self.data.is_none()
            && self.background.is_empty()
            && self.session.machine().is_finished()
    }

    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        self.session.machine().poll_timeout()
    }

    /// Tells the machine what happened and does what it wants. True: something moved, so the stack has work and the
    /// driver is to be pumped again.
    pub(super) fn pump(&mut self, now: Instant, stack: &mut impl Stack) -> bool {
        let mut moved = self.pump_control(now, stack);
        moved |= self.pump_data(now, stack);
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.session.machine().handle_timeout(now);
            self.act(now, stack);
            moved = true;
        }
        moved |= self.write_control(stack);
        moved |= self.data.as_mut().is_some_and(|data| data.write(stack));
        self.background.retain_mut(|data| {
            moved |= data.write(stack);
            !data.is_over(stack)
        });
        moved
    }

    fn tell(&mut self, now: Instant, stack: &mut impl Stack, input: Input<'_>) -> bool {
        self.session.machine().handle(now, input);
        self.act(now, stack);
        true
    }

    fn pump_control(&mut self, now: Instant, stack: &mut impl Stack) -> bool {
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

    fn pump_data(&mut self, now: Instant, stack: &mut impl Stack) -> bool {
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

    fn write_control(&mut self, stack: &mut impl Stack) -> bool {
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

    fn act(&mut self, now: Instant, stack: &mut impl Stack) {
        while let Some(action) = self.session.machine().poll_action() {
            match action {
                Action::SendControl(bytes) => self.control.send(bytes, false),
                Action::SendControlPiece(bytes) => self.control.send(bytes, true),
                Action::SecureControl => self.secure_control(now, stack),
                Action::CloseControl => self.control.close = true,
                Action::AbortControl => {
                    if let Some(connection) = self.control.connection {
                        stack.abort(connection);
                    }
                }
                Action::ListenData { port } => self.listen(now, port, stack),
                Action::ConnectData { from_port, to } => self.connect(now, from_port, to, stack),
                Action::SecureData => self.secure_data(now, stack),
                Action::SendData(bytes) => {
                    if let Some(data) = &mut self.data {
                        data.send(bytes);
                    }
                }
                Action::CloseData => {
                    if let Some(data) = &mut self.data {
                        data.ask_to_close();
                    }
                }
                Action::AbortData => {
                    if let Some(data) = self.data.take() {
                        self.abort(data, stack);
                    }
                }
            }
        }
    }

    fn secure_control(&mut self, now: Instant, stack: &mut impl Stack) {
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

    fn secure_data(&mut self, now: Instant, stack: &mut impl Stack) {
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

    /// The session's end of a TLS connection. The server's address is not looked at.
    fn tls(&self, name: &str, own: std::net::Ipv4Addr) -> Result<Tls, TlsFailure> {
        match &self.session {
            Session::Client(session) => {
                let server = session.control_ends().map_or(own, |(_, server)| *server.ip());
                Tls::client(self.seed, name, server)
            }
            Session::Server(_) => Tls::server(self.seed, name),
        }
    }

    fn abort(&mut self, data: Data, stack: &mut impl Stack) {
        match data.socket {
            Socket::Listening(listener) => stack.unlisten(listener),
            Socket::Connection(connection) => {
                stack.abort(connection);
                self.background.push(data);
            }
        }
    }

    fn connect(&mut self, now: Instant, from: Option<u16>, to: SocketAddrV4, stack: &mut impl Stack) {
        let dialled = stack.dial(from, to);
        self.fill_slot(dialled.map(|connection| Data::new(Socket::Connection(connection))), stack);
        if dialled.is_none() {
            self.session.machine().handle(now, Input::DataFailed(Failure::Unreachable));
        }
    }

    fn listen(&mut self, now: Instant, port: Option<u16>, stack: &mut impl Stack) {
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

impl Control {
    /// Queues what the machine sends; a TLS record is a write too.
    fn send(&mut self, bytes: Vec<u8>, alone: bool) {
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

    fn send(&mut self, bytes: Vec<u8>) {
        match &mut self.tls {
            None => self.out.extend(bytes),
            Some(tls) => tls.put(&bytes),
        }
    }

    fn ask_to_close(&mut self) {
        if self.close == Close::NotAsked {
            self.close = Close::Asked;
        }
    }

    /// Gives the socket what it has room for, and the FIN behind the last byte.
    fn write(&mut self, stack: &mut impl Stack) -> bool {
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
    fn is_over(&self, stack: &mut impl Stack) -> bool {
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
