//! The router's own TCP: an HTTP server on one port of one LAN address. smoltcp does the segments; what is here bounds how
//! many connections there are, how much each may say and for how long.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{HardwareAddress, IpCidr, Ipv4Cidr};

use super::http::{self, Request};
use crate::queue::Queue;

/// How many connections there are at a time, the one that is waited for included. A control point has one.
const MOST_CONNECTIONS: usize = 16;
/// How long a connection has for its request and the response.
const PATIENCE: Duration = Duration::from_secs(30);
/// One segment's worth and more; a request is taken out as it comes.
const RECEIVE_BUFFER: usize = 4096;
/// Every response fits.
const SEND_BUFFER: usize = 16384;
/// A stack that asks to be looked at again at once waits for so long: time has to go on.
const LEAST_WAIT: Duration = Duration::from_millis(1);
/// How often the stack has its turn for one packet. A request takes two: it comes, and its response leaves.
const TURNS: usize = 8;

/// A server and its connections.
pub(crate) struct Server {
    interface: Interface,
    queue: Queue,
    sockets: SocketSet<'static>,
    /// In the order they came in.
    connections: Vec<Connection>,
    at: SocketAddrV4,
    next: Option<Instant>,
}

struct Connection {
    handle: SocketHandle,
    received: Vec<u8>,
    response: Option<Vec<u8>>,
    /// When it is broken off; `None` before there is anybody.
    deadline: Option<Instant>,
}

impl Server {
    /// A server at `at`. Its sequence numbers are drawn from `seed`.
    pub(crate) fn new(at: SocketAddrV4, mtu: usize, seed: u64, now: Instant) -> Self {
        let mut queue = Queue::new(mtu);
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut queue, now);
        interface.update_ip_addrs(|addresses| {
            // Every host is a neighbour: which port leads to it is the router's business.
            let full = addresses.push(IpCidr::Ipv4(Ipv4Cidr::new(*at.ip(), 0)));
            debug_assert!(full.is_ok(), "there is room for one address");
        });
        let mut server = Self {
            interface,
            queue,
            sockets: SocketSet::new(Vec::new()),
            connections: Vec::new(),
            at,
            next: None,
        };
        server.listen();
        server
    }

    /// Takes in a segment from `client`. Follow it by [`Server::poll`].
    pub(crate) fn receive(&mut self, client: SocketAddrV4, is_syn: bool, packet: Vec<u8>) {
        if is_syn {
            // RFC 1122 §4.2.2.13: a new connection takes the place of one in TIME-WAIT.
            self.remove_where(|socket| {
                let remote = socket.remote_endpoint();
                socket.state() == State::TimeWait
                    && remote.is_some_and(|remote| {
                        (IpAddr::from(remote.addr), remote.port) == (IpAddr::V4(*client.ip()), client.port())
                    })
            });
            self.listen();
        }
        self.queue.arrived.push_back(packet);
    }

    /// Lets the stack work, and has `answer` answer the requests that are whole.
    pub(crate) fn poll(&mut self, now: Instant, mut answer: impl FnMut(Ipv4Addr, &Request) -> Vec<u8>) {
        for _ in 0..TURNS {
            self.interface.poll(now, &mut self.queue, &mut self.sockets);
            if !self.serve(now, &mut answer) {
                break;
            }
        }
        self.remove_where(|socket| socket.state() == State::Closed);
        self.listen();
        let stack = self.interface.poll_at(now, &self.sockets);
        let patience = self.connections.iter().filter_map(|connection| connection.deadline);
        let next = stack.into_iter().chain(patience).min();
        self.next = next.map(|next| if next > now { next } else { now + LEAST_WAIT });
    }

    /// When [`Server::poll`] has something to do next.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.next
    }

    /// A packet to the LAN.
    pub(crate) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.queue.leaving.pop_front()
    }

    /// Sees after every connection; says whether any has something for the stack to do.
    fn serve(&mut self, now: Instant, answer: &mut impl FnMut(Ipv4Addr, &Request) -> Vec<u8>) -> bool {
        let mut has_work = false;
        for connection in &mut self.connections {
            let socket = self.sockets.get_mut::<Socket<'static>>(connection.handle);
            has_work |= connection.serve(now, socket, answer);
        }
        has_work
    }

    /// A socket waits for the next connection, unless there are as many as may be. Those in TIME-WAIT make room.
    fn listen(&mut self) {
        let sockets = &self.sockets;
        let state = |connection: &Connection| sockets.get::<Socket<'static>>(connection.handle).state();
        if self.connections.iter().any(|connection| state(connection) == State::Listen) {
            return;
        }
        if self.connections.len() >= MOST_CONNECTIONS {
            let over = self.connections.iter().position(|connection| state(connection) == State::TimeWait);
            let Some(over) = over else { return };
            self.sockets.remove(self.connections.remove(over).handle);
        }
        let buffer = |size: usize| SocketBuffer::new(vec![0; size]);
        let mut socket = Socket::new(buffer(RECEIVE_BUFFER), buffer(SEND_BUFFER));
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(None);
        let listens = socket.listen(self.at.port());
        debug_assert!(listens.is_ok(), "a new socket listens, on any port but 0");
        let handle = self.sockets.add(socket);
        self.connections.push(Connection { handle, received: Vec::new(), response: None, deadline: None });
    }

    fn remove_where(&mut self, is_over: impl Fn(&Socket<'static>) -> bool) {
        let sockets = &mut self.sockets;
        self.connections.retain(|connection| {
            let goes = is_over(sockets.get(connection.handle));
            if goes {
                sockets.remove(connection.handle);
            }
            !goes
        });
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Server").field("at", &self.at).field("next", &self.next).finish_non_exhaustive()
    }
}

