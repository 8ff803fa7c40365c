//! What can happen next.

use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::select;
use quirknat_router::event::Interface;

use crate::support::{LAN, WAN, echo, icmp_error, nat_pmp_request, packet, tcp, udp};

/// Flags of a TCP segment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Flags {
    Syn,
    Ack,
    Fin,
    Rst,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Tcp {
        out: bool,
        host: u8,
        remote: u8,
        port: u16,
        far_port: u16,
        flags: Flags,
    },
    Udp {
        out: bool,
        host: u8,
        remote: u8,
        port: u16,
        far_port: u16,
    },
    /// From a LAN host to an external port.
    Hairpin {
        tcp: bool,
        host: u8,
        port: u16,
        external: u16,
    },
    Echo {
        out: bool,
        request: bool,
        host: u8,
        remote: u8,
        identifier: u16,
    },
    /// By a protocol without ports.
    Esp {
        out: bool,
        host: u8,
        remote: u8,
    },
    /// A host asks for a port by NAT-PMP or UPnP.
    Request {
        upnp: bool,
        tcp: bool,
        host: u8,
        port: u16,
        suggested: u16,
        lifetime: u32,
    },
    /// An FTP client announces one of its ports.
    Announce {
        host: u8,
        remote: u8,
        port: u16,
    },
    /// An error about a packet that left to the WAN.
    Error {
        remote: u8,
        port: u16,
        far_port: u16,
    },
    Wait(u32),
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let (host, remote, port, far_port) = (0_u8..3, 0_u8..2, 5000_u16..5005, 20_u16..22);
    let ends = (any::<bool>(), host.clone(), remote.clone(), port.clone(), far_port.clone());
    let flags = select(vec![Flags::Syn, Flags::Syn, Flags::Ack, Flags::Fin, Flags::Rst]);
    prop_oneof![
        4 => (ends.clone(), flags).prop_map(|((out, host, remote, port, far_port), flags)| {
            Step::Tcp { out, host, remote, port, far_port, flags }
        }),
        3 => ends.prop_map(|(out, host, remote, port, far_port)| Step::Udp { out, host, remote, port, far_port }),
        2 => (any::<bool>(), host.clone(), port.clone(), port.clone())
            .prop_map(|(tcp, host, port, external)| Step::Hairpin { tcp, host, port, external }),
        1 => (any::<[bool; 2]>(), host.clone(), port.clone(), port.clone(), select(vec![0_u32, 30, 3000])).prop_map(
            |([upnp, tcp], host, port, suggested, lifetime)| {
                Step::Request { upnp, tcp, host, port, suggested, lifetime }
            }
        ),
        1 => (any::<bool>(), any::<bool>(), host.clone(), remote.clone(), port.clone()).prop_map(
            |(out, request, host, remote, identifier)| Step::Echo { out, request, host, remote, identifier }
        ),
        1 => (any::<bool>(), host.clone(), remote.clone())
            .prop_map(|(out, host, remote)| Step::Esp { out, host, remote }),
        2 => (host, remote.clone(), port.clone())
            .prop_map(|(host, remote, port)| Step::Announce { host, remote, port }),
        1 => (remote, port, far_port).prop_map(|(remote, port, far_port)| Step::Error { remote, port, far_port }),
        2 => prop_oneof![0_u32..10, 100_u32..300].prop_map(Step::Wait),
    ]
}

impl Step {
    /// The packet that it is, and where it comes in; `None` where it is no single one.
    pub(super) fn packet(&self) -> Option<(Interface, Vec<u8>)> {
        let inside = endpoint;
        let outside = |remote: u8, port: u16| format!("198.51.100.{}:{port}", 9 + remote);
        let external = |port: u16| format!("203.0.113.7:{port}");
        let address = |end: &str| end.split(':').next().unwrap().to_owned();
        let packet = match *self {
            Self::Tcp { out, host, remote, port, far_port, flags } => {
                let far = outside(remote, far_port);
                let segment = if out { tcp(&inside(host, port), &far) } else { tcp(&far, &external(port)) };
                let segment = match flags {
                    Flags::Syn => segment.syn(),
                    Flags::Ack => segment.ack(1),
                    Flags::Fin => segment.ack(1).fin(),
                    Flags::Rst => segment.rst(),
                };
                (if out { LAN } else { WAN }, segment.packet())
            }
            Self::Udp { out: true, host, remote, port, far_port } => {
                (LAN, udp(&inside(host, port), &outside(remote, far_port), b"out"))
            }
            Self::Udp { remote, port, far_port, .. } => {
                (WAN, udp(&outside(remote, far_port), &external(port), b"in"))
            }
            Self::Hairpin { tcp: true, host, port, external: to } => {
                (LAN, tcp(&inside(host, port), &external(to)).syn().packet())
            }
            Self::Hairpin { host, port, external: to, .. } => {
                (LAN, udp(&inside(host, port), &external(to), b"hairpinned"))
            }
            Self::Echo { out: true, request, host, remote, identifier } => {
                (LAN, echo(request, &address(&inside(host, 0)), &address(&outside(remote, 0)), identifier))
            }
            Self::Echo { request, remote, identifier, .. } => {
                (WAN, echo(request, &address(&outside(remote, 0)), "203.0.113.7", identifier))
            }
            Self::Esp { out: true, host, remote } => {
                (LAN, packet(50, &inside(host, 0), &outside(remote, 0), b"out"))
            }
            Self::Esp { remote, .. } => (WAN, packet(50, &outside(remote, 0), "203.0.113.7", b"in")),
            Self::Request { upnp: false, tcp, host, port, suggested, lifetime } => {
                let request = nat_pmp_request(tcp, port, suggested, lifetime);
                (LAN, udp(&inside(host, 7000), "192.168.1.1:5351", &request))
            }
            Self::Announce { host, remote, port } => {
                let command = format!("PORT 192,168,1,{},{},{}\r\n", 100 + host, port >> 8, port & 0xff);
                let segment = tcp(&inside(host, 1024), &outside(remote, 21)).ack(1).data(command);
                (LAN, segment.packet())
            }
            Self::Error { remote, port, far_port } => {
                let quote = udp(&external(port), &outside(remote, far_port), b"quoted");
                (WAN, icmp_error("192.0.2.1", "203.0.113.7", [3, 3], &quote))
            }
            Self::Request { upnp: true, .. } | Self::Wait(_) => return None,
        };
        Some(packet)
    }
}

/// A LAN host's.
pub(super) fn endpoint(host: u8, port: u16) -> String {
    format!("192.168.1.{}:{port}", 100 + host)
}
