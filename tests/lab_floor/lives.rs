//! Nothing of a program's tree is left after its end, whoever ends it and however.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use quirknat_sim::lab::Ending;

use crate::support::deadline::Deadline;
use crate::support::scratch::Scratch;
use crate::{Alone, START, can_lab, shell, wait_readable};

const GRACE: Duration = Duration::from_secs(5);

/// Seconds to sleep that nobody else sleeps: a name for processes.
fn mark() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    format!("7{:07}.{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed))
}

/// The processes with the mark among their words, anywhere on the machine.
fn marked(mark: &str) -> Vec<(Pid, String)> {
    let entries = fs::read_dir("/proc").expect("/proc is there").flatten();
    let with_words = entries.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let words = fs::read(entry.path().join("cmdline")).ok()?;
        Some((Pid::from_raw(pid), String::from_utf8_lossy(&words).replace('\0', " ")))
    });
    with_words.filter(|(_, words)| words.contains(mark)).collect()
}

/// A tree with daemons that left it, one of which listens to no signal.
fn tree(mark: &str) -> String {
    format!(
        "setsid -f sleep {mark}; setsid -f sh -c 'trap \"\" TERM; setsid -f sleep {mark}; exec sleep {mark}'; \
         echo up; exec sleep {mark}"
    )
}

fn start_tree(mark: &str) -> Alone {
    let mut alone = Alone::start(&shell(&tree(mark)));
    alone.wait_line("up");
    assert!(marked(mark).len() >= 3, "{:?}", marked(mark));
    alone
}

#[test]
fn dropping_a_program_leaves_nothing() {
    if !can_lab() {
        return;
    }
    let mark = mark();
    drop(start_tree(&mark));
    assert_eq!(marked(&mark), []);
}

#[test]
fn dropping_it_before_it_came_to_anything_leaves_nothing() {
    if !can_lab() {
        return;
    }
    let mark = mark();
    for _ in 0..10 {
        drop(Alone::start(&shell(&tree(&mark))));
        assert_eq!(marked(&mark), []);
    }
}

#[test]
fn its_own_end_takes_its_daemons_along() {
    if !can_lab() {
        return;
    }
    let mark = mark();
    let mut alone = Alone::start(&shell(&format!("setsid -f sleep {mark}; exit 5")));
    assert!(matches!(alone.outcome(START).ending, Ending::Exited(5)));
    assert_eq!(marked(&mark), []);
}

#[test]
fn orphans_are_reaped_while_it_runs() {
    if !can_lab() {
        return;
    }
    let script = "for i in 1 2 3 4 5; do setsid -f true; setsid -f sh -c 'kill -35 $$'; done
        left=1; tries=0
        while [ $left -gt 0 ] && [ $tries -lt 500 ]; do
            left=$(grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l); tries=$((tries + 1))
        done
        echo zombies $left";
    let mut alone = Alone::start(&shell(script));
    let outcome = alone.outcome(START);
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "zombies 0\n");
}

#[test]
fn sigterm_comes_first_and_its_answer_counts() {
    if !can_lab() {
        return;
    }
    let mark = mark();
    let mut obedient = start_tree(&mark);
    obedient.program.end(START, GRACE);
    assert_eq!(obedient.program.poll_timeout(), Some(START + GRACE.into()));
    let outcome = obedient.outcome(START);
    assert!(matches!(outcome.ending, Ending::Signalled(15)), "{:?}", outcome.ending);
    assert_eq!(marked(&mark), []);

    let mut tidy = Alone::start(&shell("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.1; done"));
    tidy.wait_line("up");
    tidy.program.end(START, GRACE);
    let outcome = tidy.outcome(START);
    assert!(matches!(outcome.ending, Ending::Exited(7)), "{:?}", outcome.ending);
    assert_eq!(outcome.stdout, b"up\nbye\n");
}

#[test]
fn who_ignores_sigterm_is_killed_after_the_grace() {
    if !can_lab() {
        return;
    }
    let mark = mark();
    let script = format!("trap '' TERM; echo up; sleep {mark}");
    let mut alone = Alone::start(&shell(&script));
    alone.wait_line("up");
    alone.program.end(START, GRACE);
    // Later requests do not lengthen it.
    alone.program.end(START + GRACE.into(), GRACE);
    assert!(!alone.program.poll(START + (GRACE / 2).into()));
    assert!(!marked(&mark).is_empty());
    let outcome = alone.outcome(START + GRACE.into());
    assert!(matches!(outcome.ending, Ending::Signalled(9)), "{:?}", outcome.ending);
    assert_eq!(marked(&mark), []);
}

