//! What may differ from run to run, and what may not.

use super::super::*;
use crate::net::{Crossing, Network};

const BAD_LINE: &str = include_str!("../../../../scenarios/bad-line.toml");

fn played(text: &str, seed: u64) -> Played {
    play("bad-line", &Scenario::from_toml("bad-line.toml", text).unwrap(), seed)
}

fn comments(network: &Network) -> Vec<Option<String>> {
    network.record().iter().map(|crossing| network.comment(crossing)).collect()
}

#[test]
fn the_same_seed_gives_the_same_everything() {
    for Builtin { name, toml } in builtin() {
        let scenario = Scenario::from_toml(name, toml).unwrap();
        let (one, other) = (play(name, &scenario, 3), play(name, &scenario, 3));
        assert!(!one.network.record().is_empty());
        assert_eq!(one.network.record(), other.network.record(), "{name}");
        assert_eq!(one.network.events(), other.network.events(), "{name}");
        assert_eq!(comments(&one.network), comments(&other.network), "{name}");
        assert_eq!(one.verdict, other.verdict, "{name}");
    }
}

#[test]
fn another_seed_makes_other_packets_and_another_fate() {
    let (one, other) = (played(BAD_LINE, 1), played(BAD_LINE, 2));
    assert_ne!(one.network.record(), other.network.record());
    let losses = |played: &Played| {
        let events = played.network.events().iter().filter(|event| event.to_string().contains("random loss"));
        events.map(crate::net::NetworkEvent::at).collect::<Vec<_>>()
    };
    assert_ne!(losses(&one), losses(&other));
    assert!(!losses(&one).is_empty());
}

#[test]
fn who_else_is_there_changes_nothing_for_the_others() {
    let more = format!(
        "{BAD_LINE}\n[network.a-neighbour]\nlan = \"10.0.0.1/24\"\nrouter = {{ profile = \"linksys-befsr41-1.39\", wan \
         = \"203.0.113.1\" }}\n[host.anybody]\non = \"a-neighbour\"\naddress = \"10.0.0.2\"\n[host.another]\non = \
         \"home\"\naddress = \"192.168.1.50\"\n[host.zoe]\non = \"internet\"\naddress = \"198.51.100.77\"\n"
    );
    let (alone, among_others) = (played(BAD_LINE, 1), played(&more, 1));
    for name in ["home.lan.pc", "home.wan", "internet.server"] {
        let crossed = |played: &Played| -> Vec<Crossing> {
            let wire = played.network.wires().iter().position(|wire| *wire == name).unwrap();
            let record = played.network.record().iter().filter(|crossing| crossing.wire == wire);
            record
                .map(|crossing| Crossing { wire: 0, told: 0..0, comes_from: None, ..crossing.clone() })
                .collect()
        };
        assert_eq!(crossed(&alone), crossed(&among_others), "{name}");
    }
}
