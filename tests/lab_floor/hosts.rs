//! Namespaces, devices and their settings.

use std::fs;
use std::net::UdpSocket;
use std::os::fd::AsFd as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use nix::net::if_::if_nameindex;
use quirknat_router::device::{Device as _, Tun};
use quirknat_sim::lab::{LabError, Namespace, NetlinkError, Nowhere, close_devices, netlink, open_host};

use crate::support::deadline::Deadline;
use crate::{can_lab, cidr, host, wait_readable};

fn here() -> PathBuf {
    fs::read_link("/proc/thread-self/ns/net").expect("a thread is in some namespace")
}

/// What a tunnel driver puts into every namespace, where one is loaded. They are down.
const FALLBACKS: [&str; 9] =
    ["erspan0", "gre0", "gretap0", "ip6_vti0", "ip6gre0", "ip6tnl0", "ip_vti0", "sit0", "tunl0"];

fn devices() -> Vec<String> {
    let list = if_nameindex().expect("the kernel lists its devices");
    let names = list.iter().map(|device| device.name().to_string_lossy().into_owned());
    names.filter(|name| !FALLBACKS.contains(&name.as_str())).collect()
}

/// Carries packets between two devices until the socket has something to read.
fn carry(a: &mut Tun, b: &mut Tun, until: &UdpSocket) {
    let deadline = Deadline::seconds(5);
    let mut packet = Vec::new();
    let mut carried = 0;
    while until.peek_from(&mut [0; 1]).is_err() {
        assert!(!deadline.passed(), "nothing arrives; {carried} packets were carried");
        while a.receive(&mut packet).expect("the device is there") {
            carried += usize::from(b.send(&packet).expect("the device is there"));
        }
        while b.receive(&mut packet).expect("the device is there") {
            carried += usize::from(a.send(&packet).expect("the device is there"));
        }
        if until.peek_from(&mut [0; 1]).is_err() {
            wait_readable([a.as_fd(), b.as_fd(), until.as_fd()].into_iter(), deadline.left());
        }
    }
}

fn socket(namespace: &Namespace, address: &str) -> UdpSocket {
    let socket = namespace.within(|| UdpSocket::bind(address)).expect("a host can be visited");
    let socket = socket.expect("the host has its address");
    socket.set_nonblocking(true).expect("a socket can be non-blocking");
    socket
}

#[test]
fn a_datagram_and_its_answer_cross_between_two_hosts() {
    if !can_lab() {
        return;
    }
    let nowhere = Nowhere::enter().unwrap();
    let (client, mut client_tun) = host(&nowhere, "192.0.2.1/24");
    // Another network: the default route leads there.
    let (server, mut server_tun) = host(&nowhere, "198.51.100.9/32");
    let (asking, answering) = (socket(&client, "192.0.2.1:4000"), socket(&server, "198.51.100.9:5000"));
    let mut buffer = [0; 64];

    asking.send_to(b"ask", "198.51.100.9:5000").unwrap();
    carry(&mut client_tun, &mut server_tun, &answering);
    let (length, from) = answering.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], from.to_string().as_str()), (&b"ask"[..], "192.0.2.1:4000"));

    answering.send_to(b"answer", from).unwrap();
    carry(&mut client_tun, &mut server_tun, &asking);
    let (length, from) = asking.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], from.to_string().as_str()), (&b"answer"[..], "198.51.100.9:5000"));
}

#[test]
fn a_host_says_nothing_of_its_own() {
    if !can_lab() {
        return;
    }
    let nowhere = Nowhere::enter().unwrap();
    let (namespace, mut tun) = host(&nowhere, "192.0.2.1/24");
    let socket = socket(&namespace, "192.0.2.1:4000");
    socket.send_to(b"first", "192.0.2.2:5000").unwrap();
    wait_readable([tun.as_fd()].into_iter(), Deadline::seconds(5).left());
    let mut packet = Vec::new();
    assert!(tun.receive(&mut packet).unwrap());
    assert!(packet.ends_with(b"first"), "something else came first: {packet:?}");
    let ipv6 = fs::read_to_string("/proc/sys/net/ipv6/conf/eth0/disable_ipv6");
    assert!(ipv6.is_err(), "nowhere has no such device");
    let ipv6 = namespace.within(|| fs::read_to_string("/proc/sys/net/ipv6/conf/eth0/disable_ipv6")).unwrap();
    assert!(ipv6.is_err() || ipv6.is_ok_and(|value| value.trim() == "1"));
}

#[test]
fn nowhere_has_nothing_of_the_machine() {
    if !can_lab() {
        return;
    }
    let outside = here();
    let of_the_machine = devices();
    let nowhere = Nowhere::enter().unwrap();
    assert_ne!(here(), outside);
    assert_eq!(devices(), ["lo"]);
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let error = socket.send_to(b"out", "192.0.2.1:9").unwrap_err();
    assert_eq!(error.raw_os_error(), Some(nix::libc::ENETUNREACH));
    // What the machine's devices are called does not matter in here.
    for name in of_the_machine.iter().filter(|name| *name != "lo") {
        open_host(&nowhere, name, cidr("192.0.2.1/24"), 1500).unwrap();
    }
}

