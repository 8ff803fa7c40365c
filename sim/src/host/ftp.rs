//! Runs an FTP machine over a host's stack: sockets to inputs, actions to sockets.

mod control;
mod data;

use smoltcp::time::Instant;

use super::stack::{Connection, Stack};
use super::tls::{Tls, TlsFailure};
use crate::ftp::{Action, ClientSession, Input, Machine, ServerSession};
use control::Control;
use data::Data;

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

impl Driver {
    /// A session whose control connection is `control`: being dialled by a client, or accepted by a server.
    pub(super) fn new(session: Session, control: Option<Connection>, seed: u64) -> Self {
        Self { session, control: Control::new(control), data: None, background: Vec::new(), seed, secured: 0 }
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
}
