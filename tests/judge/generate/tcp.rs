//! TCP conversations: an orderly script, and what may happen to it.

use super::super::conversation::{Segment, TcpOption};
use super::super::packets::{ACK, End, FIN, PSH, RST, SYN, URG};
use super::super::script::Script;
use super::dice::{Dice, counting};

impl Script {
    pub fn random_handshake(&mut self, dice: &mut Dice, opener: End) {
        let (options, answer) = (syn_options(dice), syn_options(dice));
        self.handshake_with(opener, &options, &answer);
        if dice.once_in(40) {
            // Both open at once.
            self.put(opener.other(), SYN, -1, answer, Vec::new());
            let last = self.steps.len() - 1;
            self.steps.swap(last, last - 2);
        }
    }

    /// One end says something, in one segment or several; the other acknowledges it, or not.
    pub fn say_in(&mut self, dice: &mut Dice, from: End, message: &[u8], pieces: usize) {
        let mut rest = message;
        for left in (1..=pieces).rev() {
            let length = if left == 1 { rest.len() } else { dice.below(rest.len() + 1) };
            let (piece, behind) = rest.split_at(length);
            rest = behind;
            if piece.is_empty() && pieces > 1 {
                continue;
            }
            self.send(from, piece);
        }
        if !dice.once_in(3) {
            self.acknowledge(from.other());
        }
    }

    /// A part of what an end has said, again: a retransmission, cut as it comes.
    pub fn repeat(&mut self, dice: &mut Dice, from: End) {
        let stream = self.stream(from);
        if stream.is_empty() {
            return;
        }
        let start = dice.below(stream.len());
        let end = dice.between(start, stream.len());
        let mut payload = stream[start..end].to_vec();
        if dice.once_in(4) && !payload.is_empty() {
            // Other octets than before.
            let at = dice.below(payload.len());
            payload[at] = *dice.pick(b"123,\r\nX");
        }
        self.send_at(from, start, &payload);
    }

    pub fn close(&mut self, dice: &mut Dice, first: End) {
        match dice.below(6) {
            0 => {}
            1 => self.reset(first),
            2 => self.put(first, RST | ACK, self.end_of(first), Vec::new(), Vec::new()),
            _ => self.finish(first),
        }
    }

    /// Any segment at all.
    pub fn stray(&mut self, dice: &mut Dice) {
        let from = if dice.once_in(2) { End::Lan } else { End::Wan };
        let flags = if dice.once_in(3) {
            dice.octet()
        } else {
            *dice.pick(&[
                0,
                SYN,
                SYN | ACK,
                ACK,
                FIN,
                FIN | ACK,
                RST,
                RST | ACK,
                PSH | ACK,
                URG | ACK,
                SYN | FIN,
            ])
        };
        let offset = self.end_of(from) + distance(dice);
        let length = if dice.once_in(2) { 0 } else { dice.below(40) };
        let payload = counting(length);
        self.put(from, flags, offset, Vec::new(), payload);
        let segment = self.last_segment();
        segment.ack = distance(dice);
        segment.window = *dice.pick(&[0, 1, 100, 65535]);
    }
}

/// Something happens to a segment.
pub fn disturb(dice: &mut Dice, segment: &mut Segment) {
    match dice.below(9) {
        0 => segment.flags ^= 1 << dice.below(8),
        1 => segment.offset += distance(dice),
        2 => segment.ack = distance(dice),
        3 => segment.window = *dice.pick(&[0, 1, 10, 1000, 65535]),
        4 => segment.urgent = dice.port(),
        5 => segment.options = vec![TcpOption::Sack(vec![(distance(dice), distance(dice))])],
        6 => {
            let blocks = (0..dice.between(1, 3)).map(|_| (distance(dice), distance(dice))).collect();
            segment.options =
                vec![TcpOption::Nop, TcpOption::Nop, TcpOption::Timestamps(7, 9), TcpOption::Sack(blocks)];
        }
        7 => segment.options = vec![TcpOption::Raw((0..8).map(|_| dice.octet()).collect())],
        _ => segment.options = vec![TcpOption::Timestamps(dice.word(), dice.word())],
    }
}

/// How far something is from where it should be.
fn distance(dice: &mut Dice) -> i64 {
    match dice.below(8) {
        0..=2 => 0,
        3 | 4 => dice.signed(-30, 30),
        5 => dice.signed(-100_000, 100_000),
        6 => *dice.pick(&[1, -1, 65535, -65535, 65536, -65536]),
        _ => i64::from(dice.word()) - (1 << 31),
    }
}

fn syn_options(dice: &mut Dice) -> Vec<TcpOption> {
    let mut options = Vec::new();
    if !dice.once_in(3) {
        options.push(TcpOption::Mss(*dice.pick(&[1460, 536, 88])));
    }
    if dice.once_in(2) {
        options.push(TcpOption::SackPermitted);
    }
    if dice.once_in(2) {
        options.extend([TcpOption::Nop, TcpOption::WindowScale(*dice.pick(&[0, 2, 7, 14, 15]))]);
    }
    if dice.once_in(4) {
        options.push(TcpOption::Timestamps(1, 0));
    }
    options
}
