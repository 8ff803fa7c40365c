//! A control connection over a network that loses, repeats and reorders, with the router in its middle: whatever
//! happens, the server gets one stream, the client's with its commands rewritten, and the client is never told that
//! something arrived which did not.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseError;

use quirknat_alg::KeywordPosition;
use quirknat_router::event::Interface;

use crate::support::{LAN, Lab, Seen, Tcp, WAN, tcp};

const SERVER: &str = "198.51.100.9:21";
const OUTSIDE: &str = "203.0.113.7:1024";

/// The client's address: a short one, whose commands grow, or a long one, whose commands shrink.
const CLIENTS: [&str; 2] = ["10.0.0.2", "192.168.100.100"];

/// What the client says: other lines, and commands that the router makes longer or shorter.
#[derive(Debug, Clone)]
enum Line {
    Other(String),
    Port(u16),
}

impl Line {
    fn said(&self, client: &str) -> String {
        self.announcing(client)
    }

    /// As the server must get it.
    fn heard(&self) -> String {
        self.announcing("203.0.113.7")
    }

    fn announcing(&self, address: &str) -> String {
        match self {
            Self::Other(text) => format!("{text}\r\n"),
            Self::Port(port) => {
                format!("PORT {},{},{}\r\n", address.replace('.', ","), port >> 8, port & 0xff)
            }
        }
    }
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![
        "[A-Z]{1,30}"
            .prop_filter("no command of ours", |text| !text.starts_with("PORT"))
            .prop_map(Line::Other),
        (2000_u16..65000).prop_map(Line::Port),
    ]
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// The client sends its next line.
    Next,
    /// The client sends again: from some octet of what it sent, so many. What the router has not seen yet comes by
    /// whole lines, since a command cut in two is not recognised.
    Again(Index, usize),
    /// A packet under way to a place arrives there: any, so they overtake one another.
    Arrive(Place, Index),
    /// It arrives, and another copy stays under way.
    Repeat(Place, Index),
    /// It is lost.
    Lose(Place, Index),
}

/// Where a packet is under way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    RouterFromClient,
    Server,
    RouterFromServer,
    Client,
}

const PLACES: [Place; 4] = [Place::RouterFromClient, Place::Server, Place::RouterFromServer, Place::Client];

fn step() -> impl Strategy<Value = Step> {
    let place = || select(PLACES.to_vec());
    prop_oneof![
        2 => Just(Step::Next),
        2 => (any::<Index>(), 1_usize..60).prop_map(|(at, length)| Step::Again(at, length)),
        8 => (place(), any::<Index>()).prop_map(|(place, which)| Step::Arrive(place, which)),
        1 => (place(), any::<Index>()).prop_map(|(place, which)| Step::Repeat(place, which)),
        1 => (place(), any::<Index>()).prop_map(|(place, which)| Step::Lose(place, which)),
    ]
}

/// The two ends, the router, and the packets on the wires.
struct World {
    lab: Lab,
    client: &'static str,
    /// The first octet's sequence number.
    start: u32,
    lines: Vec<Line>,
    /// How many lines the client has sent for the first time.
    begun: usize,
    said: Vec<u8>,
    /// How long each line is, as it is said.
    lengths: Vec<usize>,
    heard: Vec<u8>,
    /// How far the router has seen what is said.
    seen: usize,
    /// The client's: how far it was acknowledged.
    acknowledged: usize,
    /// The server's: which octets it has.
    got: Vec<bool>,
    on_the_wire: BTreeMap<Place, Vec<Seen>>,
}

impl World {
    fn new(client: &'static str, start: u32, lines: Vec<Line>) -> Self {
        let mut lab = Lab::with(|profile, config| {
            config.lan = vec!["10.0.0.1/24".parse().unwrap(), "192.168.100.1/24".parse().unwrap()];
            profile.alg.ftp.keyword_position.value = KeywordPosition::AnyLineStart;
            profile.alg.ftp.rewrites_remembered.value = 64;
            profile.alg.ftp.forward_outstanding.value = 64;
        });
        let port = if client == CLIENTS[0] { LAN } else { Interface::Lan(1) };
        let syn = tcp(&format!("{client}:1024"), SERVER).seq(start.wrapping_sub(1)).syn();
        lab.send(port, syn.packet());
        lab.from_wan(tcp(SERVER, OUTSIDE).seq(4999).ack(start).syn().packet());
        let said: Vec<u8> = lines.iter().flat_map(|line| line.said(client).into_bytes()).collect();
        let heard: Vec<u8> = lines.iter().flat_map(|line| line.heard().into_bytes()).collect();
        let lengths = lines.iter().map(|line| line.said(client).len()).collect();
        let got = vec![false; heard.len()];
        Self {
            lab,
            client,
            start,
            lines,
            begun: 0,
            said,
            lengths,
            heard,
            seen: 0,
            acknowledged: 0,
            got,
            on_the_wire: BTreeMap::new(),
        }
    }

