//! From a step to the packets it sends, knowing what reached each end so far.

use std::net::SocketAddrV4;

use super::announcements::announced;
use super::conversation::{Conversation, Damage, Error, Flow, Ip, Segment, Step, TcpOption, What};
use super::packets::{self, ACK, End, FIN, Header, ICMP, Left, SYN, TCP, UDP, WAN_ADDRESS, ipv4};

/// What both ends know.
pub struct Ends {
    flows: Vec<Known>,
    /// What reached each end, and what each has sent.
    heard: [Vec<Vec<u8>>; 2],
    sent: [Vec<Vec<u8>>; 2],
    /// Added to every identification, so that fragments of earlier conversations, some of which the kernel still
    /// has, are none of this one's.
    salt: u16,
}

struct Known {
    flow: Flow,
    /// Whether the remote knows whom it talks to, and the inside.
    has_met: [bool; 2],
    external: SocketAddrV4,
    /// The sequence number after all that each end has seen of the other.
    seen: [Option<u32>; 2],
    /// What was announced to each end last.
    announced: [Option<SocketAddrV4>; 2],
}

fn index(end: End) -> usize {
    match end {
        End::Lan => 0,
        End::Wan => 1,
    }
}

impl Ends {
    pub fn new(conversation: &Conversation, salt: u16) -> Self {
        let known = |flow: &Flow| Known {
            external: SocketAddrV4::new(WAN_ADDRESS, flow.external),
            flow: flow.clone(),
            has_met: [false; 2],
            seen: [None; 2],
            announced: [None; 2],
        };
        Self {
            flows: conversation.flows.iter().map(known).collect(),
            heard: [Vec::new(), Vec::new()],
            sent: [Vec::new(), Vec::new()],
            salt,
        }
    }

    /// The packets of a step: one, its fragments, or none where it is about something that never was.
    pub fn packets(&mut self, step: &Step) -> Vec<Vec<u8>> {
        let end = index(step.from);
        let packets = match &step.what {
            What::Again(back) => nth_back(&self.sent[end], *back).into_iter().cloned().collect(),
            What::Raw(bytes) => vec![bytes.clone()],
            _ => self.built(step),
        };
        self.sent[end].extend(packets.iter().cloned());
        packets
    }

    fn built(&mut self, step: &Step) -> Vec<Vec<u8>> {
        if let What::Error(error) = &step.what {
            return self.error(step, error);
        }
        let (source, mut destination) = self.endpoints(step.flow, step.from);
        if let Some(to) = step.ip.to {
            destination.set_ip(to);
        }
        let Some(known) = self.flows.get(step.flow) else { return Vec::new() };
        let (protocol, transport) = match &step.what {
            What::Segment(segment) => (TCP, known.segment(step.from, segment, source, destination)),
            What::Datagram { payload, checksum } => {
                (UDP, packets::udp(source, destination, *checksum, payload))
            }
            What::Query { kind, sequence, payload } => {
                let identifier = if step.from == End::Lan { source.port() } else { destination.port() };
                (ICMP, packets::icmp(*kind, 0, u32::from(identifier) << 16 | u32::from(*sequence), payload))
            }
            What::Other { protocol, payload } => (*protocol, payload.clone()),
            What::Error(_) | What::Again(_) | What::Raw(_) => return Vec::new(),
        };
        self.wrapped(&step.ip, protocol, source, destination, transport)
    }

    /// Who sends to whom, as far as the sender knows.
    fn endpoints(&mut self, flow: usize, from: End) -> (SocketAddrV4, SocketAddrV4) {
        let announcer = self.flows.get(flow).and_then(|known| known.flow.announced_by);
        let endpoints =
            announcer.and_then(|by| self.flows.get(by)).map_or([None; 2], |known| known.announced);
        let Some(known) = self.flows.get_mut(flow) else {
            return (SocketAddrV4::new(WAN_ADDRESS, 0), SocketAddrV4::new(WAN_ADDRESS, 0));
        };
        if !known.has_met[index(from)]
            && let Some(endpoint) = endpoints[index(from)]
        {
            match from {
                End::Lan => known.flow.remote = endpoint,
                End::Wan => known.external = endpoint,
            }
        }
        match from {
            End::Lan => (known.flow.inside, known.flow.remote),
            End::Wan => (known.flow.remote, known.external),
        }
    }

    fn error(&self, step: &Step, error: &Error) -> Vec<Vec<u8>> {
        let Some(about) = nth_back(&self.heard[index(step.from)], error.about) else { return Vec::new() };
        let Some(read) = packets::read(about) else { return Vec::new() };
        let mut quote = about[..about.len().min(error.quoted)].to_vec();
        if let Some((at, added)) = error.changed
            && let Some(octet) = quote.get_mut(at)
        {
            *octet = octet.wrapping_add(added);
        }
        let from = error.from.unwrap_or(*read.destination.ip());
        let message = packets::icmp(error.kind, error.code, error.rest, &quote);
        self.wrapped(
            &step.ip,
            ICMP,
            SocketAddrV4::new(from, 0),
            SocketAddrV4::new(*read.source.ip(), 0),
            message,
        )
    }

