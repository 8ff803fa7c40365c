//! A panic in the thread of a lab, in a process that lives on.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use quirknat_sim::host::ProgramPlan;
use quirknat_sim::lab::Lab;
use quirknat_sim::net::{InternetSpec, Place, WireSpec};
use quirknat_sim::world::{World, public};

use crate::support::deadline::{Deadline, until};
use crate::support::labs::{Labs, machine};
use crate::support::process::Process;
use crate::{PROCESSES, can_lab};

/// A world with a program on a host, which is not told of the end.
fn build(lab: Lab) -> World<Lab> {
    let mut world = World::new(lab, InternetSpec::default(), 1);
    let address = public("198.51.100.9".parse().unwrap());
    let host = world.add_host("server", address, Place::Internet, &WireSpec::default()).unwrap();
    let script = "trap '' TERM; setsid -f sleep 77777; exec sleep 77778";
    let plan = ProgramPlan {
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        environment: BTreeMap::new(),
        files: BTreeMap::new(),
        time_limit: None,
        output_limit: 1000,
    };
    let now = world.now();
    world.host(host).unwrap().run(now, &plan).unwrap();
    world
}

/// Panics once a file is there, and lives on until stdin ends.
#[test]
#[ignore = "the test below starts it as a process of its own"]
fn a_process_that_panics() {
    let Some(go) = std::env::var_os("QUIRKNAT_GO").map(PathBuf::from) else { return };
    let play = move || {
        let lab = Lab::enter().unwrap().with_supervisor(PathBuf::from(env!("CARGO_BIN_EXE_quirknat")));
        let mut world = build(lab);
        let deadline = Deadline::seconds(30);
        loop {
            let soon = world.now() + smoltcp::time::Duration::from_millis(5);
            world.run_until(soon);
            assert!(!deadline.passed() && !go.exists(), "a panic in the middle");
        }
    };
    assert!(std::thread::spawn(play).join().is_err());
    fs::write(std::env::var_os("QUIRKNAT_DONE").unwrap(), "").unwrap();
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn a_panic_leaves_nothing_in_a_process_that_lives_on() {
    if !can_lab() {
        return;
    }
    let before = machine();
    let labs = Labs::new();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("QUIRKNAT_GO", labs.scratch.join("go")).env("QUIRKNAT_DONE", labs.scratch.join("done"));
    let words = ["--exact", "panic::a_process_that_panics", "--ignored", "--nocapture"];
    let mut command = labs.around(command, &words);
    command.stdin(Stdio::piped());
    let mut child = Process::start("a process that panics", command);
    labs.wait_for_processes(&PROCESSES);
    let namespaces = labs.namespaces();
    assert!(namespaces.len() >= 2, "{namespaces:?}");
    labs.scratch.write("go", "");
    until("end of the thread", 20, || {
        if labs.scratch.join("done").exists() { Ok(()) } else { Err(child.stdout_so_far()) }
    });

    let own = [child.id().try_into().unwrap()];
    let left: Vec<_> = labs.processes().into_iter().filter(|(pid, _)| !own.contains(&pid.as_raw())).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(labs.namespaces().is_empty(), "{:?}", labs.namespaces());
    let descriptors = fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap();
    let links: Vec<PathBuf> = descriptors.flatten().filter_map(|it| fs::read_link(it.path()).ok()).collect();
    assert!(!links.iter().any(|link| link == Path::new("/dev/net/tun")), "{links:?}");
    assert!(labs.temporary_files().is_empty(), "{:?}", labs.temporary_files());
    drop(child.stdin());
    let finished = child.finish(Deadline::seconds(10));
    assert!(finished.stderr.contains("a panic in the middle"), "{}", finished.story());
    assert_eq!(finished.code(), Some(0), "{}", finished.story());
    labs.wait_until_gone(&namespaces);
    assert_eq!(machine(), before);
}
