//! An Ethernet interface that is there already, through a packet socket: IPv4 packets in and out. Whoever is asked for by
//! ARP on this wire, but the router, is this program; so it can be any number of hosts.
#![expect(
    unsafe_code,
    reason = "binding a packet socket and asking for an interface's address and MTU have no safe form"
)]

use std::io;
use std::mem;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

use super::Device;
use crate::packet::bytes::{read_u16, read_u32, write_u16};
use crate::packet::checksum;

type Mac = [u8; 6];

const HEADER: usize = 14;
const IPV4: [u8; 2] = [0x08, 0x00];
const ARP: [u8; 2] = [0x08, 0x06];
/// RFC 826, for IPv4 on Ethernet.
const ARP_LENGTH: usize = 28;
const ARP_HEAD: [u8; 6] = [0, 1, 8, 0, 6, 4];
const ARP_REQUEST: [u8; 2] = [0, 1];
const ARP_REPLY: [u8; 2] = [0, 2];
const BROADCAST: Mac = [0xff; 6];
/// The longest frame that can be handed over.
const ROOM: usize = 65_536;

/// An interface and the router that is its only neighbour.
#[derive(Debug)]
pub struct Ethernet {
    socket: OwnedFd,
    name: String,
    own: Mac,
    router: Ipv4Addr,
    /// Known once the router has said so.
    router_mac: Option<Mac>,
    mtu: usize,
}

/// Why there is no such interface to use.
#[derive(Debug, thiserror::Error)]
pub enum EthernetError {
    /// It has another kind of address.
    #[error("interface `{0}` is no Ethernet: give one that is, or a new name for a TUN device to be made")]
    NotEthernet(String),
    /// The process may not.
    #[error("no permission to use interface `{0}`: run as root, or with CAP_NET_RAW")]
    Denied(String),
    /// Something else.
    #[error("cannot use interface `{0}`: {1}")]
    Other(String, #[source] io::Error),
}

/// Whether the calling thread's network namespace has an interface of that name.
pub fn is_there(name: &str) -> bool {
    if_nametoindex(name).is_ok()
}

impl Ethernet {
    /// Opens the interface `name`, beyond which the router has the address `router`.
    pub fn open(name: &str, router: Ipv4Addr) -> Result<Self, EthernetError> {
        let explain = |error: Errno| match error {
            Errno::EPERM | Errno::EACCES => EthernetError::Denied(name.to_owned()),
            other => EthernetError::Other(name.to_owned(), other.into()),
        };
        let index = if_nametoindex(name).map_err(explain)?;
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket =
            socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll).map_err(explain)?;
        bind(&socket, index).map_err(explain)?;
        let (family, own) = hardware_address(&socket, name).map_err(explain)?;
        if family != libc::ARPHRD_ETHER {
            return Err(EthernetError::NotEthernet(name.to_owned()));
        }
        let mtu = mtu(&socket, name).map_err(explain)?;
        Ok(Self { socket, name: name.to_owned(), own, router, router_mac: None, mtu })
    }

    /// The largest packet it takes, in bytes.
    pub fn mtu(&self) -> usize {
        self.mtu
    }

