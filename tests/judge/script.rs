//! The steps of one TCP connection, one after the other.

use super::conversation::{Ip, Segment, Step, TcpOption, What};
use super::packets::{ACK, End, FIN, PSH, RST, SYN};

/// What both ends of one connection have said so far.
#[derive(Default)]
pub struct Script {
    pub flow: usize,
    pub steps: Vec<Step>,
    /// Octets of the LAN's end and of the WAN's.
    streams: [Vec<u8>; 2],
}

impl Script {
    pub fn new(flow: usize) -> Self {
        Self { flow, ..Self::default() }
    }

    pub fn handshake(&mut self, opener: End) {
        self.handshake_with(opener, &[TcpOption::Mss(1460)], &[TcpOption::Mss(1460)]);
    }

    pub fn handshake_with(&mut self, opener: End, options: &[TcpOption], answer: &[TcpOption]) {
        self.put(opener, SYN, -1, options.to_vec(), Vec::new());
        self.put(opener.other(), SYN | ACK, -1, answer.to_vec(), Vec::new());
        self.put(opener, ACK, 0, Vec::new(), Vec::new());
    }

    /// One end says something in one segment, and the other acknowledges it.
    pub fn say(&mut self, from: End, message: &[u8]) {
        self.send(from, message);
        self.acknowledge(from.other());
    }

    /// One segment that goes on where the last one ended.
    pub fn send(&mut self, from: End, message: &[u8]) {
        let offset = self.end_of(from);
        self.streams[index(from)].extend(message);
        self.put(from, PSH | ACK, offset, Vec::new(), message.to_vec());
    }

    /// A segment that stands somewhere else in the stream, which does not grow by it.
    pub fn send_at(&mut self, from: End, offset: usize, message: &[u8]) {
        let offset = i64::try_from(offset).expect("a short stream");
        self.put(from, PSH | ACK, offset, Vec::new(), message.to_vec());
    }

    pub fn acknowledge(&mut self, from: End) {
        self.put(from, ACK, self.end_of(from), Vec::new(), Vec::new());
    }

    /// The last step, to be changed.
    pub fn last(&mut self) -> &mut Step {
        self.steps.last_mut().expect("something was said")
    }

    /// The segment of the last step.
    pub fn last_segment(&mut self) -> &mut Segment {
        match &mut self.last().what {
            What::Segment(segment) => segment,
            other => panic!("{other:?} is no segment"),
        }
    }

    pub fn finish(&mut self, first: End) {
        let (near, far) = (self.end_of(first), self.end_of(first.other()));
        self.put(first, FIN | ACK, near, Vec::new(), Vec::new());
        self.put(first.other(), ACK, far, Vec::new(), Vec::new());
        self.put(first.other(), FIN | ACK, far, Vec::new(), Vec::new());
        self.put(first, ACK, near + 1, Vec::new(), Vec::new());
    }

    pub fn reset(&mut self, from: End) {
        self.put(from, RST, self.end_of(from), Vec::new(), Vec::new());
    }

    pub fn end_of(&self, end: End) -> i64 {
        i64::try_from(self.streams[index(end)].len()).expect("a short stream")
    }

    pub fn stream(&self, end: End) -> &[u8] {
        &self.streams[index(end)]
    }

    pub fn put(&mut self, from: End, flags: u8, offset: i64, options: Vec<TcpOption>, payload: Vec<u8>) {
        let what =
            What::Segment(Segment { flags, offset, ack: 0, window: 65535, urgent: 0, options, payload });
        self.steps.push(Step { flow: self.flow, from, what, ip: Ip::default() });
    }
}

fn index(end: End) -> usize {
    match end {
        End::Lan => 0,
        End::Wan => 1,
    }
}
