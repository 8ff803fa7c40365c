//! Programs on a lab's hosts.

use std::io::Write as _;
use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::support::deadline::Deadline;
use crate::support::labs::Labs;
use crate::support::process::Process;
use crate::{BUILT_IN, can_lab};

#[test]
fn statuses_and_streams_are_the_programs() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    let exec = |words: &[&str]| labs.run(&[&["lab", "exec", "pc", "--"], words].concat());
    let told = exec(&["sh", "-c", "echo out; echo aside >&2; exit 42"]);
    assert_eq!((told.code(), told.text().as_str(), told.stderr.as_str()), (Some(42), "out\n", "aside\n"));
    assert_eq!(exec(&["sh", "-c", "kill -9 $$"]).code(), Some(128 + 9));
    assert_eq!(exec(&["sh", "-c", "kill -15 $$"]).code(), Some(128 + 15));
    assert_eq!(exec(&["sh", "-c", "echo $QUIRKNAT_LAB $QUIRKNAT_HOST"]).text(), "lab pc\n");
    let blocked = exec(&["grep", "SigBlk", "/proc/self/status"]).text();
    assert_eq!(blocked.trim_start_matches("SigBlk:").trim(), "0".repeat(16));
    let devices = exec(&["sh", "-c", "ls /sys/class/net; grep -c : /proc/net/dev"]).text();
    assert_eq!(devices.split_whitespace().filter(|word| *word == "eth0").count(), 1, "{devices}");

    for program in ["no-such-program", "/no/such/program", "/etc/passwd", "/etc"] {
        let told = exec(&[program]);
        assert_eq!(told.code(), Some(3), "{}", told.story());
        assert!(told.stderr.starts_with("error: ") && told.stderr.contains(program), "{}", told.story());
    }
    let script = labs.scratch.write("script", "#!/no/such/interpreter\n");
    labs.scratch.set_mode("script", 0o755);
    let told = exec(&[script.to_str().unwrap()]);
    assert_eq!(told.code(), Some(3), "{}", told.story());
    assert!(told.stderr.contains("interpreter"), "{}", told.story());
}

#[test]
fn stdin_is_the_programs() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    let mut command = labs.command(&["lab", "exec", "server", "--", "wc", "-c"]);
    command.stdin(Stdio::piped());
    let mut exec = Process::start("wc", command);
    exec.stdin().write_all(&vec![b'x'; 1_000_000]).unwrap();
    assert_eq!(exec.finish(Deadline::seconds(10)).text(), "1000000\n");
}

#[test]
fn unknown_hosts_and_labs_are_told_with_what_there_is() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    let none = labs.run_to(2, &["lab", "exec", "pc", "--", "true"]);
    assert!(none.stderr.starts_with("error: no lab is up"), "{}", none.story());
    labs.up(BUILT_IN, "lab");
    let unknown = labs.run_to(2, &["lab", "exec", "servr", "--", "true"]);
    assert!(
        unknown.stderr.contains("no host `servr` in the lab lab; did you mean `server`?"),
        "{}",
        unknown.story()
    );
    let unknown = labs.run_to(2, &["lab", "exec", "--lab", "lb", "pc", "--", "true"]);
    assert!(unknown.stderr.contains("no lab called `lb` is up"), "{}", unknown.story());
}

#[test]
fn several_programs_run_at_once_and_sigterm_ends_one_of_them() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    let exec = |words: &[&str]| labs.start(&[&["lab", "exec", "pc", "--"], words].concat());
    let many: Vec<Process> =
        (0..12).map(|number| exec(&["sh", "-c", &format!("sleep 0.2; exit {number}")])).collect();
    let one = exec(&["sh", "-c", "setsid -f sleep 88885; trap '' TERM; sleep 88886"]);
    for (number, exec) in (0..).zip(many) {
        assert_eq!(exec.finish(Deadline::seconds(20)).code(), Some(number));
    }
    labs.wait_for_processes(&["sleep 88885", "sleep 88886"]);
    one.signal(Signal::SIGTERM);
    assert_eq!(one.finish(Deadline::seconds(5)).code(), Some(128 + 9));
    assert!(labs.processes().iter().all(|(_, words)| !words.starts_with("sleep")));
    let killed = exec(&["sleep", "88887"]);
    labs.wait_for_processes(&["sleep 88887"]);
    killed.signal(Signal::SIGKILL);
    crate::support::deadline::until("end of the program", 10, || {
        let left = labs.processes();
        if left.len() == 1 { Ok(()) } else { Err(format!("{left:?}")) }
    });
}

/// The same private addresses in two labs are two homes.
#[test]
fn two_labs_do_not_see_each_other() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "one");
    labs.up(BUILT_IN, "two");
    let namespace = |lab: &str, host: &str| {
        labs.run_to(0, &["lab", "exec", "--lab", lab, host, "--", "readlink", "/proc/self/ns/net"]).text()
    };
    let all = [("one", "pc"), ("one", "server"), ("two", "pc"), ("two", "server")]
        .map(|(lab, host)| namespace(lab, host));
    let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
    assert_eq!(distinct.len(), 4, "{all:?}");
    let several = labs.run_to(2, &["lab", "exec", "pc", "--", "true"]);
    assert!(several.stderr.contains("several labs are up: name one of one, two"), "{}", several.story());
}