impl Connection {
    /// Reads what has come, answers a request that is whole, sends what there is room for; says whether the stack has
    /// something to do.
    fn serve(
        &mut self,
        now: Instant,
        socket: &mut Socket<'static>,
        answer: &mut impl FnMut(Ipv4Addr, &Request) -> Vec<u8>,
    ) -> bool {
        if matches!(socket.state(), State::Listen | State::TimeWait | State::Closed) {
            if socket.state() != State::Listen {
                self.deadline = None;
            }
            return false;
        }
        let deadline = *self.deadline.get_or_insert(now + PATIENCE);
        if now >= deadline {
            socket.abort();
            self.deadline = None;
            return true;
        }
        let has_read = self.read(socket);
        if self.response.is_none() {
            self.response = match (http::read(&self.received), client(socket)) {
                (Ok(Some(request)), Some(client)) => Some(answer(client, &request)),
                (Err(status), _) => Some(http::response(status, "")),
                // Nobody says any more.
                _ if !socket.may_recv() && socket.state() != State::SynReceived => Some(Vec::new()),
                _ => None,
            };
        }
        self.write(socket) || has_read
    }

    fn read(&mut self, socket: &mut Socket<'static>) -> bool {
        let mut has_read = false;
        while socket.can_recv() {
            let received = &mut self.received;
            let read = socket.recv(|bytes| {
                // What is longer is refused, and what follows a request is no concern of ours.
                let room = http::LONGEST.saturating_sub(received.len()).min(bytes.len());
                received.extend(bytes.iter().take(room));
                (bytes.len(), bytes.len())
            });
            match read {
                Ok(length) if length > 0 => has_read = true,
                _ => break,
            }
        }
        has_read
    }

    /// Sends what there is room for, and closes after the last of it.
    fn write(&mut self, socket: &mut Socket<'static>) -> bool {
        let Some(response) = self.response.as_mut().filter(|_| socket.may_send()) else { return false };
        let sent = socket.send_slice(response).unwrap_or_default();
        response.drain(..sent);
        if response.is_empty() {
            socket.close();
            return true;
        }
        sent > 0
    }
}

fn client(socket: &Socket<'_>) -> Option<Ipv4Addr> {
    match IpAddr::from(socket.remote_endpoint()?.addr) {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}
