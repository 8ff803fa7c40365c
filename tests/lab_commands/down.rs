//! Taking labs down.

use nix::sys::signal::{Signal, kill};

use crate::support::deadline::Deadline;
use crate::support::labs::Labs;
use crate::{BUILT_IN, can_lab};

#[test]
fn one_or_all_are_taken_down_and_unknown_ones_are_told() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    let none = labs.run_to(2, &["lab", "down"]);
    assert!(none.stderr.starts_with("error: no lab is up"), "{}", none.story());
    assert_eq!(labs.run_to(0, &["lab", "down", "--all"]).text(), "");
    for name in ["one", "three", "two"] {
        labs.up(BUILT_IN, name);
    }
    let ambiguous = labs.run_to(2, &["lab", "down"]);
    assert!(
        ambiguous.stderr.contains("several labs are up: name one of one, three, two"),
        "{}",
        ambiguous.story()
    );
    let unknown = labs.run_to(2, &["lab", "down", "four"]);
    assert!(unknown.stderr.contains("no lab called `four` is up"), "{}", unknown.story());
    assert_eq!(labs.run_to(0, &["lab", "down", "three"]).text(), "three is down\n");
    assert!(labs.status("three").is_none() && labs.status("two").is_some());
    assert_eq!(labs.run_to(0, &["lab", "down", "--all"]).text(), "one is down\ntwo is down\n");
    assert!(labs.processes().is_empty());
}

/// Programs that do not listen to SIGTERM, one of them under a command that is stopped.
#[test]
fn it_waits_until_the_programs_inside_are_gone() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    let script = "trap '' TERM INT; setsid -f sleep 88881; sleep 88882";
    let inside: Vec<_> =
        ["pc", "server"].map(|host| labs.start(&["lab", "exec", host, "--", "sh", "-c", script])).into();
    let stopped = labs.start(&["lab", "exec", "pc", "--", "sh", "-c", "sleep 88883"]);
    labs.wait_for_processes(&["sleep 88881", "sleep 88882", "sleep 88883"]);
    stopped.signal(Signal::SIGSTOP);
    let namespaces = labs.namespaces();
    labs.run_to(0, &["lab", "down"]);
    let left: Vec<_> = labs.processes().into_iter().filter(|(_, words)| words.starts_with("sleep")).collect();
    assert!(left.is_empty(), "{left:?}");
    for exec in inside {
        let finished = exec.finish(Deadline::seconds(5));
        assert_eq!(finished.code(), Some(3), "{}", finished.story());
        assert!(finished.stderr.contains("the lab lab went down"), "{}", finished.story());
    }
    drop(stopped);
    labs.wait_until_gone(&namespaces);
}

#[test]
fn a_holder_that_is_killed_ends_the_programs_inside() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    let exec = labs.start(&["lab", "exec", "pc", "--", "sleep", "88884"]);
    labs.wait_for_processes(&["sleep 88884"]);
    let namespaces = labs.namespaces();
    kill(labs.holder("lab"), Signal::SIGKILL).unwrap();
    let finished = exec.finish(Deadline::seconds(10));
    assert_eq!(finished.code(), Some(3), "{}", finished.story());
    labs.wait_until_gone(&namespaces);
}
