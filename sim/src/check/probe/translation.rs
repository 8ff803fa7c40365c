//! Mapping and filtering (RFC 4787 §4.1, §5), where the port is free outside, and where it is not.

use crate::check::executor::Bench;
use crate::check::report::Verdict;

use super::endpoints::{Kind, Names, knock, opened, outside};
use crate::check::findings::Findings;

/// What a translation depends on, in the words of RFC 4787 §4.1 and §5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Dependence {
    Nothing,
    Address,
    AddressAndPort,
}

impl Dependence {
    const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "endpoint-independent",
            Self::Address => "address-dependent",
            Self::AddressAndPort => "address-and-port-dependent",
        }
    }
}

/// What another host has done before with the same port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// Nothing.
    Free,
    /// It has sent to the first of the remote endpoints.
    Taken,
    /// It has sent to the others.
    Crossed,
}

const GROUNDS: [Ground; 3] = [Ground::Free, Ground::Taken, Ground::Crossed];

impl Ground {
    const fn words(self) -> &'static str {
        match self {
            Self::Free => "",
            Self::Taken => ", where another host has the port towards the first of them",
            Self::Crossed => ", where another host has the port towards the others",
        }
    }
}

struct Seen {
    dependence: Dependence,
    evidence: String,
}

const STUN: u16 = 3478;

pub(super) async fn run(bench: Bench, kind: Kind) -> Findings {
    let mut mappings = Vec::new();
    let mut filters = Vec::new();
    for (number, ground) in (0..).zip(GROUNDS) {
        mappings.push(mapping(&bench, kind, ground, 10 * number).await);
        filters.push(filtering(&bench, kind, ground, 10 * number + 100).await);
    }
    let mut found = Findings::default();
    let (mapping_id, filtering_id, mapping_key, filtering_key) = match kind {
        Kind::Udp => ("4787-1", "4787-8", "nat.udp.mapping", "nat.udp.filtering"),
        Kind::Tcp => ("5382-1", "5382-3", "nat.tcp.mapping", "nat.tcp.filtering"),
    };
    match worst(&mappings) {
        Some(seen) => {
            found.judge(mapping_id, seen.dependence == Dependence::Nothing, &seen.evidence);
            found.behaves(mapping_key, seen.dependence.word());
        }
        None => found.say(mapping_id, Verdict::NotApplicable, "nothing gets out"),
    }
    match worst(&filters) {
        Some(seen) => {
            found.judge(filtering_id, seen.dependence < Dependence::AddressAndPort, &seen.evidence);
            found.behaves(filtering_key, seen.dependence.word());
        }
        None => found.say(filtering_id, Verdict::NotApplicable, "nothing gets out"),
    }
    if kind == Kind::Udp {
        let (holds, evidence) = same_throughout(&mappings, &filters);
        found.judge("4787-11", holds, evidence);
    }
    found
}

/// The one that depends on the most; of equal ones the first.
fn worst(seen: &[Option<Seen>]) -> Option<&Seen> {
    seen.iter().flatten().reduce(|worst, seen| if seen.dependence > worst.dependence { seen } else { worst })
}

async fn mapping(bench: &Bench, kind: Kind, ground: Ground, port: u16) -> Option<Seen> {
    let (host, other) = (bench.inside(0, port), bench.inside(1, port));
    let remotes = [bench.remote(0, STUN), bench.remote(0, STUN + 1), bench.remote(1, STUN)];
    let before = match ground {
        Ground::Free => &[][..],
        Ground::Taken => &remotes[..1],
        Ground::Crossed => &remotes[1..],
    };
    for remote in before {
        outside(bench, kind, other, *remote).await;
    }
    let mut names = Names::default();
    let mut externals = Vec::new();
    let mut parts = Vec::new();
    for remote in remotes {
        let external = outside(bench, kind, host, remote).await?;
        externals.push(external);
        parts.push(format!("{} towards {}", names.of(external, host.at.port()), remote.at));
    }
    let dependence = match externals[..] {
        [first, second, third] if first == second && second == third => Dependence::Nothing,
        [first, second, _] if first == second => Dependence::Address,
        _ => Dependence::AddressAndPort,
    };
    let evidence = match dependence {
        Dependence::Nothing => {
            let [first, second, third] = remotes.map(|remote| remote.at);
            let name = Names::default().of(externals[0], host.at.port());
            format!("{} is {name} for {first}, {second} and {third}", host.at)
        }
        _ => format!("{} is {}", host.at, parts.join(", ")),
    };
    Some(Seen { dependence, evidence: evidence + ground.words() })
}

async fn filtering(bench: &Bench, kind: Kind, ground: Ground, port: u16) -> Option<Seen> {
    let peer = bench.remote(0, STUN);
    // Another address, then another port of the same one, each with a mapping of its own.
    let strangers = [bench.remote(1, STUN), bench.remote(0, STUN + 1)];
    let mut admitted = Vec::new();
    let mut evidence = Vec::new();
    for (number, stranger) in (0..).zip(strangers) {
        let (host, other) = (bench.inside(0, port + number), bench.inside(1, port + number));
        match ground {
            Ground::Free => {}
            Ground::Taken => {
                outside(bench, kind, other, peer).await;
            }
            Ground::Crossed => {
                outside(bench, kind, other, bench.remote(2, STUN)).await;
            }
        }
        let external = opened(bench, kind, host, peer).await?;
        let got_in = knock(bench, kind, stranger, external, host).await;
        admitted.push(got_in);
        let name = Names::default().of(external, host.at.port());
        let came = if got_in { "came to" } else { "did not come to" };
        evidence.push(format!(
            "a {} from {} to {name}, which has sent to {} only, {came} {}",
            kind.packet(),
            stranger.at,
            peer.at,
            host.at
        ));
    }
    let dependence = match admitted[..] {
        [true, _] => Dependence::Nothing,
        [false, true] => Dependence::Address,
        _ => Dependence::AddressAndPort,
    };
    let told = if dependence == Dependence::Nothing { &evidence[..1] } else { &evidence[1..] };
    Some(Seen { dependence, evidence: told.concat() })
}

fn same_throughout(mappings: &[Option<Seen>], filters: &[Option<Seen>]) -> (bool, String) {
    let mut words = Vec::new();
    let mut holds = true;
    for (what, seen) in [("mapping", mappings), ("filtering", filters)] {
        let found: Vec<Dependence> = seen.iter().flatten().map(|seen| seen.dependence).collect();
        let is_same = found.iter().all(|dependence| Some(dependence) == found.first());
        holds &= is_same && found.len() == seen.len();
        words.push(match found.first() {
            Some(first) if is_same && found.len() == seen.len() => format!("{what} is {}", first.word()),
            _ => {
                let each = seen.iter().zip(GROUNDS).map(|(seen, ground)| {
                    let word = seen.as_ref().map_or("none", |seen| seen.dependence.word());
                    format!("{word} with the port {}", ground.short())
                });
                format!("{what} is {}", each.collect::<Vec<_>>().join(", "))
            }
        });
    }
    let where_ = if holds { ", with the port free outside and with it taken" } else { "" };
    (holds, format!("{}{where_}", words.join("; ")))
}

impl Ground {
    const fn short(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Taken => "taken",
            Self::Crossed => "taken towards others",
        }
    }
}
