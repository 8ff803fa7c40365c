//! Who comes to a lab's socket, and does not do as `quirknat lab` does.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::Value;

use crate::support::deadline::Deadline;
use crate::support::labs::Labs;
use crate::{BUILT_IN, can_lab};

fn connect(labs: &Labs) -> UnixStream {
    let stream = UnixStream::connect(labs.socket("lab")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// All that comes until the lab closes the connection.
fn rest(mut stream: UnixStream) -> String {
    let mut text = String::new();
    match stream.read_to_string(&mut text) {
        Ok(_) => text,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => text,
        Err(error) => panic!("{error} after {text}"),
    }
}

#[track_caller]
fn still_answers(labs: &Labs) {
    let deadline = Deadline::seconds(8);
    assert!(labs.status("lab").is_some());
    labs.run_to(0, &["lab", "exec", "pc", "--", "true"]);
    assert!(!deadline.passed());
}

#[test]
fn garbage_is_refused_and_harms_nobody() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    for line in [
        "hello\n",
        "{}\n",
        "\n",
        "{\"ask\":\"fly\"}\n",
        "\u{0}\u{1}\n",
        "[[[[[[[[\n",
        "{\"ask\":\"enter\"}\n",
    ] {
        let mut stream = connect(&labs);
        stream.write_all(line.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let answer: Value = serde_json::from_str(&rest(stream)).unwrap();
        assert_eq!(answer["answer"], "refused", "{line:?}: {answer}");
    }
    // No line: no answer, and no place taken up.
    let mut stream = connect(&labs);
    stream.write_all(b"{\"ask\":").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(stream), "");
    still_answers(&labs);
}

#[test]
fn a_request_without_end_is_cut_off() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    let mut stream = connect(&labs);
    let mut written = 0;
    // It fails once the lab has closed the connection.
    while stream.write_all(&[b'x'; 4096]).is_ok() {
        written += 4096;
        assert!(written < 64 << 20, "it takes all in");
    }
    still_answers(&labs);
    let mut stream = connect(&labs);
    stream.write_all(&[b'['; 5000]).unwrap();
    assert!(rest(stream).contains("4096 octets at most"));
}

/// Questions that come together are answered in turn.
#[test]
fn many_questions_at_once_are_all_answered() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    let mut stream = connect(&labs);
    stream.write_all("{\"ask\":\"status\"}\n".repeat(1000).as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(stream).matches("{\"answer\":\"status\"").count(), 1000);
}

/// The lab keeps no answers for somebody who takes none.
#[test]
fn who_never_reads_gets_no_more_answers() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    let mut stream = connect(&labs);
    stream.set_nonblocking(true).unwrap();
    let question = b"{\"ask\":\"status\"}\n".repeat(100);
    let deadline = Deadline::seconds(10);
    let (mut written, mut stuck) = (0, 0);
    while stuck < 20 {
        assert!(!deadline.passed() && written < 64 << 20, "it takes {written} octets of questions in");
        match stream.write(&question) {
            Ok(count) => (written, stuck) = (written + count, 0),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                stuck += 1;
                still_answers(&labs);
            }
            Err(error) => panic!("{error}"),
        }
    }
    labs.run_to(0, &["lab", "down"]);
}

#[test]
fn three_hundred_who_ask_nothing_keep_nobody_out() {
    if !can_lab() {
        return;
    }
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, soft.max(hard.min(2048)), hard).unwrap();
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    let idle: Vec<UnixStream> = (0..300).map(|_| connect(&labs)).collect();
    still_answers(&labs);
    let first = idle.into_iter().next().unwrap();
    assert!(rest(first).contains("too many ask the lab at a time"));
    let idle: Vec<UnixStream> = (0..300).map(|_| connect(&labs)).collect();
    labs.run_to(0, &["lab", "down"]);
    drop(idle);
}

/// Each connection of a program inside is one of so many; then no more programs, but questions and the end.
#[test]
fn a_lab_full_of_programs_can_be_asked_and_taken_down() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    let inside: Vec<UnixStream> = (0..256)
        .map(|_| {
            let mut stream = connect(&labs);
            stream.write_all(b"{\"ask\":\"enter\",\"host\":\"pc\"}\n").unwrap();
            let mut answer = [0; 16];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(answer, *b"{\"answer\":\"way\",");
            stream
        })
        .collect();
    let exec = labs.run_to(3, &["lab", "exec", "pc", "--", "true"]);
    assert!(exec.stderr.contains("256 programs run in the lab"), "{}", exec.story());
    assert!(labs.status("lab").is_some());
    drop(inside);
    still_answers(&labs);
    labs.run_to(0, &["lab", "down"]);
}

/// Where the lab has no descriptor left, who comes is sent away instead of knocking for ever.
#[test]
fn a_lab_without_descriptors_does_not_spin() {
    if !can_lab() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    let holder = labs.holder("lab");
    let descriptors = std::fs::read_dir(format!("/proc/{holder}/fd")).unwrap().flatten();
    let numbers: BTreeSet<u64> = descriptors.filter_map(|it| it.file_name().to_str()?.parse().ok()).collect();
    // Whoever started this test may have left it some with high numbers.
    let first_free = (0..4096).find(|number| !numbers.contains(number)).unwrap();
    let mut limit = std::process::Command::new("prlimit");
    limit.args([format!("--pid={holder}"), format!("--nofile={first_free}")]);
    if !limit.status().is_ok_and(|status| status.success()) {
        return;
    }
    let mut idle: Vec<UnixStream> = (0..40).map(|_| connect(&labs)).collect();
    // Fewer descriptors are free: the last one's connection ends without a word.
    let last = idle.pop().unwrap();
    assert_eq!(rest(last), "");
    let log = std::fs::read_to_string(labs.registry().join("lab.log")).unwrap();
    assert!((1..=40).contains(&log.lines().count()), "{log}");
    let text = std::fs::read_to_string(format!("/proc/{holder}/stat")).unwrap();
    let ticks =
        |text: &str| text.rsplit(") ").next().unwrap().split(' ').nth(11).unwrap().parse::<u64>().unwrap();
    let before = ticks(&text);
    nix::poll::poll(&mut [], 300_u16).unwrap();
    let after = ticks(&std::fs::read_to_string(format!("/proc/{holder}/stat")).unwrap());
    assert!(after - before < 10, "{} ticks of 30", after - before);
    nix::sys::signal::kill(holder, nix::sys::signal::Signal::SIGTERM).unwrap();
    labs.wait_until_gone(&BTreeSet::new());
}
