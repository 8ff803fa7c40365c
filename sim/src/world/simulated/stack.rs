//! A simulated host's network stack: smoltcp, one interface, one address.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::{icmp, tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, Icmpv4Packet, Icmpv4Repr, IpAddress, IpCidr, IpEndpoint};

use super::queue::Queue;
use crate::ftp::Failure;
use crate::host::{
    Connection, ConnectionState, Datagrams, Echo, EchoAnswer, EchoAnswerKind, IcmpError, Listener, Process,
    ProgramEnd, ProgramFailure, ProgramPlan, Quoted, Stack,
};

/// A TCP buffer, in bytes, each way: just below the size that would turn window scaling on.
const BUFFER: usize = 65_535;
/// Datagrams and echoes that wait to be read.
const MESSAGES: usize = 32;
/// The first ephemeral port (RFC 6335 §6: 49152–65535).
const FIRST_EPHEMERAL: u16 = 49_152;

/// One host's stack.
pub struct SimulatedStack {
    interface: Interface,
    queue: Queue,
    sockets: SocketSet<'static>,
    address: Ipv4Addr,
    next_port: u16,
    next_id: usize,
    listeners: BTreeMap<Listener, Listening>,
    connections: BTreeMap<Connection, Connected>,
    datagrams: BTreeMap<Datagrams, SocketHandle>,
    echoes: BTreeMap<Echo, Echoing>,
    /// Sockets that nobody holds any more, until their last packet has left.
    dying: Vec<SocketHandle>,
}

struct Listening {
    port: u16,
    /// Waits for the next peer; smoltcp has no backlog, so one socket is always at it.
    handle: SocketHandle,
}

struct Connected {
    handle: SocketHandle,
    /// An ICMP error answered its SYN, which smoltcp does not look at.
    unreachable: bool,
}

struct Echoing {
    handle: SocketHandle,
    identifier: u16,
    errors: VecDeque<EchoAnswer>,
}

