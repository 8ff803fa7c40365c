//! Which views are of one session. They are matched by what was said and how long it took, never by addresses, which a
//! router changes, nor by the hour, which two machines' clocks disagree about.

use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::time::Instant;

use super::material::{Material, Medium, Observed, Stated};
use crate::session::{Account, Announcement, Line, Speaker};

/// A session, by the places of its views in [`Material::observed`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// As it was on the client's side of the routers between.
    pub at_client: Option<usize>,
    /// As it was on the server's side.
    pub at_server: Option<usize>,
    /// Views between these, or of the same side once more.
    pub others: Vec<usize>,
    /// How the sides were told apart, for each of the first two.
    pub told_by: Vec<(usize, &'static str)>,
}

/// Commands that two views have to share to be of one session; of one that is encrypted from its first command on, on one
/// clock, that one.
const LEAST_SHARED: usize = 2;

/// Views that are compared with one another, all of them; of more, each with so many of those nearest in order.
const ALL_COMPARED: usize = 1_000;
const NEAREST: usize = 200;
/// What is seen twice on one clock is seen at the same time, but for the way between: in microseconds.
const SAME_TIME: u64 = 2_000_000;

/// Puts the views of each session together, in the order in which the material has them.
pub fn sessions(material: &Material) -> Vec<Session> {
    let views: Vec<Said> =
        material.observed.iter().map(|view| Said::of(view, material.sources[view.source].medium)).collect();
    let mut pairs: Vec<(Likeness, usize, usize)> = Vec::new();
    for one in 0..views.len() {
        let others = one + 1..views.len();
        let far = if views.len() <= ALL_COMPARED { views.len() } else { NEAREST };
        for other in others.filter(|other| nearness(material, one, *other) <= far) {
            let [mine, theirs] = [&material.observed[one], &material.observed[other]];
            let one_clock = share_clock(material, mine, theirs);
            let apart = apart(mine, theirs).filter(|_| one_clock).unwrap_or(0);
            let least = if one_clock && mine.encrypted && theirs.encrypted { 1 } else { LEAST_SHARED };
            let likeness =
                views[one].likeness(&views[other], least).map(|likeness| Likeness { apart, ..likeness });
            pairs.extend(
                likeness
                    .filter(|_| may_be_the_same(material, one, other))
                    .map(|likeness| (likeness, one, other)),
            );
        }
    }
    pairs.sort_unstable();
    let mut group_of: Vec<usize> = (0..views.len()).collect();
    let mut groups: Vec<Vec<usize>> = (0..views.len()).map(|place| vec![place]).collect();
    for (_, one, other) in pairs {
        let [one, other] = [group_of[one], group_of[other]];
        let (first, second) = (one.min(other), one.max(other));
        let fit = |one: &usize| groups[second].iter().all(|other| may_be_the_same(material, *one, *other));
        if first != second && groups[first].iter().all(fit) {
            for view in std::mem::take(&mut groups[second]) {
                group_of[view] = first;
                groups[first].push(view);
            }
        }
    }
    groups.into_iter().filter(|group| !group.is_empty()).map(|group| in_order(material, group)).collect()
}

/// How far apart two views are in the order of their sources.
fn nearness(material: &Material, one: usize, other: usize) -> usize {
    let place = |view: usize| {
        let source = material.observed[view].source;
        view - material
            .observed
            .iter()
            .take(view)
            .rposition(|other| other.source != source)
            .map_or(0, |last| last + 1)
    };
    place(one).abs_diff(place(other))
}

/// Two views of one session come from two files; or from one clock at the same time, and there from two interfaces or
/// with another host at one end and the same port of the same host at the other.
fn may_be_the_same(material: &Material, one: usize, other: usize) -> bool {
    let [one, other] = [&material.observed[one], &material.observed[other]];
    if !share_clock(material, one, other) {
        return true;
    }
    // A program logs its end of a session once.
    if one.source == other.source && material.sources[one.source].medium != Medium::Capture {
        return false;
    }
    let [mine, theirs] = [&one.account, &other.account];
    let is_translated = (mine.client == theirs.client) != (mine.server == theirs.server);
    (one.source != other.source || is_translated) && apart(one, other).is_some_and(|apart| apart <= SAME_TIME)
}

