//! What a host's programs see of its stack.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::iface::PollResult;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::{icmp, tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{Icmpv4Packet, Icmpv4Repr, IpAddress, IpEndpoint, IpProtocol, Ipv4Packet};

use super::{BUFFER, DIALS_FOR, Echoing, LINGERS_FOR, LONGEST_PAYLOAD, MESSAGES, SimulatedStack};
use super::{Listening, endpoint, new_tcp_socket, v4};
use crate::ftp::Failure;
use crate::host::{
    Connection, ConnectionState, Datagrams, Echo, EchoAnswer, EchoAnswerKind, IcmpError, Listener, Process,
    ProgramEnd, ProgramFailure, ProgramPlan, Stack,
};

impl Stack for SimulatedStack {
    fn address(&self) -> Ipv4Addr {
        self.address
    }

    fn deliver(&mut self, packet: Vec<u8>) {
        if let Some(error) = IcmpError::read(&packet) {
            self.take_error(&error);
        }
        self.inbox.push_back(packet);
    }

    fn collect(&mut self) -> Option<Vec<u8>> {
        let mut packet = self.queue.leaving.pop_front()?;
        let_echo_replies_be_fragmented(&mut packet);
        Some(packet)
    }

    fn poll(&mut self, now: Instant) -> bool {
        self.now = now;
        self.give_up();
        let mut changed = false;
        loop {
            if let Some(packet) = self.inbox.pop_front().or_else(|| self.looped.pop_front()) {
                self.admit(packet);
            }
            let result = self.interface.poll(now, &mut self.queue, &mut self.sockets);
            self.loop_back();
            changed |= result == PollResult::SocketStateChanged;
            for handle in std::mem::take(&mut self.dying) {
                self.sockets.remove(handle);
            }
            for listening in self.listeners.values_mut() {
                self.dying.extend(listening.unused(&self.sockets));
            }
            if self.inbox.is_empty() && self.looped.is_empty() {
                return changed;
            }
        }
    }

    fn set_mtu(&mut self, mtu: u16) {
        self.change_mtu(usize::from(mtu));
    }

    fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        let given_up = self.closed.front().map(|(at, _)| *at);
        self.interface.poll_at(now, &self.sockets).into_iter().chain(given_up).min()
    }

    fn listen(&mut self, port: Option<u16>) -> Option<(Listener, u16)> {
        let port = port.unwrap_or_else(|| self.ephemeral_port());
        if port == 0 || self.is_listening(port) {
            return None;
        }
        let listener = Listener(self.id());
        self.listeners.insert(listener, Listening::new(port));
        Some((listener, port))
    }

    fn accept(&mut self, listener: Listener) -> Option<Connection> {
        let handle = self.listeners.get_mut(&listener)?.accept(&mut self.sockets)?;
        Some(self.connected(handle))
    }

    fn unlisten(&mut self, listener: Listener) {
        if let Some(listening) = self.listeners.remove(&listener) {
            self.dying.extend(listening.reset(&mut self.sockets));
        }
    }

    fn dial(&mut self, from: Option<u16>, to: SocketAddrV4) -> Option<Connection> {
        let port = from.unwrap_or_else(|| self.ephemeral_port());
        if !self.forget_time_wait((SocketAddrV4::new(self.address, port), to)) {
            return None;
        }
        let mut socket = new_tcp_socket();
        let local = IpEndpoint::new(IpAddress::Ipv4(self.address), port);
        socket.set_timeout(Some(DIALS_FOR));
        socket.connect(self.interface.context(), endpoint(to), local).ok()?;
        let handle = self.sockets.add(socket);
        Some(self.connected(handle))
    }

    fn state(&mut self, connection: Connection) -> ConnectionState {
        let Some(connected) = self.connections.get_mut(&connection) else {
            return ConnectionState::Closed(Failure::Refused);
        };
        let socket = self.sockets.get_mut::<tcp::Socket<'static>>(connected.handle);
        if let Some(failure) = connected.refused {
            socket.abort();
            return ConnectionState::Closed(failure);
        }
        match socket.state() {
            tcp::State::Closed if !connected.opened && connected.dials_until <= self.now => {
                return ConnectionState::Closed(Failure::TimedOut);
            }
            tcp::State::Closed => return ConnectionState::Closed(Failure::Refused),
            tcp::State::Listen | tcp::State::SynSent | tcp::State::SynReceived => {
                return ConnectionState::Opening;
            }
            _ => {}
        }
        if !connected.opened {
            connected.opened = true;
            // An idle connection lives for ever.
            socket.set_timeout(None);
        }
        // What came before the peer's FIN is read first.
        if socket.may_recv() || socket.can_recv() {
            ConnectionState::Open
        } else {
            ConnectionState::PeerClosed
        }
    }

    fn ends(&mut self, connection: Connection) -> Option<(SocketAddrV4, SocketAddrV4)> {
        let socket = self.tcp(connection)?;
        Some((v4(socket.local_endpoint()?), v4(socket.remote_endpoint()?)))
    }

    fn send(&mut self, connection: Connection, bytes: &[u8]) -> usize {
        self.tcp(connection).map_or(0, |socket| socket.send_slice(bytes).unwrap_or_default())
    }

    fn receive(&mut self, connection: Connection) -> Option<Vec<u8>> {
        let socket = self.tcp(connection)?;
        if !socket.can_recv() {
            return None;
        }
        socket.recv(|bytes| (bytes.len(), bytes.to_vec())).ok().filter(|bytes| !bytes.is_empty())
    }

    fn is_delivered(&mut self, connection: Connection) -> bool {
        self.tcp(connection).is_none_or(|socket| socket.send_queue() == 0)
    }

    fn is_acknowledged(&mut self, connection: Connection) -> bool {
        self.tcp(connection).is_some_and(|socket| {
            socket.send_queue() == 0
                && !matches!(socket.state(), tcp::State::Established | tcp::State::CloseWait)
        })
    }

    fn close(&mut self, connection: Connection) {
        let until = self.now + LINGERS_FOR;
        if let Some(socket) = self.tcp(connection) {
            socket.close();
            self.closed.push_back((until, connection));
        }
    }

    fn abort(&mut self, connection: Connection) {
        if let Some(socket) = self.tcp(connection) {
            socket.abort();
        }
    }

    fn remove(&mut self, connection: Connection) {
        if let Some(connected) = self.connections.remove(&connection) {
            self.dying.push(connected.handle);
        }
    }

    fn bind(&mut self, port: Option<u16>) -> Option<(Datagrams, u16)> {
        let port = port.unwrap_or_else(|| self.ephemeral_port());
        if self.is_bound(port) {
            return None;
        }
        let buffer =
            || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; MESSAGES], vec![0; 2 * BUFFER]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        if socket.bind(port).is_err() {
            return None;
        }
        let handle = self.sockets.add(socket);
        let id = Datagrams(self.id());
        self.datagrams.insert(id, handle);
        Some((id, port))
    }

    fn send_to(&mut self, socket: Datagrams, to: SocketAddrV4, payload: &[u8]) -> bool {
        payload.len() <= LONGEST_PAYLOAD
            && self.udp(socket).is_some_and(|socket| socket.send_slice(payload, endpoint(to)).is_ok())
    }

    fn receive_from(&mut self, socket: Datagrams) -> Option<(SocketAddrV4, Vec<u8>)> {
        let (payload, metadata) = self.udp(socket)?.recv().ok()?;
        Some((v4(metadata.endpoint), payload.to_vec()))
    }

    fn unbind(&mut self, socket: Datagrams) {
        if let Some(handle) = self.datagrams.remove(&socket) {
            self.dying.push(handle);
        }
    }

    fn open_echo(&mut self, identifier: u16, time_to_live: u8) -> Option<Echo> {
        let buffer =
            || icmp::PacketBuffer::new(vec![icmp::PacketMetadata::EMPTY; MESSAGES], vec![0; 2 * BUFFER]);
        let mut socket = icmp::Socket::new(buffer(), buffer());
        socket.bind(icmp::Endpoint::Ident(identifier)).ok()?;
        // A time to live of zero never leaves a host.
        socket.set_hop_limit(Some(time_to_live.max(1)));
        let handle = self.sockets.add(socket);
        let echo = Echo(self.id());
        self.echoes.insert(echo, Echoing { handle, identifier, errors: VecDeque::new() });
        Some(echo)
    }

    fn send_echo(&mut self, socket: Echo, to: Ipv4Addr, sequence: u16, payload: &[u8]) -> bool {
        let Some(echoing) = self.echoes.get(&socket).filter(|_| payload.len() <= LONGEST_PAYLOAD) else {
            return false;
        };
        let checksums = ChecksumCapabilities::default();
        let request = Icmpv4Repr::EchoRequest { ident: echoing.identifier, seq_no: sequence, data: payload };
        let socket = self.sockets.get_mut::<icmp::Socket<'static>>(echoing.handle);
        let Ok(room) = socket.send(request.buffer_len(), IpAddress::Ipv4(to)) else { return false };
        request.emit(&mut Icmpv4Packet::new_unchecked(room), &checksums);
        true
    }

    fn receive_echo(&mut self, socket: Echo) -> Option<EchoAnswer> {
        let checksums = ChecksumCapabilities::default();
        let echoing = self.echoes.get_mut(&socket)?;
        if let Some(error) = echoing.errors.pop_front() {
            return Some(error);
        }
        let socket = self.sockets.get_mut::<icmp::Socket<'static>>(echoing.handle);
        while let Ok((message, IpAddress::Ipv4(from))) = socket.recv() {
            let packet = Icmpv4Packet::new_checked(message).ok();
            let reply = packet.and_then(|packet| Icmpv4Repr::parse(&packet, &checksums).ok());
            if let Some(Icmpv4Repr::EchoReply { seq_no, data, .. }) = reply {
                return Some(EchoAnswer { from, kind: EchoAnswerKind::Reply(seq_no, data.to_vec()) });
            }
        }
        None
    }

    fn close_echo(&mut self, socket: Echo) {
        if let Some(echoing) = self.echoes.remove(&socket) {
            self.dying.push(echoing.handle);
        }
    }

    fn start(&mut self, _: Instant, _: &ProgramPlan) -> Result<Process, ProgramFailure> {
        Err(ProgramFailure::Simulated)
    }

    fn end_of(&self, _: Process) -> Option<&ProgramEnd> {
        None
    }

    fn forget(&mut self, _: Process) {}

    fn is_listened_on(&self, port: u16) -> bool {
        self.listeners.values().any(|listening| listening.port == port)
    }
}

/// smoltcp forbids to fragment whatever it sends; Linux leaves its ICMP answers to the routers (icmp_sk_init in icmp.c).
fn let_echo_replies_be_fragmented(packet: &mut [u8]) {
    let Ok(mut ip) = Ipv4Packet::new_checked(packet) else { return };
    let is_reply = ip.next_header() == IpProtocol::Icmp && ip.payload_mut().first() == Some(&0);
    if is_reply && ip.dont_frag() {
        ip.set_dont_frag(false);
        ip.fill_checksum();
    }
}
