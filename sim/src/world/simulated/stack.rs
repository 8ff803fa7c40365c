//! A simulated host's network stack: smoltcp, one interface, one address.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::{icmp, tcp, udp};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{HardwareAddress, Icmpv4Packet, Icmpv4Repr, IpAddress, IpCidr, IpEndpoint};

use super::listening::{Listening, Syn};
use super::queue::Queue;
use crate::ftp::Failure;
use crate::host::{
    Connection, ConnectionState, Datagrams, Echo, EchoAnswer, EchoAnswerKind, IcmpError, Listener, Process,
    ProgramEnd, ProgramFailure, ProgramPlan, Quoted, Stack,
};

/// A TCP buffer, in bytes, each way: just below the size that would turn window scaling on.
const BUFFER: usize = 65_535;
/// A datagram's, and an echo's, longest payload: what IPv4 carries less both headers.
const LONGEST_PAYLOAD: usize = 65_507;
/// Datagrams and echoes that wait to be read.
const MESSAGES: usize = 32;
/// The first ephemeral port (RFC 6335 §6: 49152–65535).
const FIRST_EPHEMERAL: u16 = 49_152;
/// How long a SYN is sent again: Linux's `tcp_syn_retries` of 6.
const DIALS_FOR: Duration = Duration::from_secs(127);
/// How long a closed connection waits for its peer: about as long as Linux keeps one that no program holds.
const LINGERS_FOR: Duration = Duration::from_secs(100);

/// One host's stack.
pub struct SimulatedStack {
    interface: Interface,
    queue: Queue,
    /// What arrived and was not looked at yet.
    inbox: VecDeque<Vec<u8>>,
    sockets: SocketSet<'static>,
    address: Ipv4Addr,
    now: Instant,
    next_port: u16,
    next_id: usize,
    listeners: BTreeMap<Listener, Listening>,
    connections: BTreeMap<Connection, Connected>,
    /// Connections this end has closed, and when they are given up, the earliest first.
    closed: VecDeque<(Instant, Connection)>,
    datagrams: BTreeMap<Datagrams, SocketHandle>,
    echoes: BTreeMap<Echo, Echoing>,
    /// Sockets that nobody holds any more, until their last packet has left.
    dying: Vec<SocketHandle>,
}

struct Connected {
    handle: SocketHandle,
    opened: bool,
    /// When dialling it is given up.
    dials_until: Instant,
    /// What an ICMP error said about its SYN, which smoltcp does not look at.
    refused: Option<Failure>,
}

struct Echoing {
    handle: SocketHandle,
    identifier: u16,
    errors: VecDeque<EchoAnswer>,
}

impl SimulatedStack {
    pub(super) fn new(address: Ipv4Addr, mtu: usize, seed: u64) -> Self {
        let mut queue = Queue::new(address, mtu);
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = seed;
        let mut interface = Interface::new(config, &mut queue, Instant::ZERO);
        interface.update_ip_addrs(|addresses| {
            // All else is reached through the link, as on a point-to-point one.
            let added = addresses.push(IpCidr::new(IpAddress::Ipv4(address), 32));
            debug_assert!(added.is_ok(), "an empty list has room");
        });
        let routed = interface.routes_mut().add_default_ipv4_route(address);
        debug_assert!(routed.is_ok(), "an empty table has room");
        Self {
            interface,
            queue,
            inbox: VecDeque::new(),
            sockets: SocketSet::new(Vec::new()),
            address,
            now: Instant::ZERO,
            next_port: first_port(seed),
            next_id: 0,
            listeners: BTreeMap::new(),
            connections: BTreeMap::new(),
            closed: VecDeque::new(),
            datagrams: BTreeMap::new(),
            echoes: BTreeMap::new(),
            dying: Vec::new(),
        }
    }

    fn id(&mut self) -> usize {
        self.next_id += 1;
        self.next_id
    }

