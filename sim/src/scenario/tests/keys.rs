//! Every key of an expectation can fail, and what fails is said.

use super::super::*;
use crate::cause::Cause;

/// Plays a built-in scenario in which an expectation was made wrong.
fn wrong(name: &str, right: &str, wrong: &str) -> Vec<Mismatch> {
    let toml = builtin().iter().find(|builtin| builtin.name == name).unwrap().toml;
    assert!(toml.contains(right), "{name}: {right}");
    let scenario = Scenario::from_toml(name, &toml.replacen(right, wrong, 1)).unwrap();
    play(name, &scenario, 1).verdict.steps.into_iter().flat_map(|step| step.mismatches).collect()
}

#[test]
fn each_key_finds_what_is_not_so() {
    for (name, key, right, is_wrong) in [
        ("wan-address-change", "data", "data = \"ok\"", "data = \"failed\""),
        ("same-subnet-homes", "control", "control = \"ok\"", "control = \"failed\""),
        ("private-destination-refused", "reply", "reply = 425", "reply = 426"),
        (
            "private-destination-refused",
            "gateway",
            "gateway = \"left alone: not-a-control-port\"",
            "gateway = \"silent\"",
        ),
        (
            "private-destination-refused",
            "cause",
            "cause = \"control-port-not-watched\"",
            "cause = \"table-full\"",
        ),
        (
            "carrier-grade-nat",
            "client-sent",
            "client-sent = \"PORT 192,168,1,100,",
            "client-sent = \"PORT 192,168,1,101,",
        ),
        (
            "carrier-grade-nat",
            "server-saw",
            "server-saw = \"PORT 203,0,113,1,",
            "server-saw = \"PORT 203,0,113,2,",
        ),
        ("log-fools-you", "client-log", "[\"PORT 192,168,1,100,65,43\"", "[\"PORT 203,0,113,7,65,43\""),
        ("log-fools-you", "server-log", "[\"PORT 203,0,113,7,65,43\"", "[\"PORT 192,168,1,100,65,43\""),
        ("same-subnet-homes", "client-saw", "client-saw = \"227 ", "client-saw = \"228 "),
        (
            "carrier-grade-nat",
            "server-sent",
            "control = \"ok\"",
            "control = \"ok\"\nserver-sent = \"220 Hello\"",
        ),
        (
            "carrier-grade-nat",
            "data-syn-at-server",
            "198.51.100.9:20 > 203.0.113.1:16683",
            "198.51.100.9:20 > 203.0.113.1:16684",
        ),
        ("carrier-grade-nat", "data-syn-at-client", "198.51.100.9:20 > 192.168.1.100:16683", "none"),
        ("carrier-grade-nat", "outcome", "outcome = \"ok\"", "outcome = \"failed\""),
        ("carrier-grade-nat", "answered", "answered = 3", "answered = 2"),
        ("carrier-grade-nat", "arrived", "arrived = 3", "arrived = 4"),
        (
            "carrier-grade-nat",
            "seen-from",
            "seen-from = \"203.0.113.1:4000\"",
            "seen-from = \"203.0.113.1:4001\"",
        ),
        ("carrier-grade-nat", "icmp-error", "time-exceeded from 100.64.0.1", "time-exceeded from 100.64.0.2"),
        ("traceroute", "icmp-error", "icmp-error = \"none\"", "icmp-error = \"time-exceeded from *\""),
        ("carrier-grade-nat", "packets on home.wan", "100.64.0.7:16683 SYN", "100.64.0.7:16684 SYN"),
        (
            "carrier-grade-nat",
            "events at carrier",
            "forward * used by translation *",
            "forward * used by nobody",
        ),
        ("slow-uplink", "events at network", "queue full (8 packets)", "queue full (9 packets)"),
        (
            "slow-uplink",
            "no-events at home",
            "no-events.network = [\"lost on *\"]",
            "no-events.home = [\"translation * created*\"]",
        ),
        (
            "udp-translation-expires",
            "table of home",
            "udp 192.168.1.100:4000 is 203.0.113.7:4000",
            "udp 192.168.1.100:4000 is 203.0.113.7:4001",
        ),
        ("udp-translation-expires", "translations of home", "translations.home = 0", "translations.home = 1"),
    ] {
        let found = wrong(name, right, is_wrong);
        let keys: Vec<&str> = found.iter().map(|mismatch| mismatch.what.as_str()).collect();
        assert_eq!(keys, [key], "{name}: {is_wrong}");
        assert!(!found[0].seen.is_empty() && found[0].seen != found[0].expected, "{found:?}");
    }
}

#[test]
fn a_packet_that_was_not_to_cross_is_shown() {
    let found =
        wrong("raw-packets", "\"home.lan.pc\" = [\"ip * > *\"], ", "\"home.wan\" = [\"ip * > *\"] }\n# ");
    let [only] = &*found else { panic!("{found:?}") };
    assert_eq!(only.what, "no-packets on home.wan");
    assert_eq!(only.seen, "tcp 198.51.100.9:4321 > 203.0.113.7:80 SYN seq=1000");
}

/// A session whose own packets all arrived, beside another whose packets were lost.
#[test]
fn what_befell_others_is_no_cause() {
    let text = r#"
title = "one wire is down, and somebody else asks for a file that is not there"
[host.a]
on = "internet"
address = "198.51.100.1"
link = { down = true }
[host.b]
on = "internet"
address = "198.51.100.2"
[host.server]
on = "internet"
address = "198.51.100.9"
ftp-server = { port = 21, foreign-port = "refuse" }
[[step]]
[[step.parallel]]
ftp = { client = "a", server = "server", mode = "pasv", patience = "3 s" }
[[step.parallel]]
ftp = { client = "b", server = "server", mode = "port", announce = "198.51.100.77", patience = "3 s" }
[[step.parallel]]
udp = { client = "b", server = "server", port = 7, patience = "1 s" }
[[step.parallel]]
udp = { client = "b", server = "server", port = 8, to = "198.51.100.99:8", patience = "1 s" }
"#;
    let verdict = play("causes", &Scenario::from_toml("causes.toml", text).unwrap(), 1).verdict;
    let causes: Vec<Option<Cause>> = verdict.steps.iter().map(|step| step.cause).collect();
    assert_eq!(causes, [Some(Cause::PacketsLost), Some(Cause::ForeignAddressRefused), None, None]);
}

#[test]
fn what_is_seen_names_no_ephemeral_port() {
    for Builtin { name, toml } in builtin() {
        let scenario = Scenario::from_toml(name, toml).unwrap();
        let (one, other) = (play(name, &scenario, 1).verdict, play(name, &scenario, 5).verdict);
        for (one, other) in one.steps.iter().zip(&other.steps) {
            assert!(
                one.seen.iter().any(|seen| seen.what.starts_with("table of") || scenario.network.is_empty())
            );
            assert_eq!(one.seen, other.seen, "{name}, {}", one.step);
        }
    }
}
