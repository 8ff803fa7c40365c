//! A simulated host: a stack, the FTP servers on it, and the sessions that run.

use std::net::SocketAddrV4;
use std::sync::Arc;

use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::State;
use smoltcp::time::Instant;

use super::driver::{Driver, Session};
use super::stack::Stack;
use crate::ftp::{ClientPlan, ClientSession, Files, ServerConfig, ServerSession};

/// Rounds of stack and programs within one instant; more would be two programs that never come to rest.
const ROUNDS: usize = 10_000;

/// One host.
pub struct Host {
    /// Its name in the scenario.
    pub name: String,
    pub(super) stack: Stack,
    servers: Vec<Server>,
    drivers: Vec<Driver>,
}

struct Server {
    port: u16,
    config: Arc<ServerConfig>,
    files: Files,
    /// Waits for the next client; smoltcp has no backlog, so one socket is always at it.
    listener: Option<SocketHandle>,
}

/// Names a client session of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionId(usize);

impl Host {
    pub(super) fn new(name: &str, stack: Stack) -> Self {
        Self { name: name.to_owned(), stack, servers: Vec::new(), drivers: Vec::new() }
    }

    /// Starts an FTP server; false: it cannot listen there.
    pub fn serve(&mut self, port: u16, config: ServerConfig, files: Files) -> bool {
        let listener = self.stack.listen(port);
        let listens = listener.is_some();
        self.servers.push(Server { port, config: Arc::new(config), files, listener });
        listens
    }

    /// Starts an FTP client that dials `server`.
    pub fn connect(&mut self, now: Instant, plan: ClientPlan, server: SocketAddrV4) -> SessionId {
        let session = Session::Client(Box::new(ClientSession::new(plan, now)));
        let control = self.stack.dial(None, server);
        self.drivers.push(Driver::new(session, control));
        SessionId(self.drivers.len() - 1)
    }

    /// A client session, if that is one.
    pub fn client(&self, SessionId(index): SessionId) -> Option<&ClientSession> {
        match &self.drivers.get(index)?.session {
            Session::Client(session) => Some(session),
            Session::Server(_) => None,
        }
    }

    pub(super) fn is_finished(&mut self, SessionId(index): SessionId) -> bool {
        self.drivers.get_mut(index).is_none_or(Driver::is_finished)
    }

    /// Lets stack and programs come to rest at `now`.
    pub(super) fn poll(&mut self, now: Instant) {
        for _ in 0..ROUNDS {
            let mut moved = self.stack.poll(now);
            self.accept();
            for driver in &mut self.drivers {
                moved |= driver.pump(now, &mut self.stack);
            }
            if !moved {
                return;
            }
        }
        log::error!("{}: programs and stack did not come to rest at {now}", self.name);
    }

    pub(super) fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        let timers = self.drivers.iter_mut().filter_map(Driver::poll_timeout).min();
        timers.into_iter().chain(self.stack.poll_at(now)).min()
    }

    fn accept(&mut self) {
        for server in &mut self.servers {
            let Some(listener) = server.listener else { continue };
            if matches!(self.stack.tcp(listener).state(), State::Listen | State::SynReceived) {
                continue;
            }
            let session = ServerSession::new(Arc::clone(&server.config), server.files.clone());
            self.drivers.push(Driver::new(Session::Server(Box::new(session)), Some(listener)));
            server.listener = self.stack.listen(server.port);
        }
    }
}
