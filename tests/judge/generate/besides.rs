//! What reaches a router besides conversations that it translates by ports. The dice are others than the conversation's,
//! so that one without it is as it was.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::super::conversation::{Ip, Step, What};
use super::super::packets::{ACK, End, SYN};
use super::super::script::Script;
use super::Plan;
use super::dice::{Dice, counting};

impl Plan {
    /// Adds it, to one conversation in six.
    pub(super) fn besides(&mut self, seed: u64, number: u64) {
        let mut dice = Dice::new(seed, &format!("besides conversation {number}"));
        if dice.once_in(6) {
            self.elsewhere(&mut dice);
        }
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