    fn wrapped(
        &self,
        ip: &Ip,
        protocol: u8,
        source: SocketAddrV4,
        destination: SocketAddrV4,
        mut transport: Vec<u8>,
    ) -> Vec<Vec<u8>> {
        let header = Header {
            source: *source.ip(),
            destination: *destination.ip(),
            protocol,
            ttl: ip.ttl,
            tos: ip.tos,
            identification: ip.identification.wrapping_add(self.salt),
            dont_fragment: ip.dont_fragment,
            options: ip.options.clone(),
        };
        if ip.damage == Damage::Checksum {
            let at = match protocol {
                TCP => 16,
                UDP => 6,
                _ => 2,
            };
            if let Some(octet) = transport.get_mut(at) {
                *octet = octet.wrapping_add(1);
            }
        }
        let mut cuts: Vec<usize> =
            ip.cuts.iter().map(|cut| cut * 8).filter(|cut| (1..transport.len()).contains(cut)).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([transport.len()]);
        let mut pieces: Vec<Vec<u8>> = starts
            .zip(ends)
            .map(|(start, end)| ipv4(&header, start, end < transport.len(), &transport[start..end]))
            .collect();
        for piece in &mut pieces {
            match ip.damage {
                Damage::None | Damage::Checksum => {}
                Damage::Header => piece[10] = piece[10].wrapping_add(1),
                Damage::Short(missing) => piece.truncate(piece.len().saturating_sub(missing)),
                Damage::Long(more) => piece.resize(piece.len() + more, 0xee),
            }
        }
        if ip.order.is_empty() {
            return pieces;
        }
        ip.order.iter().filter_map(|at| pieces.get(*at).cloned()).collect()
    }

    /// What left the router for a packet of this step reached the ends.
    pub fn learn(&mut self, step: &Step, left: &Left) {
        for end in [End::Lan, End::Wan] {
            self.heard[index(end)].extend(left.at(end).iter().cloned());
        }
        let to = step.from.other();
        let Some(known) = self.flows.get_mut(step.flow) else { return };
        let is_of_flow = matches!(step.what, What::Segment(_) | What::Datagram { .. } | What::Query { .. });
        for read in left.at(to).iter().filter(|_| is_of_flow).filter_map(|packet| packets::read(packet)) {
            known.has_met[index(to)] = true;
            match to {
                End::Wan => known.external = read.source,
                End::Lan => {
                    known.flow.inside = read.destination;
                    known.flow.remote = read.source;
                }
            }
            if let Some((sequence, flags, payload)) = read.tcp {
                let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
                let controls = u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
                let after = sequence.wrapping_add(length).wrapping_add(controls);
                let seen = &mut known.seen[index(to)];
                if seen.is_none_or(|seen| after.wrapping_sub(seen) < 1 << 31) || flags & SYN != 0 {
                    *seen = Some(after);
                }
                if let Some(endpoint) = announced(payload, *read.destination.ip()) {
                    known.announced[index(to)] = Some(endpoint);
                }
            }
        }
    }
}

impl Known {
    fn segment(
        &self,
        from: End,
        segment: &Segment,
        source: SocketAddrV4,
        destination: SocketAddrV4,
    ) -> Vec<u8> {
        let end = index(from);
        let right = self.seen[end].unwrap_or(0);
        let acknowledgement = if segment.flags & ACK == 0 { 0 } else { moved(right, segment.ack) };
        let options = option_bytes(&segment.options, right);
        packets::tcp(
            source,
            destination,
            &packets::Segment {
                sequence: moved(self.flow.initial[end], segment.offset + 1),
                acknowledgement,
                flags: segment.flags,
                window: segment.window,
                urgent: segment.urgent,
                options: &options,
                payload: &segment.payload,
            },
        )
    }
}

fn option_bytes(options: &[TcpOption], right: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for option in options {
        match option {
            TcpOption::Mss(size) => bytes.extend([&[2, 4][..], &size.to_be_bytes()].concat()),
            TcpOption::WindowScale(shift) => bytes.extend([3, 3, *shift]),
            TcpOption::SackPermitted => bytes.extend([4, 2]),
            TcpOption::Timestamps(value, echo) => {
                bytes.extend([&[8, 10][..], &value.to_be_bytes(), &echo.to_be_bytes()].concat());
            }
            TcpOption::Sack(blocks) => {
                bytes.extend([5, u8::try_from(2 + blocks.len() * 8).unwrap_or(2)]);
                for (left, end) in blocks {
                    bytes.extend(moved(right, *left).to_be_bytes());
                    bytes.extend(moved(right, *end).to_be_bytes());
                }
            }
            TcpOption::Nop => bytes.push(1),
            TcpOption::Raw(raw) => bytes.extend(raw),
        }
    }
    bytes.resize(bytes.len().next_multiple_of(4).min(40), 0);
    bytes
}

/// A sequence number so many octets on, or back.
fn moved(number: u32, by: i64) -> u32 {
    let by = by.rem_euclid(1 << 32);
    number.wrapping_add(u32::try_from(by).expect("less than 2^32"))
}

fn nth_back(list: &[Vec<u8>], back: usize) -> Option<&Vec<u8>> {
    list.len().checked_sub(1 + back).and_then(|at| list.get(at))
}
