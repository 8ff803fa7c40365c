//! Nothing of a lab is left, however it ends: no namespace, device or process, and no socket in the next lab's way.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

#[path = "lab_left_behind/panic.rs"]
mod panic;

use nix::sys::signal::{Signal, kill};
use support::deadline::{Deadline, until};
use support::labs::{Labs, machine};
use support::process::Process;
use support::requirement::{Requirement, met};

fn can_lab() -> bool {
    met(&[Requirement::Root, Requirement::Tun, Requirement::Program("setsid")])
}

/// A program with a daemon that has left its session; neither listens to SIGTERM.
const PROGRAM: &str = r#"["sh", "-c", "trap '' TERM; setsid -f sleep 77777; exec sleep 77778"]"#;

/// A home with such a program on its PC, and a step.
fn scenario(step: &str) -> String {
    format!(
        r#"
title = "a home with a program"

[network.home]
lan = "192.168.1.1/24"
router = {{ profile = "linksys-befsr41-1.39", wan = "203.0.113.7" }}

[host.pc]
on = "home"
address = "192.168.1.100"
program = [{{ command = {PROGRAM} }}]

[host.server]
on = "internet"
address = "198.51.100.9"
ftp-server = {{ port = 21 }}

[[step]]
run = {{ on = "server", command = {step}, time-limit = "600s" }}
expect = {{ outcome = "ok" }}
"#
    )
}

const PROCESSES: [&str; 2] = ["sleep 77777", "sleep 77778"];

struct Case {
    labs: Labs,
    before: Vec<String>,
}

impl Case {
    fn new(step: &str) -> Self {
        let before = machine();
        let labs = Labs::new();
        labs.scratch.write("home.toml", scenario(step));
        Self { labs, before }
    }

    /// Waits until its programs run, has it ended, and looks that all is gone; another lab of that name can be had.
    #[track_caller]
    fn end(&self, end: impl FnOnce()) {
        self.labs.wait_for_processes(&PROCESSES);
        let namespaces = self.labs.namespaces();
        assert!(namespaces.len() >= 3, "{namespaces:?}");
        end();
        self.labs.wait_until_gone(&namespaces);
        self.labs.up("home.toml", "again");
        self.labs.run_to(0, &["lab", "down", "again"]);
        self.labs.wait_until_gone(&namespaces);
        until("machine as it was", 10, || {
            let after = machine();
            if after == self.before { Ok(()) } else { Err(format!("{:?} and {after:?}", self.before)) }
        });
    }

    fn run(&self) -> Process {
        let run = self.labs.start(&["run", "--backend", "netns", "home.toml"]);
        self.labs.wait_for_processes(&["sleep 77779"]);
        run
    }

    #[track_caller]
    fn no_folders(&self) {
        assert!(self.labs.temporary_files().is_empty(), "{:?}", self.labs.temporary_files());
    }
}

const LONG_STEP: &str = r#"["sleep", "77779"]"#;

#[test]
fn a_run_that_ends_leaves_nothing() {
    if !can_lab() {
        return;
    }
    // It ends when it is told to, so that it is seen before.
    let labs = Case::new(r#"["sh", "-c", "while ! [ -e ../../go ]; do sleep 0.05; done"]"#);
    let run = labs.labs.start(&["run", "--backend", "netns", "home.toml"]);
    labs.end(|| {
        labs.labs.scratch.write("tmp/go", "");
        let finished = run.finish(Deadline::seconds(20));
        assert_eq!(finished.code(), Some(0), "{}", finished.story());
        std::fs::remove_file(labs.labs.scratch.join("tmp/go")).unwrap();
    });
    labs.no_folders();
}

#[test]
fn a_run_that_is_interrupted_leaves_nothing() {
    if !can_lab() {
        return;
    }
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let case = Case::new(LONG_STEP);
        let run = case.run();
        case.end(|| {
            run.signal(signal);
            let finished = run.finish(Deadline::seconds(20));
            assert_eq!(finished.code(), Some(3), "{}", finished.story());
            assert!(finished.stderr.contains("interrupted: 0 of 1"), "{}", finished.story());
        });
        case.no_folders();
    }
}

#[test]
fn a_run_that_is_killed_leaves_nothing() {
    if !can_lab() {
        return;
    }
    let case = Case::new(LONG_STEP);
    let run = case.run();
    // Not with its group, as `finish` does.
    case.end(|| run.signal(Signal::SIGKILL));
}

#[test]
fn a_lab_in_the_foreground_leaves_nothing() {
    if !can_lab() {
        return;
    }
    for signal in [None, Some(Signal::SIGINT), Some(Signal::SIGTERM), Some(Signal::SIGKILL)] {
        let case = Case::new(LONG_STEP);
        let mut lab = case.labs.start(&["lab", "up", "home.toml", "--name", "again", "--foreground"]);
        lab.wait_stdout("readiness", Deadline::seconds(20), |seen| seen == b"ready\n");
        case.end(|| {
            match signal {
                None => drop(case.labs.run_to(0, &["lab", "down"])),
                Some(signal) => lab.signal(signal),
            }
            if signal != Some(Signal::SIGKILL) {
                let finished = lab.finish(Deadline::seconds(20));
                assert_eq!(finished.code(), Some(0), "{signal:?} {}", finished.story());
                assert_eq!(finished.stderr, "");
                case.no_folders();
            }
        });
    }
}

#[test]
fn a_lab_in_the_background_leaves_nothing() {
    if !can_lab() {
        return;
    }
    for signal in [None, Some(Signal::SIGINT), Some(Signal::SIGTERM), Some(Signal::SIGKILL)] {
        let case = Case::new(LONG_STEP);
        case.labs.up("home.toml", "again");
        let holder = case.labs.holder("again");
        case.end(|| match signal {
            None => drop(case.labs.run_to(0, &["lab", "down"])),
            Some(signal) => kill(holder, signal).unwrap(),
        });
        if signal != Some(Signal::SIGKILL) {
            case.no_folders();
        }
        assert_eq!(std::fs::read_dir(case.labs.registry()).unwrap().count(), 0);
    }
}

/// Whoever waits for a lab in the background is interrupted while a program on it is waited for.
#[test]
fn an_interrupted_lab_up_leaves_nothing() {
    if !can_lab() {
        return;
    }
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let labs = Labs::new();
        let never = scenario(LONG_STEP).replace("}]", ", listens = 4000 }]");
        labs.scratch.write("home.toml", never);
        let up = labs.start(&["lab", "up", "home.toml"]);
        labs.wait_for_processes(&PROCESSES);
        let namespaces = labs.namespaces();
        up.signal(signal);
        drop(up);
        labs.wait_until_gone(&namespaces);
        labs.run_to(0, &["lab", "list"]);
    }
}
