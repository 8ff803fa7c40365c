//! Scenarios in the namespace lab: kernels' TCP, UDP and ICMP, and real programs, with the verdicts of the simulated
//! world beside theirs.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

#[path = "lab_scenarios/builtin.rs"]
mod builtin;
#[path = "lab_scenarios/causes.rs"]
mod causes;
#[path = "lab_scenarios/ground.rs"]
mod ground;
#[path = "lab_scenarios/programs.rs"]
mod programs;
#[path = "lab_scenarios/sockets.rs"]
mod sockets;
#[path = "lab_scenarios/tls.rs"]
mod tls;
#[path = "lab_scenarios/ways.rs"]
mod ways;

use std::path::PathBuf;

use quirknat_sim::lab::{Lab, LabFailure};
use quirknat_sim::scenario::{self, PlayError, Played, Scenario, Verdict};
use support::requirement::{Requirement, met};

fn can_lab() -> bool {
    met(&[Requirement::Root, Requirement::Tun])
}

fn scenario(text: &str) -> Scenario {
    Scenario::from_toml("test.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

fn lab() -> Lab {
    let lab = Lab::enter().expect("root can leave the machine's network");
    lab.with_supervisor(PathBuf::from(env!("CARGO_BIN_EXE_quirknat")))
}

fn try_in_lab(text: &str) -> Result<Played, PlayError<LabFailure>> {
    scenario::play_on(lab(), "test", &scenario(text), 1)
}

fn in_lab(text: &str) -> Verdict {
    try_in_lab(text).unwrap_or_else(|error| panic!("{error}")).verdict
}

fn simulated(text: &str) -> Verdict {
    scenario::play("test", &scenario(text), 1).verdict
}

#[track_caller]
fn assert_as_expected(verdict: &Verdict) {
    let mismatches: Vec<_> = verdict.steps.iter().filter(|step| !step.mismatches.is_empty()).collect();
    assert!(verdict.as_expected, "{mismatches:#?}");
}

/// As expected on both grounds, and seen alike.
#[track_caller]
fn assert_alike(text: &str) {
    let (sim, lab) = (simulated(text), in_lab(text));
    assert_as_expected(&sim);
    assert_as_expected(&lab);
    for (sim, lab) in sim.steps.iter().zip(&lab.steps) {
        assert_eq!(without_ports(sim), without_ports(lab), "{}", sim.step);
        assert_eq!(sim.cause, lab.cause, "{}", sim.step);
    }
}

/// What was seen, without the ephemeral ports and the words that name them, which are each ground's own.
fn without_ports(step: &scenario::StepVerdict) -> Vec<(String, String)> {
    let own = ["data-syn-at-client", "data-syn-at-server", "seen-from"];
    let lines = ["client-sent", "server-saw", "server-sent", "client-saw"];
    let seen = step.seen.iter().filter(|seen| !own.contains(&seen.what.as_str()));
    seen.map(|seen| {
        let words = |line: &str| line.split([' ', '(']).next().unwrap_or_default().to_owned();
        let was = if lines.contains(&seen.what.as_str()) {
            seen.was.lines().map(words).collect::<Vec<_>>().join("\n")
        } else {
            seen.was.clone()
        };
        (seen.what.clone(), was)
    })
    .collect()
}

/// A home with a PC, and two hosts on the internet.
const HOME: &str = r#"
title = "a home"

[network.home]
lan = "192.168.1.1/24"
router = { profile = "linksys-befsr41-1.39", wan = "203.0.113.7" }

[host.pc]
on = "home"
address = "192.168.1.100"

[host.server]
on = "internet"
address = "198.51.100.9"
"#;

fn at_home(steps: &str) -> String {
    format!("{HOME}\n{steps}")
}