fn share_clock(material: &Material, one: &Observed, other: &Observed) -> bool {
    material.sources[one.source].clock == material.sources[other.source].clock
}

/// From one view's beginning to the other's, in microseconds.
fn apart(one: &Observed, other: &Observed) -> Option<u64> {
    Some(one.began?.total_micros().abs_diff(other.began?.total_micros()))
}

/// How unlike two views are, the best first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    /// Announced ports that differ.
    ports: usize,
    /// On one clock, from one's beginning to the other's.
    apart: u64,
    /// By how much the times between commands differ, in microseconds.
    pace: u64,
    /// Commands that only one of them has.
    unshared: usize,
}

/// What a view has that no router changes.
struct Said {
    /// Both ends, of a connection that nothing was said on: a switch may have sent it where it was not for.
    silent: Option<(SocketAddrV4, SocketAddrV4)>,
    control: Option<(SocketAddrV4, SocketAddrV4)>,
    commands: Vec<(String, Option<Instant>)>,
    ports: Vec<u16>,
    /// The replies' codes; logs may leave some out.
    codes: Option<Vec<u16>>,
}

impl Said {
    fn of(observed: &Observed, medium: Medium) -> Self {
        let lines = || observed.account.dialogue.lines.iter();
        let said = |line: &Line| (command(line), line.at);
        let control = observed.account.control();
        Self {
            silent: control.filter(|_| observed.account.dialogue.lines.is_empty()),
            control,
            commands: lines().filter(|line| line.by == Speaker::Client).map(said).collect(),
            codes: (medium == Medium::Capture).then(|| lines().filter_map(Line::code).collect()),
            ports: lines().filter_map(Line::announces).map(port).collect(),
        }
    }

    /// `None`: they are not of one session.
    fn likeness(&self, other: &Self, least: usize) -> Option<Likeness> {
        if self.silent.is_some() || other.silent.is_some() {
            return (self.control.is_some() && self.control == other.control).then(Likeness::default);
        }
        let (long, short) =
            if self.commands.len() >= other.commands.len() { (self, other) } else { (other, self) };
        let length = short.commands.len();
        if length < least {
            return None;
        }
        let within = |one: &Vec<u16>, other: &Vec<u16>| {
            let (long, short) = if one.len() >= other.len() { (one, other) } else { (other, one) };
            short.is_empty() || long.windows(short.len()).any(|window| window == short.as_slice())
        };
        if self.codes.as_ref().zip(other.codes.as_ref()).is_some_and(|(one, other)| !within(one, other)) {
            return None;
        }
        let words = |said: &[(String, Option<Instant>)]| -> Vec<String> {
            said.iter().map(|(text, _)| text.clone()).collect()
        };
        let wanted = words(&short.commands);
        let paces = long
            .commands
            .windows(length)
            .filter(|window| words(window) == wanted)
            .map(|window| pace_apart(window, &short.commands));
        let pace = paces.min()?;
        let ports = self.ports.iter().zip(&other.ports).filter(|(one, other)| one != other).count();
        Some(Likeness { ports, apart: 0, pace, unshared: long.commands.len() - length })
    }
}

/// How the times between commands differ.
fn pace_apart(one: &[(String, Option<Instant>)], other: &[(String, Option<Instant>)]) -> u64 {
    let steps = |said: &[(String, Option<Instant>)]| -> Vec<i64> {
        let first = said.first().and_then(|(_, at)| *at);
        let since =
            |at: &Option<Instant>| Some(at.as_ref()?.total_micros().saturating_sub(first?.total_micros()));
        said.iter().filter_map(|(_, at)| since(at)).collect()
    };
    steps(one).iter().zip(steps(other)).map(|(one, other)| one.abs_diff(other)).max().unwrap_or_default()
}

/// A command, without what a gateway may change in it.
fn command(line: &Line) -> String {
    match line.verb().as_deref() {
        Some(verb @ ("PORT" | "EPRT")) => verb.to_owned(),
        _ => line.text.trim_end().to_owned(),
    }
}

fn port(announcement: Announcement) -> u16 {
    match announcement {
        Announcement::ExtendedPassive(port) => port,
        other => other.endpoint().map_or(0, |end| end.port()),
    }
}

