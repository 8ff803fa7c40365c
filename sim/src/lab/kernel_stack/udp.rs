//! A kernel's UDP sockets.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};

use super::tcp::{is_for_now, v4};

/// The longest datagram.
const LONGEST: usize = 65_535;
/// Errors of earlier datagrams that a socket may bring up before a datagram.
const ERRORS: usize = 16;

/// A socket on `port`, or on any; made in the calling thread's namespace.
pub(super) fn bind(port: Option<u16>) -> io::Result<(UdpSocket, u16)> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port.unwrap_or_default()))?;
    socket.set_nonblocking(true)?;
    let port = socket.local_addr()?.port();
    Ok((socket, port))
}

pub(super) fn receive(socket: &UdpSocket) -> Option<(SocketAddrV4, Vec<u8>)> {
    let mut bytes = vec![0; LONGEST];
    for _ in 0..ERRORS {
        match socket.recv_from(&mut bytes) {
            Ok((count, from)) => {
                bytes.truncate(count);
                return Some((v4(from).ok()?, bytes));
            }
            Err(error) if is_for_now(&error) => return None,
            // An ICMP error about a datagram: UDP promises nothing.
            Err(error) => log::debug!("a UDP socket: {error}"),
        }
    }
    None
}
