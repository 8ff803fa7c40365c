//! A simulated host's network stack: smoltcp, one interface, one address.

mod programs;

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::queue::Queue;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr, IpEndpoint};

use super::listening::{Listening, Syn};
use crate::ftp::Failure;
use crate::host::{Connection, Datagrams, Echo, EchoAnswer, EchoAnswerKind, IcmpError, Listener, Quoted};

/// A TCP buffer, in bytes, each way: just below the size that would turn window scaling on.
const BUFFER: usize = 65_535;
/// A datagram's, and an echo's, longest payload: what IPv4 carries less both headers.
const LONGEST_PAYLOAD: usize = 65_507;
/// Datagrams and echoes that wait to be read.
const MESSAGES: usize = 32;
/// The least MTU that any link has (RFC 791 §3.2).
const LEAST_MTU: usize = 68;
/// The first ephemeral port (RFC 6335 §6: 49152–65535).
const FIRST_EPHEMERAL: u16 = 49_152;
/// How long a SYN is sent again: Linux's `tcp_syn_retries` of 6.
const DIALS_FOR: Duration = Duration::from_secs(127);
/// How long a closed connection waits for its peer: about as long as Linux keeps one that no program holds.
const LINGERS_FOR: Duration = Duration::from_secs(100);

/// One host's stack.
pub struct SimulatedStack {
    interface: Interface,
    seed: u64,
    queue: Queue,
    /// What the host sent to itself.
    looped: VecDeque<Vec<u8>>,
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
        let mut queue = Queue::new(mtu);
        Self {
            interface: new_interface(&mut queue, address, seed, Instant::ZERO),
            queue,
            looped: VecDeque::new(),
            seed,
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

    /// Whether a socket of this host may have sent a packet. A kernel takes that as given of ICMP (icmp_err in icmp.c).
    fn has_sent(&self, packet: Quoted) -> bool {
        match packet {
            Quoted::Tcp { source, destination } => self.connections.values().any(|connected| {
                let socket = self.sockets.get::<tcp::Socket<'static>>(connected.handle);
                let ends = (socket.local_endpoint().map(v4), socket.remote_endpoint().map(v4));
                ends == (Some(source), Some(destination))
            }),
            Quoted::Udp { source } => self.datagrams.values().any(|handle| {
                self.sockets.get::<udp::Socket<'static>>(*handle).endpoint().port == source.port()
            }),
            Quoted::Echo { .. } | Quoted::OtherIcmp => true,
            Quoted::Other => false,
        }
    }

    /// smoltcp asks its device for the MTU once: another MTU is another interface. The sockets do not notice.
    fn change_mtu(&mut self, mtu: usize) {
        self.queue.mtu = mtu;
        // Not the numbers it has drawn before.
        self.seed = self.seed.wrapping_add(1);
        self.interface = new_interface(&mut self.queue, self.address, self.seed, self.now);
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

    /// What the stack sends to its own address comes to itself.
    fn loop_back(&mut self) {
        let (own, looped) = (self.address, &mut self.looped);
        self.queue.leaving.retain_mut(|packet| match destination(packet) {
            Some(to) if to == own => {
                looped.push_back(std::mem::take(packet));
                false
            }
            // RFC 1122 §3.2.1.3: such an address is never seen outside of a host.
            Some(to) => !to.is_loopback(),
            None => true,
        });
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
        // Path-MTU discovery (RFC 1191), of the host and not of each path.
        let shorter = |mtu: &usize| (LEAST_MTU..self.queue.mtu).contains(mtu);
        if let Some(mtu) = error.next_hop_mtu.map(usize::from).filter(shorter)
            && self.has_sent(error.quoted)
        {
            self.change_mtu(mtu);
        }
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
            Quoted::Udp { .. } | Quoted::OtherIcmp | Quoted::Other => {}
        }
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

fn new_interface(queue: &mut Queue, address: Ipv4Addr, seed: u64, now: Instant) -> Interface {
    let mut config = Config::new(HardwareAddress::Ip);
    config.random_seed = seed;
    let mut interface = Interface::new(config, queue, now);
    interface.update_ip_addrs(|addresses| {
        // All else is reached through the link, as on a point-to-point one.
        let added = addresses.push(IpCidr::new(IpAddress::Ipv4(address), 32));
        debug_assert!(added.is_ok(), "an empty list has room");
    });
    let routed = interface.routes_mut().add_default_ipv4_route(address);
    debug_assert!(routed.is_ok(), "an empty table has room");
    interface
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

/// Where an IPv4 packet goes.
fn destination(packet: &[u8]) -> Option<Ipv4Addr> {
    packet.get(16..)?.first_chunk::<4>().copied().map(Ipv4Addr::from)
}

fn endpoint(address: SocketAddrV4) -> IpEndpoint {
    IpEndpoint::new(IpAddress::Ipv4(*address.ip()), address.port())
}

pub(super) fn v4(endpoint: IpEndpoint) -> SocketAddrV4 {
    let IpAddress::Ipv4(address) = endpoint.addr;
    SocketAddrV4::new(address, endpoint.port)
}
