//! Where a table's cases are played: a router, a control connection through it, and what leaves on either side.

use std::fmt::Debug;

use quirknat_router::event::{EventKind, Interface};
use quirknat_router::profile::Profile;

use super::script::{Act, Case, Leaves, fits};
use crate::support::{LAN, Lab, PC, SERVER, STRANGER, Seen, WAN, WAN_ADDRESS, at, tcp};

/// A case under way.
pub(super) struct Stage {
    lab: Lab,
    talk: Talk,
    /// The segment sent last.
    last: Segment,
    /// What left of it.
    left: Vec<Seen>,
    /// What the gateway opened or refreshed, and the table has not named yet.
    told: Vec<String>,
    /// External ports of the forwards that were opened, by their number.
    forwards: Vec<(u32, u16)>,
    /// By how much what left of the inside end's segments is longer than what it said.
    grown: i32,
    ended: bool,
}

/// A control connection: the inside end's numbers as it counts them, and the outside end's.
struct Talk {
    inside: String,
    remote: String,
    /// The inside end as it is seen from outside.
    external: String,
    client_is_inside: bool,
    inside_sent: u32,
    remote_sent: u32,
    /// Where the inside end is when the login is over.
    after_login: u32,
}

#[derive(Clone)]
struct Segment {
    from_inside: bool,
    sequence: u32,
    text: String,
}

/// The first octets' numbers.
const INSIDE: u32 = 1000;
const REMOTE: u32 = 5000;

type Outcome = Result<(), String>;

impl Stage {
    /// Plays a case on a new router; what is not as the table says, with the case's text.
    pub(super) fn play(profile: &str, case: &Case) -> Outcome {
        let mut stage = Self::set(profile, case);
        let mut played = Vec::new();
        for (act, line) in &case.acts {
            played.push(format!("  {line}"));
            stage.act(act).map_err(|wrong| format!("{}\n{}\n  !! {wrong}", case.title, played.join("\n")))?;
        }
        let shift = case.acts.iter().find_map(|(act, _)| match act {
            Act::Shift(octets) => Some(*octets),
            Act::ShiftByText => Some(stage.grown),
            _ => None,
        });
        let end = stage.nothing_untold().and_then(|()| stage.is_shifted(shift.unwrap_or_default()));
        end.map_err(|wrong| format!("{}\n{}\n  !! at its end: {wrong}", case.title, played.join("\n")))
    }

    /// The router, the connection and the login, as the case's first lines have them.
    fn set(profile: &str, case: &Case) -> Self {
        let has = |wanted: Act| case.acts.iter().any(|(act, _)| *act == wanted);
        let port = case.acts.iter().find_map(|(act, _)| match act {
            Act::OnPort(port) => Some(*port),
            _ => None,
        });
        let client = case.acts.iter().find_map(|(act, _)| match act {
            Act::ClientAt(address) => Some(address.as_str()),
            _ => None,
        });
        let behind = has(Act::ServerBehind);
        let port = port.unwrap_or(21);
        let mut lab = Lab::with(|own, config| {
            *own = Profile::named(profile).unwrap_or_else(|error| panic!("{error}"));
            if let Some(address) = client {
                let network = address.rsplit_once('.').map_or(address, |(network, _)| network);
                config.lan = vec![format!("{network}.1/24").parse().unwrap()];
            }
            if behind {
                config.forwards = vec![format!("tcp/{port}={PC}:{port}").parse().unwrap()];
            }
        });
        let mut taken = Vec::new();
        for (act, _) in &case.acts {
            if let Act::Taken { host, port, towards } = act {
                taken.push(lab.connect(&format!("{host}:{port}"), towards));
            }
        }
        let talk = if behind {
            Talk::with_server_behind(&mut lab, port)
        } else {
            Talk::with_client_behind(&mut lab, client.unwrap_or(PC), port)
        };
        let last = Segment { from_inside: true, sequence: INSIDE, text: String::new() };
        let (left, told, forwards) = (Vec::new(), Vec::new(), Vec::new());
        let mut stage = Self { lab, talk, last, left, told, forwards, grown: 0, ended: false };
        if !has(Act::BeforeLogin) {
            stage.say(!stage.talk.client_is_inside, "220 ready\r\n");
            stage.say(stage.talk.client_is_inside, "USER anonymous\r\n");
        }
        if has(Act::LoggedIn) {
            stage.say(!stage.talk.client_is_inside, "331 password\r\n");
            stage.say(stage.talk.client_is_inside, "PASS guest\r\n");
            stage.say(!stage.talk.client_is_inside, "230 in\r\n");
        }
        stage.talk.after_login = stage.talk.inside_sent;
        stage.lab.events();
        stage
    }

