//! Random conversations: one seed and one number give one conversation, on every machine.

mod besides;
mod dice;
mod lines;
mod tcp;

use std::net::{Ipv4Addr, SocketAddrV4};

use super::conversation::{Conversation, Damage, Error, Flow, Ip, Step, What};
use super::packets::{End, LAN_ADDRESS, SHORT_LAN_ADDRESS};
use super::script::Script;
use dice::{Dice, counting};

/// A conversation under way.
struct Plan {
    dice: Dice,
    lan_address: Ipv4Addr,
    /// Servers that no conversation shortly before had: the kernel may still wait for fragments of those.
    servers: [Ipv4Addr; 2],
    flows: Vec<Flow>,
    /// The steps of each flow, in order.
    scripts: Vec<Vec<Step>>,
}

/// Conversation `number` of a seed.
pub fn generate(seed: u64, number: u64) -> Conversation {
    let mut plan = Plan::new(seed, number);
    let kinds = plan.dice.between(1, 3);
    for _ in 0..kinds {
        match plan.dice.below(10) {
            0..=3 => plan.ftp(),
            4 => plan.server_behind(),
            5 | 6 => plan.plain_tcp(),
            7 => plan.datagrams(),
            8 => plan.queries(),
            _ => plan.conflicts(),
        }
    }
    plan.besides(seed, number);
    plan.finish()
}

impl Plan {
    fn new(seed: u64, number: u64) -> Self {
        let mut dice = Dice::new(seed, &format!("conversation {number}"));
        let (high, low) = ((number / 100 % 100) as u8 + 100, (number % 100) as u8 + 100);
        Self {
            lan_address: if dice.once_in(4) { SHORT_LAN_ADDRESS } else { LAN_ADDRESS },
            dice,
            servers: [Ipv4Addr::new(198, 18, high, low), Ipv4Addr::new(198, 19, high, low)],
            flows: Vec::new(),
            scripts: Vec::new(),
        }
    }

    fn host(&mut self) -> Ipv4Addr {
        let last = if self.lan_address == SHORT_LAN_ADDRESS {
            *self.dice.pick(&[2, 3, 2, 33])
        } else {
            *self.dice.pick(&[100, 100, 101, 2, 33])
        };
        let [a, b, c, _] = self.lan_address.octets();
        Ipv4Addr::new(a, b, c, last)
    }

    fn server(&mut self) -> Ipv4Addr {
        let servers = self.servers;
        if self.dice.once_in(5) { servers[1] } else { servers[0] }
    }

    fn client_port(&mut self) -> u16 {
        match self.dice.below(8) {
            0 => *self.dice.pick(&[21, 20, 53, 80, 500, 600, 1023]),
            _ => *self.dice.pick(&[1024, 1025, 40000, 49152, 65535]),
        }
    }

    fn flow(&mut self, inside: SocketAddrV4, remote: SocketAddrV4) -> usize {
        let dice = &mut self.dice;
        let mut initial = || match dice.below(4) {
            0 => u32::MAX - u32::from(dice.octet()) / 4,
            1 => 1000,
            _ => dice.word(),
        };
        let initial = [initial(), initial()];
        self.flows.push(Flow { inside, remote, external: inside.port(), announced_by: None, initial });
        self.flows.len() - 1
    }

    /// A client behind the router and a server outside.
    fn ftp(&mut self) {
        let (host, server, port) = (self.host(), self.server(), self.client_port());
        let control_port = if self.dice.once_in(8) { 2121 } else { 21 };
        let flow = self.flow(SocketAddrV4::new(host, port), SocketAddrV4::new(server, control_port));
        let mut script = self.dialogue(flow, End::Lan, host, server);
        let closer = if self.dice.once_in(2) { End::Lan } else { End::Wan };
        script.close(&mut self.dice, closer);
        self.scripts.push(script.steps);
        for _ in 0..self.dice.below(3) {
            self.data(flow, host, server);
        }
    }

    /// A server behind the router, through a port forward.
    fn server_behind(&mut self) {
        if self.lan_address != LAN_ADDRESS {
            return self.plain_tcp();
        }
        let (host, client) = (Ipv4Addr::new(192, 168, 1, 100), self.server());
        let port = self.client_port();
        let flow = self.flow(SocketAddrV4::new(host, 21), SocketAddrV4::new(client, port));
        let mut script = self.dialogue(flow, End::Wan, client, host);
        script.close(&mut self.dice, End::Lan);
        self.scripts.push(script.steps);
        for _ in 0..self.dice.below(3) {
            self.data(flow, host, client);
        }
    }