/// Puts the views in order, from the client to the server.
fn in_order(material: &Material, group: Vec<usize>) -> Session {
    let mut placed: Vec<(Rank, usize, &'static str)> = group
        .into_iter()
        .map(|place| {
            let (rank, told_by) = rank(material, place);
            (rank, place, told_by)
        })
        .collect();
    // On one clock, who is nearer to the client sees it begin earlier.
    placed.sort_by_key(|(rank, place, _)| {
        let view = &material.observed[*place];
        (*rank, material.sources[view.source].clock, view.began, *place)
    });
    let silent = |place: usize| material.observed[place].account.dialogue.lines.is_empty();
    let mut aside = Vec::new();
    if !placed.iter().all(|(_, place, _)| silent(*place)) {
        aside.extend(placed.extract_if(.., |(_, place, _)| silent(*place)).map(|(_, place, _)| place));
    }
    let mut session = Session::default();
    match placed.as_slice() {
        [(rank, place, told_by)] => {
            let side =
                if *rank <= Rank::BeforeServer { &mut session.at_client } else { &mut session.at_server };
            *side = Some(*place);
            session.told_by.push((*place, told_by));
        }
        [first, between @ .., last] => {
            (session.at_client, session.at_server) = (Some(first.1), Some(last.1));
            session.told_by = vec![(first.1, first.2), (last.1, last.2)];
            session.others = between.iter().map(|(_, place, _)| *place).collect();
        }
        [] => {}
    }
    session.others.extend(aside);
    session
}

/// How near to the client a view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    ClientItself,
    Client,
    BeforeServer,
    Between,
    Server,
    ServerItself,
}

fn rank(material: &Material, place: usize) -> (Rank, &'static str) {
    let observed = &material.observed[place];
    let source = &material.sources[observed.source];
    match source.medium {
        Medium::ClientLog => return (Rank::ClientItself, "the client's log"),
        Medium::ServerLog => return (Rank::ServerItself, "the server's log"),
        // People write down what they see at their own end, most often the client's.
        Medium::Log => {
            return (Rank::Client, "a dialogue that does not say whose it is: taken for the client's");
        }
        Medium::Capture => {}
    }
    let account = &observed.account;
    let (client, server) = (account.client.ip, account.server.ip);
    let server_is_private = server.is_some_and(is_private);
    let client_is_private = client.is_some_and(is_private);
    match source.stated {
        Some(Stated::Lan) if server_is_private && !client_is_private => {
            return (Rank::Server, "the server's LAN, as you say");
        }
        Some(Stated::Lan) => return (Rank::Client, "the client's LAN, as you say"),
        Some(Stated::Wan) => return (Rank::Between, "outside, as you say"),
        None => {}
    }
    if client_is_private && !server_is_private {
        (Rank::Client, "the client's side: its address here is private")
    } else if server_is_private && !client_is_private {
        (Rank::Server, "the server's side: its address here is private")
    } else if foreign_port(account) {
        (Rank::Between, "outside the client's router: PORT names another address than the client has here")
    } else if foreign_passive(account) {
        (
            Rank::BeforeServer,
            "outside the server's router: 227 names another address than the server has here",
        )
    } else if client_is_private {
        (Rank::Client, "between private addresses: taken for the client's side")
    } else {
        (Rank::Between, "between public addresses: outside any router of the client's")
    }
}

/// Whether the client announces an address that it does not have here.
pub(super) fn foreign_port(account: &Account) -> bool {
    let announced = account.dialogue.announced_last_by(Speaker::Client).and_then(Announcement::endpoint);
    announced.zip(account.client.ip).is_some_and(|(announced, seen)| *announced.ip() != seen)
}

/// Whether the server announces an address that it does not have here.
pub(super) fn foreign_passive(account: &Account) -> bool {
    let announced = account.dialogue.announced_last_by(Speaker::Server).and_then(Announcement::endpoint);
    announced.zip(account.server.ip).is_some_and(|(announced, seen)| *announced.ip() != seen)
}

/// Whether an address is used in many places at once (RFC 1918, RFC 6598), or on one link or host alone.
pub(super) fn is_private(address: Ipv4Addr) -> bool {
    let shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
    address.is_private() || address.is_link_local() || address.is_loopback() || shared
}
