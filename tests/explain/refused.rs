//! What cannot be explained: a message and a status, and nothing on stdout.

use super::quirknat;

fn refused(arguments: &[&str], status: i32, message: &str) {
    let output = quirknat(&[&["explain"], arguments].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(status), 0), "{arguments:?}: {stderr}");
    assert!(stderr.contains(message), "{arguments:?}: {stderr}");
}

#[test]
fn a_scenario_without_ftp_is_said_to_be_one() {
    refused(&["traceroute"], 2, "`traceroute` has no FTP session to explain");
}

#[test]
fn a_step_without_ftp_is_said_to_be_one() {
    refused(
        &["carrier-grade-nat", "--step", "2"],
        2,
        "step 2 of `carrier-grade-nat` is no FTP session but: udp from pc",
    );
    refused(&["carrier-grade-nat", "--step", "9"], 2, "has no step 9: its steps are 1 to 3");
    refused(&["carrier-grade-nat", "--step", "0"], 2, "has no step 0");
}

#[test]
fn what_is_no_scenario_is_refused_as_anywhere() {
    refused(&["no-such-scenario"], 2, "no-such-scenario");
    refused(&["/dev/null"], 2, "error: ");
    refused(&["port-21-rewritten", "--format", "poem"], 2, "poem");
    refused(&["port-21-rewritten", "--output", "/nowhere/at/all"], 3, "cannot write to /nowhere/at/all");
}
