//! Echo requests over a raw ICMP socket, which sees every ICMP message that comes to its host, with its IP header.

use std::io::{self, Read as _};
use std::net::{Ipv4Addr, SocketAddrV4};

use etherparse::{IcmpEchoHeader, Icmpv4Header, Icmpv4Slice, Icmpv4Type, Ipv4Slice};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::host::{EchoAnswer, EchoAnswerKind, IcmpError, Quoted};

/// The longest IPv4 packet.
const LONGEST: usize = 65_535;
/// Messages for others, passed over at a time.
const OTHERS: usize = 1024;

#[derive(Debug)]
pub(super) struct EchoSocket {
    pub(super) socket: Socket,
    identifier: u16,
}

impl EchoSocket {
    /// Made in the calling thread's namespace.
    pub(super) fn open(identifier: u16, time_to_live: u8) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
        socket.set_nonblocking(true)?;
        // A time to live of zero never leaves a host, and the kernel takes it for none given.
        socket.set_ttl_v4(u32::from(time_to_live.max(1)))?;
        Ok(Self { socket, identifier })
    }

    pub(super) fn send(&self, to: Ipv4Addr, sequence: u16, payload: &[u8]) -> bool {
        let echo = IcmpEchoHeader { id: self.identifier, seq: sequence };
        let header = Icmpv4Header::with_checksum(Icmpv4Type::EchoRequest(echo), payload);
        let message = [header.to_bytes().as_slice(), payload].concat();
        self.socket.send_to(&message, &SockAddr::from(SocketAddrV4::new(to, 0))).is_ok()
    }

    pub(super) fn receive(&self) -> Option<EchoAnswer> {
        let mut packet = vec![0; LONGEST];
        for _ in 0..OTHERS {
            let count = (&self.socket).read(&mut packet).ok()?;
            if let Some(answer) = packet.get(..count).and_then(|packet| self.read(packet)) {
                return Some(answer);
            }
        }
        None
    }

    /// An answer to a request of this socket's.
    fn read(&self, packet: &[u8]) -> Option<EchoAnswer> {
        if let Some(error) = IcmpError::read(packet) {
            let own = error.quoted == Quoted::Echo { identifier: self.identifier };
            return own.then_some(EchoAnswer { from: error.from, kind: error.kind });
        }
        let ip = Ipv4Slice::from_slice(packet).ok()?;
        let icmp = Icmpv4Slice::from_slice(ip.payload().payload).ok()?;
        let Icmpv4Type::EchoReply(echo) = icmp.icmp_type() else { return None };
        // A raw socket gets messages before the kernel has looked at their checksum.
        let sound = icmp.icmp_type().calc_checksum(icmp.payload()) == icmp.checksum();
        (sound && echo.id == self.identifier).then(|| EchoAnswer {
            from: ip.header().source_addr(),
            kind: EchoAnswerKind::Reply(echo.seq, icmp.payload().to_vec()),
        })
    }
}
