//! Which views are of one session. They are matched by what was said and how long it took, never by addresses, which a
//! router changes, nor by the hour, which two machines' clocks disagree about.

use std::net::Ipv4Addr;

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

/// Commands that two views have to share to be of one session.
const LEAST_SHARED: usize = 2;

/// Puts the views of each session together, in the order in which the material has them.
pub fn sessions(material: &Material) -> Vec<Session> {
    let views: Vec<Said> = material.observed.iter().map(Said::of).collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut open: Vec<bool> = vec![true; views.len()];
    for place in 0..views.len() {
        if !open[place] {
            continue;
        }
        open[place] = false;
        let mut group = vec![place];
        let mut sources = vec![place];
        // From each other source the one that fits best; from its own one, such as "any", what has other ends.
        loop {
            let fits = |other: &usize| {
                open[*other]
                    && group.iter().all(|member| may_be_the_same(material, *member, *other))
                    && !sources.contains(other)
            };
            let best = (0..views.len())
                .filter(fits)
                .filter_map(|other| Some((views[place].likeness(&views[other])?, other)))
                .min_by_key(|(likeness, other)| (*likeness, *other));
            let Some((_, other)) = best else { break };
            // It may fit another one of this source better.
            let rival = (0..views.len())
                .filter(|rival| {
                    open[*rival] && material.observed[*rival].source == material.observed[place].source
                })
                .filter_map(|rival| views[rival].likeness(&views[other]))
                .min();
            sources.push(other);
            if rival.is_some_and(|rival| Some(rival) < views[place].likeness(&views[other])) {
                continue;
            }
            open[other] = false;
            group.push(other);
        }
        groups.push(group);
    }
    groups.into_iter().map(|group| in_order(material, group)).collect()
}

/// Two views of one session come from two sources, or have other addresses.
fn may_be_the_same(material: &Material, one: usize, other: usize) -> bool {
    let (one, other) = (&material.observed[one], &material.observed[other]);
    one.source != other.source || one.account.control() != other.account.control()
}

/// How unlike two views are, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    /// Announced ports that differ.
    ports: usize,
    /// By how much the times between commands differ, in microseconds.
    pace: u64,
    /// Commands that only one of them has.
    unshared: usize,
}

/// What a view has that no router changes.
struct Said {
    commands: Vec<(String, Option<Instant>)>,
    ports: Vec<u16>,
}

impl Said {
    fn of(observed: &Observed) -> Self {
        let lines = || observed.account.dialogue.lines.iter();
        let said = |line: &Line| (command(line), line.at);
        Self {
            commands: lines().filter(|line| line.by == Speaker::Client).map(said).collect(),
            ports: lines().filter_map(Line::announces).map(port).collect(),
        }
    }

    /// `None`: they are not of one session.
    fn likeness(&self, other: &Self) -> Option<Likeness> {
        let (long, short) =
            if self.commands.len() >= other.commands.len() { (self, other) } else { (other, self) };
        let length = short.commands.len();
        if length < LEAST_SHARED {
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
        Some(Likeness { ports, pace, unshared: long.commands.len() - length })
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
    placed.sort_by_key(|(rank, place, _)| (*rank, *place));
    let mut session = Session::default();
    match placed.as_slice() {
        [(rank, place, told_by)] => {
            let side = if *rank <= Rank::Client { &mut session.at_client } else { &mut session.at_server };
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
    session
}

/// How near to the client a view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    ClientItself,
    Client,
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
        Medium::Capture | Medium::Log => {}
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
        (Rank::Client, "outside the server's router: 227 names another address than the server has here")
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
