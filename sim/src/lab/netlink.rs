//! A host's network settings, over a netlink socket of the calling thread's namespace.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, LinkAttribute, LinkFlags, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::net::if_::if_nametoindex;
use smoltcp::wire::Ipv4Cidr;

/// Which setting the kernel refused.
#[derive(Debug, thiserror::Error)]
pub enum NetlinkError {
    /// No socket to ask with.
    #[error(
        "cannot open a netlink socket: {0}; the kernel needs CONFIG_NET, and a sandbox must allow AF_NETLINK"
    )]
    Socket(#[source] io::Error),
    /// No such device.
    #[error("there is no device `{name}` in this network namespace: make it before it is set up ({source})")]
    NoDevice {
        /// Its name.
        name: String,
        /// What the kernel says.
        source: nix::Error,
    },
    /// IPv6 would send packets of its own on every wire.
    #[error(
        "cannot turn IPv6 off for `{name}`: {source}; make /proc/sys writable (a container needs --privileged), or boot with ipv6.disable=1"
    )]
    Ipv6 {
        /// The device.
        name: String,
        /// Why neither way worked.
        source: io::Error,
    },
    /// The loopback.
    #[error("cannot bring up the loopback device: {0}; it takes CAP_NET_ADMIN in this network namespace")]
    Loopback(#[source] io::Error),
    /// The MTU.
    #[error("cannot set the MTU of `{name}` to {mtu} octets: {source}; use 68 to 65535")]
    Mtu {
        /// The device.
        name: String,
        /// What it should have been.
        mtu: u32,
        /// Why not.
        source: io::Error,
    },
    /// The address.
    #[error("cannot give `{name}` the address {address}: {source}; use a host's unicast address, once")]
    Address {
        /// The device.
        name: String,
        /// What it should have been.
        address: Ipv4Cidr,
        /// Why not.
        source: io::Error,
    },
    /// The device stays down.
    #[error("cannot bring up `{name}`: {source}; it takes CAP_NET_ADMIN in this network namespace")]
    Up {
        /// The device.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// The default route.
    #[error("cannot make `{name}` the default route: {source}; a namespace has one default route")]
    Route {
        /// The device.
        name: String,
        /// Why not.
        source: io::Error,
    },
}

/// Sets a host up: IPv6 off, the loopback up, the device with this MTU (octets) and address up, and the default route
/// through it. Unprivileged pings are allowed where the kernel has them.
pub fn configure(name: &str, address: Ipv4Cidr, mtu: u32) -> Result<(), NetlinkError> {
    let device = || name.to_owned();
    let mut route = Connection::open().map_err(NetlinkError::Socket)?;
    let index = index_of(name)?;
    turn_ipv6_off(&mut route, index).map_err(|source| NetlinkError::Ipv6 { name: device(), source })?;
    allow_pings();
    let loopback = index_of("lo")?;
    route.request(0, RouteNetlinkMessage::SetLink(up(loopback))).map_err(NetlinkError::Loopback)?;
    change_mtu(&mut route, name, index, mtu)?;
    route
        .request(NLM_F_CREATE | NLM_F_EXCL, RouteNetlinkMessage::NewAddress(address_of(index, address)))
        .map_err(|source| NetlinkError::Address { name: device(), address, source })?;
    route
        .request(0, RouteNetlinkMessage::SetLink(up(index)))
        .map_err(|source| NetlinkError::Up { name: device(), source })?;
    route
        .request(NLM_F_CREATE | NLM_F_EXCL, RouteNetlinkMessage::NewRoute(default_route(index)))
        .map_err(|source| NetlinkError::Route { name: device(), source })
}

/// Changes a device's MTU, in octets.
pub fn set_mtu(name: &str, mtu: u32) -> Result<(), NetlinkError> {
    let mut route = Connection::open().map_err(NetlinkError::Socket)?;
    change_mtu(&mut route, name, index_of(name)?, mtu)
}

fn change_mtu(route: &mut Connection, name: &str, index: u32, mtu: u32) -> Result<(), NetlinkError> {
    let mut message = link(index);
    message.attributes.push(LinkAttribute::Mtu(mtu));
    route.request(0, RouteNetlinkMessage::SetLink(message)).map_err(|source| NetlinkError::Mtu {
        name: name.to_owned(),
        mtu,
        source,
    })
}

fn index_of(name: &str) -> Result<u32, NetlinkError> {
    if_nametoindex(name).map_err(|source| NetlinkError::NoDevice { name: name.to_owned(), source })
}

/// /proc/sys/net shows the calling thread's namespace.
fn turn_ipv6_off(route: &mut Connection, index: u32) -> io::Result<()> {
    for which in ["all", "default"] {
        match fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1") {
            Ok(()) => {}
            // The kernel has no IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // Many containers have /proc/sys read-only. A device without a link-local address says nothing either.
            Err(_) => return keep_ipv6_quiet(route, index),
        }
    }
    Ok(())
}

fn keep_ipv6_quiet(route: &mut Connection, index: u32) -> io::Result<()> {
    let mut message = link(index);
    let mode = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
    message.attributes.push(LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![mode])]));
    route.request(0, RouteNetlinkMessage::SetLink(message))
}

/// For a ping program without capabilities; with them it needs nothing. A user namespace has its one group only.
fn allow_pings() {
    const RANGE: &str = "/proc/sys/net/ipv4/ping_group_range";
    if fs::write(RANGE, "0 2147483647").is_err()
        && let Err(error) = fs::write(RANGE, "0 0")
    {
        log::debug!("{RANGE} stays as it is: {error}");
    }
}

fn link(index: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message
}

fn up(index: u32) -> LinkMessage {
    let mut message = link(index);
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
    message
}

fn address_of(index: u32, address: Ipv4Cidr) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = AddressFamily::Inet;
    message.header.prefix_len = address.prefix_len();
    message.header.index = index;
    let local = IpAddr::V4(Ipv4Addr::from(address.address().octets()));
    message.attributes = vec![AddressAttribute::Local(local), AddressAttribute::Address(local)];
    message
}

fn default_route(index: u32) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Static;
    message.header.scope = RouteScope::Link;
    message.header.kind = RouteType::Unicast;
    message.attributes = vec![RouteAttribute::Oif(index)];
    message
}

/// A conversation with the kernel, in which every request is answered.
struct Connection {
    socket: Socket,
    sequence: u32,
}

impl Connection {
    fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        // The kernel's answer is there when the request has been sent.
        socket.set_non_blocking(true)?;
        Ok(Self { socket, sequence: 0 })
    }

    fn request(&mut self, flags: u16, request: RouteNetlinkMessage) -> io::Result<()> {
        self.sequence += 1;
        let mut message = NetlinkMessage::from(request);
        message.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        let (answer, _) = self.socket.recv_from_full()?;
        let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        match answer.payload {
            NetlinkPayload::Error(error) if error.code.is_none() => Ok(()),
            NetlinkPayload::Error(error) => Err(error.to_io()),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the kernel answered something else")),
        }
    }
}
