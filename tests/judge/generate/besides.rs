//! What reaches a router besides conversations that it translates by ports. The dice are others than the conversation's,
//! so that one without it is as it was.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::super::conversation::{Ip, Step, What};
use super::super::packets::{ACK, End, SYN, WAN_ADDRESS};
use super::super::script::Script;
use super::Plan;
use super::dice::{Dice, counting};

/// Of what such a packet carries.
const LENGTHS: &[usize] = &[0, 1, 7, 8, 40, 500, 1480, 1481, 3000];

impl Plan {
    /// Adds it, to one conversation in six.
    pub(super) fn besides(&mut self, seed: u64, number: u64) {
        let mut dice = Dice::new(seed, &format!("besides conversation {number}"));
        match dice.below(6) {
            0 => self.elsewhere(&mut dice),
            1 => self.without_ports(&mut dice),
            _ => {}
        }
    }

    /// Several hosts with one remote or two, by protocols that have no ports.
    fn without_ports(&mut self, dice: &mut Dice) {
        // ESP, AH, GRE, IPv4 in IPv4, DCCP, and one that nobody has. SCTP and UDP-Lite have trackers of their own.
        let protocol = *dice.pick(&[50, 51, 47, 47, 47, 4, 33, 253, 253]);
        let mut steps = Vec::new();
        for _ in 0..dice.between(1, 3) {
            let host = self.host();
            let remote = match dice.below(8) {
                0 if protocol == 253 => *dice.pick(&[self.lan_address, WAN_ADDRESS]),
                1 | 2 => self.servers[1],
                _ => self.servers[0],
            };
            let flow = self.flow(SocketAddrV4::new(host, 0), SocketAddrV4::new(remote, 0));
            for _ in 0..dice.between(1, 4) {
                let payload = if protocol == 47 { gre(dice) } else { counting(*dice.pick(LENGTHS)) };
                let from = if dice.once_in(2) { End::Wan } else { End::Lan };
                let what = What::Other { protocol, payload };
                steps.push(Step { flow, from, what, ip: Ip::default() });
            }
        }
        self.scripts.push(steps);
    }

    /// From the WAN to addresses that are not the router's.
    fn elsewhere(&mut self, dice: &mut Dice) {
        let addresses = [
            Ipv4Addr::new(203, 0, 113, 9),
            Ipv4Addr::new(203, 0, 113, 255),
            Ipv4Addr::new(192, 0, 2, 5),
            Ipv4Addr::new(192, 168, 1, 100),
            Ipv4Addr::new(192, 168, 1, 1),
            Ipv4Addr::new(192, 168, 1, 255),
            Ipv4Addr::new(10, 0, 0, 2),
        ];
        let remote = SocketAddrV4::new(self.servers[0], *dice.pick(&[53, 80]));
        let inside = SocketAddrV4::new(Ipv4Addr::new(192, 168, 1, 100), 49152);
        let flow = self.flow(inside, remote);
        let mut script = Script::new(flow);
        for _ in 0..dice.between(1, 4) {
            let what = match dice.below(4) {
                0 => What::Query { kind: *dice.pick(&[8, 0, 13, 42]), sequence: 1, payload: counting(56) },
                1 => {
                    script.put(End::Wan, *dice.pick(&[SYN, ACK]), -1, Vec::new(), Vec::new());
                    script.steps.pop().expect("just put").what
                }
                _ => What::Datagram { payload: counting(*dice.pick(&[0, 12, 548, 1472])), checksum: true },
            };
            let ip = Ip {
                ttl: *dice.pick(&[0, 1, 1, 1, 2, 64]),
                tos: *dice.pick(&[0, 0, 0x28]),
                dont_fragment: dice.once_in(2),
                cuts: if dice.once_in(4) { vec![1, dice.between(1, 6)] } else { Vec::new() },
                to: Some(*dice.pick(&addresses)),
                ..Ip::default()
            };
            script.steps.push(Step { flow, from: End::Wan, what, ip });
        }
        self.scripts.push(script.steps);
    }
}

/// A GRE packet's content: of PPTP, of version 0, or none that is right.
fn gre(dice: &mut Dice) -> Vec<u8> {
    let call = *dice.pick(&[0, 0, 1, 0x12]);
    let header: &[u8] = match dice.below(8) {
        0..=2 => &[0x30, 1, 0x88, 0x0b, 0, 4, 0, call, 0, 0, 0, 1],
        3 | 4 => &[0, 0, 8, 0],
        5 => &[0x20, 0, 8, 0, 0, 0, 0, 5],
        6 => &[0x30, 1, 8, 0, 0, 4, 0, 1],
        _ => &[0x30, 3, 0x88, 0x0b, 0, 4, 0, 1],
    };
    let mut content = [header, &counting(*dice.pick(LENGTHS))].concat();
    if dice.once_in(6) {
        content.truncate(dice.below(9));
    }
    content
}