#[test]
fn a_supervisor_hands_sigterm_on_and_cannot_be_killed_alone() {
    if !can_lab() {
        return;
    }
    for (signal, ends) in [(Signal::SIGTERM, "Signalled(15)"), (Signal::SIGKILL, "Lost")] {
        let mark = mark();
        let mut alone = start_tree(&mark);
        let outer = marked(&mark)
            .into_iter()
            .find(|(_, words)| words.contains(" supervise ") && !words.contains(" --init "))
            .expect("there is a supervisor");
        kill(outer.0, signal).unwrap();
        assert_eq!(format!("{:?}", alone.outcome(START).ending), ends);
        let deadline = Deadline::seconds(5);
        while !marked(&mark).is_empty() {
            assert!(!deadline.passed(), "{:?}", marked(&mark));
            std::thread::yield_now();
        }
    }
}

/// The process to be killed: it holds a lab and a program in it.
#[test]
#[ignore = "the test below starts it as a process of its own"]
fn a_process_with_a_program() {
    let (Ok(mark), Ok(fifo)) = (std::env::var("QUIRKNAT_MARK"), std::env::var("QUIRKNAT_FIFO")) else {
        return;
    };
    let script = format!("exec 9> {fifo}; echo up >&9; {}", tree(&mark));
    let mut alone = Alone::start(&shell(&script));
    alone.wait_line("up");
    let namespace = fs::read_link(format!("/proc/{}/ns/net", marked(&mark)[0].0)).unwrap();
    fs::write(Path::new(&fifo).with_extension("namespace"), namespace.as_os_str().as_encoded_bytes())
        .unwrap();
    fs::write(&fifo, "ready\n").unwrap();
    alone.outcome(START);
}

/// Kills it, if nobody did before.
struct Victim(Child);

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads the pipe until it has what is looked for, or until its last writer is gone.
fn read_until(fifo: &mut File, enough: impl Fn(&str) -> bool, deadline: Deadline) -> String {
    use std::os::fd::AsFd as _;
    let mut text = String::new();
    let mut buffer = [0; 256];
    while !enough(&text) {
        assert!(!deadline.passed(), "the pipe says only {text:?}");
        wait_readable([fifo.as_fd()].into_iter(), deadline.left());
        match fifo.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => text.push_str(&String::from_utf8_lossy(&buffer[..count])),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
    text
}

#[test]
fn killing_this_process_leaves_nothing() {
    if !can_lab() {
        return;
    }
    let (mark, scratch) = (mark(), Scratch::new());
    let fifo = scratch.join("fifo");
    mkfifo(&fifo, Mode::from_bits_truncate(0o600)).unwrap();
    let mut reading =
        fs::OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(&fifo).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "lives::a_process_with_a_program", "--ignored", "--nocapture"]);
    command.env("QUIRKNAT_MARK", &mark).env("QUIRKNAT_FIFO", &fifo);
    command.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
    let mut victim = Victim(command.spawn().unwrap());
    let deadline = Deadline::seconds(20);
    read_until(&mut reading, |text| text.contains("ready\n"), deadline);
    assert!(marked(&mark).len() >= 5, "{:?}", marked(&mark));
    let namespace = fs::read_to_string(fifo.with_extension("namespace")).unwrap();
    assert!(namespace.starts_with("net:["), "{namespace}");

    victim.0.kill().unwrap();
    victim.0.wait().unwrap();
    // Every process of the tree has the pipe.
    read_until(&mut reading, |_| false, deadline);
    let inside = || {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let links = entries.filter_map(|entry| fs::read_link(entry.path().join("ns/net")).ok());
        links.filter(|link| link.as_os_str() == namespace.as_str()).count()
    };
    while !marked(&mark).is_empty() || inside() > 0 {
        assert!(!deadline.passed(), "{:?} and {} in the namespace", marked(&mark), inside());
        std::thread::yield_now();
    }
}