#[test]
fn a_visit_ends_in_nowhere_also_by_a_panic() {
    if !can_lab() {
        return;
    }
    let nowhere = Nowhere::enter().unwrap();
    let home = here();
    let host = Namespace::create(&nowhere).unwrap();
    assert_eq!(here(), home);
    let there = host.within(here).unwrap();
    assert_ne!(there, home);
    let panicked =
        catch_unwind(AssertUnwindSafe(|| host.within(|| std::panic::resume_unwind(Box::new(here())))));
    let seen = panicked.map(|_: Result<(), LabError>| ()).unwrap_err();
    assert_eq!(seen.downcast_ref(), Some(&there));
    assert_eq!(here(), home);
    assert_eq!(host.within(here).unwrap(), there, "the next visit works");
}

#[test]
fn visits_do_not_nest() {
    if !can_lab() {
        return;
    }
    let nowhere = Nowhere::enter().unwrap();
    let home = here();
    let (outer, inner) = (Namespace::create(&nowhere).unwrap(), Namespace::create(&nowhere).unwrap());
    outer
        .within(|| {
            let there = here();
            assert!(matches!(inner.within(here), Err(LabError::Away)));
            assert!(matches!(Namespace::create(&nowhere), Err(LabError::Away)));
            assert!(matches!(Nowhere::enter(), Err(LabError::Away)));
            assert_eq!(here(), there);
        })
        .unwrap();
    assert_eq!(here(), home);
}

#[test]
fn two_threads_have_two_labs() {
    if !can_lab() {
        return;
    }
    let places: Vec<(PathBuf, PathBuf)> = std::thread::scope(|scope| {
        let lab = || {
            let nowhere = Nowhere::enter().unwrap();
            let (host, _tun) = host(&nowhere, "192.0.2.1/24");
            (here(), host.within(here).unwrap())
        };
        let threads = [scope.spawn(lab), scope.spawn(lab)];
        threads.map(|thread| thread.join().unwrap()).to_vec()
    });
    let mut all: Vec<_> = places.into_iter().flat_map(|(nowhere, host)| [nowhere, host]).collect();
    all.push(here());
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "{all:?}");
}

#[test]
fn settings_reach_the_device_and_refusals_are_named() {
    if !can_lab() {
        return;
    }
    let nowhere = Nowhere::enter().unwrap();
    let (namespace, tun) = open_host(&nowhere, "eth0", cidr("192.0.2.1/24"), 1400).unwrap();
    assert_eq!(namespace.within(|| mtu_of("eth0")).unwrap(), 1400);
    namespace.within(|| netlink::set_mtu("eth0", 576)).unwrap().unwrap();
    assert_eq!(namespace.within(|| mtu_of("eth0")).unwrap(), 576);

    let refused = |work: &dyn Fn() -> Result<(), NetlinkError>| namespace.within(work).unwrap().unwrap_err();
    let error = refused(&|| netlink::set_mtu("eth0", 67));
    assert!(matches!(&error, NetlinkError::Mtu { name, mtu: 67, .. } if name == "eth0"), "{error}");
    let error = refused(&|| netlink::set_mtu("eth1", 1500));
    assert!(matches!(&error, NetlinkError::NoDevice { name, .. } if name == "eth1"), "{error}");
    let error = refused(&|| netlink::configure("eth0", cidr("192.0.2.1/24"), 1500));
    assert!(matches!(error, NetlinkError::Address { .. }), "{error}");
    assert!(matches!(namespace.within(|| Tun::create("eth0")), Ok(Err(_))), "the name is taken in there");
    drop(tun);
    assert_eq!(namespace.within(devices).unwrap(), ["lo"], "a device goes with its value");
}

#[test]
fn devices_closed_together_are_gone() {
    if !can_lab() {
        return;
    }
    let nowhere = Nowhere::enter().unwrap();
    let hosts = (0..4).map(|_| host(&nowhere, "192.0.2.1/24"));
    let (namespaces, tuns): (Vec<_>, Vec<_>) = hosts.unzip();
    close_devices(tuns);
    for namespace in namespaces {
        assert_eq!(namespace.within(devices).unwrap(), ["lo"]);
    }
}

/// The kernel's word for it.
fn mtu_of(name: &str) -> u32 {
    use netlink_packet_core::{NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
    use netlink_packet_route::RouteNetlinkMessage;
    use netlink_packet_route::link::{LinkAttribute, LinkMessage};
    use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

    let mut request = LinkMessage::default();
    request.attributes.push(LinkAttribute::IfName(name.to_owned()));
    let mut message = NetlinkMessage::from(RouteNetlinkMessage::GetLink(request));
    message.header.flags = NLM_F_REQUEST;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    let mut socket = Socket::new(NETLINK_ROUTE).unwrap();
    socket.bind_auto().unwrap();
    socket.connect(&SocketAddr::new(0, 0)).unwrap();
    socket.send(&bytes, 0).unwrap();
    let answer = socket.recv_from_full().unwrap().0;
    let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).unwrap();
    let NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) = answer.payload else {
        panic!("no device {name}: {answer:?}")
    };
    let mtu = link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::Mtu(mtu) => Some(*mtu),
        _ => None,
    });
    mtu.expect("a device has an MTU")
}
