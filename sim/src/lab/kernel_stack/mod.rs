//! A host's kernel as the [`Stack`] that programs are written against: sockets in the host's namespace, and a TUN device
//! for its wire.
//!
//! A socket stays in the namespace it was made in, so it is made on a short visit and used from nowhere. Whatever
//! becomes ready makes the lab's epoll descriptor readable, once for each change: a socket that stays ready and that
//! nobody reads does not keep the lab awake. What a packet changes is there when it has been delivered: the kernel
//! takes it through to the sockets while it is written to the device.

mod echo;
mod processes;
mod tcp;
mod tcp_state;
mod udp;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::rc::Rc;

use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};
use quirknat_router::device::{Device as _, Tun};
use smoltcp::time::Instant;

use super::{LabFailure, Namespace, Nowhere, close_devices, netlink, open_host};
use crate::ftp::Failure;
use crate::host::{
    Connection, ConnectionState, Datagrams, Echo, EchoAnswer, Listener, Process, ProgramEnd, ProgramFailure,
    ProgramPlan, Stack,
};
use crate::world::HostPlace;
use echo::EchoSocket;
use processes::Processes;
use tcp::Tcp;

/// A host's only device.
const DEVICE: &str = "eth0";
/// Packets that a host may send at a time, so that none keeps the lab to itself.
const TURN: usize = 1024;

/// What the hosts of a lab share.
#[derive(Debug)]
pub(super) struct Ground {
    /// Tells that something is ready at one of them.
    pub(super) epoll: Epoll,
    /// This project's binary, which real programs run under.
    pub(super) supervisor: PathBuf,
    /// Devices of hosts that are gone. They are closed together.
    closing: RefCell<Vec<Tun>>,
}

impl Ground {
    pub(super) fn new(epoll: Epoll, supervisor: PathBuf) -> Self {
        Self { epoll, supervisor, closing: RefCell::default() }
    }

    /// Wakes the lab whenever something changes for the better or the worse at this socket. Its end needs no word.
    fn watch(&self, socket: impl AsFd) -> io::Result<()> {
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
        Ok(self.epoll.add(socket, EpollEvent::new(flags, 0))?)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        close_devices(self.closing.take());
    }
}

/// One host's stack.
#[derive(Debug)]
pub struct KernelStack {
    // What is in the namespace goes before it.
    processes: Processes,
    listeners: BTreeMap<Listener, TcpListener>,
    connections: BTreeMap<Connection, Tcp>,
    datagrams: BTreeMap<Datagrams, UdpSocket>,
    echoes: BTreeMap<Echo, EchoSocket>,
    device: Option<Tun>,
    namespace: Namespace,
    address: Ipv4Addr,
    /// Packets that may still leave in this turn.
    turn: usize,
    next_id: usize,
    ground: Rc<Ground>,
}

impl Drop for KernelStack {
    fn drop(&mut self) {
        if let Some(device) = self.device.take() {
            // It stays open until the others go too, and what arrives in it is nobody's.
            let _ = self.ground.epoll.delete(&device);
            self.ground.closing.borrow_mut().push(device);
        }
    }
}

impl KernelStack {
    /// The host's namespace.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    pub(super) fn open(
        nowhere: &Nowhere,
        place: &HostPlace<'_>,
        ground: &Rc<Ground>,
    ) -> Result<Self, LabFailure> {
        let mtu = u32::try_from(place.mtu).unwrap_or(u32::MAX);
        let failed = |source| LabFailure::Host { name: place.name.to_owned(), source };
        let (namespace, device) = open_host(nowhere, DEVICE, place.address, mtu).map_err(failed)?;
        // As long as packets wait: what is left after a turn wakes the lab again.
        let event = EpollEvent::new(EpollFlags::EPOLLIN, 0);
        ground.epoll.add(&device, event).map_err(LabFailure::Wait)?;
        Ok(Self {
            processes: Processes::default(),
            listeners: BTreeMap::new(),
            connections: BTreeMap::new(),
            datagrams: BTreeMap::new(),
            echoes: BTreeMap::new(),
            device: Some(device),
            namespace,
            address: place.address.address(),
            turn: TURN,
            next_id: 0,
            ground: Rc::clone(ground),
        })
    }

    /// What to wait on for reading, besides the ground's epoll descriptor.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.processes.descriptors()
    }

    fn id(&mut self) -> usize {
        self.next_id += 1;
        self.next_id
    }

    /// Makes a socket in the host's namespace. Why there is none is for the log: programs only know that they cannot have it.
    fn inside<T>(&self, what: &str, work: impl FnOnce() -> io::Result<T>) -> Option<T> {
        match self.namespace.within(work) {
            Ok(Ok(socket)) => Some(socket),
            Ok(Err(error)) => {
                log::debug!("{}: no {what}: {error}", self.address);
                None
            }
            Err(error) => {
                log::error!("{}: no {what}: {error}", self.address);
                None
            }
        }
    }

    fn keep_connection(&mut self, tcp: Tcp) -> Option<Connection> {
        self.ground.watch(tcp.descriptor()?).ok()?;
        let connection = Connection(self.id());
        self.connections.insert(connection, tcp);
        Some(connection)
    }
}

impl Stack for KernelStack {
    fn address(&self) -> Ipv4Addr {
        self.address
    }

    fn deliver(&mut self, packet: Vec<u8>) {
        if let Some(device) = &mut self.device
            && let Err(error) = device.send(&packet)
        {
            log::debug!("{}: a packet is lost at the host's device: {error}", self.address);
        }
    }

