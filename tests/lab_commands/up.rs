//! Bringing labs up, and what forbids it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::process::Command;

use crate::support::deadline::Deadline;
use crate::support::labs::Labs;
use crate::support::process::{Finished, Process};
use crate::support::requirement::{Requirement, find_program, met};
use crate::{BUILT_IN, can_lab};

#[test]
fn a_lab_is_called_as_its_scenario_or_as_its_user_says() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.scratch.write("mine.toml", include_str!("../../scenarios/pasv-21.toml"));
    let up = labs.run_to(0, &["lab", "up", BUILT_IN]);
    assert!(up.text().starts_with("port-21-rewritten: PORT on "), "{}", up.story());
    assert!(up.text().contains("\n  host server  198.51.100.9    on internet  ftp server on 21\n"));
    assert!(up.text().ends_with("quirknat lab exec pc -- COMMAND runs a command on a host\n"));
    assert_eq!(up.stderr, "");
    labs.run_to(0, &["lab", "up", "mine.toml"]);
    labs.run_to(0, &["lab", "up", "./mine.toml", "--name", "other"]);
    let list = labs.run_to(0, &["lab", "list"]).text();
    let names: Vec<&str> = list.lines().filter_map(|line| line.split_once(": ")).map(|it| it.0).collect();
    assert_eq!(names, ["mine", "other", BUILT_IN], "{list}");

    let taken = labs.run_to(2, &["lab", "up", BUILT_IN, "--name", "other"]);
    assert!(taken.stderr.starts_with("error: a lab called `other` is up already"), "{}", taken.story());
    for name in ["../x", "", "-x", "a b", &"x".repeat(41)] {
        let wrong = labs.run_to(2, &["lab", "up", BUILT_IN, &format!("--name={name}")]);
        assert!(wrong.stderr.contains("is no name for a lab"), "{}", wrong.story());
    }
}

#[test]
fn a_wrong_scenario_is_shown_with_a_caret() {
    let labs = Labs::new();
    let text = include_str!("../../scenarios/pasv-21.toml").replace("on = \"home\"", "on = \"hme\"");
    labs.scratch.write("wrong.toml", text);
    let up = labs.run_to(2, &["lab", "up", "wrong.toml"]);
    assert!(up.stderr.contains("wrong.toml:") && up.stderr.contains('^'), "{}", up.story());
    let up = labs.run_to(2, &["lab", "up", "no-such-scenario"]);
    assert!(up.stderr.contains("no-such-scenario"), "{}", up.story());
    assert!(labs.processes().is_empty());
}

/// Two that come at once: one is up, the other is told so.
#[test]
fn one_name_is_one_lab_however_many_want_it() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    for _ in 0..3 {
        let both: Vec<Process> =
            (0..4).map(|_| labs.start(&["lab", "up", BUILT_IN, "--name", "same"])).collect();
        let mut ends: Vec<(Option<i32>, String)> = both
            .into_iter()
            .map(|up| up.finish(Deadline::seconds(30)))
            .map(|end| (end.code(), end.stderr))
            .collect();
        ends.sort();
        assert_eq!((ends[0].0, ends[1].0), (Some(0), Some(2)), "{ends:?}");
        assert!(ends[1..].iter().all(|(_, said)| said.contains("`same` is up already")), "{ends:?}");
        labs.run_to(0, &["lab", "down", "same"]);
        labs.wait_until_gone(&std::collections::BTreeSet::new());
    }
}

fn as_nobody(labs: &Labs, arguments: &[&str]) -> Finished {
    let quirknat = labs.scratch.join("quirknat");
    if !quirknat.exists() {
        fs::copy(env!("CARGO_BIN_EXE_quirknat"), &quirknat).unwrap();
    }
    let mut words = vec!["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    words.push(quirknat.to_str().unwrap());
    words.extend(arguments);
    let command = Command::new(find_program("setpriv").expect("it was asked for as a requirement"));
    Process::start("setpriv", labs.around(command, &words)).finish(Deadline::seconds(20))
}

#[test]
fn without_privilege_it_says_what_is_missing() {
    if !can_lab() || !met(&[Requirement::Program("setpriv")]) {
        return;
    }
    let mode = fs::metadata("/dev/net/tun").unwrap().permissions().mode() & 0o777;
    if mode & 0o006 == 0o006 {
        return;
    }
    let labs = Labs::new();
    for arguments in [
        &["lab", "up", BUILT_IN][..],
        &["lab", "up", BUILT_IN, "--foreground"],
        &["run", "--backend", "netns", BUILT_IN],
    ] {
        let up = as_nobody(&labs, arguments);
        assert_eq!(up.code(), Some(3), "{}", up.story());
        let missing = format!("error: /dev/net/tun has mode {mode:04o}");
        assert!(up.stderr.starts_with(&missing), "{}", up.story());
    }
    // The folder in XDG_RUNTIME_DIR is root's here, so that the one for temporary files is taken.
    let folder = labs.scratch.join("tmp/quirknat-65534");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    fs::remove_dir(&folder).unwrap();
    symlink(labs.scratch.path(), &folder).unwrap();
    let list = as_nobody(&labs, &["lab", "list"]);
    assert_eq!(list.code(), Some(3), "{}", list.story());
    assert!(list.stderr.contains("belongs to another user"), "{}", list.story());
}

#[test]
fn a_folder_that_others_can_write_to_is_not_used() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.run_to(0, &["lab", "list"]);
    labs.scratch.set_mode("runtime/quirknat", 0o777);
    for arguments in [&["lab", "list"][..], &["lab", "up", BUILT_IN], &["lab", "exec", "pc"]] {
        let list = labs.run_to(3, arguments);
        assert!(list.stderr.contains("others may write to the folder"), "{}", list.story());
    }
    labs.scratch.set_mode("runtime/quirknat", 0o700);
    chown(labs.registry(), Some(65534), None).unwrap();
    let list = labs.run_to(3, &["lab", "list"]);
    assert!(list.stderr.contains("belongs to another user"), "{}", list.story());
}

#[test]
fn a_folder_whose_name_is_too_long_for_sockets_is_told_before_anything_is_built() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    let long = format!("runtime/{}", "x".repeat(100));
    labs.scratch.directory(&long, 0o700);
    let mut command = labs.command(&["lab", "up", BUILT_IN]);
    command.env("XDG_RUNTIME_DIR", labs.scratch.join(&long));
    let up = Process::start("lab up", command).finish(Deadline::seconds(20));
    assert_eq!(up.code(), Some(3), "{}", up.story());
    assert!(up.stderr.contains("too long for a socket"), "{}", up.story());
}
