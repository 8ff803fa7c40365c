//! `quirknat router` and what is around it: what it writes to files, and what it says where the machine lacks
//! something. Its packets are seen in `live_router.rs`.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use std::fs;
use std::process::Command;

use nix::sys::signal::Signal;
use support::deadline::Deadline;
use support::home::{Home, PROFILE, program};
use support::namespace::Namespace;
use support::process::{Finished, command};
use support::requirement::{LAB, Requirement, met};
use support::scratch::Scratch;

const SERVER: &str = "198.51.100.9";
const ROUTER: [&str; 7] =
    ["router", "--profile", PROFILE, "--lan", "lan0=192.168.1.1/24", "--wan", "wan0=203.0.113.7/24"];

#[track_caller]
fn told_in_one_line(ended: &Finished, words: &[&str]) {
    assert_eq!(ended.code(), Some(3), "{}", ended.story());
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.story());
    for word in words {
        assert!(ended.stderr.contains(word), "names {word:?}: {}", ended.story());
    }
}

fn ping(home: &Home, count: &str) -> Finished {
    let mut ping = command("ping");
    ping.args(["-n", "-i", "0.2", "-W", "2", "-c", count, SERVER]);
    home.client().run("ping", ping, 20)
}

#[test]
fn without_privilege_it_says_what_it_needs() {
    if met(&LAB) && met(&[Requirement::Program("setpriv")]) {
        // Where the build lies, nobody may be forbidden to look.
        let scratch = Scratch::new();
        let copy = scratch.join("quirknat");
        fs::copy(program(), &copy).expect("the scratch directory is writable");
        let mut unprivileged = command("setpriv");
        unprivileged.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy).args(ROUTER);
        let ended = Namespace::new("router").run("quirknat router", unprivileged, 10);
        told_in_one_line(&ended, &["no permission", "`lan0`", "root", "CAP_NET_ADMIN"]);
    }
}

#[test]
fn without_the_tun_driver_it_says_how_to_get_it() {
    if met(&LAB) && met(&[Requirement::Program("unshare"), Requirement::Program("sh")]) {
        // In a mount namespace of its own the device is covered by an empty folder.
        let mut covered = command("unshare");
        covered.args(["--mount", "sh", "-c", "mount -t tmpfs none /dev/net && exec \"$0\" \"$@\""]);
        covered.arg(program()).args(ROUTER);
        let ended = Namespace::new("router").run("quirknat router", covered, 10);
        told_in_one_line(&ended, &["/dev/net/tun is missing", "modprobe tun"]);
    }
}

#[test]
fn a_device_that_is_taken_away_ends_it_with_its_counters() {
    if met(&LAB) {
        let home = Home::start(1, SERVER, &[]);
        home.client().ip("link delete lan0");
        let ended = home.wait_router();
        told_in_one_line(&ended, &["interface `lan0` is gone"]);
        assert!(ended.text().contains("packets received"), "{}", ended.story());
    }
}

#[test]
fn captures_and_events_tell_of_each_packet() {
    if met(&LAB) && met(&[Requirement::Program("ping"), Requirement::Program("tshark")]) {
        let scratch = Scratch::new();
        let (capture, events) = (scratch.join("wires.pcapng"), scratch.join("events.jsonl"));
        let files = ["--pcap", capture.to_str().expect("text"), "--events", events.to_str().expect("text")];
        let mut home = Home::start(1, SERVER, &files);
        assert!(ping(&home, "1").text().contains(" 1 received"));
        assert_eq!(home.stop_router(Signal::SIGTERM).code(), Some(0));

        let mut tshark = command("tshark");
        tshark.args(["-n", "-Y", "icmp", "-T", "fields", "-E", "separator=|", "-r"]).arg(&capture);
        for field in ["frame.interface_name", "ip.src", "ip.dst", "frame.comment"] {
            tshark.args(["-e", field]);
        }
        let read = home.outside.run("tshark", tshark, 60);
        let text = read.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "request and reply on two wires each: {}", read.story());
        assert!(lines[0].starts_with("lan0|192.168.1.100|198.51.100.9|translation 1 created"), "{text}");
        assert!(lines[1].starts_with("wan0|203.0.113.7|198.51.100.9|"), "{text}");
        assert!(lines[2].starts_with("wan0|198.51.100.9|203.0.113.7|"), "{text}");
        assert!(lines[3].starts_with("lan0|198.51.100.9|192.168.1.100|"), "{text}");

        let events = fs::read_to_string(events).expect("the file was written");
        let created: Vec<serde_json::Value> = events
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is an object"))
            .filter(|event: &serde_json::Value| event["event"] == "translation-created")
            .collect();
        assert_eq!(created.len(), 1, "{events}");
        assert_eq!(created[0]["remote"], "198.51.100.9:0");
    }
}

#[test]
fn a_full_disk_is_told_and_stops_no_packet() {
    if met(&LAB) && met(&[Requirement::Program("ping")]) {
        let mut home = Home::start(1, SERVER, &["--events", "/dev/full"]);
        assert!(ping(&home, "3").text().contains(" 3 received"));
        let ended = home.stop_router(Signal::SIGTERM);
        assert_eq!(ended.code(), Some(3), "{}", ended.story());
        assert!(ended.stderr.contains("error: cannot write the events: No space left"), "{}", ended.story());
        assert!(ended.text().contains("packets forwarded"), "{}", ended.story());
    }
}

#[test]
fn a_file_that_cannot_be_made_is_told_before_it_is_ready() {
    if met(&LAB) {
        let mut impossible = Command::new(program());
        impossible.args(ROUTER).args(["--pcap", "/no/such/folder/wires.pcapng"]);
        let ended = Namespace::new("router").run("quirknat router", impossible, 10);
        told_in_one_line(&ended, &["/no/such/folder/wires.pcapng"]);
        assert!(ended.stdout.is_empty(), "{}", ended.story());
    }
}

#[test]
fn ipv6_is_counted_and_not_fatal() {
    if met(&LAB) && met(&[Requirement::Program("ping")]) {
        let mut home = Home::start(1, SERVER, &[]);
        home.client().enter(|| fs::write("/proc/sys/net/ipv6/conf/lan0/disable_ipv6", "0")).expect("our own");
        let mut solicit = command("ping");
        solicit.args(["-6", "-n", "-c", "1", "-W", "1", "ff02::2%lan0"]);
        home.client().run("ping", solicit, 10);
        assert!(ping(&home, "1").text().contains(" 1 received"));
        let ended = home.stop_router(Signal::SIGTERM);
        assert_eq!(ended.code(), Some(0), "{}", ended.story());
        assert!(ended.text().contains("packets dropped: not an IPv4 packet"), "{}", ended.story());
    }
}

#[test]
fn it_ends_in_time_whatever_the_deadline_of_its_timers() {
    if met(&LAB) {
        let mut home = Home::start(1, SERVER, &[]);
        let started = Deadline::seconds(5);
        assert_eq!(home.stop_router(Signal::SIGINT).code(), Some(0));
        assert!(!started.left().is_zero(), "an idle router ends at once");
    }
}
