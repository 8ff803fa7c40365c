//! A network namespace with a unique name, gone with its guard.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::process::{self, Process};

static MADE: AtomicU32 = AtomicU32::new(0);

pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes `qn-<process>-<counter>-<role>`, with its loopback up and IPv6 off: the kernel's router
    /// solicitations would be the first packets on every wire.
    pub fn new(role: &str) -> Self {
        let counter = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("qn-{}-{counter}-{role}", std::process::id());
        ip(&["netns", "add", &name]);
        let namespace = Self { name };
        namespace.enter(|| {
            for which in ["all", "default"] {
                // Absent where the kernel was built without IPv6.
                let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6"), "1");
            }
        });
        namespace.ip("link set lo up");
        namespace
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn path(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.name)
    }

    /// Does the work on a thread that has entered the namespace. Children it starts are born there.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let path = self.path();
        let entered = || {
            let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            setns(file, CloneFlags::CLONE_NEWNET).expect("a namespace of our own can be entered");
            work()
        };
        thread::scope(|scope| scope.spawn(entered).join())
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    pub fn start(&self, name: &str, command: Command) -> Process {
        self.enter(|| Process::start(name, command))
    }

    pub fn run(&self, name: &str, command: Command, seconds: u64) -> process::Finished {
        self.enter(|| process::run(name, command, seconds))
    }

    /// `ip` in this namespace, its arguments separated by spaces; panics where it fails.
    pub fn ip(&self, arguments: &str) {
        let mut all = vec!["-n", &self.name];
        all.extend(arguments.split(' '));
        ip(&all);
    }

    /// Whether the namespace has a device of that name.
    pub fn has_device(&self, device: &str) -> bool {
        self.enter(|| {
            let devices =
                fs::read_to_string("/proc/thread-self/net/dev").expect("the kernel lists its devices");
            devices.lines().any(|line| line.trim_start().starts_with(&format!("{device}:")))
        })
    }

    /// Hands a device over to another namespace and gives it its address there.
    pub fn give_device(&self, device: &str, to: &Self, cidr: &str) {
        self.ip(&format!("link set {device} netns {}", to.name));
        to.ip(&format!("addr add {cidr} dev {device}"));
        to.ip(&format!("link set {device} txqueuelen 5000 up"));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // A server's session may have left its process group; whoever lives in this namespace is ours.
        let mut list = process::command("ip");
        list.args(["netns", "pids", &self.name]);
        for pid in process::run("ip", list, 5).text().lines().filter_map(|line| line.trim().parse().ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let mut delete = process::command("ip");
        delete.args(["netns", "del", &self.name]);
        process::run("ip", delete, 5);
    }
}

fn ip(arguments: &[&str]) {
    let mut command = process::command("ip");
    command.args(arguments);
    let finished = process::run("ip", command, 10);
    assert!(finished.code() == Some(0), "ip {}: {}", arguments.join(" "), finished.story());
}