    fn collect(&mut self) -> Option<Vec<u8>> {
        self.turn = self.turn.checked_sub(1)?;
        let mut packet = Vec::new();
        match self.device.as_mut()?.receive(&mut packet) {
            Ok(true) => Some(packet),
            Ok(false) => None,
            Err(error) => {
                log::error!("{}: the host's device is gone: {error}", self.address);
                // Nobody is to wait for it.
                self.device = None;
                None
            }
        }
    }

    fn poll(&mut self, now: Instant) -> bool {
        self.turn = TURN;
        self.processes.poll(now)
    }

    fn set_mtu(&mut self, mtu: u16) {
        if let Some(device) = &mut self.device {
            device.make_room(usize::from(mtu));
        }
        let changed = self.namespace.within(|| netlink::set_mtu(DEVICE, u32::from(mtu)));
        if let Err(error) = changed
            .map_err(|error| error.to_string())
            .and_then(|changed| changed.map_err(|error| error.to_string()))
        {
            log::error!("{}: its MTU stays as it is: {error}", self.address);
        }
    }

    fn poll_at(&mut self, _: Instant) -> Option<Instant> {
        self.processes.poll_at()
    }

    fn listen(&mut self, port: Option<u16>) -> Option<(Listener, u16)> {
        let (listener, port) = self.inside("listener", || tcp::listen(port))?;
        self.ground.watch(&listener).ok()?;
        let id = Listener(self.id());
        self.listeners.insert(id, listener);
        Some((id, port))
    }

    fn accept(&mut self, listener: Listener) -> Option<Connection> {
        let tcp = Tcp::accept(self.listeners.get(&listener)?).ok()?;
        self.keep_connection(tcp)
    }

    fn unlisten(&mut self, listener: Listener) {
        self.listeners.remove(&listener);
    }

    fn dial(&mut self, from: Option<u16>, to: SocketAddrV4) -> Option<Connection> {
        let tcp = self.inside("connection", || Tcp::dial(self.address, from, to))?;
        self.keep_connection(tcp)
    }

    fn state(&mut self, connection: Connection) -> ConnectionState {
        self.connections.get_mut(&connection).map_or(ConnectionState::Closed(Failure::Refused), Tcp::state)
    }

    fn ends(&mut self, connection: Connection) -> Option<(SocketAddrV4, SocketAddrV4)> {
        self.connections.get(&connection)?.ends()
    }

    fn send(&mut self, connection: Connection, bytes: &[u8]) -> usize {
        self.connections.get_mut(&connection).map_or(0, |tcp| tcp.send(bytes))
    }

    fn receive(&mut self, connection: Connection) -> Option<Vec<u8>> {
        self.connections.get_mut(&connection)?.receive()
    }

    fn is_delivered(&mut self, connection: Connection) -> bool {
        self.connections.get(&connection).is_none_or(Tcp::is_delivered)
    }

    fn is_acknowledged(&mut self, connection: Connection) -> bool {
        self.connections.get(&connection).is_some_and(Tcp::is_acknowledged)
    }

    fn close(&mut self, connection: Connection) {
        if let Some(tcp) = self.connections.get_mut(&connection) {
            tcp.close();
        }
    }

    fn abort(&mut self, connection: Connection) {
        if let Some(tcp) = self.connections.get_mut(&connection) {
            tcp.abort();
        }
    }

    fn remove(&mut self, connection: Connection) {
        self.connections.remove(&connection);
    }

    fn bind(&mut self, port: Option<u16>) -> Option<(Datagrams, u16)> {
        let (socket, port) = self.inside("UDP socket", || udp::bind(port))?;
        self.ground.watch(&socket).ok()?;
        let id = Datagrams(self.id());
        self.datagrams.insert(id, socket);
        Some((id, port))
    }

    fn send_to(&mut self, socket: Datagrams, to: SocketAddrV4, payload: &[u8]) -> bool {
        self.datagrams.get(&socket).is_some_and(|socket| socket.send_to(payload, to).is_ok())
    }

    fn receive_from(&mut self, socket: Datagrams) -> Option<(SocketAddrV4, Vec<u8>)> {
        udp::receive(self.datagrams.get(&socket)?)
    }

    fn unbind(&mut self, socket: Datagrams) {
        self.datagrams.remove(&socket);
    }

    fn open_echo(&mut self, identifier: u16, time_to_live: u8) -> Option<Echo> {
        let socket = self.inside("raw ICMP socket", || EchoSocket::open(identifier, time_to_live))?;
        self.ground.watch(&socket.socket).ok()?;
        let echo = Echo(self.id());
        self.echoes.insert(echo, socket);
        Some(echo)
    }

    fn send_echo(&mut self, socket: Echo, to: Ipv4Addr, sequence: u16, payload: &[u8]) -> bool {
        self.echoes.get(&socket).is_some_and(|socket| socket.send(to, sequence, payload))
    }

    fn receive_echo(&mut self, socket: Echo) -> Option<EchoAnswer> {
        self.echoes.get(&socket)?.receive()
    }

    fn close_echo(&mut self, socket: Echo) {
        self.echoes.remove(&socket);
    }

    fn start(&mut self, now: Instant, plan: &ProgramPlan) -> Result<Process, ProgramFailure> {
        let process = Process(self.id());
        let place = (&self.namespace, self.ground.supervisor.as_path());
        self.processes.start(process, plan, place, now)?;
        Ok(process)
    }

    fn end_of(&self, process: Process) -> Option<&ProgramEnd> {
        self.processes.end_of(process)
    }

    fn forget(&mut self, process: Process) {
        self.processes.remove(process);
    }

    fn is_listened_on(&self, port: u16) -> bool {
        self.inside("list of listeners", || Ok(processes::listens(port))).unwrap_or(false)
    }
}