    /// The next port that no socket has. Of 16,384 some are always free: a host has no such number of sockets.
    fn ephemeral_port(&mut self) -> u16 {
        for _ in FIRST_EPHEMERAL..u16::MAX {
            let port = self.next_port;
            self.next_port = port.checked_add(1).unwrap_or(FIRST_EPHEMERAL);
            if !self.is_taken(port) {
                return port;
            }
        }
        self.next_port
    }

    fn is_taken(&self, port: u16) -> bool {
        let local = |handle| self.sockets.get::<tcp::Socket<'static>>(handle).local_endpoint();
        self.is_listening(port)
            || self.is_bound(port)
            || self
                .connections
                .values()
                .any(|connected| local(connected.handle).is_some_and(|end| end.port == port))
    }

    fn is_listening(&self, port: u16) -> bool {
        self.listeners.values().any(|listening| listening.port == port)
    }

    fn is_bound(&self, port: u16) -> bool {
        let port_of =
            |handle: &SocketHandle| self.sockets.get::<udp::Socket<'static>>(*handle).endpoint().port;
        self.datagrams.values().any(|handle| port_of(handle) == port)
    }

    fn connected(&mut self, handle: SocketHandle) -> Connection {
        let connection = Connection(self.id());
        let connected = Connected { handle, opened: false, dials_until: self.now + DIALS_FOR, refused: None };
        self.connections.insert(connection, connected);
        connection
    }

    /// A packet goes into the stack. smoltcp has no backlog: a socket that listens is made for each SYN.
    fn admit(&mut self, packet: Vec<u8>) {
        if let Some(syn) = Syn::read(&packet) {
            self.forget_time_wait((syn.to, syn.from));
            if let Some(listening) = self.listeners.values_mut().find(|it| it.port == syn.to.port()) {
                listening.expect(syn.from, &mut self.sockets);
            }
        }
        self.queue.arrived.push_back(packet);
    }

    /// A new connection between the same ends takes the place of one in TIME-WAIT (RFC 1122 §4.2.2.13). False: there
    /// is one that is not over.
    fn forget_time_wait(&mut self, ends: (SocketAddrV4, SocketAddrV4)) -> bool {
        for connected in self.connections.values() {
            let socket = self.sockets.get_mut::<tcp::Socket<'static>>(connected.handle);
            let own = (socket.local_endpoint().map(v4), socket.remote_endpoint().map(v4));
            if own == (Some(ends.0), Some(ends.1)) {
                if socket.state() != tcp::State::TimeWait {
                    return false;
                }
                *socket = unused_tcp_socket();
            }
        }
        true
    }

    /// Closed connections whose peers say nothing any more are given up.
    fn give_up(&mut self) {
        while let Some((at, connection)) = self.closed.front().copied()
            && at <= self.now
        {
            self.closed.pop_front();
            if let Some(socket) = self.tcp(connection)
                && socket.state() != tcp::State::TimeWait
            {
                socket.abort();
            }
        }
    }

    fn tcp(&mut self, connection: Connection) -> Option<&mut tcp::Socket<'static>> {
        let handle = self.connections.get(&connection)?.handle;
        Some(self.sockets.get_mut(handle))
    }

    fn udp(&mut self, socket: Datagrams) -> Option<&mut udp::Socket<'static>> {
        let handle = *self.datagrams.get(&socket)?;
        Some(self.sockets.get_mut(handle))
    }

    /// What a kernel does with an ICMP error: a dialling socket gives up (RFC 1122 §4.2.3.9 lets it), an echo socket
    /// hears of it.
    fn take_error(&mut self, error: &IcmpError) {
        match error.quoted {
            Quoted::Tcp { source, destination } => {
                let Some(failure) = dialling_fails(&error.kind) else { return };
                for connected in self.connections.values_mut() {
                    let socket = self.sockets.get_mut::<tcp::Socket<'static>>(connected.handle);
                    let ends = (socket.local_endpoint().map(v4), socket.remote_endpoint().map(v4));
                    if socket.state() == tcp::State::SynSent && ends == (Some(source), Some(destination)) {
                        connected.refused = Some(failure);
                    }
                }
            }
            Quoted::Echo { identifier } => {
                for echoing in self.echoes.values_mut().filter(|echo| echo.identifier == identifier) {
                    echoing.errors.push_back(EchoAnswer { from: error.from, kind: error.kind.clone() });
                }
            }
        }
    }
}

