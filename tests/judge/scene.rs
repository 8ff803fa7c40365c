//! Conversations written by hand: flows, and one step after the other on any of them.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::conversation::{Conversation, Flow, Ip, Segment, Step, What};
use super::packets::{End, LAN_ADDRESS};
use super::script::Script;

pub const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 100);
pub const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 101);
pub const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
pub const STRANGER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 10);

pub struct Scene {
    lan_address: Ipv4Addr,
    wan_mtu: u32,
    flows: Vec<Flow>,
    scripts: Vec<Script>,
    steps: Vec<Step>,
}

impl Scene {
    pub fn new() -> Self {
        Self {
            lan_address: LAN_ADDRESS,
            wan_mtu: 1500,
            flows: Vec::new(),
            scripts: Vec::new(),
            steps: Vec::new(),
        }
    }

    pub fn on_lan(mut self, lan_address: Ipv4Addr) -> Self {
        self.lan_address = lan_address;
        self
    }

    pub fn with_wan_mtu(mut self, mtu: u32) -> Self {
        self.wan_mtu = mtu;
        self
    }

    /// Two endpoints; gives the flow's number.
    pub fn flow(&mut self, inside: (Ipv4Addr, u16), remote: (Ipv4Addr, u16)) -> usize {
        let number = self.flows.len();
        self.flows.push(Flow {
            inside: SocketAddrV4::new(inside.0, inside.1),
            remote: SocketAddrV4::new(remote.0, remote.1),
            external: inside.1,
            announced_by: None,
            initial: [1000, 5000],
        });
        self.scripts.push(Script::new(number));
        number
    }

    /// A data connection from `remote` to what control connection `control` announced last.
    pub fn data(&mut self, control: usize, remote: (Ipv4Addr, u16)) -> usize {
        let inside = self.flows[control].inside;
        let number = self.flow((*inside.ip(), 50000), remote);
        self.flows[number].announced_by = Some(control);
        number
    }

    /// Another initial sequence number for the end on the LAN.
    pub fn begins_at(&mut self, flow: usize, initial: u32) {
        self.flows[flow].initial[0] = initial;
    }

    /// Does something on a flow.
    pub fn on(&mut self, flow: usize, work: impl FnOnce(&mut Script)) {
        work(&mut self.scripts[flow]);
        self.steps.append(&mut self.scripts[flow].steps);
    }

    pub fn say(&mut self, flow: usize, from: End, message: &str) {
        self.on(flow, |script| script.say(from, message.as_bytes()));
    }

    pub fn send(&mut self, flow: usize, from: End, message: &str) {
        self.on(flow, |script| script.send(from, message.as_bytes()));
    }

    /// Changes the last segment.
    pub fn change(&mut self, change: impl FnOnce(&mut Segment)) {
        if let Some(What::Segment(segment)) = self.steps.last_mut().map(|step| &mut step.what) {
            change(segment);
        }
    }

    /// Changes what is beneath the last step.
    pub fn change_ip(&mut self, change: impl FnOnce(&mut Ip)) {
        change(&mut self.steps.last_mut().expect("a step").ip);
    }

    pub fn step(&mut self, flow: usize, from: End, what: What) {
        self.steps.push(Step { flow, from, what, ip: Ip::default() });
    }

    /// The last packet of this end once more.
    pub fn again(&mut self, flow: usize, from: End) {
        self.step(flow, from, What::Again(0));
    }

    /// The last `count` steps in reverse order.
    pub fn reverse(&mut self, count: usize) {
        let from = self.steps.len() - count;
        self.steps[from..].reverse();
    }

    pub fn finish(mut self) -> Conversation {
        for (number, step) in (0_u16..).zip(&mut self.steps) {
            step.ip.identification = number;
        }
        let Self { lan_address, wan_mtu, flows, steps, .. } = self;
        Conversation { lan_address, wan_mtu, flows, steps }
    }
}
