//! Runs that are interrupted, whose reader goes away, or whose files cannot be written.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read as _};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::program::{command, copies, quirknat, stderr, stdout, text};
use crate::support::scratch::Scratch;

/// More than are played in the time that a signal takes.
const MANY: usize = 3000;

#[test]
fn an_interrupted_run_closes_what_it_wrote() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let scratch = Scratch::new();
        let junit = text(&scratch, "junit.xml");
        let mut child = command(&["run", "--json", "--junit", &junit, &copies(&scratch, MANY)])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut document = String::new();
        for _ in 0..3 {
            out.read_line(&mut document).unwrap();
        }
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        out.read_to_string(&mut document).unwrap();
        let output = child.wait_with_output().unwrap();

        let document: Value = serde_json::from_str(&document).unwrap();
        let played = document["scenarios"].as_array().unwrap().len();
        assert!((2..MANY).contains(&played), "{played}");
        assert_eq!(document["interrupted"], true);
        assert_eq!(document["as_expected"], played);
        let junit = std::fs::read_to_string(junit).unwrap();
        assert_eq!(junit.matches("</testsuite>").count(), played);
        assert!(junit.ends_with("</testsuites>\n"));
        assert_eq!(
            stderr(&output),
            format!("error: interrupted: {played} of {MANY} scenarios were played\n")
        );
        assert_eq!(output.status.code(), Some(3));
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let scratch = Scratch::new();
    let folder = copies(&scratch, MANY);
    let mut child = command(&["run", &folder]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("ok   s00000  "), "{line}");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_artifacts() {
    let scratch = Scratch::new();
    let junit = text(&scratch, "junit.xml");
    let mut child = command(&["run", "--junit", &junit, &copies(&scratch, 20)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    let junit = std::fs::read_to_string(junit).unwrap();
    assert_eq!(junit.matches("</testsuite>").count(), 20);
}

#[test]
fn a_file_that_goes_away_during_the_run_is_told_in_its_place() {
    const COUNT: usize = 400;
    let scratch = Scratch::new();
    let junit = text(&scratch, "junit.xml");
    let mut child = command(&["run", "--jobs", "1", "--junit", &junit, &copies(&scratch, COUNT)])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().starts_with("ok   s00000"));
    std::fs::remove_file(scratch.join("many/s00398.toml")).unwrap();
    let lines: Vec<String> = lines.skip(397).collect();
    assert_eq!(lines[0], "FAIL s00398");
    assert!(lines[1].starts_with("     error: changed since it was checked: no file `"), "{}", lines[1]);
    assert!(lines[2].starts_with("ok   s00399"), "{}", lines[2]);
    assert_eq!(lines[3], "399 as expected, 1 not");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(std::fs::read_to_string(junit).unwrap().contains("<error type=\"not played\""));
}

#[test]
fn verdicts_are_not_lost_over_a_file_that_cannot_be_written() {
    let whole = quirknat(&["run", "pasv-21", "pasv-other"]);
    for (option, place, told) in [
        ("--junit", "/dev/full", "error: cannot write to /dev/full: No space left"),
        ("--junit", "/dev/null/x", "error: cannot write to /dev/null/x: Not a directory"),
        ("--junit", "/no/such/folder/x.xml", "error: cannot write to /no/such/folder/x.xml: No such file"),
        ("--out", "/dev/null/x", "error: cannot write to /dev/null/x/pasv-21: "),
    ] {
        let output = quirknat(&["run", "pasv-21", "pasv-other", option, place]);
        assert_eq!(output.status.code(), Some(3), "{option} {place}");
        assert_eq!(stdout(&output), stdout(&whole), "{option} {place}");
        assert!(stderr(&output).starts_with(told), "{}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    }
}

#[test]
fn an_artifact_that_cannot_be_written_is_named() {
    let scratch = Scratch::new();
    scratch.directory("out/pasv-21", 0o755);
    std::os::unix::fs::symlink("/dev/full", scratch.join("out/pasv-21/events.jsonl")).unwrap();
    let output = quirknat(&["run", "pasv-21", "--out", &text(&scratch, "out")]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("out/pasv-21/events.jsonl: No space left"), "{}", stderr(&output));
    assert!(stdout(&output).ends_with("1 as expected, 0 not\n"));
}

#[test]
fn a_full_stdout_is_told_and_the_file_is_whole() {
    let scratch = Scratch::new();
    let junit = text(&scratch, "junit.xml");
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command(&["run", "pasv-21", "pasv-other", "--junit", &junit]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).starts_with("error: cannot write to stdout: No space left"),
        "{}",
        stderr(&output)
    );
    let mut text = String::new();
    File::open(junit).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text.matches("</testsuite>").count(), 2);
}
