//! External ports and addresses: whether two hosts share one, which range and parity they have, how many addresses there are.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use crate::check::executor::{Bench, End};
use crate::check::report::Verdict;
use crate::check::subject::Side;

use super::endpoints::{Kind, Names, echoed, outside};
use crate::check::findings::Findings;

const PEER: u16 = 3478;
/// Conflicts looked at for parity: a router that draws ports at random keeps it in all of them once in 65 536 runs.
const CONFLICTS: u16 = 16;
const LAST_SYSTEM_PORT: u16 = 1023;

pub(super) async fn run(bench: Bench, kind: Kind) -> Findings {
    let mut found = Findings::default();
    match kind {
        Kind::Udp => {
            sharing(&bench, kind, "4787-3", &mut found).await;
            ranges(&bench, &mut found).await;
            parity(&bench, &mut found).await;
        }
        // Of a TCP port's range RFC 5382 §7.1 asks nothing.
        Kind::Tcp => sharing(&bench, kind, "5382-7", &mut found).await,
    }
    found
}

async fn sharing(bench: &Bench, kind: Kind, id: &'static str, found: &mut Findings) {
    let hosts = [bench.inside(0, 0), bench.inside(1, 0)];
    let remotes = [bench.remote(0, PEER), bench.remote(1, PEER)];
    let first = outside(bench, kind, hosts[0], remotes[0]).await;
    let second = outside(bench, kind, hosts[1], remotes[1]).await;
    let mut names = Names::default();
    let own = hosts[0].at.port();
    let is_shared = first.is_some() && first == second;
    let mut name =
        |external: Option<_>| external.map_or("nothing".to_owned(), |external| names.of(external, own));
    let evidence = format!(
        "{} is {} towards {}, {} is {} towards {}",
        hosts[0].at,
        name(first),
        remotes[0].at,
        hosts[1].at,
        name(second),
        remotes[1].at
    );
    match first {
        None => found.say(id, Verdict::NotApplicable, "nothing gets out"),
        Some(_) => found.judge(id, !is_shared, evidence),
    }
    if kind == Kind::Udp {
        found.behaves("ports.overloading", is_shared.to_string());
    }
}

async fn ranges(bench: &Bench, found: &mut Findings) {
    let remote = bench.remote(2, PEER);
    // Both of one host's, and of a second one that has the same ports.
    let system = 512 + 8 * bench.place();
    let mut strays = Vec::new();
    let mut kept = Vec::new();
    for host in [0, 1] {
        for end in [bench.inside_at(host, system), bench.inside(host, 1)] {
            let Some(external) = outside(bench, Kind::Udp, end, remote).await else {
                strays.push(format!("{} gets none", end.at));
                continue;
            };
            let is_system = |port: u16| port <= LAST_SYSTEM_PORT;
            let range = if is_system(external.port()) { "0-1023" } else { "1024-65535" };
            let text = format!("{} has a port of {range}", end.at);
            if is_system(end.at.port()) == is_system(external.port()) {
                kept.push(text);
            } else {
                strays.push(text);
            }
        }
    }
    let told = if strays.is_empty() { &kept } else { &strays };
    found.judge("4787-3a", strays.is_empty(), told.join(", "));
}

async fn parity(bench: &Bench, found: &mut Findings) {
    let remote = bench.remote(3, PEER);
    let (mut changed, mut opened) = (false, 0);
    for number in 0..CONFLICTS {
        for host in [0, 1] {
            let end = bench.inside(host, 100 + number);
            if let Some(external) = outside(bench, Kind::Udp, end, remote).await {
                opened += 1;
                changed |= external.port() % 2 != end.at.port() % 2;
            }
        }
    }
    let what = format!("{CONFLICTS} ports, even and odd, of two hosts each");
    let evidence =
        if changed { format!("of {what} some changed") } else { format!("{what}: {opened} kept theirs") };
    found.judge("4787-4", !changed && opened > 0, evidence);
}

/// How many addresses the router has outside, and whether a host has one or several.
pub(super) async fn pooling(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let mut all = BTreeSet::new();
    let mut most = 0;
    for host in 0..4 {
        let own: BTreeSet<Ipv4Addr> = addresses(&bench, host).await;
        most = most.max(own.len());
        all.extend(own);
    }
    let list = || all.iter().map(Ipv4Addr::to_string).collect::<Vec<_>>().join(", ");
    for id in ["4787-2", "7857-4"] {
        match all.len() {
            0 => found.say(id, Verdict::NotApplicable, "nothing gets out"),
            1 => found.say(id, Verdict::NotApplicable, format!("there is one external address, {}", list())),
            _ => found.judge(id, most == 1, format!("4 hosts had {}, and one up to {most} of them", list())),
        }
    }
    found
}

async fn addresses(bench: &Bench, host: u32) -> BTreeSet<Ipv4Addr> {
    let mut own = BTreeSet::new();
    for remote in 0..3 {
        for (kind, port) in [(Kind::Udp, 0), (Kind::Tcp, 1)] {
            let remote = bench.remote(remote, PEER);
            own.extend(
                outside(bench, kind, bench.inside(host, port), remote).await.map(|external| *external.ip()),
            );
        }
        let asked = End { side: Side::Wan, ..bench.remote(remote, 0) };
        own.extend(echoed(bench, bench.inside(host, 2), asked).await.map(|external| *external.ip()));
    }
    own
}

/// RFC 4787 REQ-7 is about a router that chooses its LAN's addresses, or is given its WAN's, as time goes by.
pub(super) fn conflicting_addresses(bench: &Bench) -> Findings {
    let mut found = Findings::default();
    let (lan, wan) = (bench.site().lan(), bench.site().wan());
    let evidence = format!("the addresses are set by hand, {lan} inside and {wan} outside");
    found.say("4787-7", Verdict::NotApplicable, evidence);
    found
}