    /// How much the client has sent.
    fn sent(&self) -> usize {
        self.lengths[..self.begun].iter().sum()
    }

    fn put(&mut self, place: Place, packet: Vec<u8>) {
        self.on_the_wire.entry(place).or_default().push(Seen { on: LAN, bytes: packet });
    }

    fn client_sends(&mut self, from: usize, to: usize) {
        let sequence = self.start.wrapping_add(u32::try_from(from).unwrap());
        let segment =
            tcp(&format!("{}:1024", self.client), SERVER).seq(sequence).ack(5000).data(&self.said[from..to]);
        self.put(Place::RouterFromClient, segment.packet());
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let waiting = |world: &Self, place| world.on_the_wire.get(place).map_or(0, Vec::len);
        match step {
            Step::Next if self.begun < self.lines.len() => {
                let from = self.sent();
                self.begun += 1;
                self.client_sends(from, self.sent());
                Ok(())
            }
            Step::Again(from, length) if self.begun > 0 => {
                let from = from.index(self.sent());
                let to = (from + length).min(self.sent());
                let to = if to <= self.seen { to } else { self.line_end_after(self.seen) };
                if from < to && to <= self.sent() {
                    self.client_sends(from, to);
                }
                Ok(())
            }
            Step::Arrive(place, which) | Step::Repeat(place, which) if waiting(self, place) > 0 => {
                let packets = self.on_the_wire.get_mut(place).unwrap();
                let which = which.index(packets.len());
                let packet = if matches!(step, Step::Repeat(..)) {
                    packets[which].clone()
                } else {
                    packets.remove(which)
                };
                self.arrives(*place, packet)
            }
            Step::Lose(place, which) if waiting(self, place) > 0 => {
                let packets = self.on_the_wire.get_mut(place).unwrap();
                packets.remove(which.index(packets.len()));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn arrives(&mut self, place: Place, packet: Seen) -> Result<(), TestCaseError> {
        match place {
            Place::RouterFromClient => {
                let from = packet.sequence().wrapping_sub(self.start) as usize;
                if from <= self.seen {
                    self.seen = self.seen.max(from + packet.text().len());
                }
                let port = if self.client == CLIENTS[0] { LAN } else { Interface::Lan(1) };
                let left = self.lab.send(port, packet.bytes);
                self.on_the_wire.entry(Place::Server).or_default().extend(left);
            }
            Place::RouterFromServer => {
                let left = self.lab.send(WAN, packet.bytes);
                prop_assert_eq!(left.len(), 1, "nothing keeps an acknowledgement back");
                self.on_the_wire.entry(Place::Client).or_default().extend(left);
            }
            Place::Server => self.server_gets(&packet)?,
            Place::Client => self.client_gets(&packet)?,
        }
        Ok(())
    }

    /// The server takes in what comes, checks it against what it must get, and acknowledges.
    fn server_gets(&mut self, packet: &Seen) -> Result<(), TestCaseError> {
        let text = packet.text().into_bytes();
        let from = packet.sequence().wrapping_sub(self.start) as usize;
        let to = from + text.len();
        prop_assert!(to <= self.heard.len(), "octets {from}..{to} of {}", self.heard.len());
        prop_assert_eq!(&text[..], &self.heard[from..to], "one stream, the rewritten one");
        self.got[from..to].fill(true);
        self.server_acknowledges();
        Ok(())
    }

    fn server_acknowledges(&mut self) {
        let number = |octet: usize| self.start.wrapping_add(u32::try_from(octet).unwrap());
        let next = self.got.iter().take_while(|got| **got).count();
        let mut blocks = Vec::new();
        let mut at = next;
        while at < self.got.len() && blocks.len() < 3 {
            let missing = self.got[at..].iter().take_while(|got| !**got).count();
            let length = self.got[at + missing..].iter().take_while(|got| **got).count();
            if length > 0 {
                blocks.push((number(at + missing), number(at + missing + length)));
            }
            at += missing + length;
        }
        let segment = tcp(SERVER, OUTSIDE).seq(5000).ack(number(next));
        let segment: Tcp = if blocks.is_empty() { segment } else { segment.sack(&blocks) };
        self.put(Place::RouterFromServer, segment.packet());
    }

    /// The client believes what it is told, which must be so.
    fn client_gets(&mut self, packet: &Seen) -> Result<(), TestCaseError> {
        let octet = |number: u32| number.wrapping_sub(self.start) as usize;
        let acknowledged = octet(packet.acknowledgement());
        prop_assert!(acknowledged <= self.sent(), "acknowledged {acknowledged} of {} sent", self.sent());
        prop_assert!(self.server_has(0, acknowledged), "acknowledged up to {acknowledged}");
        for (left, right) in packet.sack() {
            let (left, right) = (octet(left), octet(right));
            prop_assert!(left < right && right <= self.sent(), "SACK {left}..{right} of {}", self.sent());
            prop_assert!(self.server_has(left, right), "SACK {left}..{right}");
        }
        self.acknowledged = self.acknowledged.max(acknowledged);
        Ok(())
    }

    /// Whether the server has all octets of which those that the client said from `from` to `to` became a part. Of a
    /// piece that gave way to another one, of another length, the first octets became the first ones and the last one
    /// all that follow.
    fn server_has(&self, from: usize, to: usize) -> bool {
        let (mut said, mut heard) = (0, 0);
        for line in &self.lines {
            let (line_said, line_heard) = (line.said(self.client), line.heard());
            let (head, tail) = match line {
                Line::Other(text) => (text.len(), 2),
                Line::Port(_) => ("PORT ".len(), 2),
            };
            let (old, new) = (line_said.len() - head - tail, line_heard.len() - head - tail);
            for octet in 0..line_said.len() {
                let images = if octet < head {
                    octet..octet + 1
                } else if octet < head + old {
                    let into = octet - head;
                    let end = if into + 1 == old { new } else { (into + 1).min(new) };
                    head + into.min(new)..head + end
                } else {
                    octet - old + new..octet - old + new + 1
                };
                let is_meant = (from..to).contains(&(said + octet));
                if is_meant && !self.got[heard + images.start..heard + images.end].iter().all(|got| *got) {
                    return false;
                }
            }
            said += line_said.len();
            heard += line_heard.len();
        }
        true
    }

    /// The network comes to rest, and the client repeats from the first octet that was not acknowledged.
    fn finish(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..200 {
            for place in PLACES {
                for packet in self.on_the_wire.remove(&place).unwrap_or_default() {
                    self.arrives(place, packet)?;
                }
            }
            if self.acknowledged < self.sent() {
                self.client_sends(self.acknowledged, self.line_end_after(self.acknowledged));
            } else if self.begun < self.lines.len() {
                self.step(&Step::Next)?;
            }
        }
        prop_assert_eq!(self.acknowledged, self.said.len(), "the client sees all its octets acknowledged");
        prop_assert!(self.got.iter().all(|got| *got), "the server has them all");
        Ok(())
    }

    /// Where the line ends that the octet is in.
    fn line_end_after(&self, octet: usize) -> usize {
        let mut end = 0;
        self.lengths
            .iter()
            .find_map(|length| {
                end += length;
                (end > octet).then_some(end)
            })
            .unwrap_or(end)
    }
}

proptest! {
    #[test]
    fn one_stream_arrives_and_nothing_is_acknowledged_that_did_not(
        client in select(CLIENTS.to_vec()),
        near_the_wrap: bool,
        offset in 0_u32..400,
        lines in vec(line(), 1..10),
        steps in vec(step(), 0..250),
    ) {
        let start = if near_the_wrap { 0_u32.wrapping_sub(offset) } else { 0x7fff_ff00_u32.wrapping_add(offset) };
        let mut world = World::new(client, start, lines);
        for step in &steps {
            world.step(step)?;
        }
        world.finish()?;
    }
}
