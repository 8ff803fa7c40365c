//! Lines put together from segments (RFC 6384 §5): whatever the cuts, the losses and the order, the server gets the one
//! rewritten stream, and the client never has to send again what it was told had arrived.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

use quirknat_alg::{KeywordPosition, Malformed, Reassembly};
use quirknat_router::event::EventKind;
use quirknat_router::profile::Profile;
use quirknat_router::reason::DropReason;

use crate::support::{Control, LAN, Lab, Seen, WAN, tcp};

const P: &str = "PORT 192,168,1,100,195,80\r\n";
const REWRITTEN: &str = "PORT 203,0,113,7,195,80\r\n";

fn by_line(profile: &mut Profile) {
    let ftp = &mut profile.alg.ftp;
    ftp.reassembly.value = Reassembly::Line;
    ftp.keyword_position.value = KeywordPosition::AnyLineStart;
}

fn lab() -> Lab {
    Lab::with(|profile, _| by_line(profile))
}

/// What leaves on a side: number, acknowledgement, text.
fn on(side: quirknat_router::event::Interface, left: &[Seen]) -> Vec<(u32, u32, String)> {
    let of_side = left.iter().filter(|seen| seen.on == side);
    of_side.map(|seen| (seen.sequence(), seen.acknowledgement(), seen.text())).collect()
}

/// A client whose lines the server has acknowledged up to here.
fn with_all_acknowledged(lab: &mut Lab) -> Control {
    let control = Control::open(lab, 21);
    control.acknowledge(lab, control.sent);
    control
}

#[test]
fn case_9_a_command_in_two_segments_leaves_in_one() {
    let mut lab = lab();
    let control = with_all_acknowledged(&mut lab);
    let (start, replied) = (control.sent, control.replied);
    let first = lab.send(LAN, control.again(start, &P[..3]));
    assert_eq!(on(LAN, &first), [(replied, start + 3, String::new())], "acknowledged by the router");
    assert!(on(WAN, &first).iter().all(|(.., text)| text.is_empty()), "and nothing of it is sent on");
    let held = |event: &EventKind| matches!(event, EventKind::LineHeld { octets: 3, .. });
    assert!(lab.events().iter().any(held));
    let second = lab.from_lan(control.again(start + 3, &P[3..]));
    assert_eq!((second.on, second.sequence(), second.text().as_str()), (WAN, start, REWRITTEN));
    assert_eq!(control.acknowledge(&mut lab, start + 25).acknowledgement(), start + 27);
}

#[test]
fn case_11_one_octet_a_segment() {
    let mut lab = lab();
    let control = with_all_acknowledged(&mut lab);
    let mut sent = Vec::new();
    for (at, octet) in (0_u32..).zip(P.bytes()) {
        let left = lab.send(LAN, control.again(control.sent + at, [octet]));
        sent.extend(on(WAN, &left).into_iter().filter(|(.., text)| !text.is_empty()));
    }
    let texts: Vec<&str> = sent.iter().map(|(.., text)| text.as_str()).collect();
    assert_eq!(texts.concat(), REWRITTEN);
    assert_eq!(lab.router.counters().commands_rewritten, 1);
}

#[test]
fn what_cannot_become_an_announcement_is_not_held() {
    let mut lab = lab();
    let control = with_all_acknowledged(&mut lab);
    for (at, text) in (0_u32..).step_by(3).zip(["USE", "R m", "e\r\n"]) {
        let left = lab.send(LAN, control.again(control.sent + at, text));
        assert_eq!(on(WAN, &left), [(control.sent + at, control.replied, text.to_owned())]);
    }
}

#[test]
fn what_the_router_acknowledged_goes_along_until_the_server_has_it() {
    let mut lab = lab();
    let control = with_all_acknowledged(&mut lab);
    let start = control.sent;
    lab.send(LAN, control.again(start, &P[..10]));
    for _ in 0..2 {
        let seen = lab.from_lan(control.again(start + 10, &P[10..]));
        assert_eq!((seen.sequence(), seen.text().as_str()), (start, REWRITTEN), "lost, and sent again");
    }
    assert_eq!(control.acknowledge(&mut lab, start).acknowledgement(), start + 10, "never less than before");
    control.acknowledge(&mut lab, start + 25);
    let late = lab.from_lan(control.again(start + 10, &P[10..]));
    assert_eq!((late.sequence(), late.text().as_str()), (start + 10, &REWRITTEN[10..]), "as it is now");
}

/// The server may still lack the line before; the router must not speak for it.
#[test]
fn nothing_is_acknowledged_that_follows_what_may_be_lost() {
    let mut lab = lab();
    let control = with_all_acknowledged(&mut lab);
    let start = control.sent;
    let left = lab.send(LAN, control.again(start, "NOOP\r\nPO"));
    assert_eq!(on(LAN, &left), []);
    assert_eq!(on(WAN, &left), [(start, control.replied, "NOOP\r\n".to_owned())]);
    assert_eq!(control.acknowledge(&mut lab, start + 6).acknowledgement(), start + 8);
}

