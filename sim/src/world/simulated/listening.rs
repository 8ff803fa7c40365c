//! What a listening port is to smoltcp, which has no backlog: a socket for each SYN that came and was not accepted.

use std::net::SocketAddrV4;

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::time::Duration;
use smoltcp::wire::{IpProtocol, Ipv4Packet, TcpPacket};

use super::stack::{new_tcp_socket, v4};

/// Connections that wait to be established and accepted; a SYN beyond is dropped, as in Linux. Its programs listen
/// with such a backlog.
const BACKLOG: usize = 128;
/// How long a SYN waits for the ACK of its answer: Linux's `tcp_synack_retries` of 5.
const WAITS_FOR: Duration = Duration::from_secs(63);

/// A listening port.
pub(super) struct Listening {
    pub(super) port: u16,
    pending: Vec<SocketHandle>,
}

impl Listening {
    pub(super) fn new(port: u16) -> Self {
        Self { port, pending: Vec::new() }
    }

    /// A SYN is about to come into the stack; a repeated one has its socket already.
    pub(super) fn expect(&mut self, from: SocketAddrV4, sockets: &mut SocketSet<'static>) {
        let is_known = self.pending.iter().any(|handle| {
            sockets.get::<tcp::Socket<'static>>(*handle).remote_endpoint().map(v4) == Some(from)
        });
        if is_known || self.pending.len() >= BACKLOG {
            return;
        }
        let mut socket = new_tcp_socket();
        socket.set_timeout(Some(WAITS_FOR));
        if socket.listen(self.port).is_ok() {
            self.pending.push(sockets.add(socket));
        }
    }

    /// Takes out the sockets that no SYN has come to after all, and those whose peers have gone.
    pub(super) fn unused(&mut self, sockets: &SocketSet<'static>) -> Vec<SocketHandle> {
        let state = |handle: &mut SocketHandle| sockets.get::<tcp::Socket<'static>>(*handle).state();
        let gone =
            |handle: &mut SocketHandle| matches!(state(handle), tcp::State::Listen | tcp::State::Closed);
        self.pending.extract_if(.., gone).collect()
    }

    /// The next established connection.
    pub(super) fn accept(&mut self, sockets: &mut SocketSet<'static>) -> Option<SocketHandle> {
        let is_open = |handle: &SocketHandle| {
            sockets.get::<tcp::Socket<'static>>(*handle).state() != tcp::State::SynReceived
        };
        let place = self.pending.iter().position(is_open)?;
        let handle = self.pending.remove(place);
        sockets.get_mut::<tcp::Socket<'static>>(handle).set_timeout(None);
        Some(handle)
    }

    /// Resets what was not accepted.
    pub(super) fn reset(self, sockets: &mut SocketSet<'static>) -> Vec<SocketHandle> {
        for handle in &self.pending {
            sockets.get_mut::<tcp::Socket<'static>>(*handle).abort();
        }
        self.pending
    }
}

/// A packet that asks for a connection.
pub(super) struct Syn {
    pub(super) from: SocketAddrV4,
    pub(super) to: SocketAddrV4,
}

impl Syn {
    /// Reads a packet; `None`: it is another one. Its checksums are not looked at.
    pub(super) fn read(packet: &[u8]) -> Option<Self> {
        let ip = Ipv4Packet::new_checked(packet).ok().filter(|ip| ip.next_header() == IpProtocol::Tcp)?;
        let tcp = TcpPacket::new_checked(ip.payload()).ok()?;
        (tcp.syn() && !tcp.ack() && !tcp.rst()).then(|| Self {
            from: SocketAddrV4::new(ip.src_addr(), tcp.src_port()),
            to: SocketAddrV4::new(ip.dst_addr(), tcp.dst_port()),
        })
    }
}