    fn dialogue(&mut self, flow: usize, client_end: End, client: Ipv4Addr, server: Ipv4Addr) -> Script {
        let dice = &mut self.dice;
        let mut script = Script::new(flow);
        script.random_handshake(dice, client_end);
        let seen_by_server = if client_end == End::Lan { super::packets::WAN_ADDRESS } else { client };
        for turn in 0..dice.between(1, 8) {
            if turn.is_multiple_of(2) {
                let line = lines::from_server(dice, server, client);
                let pieces = pieces(dice);
                script.say_in(dice, client_end.other(), &line, pieces);
            } else {
                let peer = if dice.once_in(3) { seen_by_server } else { server };
                let line = lines::from_client(dice, client, peer);
                let pieces = pieces(dice);
                script.say_in(dice, client_end, &line, pieces);
            }
            if dice.once_in(6) {
                let from = if dice.once_in(2) { End::Lan } else { End::Wan };
                script.repeat(dice, from);
            }
            if dice.once_in(20) {
                script.stray(dice);
            }
        }
        script
    }

    /// A data connection: to what was announced, from one end or the other.
    fn data(&mut self, control: usize, host: Ipv4Addr, server: Ipv4Addr) {
        let opener = if self.dice.once_in(3) { End::Lan } else { End::Wan };
        let stranger = self.servers[1];
        let remote = if self.dice.once_in(8) { stranger } else { server };
        let remote_port = *self.dice.pick(&[20, 20, 20, 54321, 1023]);
        let own = self.client_port();
        let flow = self.flow(SocketAddrV4::new(host, own), SocketAddrV4::new(remote, remote_port));
        if !self.dice.once_in(10) {
            self.flows[flow].announced_by = Some(control);
        }
        let dice = &mut self.dice;
        let mut script = Script::new(flow);
        script.random_handshake(dice, opener);
        for _ in 0..dice.below(3) {
            let length = dice.below(600);
            let from = if dice.once_in(2) { End::Lan } else { End::Wan };
            let octets = counting(length);
            script.say_in(dice, from, &octets, 1);
        }
        script.close(dice, opener);
        self.scripts.push(script.steps);
    }

    fn plain_tcp(&mut self) {
        let (host, server, port) = (self.host(), self.server(), self.client_port());
        let remote_port = *self.dice.pick(&[80, 443, 21]);
        let inbound = self.dice.once_in(4);
        let flow = self.flow(SocketAddrV4::new(host, port), SocketAddrV4::new(server, remote_port));
        if inbound {
            self.flows[flow].external = *self.dice.pick(&[21, 2100, 2100, 2100, 4000]);
        }
        let dice = &mut self.dice;
        let opener = if inbound { End::Wan } else { End::Lan };
        let mut script = Script::new(flow);
        if !dice.once_in(10) {
            script.random_handshake(dice, opener);
        }
        for _ in 0..dice.below(6) {
            let from = if dice.once_in(2) { End::Lan } else { End::Wan };
            match dice.below(4) {
                0 => script.stray(dice),
                1 => script.repeat(dice, from),
                _ => {
                    let length = *dice.pick(&[1, 10, 1000, 1460, 3000]);
                    let octets = counting(length);
                    let pieces = dice.between(1, 3);
                    script.say_in(dice, from, &octets, pieces);
                }
            }
        }
        script.close(dice, opener);
        if dice.once_in(4) {
            // The same endpoints once more.
            script.random_handshake(dice, opener);
        }
        for _ in 0..dice.below(2) {
            script.stray(dice);
        }
        self.scripts.push(script.steps);
    }

    fn datagrams(&mut self) {
        let (host, server, port) = (self.host(), self.server(), self.client_port());
        let flow = self.flow(SocketAddrV4::new(host, port), SocketAddrV4::new(server, 53));
        if self.dice.once_in(4) {
            self.flows[flow].external = *self.dice.pick(&[5000, 5001]);
        }
        let mut steps = Vec::new();
        for _ in 0..self.dice.between(1, 6) {
            let length = *self.dice.pick(&[0, 1, 12, 13, 500, 1472, 1473, 4000]);
            let payload = counting(length);
            let checksum = !self.dice.once_in(6);
            steps.push(self.step(flow, What::Datagram { payload, checksum }));
        }
        self.scripts.push(steps);
    }