#[test]
fn the_end_of_the_stream_takes_along_what_is_held() {
    let mut lab = lab();
    let control = with_all_acknowledged(&mut lab);
    let start = control.sent;
    lab.send(LAN, control.again(start, "PORT 1"));
    let fin = tcp(&control.client, &control.server).seq(start + 6).ack(control.replied).fin();
    for _ in 0..2 {
        let seen = lab.from_lan(fin.clone().packet());
        assert!(seen.tcp().fin());
        assert_eq!((seen.sequence(), seen.text().as_str()), (start, "PORT 1"));
    }
}

#[test]
fn a_reset_stands_where_the_server_expects_it() {
    let mut lab = lab();
    let control = with_all_acknowledged(&mut lab);
    lab.send(LAN, control.again(control.sent, "PORT 1"));
    let rst = tcp(&control.client, &control.server).seq(control.sent + 6).rst();
    assert_eq!(lab.from_lan(rst.packet()).sequence(), control.sent);
}

#[test]
fn a_line_longer_than_the_limit_goes_on_as_it_came() {
    let mut lab = Lab::with(|profile, _| {
        by_line(profile);
        profile.alg.ftp.line_limit.value = 8;
    });
    let control = with_all_acknowledged(&mut lab);
    let start = control.sent;
    assert_eq!(on(WAN, &lab.send(LAN, control.again(start, "PORT 192"))).concat_text(), "");
    let seen = lab.from_lan(control.again(start + 8, ",168"));
    assert_eq!((seen.sequence(), seen.text().as_str()), (start, "PORT 192,168"));
    let rest = ",1,100,195,80\r\n";
    assert_eq!(lab.from_lan(control.again(start + 12, rest)).text(), rest, "and is no announcement any more");
}

trait ConcatText {
    fn concat_text(&self) -> String;
}

impl ConcatText for Vec<(u32, u32, String)> {
    fn concat_text(&self) -> String {
        self.iter().map(|(.., text)| text.as_str()).collect()
    }
}

#[test]
fn a_refused_line_leaves_what_is_held_as_it_was() {
    let mut lab = Lab::with(|profile, _| {
        by_line(profile);
        profile.alg.ftp.malformed.value = Malformed::Drop;
    });
    let control = with_all_acknowledged(&mut lab);
    let start = control.sent;
    lab.send(LAN, control.again(start, "PORT"));
    for _ in 0..2 {
        let dropped = lab.dropped(LAN, control.again(start + 4, " ,,\r\n"));
        assert!(matches!(dropped, DropReason::AnnouncementRefused(_)));
    }
    let seen = lab.from_lan(control.again(start + 4, &P[4..]));
    assert_eq!(seen.text(), REWRITTEN);
}

#[test]
fn acknowledgements_of_the_routers_carry_timestamps_where_they_were_agreed_on() {
    let mut lab = lab();
    let control = with_all_acknowledged(&mut lab);
    let timestamps = [1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 2];
    let segment = tcp(&control.client, &control.server).seq(control.sent).ack(control.replied).data("PO");
    let left = lab.send(LAN, segment.options(&timestamps).packet());
    let answer = left.iter().find(|seen| seen.on == LAN).unwrap();
    assert_eq!(answer.content()[20..32], [1, 1, 8, 10, 0, 0, 0, 2, 0, 0, 0, 7]);
}

/// What happens next to a client that keeps to TCP: it sends on, or again from the first octet not acknowledged.
#[derive(Debug, Clone)]
enum Step {
    Send(usize),
    Again(usize),
    /// A segment under way to the router arrives, any of them; the router's go on to the server, or are lost.
    Arrives(Index, bool),
    /// An acknowledgement of the server's arrives, any of them, or is lost.
    Answered(Index, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1_usize..20).prop_map(Step::Send),
        1 => (1_usize..20).prop_map(Step::Again),
        5 => (any::<Index>(), prop_oneof![4 => proptest::strategy::Just(true), 1 => proptest::strategy::Just(false)])
            .prop_map(|(which, arrives)| Step::Arrives(which, arrives)),
        4 => (any::<Index>(), any::<bool>()).prop_map(|(which, arrives)| Step::Answered(which, arrives)),
    ]
}

/// A client, the router, a server that acknowledges what it has in order.
struct World {
    lab: Lab,
    control: Control,
    said: Vec<u8>,
    heard: Vec<u8>,
    start: u32,
    /// How far the client was acknowledged, and how far it has sent.
    acknowledged: usize,
    sent: usize,
    got: Vec<bool>,
    to_router: Vec<Vec<u8>>,
    to_client: Vec<Vec<u8>>,
}