    fn act(&mut self, act: &Act) -> Outcome {
        match act {
            // Seen to before the first act and after the last one.
            Act::OnPort(_)
            | Act::ClientAt(_)
            | Act::BeforeLogin
            | Act::LoggedIn
            | Act::ServerBehind
            | Act::Taken { .. }
            | Act::Shift(_)
            | Act::ShiftByText => {}
            Act::Client(text) => {
                self.nothing_untold()?;
                self.say(self.talk.client_is_inside, text);
            }
            Act::Server(text) => {
                self.nothing_untold()?;
                self.say(!self.talk.client_is_inside, text);
            }
            Act::Again(longer) => {
                self.nothing_untold()?;
                let Segment { from_inside, sequence, text } = self.last.clone();
                let text = longer.clone().unwrap_or(text);
                self.talk.reach(from_inside, sequence + length(&text).unsigned_abs());
                self.send(Segment { from_inside, sequence, text });
            }
            Act::ClientResets => {
                let Talk { inside, remote, inside_sent, .. } = &self.talk;
                self.lab.from_lan(tcp(inside, remote).seq(*inside_sent).rst().packet());
                self.ended = true;
            }
            Act::Leaves(expected) => return self.leaves(expected),
            Act::Forward(forward) | Act::Refresh(forward) => {
                let verb = if matches!(act, Act::Forward(_)) { "forward" } else { "refresh" };
                let expected = format!("{verb} {forward}");
                let told = (!self.told.is_empty()).then(|| self.told.remove(0));
                return match told {
                    Some(told) if fits(&expected, &told) => Ok(()),
                    other => Err(format!("instead: {}", other.unwrap_or_else(|| "none".to_owned()))),
                };
            }
            Act::Acknowledged { heard, told } => {
                let number = self.talk.after_login + heard;
                let seen = self.talk.acknowledge(&mut self.lab, number);
                return expect("the inside end hears of", seen.wrapping_sub(self.talk.after_login), *told);
            }
            Act::Data { from, port, reaches } => {
                let newest = self.forwards.last().map_or(0, |(_, port)| *port);
                let port = port.unwrap_or(newest);
                let left = self.lab.send(WAN, tcp(from, &format!("{WAN_ADDRESS}:{port}")).syn().packet());
                let reached = left.iter().find(|seen| seen.on == LAN).map(Seen::to);
                return expect("it reaches", reached, reaches.as_deref().map(at));
            }
            Act::Wait(seconds) => self.lab.wait_seconds(*seconds),
        }
        Ok(())
    }

    fn say(&mut self, from_inside: bool, text: &str) {
        let sent = if from_inside { self.talk.inside_sent } else { self.talk.remote_sent };
        self.send(Segment { from_inside, sequence: sent, text: text.to_owned() });
        let passed: Vec<_> = self.left.iter().filter(|seen| seen.on == far(from_inside)).collect();
        // What is dropped its sender sends again, and says nothing new before.
        if passed.is_empty() {
            return;
        }
        if from_inside {
            self.grown += passed.iter().map(|seen| length(&seen.text())).sum::<i32>() - length(text);
        }
        self.talk.reach(from_inside, self.last.sequence + length(text).unsigned_abs());
    }

    fn send(&mut self, segment: Segment) {
        let Talk { inside, remote, external, inside_sent: _, remote_sent, .. } = &self.talk;
        let (into, packet) = if segment.from_inside {
            (LAN, tcp(inside, remote).ack(*remote_sent))
        } else {
            (WAN, tcp(remote, external).ack(INSIDE))
        };
        self.left = self.lab.send(into, packet.seq(segment.sequence).data(&segment.text).packet());
        self.last = segment;
        self.note_forwards();
    }

    fn note_forwards(&mut self) {
        for event in self.lab.timed_events() {
            // A lifetime counts from the next whole second.
            let second = u32::try_from((event.at.total_micros() + 999_999) / 1_000_000).unwrap();
            match event.kind {
                EventKind::ForwardOpened { forward, external, target, allowed, expires_s, .. } => {
                    self.forwards.push((forward, external.port()));
                    let port = external.port();
                    let life = match expires_s {
                        Some(expires_s) => format!("for {} s", expires_s.saturating_sub(second)),
                        None => "until the end".to_owned(),
                    };
                    self.told.push(format!("forward {port} to {target} {life} from {allowed}"));
                }
                EventKind::ForwardRefreshed { forward, expires_s } => {
                    let port = self.forwards.iter().find(|(number, _)| *number == forward);
                    let port = port.map_or(0, |(_, port)| *port);
                    self.told.push(format!("refresh {port} for {} s", expires_s.saturating_sub(second)));
                }
                _ => {}
            }
        }
    }

