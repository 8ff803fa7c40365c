//! The floor of the namespace lab: hosts whose packets this test moves by hand, and programs on them.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

#[path = "lab_floor/hosts.rs"]
mod hosts;
#[path = "lab_floor/lives.rs"]
mod lives;
#[path = "lab_floor/programs.rs"]
mod programs;

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use quirknat_router::device::Tun;
use quirknat_sim::lab::{Namespace, Nowhere, Program, ProgramError, ProgramOutcome, ProgramSpec, open_host};
use smoltcp::time::Instant;
use smoltcp::wire::Ipv4Cidr;
use support::deadline::Deadline;
use support::requirement::{Requirement, met};

/// A program's time in these tests stands still unless a test moves it.
const START: Instant = Instant::from_millis_const(1000);

fn can_lab() -> bool {
    met(&[Requirement::Root, Requirement::Tun])
}

fn cidr(text: &str) -> Ipv4Cidr {
    text.parse().expect("an address and a prefix length")
}

fn host(nowhere: &Nowhere, address: &str) -> (Namespace, Tun) {
    open_host(nowhere, "eth0", cidr(address), 1500).expect("root can make a host")
}

fn supervisor() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_quirknat"))
}

fn spec(argv: &[&str]) -> ProgramSpec {
    ProgramSpec {
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        environment: Vec::new(),
        directory: "/".into(),
        time_limit: None,
        output_limit: 100_000,
    }
}

fn shell(script: &str) -> ProgramSpec {
    spec(&["sh", "-c", script])
}

/// A host without neighbours, and a program on it.
struct Alone {
    // Dropped in this order.
    program: Program,
    _host: (Namespace, Tun),
}

impl Alone {
    fn start(spec: &ProgramSpec) -> Self {
        Self::try_start(spec).unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_start(spec: &ProgramSpec) -> Result<Self, ProgramError> {
        let nowhere = Nowhere::enter().expect("root can leave the machine's network");
        let host = host(&nowhere, "192.0.2.1/24");
        let program = Program::spawn(&host.0, spec, supervisor(), START)?;
        Ok(Self { program, _host: host })
    }

    /// Polls at this time until the condition holds.
    fn poll_until(&mut self, now: Instant, what: &str, condition: impl Fn(&Program) -> bool) {
        let deadline = Deadline::seconds(10);
        while !condition(&self.program) {
            let text = String::from_utf8_lossy(self.program.stderr()).into_owned();
            assert!(!deadline.passed() && !self.program.poll(now), "no {what}; stderr: {text}");
            if !condition(&self.program) {
                wait_readable(self.program.descriptors(), deadline.left());
            }
        }
    }

    fn wait_line(&mut self, line: &str) {
        self.poll_until(START, line, |program| {
            String::from_utf8_lossy(program.stdout()).lines().any(|seen| seen == line)
        });
    }

    /// Polls at this time until it has ended.
    fn outcome(&mut self, now: Instant) -> &ProgramOutcome {
        let deadline = Deadline::seconds(10);
        while !self.program.poll(now) {
            assert!(!deadline.passed(), "the program does not end");
            wait_readable(self.program.descriptors(), deadline.left());
        }
        self.program.outcome().expect("poll said that it ended")
    }
}

/// A program that has ended by itself.
fn run(spec: &ProgramSpec) -> Alone {
    let mut alone = Alone::start(spec);
    alone.outcome(START);
    alone
}

fn wait_readable<'fd>(descriptors: impl Iterator<Item = BorrowedFd<'fd>>, at_most: Duration) {
    let mut waiting: Vec<_> = descriptors.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    let timeout = PollTimeout::try_from(at_most.min(Duration::from_secs(10))).expect("a short wait");
    poll(&mut waiting, timeout).expect("descriptors can be waited on");
}
