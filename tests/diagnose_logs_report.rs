//! What `quirknat diagnose` says of each sample in `tests/logs`: a line for every one, and the whole report of some.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use support::home::program;
use support::process::{Finished, command, run};
use support::requirement::{Requirement, met};

/// The password in the samples.
const PASSWORD: &str = "Open5esame";

fn samples() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/logs"))
}

/// `quirknat diagnose`, where the samples lie, so that no machine's paths are in what it prints.
fn diagnose(arguments: &[&str]) -> Finished {
    let mut command = command("env");
    command.arg(program()).arg("diagnose").args(arguments).current_dir(samples());
    let finished = run("quirknat diagnose", command, 60);
    assert!(!finished.story().contains(PASSWORD), "{arguments:?}: {}", finished.story());
    finished
}

/// The folders of samples, by their programs.
fn programs() -> Vec<String> {
    names(&samples()).into_iter().filter(|name| !name.contains('.')).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the samples are there");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("a directory can be read").file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

fn shown(arguments: &[&str]) -> String {
    let finished = diagnose(arguments);
    format!(
        "$ quirknat diagnose {}\n{}{}exit status {}\n",
        arguments.join(" "),
        finished.text(),
        finished.stderr,
        finished.code().map_or_else(|| "none".to_owned(), |code| code.to_string())
    )
}

fn golden(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/diagnose_logs_report"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn every_sample_has_its_verdict() {
    if !met(&[Requirement::Program("env")]) {
        return;
    }
    let mut out = String::new();
    for folder in programs() {
        for name in names(&samples().join(&folder)) {
            let finished = diagnose(&[&format!("{folder}/{name}"), "--json"]);
            let report: serde_json::Value =
                serde_json::from_slice(&finished.stdout).unwrap_or_else(|error| panic!("{name}: {error}"));
            let sessions = report["sessions"].as_array().cloned().unwrap_or_default();
            let causes: Vec<String> = sessions.iter().map(verdict).collect();
            let failed = causes.iter().any(|cause| cause != "ok");
            assert_eq!(finished.code(), Some(i32::from(failed)), "{folder}/{name}: {}", finished.story());
            writeln!(out, "{folder}/{name}: {}", causes.join("; ")).expect("a string takes all");
        }
    }
    golden("verdicts", &out);
}

/// A session's cause, in its word.
fn verdict(session: &serde_json::Value) -> String {
    let word = session["cause"]["cause"].as_str().or_else(|| session["outcome"].as_str());
    word.expect("a session has an outcome").to_owned()
}

#[test]
fn a_log_of_either_end_is_explained() {
    let told: Vec<String> = [
        "curl/active-21.log",
        "curl/active-2121-refused.log",
        "curl/trace-active-2121-no-connection.log",
        "lftp/server-behind-passive.log",
        "filezilla/server-behind-passive-replaced.log",
        "tnftp/server-behind-passive.log",
        "ftplib/active-2121-refused.log",
        "winscp/server-behind-passive-replaced.log",
        "vsftpd/active-2121-no-connection.log",
        "vsftpd/server-behind-passive.log",
        "proftpd/active-2121-no-connection.log",
        "proftpd-extended/two-at-once.log",
        "pure-ftpd/active-2121-refused.log",
        "pyftpdlib/active-2121-refused.log",
        "filezilla-server/two-at-once.log",
        "transcript/article-port.log",
    ]
    .into_iter()
    .map(|sample| shown(&[sample, "--all"]))
    .collect();
    golden("one_log", &told.join("\n"));
}

#[test]
fn both_ends_logs_show_what_was_rewritten() {
    let works = shown(&["curl/active-21.log", "vsftpd/active-21.log", "--all"]);
    let refused = shown(&["curl/active-2121-refused.log", "vsftpd/clients-of-2121.log"]);
    let leaked = shown(&["vsftpd/server-behind-passive.log", "curl/server-behind-passive.log"]);
    golden("both_logs", &[works, refused, leaked].join("\n"));
}

#[test]
fn what_is_no_log_of_ftp_is_an_error_that_says_what_can_be_read() {
    let told: Vec<String> = [
        &["README.md"][..],
        &["curl/active-21.log", "--log-format", "vsftpd"],
        &["curl/active-21.log", "--log-format", "telnet"],
        &["nowhere.log"],
    ]
    .into_iter()
    .map(shown)
    .collect();
    assert!(told.iter().all(|told| told.ends_with("exit status 2\n")), "{told:?}");
    golden("errors", &told.join("\n"));
}
