//! What only a terminal shows: colours and the progress line. `script` (of util-linux) gives a terminal.

use std::process::{Command, Stdio};

use super::program::{copies, failing, quirknat, stderr, stdout, text};
use crate::support::requirement::{Requirement, find_program, met};
use crate::support::scratch::Scratch;

const GREEN_OK: &str = "\u{1b}[1m\u{1b}[32mok\u{1b}[0m   pasv-21  ";
const CLEAR: &str = "\r\u{1b}[K";

/// Runs a shell's line with stdout and stderr on one terminal; gives what the terminal got.
fn on_terminal(line: &str, environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(find_program("script").expect("it was asked for as a requirement"));
    let line = format!("{} {line}", env!("CARGO_BIN_EXE_quirknat"));
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).stdin(Stdio::null());
    command.env("TERM", "xterm").envs(environment.iter().copied());
    // A CI system shows colours whatever its terminal can do, and says so with CI.
    for variable in ["RUST_LOG", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        if environment.iter().all(|(name, _)| *name != variable) {
            command.env_remove(variable);
        }
    }
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    if !met(&[Requirement::Program("script")]) {
        return;
    }
    assert!(on_terminal("run pasv-21", &[]).starts_with(GREEN_OK));
    for environment in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        assert!(on_terminal("run pasv-21", &[environment]).starts_with("ok   pasv-21  "), "{environment:?}");
    }
    assert!(on_terminal("run --color never pasv-21", &[]).starts_with("ok   pasv-21  "));
    assert!(on_terminal("--color always run pasv-21", &[("NO_COLOR", "1")]).starts_with(GREEN_OK));
}

#[test]
fn colours_in_a_pipe_are_for_those_who_ask() {
    let scratch = Scratch::new();
    let file = scratch.write("bad.toml", failing());
    let file = file.to_str().unwrap();
    assert!(stdout(&quirknat(&["run", "pasv-21", "--color", "always"])).starts_with(GREEN_OK));
    let bad = quirknat(&["run", file, "--color=always"]);
    assert!(stdout(&bad).starts_with("\u{1b}[1m\u{1b}[31mFAIL\u{1b}[0m bad  "), "{:?}", stdout(&bad));
    assert!(!stdout(&quirknat(&["run", file])).contains('\u{1b}'));
    assert!(!stdout(&quirknat(&["run", file, "--json", "--color", "always"])).contains('\u{1b}'));
    assert_eq!(quirknat(&["run", "--color", "mauve"]).status.code(), Some(2));
}

#[test]
fn a_mistake_in_a_file_is_coloured_likewise() {
    let scratch = Scratch::new();
    let file = scratch.write("wrong.toml", "title = 1");
    let file = file.to_str().unwrap();
    let (plain, coloured) = (quirknat(&["run", file]), quirknat(&["run", file, "--color", "always"]));
    assert!(stderr(&plain).starts_with("error: ") && !stderr(&plain).contains('\u{1b}'));
    assert!(stderr(&coloured).starts_with("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m "), "{:?}", stderr(&coloured));
    assert!(stderr(&coloured).contains("\u{1b}[1m\u{1b}[91m^"), "{:?}", stderr(&coloured));
}

#[test]
fn a_long_run_shows_its_progress_and_takes_it_away() {
    if !met(&[Requirement::Program("script")]) {
        return;
    }
    let scratch = Scratch::new();
    let is_long = |(_, shown): &(usize, String)| shown.contains(" not as expected, 0:01");
    let play = |count: usize| {
        let folder = copies(&scratch, count);
        scratch.write("many/s00000.toml", failing());
        (count, on_terminal(&format!("run --jobs 1 --color never {folder}"), &[]))
    };
    // How many take longer than a second depends on the machine and on how the program was built.
    let (count, shown) =
        [250, 1000, 4000, 16000].into_iter().map(play).find(is_long).expect("a progress line");
    assert!(shown.contains(&format!("/{count} played, 1 not as expected, 0:01")), "{shown}");
    // What a person has on the screen in the end: of each line, what came after it was cleared.
    let left: Vec<&str> =
        shown.lines().map(|line| line.rsplit(CLEAR).next().unwrap_or_default().trim_end()).collect();
    assert_eq!(left.last().copied(), Some(format!("{} as expected, 1 not", count - 1).as_str()));
    assert!(left.iter().all(|line| !line.contains("played")), "{left:?}");
    let results = left.iter().filter(|line| line.starts_with("ok   s") || line.starts_with("FAIL s"));
    assert_eq!(results.count(), count);
    // The same in a pipe is silent.
    let out = text(&scratch, "out.txt");
    let piped = on_terminal(&format!("run --jobs 1 {} 2>&1 > {out} | cat", text(&scratch, "many")), &[]);
    assert_eq!(piped, "");
}
