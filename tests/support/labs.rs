//! Labs that a test brings up with the program, in a registry of the test's own.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::deadline::{Deadline, until};
use super::process::{Finished, Process};
use super::scratch::Scratch;

/// Its registry, its programs' folders and the mark of its processes: all of them have its path in their environment.
pub struct Labs {
    pub scratch: Scratch,
}

impl Labs {
    pub fn new() -> Self {
        let scratch = Scratch::new();
        scratch.directory("tmp", 0o777);
        scratch.directory("runtime", 0o700);
        Self { scratch }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.around(Command::new(env!("CARGO_BIN_EXE_quirknat")), arguments)
    }

    /// Another program with the same environment.
    pub fn around(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).stdin(Stdio::null()).current_dir(self.scratch.path());
        command.env("XDG_RUNTIME_DIR", self.scratch.join("runtime")).env("TMPDIR", self.scratch.join("tmp"));
        for variable in ["RUST_LOG", "CLICOLOR", "CLICOLOR_FORCE", "SHELL"] {
            command.env_remove(variable);
        }
        command
    }

    pub fn start(&self, arguments: &[&str]) -> Process {
        Process::start(&arguments.join(" "), self.command(arguments))
    }

    pub fn run(&self, arguments: &[&str]) -> Finished {
        self.start(arguments).finish(Deadline::seconds(40))
    }

    /// Runs it, and panics where it ends with another status.
    #[track_caller]
    pub fn run_to(&self, status: i32, arguments: &[&str]) -> Finished {
        let finished = self.run(arguments);
        assert_eq!(finished.code(), Some(status), "{arguments:?} {}", finished.story());
        finished
    }

    /// Brings a built-in scenario or a file up.
    #[track_caller]
    pub fn up(&self, scenario: &str, name: &str) {
        self.run_to(0, &["lab", "up", scenario, "--name", name]);
    }

    /// How a lab stands, if it does.
    pub fn status(&self, name: &str) -> Option<Value> {
        let finished = self.run_to(0, &["lab", "list", "--json"]);
        let document: Value = serde_json::from_slice(&finished.stdout).expect("it is JSON");
        let labs = document["labs"].as_array().expect("it has labs").clone();
        labs.into_iter().find(|lab| lab["name"] == name)
    }

    /// The process that holds a lab.
    pub fn holder(&self, name: &str) -> Pid {
        let status = self.status(name).expect("the lab is up");
        Pid::from_raw(status["process"].as_i64().and_then(|id| id.try_into().ok()).expect("a process"))
    }

    pub fn socket(&self, name: &str) -> PathBuf {
        self.registry().join(format!("{name}.lab"))
    }

    pub fn registry(&self) -> PathBuf {
        self.scratch.join("runtime/quirknat")
    }

    /// The processes of these labs and of this test's commands, with their words.
    pub fn processes(&self) -> Vec<(Pid, String)> {
        let mark = self.scratch.path().as_os_str().as_bytes();
        let processes = every_process().filter(|(_, folder)| {
            fs::read(folder.join("environ")).is_ok_and(|it| it.windows(mark.len()).any(|at| at == mark))
        });
        let with_words = processes.filter_map(|(pid, folder)| {
            let words = String::from_utf8_lossy(&fs::read(folder.join("cmdline")).ok()?).replace('\0', " ");
            Some((pid, words))
        });
        with_words.collect()
    }

    /// Waits until all of these words are among the processes' words.
    #[track_caller]
    pub fn wait_for_processes(&self, words: &[&str]) {
        until("such processes", 20, || {
            let seen = self.processes();
            let there = |word: &&str| seen.iter().any(|(_, words)| words.starts_with(*word));
            if words.iter().all(there) { Ok(()) } else { Err(format!("{seen:?}")) }
        });
    }

    /// The network namespaces that these labs' processes are in, or hold, besides the machine's own.
    pub fn namespaces(&self) -> BTreeSet<String> {
        let own = own_namespace();
        let folders = self.processes().into_iter().map(|(pid, _)| PathBuf::from(format!("/proc/{pid}")));
        folders.flat_map(|folder| namespaces_of(&folder)).filter(|namespace| *namespace != own).collect()
    }

    /// Waits until no process of these labs is left, and nobody on the machine is in or holds one of the namespaces.
    #[track_caller]
    pub fn wait_until_gone(&self, namespaces: &BTreeSet<String>) {
        until("end of all processes", 20, || match self.processes() {
            left if left.is_empty() => Ok(()),
            left => Err(format!("{left:?}")),
        });
        until("end of the namespaces", 20, || {
            let left: Vec<String> = every_process()
                .flat_map(|(_, folder)| namespaces_of(&folder))
                .chain(mounted())
                .filter(|namespace| namespaces.contains(namespace))
                .collect();
            if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
        });
    }

    /// What is in the folder for temporary files.
    pub fn temporary_files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.scratch.join("tmp")).expect("it is there");
        entries.map(|entry| entry.expect("it can be read").path()).collect()
    }
}

impl Drop for Labs {
    fn drop(&mut self) {
        for (pid, _) in self.processes() {
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
}

/// The machine's own network as far as it can be read: devices, addresses, routes, rules of packet filters.
pub fn machine() -> Vec<String> {
    let mut seen: Vec<String> = fs::read_dir("/sys/class/net")
        .map(|entries| {
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        })
        .unwrap_or_default();
    seen.sort();
    for file in ["route", "fib_trie", "if_inet6", "ipv6_route", "ip_tables_names", "ip_tables_matches"] {
        let text = fs::read_to_string(Path::new("/proc/self/net").join(file)).unwrap_or_default();
        // The counters of IPv6 routes are not theirs.
        let lines = text.lines().map(|line| line.split_whitespace().take(5).collect::<Vec<_>>().join(" "));
        seen.extend(lines.map(|line| format!("{file}: {line}")));
    }
    for (program, arguments) in [("nft", &["list", "ruleset"][..]), ("iptables-save", &["-c"])] {
        let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
        seen.extend(output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    seen
}

fn own_namespace() -> String {
    fs::read_link("/proc/self/ns/net").expect("/proc is there").to_string_lossy().into_owned()
}

fn every_process() -> impl Iterator<Item = (Pid, PathBuf)> {
    let entries = fs::read_dir("/proc").expect("/proc is there").flatten();
    entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        Some((Pid::from_raw(pid), entry.path()))
    })
}

/// Of its threads and its descriptors.
fn namespaces_of(process: &Path) -> Vec<String> {
    let below = |folder: &str| fs::read_dir(process.join(folder)).into_iter().flatten().flatten();
    let threads = below("task").map(|thread| thread.path().join("ns/net"));
    let links = threads.chain(below("fd").map(|descriptor| descriptor.path()));
    let names = links.filter_map(|link| Some(fs::read_link(link).ok()?.to_string_lossy().into_owned()));
    names.filter(|name| name.starts_with("net:[")).collect()
}

fn mounted() -> Vec<String> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let roots = text.lines().filter_map(|line| line.split(' ').nth(3));
    roots.filter(|root| root.starts_with("net:[")).map(str::to_owned).collect()
}
