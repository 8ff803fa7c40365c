//! Any conversation, read in any dialect.
//!
//! The octets are a program. The first [`DIALECT`] draw a dialect, key by key, the next ones the ends of the connection;
//! then each step is an octet that says which kind it is and, by its highest bit, whose, and what that kind needs:
//!
//! | step | needs |
//! |---|---|
//! | a line is said, and sent | which one |
//! | a line is said, and waits for more | which one |
//! | octets are said, and wait | a length, the octets |
//! | an octet of what waits becomes another | how far from the end, the other |
//! | a piece of what waits is sent | a length |
//! | what was sent is sent again, with what waits | how far back, how much of it counts as read |
//! | octets are lost on the way | how many |

mod drawn;
mod holds;

use std::net::Ipv4Addr;

use quirknat_alg::{Decision, Dialect, Dialogue, Role, Segment, Side};

use drawn::Source;

const INSIDE: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 100);
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
/// What the inside end is to the outside one.
const EXTERNAL: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
/// More octets than the keys there are need, so that one more does not turn a kept program into another.
const DIALECT: usize = 128;
const STEPS: usize = 48;

/// Whatever is said, in any dialect: what is decided lies within what was sent, and is what the dialect allows. Returns
/// all that was decided.
pub(crate) fn play(data: &[u8]) -> Vec<Decision> {
    let (dialect, steps) = data.split_at(data.len().min(DIALECT));
    let mut source = Source(steps);
    let mut session = Session::new(drawn::dialect(&mut Source(dialect)), &mut source);
    for _ in 0..STEPS {
        if session.step(&mut source).is_none() {
            break;
        }
    }
    session.decided
}

struct Session {
    dialect: Dialect,
    dialogue: Dialogue,
    inside: Role,
    client_port: u16,
    server_port: u16,
    /// What the client and the server say.
    ends: [End; 2],
    decided: Vec<Decision>,
}

#[derive(Default)]
struct End {
    /// The first octet's sequence number.
    first: u32,
    said: Vec<u8>,
    /// How much of it was sent.
    sent: usize,
}

impl Session {
    fn new(dialect: Dialect, source: &mut Source<'_>) -> Self {
        let bits = source.octet();
        let mut dialogue = Dialogue::default();
        let ends = [Role::Client, Role::Server].map(|role| {
            let first = u32::from(source.octet()).wrapping_sub(0x80);
            if bits & 1 == 0 {
                dialogue.begin(&dialect, role, first);
            }
            End { first, ..End::default() }
        });
        Self {
            dialect,
            dialogue,
            inside: if bits & 2 == 0 { Role::Client } else { Role::Server },
            client_port: if bits & 0x0c == 4 { 21 } else { 1024 },
            server_port: if bits & 0x30 == 0x10 { 2121 } else { 21 },
            ends,
            decided: Vec::new(),
        }
    }

    fn step(&mut self, source: &mut Source<'_>) -> Option<()> {
        let kind = source.next()?;
        let role = if kind & 0x80 == 0 { Role::Client } else { Role::Server };
        let end = &mut self.ends[usize::from(role == Role::Server)];
        match kind % 8 {
            step @ 0..=3 => {
                end.say(LINES[usize::from(source.octet()) % LINES.len()]);
                if step < 3 {
                    self.send(role, 0, usize::MAX, 0);
                }
            }
            4 => end.say(source.piece()),
            5 => {
                let (from_end, other) = (usize::from(source.octet()), source.octet());
                let waits = &mut end.said[end.sent..];
                if let Some(at) = waits.len().checked_sub(1 + from_end % waits.len().max(1)) {
                    waits[at] = other;
                }
            }
            6 if kind & 0x40 == 0 => self.send(role, 0, usize::from(source.octet()), 0),
            6 => end.sent = (end.sent + usize::from(source.octet())).min(end.said.len()),
            _ => {
                let back = usize::from(source.octet());
                self.send(role, back, usize::MAX, usize::from(source.octet()));
            }
        }
        Some(())
    }

    /// Sends up to `most` octets that wait, after the last `back` that were sent before; `read` octets count as read.
    fn send(&mut self, role: Role, back: usize, most: usize, read: usize) {
        let end = &mut self.ends[usize::from(role == Role::Server)];
        let from = end.sent.saturating_sub(back);
        end.sent = end.sent.saturating_add(most).min(end.said.len());
        let (side, sender, external) = if role == self.inside {
            (Side::Inside, INSIDE, EXTERNAL)
        } else {
            (Side::Outside, OUTSIDE, OUTSIDE)
        };
        let segment = Segment {
            bytes: &end.said[from..end.sent],
            sequence: end.first.wrapping_add(u32::try_from(from).expect("a short conversation")),
            read_from: read,
            role,
            side,
            sender,
            external,
            client_port: self.client_port,
            server_port: self.server_port,
        };
        let mut again = self.dialogue.clone();
        let decisions = self.dialogue.read(&self.dialect, &segment);
        assert_eq!(decisions, again.read(&self.dialect, &segment), "the same is decided of the same");
        holds::of(&self.dialect, self.inside, &segment, &decisions);
        self.decided.extend(decisions);
    }
}

impl End {
    fn say(&mut self, octets: &[u8]) {
        self.said.extend_from_slice(octets);
    }
}

/// What either end may say.
const LINES: [&[u8]; 40] = [
    b"PORT 192,168,1,100,195,80\r\n",
    b"PORT 192,168,1,101,195,80\r\n",
    b"PORT 198,51,100,9,195,80\r\n",
    b"PORT 203,0,113,7,195,80\r\n",
    b"PORT 192,168,1,100,0,22\r\n",
    b"PORT 192,168,1,100,0,0\r\n",
    b"PORT 192,168,001,356,195,080\r\n",
    b"PORT 192,168,1,100,,\r\n",
    b"PORT 192,168,1,100,195,80,1\r\n",
    b"port 192,168,1,100,195,80\n",
    b"PoRt  192,168,1,100,195,80 \r\n",
    b"REPORT 192,168,1,100,195,80\r\n",
    b"PORT\r\n",
    b"EPRT |1|192.168.1.100|50000|\r\n",
    b"EPRT |1|198.51.100.9|50000|\r\n",
    b"EPRT !1!192.168.1.100!50000!\r\n",
    b"EPRT |1|192,168,1,100|50000|\r\n",
    b"EPRT |2|fd00::2|50000|\r\n",
    b"227 Entering Passive Mode (192,168,1,100,195,80).\r\n",
    b"227 Entering Passive Mode (198,51,100,9,195,80).\r\n",
    b"227 =192,168,1,100,195,80\r\n",
    b"227 Logout.\r\n",
    b"227-first\r\n",
    b"229 Entering Extended Passive Mode (|||50000|)\r\n",
    b"229 Entering Extended Passive Mode (|||50000|",
    b"PASV\r\n",
    b"EPSV\r\n",
    b"USER u\r\n",
    b"PASS p\r\n",
    b"REIN\r\n",
    b"NOOP\r\n",
    b"LIST\r\n",
    b"AUTH TLS\r\n",
    b"POST / HTTP/1.1\r\n",
    b"220 ready\r\n",
    b"331 and?\r\n",
    b"230 in\r\n",
    b"200 PORT command successful\r\n",
    b"234 go\r\n",
    b"150 Opening\0",
];