    fn queries(&mut self) {
        let (host, server, identifier) = (self.host(), self.server(), self.client_port());
        let server = if self.dice.once_in(6) { self.lan_address } else { server };
        let flow = self.flow(SocketAddrV4::new(host, identifier), SocketAddrV4::new(server, 0));
        let mut steps = Vec::new();
        for sequence in 0..self.dice.between(1, 5) {
            let kinds: &[u8] = if server == self.lan_address {
                // No timestamp request, which the kernel answers with the time of day.
                &[8, 8, 0, 14, 15, 17, 10, 42]
            } else {
                &[8, 8, 8, 0, 0, 13, 14, 17, 18, 15, 16, 10, 9, 42]
            };
            let kind = *self.dice.pick(kinds);
            let length = *self.dice.pick(&[0, 12, 56, 1472, 3000]);
            let payload = counting(length);
            let sequence = u16::try_from(sequence).expect("few");
            let mut step = self.step(flow, What::Query { kind, sequence, payload });
            if !self.dice.once_in(6) {
                step.from =
                    if kind.is_multiple_of(2) && kind != 0 && kind != 14 { End::Lan } else { End::Wan };
            }
            steps.push(step);
        }
        self.scripts.push(steps);
    }

    /// Several hosts with one port towards one server.
    fn conflicts(&mut self) {
        let (server, port) = (self.server(), self.client_port());
        let is_tcp = self.dice.once_in(2);
        for _ in 0..self.dice.between(2, 3) {
            let host = self.host();
            let remote_port = *self.dice.pick(&[80, 80, 80, 81]);
            let flow = self.flow(SocketAddrV4::new(host, port), SocketAddrV4::new(server, remote_port));
            if is_tcp {
                let dice = &mut self.dice;
                let mut script = Script::new(flow);
                script.random_handshake(dice, End::Lan);
                script.say_in(dice, End::Wan, b"hello", 1);
                script.close(dice, End::Lan);
                self.scripts.push(script.steps);
            } else {
                let datagram = What::Datagram { payload: b"hello".to_vec(), checksum: true };
                let mut step = self.step(flow, datagram);
                step.from = End::Lan;
                let mut answer = step.clone();
                answer.from = End::Wan;
                self.scripts.push(vec![step, answer]);
            }
        }
    }

    fn step(&mut self, flow: usize, what: What) -> Step {
        let from = if self.dice.once_in(2) { End::Wan } else { End::Lan };
        Step { flow, from, what, ip: Ip::default() }
    }

    /// No connection through a forward has both its ends from another one of the same host: the kernel then gives the far
    /// end another port, which the profile does not.
    fn keep_ends_apart(&mut self) {
        const FORWARDED: [(u16, u8, u16); 3] = [(21, 100, 21), (2100, 101, 80), (5000, 100, 53)];
        let [a, b, c, _] = LAN_ADDRESS.octets();
        for index in 0..self.flows.len() {
            let Flow { inside, remote, external, .. } = self.flows[index];
            let through = FORWARDED.iter().find(|(port, ..)| *port == external);
            let Some((_, host, port)) = through.filter(|_| external != inside.port()) else { continue };
            let target = SocketAddrV4::new(Ipv4Addr::new(a, b, c, *host), *port);
            if self.flows.iter().any(|other| (other.inside, other.remote) == (target, remote)) {
                self.flows[index].remote.set_port(8080);
            }
        }
    }

