//! `run --backend netns` where programs misbehave: what is told, and that others are played.

use serde_json::Value;

use crate::can_lab;
use crate::support::deadline::Deadline;
use crate::support::labs::Labs;
use crate::support::process::Finished;
use crate::support::requirement::{Requirement, met};

/// A scenario between two that are as expected.
fn with_neighbours(program: &str, steps: &str) -> Labs {
    let labs = Labs::new();
    labs.scratch.directory("all", 0o755);
    let good = include_str!("../../scenarios/pasv-21.toml");
    labs.scratch.write("all/a.toml", good);
    labs.scratch.write("all/c.toml", good);
    labs.scratch.write(
        "all/b.toml",
        format!(
            r#"
title = "a home"

[network.home]
lan = "192.168.1.1/24"
router = {{ profile = "linksys-befsr41-1.39", wan = "203.0.113.7" }}

[host.pc]
on = "home"
address = "192.168.1.100"

[host.server]
on = "internet"
address = "198.51.100.9"
{program}

{steps}
"#
        ),
    );
    labs
}

const PING: &str = "[[step]]\nping = { from = \"pc\", to = \"server\" }\nexpect = { outcome = \"ok\" }\n";

fn step(run: &str, expect: &str) -> String {
    format!("[[step]]\nrun = {{ on = \"pc\", {run} }}\nexpect = {{ {expect} }}\n")
}

/// The status, the entry of the one in the middle, and what was said; its neighbours are as expected.
fn play(labs: &Labs) -> (Option<i32>, Value, Finished) {
    let deadline = Deadline::seconds(50);
    let finished = labs.start(&["run", "--backend", "netns", "--json", "all"]).finish(deadline);
    let document: Value =
        serde_json::from_slice(&finished.stdout).unwrap_or_else(|_| panic!("{}", finished.story()));
    assert_eq!(document["scenarios"][0]["as_expected"], true, "{}", finished.story());
    assert_eq!(document["scenarios"][2]["as_expected"], true, "{}", finished.story());
    assert!(labs.processes().is_empty(), "{:?}", labs.processes());
    assert!(labs.temporary_files().is_empty(), "{:?}", labs.temporary_files());
    (finished.code(), document["scenarios"][1].clone(), finished)
}

