//! A run's memory does not grow with the number of its scenarios. A program of its own: the system counts the memory
//! of all the processes that a test program has waited for as one.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

const BUILT_IN: &str = include_str!("../scenarios/port-21-rewritten.toml");
/// What paths and names may take, and what the allocator may do; the worlds of the scenarios more would be over 100 MiB.
const ROOM: i64 = 4 << 10;

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Plays so many copies of a scenario; the most that any child took so far, in KiB.
fn peak(copies: usize) -> i64 {
    let path = std::env::temp_dir().join(format!("quirknat-memory-{}-{copies}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    let folder = Folder(path);
    // Its first step alone is a world too.
    let (second, _) = BUILT_IN.match_indices("[[step]]").nth(1).expect("it has several steps");
    for number in 0..copies {
        std::fs::write(folder.0.join(format!("s{number:05}.toml")), &BUILT_IN[..second]).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_quirknat"));
    command.args(["run", "--json", "--jobs", "2", "--junit"]).arg(folder.0.join("junit.xml")).arg(&folder.0);
    let output = command.env_remove("RUST_LOG").stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["as_expected"], copies);
    getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss()
}

#[test]
fn forty_times_the_scenarios_take_the_same_memory() {
    let few = peak(50);
    let many = peak(2000);
    assert!(few > 1 << 10, "{few} KiB is not a process");
    assert!(many - few < ROOM, "50 scenarios took {few} KiB, 2000 took {many} KiB");
}
