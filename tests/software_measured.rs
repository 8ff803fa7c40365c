//! Today's clients and servers against their data: the same scenario is played with a real program and with what its
//! software file makes of the built-in one, and what is on the wires must be the same.
//!
//! `.ci/install-real-programs` brings the programs.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

#[path = "software_measured/clients.rs"]
mod clients;
#[path = "software_measured/servers.rs"]
mod servers;

use std::path::PathBuf;
use std::process::Command;

use quirknat_sim::lab::Lab;
use quirknat_sim::scenario::{self, Scenario, StepVerdict, Verdict};

fn scenario(text: &str) -> Scenario {
    Scenario::from_toml("test.toml", text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn in_lab(text: &str) -> Verdict {
    let lab = Lab::enter().expect("root can leave the machine's network");
    let lab = lab.with_supervisor(PathBuf::from(env!("CARGO_BIN_EXE_quirknat")));
    let played = scenario::play_on(lab, "test", &scenario(text), 1);
    played.unwrap_or_else(|error| panic!("{error}\n{text}")).verdict
}

fn simulated(text: &str) -> Verdict {
    scenario::play("test", &scenario(text), 1).verdict
}

/// What a step saw under this name.
fn seen<'a>(step: &'a StepVerdict, what: &str) -> &'a str {
    step.seen.iter().find(|seen| seen.what == what).map(|seen| seen.was.as_str()).unwrap_or_default()
}

/// A command with its variables, as a scenario's program or step has it.
fn as_toml(command: &Command) -> String {
    let word = |word: &std::ffi::OsStr| format!("{:?}", word.to_str().expect("the tests' words are UTF-8"));
    let words: Vec<String> =
        std::iter::once(command.get_program()).chain(command.get_args()).map(word).collect();
    let variables = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let variables: Vec<String> =
        variables.map(|(name, value)| format!("{} = {}", word(name), word(value))).collect();
    format!("command = [{}], environment = {{ {} }}", words.join(", "), variables.join(", "))
}
