//! What is told of labs.

use std::process::Command;

use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};

use crate::support::deadline::{Deadline, until};
use crate::support::labs::Labs;
use crate::support::process::Process;
use crate::support::requirement::{Requirement, met};
use crate::{BUILT_IN, can_lab};

/// A home with forwards, and translations that last for two seconds.
const HOME: &str = r#"
title = "forwards and a DMZ host"

[network.home]
lan = "192.168.1.1/24"
router = { profile = "./mine.toml", wan = "203.0.113.7", forward = ["tcp/8080=192.168.1.100:80"], dmz = "192.168.1.100" }

[host.pc]
on = "home"
address = "192.168.1.100"

[host.server]
on = "internet"
address = "198.51.100.9"
ftp-server = { port = 2121 }

[[step]]
ping = { from = "pc", to = "server" }
expect = { outcome = "ok" }
"#;

#[test]
fn what_is_set_up_is_listed_and_translations_come_and_go() {
    if !can_lab() || !met(&[Requirement::Program("bash")]) {
        return;
    }
    let labs = Labs::new();
    labs.scratch.write("home.toml", HOME);
    let profile = labs.run_to(0, &["profile", "show", "linksys-befsr41-1.39"]).text();
    assert!(profile.contains("udp = { value = 120,"), "{profile}");
    labs.scratch.write("mine.toml", profile.replace("udp = { value = 120,", "udp = { value = 2,"));
    assert_eq!(labs.run_to(0, &["lab", "list"]).text(), "no lab is up\n");
    labs.up("home.toml", "home");
    let status = labs.status("home").expect("it is up");
    assert_eq!(
        status["hosts"][1],
        json!({ "name": "server", "address": "198.51.100.9", "on": "internet", "ftp_servers": [2121], "programs": [] })
    );
    let network = &status["networks"][0];
    assert_eq!(network["forwards"], json!(["tcp/8080=192.168.1.100:80"]));
    assert_eq!((&network["dmz"], &network["wan"]), (&json!("192.168.1.100"), &json!("203.0.113.7")));
    assert_eq!(network["translations"], json!([]));

    labs.run_to(0, &["lab", "exec", "pc", "--", "bash", "-c", "echo x > /dev/udp/198.51.100.9/4000"]);
    let translations = |labs: &Labs| -> Vec<Value> {
        let status = labs.status("home").expect("it is up");
        status["networks"][0]["translations"].as_array().expect("a list").clone()
    };
    let seen = until("translation", 10, || match translations(&labs).as_slice() {
        [one] => Ok(one.clone()),
        seen => Err(format!("{seen:?}")),
    });
    let words = seen["translation"].as_str().expect("text");
    assert!(
        words.starts_with("udp 192.168.1.100:") && words.ends_with(" towards 198.51.100.9:4000"),
        "{words}"
    );
    assert!(seen["expires_in_seconds"].as_u64().is_some_and(|seconds| seconds <= 2), "{seen}");
    until("end of the translation", 10, || match translations(&labs) {
        none if none.is_empty() => Ok(()),
        seen => Err(format!("{seen:?}")),
    });

    let text = labs.run_to(0, &["lab", "list", "home"]).text();
    for line in ["    forward tcp/8080=192.168.1.100:80\n", "    dmz host 192.168.1.100\n"] {
        assert!(text.contains(line), "{text}");
    }
    let unknown = labs.run_to(2, &["lab", "list", "hme"]);
    assert!(
        unknown.stderr.contains("no lab called `hme` is up; those that are: home"),
        "{}",
        unknown.story()
    );
}

#[test]
fn a_killed_lab_is_told_to_be_gone_and_its_name_is_free() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "one");
    labs.up(BUILT_IN, "two");
    kill(labs.holder("one"), Signal::SIGKILL).unwrap();
    until("end of the lab", 10, || match labs.processes().len() {
        1 => Ok(()),
        count => Err(format!("{count} processes")),
    });
    let list = labs.run_to(0, &["lab", "list"]);
    assert!(list.stderr.contains("the lab one is gone: its process was killed"), "{}", list.story());
    assert!(list.text().starts_with("two: ") && !list.text().contains("one: "), "{}", list.story());
    assert_eq!(labs.run_to(0, &["lab", "list"]).stderr, "");
    labs.up(BUILT_IN, "one");
    // And without a look in between.
    kill(labs.holder("one"), Signal::SIGKILL).unwrap();
    until("end of the lab", 10, || match labs.processes().len() {
        1 => Ok(()),
        count => Err(format!("{count} processes")),
    });
    labs.up(BUILT_IN, "one");
    assert!(labs.status("one").is_some());
}

#[test]
fn a_stopped_lab_holds_nobody_up_for_long() {
    if !can_lab() || !met(&[Requirement::Program("python3")]) {
        return;
    }
    let labs = Labs::new();
    for name in ["one", "three", "two"] {
        labs.up(BUILT_IN, name);
    }
    let stopped = ["one", "two"].map(|name| labs.holder(name));
    for holder in stopped {
        kill(holder, Signal::SIGSTOP).unwrap();
    }
    // More than wait in its queue.
    let crowd = labs.around(Command::new("/usr/bin/env"), &["python3", "-c", CROWD]);
    let mut crowd = Process::start("crowd", crowd);
    crowd.wait_stdout("full queue", Deadline::seconds(10), |seen| seen.starts_with(b"full"));
    let deadline = Deadline::seconds(10);
    let list = labs.run_to(0, &["lab", "list"]);
    assert!(!deadline.passed());
    assert!(
        list.text().starts_with("three: ") && list.text().matches(": PORT on").count() == 1,
        "{}",
        list.story()
    );
    for name in ["one", "two"] {
        let told =
            format!("{name}: the lab does not answer: nothing came within 8 s; if its process is stopped");
        assert!(list.stderr.contains(&told), "{}", list.story());
    }
    let deadline = Deadline::seconds(10);
    let exec = labs.run_to(3, &["lab", "exec", "--lab", "one", "pc", "--", "true"]);
    assert!(!deadline.passed());
    assert!(exec.stderr.starts_with("error: the lab does not answer"), "{}", exec.story());
    labs.run_to(0, &["lab", "exec", "--lab", "three", "pc", "--", "true"]);
    let down = labs.run_to(3, &["lab", "down", "--all"]);
    assert_eq!(down.text(), "three is down\n");
    assert!(
        down.stderr.contains("the lab one is not down") && down.stderr.contains("the lab two is not down")
    );

    drop(crowd);
    for holder in stopped {
        kill(holder, Signal::SIGCONT).unwrap();
    }
    // What it was asked meanwhile it does: one was not, since its queue was full.
    labs.run(&["lab", "down", "--all"]);
    labs.wait_until_gone(&std::collections::BTreeSet::new());
    assert_eq!(labs.run_to(0, &["lab", "list"]).text(), "no lab is up\n");
}

/// Connects as often as it can, and stays.
const CROWD: &str = r"
import os, resource, signal, socket
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
waiting = []
try:
    while True:
        one = socket.socket(socket.AF_UNIX)
        one.setblocking(False)
        one.connect(os.environ['XDG_RUNTIME_DIR'] + '/quirknat/one.lab')
        waiting.append(one)
except OSError:
    print('full', flush=True)
signal.pause()
";
