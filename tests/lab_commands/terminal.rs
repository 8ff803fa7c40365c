//! A shell on a host, at a terminal: `script` (of util-linux) gives one.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::deadline::Deadline;
use crate::support::labs::Labs;
use crate::support::process::Process;
use crate::support::requirement::{Requirement, find_program, met};
use crate::{BUILT_IN, can_lab};

fn can_shell() -> bool {
    can_lab()
        && met(&[Requirement::Program("script"), Requirement::Program("bash"), Requirement::Program("stty")])
}

/// A command of the shell at a terminal.
fn at_terminal(labs: &Labs, command: &str) -> Process {
    let command = command.replace("quirknat", env!("CARGO_BIN_EXE_quirknat"));
    let script = Command::new(find_program("script").expect("it was asked for as a requirement"));
    let mut script = labs.around(script, &["-qec", &command, "/dev/null"]);
    let shell = find_program("bash").expect("it was asked for as a requirement");
    script.stdin(Stdio::piped()).env("SHELL", shell).env("PS1", "prompt$ ").env("HOME", labs.scratch.path());
    Process::start("script", script)
}

fn wait(terminal: &mut Process, what: &str) {
    let words = what.to_owned();
    terminal
        .wait_stdout(what, Deadline::seconds(15), move |seen| String::from_utf8_lossy(seen).contains(&words));
}

#[test]
fn a_shell_has_job_control_and_gives_the_terminal_back() {
    if !can_shell() {
        return;
    }
    let labs = Labs::new();
    labs.scratch.write(".bashrc", "PS1='prompt$ '\n");
    labs.up(BUILT_IN, "lab");
    // A script that needs the terminal afterwards: in the background it would be stopped, or read nothing.
    let mut terminal = at_terminal(
        &labs,
        "stty -a > before; quirknat lab exec pc; echo status-$?; read line; echo read-$line; stty -a > after",
    );
    let mut keys = terminal.stdin();
    wait(&mut terminal, "prompt$ ");
    keys.write_all(b"echo job-control-$-; echo on-$QUIRKNAT_HOST\n").unwrap();
    wait(&mut terminal, "on-pc");
    let flags = terminal.stdout_so_far();
    let flags = flags.split("job-control-").last().unwrap().lines().next().unwrap().to_owned();
    assert!(flags.contains('m') && flags.contains('i'), "{flags}");
    assert!(!terminal.stdout_so_far().contains("no job control"), "{}", terminal.stdout_so_far());

    keys.write_all(b"sleep 99991; echo slept-$?\n").unwrap();
    labs.wait_for_processes(&["sleep 99991"]);
    keys.write_all(b"\x03").unwrap();
    wait(&mut terminal, "^C");
    keys.write_all(b"echo alive-$((6 * 7))\n").unwrap();
    wait(&mut terminal, "alive-42");
    keys.write_all(b"sleep 99992\n").unwrap();
    labs.wait_for_processes(&["sleep 99992"]);
    keys.write_all(b"\x1a").unwrap();
    wait(&mut terminal, "Stopped");
    keys.write_all(b"kill %1; stty -echo; exit 7\n").unwrap();
    wait(&mut terminal, "status-7");
    keys.write_all(b"words\n").unwrap();
    wait(&mut terminal, "read-words");
    let finished = terminal.finish(Deadline::seconds(5));
    assert_eq!(finished.code(), Some(0), "{}", finished.story());
    let settings = ["before", "after"].map(|file| std::fs::read_to_string(labs.scratch.join(file)).unwrap());
    assert_eq!(settings[0], settings[1]);
    assert!(settings[0].contains(" echo "), "{}", settings[0]);
}

#[test]
fn ctrl_c_is_the_programs_alone() {
    if !can_shell() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    let script = "trap \"echo caught; exit 5\" INT; echo up; while :; do sleep 0.1; done";
    let mut terminal =
        at_terminal(&labs, &format!("quirknat lab exec pc -- sh -c '{script}'; echo status-$?"));
    let mut keys = terminal.stdin();
    wait(&mut terminal, "up\r\n");
    keys.write_all(b"\x03").unwrap();
    wait(&mut terminal, "caught");
    wait(&mut terminal, "status-5");
}

/// The program has the terminal in its own way when the lab goes.
#[test]
fn a_lab_that_goes_down_gives_the_terminal_back() {
    if !can_shell() {
        return;
    }
    let labs = Labs::new();
    labs.up(BUILT_IN, "lab");
    let mut terminal = at_terminal(
        &labs,
        "quirknat lab exec pc -- bash -ic 'stty raw -echo; echo up; sleep 99993'; echo status-$?; read line; echo read-$line; stty -a",
    );
    let mut keys = terminal.stdin();
    labs.wait_for_processes(&["sleep 99993"]);
    labs.run_to(0, &["lab", "down"]);
    wait(&mut terminal, "status-3");
    keys.write_all(b"words\n").unwrap();
    wait(&mut terminal, "read-words");
    let finished = terminal.finish(Deadline::seconds(5));
    assert!(
        finished.text().contains(" icanon ") && finished.text().contains(" echo "),
        "{}",
        finished.story()
    );
}
