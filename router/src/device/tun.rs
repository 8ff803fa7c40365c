//! A TUN device through the tun-tap crate: one packet a read, as on the wire.
#![expect(
    unsafe_code,
    reason = "tun-tap lends its descriptor as a bare number, and the queue length is an ioctl"
)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::libc;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use tun_tap::{Iface, Mode};

use super::Device;

/// Packets the kernel queues for us while we are busy. Its default of 500 halves the loss-free rate of small packets.
const TRANSMIT_QUEUE: libc::c_int = 5000;
/// Room for a packet at first: more than the MTU that a device is made with.
const ROOM: usize = 2048;
/// The longest IPv4 packet.
const LONGEST_PACKET: usize = 65_535;
/// The kernel's IFNAMSIZ without the final zero; tun-tap would cut a longer name silently.
const LONGEST_NAME: usize = 15;

/// A TUN device; it goes away with this value.
#[derive(Debug)]
pub struct Tun {
    device: Iface,
    name: String,
    /// Room for a packet. The less there is, the less must be cleared before a read.
    room: usize,
}

/// Why there is no device.
#[derive(Debug, thiserror::Error)]
pub enum TunError {
    /// The name is none.
    #[error(
        "`{0}` is no interface name: use 1 to {LONGEST_NAME} characters without `/`, `:`, `%` and blanks"
    )]
    Name(String),
    /// The name is taken.
    #[error(
        "interface `{0}` is there already: choose another name; one left over from an earlier run goes with `ip link delete`"
    )]
    Taken(String),
    /// The kernel has no TUN.
    #[error("/dev/net/tun is missing: load the driver with `modprobe tun`, or give the container the device")]
    NoDriver,
    /// The process may not.
    #[error(
        "no permission to make the TUN device `{0}`: run as root, or with CAP_NET_ADMIN and read and write access to \
         /dev/net/tun"
    )]
    Denied(String),
    /// Something else.
    #[error("cannot make the TUN device `{0}`: {1}")]
    Other(String, #[source] io::Error),
}

impl TunError {
    /// Whether a user wrote something wrong, rather than the machine lacking something.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Name(_))
    }
}

impl Tun {
    /// Makes a TUN device of that name in the calling thread's network namespace. Its kernel end is down and without
    /// address, and stays connected wherever it is moved.
    pub fn create(name: &str) -> Result<Self, TunError> {
        let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b':' | b'%');
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(allowed) || name.starts_with('.')
        {
            return Err(TunError::Name(name.to_owned()));
        }
        // Asked of the calling thread's namespace. /sys shows the one it was mounted in.
        if if_nametoindex(name).is_ok() {
            return Err(TunError::Taken(name.to_owned()));
        }
        let device = Iface::without_packet_info(name, Mode::Tun).map_err(|error| explain(name, error))?;
        let other = |error| TunError::Other(name.to_owned(), error);
        device.set_non_blocking().map_err(other)?;
        if let Err(error) = set_transmit_queue(name) {
            log::warn!("{name}: the transmit queue stays at the kernel's default: {error}");
        }
        Ok(Self { device, name: name.to_owned(), room: ROOM })
    }
}

impl Tun {
    /// Makes room for packets of so many bytes: its kernel end has this MTU. Without it the first packet that is longer
    /// than those of Ethernet is lost.
    pub fn make_room(&mut self, mtu: usize) {
        // One more, since a packet that fills the room may be cut.
        self.room = self.room.max(mtu.saturating_add(1)).min(LONGEST_PACKET);
    }
}

fn explain(name: &str, error: io::Error) -> TunError {
    match error.raw_os_error() {
        Some(libc::EBUSY | libc::EEXIST | libc::EINVAL) => TunError::Taken(name.to_owned()),
        Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => TunError::NoDriver,
        Some(libc::EPERM | libc::EACCES) => TunError::Denied(name.to_owned()),
        _ => TunError::Other(name.to_owned(), error),
    }
}

fn set_transmit_queue(name: &str) -> io::Result<()> {
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    // SAFETY: an all-zero ifreq is a valid value of it.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (place, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *place = byte.cast_signed();
    }
    // The kernel reads ifr_qlen, which shares its place with the other members.
    request.ifr_ifru.ifru_metric = TRANSMIT_QUEUE;
    // SAFETY: the descriptor is open, and the kernel only reads the ifreq that the pointer leads to.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFTXQLEN, &raw const request) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is the device's own and open as long as it is borrowed.
        unsafe { BorrowedFd::borrow_raw(self.device.as_raw_fd()) }
    }
}

impl Device for Tun {
    fn name(&self) -> &str {
        &self.name
    }

    fn receive(&mut self, packet: &mut Vec<u8>) -> io::Result<bool> {
        packet.resize(self.room, 0);
        match self.device.recv(packet) {
            Ok(length) => {
                if length == self.room {
                    // Somebody raised the MTU. This packet may be cut, and is then dropped for its length.
                    self.room = LONGEST_PACKET;
                }
                packet.truncate(length);
                Ok(true)
            }
            Err(error) if is_for_now(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn send(&mut self, packet: &[u8]) -> io::Result<bool> {
        match self.device.send(packet) {
            Ok(_) => Ok(true),
            // EIO: the kernel end is down; ENOBUFS and ENOMEM: no room. A wire that is unplugged loses packets too.
            Err(error) if is_for_now(&error) => Ok(false),
            Err(error) if matches!(error.raw_os_error(), Some(libc::EIO | libc::ENOBUFS | libc::ENOMEM)) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

fn is_for_now(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
