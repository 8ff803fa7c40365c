//! The state of a TCP connection as its kernel has it.
#![expect(unsafe_code, reason = "TCP_INFO has no safe call in std, nix or socket2")]

use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd as _};

use nix::libc;

/// From net/tcp_states.h in the kernel, as far as anybody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TcpState {
    /// SYN-SENT or SYN-RECEIVED.
    Opening,
    /// The peer has acknowledged this end's FIN, and all before it.
    FinAcknowledged,
    /// Nothing of it is left, or nothing but TIME-WAIT, which is no state of the socket any more.
    Closed,
    /// Any other.
    Other,
}

/// Asks the kernel; a descriptor that is no TCP socket's counts as closed.
pub(super) fn tcp_state(socket: &impl AsFd) -> TcpState {
    const SYN_SENT: u8 = 2;
    const SYN_RECEIVED: u8 = 3;
    const FIN_WAIT_2: u8 = 5;
    const TIME_WAIT: u8 = 6;
    const CLOSE: u8 = 7;
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).unwrap_or_default();
    // SAFETY: the descriptor is open as long as it is borrowed, and the kernel writes at most `length` bytes, which
    // the place has.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return TcpState::Closed;
    }
    // SAFETY: it was all zeroes, which is a valid value of it, and so is what the kernel wrote over them.
    let info = unsafe { info.assume_init() };
    match info.tcpi_state {
        SYN_SENT | SYN_RECEIVED => TcpState::Opening,
        FIN_WAIT_2 => TcpState::FinAcknowledged,
        TIME_WAIT | CLOSE => TcpState::Closed,
        _ => TcpState::Other,
    }
}