impl Stack for SimulatedStack {
    fn address(&self) -> Ipv4Addr {
        self.address
    }

    fn deliver(&mut self, packet: Vec<u8>) {
        if let Some(error) = IcmpError::read(&packet) {
            self.take_error(&error);
        }
        self.inbox.push_back(packet);
    }

    fn collect(&mut self) -> Option<Vec<u8>> {
        self.queue.leaving.pop_front()
    }

    fn poll(&mut self, now: Instant) -> bool {
        self.now = now;
        self.give_up();
        let mut changed = false;
        loop {
            if let Some(packet) = self.inbox.pop_front().or_else(|| self.queue.looped.pop_front()) {
                self.admit(packet);
            }
            let result = self.interface.poll(now, &mut self.queue, &mut self.sockets);
            changed |= result == PollResult::SocketStateChanged;
            for handle in std::mem::take(&mut self.dying) {
                self.sockets.remove(handle);
            }
            for listening in self.listeners.values_mut() {
                self.dying.extend(listening.unused(&self.sockets));
            }
            if self.inbox.is_empty() && self.queue.looped.is_empty() {
                return changed;
            }
        }
    }

    fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        let given_up = self.closed.front().map(|(at, _)| *at);
        self.interface.poll_at(now, &self.sockets).into_iter().chain(given_up).min()
    }

    fn listen(&mut self, port: Option<u16>) -> Option<(Listener, u16)> {
        let port = port.unwrap_or_else(|| self.ephemeral_port());
        if port == 0 || self.is_listening(port) {
            return None;
        }
        let listener = Listener(self.id());
        self.listeners.insert(listener, Listening::new(port));
        Some((listener, port))
    }

    fn accept(&mut self, listener: Listener) -> Option<Connection> {
        let handle = self.listeners.get_mut(&listener)?.accept(&mut self.sockets)?;
        Some(self.connected(handle))
    }

    fn unlisten(&mut self, listener: Listener) {
        if let Some(listening) = self.listeners.remove(&listener) {
            self.dying.extend(listening.reset(&mut self.sockets));
        }
    }

    fn dial(&mut self, from: Option<u16>, to: SocketAddrV4) -> Option<Connection> {
        let port = from.unwrap_or_else(|| self.ephemeral_port());
        if !self.forget_time_wait((SocketAddrV4::new(self.address, port), to)) {
            return None;
        }
        let mut socket = new_tcp_socket();
        let local = IpEndpoint::new(IpAddress::Ipv4(self.address), port);
        socket.set_timeout(Some(DIALS_FOR));
        socket.connect(self.interface.context(), endpoint(to), local).ok()?;
        let handle = self.sockets.add(socket);
        Some(self.connected(handle))
    }

    fn state(&mut self, connection: Connection) -> ConnectionState {
        let Some(connected) = self.connections.get_mut(&connection) else {
            return ConnectionState::Closed(Failure::Refused);
        };
        let socket = self.sockets.get_mut::<tcp::Socket<'static>>(connected.handle);
        if let Some(failure) = connected.refused {
            socket.abort();
            return ConnectionState::Closed(failure);
        }
        match socket.state() {
            tcp::State::Closed if !connected.opened && connected.dials_until <= self.now => {
                return ConnectionState::Closed(Failure::TimedOut);
            }
            tcp::State::Closed => return ConnectionState::Closed(Failure::Refused),
            tcp::State::Listen | tcp::State::SynSent | tcp::State::SynReceived => {
                return ConnectionState::Opening;
            }
            _ => {}
        }
        if !connected.opened {
            connected.opened = true;
            // An idle connection lives for ever.
            socket.set_timeout(None);
        }
        // What came before the peer's FIN is read first.
        if socket.may_recv() || socket.can_recv() {
            ConnectionState::Open
        } else {
            ConnectionState::PeerClosed
        }
    }

    fn ends(&mut self, connection: Connection) -> Option<(SocketAddrV4, SocketAddrV4)> {
        let socket = self.tcp(connection)?;
        Some((v4(socket.local_endpoint()?), v4(socket.remote_endpoint()?)))
    }

    fn send(&mut self, connection: Connection, bytes: &[u8]) -> usize {
        self.tcp(connection).map_or(0, |socket| socket.send_slice(bytes).unwrap_or_default())
    }

    fn receive(&mut self, connection: Connection) -> Option<Vec<u8>> {
        let socket = self.tcp(connection)?;
        if !socket.can_recv() {
            return None;
        }
        socket.recv(|bytes| (bytes.len(), bytes.to_vec())).ok().filter(|bytes| !bytes.is_empty())
    }

    fn is_acknowledged(&mut self, connection: Connection) -> bool {
        self.tcp(connection).is_some_and(|socket| {
            socket.send_queue() == 0
                && !matches!(socket.state(), tcp::State::Established | tcp::State::CloseWait)
        })
    }

    fn close(&mut self, connection: Connection) {
        let until = self.now + LINGERS_FOR;
        if let Some(socket) = self.tcp(connection) {
            socket.close();
            self.closed.push_back((until, connection));
        }
    }

    fn abort(&mut self, connection: Connection) {
        if let Some(socket) = self.tcp(connection) {
            socket.abort();
        }
    }

    fn remove(&mut self, connection: Connection) {
        if let Some(connected) = self.connections.remove(&connection) {
            self.dying.push(connected.handle);
        }
    }

    fn bind(&mut self, port: Option<u16>) -> Option<(Datagrams, u16)> {
        let port = port.unwrap_or_else(|| self.ephemeral_port());
        if self.is_bound(port) {
            return None;
        }
        let buffer =
            || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; MESSAGES], vec![0; 2 * BUFFER]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        if socket.bind(port).is_err() {
            return None;
        }
        let handle = self.sockets.add(socket);
        let id = Datagrams(self.id());
        self.datagrams.insert(id, handle);
        Some((id, port))
    }

    fn send_to(&mut self, socket: Datagrams, to: SocketAddrV4, payload: &[u8]) -> bool {
        payload.len() <= LONGEST_PAYLOAD
            && self.udp(socket).is_some_and(|socket| socket.send_slice(payload, endpoint(to)).is_ok())
    }

    fn receive_from(&mut self, socket: Datagrams) -> Option<(SocketAddrV4, Vec<u8>)> {
        let (payload, metadata) = self.udp(socket)?.recv().ok()?;
        Some((v4(metadata.endpoint), payload.to_vec()))
    }

    fn unbind(&mut self, socket: Datagrams) {
        if let Some(handle) = self.datagrams.remove(&socket) {
            self.dying.push(handle);
        }
    }

    fn open_echo(&mut self, identifier: u16, time_to_live: u8) -> Option<Echo> {
        let buffer =
            || icmp::PacketBuffer::new(vec![icmp::PacketMetadata::EMPTY; MESSAGES], vec![0; 2 * BUFFER]);
        let mut socket = icmp::Socket::new(buffer(), buffer());
        socket.bind(icmp::Endpoint::Ident(identifier)).ok()?;
        // A time to live of zero never leaves a host.
        socket.set_hop_limit(Some(time_to_live.max(1)));
        let handle = self.sockets.add(socket);
        let echo = Echo(self.id());
        self.echoes.insert(echo, Echoing { handle, identifier, errors: VecDeque::new() });
        Some(echo)
    }

    fn send_echo(&mut self, socket: Echo, to: Ipv4Addr, sequence: u16, payload: &[u8]) -> bool {
        let Some(echoing) = self.echoes.get(&socket).filter(|_| payload.len() <= LONGEST_PAYLOAD) else {
            return false;
        };
        let checksums = ChecksumCapabilities::default();
        let request = Icmpv4Repr::EchoRequest { ident: echoing.identifier, seq_no: sequence, data: payload };
        let socket = self.sockets.get_mut::<icmp::Socket<'static>>(echoing.handle);
        let Ok(room) = socket.send(request.buffer_len(), IpAddress::Ipv4(to)) else { return false };
        request.emit(&mut Icmpv4Packet::new_unchecked(room), &checksums);
        true
    }

    fn receive_echo(&mut self, socket: Echo) -> Option<EchoAnswer> {
        let checksums = ChecksumCapabilities::default();
        let echoing = self.echoes.get_mut(&socket)?;
        if let Some(error) = echoing.errors.pop_front() {
            return Some(error);
        }
        let socket = self.sockets.get_mut::<icmp::Socket<'static>>(echoing.handle);
        while let Ok((message, IpAddress::Ipv4(from))) = socket.recv() {
            let packet = Icmpv4Packet::new_checked(message).ok();
            let reply = packet.and_then(|packet| Icmpv4Repr::parse(&packet, &checksums).ok());
            if let Some(Icmpv4Repr::EchoReply { seq_no, data, .. }) = reply {
                return Some(EchoAnswer { from, kind: EchoAnswerKind::Reply(seq_no, data.to_vec()) });
            }
        }
        None
    }

    fn close_echo(&mut self, socket: Echo) {
        if let Some(echoing) = self.echoes.remove(&socket) {
            self.dying.push(echoing.handle);
        }
    }

    fn start(&mut self, _: Instant, _: &ProgramPlan) -> Result<Process, ProgramFailure> {
        Err(ProgramFailure::Simulated)
    }

    fn end_of(&self, _: Process) -> Option<&ProgramEnd> {
        None
    }

    fn forget(&mut self, _: Process) {}

    fn is_listened_on(&self, port: u16) -> bool {
        self.listeners.values().any(|listening| listening.port == port)
    }
}

