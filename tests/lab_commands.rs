//! `quirknat lab up|list|exec|down`, and `run --backend netns` on hosts that misbehave, as their user sees them.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

#[path = "lab_commands/control.rs"]
mod control;
#[path = "lab_commands/down.rs"]
mod down;
#[path = "lab_commands/exec.rs"]
mod exec;
#[path = "lab_commands/list.rs"]
mod list;
#[path = "lab_commands/recording.rs"]
mod recording;
#[path = "lab_commands/rootless.rs"]
mod rootless;
#[path = "lab_commands/run.rs"]
mod run;
#[path = "lab_commands/terminal.rs"]
mod terminal;
#[path = "lab_commands/up.rs"]
mod up;
#[path = "lab_commands/work.rs"]
mod work;

use support::requirement::{Requirement, met};

fn can_lab() -> bool {
    met(&[Requirement::Root, Requirement::Tun])
}

/// The lab most tests are in.
const BUILT_IN: &str = "port-21-rewritten";
