//! A simulated host's network stack: smoltcp, one interface, one address.

use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr, IpEndpoint};

use super::queue::Queue;

/// A TCP buffer, in bytes, each way: just below the size that would turn window scaling on.
const BUFFER: usize = 65_535;
/// The first ephemeral port (RFC 6335 §6: 49152–65535).
const FIRST_EPHEMERAL: u16 = 49_152;

/// One host's stack.
pub(super) struct Stack {
    interface: Interface,
    pub(super) queue: Queue,
    sockets: SocketSet<'static>,
    address: Ipv4Addr,
    next_port: u16,
}

impl Stack {
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
        Self { interface, queue, sockets: SocketSet::new(Vec::new()), address, next_port: FIRST_EPHEMERAL }
    }

    pub(super) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Moves packets between queue and sockets; says whether a socket changed.
    pub(super) fn poll(&mut self, now: Instant) -> bool {
        let result = self.interface.poll(now, &mut self.queue, &mut self.sockets);
        result == PollResult::SocketStateChanged
    }

    pub(super) fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        self.interface.poll_at(now, &self.sockets)
    }

    pub(super) fn tcp(&mut self, handle: SocketHandle) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(handle)
    }

    /// A socket that listens on `port`.
    pub(super) fn listen(&mut self, port: u16) -> Option<SocketHandle> {
        let mut socket = new_socket();
        socket.listen(port).ok()?;
        Some(self.sockets.add(socket))
    }

    /// A socket that dials `to`.
    pub(super) fn dial(&mut self, from: Option<u16>, to: SocketAddrV4) -> Option<SocketHandle> {
        let port = from.unwrap_or_else(|| self.ephemeral_port());
        let mut socket = new_socket();
        let remote = IpEndpoint::new(IpAddress::Ipv4(*to.ip()), to.port());
        let local = IpEndpoint::new(IpAddress::Ipv4(self.address), port);
        socket.connect(self.interface.context(), remote, local).ok()?;
        Some(self.sockets.add(socket))
    }

    pub(super) fn remove(&mut self, handle: SocketHandle) {
        self.sockets.remove(handle);
    }

    pub(super) fn ephemeral_port(&mut self) -> u16 {
        let port = self.next_port;
        self.next_port = port.checked_add(1).unwrap_or(FIRST_EPHEMERAL);
        port
    }

    /// Both ends of a connected socket.
    pub(super) fn ends(&mut self, handle: SocketHandle) -> Option<(SocketAddrV4, SocketAddrV4)> {
        let socket = self.sockets.get::<tcp::Socket<'static>>(handle);
        Some((v4(socket.local_endpoint()?), v4(socket.remote_endpoint()?)))
    }
}

fn new_socket() -> tcp::Socket<'static> {
    let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
    let mut socket = tcp::Socket::new(buffer(), buffer());
    // An FTP program writes whole lines, each to leave at once.
    socket.set_nagle_enabled(false);
    socket
}

fn v4(endpoint: IpEndpoint) -> SocketAddrV4 {
    let IpAddress::Ipv4(address) = endpoint.addr;
    SocketAddrV4::new(address, endpoint.port)
}