    /// Sends a frame; false where there is no room for it.
    fn transmit(&self, to: Mac, kind: [u8; 2], content: &[u8]) -> io::Result<bool> {
        let frame = [&to[..], &self.own, &kind, content].concat();
        match send(self.socket.as_raw_fd(), &frame, MsgFlags::empty()) {
            Ok(_) => Ok(true),
            // As a wire loses packets that is unplugged, full, or not made for them.
            Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::ENETDOWN | Errno::EMSGSIZE) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks for the router as `host`.
    fn ask(&self, host: Ipv4Addr) -> io::Result<bool> {
        let packet = arp(ARP_REQUEST, self.own, host, [0; 6], self.router);
        self.transmit(BROADCAST, ARP, &packet)
    }

    /// Answers for any host but the router, and learns where the router is.
    fn hear(&mut self, packet: &[u8]) -> io::Result<()> {
        let Some(heard) = Heard::read(packet) else { return Ok(()) };
        if heard.sender == self.router {
            self.router_mac = Some(heard.sender_mac);
        }
        // Who asks for its own address looks whether another one has it (RFC 5227 §2.1.1): nobody does.
        if heard.is_request && heard.target != self.router && heard.target != heard.sender {
            let reply = arp(ARP_REPLY, self.own, heard.target, heard.sender_mac, heard.sender);
            self.transmit(heard.sender_mac, ARP, &reply)?;
        }
        Ok(())
    }
}

struct Heard {
    is_request: bool,
    sender_mac: Mac,
    sender: Ipv4Addr,
    target: Ipv4Addr,
}

impl Heard {
    fn read(packet: &[u8]) -> Option<Self> {
        let address = |at: usize| {
            let octets: [u8; 4] = packet.get(at..at + 4)?.try_into().ok()?;
            Some(Ipv4Addr::from(octets))
        };
        let packet_head = packet.get(..6)?;
        (packet_head == ARP_HEAD).then_some(())?;
        Some(Self {
            is_request: packet.get(6..8)? == ARP_REQUEST,
            sender_mac: packet.get(8..14)?.try_into().ok()?,
            sender: address(14)?,
            target: address(24)?,
        })
    }
}

fn arp(operation: [u8; 2], from_mac: Mac, from: Ipv4Addr, to_mac: Mac, to: Ipv4Addr) -> Vec<u8> {
    let mut packet = Vec::with_capacity(ARP_LENGTH);
    packet.extend_from_slice(&ARP_HEAD);
    packet.extend_from_slice(&operation);
    for (mac, address) in [(from_mac, from), (to_mac, to)] {
        packet.extend_from_slice(&mac);
        packet.extend_from_slice(&address.octets());
    }
    packet
}

/// Over a veth pair a kernel leaves the rest of a checksum to hardware that is not there: the field then holds the
/// pseudo-header's sum alone. A checksum that is wrong otherwise stays so.
fn complete_checksum(packet: &mut [u8]) {
    const LATER_FRAGMENT: u16 = 0x3fff;
    let header_length = usize::from(packet.first().copied().unwrap_or_default() & 0x0f) * 4;
    let total = usize::from(read_u16(packet, 2)).min(packet.len());
    let protocol = packet.get(9).copied().unwrap_or_default();
    let at = match protocol {
        6 => header_length + 16,
        17 => header_length + 6,
        _ => return,
    };
    if header_length < 20 || at + 2 > total || read_u16(packet, 6) & LATER_FRAGMENT != 0 {
        return;
    }
    let addresses = (read_u32(packet, 12), read_u32(packet, 16));
    let pseudo = checksum::pseudo_header(addresses.0, addresses.1, protocol, total - header_length);
    if read_u16(packet, at) == pseudo {
        // The field's content is in the sum, as the pseudo-header's part of it.
        let sum = checksum::sum(packet.get(header_length..total).unwrap_or_default());
        write_u16(packet, at, !sum);
    }
}

fn bind(socket: &OwnedFd, index: libc::c_uint) -> Result<(), Errno> {
    // SAFETY: an all-zero sockaddr_ll is a valid value of it.
    let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
    let unsuitable = |_| Errno::EINVAL;
    address.sll_family = libc::sa_family_t::try_from(libc::AF_PACKET).map_err(unsuitable)?;
    address.sll_protocol = u16::try_from(libc::ETH_P_ALL).map_err(unsuitable)?.to_be();
    address.sll_ifindex = i32::try_from(index).map_err(unsuitable)?;
    let length = libc::socklen_t::try_from(mem::size_of::<libc::sockaddr_ll>()).map_err(unsuitable)?;
    // SAFETY: the descriptor is open, and the kernel only reads the address, which is as long as it is told.
    let result = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    Errno::result(result).map(drop)
}

fn request(name: &str) -> libc::ifreq {
    // SAFETY: an all-zero ifreq is a valid value of it.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    // A name that was found is short enough; the last byte stays zero.
    let place = request.ifr_name.iter_mut().take(libc::IFNAMSIZ - 1);
    for (place, byte) in place.zip(name.bytes()) {
        *place = byte.cast_signed();
    }
    request
}

fn hardware_address(socket: &OwnedFd, name: &str) -> Result<(u16, Mac), Errno> {
    let mut request = request(name);
    // SAFETY: the descriptor is open, and the kernel reads and writes no more than the ifreq.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFHWADDR, &raw mut request) })?;
    // SAFETY: this request fills this member in.
    let address = unsafe { request.ifr_ifru.ifru_hwaddr };
    let mut mac = [0; 6];
    for (place, byte) in mac.iter_mut().zip(address.sa_data) {
        *place = byte.cast_unsigned();
    }
    Ok((address.sa_family, mac))
}

fn mtu(socket: &OwnedFd, name: &str) -> Result<usize, Errno> {
    let mut request = request(name);
    // SAFETY: as above.
    Errno::result(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFMTU, &raw mut request) })?;
    // SAFETY: this request fills this member in.
    let mtu = unsafe { request.ifr_ifru.ifru_mtu };
    usize::try_from(mtu).map_err(|_| Errno::EINVAL)
}