    /// The flows' steps mixed with one another, and disturbed.
    fn finish(mut self) -> Conversation {
        self.keep_ends_apart();
        let mut steps = Vec::new();
        let mut scripts: Vec<_> =
            self.scripts.iter().map(|script| script.iter().cloned().peekable()).collect();
        // The first flow's control connection gets ahead of what it announces, mostly.
        while scripts.iter_mut().any(|script| script.peek().is_some()) {
            let first = scripts.iter_mut().position(|script| script.peek().is_some()).unwrap_or(0);
            let one = if self.dice.once_in(2) { self.dice.below(scripts.len()) } else { first };
            steps.extend(scripts.get_mut(one).and_then(Iterator::next));
        }
        let is_calm = self.dice.once_in(3);
        if !is_calm {
            self.disturb(&mut steps);
        }
        for (number, step) in (0_u16..).zip(&mut steps) {
            step.ip.identification = number;
        }
        let wan_mtu = *self.dice.pick(&[1500, 1500, 1500, 1492, 576]);
        Conversation { lan_address: self.lan_address, wan_mtu, flows: self.flows, steps }
    }

    fn disturb(&mut self, steps: &mut Vec<Step>) {
        let dice = &mut self.dice;
        for _ in 0..dice.below(2 + steps.len() / 4) {
            if steps.is_empty() {
                return;
            }
            let at = dice.below(steps.len());
            match dice.below(12) {
                0 => drop(steps.remove(at)),
                1 if at > 0 => steps.swap(at - 1, at),
                2 => {
                    let again = steps[at].clone();
                    let later = dice.between(at, steps.len());
                    steps.insert(later, again);
                }
                3 => {
                    let mut again = steps[at].clone();
                    again.what = What::Again(dice.below(6));
                    steps.insert(at, again);
                }
                4 | 5 => {
                    let mut error = steps[at].clone();
                    error.what = What::Error(any_error(dice));
                    error.ip = Ip::default();
                    error.from = if dice.once_in(3) { End::Lan } else { End::Wan };
                    steps.insert(at + 1, error);
                }
                // What is for somebody else is read no farther than its header.
                6..=8 if steps[at].ip.to.is_some() => {}
                6..=8 => disturb_ip(dice, &mut steps[at].ip),
                _ => {
                    if let What::Segment(segment) = &mut steps[at].what {
                        tcp::disturb(dice, segment);
                    }
                }
            }
        }
    }
}

fn pieces(dice: &mut Dice) -> usize {
    if dice.once_in(3) { dice.between(2, 5) } else { 1 }
}

fn any_error(dice: &mut Dice) -> Error {
    let (kind, code) = *dice.pick(&[
        (3, 0),
        (3, 1),
        (3, 2),
        (3, 3),
        (3, 3),
        (3, 4),
        (3, 4),
        (3, 9),
        (3, 13),
        (3, 15),
        (4, 0),
        (5, 1),
        (11, 0),
        (11, 1),
        (12, 0),
        (12, 1),
    ]);
    let rest = match kind {
        3 if code == 4 => *dice.pick(&[1400, 576, 68, 0]),
        12 => 0x0400_0000,
        5 => 0xc633_6401,
        _ => 0,
    };
    Error {
        kind,
        code,
        rest,
        about: dice.below(4),
        quoted: *dice.pick(&[28, 28, 40, 48, 60, 548, 1400, 27, 24, 20, 8]),
        from: if dice.once_in(3) { Some(Ipv4Addr::new(198, 51, 100, 254)) } else { None },
        changed: if dice.once_in(6) { Some((dice.below(40), dice.octet())) } else { None },
    }
}

fn disturb_ip(dice: &mut Dice, ip: &mut Ip) {
    match dice.below(10) {
        0 => ip.ttl = *dice.pick(&[0, 1, 1, 2, 255]),
        1 => ip.tos = dice.octet(),
        2 => ip.dont_fragment = true,
        3 => {
            let options: [&[u8]; 3] = [&[1, 1, 1, 0], &[0x94, 4, 0, 0], &[7, 7, 4, 0, 0, 0, 0, 0]];
            ip.options = dice.pick(&options).to_vec();
        }
        4 => ip.damage = Damage::Checksum,
        5 => ip.damage = *dice.pick(&[Damage::Header, Damage::Short(1), Damage::Short(9), Damage::Long(4)]),
        _ => {
            ip.cuts = (0..dice.between(1, 3)).map(|_| dice.between(1, 6)).collect();
            let count = ip.cuts.len() + 1;
            match dice.below(5) {
                0 => ip.order = (0..count).rev().collect(),
                1 => ip.order = (0..count).map(|_| dice.below(count)).collect(),
                2 => ip.order = (1..count).chain([0]).collect(),
                _ => {}
            }
        }
    }
}
