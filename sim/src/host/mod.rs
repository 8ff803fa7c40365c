//! A host: a network stack, the servers on it, and what its programs do. The same for simulated hosts and for
//! namespaces; only the [`Stack`] differs.

mod answerer;
mod exchange;
mod ftp;
mod icmp_error;
mod ping;
mod program;
mod stack;
mod tls;

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::sync::Arc;

use smoltcp::time::Instant;

pub use answerer::Seen;
pub use exchange::{Carrier, ExchangeFailure, ExchangeOutcome, ExchangePlan};
pub(crate) use icmp_error::{IcmpError, Quoted};
pub use ping::{PingOutcome, PingPlan};
pub use program::{ProgramEnd, ProgramFailure, ProgramPlan};
pub use stack::{Connection, ConnectionState, Datagrams, Echo, EchoAnswer, EchoAnswerKind};
pub use stack::{Listener, Process, Stack};

use crate::ftp::{ClientPlan, ClientSession, Files, ServerConfig, ServerSession};
use crate::net::random::seed_for;
use answerer::Answerer;
use exchange::Exchange;
use ftp::{Driver, Session};
use ping::Ping;

/// Rounds of stack and programs within one instant; more would be two programs that never come to rest.
const ROUNDS: usize = 10_000;

/// One host.
pub struct Host<S> {
    /// Its name in the scenario.
    pub name: String,
    pub(crate) stack: S,
    /// For what is random in its programs.
    seed: u64,
    servers: Vec<Server>,
    activities: BTreeMap<ActivityId, Activity>,
    started: usize,
}

struct Server {
    port: u16,
    config: Arc<ServerConfig>,
    files: Files,
    listener: Listener,
}

enum Activity {
    Ftp(Box<Driver>),
    Exchange(Exchange),
    Answerer(Answerer),
    Ping(Ping),
    Program(Process),
}

/// Names something that a host does, in the order begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActivityId(usize);

impl<S: Stack> Host<S> {
    pub(crate) fn new(name: &str, stack: S, seed: u64) -> Self {
        Self {
            name: name.to_owned(),
            stack,
            seed,
            servers: Vec::new(),
            activities: BTreeMap::new(),
            started: 0,
        }
    }

    /// Starts an FTP server; false: it cannot listen there.
    pub fn serve(&mut self, port: u16, config: ServerConfig, files: Files) -> bool {
        let Some((listener, port)) = self.stack.listen(Some(port)) else { return false };
        self.servers.push(Server { port, config: Arc::new(config), files, listener });
        true
    }

    /// The ports of its FTP servers.
    pub fn server_ports(&self) -> impl Iterator<Item = u16> {
        self.servers.iter().map(|server| server.port)
    }

    /// Starts an FTP client that dials `server`, from a port of its own choice if `from` is `None`.
    pub fn connect(
        &mut self,
        now: Instant,
        plan: ClientPlan,
        from: Option<u16>,
        server: SocketAddrV4,
    ) -> ActivityId {
        let session = Session::Client(Box::new(ClientSession::new(plan, now)));
        let control = self.stack.dial(from, server);
        let seed = self.session_seed();
        self.begin(Activity::Ftp(Box::new(Driver::new(session, control, seed))))
    }

    /// Starts to ask.
    pub fn exchange(&mut self, now: Instant, plan: ExchangePlan) -> ActivityId {
        let exchange = Exchange::start(plan, now, &mut self.stack);
        self.begin(Activity::Exchange(exchange))
    }

    /// Answers each `request_length` bytes that come to `port` with `answer`, until [`end`](Self::end). `None`: the
    /// port is taken.
    pub fn answer(
        &mut self,
        carrier: Carrier,
        port: u16,
        request_length: usize,
        answer: Vec<u8>,
    ) -> Option<ActivityId> {
        let answerer = Answerer::open(carrier, port, request_length, answer, &mut self.stack)?;
        Some(self.begin(Activity::Answerer(answerer)))
    }

    /// Starts to ping.
    pub fn ping(&mut self, now: Instant, plan: PingPlan) -> ActivityId {
        let identifier = u16::try_from(self.started % 0xffff).unwrap_or_default() + 1;
        let ping = Ping::start(plan, identifier, now, &mut self.stack);
        self.begin(Activity::Ping(ping))
    }

    /// Starts a real program.
    pub fn run(&mut self, now: Instant, plan: &ProgramPlan) -> Result<ActivityId, ProgramFailure> {
        let process = self.stack.start(now, plan)?;
        Ok(self.begin(Activity::Program(process)))
    }

    /// Whether a program or a server listens on this TCP port.
    pub fn is_listened_on(&self, port: u16) -> bool {
        self.stack.is_listened_on(port)
    }

    /// An FTP client's session, if that is one.
    pub fn client(&self, id: ActivityId) -> Option<&ClientSession> {
        match self.activities.get(&id)? {
            Activity::Ftp(driver) => match &driver.session {
                Session::Client(session) => Some(session),
                Session::Server(_) => None,
            },
            _ => None,
        }
    }