impl AsFd for Ethernet {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Device for Ethernet {
    fn name(&self) -> &str {
        &self.name
    }

    fn receive(&mut self, packet: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            packet.resize(ROOM, 0);
            let length = match recv(self.socket.as_raw_fd(), packet, MsgFlags::empty()) {
                Ok(length) => length,
                Err(Errno::EAGAIN | Errno::EINTR | Errno::ENETDOWN) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            packet.truncate(length);
            let Some((header, content)) = packet.split_at_checked(HEADER) else { continue };
            let (to, from, kind) = (header.get(..6), header.get(6..12), header.get(12..14));
            if from == Some(&self.own) {
                continue;
            }
            if kind == Some(&ARP) {
                let content = content.to_vec();
                self.hear(&content)?;
            } else if kind == Some(&IPV4) && to == Some(&self.own) {
                packet.drain(..HEADER);
                complete_checksum(packet);
                return Ok(true);
            }
        }
    }

    fn send(&mut self, packet: &[u8]) -> io::Result<bool> {
        let Some(router) = self.router_mac else {
            let octets: Option<[u8; 4]> = packet.get(12..16).and_then(|octets| octets.try_into().ok());
            self.ask(Ipv4Addr::from(octets.unwrap_or_default()))?;
            return Ok(false);
        };
        self.transmit(router, IPV4, packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_that_was_left_to_hardware_is_made_whole_and_a_wrong_one_is_not() {
        let builder = etherparse::PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64).udp(1024, 53);
        let mut whole = Vec::new();
        builder.write(&mut whole, b"question").unwrap();
        let mut left = whole.clone();
        write_u16(&mut left, 26, checksum::pseudo_header(0x0a00_0001, 0x0a00_0002, 17, 16));
        complete_checksum(&mut left);
        assert_eq!(left, whole);
        write_u16(&mut left, 26, 0x1234);
        let wrong = left.clone();
        complete_checksum(&mut left);
        assert_eq!(left, wrong);
    }

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let (host, router) = (Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 1));
        let packet = arp(ARP_REQUEST, [2, 0, 0, 0, 0, 1], host, [0; 6], router);
        assert_eq!(packet.len(), ARP_LENGTH);
        let heard = Heard::read(&packet).unwrap();
        assert!(heard.is_request);
        assert_eq!((heard.sender, heard.target, heard.sender_mac), (host, router, [2, 0, 0, 0, 0, 1]));
        assert!(Heard::read(&packet[..ARP_LENGTH - 1]).is_none());
    }
}
