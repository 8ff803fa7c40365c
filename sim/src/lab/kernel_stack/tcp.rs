//! A kernel's TCP sockets, with the states that programs of both grounds know.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::libc;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use super::tcp_state::{TcpState, tcp_state, unacknowledged_segments};
use crate::ftp::Failure;
use crate::host::ConnectionState;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;
/// Bytes at a time.
const PIECE: usize = 64 * 1024;

/// A socket that listens on `port`, or on any; made in the calling thread's namespace.
pub(super) fn listen(port: Option<u16>) -> io::Result<(TcpListener, u16)> {
    let socket = new_socket()?;
    socket.bind(&address(Ipv4Addr::UNSPECIFIED, port))?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from(socket);
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// Non-blocking, and its port may be one that another connection has still: a server dials from its data port again
/// and again, within TIME-WAIT too (`tcp_twsk_unique` lets a bound port).
fn new_socket() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    Ok(socket)
}

fn address(address: Ipv4Addr, port: Option<u16>) -> SockAddr {
    SockAddr::from(SocketAddrV4::new(address, port.unwrap_or_default()))
}

/// A connection, or an attempt at one.
#[derive(Debug)]
pub(super) struct Tcp {
    /// `None` once it is over in any way but by both FINs.
    stream: Option<TcpStream>,
    ends: (SocketAddrV4, SocketAddrV4),
    opening: bool,
    fin_sent: bool,
    /// Programs see a peer's FIN before they see the end of the connection, which may come with the same packet.
    peer_closed_told: bool,
    failure: Failure,
}

impl Tcp {
    /// Dials from the calling thread's namespace.
    pub(super) fn dial(own: Ipv4Addr, from: Option<u16>, to: SocketAddrV4) -> io::Result<Self> {
        let socket = new_socket()?;
        // Commands leave at once.
        socket.set_tcp_nodelay(true)?;
        if from.is_some() {
            socket.bind(&address(own, from))?;
        }
        match socket.connect(&SockAddr::from(to)) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            Err(error) => return Err(error),
        }
        let stream = TcpStream::from(socket);
        let local = v4(stream.local_addr()?)?;
        Ok(Self::new(stream, (local, to), true))
    }

    /// The next connection that came to a listener.
    pub(super) fn accept(listener: &TcpListener) -> io::Result<Self> {
        let (stream, peer) = listener.accept()?;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let local = v4(stream.local_addr()?)?;
        Ok(Self::new(stream, (local, v4(peer)?), false))
    }

    fn new(stream: TcpStream, ends: (SocketAddrV4, SocketAddrV4), opening: bool) -> Self {
        let (fin_sent, peer_closed_told) = (false, false);
        Self { stream: Some(stream), ends, opening, fin_sent, peer_closed_told, failure: Failure::Refused }
    }

    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.stream.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn state(&mut self) -> ConnectionState {
        if self.opening {
            self.look_whether_open();
        }
        let Some(stream) = &self.stream else { return ConnectionState::Closed(self.failure) };
        if self.opening {
            return ConnectionState::Opening;
        }
        match stream.peek(&mut [0]) {
            Ok(0) => self.state_behind_fin(),
            Ok(_) => ConnectionState::Open,
            Err(error) if is_for_now(&error) => ConnectionState::Open,
            Err(error) => {
                self.fail(&error);
                ConnectionState::Closed(self.failure)
            }
        }
    }

    fn look_whether_open(&mut self) {
        let Some(stream) = &self.stream else { return };
        if tcp_state(stream) == TcpState::Opening {
            return;
        }
        match stream.take_error() {
            Ok(None) => self.opening = false,
            Ok(Some(error)) | Err(error) => self.fail(&error),
        }
    }

    /// All bytes of the peer's are read, and its FIN.
    fn state_behind_fin(&mut self) -> ConnectionState {
        if !self.peer_closed_told {
            self.peer_closed_told = true;
            return ConnectionState::PeerClosed;
        }
        let Some(stream) = &self.stream else { return ConnectionState::Closed(self.failure) };
        if tcp_state(stream) != TcpState::Closed {
            return ConnectionState::PeerClosed;
        }
        // A reset behind the FIN.
        if let Ok(Some(error)) = stream.take_error() {
            self.fail(&error);
        }
        ConnectionState::Closed(self.failure)
    }

    pub(super) fn ends(&self) -> Option<(SocketAddrV4, SocketAddrV4)> {
        (self.stream.is_some() && !self.opening).then_some(self.ends)
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> usize {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.opening && !self.fin_sent) else { return 0 };
        match stream.write(bytes) {
            Ok(count) => count,
            Err(error) => {
                if !is_for_now(&error) {
                    self.fail(&error);
                }
                0
            }
        }
    }

    pub(super) fn receive(&mut self) -> Option<Vec<u8>> {
        let stream = self.stream.as_mut().filter(|_| !self.opening)?;
        let mut bytes = vec![0; PIECE];
        match stream.read(&mut bytes) {
            Ok(0) => None,
            Ok(count) => {
                bytes.truncate(count);
                Some(bytes)
            }
            Err(error) => {
                if !is_for_now(&error) {
                    self.fail(&error);
                }
                None
            }
        }
    }

    pub(super) fn is_delivered(&self) -> bool {
        self.stream.as_ref().is_none_or(|stream| unacknowledged_segments(stream) == 0)
    }

    pub(super) fn is_acknowledged(&self) -> bool {
        let acknowledged = |stream| matches!(tcp_state(stream), TcpState::FinAcknowledged | TcpState::Closed);
        self.fin_sent && self.stream.as_ref().is_some_and(acknowledged)
    }

    pub(super) fn close(&mut self) {
        if self.opening {
            // Nobody waits for it any more.
            self.stream = None;
        } else if let Some(stream) = self.stream.as_ref().filter(|_| !self.fin_sent) {
            self.fin_sent = true;
            if let Err(error) = stream.shutdown(Shutdown::Write) {
                self.fail(&error);
            }
        }
    }

    /// Closed with a linger of zero, a socket sends a reset.
    pub(super) fn abort(&mut self) {
        if let Some(stream) = self.stream.take()
            && let Err(error) = SockRef::from(&stream).set_linger(Some(Duration::ZERO))
        {
            log::debug!("a connection to {} is closed instead of reset: {error}", self.ends.1);
        }
    }

    fn fail(&mut self, error: &io::Error) {
        self.stream = None;
        self.failure = failure(error);
    }
}

fn failure(error: &io::Error) -> Failure {
    match error.raw_os_error() {
        Some(libc::EHOSTUNREACH | libc::ENETUNREACH | libc::EACCES | libc::EPERM | libc::ENOPROTOOPT) => {
            Failure::Unreachable
        }
        Some(libc::ETIMEDOUT) => Failure::TimedOut,
        _ => Failure::Refused,
    }
}

pub(super) fn is_for_now(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

pub(super) fn v4(address: SocketAddr) -> io::Result<SocketAddrV4> {
    match address {
        SocketAddr::V4(address) => Ok(address),
        SocketAddr::V6(_) => {
            Err(io::Error::new(ErrorKind::InvalidData, "an IPv4 socket has an IPv6 address"))
        }
    }
}