/// What an ICMP error about its SYN means to a dialling socket, as in Linux (tcp_v4_err in tcp_ipv4.c).
fn dialling_fails(kind: &EchoAnswerKind) -> Option<Failure> {
    /// RFC 792's codes.
    const PORT: u8 = 3;
    const TOO_BIG: u8 = 4;
    match kind {
        EchoAnswerKind::Unreachable(PORT) => Some(Failure::Refused),
        EchoAnswerKind::Unreachable(TOO_BIG) | EchoAnswerKind::TimeExceeded | EchoAnswerKind::Reply(..) => {
            None
        }
        EchoAnswerKind::Unreachable(_) => Some(Failure::Unreachable),
    }
}

/// Hosts begin at different places, as RFC 6056 has it: two behind one router would else want the same ports.
fn first_port(seed: u64) -> u16 {
    let offset = u16::try_from(seed % u64::from(u16::MAX - FIRST_EPHEMERAL)).unwrap_or_default();
    FIRST_EPHEMERAL + offset
}

pub(super) fn new_tcp_socket() -> tcp::Socket<'static> {
    let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
    let mut socket = tcp::Socket::new(buffer(), buffer());
    // An FTP program writes whole lines, each to leave at once.
    socket.set_nagle_enabled(false);
    // Without it a sender fills a short queue over and over. Cubic would compute in floating point.
    socket.set_congestion_control(tcp::CongestionControl::Reno);
    socket
}

/// Takes the place of a socket that is over.
fn unused_tcp_socket() -> tcp::Socket<'static> {
    tcp::Socket::new(tcp::SocketBuffer::new(Vec::new()), tcp::SocketBuffer::new(Vec::new()))
}

fn endpoint(address: SocketAddrV4) -> IpEndpoint {
    IpEndpoint::new(IpAddress::Ipv4(*address.ip()), address.port())
}

pub(super) fn v4(endpoint: IpEndpoint) -> SocketAddrV4 {
    let IpAddress::Ipv4(address) = endpoint.addr;
    SocketAddrV4::new(address, endpoint.port)
}