impl SimulatedStack {
    pub(super) fn new(address: Ipv4Addr, mtu: usize, seed: u64) -> Self {
        let mut queue = Queue::new(mtu);
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
            sockets: SocketSet::new(Vec::new()),
            address,
            next_port: FIRST_EPHEMERAL,
            next_id: 0,
            listeners: BTreeMap::new(),
            connections: BTreeMap::new(),
            datagrams: BTreeMap::new(),
            echoes: BTreeMap::new(),
            dying: Vec::new(),
        }
    }

    fn id(&mut self) -> usize {
        self.next_id += 1;
        self.next_id
    }

    fn ephemeral_port(&mut self) -> u16 {
        let port = self.next_port;
        self.next_port = port.checked_add(1).unwrap_or(FIRST_EPHEMERAL);
        port
    }

    fn listening_socket(&mut self, port: u16) -> Option<SocketHandle> {
        let mut socket = new_tcp_socket();
        socket.listen(port).ok()?;
        Some(self.sockets.add(socket))
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
                if !matches!(error.kind, EchoAnswerKind::Unreachable(_)) {
                    return;
                }
                for connected in self.connections.values_mut() {
                    let socket = self.sockets.get_mut::<tcp::Socket<'static>>(connected.handle);
                    let ends = (socket.local_endpoint().map(v4), socket.remote_endpoint().map(v4));
                    if socket.state() == tcp::State::SynSent && ends == (Some(source), Some(destination)) {
                        connected.unreachable = true;
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
        self.queue.arrived.push_back(packet);
    }

    fn collect(&mut self) -> Option<Vec<u8>> {
        self.queue.leaving.pop_front()
    }

    fn poll(&mut self, now: Instant) -> bool {
        let result = self.interface.poll(now, &mut self.queue, &mut self.sockets);
        for handle in std::mem::take(&mut self.dying) {
            self.sockets.remove(handle);
        }
        result == PollResult::SocketStateChanged
    }

    fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        self.interface.poll_at(now, &self.sockets)
    }

    fn listen(&mut self, port: Option<u16>) -> Option<(Listener, u16)> {
        let port = port.unwrap_or_else(|| self.ephemeral_port());
        if self.listeners.values().any(|listening| listening.port == port) {
            return None;
        }
        let handle = self.listening_socket(port)?;
        let listener = Listener(self.id());
        self.listeners.insert(listener, Listening { port, handle });
        Some((listener, port))
    }

    fn accept(&mut self, listener: Listener) -> Option<Connection> {
        let Listening { port, handle } = *self.listeners.get(&listener)?;
        let state = self.sockets.get::<tcp::Socket<'static>>(handle).state();
        if matches!(state, tcp::State::Listen | tcp::State::SynReceived) {
            return None;
        }
        let successor = self.listening_socket(port)?;
        self.listeners.insert(listener, Listening { port, handle: successor });
        let connection = Connection(self.id());
        self.connections.insert(connection, Connected { handle, unreachable: false });
        Some(connection)
    }

    fn unlisten(&mut self, listener: Listener) {
        if let Some(Listening { handle, .. }) = self.listeners.remove(&listener) {
            self.sockets.get_mut::<tcp::Socket<'static>>(handle).abort();
            self.dying.push(handle);
        }
    }

    fn dial(&mut self, from: Option<u16>, to: SocketAddrV4) -> Option<Connection> {
        let port = from.unwrap_or_else(|| self.ephemeral_port());
        let mut socket = new_tcp_socket();
        let local = IpEndpoint::new(IpAddress::Ipv4(self.address), port);
        socket.connect(self.interface.context(), endpoint(to), local).ok()?;
        let handle = self.sockets.add(socket);
        let connection = Connection(self.id());
        self.connections.insert(connection, Connected { handle, unreachable: false });
        Some(connection)
    }

    fn state(&mut self, connection: Connection) -> ConnectionState {
        let Some(connected) = self.connections.get(&connection) else {
            return ConnectionState::Closed(Failure::Refused);
        };
        let socket = self.sockets.get_mut::<tcp::Socket<'static>>(connected.handle);
        if connected.unreachable {
            socket.abort();
            return ConnectionState::Closed(Failure::Unreachable);
        }
        match socket.state() {
            tcp::State::Closed => ConnectionState::Closed(Failure::Refused),
            tcp::State::Listen | tcp::State::SynSent | tcp::State::SynReceived => ConnectionState::Opening,
            tcp::State::Established | tcp::State::FinWait1 | tcp::State::FinWait2 => ConnectionState::Open,
            tcp::State::CloseWait | tcp::State::LastAck | tcp::State::Closing | tcp::State::TimeWait => {
                if socket.can_recv() {
                    ConnectionState::Open
                } else {
                    ConnectionState::PeerClosed
                }
            }
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
        if let Some(socket) = self.tcp(connection) {
            socket.close();
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
        let taken = self
            .datagrams
            .values()
            .any(|handle| self.sockets.get::<udp::Socket<'static>>(*handle).endpoint().port == port);
        let buffer =
            || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; MESSAGES], vec![0; 2 * BUFFER]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        if taken || socket.bind(port).is_err() {
            return None;
        }
        let handle = self.sockets.add(socket);
        let id = Datagrams(self.id());
        self.datagrams.insert(id, handle);
        Some((id, port))
    }

    fn send_to(&mut self, socket: Datagrams, to: SocketAddrV4, payload: &[u8]) -> bool {
        self.udp(socket).is_some_and(|socket| socket.send_slice(payload, endpoint(to)).is_ok())
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
        let Some(echoing) = self.echoes.get(&socket) else { return false };
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

fn new_tcp_socket() -> tcp::Socket<'static> {
    let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
    let mut socket = tcp::Socket::new(buffer(), buffer());
    // An FTP program writes whole lines, each to leave at once.
    socket.set_nagle_enabled(false);
    socket
}

fn endpoint(address: SocketAddrV4) -> IpEndpoint {
    IpEndpoint::new(IpAddress::Ipv4(*address.ip()), address.port())
}

fn v4(endpoint: IpEndpoint) -> SocketAddrV4 {
    let IpAddress::Ipv4(address) = endpoint.addr;
    SocketAddrV4::new(address, endpoint.port)
}
