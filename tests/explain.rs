//! `quirknat explain` as its user meets it: the forms, what they show of what crossed, and what cannot be explained.

#[path = "explain/forms.rs"]
mod forms;
#[path = "explain/page.rs"]
mod page;
#[path = "explain/refused.rs"]
mod refused;
#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use std::process::{Command, Output};

fn quirknat(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quirknat"));
    command.args(arguments).env_remove("RUST_LOG").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command.output().unwrap()
}

/// What `explain` says of a scenario that is as expected.
fn explained(arguments: &[&str]) -> String {
    let output = quirknat(&[&["explain"], arguments].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), stderr.as_ref()), (Some(0), ""), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}
