mod chance;
mod keys;

use super::*;
use crate::net::{LossReason, NetworkEvent};

const TWO_HOMES: &str = include_str!("tests/two-homes.toml");

fn played(text: &str) -> Played {
    play("two-homes", &Scenario::from_toml("two-homes.toml", text).unwrap(), 1)
}

#[test]
fn homes_servers_behind_routers_and_switches_do_what_they_do_in_life() {
    let verdict = played(TWO_HOMES).verdict;
    let mismatches: Vec<&Mismatch> = verdict.steps.iter().flat_map(|step| &step.mismatches).collect();
    assert_eq!((verdict.as_expected, mismatches), (true, Vec::new()));
    assert_eq!(verdict.steps.len(), 5);
}

#[test]
fn the_same_seed_gives_the_same_wires_and_events() {
    let (one, other) = (played(TWO_HOMES), played(TWO_HOMES));
    assert!(one.network.record().len() > 1000);
    assert_eq!(one.network.record(), other.network.record());
    assert_eq!(one.network.events(), other.network.events());
}

#[test]
fn a_packet_to_a_private_address_is_lost_on_the_internet_with_its_reason() {
    let network = played(TWO_HOMES).network;
    let is_leak = |event: &&NetworkEvent| matches!(event, NetworkEvent::Lost(loss) if loss.reason == LossReason::PrivateDestination);
    let Some(NetworkEvent::Lost(leaked)) = network.events().iter().find(is_leak) else { panic!("no leak") };
    assert_eq!(leaked.packet_destination.to_string(), "192.168.1.100", "what the 227 announced");
    let comments: Vec<String> =
        network.record().iter().filter_map(|crossing| network.comment(crossing)).collect();
    let words = "lost on the internet: a private destination address, which is routed nowhere";
    assert!(comments.iter().any(|comment| comment == words));
}

#[test]
fn an_expectation_that_does_not_hold_is_never_passed_over() {
    for (right, wrong) in [
        ("server-saw = \"PORT 203,0,113,8,65,43\"", "server-saw = \"PORT 203,0,113,7,65,43\""),
        ("client-saw = \"227 ", "client-saw = \"227  "),
        ("gateway = \"rewritten\"", "gateway = \"silent\""),
        ("data = \"failed\"", "data = \"ok\""),
        ("data-syn-at-server = \"none\"", "data-syn-at-server = \"1.2.3.4:* > 1.2.3.4:*\""),
        ("203.0.113.7:20 > 198.51.100.50:16683", "203.0.113.7:21 > 198.51.100.50:16683"),
        ("192.168.1.101:* > 192.168.1.100:40474", "192.168.1.102:* > 192.168.1.100:40474"),
    ] {
        assert!(TWO_HOMES.contains(right), "{right}");
        let verdict = played(&TWO_HOMES.replacen(right, wrong, 1)).verdict;
        let mismatches: usize = verdict.steps.iter().map(|step| step.mismatches.len()).sum();
        assert_eq!((verdict.as_expected, mismatches), (false, 1), "{wrong}");
    }
}

#[test]
fn a_forward_to_nowhere_is_shown_where_it_stands() {
    let text = TWO_HOMES.replace("tcp/21=192.168.1.100", "tcp/21=192.168.2.100");
    let error = Scenario::from_toml("two-homes.toml", &text).unwrap_err().to_string();
    assert!(error.contains("192.168.2.100 is on no LAN of this router"), "{error}");
    let line = 1 + text.lines().position(|line| line.contains("192.168.2.100")).unwrap();
    assert!(error.contains(&format!("two-homes.toml:{line}:")), "{error}");
    assert!(error.contains(&"^".repeat("\"tcp/21=192.168.2.100\"".len())), "{error}");
}

#[test]
fn every_built_in_scenario_is_as_expected_whatever_the_seed() {
    for seed in [1, 2, 77] {
        for Builtin { name, toml } in builtin() {
            let verdict = play(name, &Scenario::from_toml(name, toml).unwrap(), seed).verdict;
            let mismatches: Vec<&Mismatch> = verdict.steps.iter().flat_map(|step| &step.mismatches).collect();
            assert_eq!(mismatches, Vec::<&Mismatch>::new(), "{name}, seed {seed}");
        }
    }
}
