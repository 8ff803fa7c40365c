//! What a host's programs need of its network stack. Two things are one: smoltcp on a virtual clock, and a kernel in
//! a network namespace. Programs are written once, against this.

use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::time::Instant;

use super::program::{ProgramEnd, ProgramFailure, ProgramPlan};
use crate::ftp::Failure;

/// A listening socket of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener(pub usize);

/// A TCP connection of a stack, or an attempt at one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection(pub usize);

/// A UDP socket of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Datagrams(pub usize);

/// A socket of a stack for echo requests and their answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Echo(pub usize);

/// A real program on a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process(pub usize);

/// How a TCP connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// Being dialled.
    Opening,
    /// Established; this end may be closed already.
    Open,
    /// The peer has sent its FIN, and all its bytes were read.
    PeerClosed,
    /// Over: by both FINs, by a reset, or never established.
    Closed(Failure),
}

/// An answer to an echo request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EchoAnswer {
    /// Whose it is.
    pub from: Ipv4Addr,
    /// What it says.
    pub kind: EchoAnswerKind,
}

/// What an answer to an echo request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EchoAnswerKind {
    /// An echo reply with its sequence number and payload.
    Reply(u16, Vec<u8>),
    /// ICMP destination unreachable, with its code.
    Unreachable(u8),
    /// ICMP time exceeded.
    TimeExceeded,
}

/// A host's network stack. Nothing here blocks: what is not possible yet is asked for again after the next
/// [`poll`](Self::poll).
pub trait Stack {
    /// The host's address.
    fn address(&self) -> Ipv4Addr;

    /// A packet arrives on the host's wire.
    fn deliver(&mut self, packet: Vec<u8>);

    /// The next packet that leaves on the host's wire.
    fn collect(&mut self) -> Option<Vec<u8>>;

    /// Moves what has arrived into the sockets, and what they send onto the wire; says whether anything changed.
    fn poll(&mut self, now: Instant) -> bool;

    /// The host's wire takes packets of so many bytes from now on.
    fn set_mtu(&mut self, mtu: u16);

    /// When [`poll`](Self::poll) has something to do without a packet or a program asking for it.
    fn poll_at(&mut self, now: Instant) -> Option<Instant>;

    /// Listens on `port`, or on any; says where. `None`: the port is taken.
    fn listen(&mut self, port: Option<u16>) -> Option<(Listener, u16)>;

    /// The next connection that was accepted.
    fn accept(&mut self, listener: Listener) -> Option<Connection>;

    /// Stops listening. What was not accepted is reset.
    fn unlisten(&mut self, listener: Listener);

    /// Dials `to`, from this port or from any. `None`: it cannot even be tried.
    fn dial(&mut self, from: Option<u16>, to: SocketAddrV4) -> Option<Connection>;

    /// How a connection stands.
    fn state(&mut self, connection: Connection) -> ConnectionState;

    /// This end and the other end of an established connection.
    fn ends(&mut self, connection: Connection) -> Option<(SocketAddrV4, SocketAddrV4)>;

    /// Hands bytes over to be sent; says how many were taken.
    fn send(&mut self, connection: Connection, bytes: &[u8]) -> usize;

    /// Bytes that came, if some did.
    fn receive(&mut self, connection: Connection) -> Option<Vec<u8>>;

    /// Whether the peer has acknowledged all that was handed over so far.
    fn is_delivered(&mut self, connection: Connection) -> bool;

    /// Whether the peer has acknowledged all that was handed over, and a FIN behind it has left.
    fn is_acknowledged(&mut self, connection: Connection) -> bool;

    /// Sends a FIN behind all that was handed over.
    fn close(&mut self, connection: Connection);

    /// Resets the connection.
    fn abort(&mut self, connection: Connection);

    /// Forgets a connection that is over.
    fn remove(&mut self, connection: Connection);

    /// A UDP socket on `port`, or on any; says where. `None`: the port is taken.
    fn bind(&mut self, port: Option<u16>) -> Option<(Datagrams, u16)>;

    /// Sends a datagram; false: the stack did not take it.
    fn send_to(&mut self, socket: Datagrams, to: SocketAddrV4, payload: &[u8]) -> bool;

    /// The next datagram that came, and whose it is.
    fn receive_from(&mut self, socket: Datagrams) -> Option<(SocketAddrV4, Vec<u8>)>;

    /// Closes a UDP socket.
    fn unbind(&mut self, socket: Datagrams);

    /// A socket for echo requests with this identifier, sent with this time to live. `None`: it cannot be had.
    fn open_echo(&mut self, identifier: u16, time_to_live: u8) -> Option<Echo>;

    /// Sends an echo request; false: the stack did not take it.
    fn send_echo(&mut self, socket: Echo, to: Ipv4Addr, sequence: u16, payload: &[u8]) -> bool;

    /// The next answer that came.
    fn receive_echo(&mut self, socket: Echo) -> Option<EchoAnswer>;

    /// Closes an echo socket.
    fn close_echo(&mut self, socket: Echo);

    /// Starts a real program.
    fn start(&mut self, now: Instant, plan: &ProgramPlan) -> Result<Process, ProgramFailure>;

    /// How a program ended; `None`: it runs.
    fn end_of(&self, process: Process) -> Option<&ProgramEnd>;

    /// Forgets a program; what still runs of it is killed.
    fn forget(&mut self, process: Process);

    /// Whether somebody listens on this TCP port of the host's.
    fn is_listened_on(&self, port: u16) -> bool;
}