    /// The sessions of its FTP servers that are not forgotten.
    pub fn served(&self) -> impl Iterator<Item = &ServerSession> {
        self.activities.values().filter_map(|activity| match activity {
            Activity::Ftp(driver) => match &driver.session {
                Session::Server(session) => Some(session.as_ref()),
                Session::Client(_) => None,
            },
            _ => None,
        })
    }

    /// What became of an exchange, once it is over.
    pub fn exchanged(&self, id: ActivityId) -> Option<&ExchangeOutcome> {
        match self.activities.get(&id)? {
            Activity::Exchange(exchange) => exchange.outcome(),
            _ => None,
        }
    }

    /// What an answering end has seen so far.
    pub fn seen(&self, id: ActivityId) -> Option<&Seen> {
        match self.activities.get(&id)? {
            Activity::Answerer(answerer) => Some(answerer.seen()),
            _ => None,
        }
    }

    /// What became of a ping, once it is over.
    pub fn pinged(&self, id: ActivityId) -> Option<&PingOutcome> {
        match self.activities.get(&id)? {
            Activity::Ping(ping) => ping.outcome(),
            _ => None,
        }
    }

    /// How a program ended, once it has.
    pub fn program_end(&self, id: ActivityId) -> Option<&ProgramEnd> {
        match self.activities.get(&id)? {
            Activity::Program(process) => self.stack.end_of(*process),
            _ => None,
        }
    }

    /// Whether an activity has come to its end by itself.
    pub fn is_finished(&mut self, id: ActivityId) -> bool {
        match self.activities.get_mut(&id) {
            Some(Activity::Ftp(driver)) => driver.is_finished(),
            Some(Activity::Exchange(exchange)) => exchange.outcome().is_some(),
            Some(Activity::Ping(ping)) => ping.outcome().is_some(),
            Some(Activity::Program(process)) => self.stack.end_of(*process).is_some(),
            Some(Activity::Answerer(_)) => false,
            None => true,
        }
    }

    /// Ends an answering end.
    pub fn end(&mut self, id: ActivityId) {
        if let Some(Activity::Answerer(_)) = self.activities.get(&id)
            && let Some(Activity::Answerer(answerer)) = self.activities.remove(&id)
        {
            answerer.close(&mut self.stack);
        }
    }

    /// Lets stack and programs come to rest at `now`.
    pub(crate) fn poll(&mut self, now: Instant) {
        for _ in 0..ROUNDS {
            let mut moved = self.stack.poll(now);
            moved |= self.accept();
            for activity in self.activities.values_mut() {
                moved |= match activity {
                    Activity::Ftp(driver) => driver.pump(now, &mut self.stack),
                    Activity::Exchange(exchange) => exchange.pump(now, &mut self.stack),
                    Activity::Answerer(answerer) => answerer.pump(&mut self.stack),
                    Activity::Ping(ping) => ping.pump(now, &mut self.stack),
                    // The stack looks after it.
                    Activity::Program(_) => false,
                };
            }
            if !moved {
                return;
            }
        }
        log::error!("{}: programs and stack did not come to rest at {now}", self.name);
    }

    pub(crate) fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        let timers = self.activities.values_mut().filter_map(|activity| match activity {
            Activity::Ftp(driver) => driver.poll_timeout(),
            Activity::Exchange(exchange) => exchange.poll_timeout(),
            Activity::Ping(ping) => ping.poll_timeout(),
            Activity::Answerer(_) | Activity::Program(_) => None,
        });
        timers.min().into_iter().chain(self.stack.poll_at(now)).min()
    }

    /// Forgets what is over and has nothing left on the wire. Outcomes are to be read before.
    pub(crate) fn forget_finished(&mut self) {
        self.activities.retain(|_, activity| match activity {
            Activity::Ftp(driver) => !driver.is_gone(),
            Activity::Exchange(exchange) => !exchange.is_gone(),
            Activity::Ping(ping) => ping.outcome().is_none(),
            Activity::Program(process) => {
                let runs = self.stack.end_of(*process).is_none();
                if !runs {
                    self.stack.forget(*process);
                }
                runs
            }
            Activity::Answerer(_) => true,
        });
    }

    fn begin(&mut self, activity: Activity) -> ActivityId {
        let id = ActivityId(self.started);
        self.started += 1;
        self.activities.insert(id, activity);
        id
    }

    /// The seed of the FTP session that is begun next.
    fn session_seed(&self) -> u64 {
        seed_for(self.seed, &format!("session {}", self.started))
    }

    fn accept(&mut self) -> bool {
        let mut accepted = Vec::new();
        for server in &self.servers {
            while let Some(connection) = self.stack.accept(server.listener) {
                let session = ServerSession::new(Arc::clone(&server.config), server.files.clone());
                accepted.push((Session::Server(Box::new(session)), Some(connection)));
            }
        }
        let moved = !accepted.is_empty();
        for (session, control) in accepted {
            let seed = self.session_seed();
            self.begin(Activity::Ftp(Box::new(Driver::new(session, control, seed))));
        }
        moved
    }
}
