//! The program under test, and scenario files for it.

use std::process::{Command, Output, Stdio};

use crate::support::scratch::Scratch;

pub(crate) const BUILT_IN: &str = include_str!("../../scenarios/port-21-rewritten.toml");

/// A command with nothing of the caller's environment that changes a report.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quirknat"));
    command.args(arguments).stdin(Stdio::null());
    for variable in ["RUST_LOG", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn quirknat(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

pub(crate) fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// A scenario with one step that is not as expected, in a title that nothing shows as it stands.
pub(crate) fn failing() -> String {
    BUILT_IN
        .replacen("title = \"", "title = \"<a> & 'b' \\u001b[31m \\u0000 \\uffff — ", 1)
        .replace("gateway = \"rewritten\"\n", "client-saw = \"<&\\\"\\u0007\\n\\\">\"\n")
        .replacen("data = \"ok\"", "data = \"failed\"", 1)
}

/// The first step alone.
fn one_step() -> &'static str {
    let (second, _) = BUILT_IN.match_indices("[[step]]").nth(1).expect("it has several steps");
    &BUILT_IN[..second]
}

/// `count` copies of a short scenario, in a folder of the scratch.
pub(crate) fn copies(scratch: &Scratch, count: usize) -> String {
    scratch.directory("many", 0o755);
    for number in 0..count {
        scratch.write(&format!("many/s{number:05}.toml"), one_step());
    }
    text(scratch, "many")
}

/// A path below the scratch, as an argument.
pub(crate) fn text(scratch: &Scratch, below: &str) -> String {
    scratch.join(below).to_str().unwrap().to_owned()
}
