//! A process without privilege: what it is told, and that it can have a lab where the device is open to it.
//!
//! This program starts itself as nobody, in mounts of its own, for each case.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use quirknat_sim::lab::{Missing, Nowhere, Program, ProgramSpec, enter, open_host};
use smoltcp::time::Instant;
use support::deadline::Deadline;
use support::process::{Finished, Process, command};
use support::requirement::{Requirement, met};
use support::scratch::Scratch;

/// Nobody's number.
const USER: &str = "65534";
/// Says to this program that it is nobody, and where the supervisor is.
const SUPERVISOR: &str = "QUIRKNAT_SUPERVISOR";
const CASES: [(&str, fn()); 3] = [
    ("a_device_for_root_only_is_named_with_its_mode", a_device_for_root_only_is_named_with_its_mode),
    ("a_missing_device_is_named", a_missing_device_is_named),
    ("an_open_device_is_enough_for_a_lab", an_open_device_is_enough_for_a_lab),
];

fn main() {
    if let Some(supervisor) = std::env::var_os(SUPERVISOR) {
        say(&be_nobody(Path::new(&supervisor)));
        return;
    }
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let asked = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let list = std::env::args().any(|word| word == "--list");
    if !list && !can_be_nobody() {
        return;
    }
    for (name, case) in CASES.iter().filter(|(name, _)| asked(name)) {
        if list {
            say(&format!("{name}: test\n"));
        } else {
            case();
            say(&format!("test {name} ... ok\n"));
        }
    }
}

fn can_be_nobody() -> bool {
    let programs = ["setpriv", "unshare", "mount", "mknod"].map(Requirement::Program);
    met(&[Requirement::Root, Requirement::Tun]) && met(&programs)
}

fn say(text: &str) {
    std::io::stdout().write_all(text.as_bytes()).expect("stdout is open");
}

/// What nobody does: says what is missing, or what a program in a lab of its own said.
fn be_nobody(supervisor: &Path) -> String {
    if let Err(missing) = enter() {
        return format!("missing: {missing:?}: {missing}\n");
    }
    let nowhere = Nowhere::enter().unwrap();
    let address = "192.0.2.1/24".parse().unwrap();
    let (namespace, _tun) = open_host(&nowhere, "eth0", address, 1500).unwrap();
    let script = "id -u; cat /proc/net/dev; ls -d /proc/1";
    let spec = ProgramSpec {
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        environment: Vec::new(),
        directory: "/".into(),
        time_limit: None,
        output_limit: 10_000,
    };
    let mut program = Program::spawn(&namespace, &spec, supervisor, Instant::ZERO).unwrap();
    let deadline = Deadline::seconds(10);
    while !program.poll(Instant::ZERO) {
        assert!(!deadline.passed(), "it does not end");
        let mut waiting: Vec<_> =
            program.descriptors().map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        let timeout = deadline.left().min(Duration::from_secs(10));
        poll(&mut waiting, PollTimeout::try_from(timeout).unwrap()).unwrap();
    }
    let outcome = program.outcome().unwrap();
    let text = String::from_utf8_lossy(&outcome.stdout);
    format!("ran: {text}{}\nending: {:?}\n", String::from_utf8_lossy(&outcome.stderr), outcome.ending)
}

/// Starts this program as nobody, after some words of shell in a mount namespace of the child's own.
fn as_nobody(before: &str) -> Finished {
    let scratch = Scratch::new();
    let itself = std::env::current_exe().unwrap();
    for (name, file) in [("test", itself), ("quirknat", PathBuf::from(env!("CARGO_BIN_EXE_quirknat")))] {
        fs::copy(file, scratch.join(name)).unwrap();
        scratch.set_mode(name, 0o755);
    }
    let script = format!(
        "set -e; {before}; exec setpriv --reuid {USER} --regid {USER} --clear-groups \"$DIRECTORY/test\""
    );
    let mut unshare = command("unshare");
    unshare.args(["--mount", "sh", "-c", &script]).current_dir("/");
    unshare.env("DIRECTORY", scratch.path()).env(SUPERVISOR, scratch.join("quirknat"));
    Process::start("nobody", unshare).finish(Deadline::seconds(20))
}

/// Another node of the same device, with this mode, in its place.
fn with_device(mode: &str) -> Finished {
    as_nobody(&format!(
        "mknod -m {mode} \"$DIRECTORY/tun\" c 10 200; mount --bind \"$DIRECTORY/tun\" /dev/net/tun"
    ))
}

fn a_device_for_root_only_is_named_with_its_mode() {
    let finished = with_device("0600");
    let expected = format!("missing: {:?}: ", Missing::TunMode { mode: 0o600 });
    assert!(finished.text().starts_with(&expected), "{}", finished.story());
}

fn a_missing_device_is_named() {
    let finished = as_nobody("mkdir \"$DIRECTORY/empty\"; mount --bind \"$DIRECTORY/empty\" /dev/net");
    assert!(finished.text().starts_with("missing: Tun: "), "{}", finished.story());
}

/// On a machine that lets users have namespaces; elsewhere nobody must be told what forbids them.
fn an_open_device_is_enough_for_a_lab() {
    let finished = with_device("0666");
    let text = finished.text();
    if text.starts_with("missing: ") {
        let tun = ["Tun", "Threads", "Other"].map(|what| format!("missing: {what}"));
        assert!(!tun.iter().any(|what| text.starts_with(what)), "{}", finished.story());
        return;
    }
    assert!(text.starts_with("ran: 0\n") && text.contains("  eth0:"), "{}", finished.story());
    assert!(text.contains("/proc/1\n") && text.ends_with("ending: Exited(0)\n"), "{}", finished.story());
}
