//! A conversation in steps that do not depend on what a router makes of them: which ports and sequence numbers an end
//! answers to is read off what reached it. So a step can be left out, and what remains is a conversation still.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::packets::End;

/// Who talks, over which link, and what is sent.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The router's: of a /24.
    pub lan_address: Ipv4Addr,
    /// The largest packet the WAN takes, in octets.
    pub wan_mtu: u32,
    pub flows: Vec<Flow>,
    pub steps: Vec<Step>,
}

impl Conversation {
    /// Whether any end of it has this port.
    pub fn has_port(&self, port: u16) -> bool {
        let ports = |flow: &Flow| [flow.inside.port(), flow.remote.port(), flow.external];
        self.flows.iter().any(|flow| ports(flow).contains(&port))
    }
}

/// Two endpoints that send to each other.
#[derive(Debug, Clone)]
pub struct Flow {
    /// On the LAN. An echo's identifier is its port.
    pub inside: SocketAddrV4,
    pub remote: SocketAddrV4,
    /// The port that the remote sends to as long as nothing came from the inside.
    pub external: u16,
    /// The control connection whose last announcement says where this one goes instead.
    pub announced_by: Option<usize>,
    /// TCP's initial sequence number of the LAN's end and of the WAN's.
    pub initial: [u32; 2],
}

#[derive(Debug, Clone)]
pub struct Step {
    pub flow: usize,
    pub from: End,
    pub what: What,
    pub ip: Ip,
}

#[derive(Debug, Clone)]
pub enum What {
    Segment(Segment),
    Datagram {
        payload: Vec<u8>,
        checksum: bool,
    },
    /// An ICMP query or its answer.
    Query {
        kind: u8,
        sequence: u16,
        payload: Vec<u8>,
    },
    Error(Error),
    /// A packet of a protocol that has no ports.
    Other {
        protocol: u8,
        payload: Vec<u8>,
    },
    /// A packet that this end sent before, counted back from the last, as it was.
    Again(usize),
    /// Octets as they are, with an IPv4 header or not.
    Raw(Vec<u8>),
}

#[derive(Debug, Clone)]
pub struct Segment {
    pub flags: u8,
    /// Where it stands in its end's stream: the SYN at -1, the first octet at 0.
    pub offset: i64,
    /// What is added to the right acknowledgement: of all that this end has seen of the other.
    pub ack: i64,
    pub window: u16,
    pub urgent: u16,
    pub options: Vec<TcpOption>,
    pub payload: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TcpOption {
    Mss(u16),
    WindowScale(u8),
    SackPermitted,
    Timestamps(u32, u32),
    /// Blocks, both ends relative to the right acknowledgement.
    Sack(Vec<(i64, i64)>),
    Nop,
    Raw(Vec<u8>),
}

/// An ICMP error about a packet that reached this end.
#[derive(Debug, Clone)]
pub struct Error {
    pub kind: u8,
    pub code: u8,
    pub rest: u32,
    /// Which packet, counted back from the last.
    pub about: usize,
    /// How many of its octets are quoted.
    pub quoted: usize,
    /// Who sends it, if not the quoted packet's destination.
    pub from: Option<Ipv4Addr>,
    /// An octet of the quote that is changed, and what is added to it.
    pub changed: Option<(usize, u8)>,
}

/// What is beneath the transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ip {
    pub ttl: u8,
    pub tos: u8,
    /// Fragments of one conversation's packets have different ones, and no two conversations the same.
    pub identification: u16,
    pub dont_fragment: bool,
    /// Whole words.
    pub options: Vec<u8>,
    pub damage: Damage,
    /// Where it is cut into fragments, in units of eight octets from the transport header on.
    pub cuts: Vec<usize>,
    /// Which fragments are sent, in which order; all of them, where this is empty.
    pub order: Vec<usize>,
    /// Where it goes instead of to the other end.
    pub to: Option<Ipv4Addr>,
}

impl Default for Ip {
    fn default() -> Self {
        Self {
            ttl: 64,
            tos: 0,
            identification: 0,
            dont_fragment: false,
            options: Vec::new(),
            damage: Damage::None,
            cuts: Vec::new(),
            order: Vec::new(),
            to: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    None,
    /// The transport's checksum is wrong.
    Checksum,
    /// The IP header's.
    Header,
    /// So many octets are missing at the end, which the header counts.
    Short(usize),
    /// So many octets are there that the header does not count.
    Long(usize),
}