impl World {
    fn new(lines: &[Option<u16>]) -> Self {
        let mut lab = Lab::with(|profile, _| {
            by_line(profile);
            profile.alg.ftp.rewrites_remembered.value = 64;
            profile.alg.ftp.forward_outstanding.value = 64;
        });
        let control = with_all_acknowledged(&mut lab);
        let line = |address: &str, line: &Option<u16>| match line {
            Some(port) => format!("PORT {address},{},{}\r\n", port >> 8, port & 0xff),
            None => "PWD\r\n".to_owned(),
        };
        let all = |address| lines.iter().map(|own| line(address, own)).collect::<String>().into_bytes();
        let (said, heard) = (all("192,168,1,100"), all("203,0,113,7"));
        let got = vec![false; heard.len()];
        let start = control.sent;
        let (to_router, to_client) = (Vec::new(), Vec::new());
        Self { lab, control, said, heard, start, acknowledged: 0, sent: 0, got, to_router, to_client }
    }

    fn number(&self, octet: usize) -> u32 {
        self.start + u32::try_from(octet).unwrap()
    }

    fn client_sends(&mut self, from: usize, length: usize) {
        let to = (from + length).min(self.said.len());
        if from < to {
            let segment = self.control.again(self.number(from), &self.said[from..to]);
            self.to_router.push(segment);
            self.sent = self.sent.max(to);
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Send(length) => self.client_sends(self.sent, *length),
            Step::Again(length) => {
                self.client_sends(self.acknowledged, (*length).min(self.sent - self.acknowledged));
            }
            Step::Arrives(which, arrives) if !self.to_router.is_empty() => {
                let segment = self.to_router.remove(which.index(self.to_router.len()));
                return self.passes(segment, *arrives);
            }
            Step::Answered(which, arrives) if !self.to_client.is_empty() => {
                let segment = self.to_client.remove(which.index(self.to_client.len()));
                if *arrives {
                    let left = self.lab.send(WAN, segment);
                    return self.client_gets(&left);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A segment of the client's comes to the router; what leaves of it comes to the server, or is lost.
    fn passes(&mut self, segment: Vec<u8>, arrives: bool) -> Result<(), TestCaseError> {
        let left = self.lab.send(LAN, segment);
        self.client_gets(&left)?;
        for seen in left.iter().filter(|seen| seen.on == WAN && arrives) {
            let text = seen.text().into_bytes();
            let from = seen.sequence().wrapping_sub(self.start) as usize;
            let to = from + text.len();
            prop_assert!(to <= self.heard.len(), "octets {from}..{to} of {}", self.heard.len());
            prop_assert_eq!(&text[..], &self.heard[from..to], "one stream, the rewritten one");
            self.got[from..to].fill(true);
            let has = self.got.iter().take_while(|got| **got).count();
            let answer = tcp(&self.control.server, &self.control.outside).seq(self.control.replied);
            self.to_client.push(answer.ack(self.number(has)).packet());
        }
        Ok(())
    }

    fn client_gets(&mut self, left: &[Seen]) -> Result<(), TestCaseError> {
        for seen in left.iter().filter(|seen| seen.on == LAN) {
            let acknowledged = seen.acknowledgement().wrapping_sub(self.start) as usize;
            prop_assert!(acknowledged <= self.sent, "acknowledged {acknowledged} of {} sent", self.sent);
            self.acknowledged = self.acknowledged.max(acknowledged);
        }
        Ok(())
    }

    /// Nothing is lost any more; the client sends again only what was not acknowledged.
    fn finish(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..200 {
            for segment in std::mem::take(&mut self.to_router) {
                self.passes(segment, true)?;
            }
            for segment in std::mem::take(&mut self.to_client) {
                let left = self.lab.send(WAN, segment);
                self.client_gets(&left)?;
            }
            let from = self.acknowledged;
            // An end with nothing left to send still answers what it is sent, and so repeats its last number.
            if from < self.said.len() {
                self.client_sends(from, 9);
            } else {
                let answer = self.control.again(self.number(from), "");
                self.to_router.push(answer);
            }
        }
        prop_assert!(self.got.iter().all(|got| *got), "the server has all of it");
        prop_assert_eq!(self.acknowledged, self.said.len(), "and the client knows");
        Ok(())
    }
}

proptest! {
    #[test]
    fn whatever_the_cuts_and_losses_the_one_rewritten_stream_arrives(
        lines in vec(proptest::option::weighted(0.6, 2000_u16..65000), 1..8),
        steps in vec(step(), 0..200),
    ) {
        let mut world = World::new(&lines);
        for step in &steps {
            world.step(step)?;
        }
        world.finish()?;
    }
}