    fn leaves(&mut self, expected: &Leaves) -> Outcome {
        let far = far(self.last.from_inside);
        let passed: Vec<&Seen> = self.left.iter().filter(|seen| seen.on == far).collect();
        if *expected == Leaves::SessionEnds {
            self.ended = true;
            let reset = |on| self.left.iter().any(|seen: &Seen| seen.on == on && seen.tcp().rst());
            return expect("a RST to the LAN, to the WAN", (reset(LAN), reset(WAN)), (true, true));
        }
        let text: String = passed.iter().map(|seen| seen.text()).collect();
        let left = if passed.is_empty() { "nothing".to_owned() } else { format!("{text:?}") };
        let as_expected = match expected {
            Leaves::Text(pattern) => !passed.is_empty() && fits(pattern, &text),
            Leaves::Unchanged => !passed.is_empty() && text == self.last.text,
            Leaves::Dropped | Leaves::Held | Leaves::SessionEnds => passed.is_empty(),
        };
        if !as_expected {
            return Err(format!("instead: {left}"));
        }
        if *expected == Leaves::Held {
            self.go_on();
        }
        Ok(())
    }

    /// The sender has heard that the router has its segment.
    fn go_on(&mut self) {
        let Segment { from_inside, sequence, text } = &self.last;
        let sent = sequence + length(text).unsigned_abs();
        if *from_inside {
            self.grown -= length(text);
            self.talk.inside_sent = sent;
        } else {
            self.talk.remote_sent = sent;
        }
    }

    fn nothing_untold(&self) -> Outcome {
        if self.told.is_empty() { Ok(()) } else { Err(format!("besides: {}", self.told.join(", "))) }
    }

    /// The inside end's next number leaves moved by so much, and an acknowledgement of it comes back.
    fn is_shifted(&mut self, shift: i32) -> Outcome {
        if self.ended {
            return Ok(());
        }
        let Talk { inside, remote, inside_sent, remote_sent, .. } = &self.talk;
        let (sent, bare) = (*inside_sent, tcp(inside, remote).seq(*inside_sent).ack(*remote_sent));
        let outside = self.lab.from_lan(bare.packet()).sequence();
        expect("the numbers move by", outside.wrapping_sub(sent).cast_signed(), shift)?;
        let back = self.talk.acknowledge(&mut self.lab, outside);
        expect("an acknowledgement comes back moved by", back.wrapping_sub(sent).cast_signed(), 0)
    }
}

impl Talk {
    fn with_client_behind(lab: &mut Lab, client: &str, port: u16) -> Self {
        let (inside, remote) = (format!("{client}:1024"), format!("{SERVER}:{port}"));
        let external = lab.connect(&inside, &remote);
        Self::new(inside, remote, external, true)
    }

    fn with_server_behind(lab: &mut Lab, port: u16) -> Self {
        let (inside, remote) = (format!("{PC}:{port}"), format!("{STRANGER}:4000"));
        let external = format!("{WAN_ADDRESS}:{port}");
        lab.from_wan(tcp(&remote, &external).seq(REMOTE - 1).syn().packet());
        lab.from_lan(tcp(&inside, &remote).seq(INSIDE - 1).ack(REMOTE).syn().packet());
        lab.from_wan(tcp(&remote, &external).seq(REMOTE).ack(INSIDE).packet());
        Self::new(inside, remote, external, false)
    }

    fn new(inside: String, remote: String, external: String, client_is_inside: bool) -> Self {
        let (inside_sent, remote_sent, after_login) = (INSIDE, REMOTE, INSIDE);
        Self { inside, remote, external, client_is_inside, inside_sent, remote_sent, after_login }
    }

    /// An end has sent all before this number.
    fn reach(&mut self, from_inside: bool, sent: u32) {
        *(if from_inside { &mut self.inside_sent } else { &mut self.remote_sent }) = sent;
    }

    /// The remote end acknowledges up to `number`, as it counts; what the inside end gets.
    fn acknowledge(&self, lab: &mut Lab, number: u32) -> u32 {
        lab.from_wan(tcp(&self.remote, &self.external).seq(self.remote_sent).ack(number).packet())
            .acknowledgement()
    }
}

fn length(text: &str) -> i32 {
    i32::try_from(text.len()).unwrap()
}

fn far(from_inside: bool) -> Interface {
    if from_inside { WAN } else { LAN }
}

fn expect<T: PartialEq + Debug + Copy>(what: &str, seen: T, expected: T) -> Outcome {
    if seen == expected { Ok(()) } else { Err(format!("{what} {seen:?}, not {expected:?}")) }
}
