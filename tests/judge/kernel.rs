//! The machine's kernel as a home router: a namespace with two TUN devices, masquerading, the FTP helper and a
//! stateful filter. A packet written to one device is processed before the write returns, so what it makes leave can
//! be read at once.

use std::fs;
use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use netlink_sys::protocols::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};
use quirknat_router::device::{Device, Tun};
use quirknat_sim::lab::{Namespace, Nowhere, netlink};

use super::packets::{End, LAN_ADDRESS, Left, SHORT_LAN_ADDRESS, WAN_ADDRESS};

const RULES: &str = include_str!("home.nft");
const LONGEST_PACKET: usize = 65_535;

/// What is set besides addresses and rules: nothing limits or delays what the kernel answers, and nothing is sent
/// that no packet asked for.
const SETTINGS: [(&str, &str); 13] = [
    ("net/ipv6/conf/all/disable_ipv6", "1"),
    ("net/ipv6/conf/default/disable_ipv6", "1"),
    ("net/ipv4/ip_forward", "1"),
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
    ("net/ipv4/conf/all/send_redirects", "0"),
    ("net/ipv4/conf/default/send_redirects", "0"),
    ("net/ipv4/icmp_ratelimit", "0"),
    ("net/ipv4/icmp_msgs_per_sec", "1000000"),
    ("net/ipv4/icmp_msgs_burst", "1000000"),
    // Fragments that never become whole take room, and none is told of their end in a later conversation.
    ("net/ipv4/ipfrag_time", "86400"),
    ("net/ipv4/ipfrag_high_thresh", "268435456"),
    ("net/ipv4/ipfrag_max_dist", "0"),
];

/// A kernel that forwards between two devices of ours. It belongs to the thread that made it.
pub struct Kernel {
    lan: Tun,
    wan: Tun,
    wan_mtu: u32,
    conntrack: Socket,
    namespace: Namespace,
    /// Keeps the thread's way back from visits.
    _nowhere: Nowhere,
}

impl Kernel {
    /// Takes the calling thread out of the machine's network for good, and makes a router of a namespace. The error says
    /// what the machine lacks.
    pub fn open() -> Result<Self, String> {
        let nowhere = Nowhere::enter().map_err(|error| error.to_string())?;
        let namespace = Namespace::create(&nowhere).map_err(|error| error.to_string())?;
        let (lan, wan, conntrack) = namespace.within(set_up).map_err(|error| error.to_string())??;
        Ok(Self { lan, wan, wan_mtu: 1500, conntrack, namespace, _nowhere: nowhere })
    }

    /// Forgets every connection and what ICMP errors said of routes, and gives the WAN's device this MTU.
    pub fn begin(&mut self, wan_mtu: u32) {
        if wan_mtu != self.wan_mtu {
            let set = self.namespace.within(|| netlink::set_mtu("wan0", wan_mtu));
            set.expect("the namespace is ours").expect("the device is ours");
            self.wan_mtu = wan_mtu;
        }
        let forgotten = self.namespace.within(|| fs::write("/proc/sys/net/ipv4/route/flush", "1"));
        forgotten.expect("the namespace is ours").expect("its routes are ours");
        flush(&self.conntrack).expect("conntrack can be flushed in a namespace of our own");
        let late = self.drain();
        assert!(late.is_empty(), "the kernel sends something that no packet of this conversation asked for");
    }

    /// Gives the kernel a packet, and takes what leaves for it.
    pub fn take(&mut self, from: End, packet: &[u8]) -> Left {
        let device = match from {
            End::Lan => &mut self.lan,
            End::Wan => &mut self.wan,
        };
        // A packet that is no IP packet is refused with EINVAL.
        let _ = device.send(packet);
        self.drain()
    }

    fn drain(&mut self) -> Left {
        let mut left = Left::default();
        for (device, packets) in [(&mut self.lan, &mut left.lan), (&mut self.wan, &mut left.wan)] {
            let mut packet = Vec::new();
            while device.receive(&mut packet).expect("the device is open") {
                packets.push(packet.clone());
            }
        }
        left
    }
}

fn set_up() -> Result<(Tun, Tun, Socket), String> {
    for (name, value) in SETTINGS {
        match fs::write(format!("/proc/sys/{name}"), value) {
            Ok(()) => {}
            // A kernel without IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound && name.starts_with("net/ipv6") => {}
            Err(error) => return Err(format!("cannot set {name}: {error}")),
        }
    }
    let open = |name| {
        let mut tun = Tun::create(name).map_err(|error| error.to_string())?;
        tun.make_room(LONGEST_PACKET);
        Ok::<_, String>(tun)
    };
    let (lan, wan) = (open("lan0")?, open("wan0")?);
    run(
        "ip",
        &["-batch", "-"],
        &format!(
            "link set lo up\nlink set lan0 up\nlink set wan0 up\naddr add {LAN_ADDRESS}/24 dev lan0\n\
             addr add {SHORT_LAN_ADDRESS}/24 dev lan0\naddr add {WAN_ADDRESS}/24 dev wan0\nroute add default dev wan0\n"
        ),
    )?;
    // What comes from outside under an address of the inside is nobody's.
    fs::write("/proc/sys/net/ipv4/conf/wan0/rp_filter", "1")
        .map_err(|error| format!("cannot set rp_filter: {error}"))?;
    run("nft", &["-f", "-"], RULES)?;
    let conntrack = netfilter_socket().map_err(|error| format!("cannot open a netfilter socket: {error}"))?;
    Ok((lan, wan, conntrack))
}

/// A program in the thread's namespace, with this input.
fn run(program: &str, arguments: &[&str], input: &str) -> Result<(), String> {
    // Where administrators' programs are, whoever's PATH this is.
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/local/sbin:/usr/sbin:/sbin";
    let mut child = Command::new(program)
        .args(arguments)
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends early says why on stderr.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{program} refuses: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

fn netfilter_socket() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_NETFILTER)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    // The kernel's answer is there when the request has been sent.
    socket.set_non_blocking(true)?;
    Ok(socket)
}

/// Deletes every connection, and with each what its helper expects: IPCTNL_MSG_CT_DELETE without a tuple
/// (linux/netfilter/nfnetlink_conntrack.h).
fn flush(conntrack: &Socket) -> io::Result<()> {
    const HEADER: usize = 16;
    const DELETE_CONNECTIONS: u16 = 1 << 8 | 2;
    const REQUEST_AND_ACKNOWLEDGE: u16 = 1 | 4;
    const ERROR: u16 = 2;
    let mut message = Vec::with_capacity(HEADER + 4);
    message.extend(20_u32.to_ne_bytes());
    message.extend(DELETE_CONNECTIONS.to_ne_bytes());
    message.extend(REQUEST_AND_ACKNOWLEDGE.to_ne_bytes());
    message.extend([0; 8]);
    // Any family, version 0.
    message.extend([0; 4]);
    conntrack.send(&message, 0)?;
    let (answer, _) = conntrack.recv_from_full()?;
    let kind = answer.get(4..6).map(|bytes| u16::from_ne_bytes([bytes[0], bytes[1]]));
    let code = answer.get(HEADER..HEADER + 4);
    match (kind, code) {
        (Some(ERROR), Some([0, 0, 0, 0])) => Ok(()),
        _ => Err(io::Error::other(format!("the kernel answers {answer:02x?}"))),
    }
}