#[test]
fn a_program_that_is_not_installed_is_the_machines_lack() {
    if !can_lab() {
        return;
    }
    for (program, steps) in [
        (r#"program = [{ command = ["no-such-program"] }]"#, PING.to_owned()),
        (r#"program = [{ command = ["/no/such/program"] }]"#, PING.to_owned()),
        ("", step(r#"command = ["no-such-program"]"#, r#"outcome = "ok""#)),
    ] {
        let labs = with_neighbours(program, &steps);
        let (status, entry, finished) = play(&labs);
        assert_eq!(status, Some(3), "{}", finished.story());
        let error = entry["error"].as_str().expect("it was not played");
        assert!(
            error.contains("/program`: install it") || error.contains("`no-such-program` is not in"),
            "{error}"
        );
        assert_eq!(entry["lacking"], true);
        assert_eq!(
            finished.stderr,
            "error: scenarios that could not be played here, since this machine lacks something: 1\n"
        );
    }
}

#[test]
fn a_report_in_parts_says_the_same() {
    if !can_lab() {
        return;
    }
    let labs = with_neighbours(r#"program = [{ command = ["no-such-program"] }]"#, PING);
    for part in ["1", "2"] {
        let finished =
            labs.run(&["run", "--backend", "netns", "--json", "--partition", &format!("{part}/2"), "all"]);
        assert_eq!(finished.code(), Some(if part == "1" { 0 } else { 3 }), "{}", finished.story());
        labs.scratch.write(&format!("{part}.json"), &finished.stdout);
    }
    labs.run_to(3, &["merge", "1.json", "2.json"]);
}

#[test]
fn a_host_whose_program_ends_at_once_is_told_with_its_words() {
    if !can_lab() {
        return;
    }
    let program = r#"program = [{ command = ["sh", "-c", "echo no luck >&2; exit 9"], listens = 21 }]"#;
    let (status, entry, finished) = play(&with_neighbours(program, PING));
    assert_eq!(status, Some(1), "{}", finished.story());
    let error = entry["error"].as_str().expect("it was not played");
    assert!(error.contains("status 9") && error.contains("port 21") && error.contains("no luck"), "{error}");
    assert_eq!(entry["lacking"], Value::Null);
}

#[test]
fn a_host_whose_program_never_listens_is_told() {
    if !can_lab() {
        return;
    }
    let program = r#"program = [{ command = ["sleep", "600"], listens = 21 }]"#;
    let (status, entry, finished) = play(&with_neighbours(program, PING));
    assert_eq!(status, Some(1), "{}", finished.story());
    let error = entry["error"].as_str().expect("it was not played");
    assert!(error.contains("does not listen on port 21 after 30 s"), "{error}");
}

/// A step's mismatch is told, and the step after it is taken.
#[test]
fn steps_that_hang_flood_or_kill_are_told_and_the_next_is_taken() {
    if !can_lab() {
        return;
    }
    for (run, word) in [
        (r#"command = ["sleep", "600"], time-limit = "300ms""#, "time limit"),
        (
            r#"command = ["sh", "-c", "trap '' TERM INT HUP; while :; do :; done"], time-limit = "300ms""#,
            "time limit",
        ),
        (r#"command = ["cat", "/dev/zero"]"#, "output limit"),
        (r#"command = ["sh", "-c", "cat /dev/zero >&2"]"#, "output limit"),
        (r#"command = ["sh", "-c", "kill -9 $PPID; kill -9 -1; kill -9 $$"]"#, "SIGKILL"),
        (r#"command = ["sh", "-c", "exit 3"]"#, "status 3"),
    ] {
        let labs = with_neighbours("", &format!("{}{PING}", step(run, r#"outcome = "ok""#)));
        let (status, entry, finished) = play(&labs);
        assert_eq!(status, Some(1), "{}", finished.story());
        assert_eq!(entry["error"], Value::Null, "{entry}");
        let said = entry["steps"][0]["mismatches"].to_string();
        assert!(said.contains(word), "{run}: {said}");
        assert_eq!(entry["steps"][1]["mismatches"], serde_json::json!([]), "{entry}");
    }
}

/// Its connections are taken, and nothing more comes: the client's patience ends the step.
#[test]
fn a_server_that_never_answers_is_no_end_of_the_run() {
    if !can_lab() || !met(&[Requirement::Program("python3"), Requirement::Program("curl")]) {
        return;
    }
    let server = "import socket, time; s = socket.create_server(('', 21)); time.sleep(600)";
    let program =
        format!(r#"program = [{{ command = ["/usr/bin/env", "python3", "-c", "{server}"], listens = 21 }}]"#);
    let fetch = step(r#"command = ["curl", "-sS", "--max-time", "1", "ftp://198.51.100.9/"]"#, "status = 0");
    let (status, entry, finished) = play(&with_neighbours(&program, &format!("{fetch}{PING}")));
    assert_eq!(status, Some(1), "{}", finished.story());
    assert_eq!(entry["error"], Value::Null, "{entry}");
    assert_ne!(entry["steps"][0]["mismatches"], serde_json::json!([]), "{entry}");
    assert_eq!(entry["steps"][1]["mismatches"], serde_json::json!([]), "{entry}");
}

/// Signals that a run keeps to itself are not kept from programs.
#[test]
fn programs_of_a_run_have_no_blocked_signals() {
    if !can_lab() {
        return;
    }
    let run = r#"command = ["grep", "SigBlk", "/proc/self/status"]"#;
    let labs = with_neighbours("", &step(run, r#"outcome = "ok", stdout = "SigBlk:*0000000000000000""#));
    let (status, _, finished) = play(&labs);
    assert_eq!(status, Some(0), "{}", finished.story());
}
