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
    match tcp_info(socket).map(|info| info.tcpi_state) {
        Some(SYN_SENT | SYN_RECEIVED) => TcpState::Opening,
        Some(FIN_WAIT_2) => TcpState::FinAcknowledged,
        Some(TIME_WAIT | CLOSE) | None => TcpState::Closed,
        Some(_) => TcpState::Other,
    }
}

/// How many segments are on their way, or lost, without the peer having acknowledged them.
pub(super) fn unacknowledged_segments(socket: &impl AsFd) -> u32 {
    tcp_info(socket).map_or(0, |info| info.tcpi_unacked)
}

fn tcp_info(socket: &impl AsFd) -> Option<libc::tcp_info> {
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
    // SAFETY: it was all zeroes, which is a valid value of it, and so is what the kernel wrote over them.
    (result == 0).then(|| unsafe { info.assume_init() })
}
