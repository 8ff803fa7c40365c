//! Real programs: as steps, and on hosts from beginning to end.

use quirknat_sim::scenario::PlayError;

use crate::support::requirement::{Requirement, met};
use crate::{assert_as_expected, at_home, can_lab, in_lab, simulated, try_in_lab};

#[test]
fn curl_fetches_a_file_in_active_mode() {
    if !can_lab() || !met(&[Requirement::Program("curl")]) {
        return;
    }
    let text = at_home(
        r#"
[[step]]
run = { on = "pc", server = "server", command = ["curl", "-sS", "--disable-eprt", "--ftp-port", "-", "ftp://198.51.100.9/readme.txt", "-o", "{dir}/got"] }
expect = { outcome = "ok", status = 0, gateway = "rewritten", data-syn-at-client = "198.51.100.9:20 > 192.168.1.100:*", data-syn-at-server = "198.51.100.9:20 > 203.0.113.7:*", client-sent = "RETR readme.txt", server-saw = "RETR readme.txt" }
"#,
    )
    .replace("[host.server]", "[host.server]\nftp-server = { port = 21 }");
    assert_as_expected(&in_lab(&text));
    let wrong = text.replace("gateway = \"rewritten\"", "gateway = \"silent\"");
    let verdict = in_lab(&wrong);
    assert_eq!(verdict.steps[0].mismatches.len(), 1, "{verdict:?}");
}

#[test]
fn status_output_folder_variables_and_time_are_the_steps() {
    if !can_lab() {
        return;
    }
    assert_as_expected(&in_lab(&at_home(
        r#"
[[step]]
run = { on = "pc", command = ["sh", "-c", "cat below/x \"$MINE\"; pwd; echo aside >&2; exit 3"], files = { "below/x" = "here\n", y = "in {dir}\n" }, environment = { MINE = "{dir}/y" } }
expect = { outcome = "failed", status = 3, stdout = "here*in /*/quirknat-*", stderr = "aside" }

[[step]]
run = { on = "pc", command = ["sleep", "1000"], time-limit = "100ms" }
expect = { outcome = "failed" }
"#,
    )));
}

#[test]
fn what_does_not_start_is_no_program_that_failed() {
    if !can_lab() {
        return;
    }
    for (step, words) in [
        (r#"command = ["no-such-program"]"#, "no-such-program"),
        (r#"command = ["true"], files = { "../x" = "" }"#, "../x"),
    ] {
        let text = format!("[[step]]\nrun = {{ on = \"pc\", {step} }}\nexpect = {{ outcome = \"failed\" }}");
        let verdict = in_lab(&at_home(&text));
        let mismatches = &verdict.steps[0].mismatches;
        assert!(mismatches.len() == 1 && mismatches[0].seen.contains(words), "{mismatches:?}");
    }
}

const SERVER: &str = r#"import os, signal, socket, sys
here = socket.create_server(("", int(sys.argv[1])))
while True:
    there, peer = here.accept()
    there.sendall(open(sys.argv[2], "rb").read() + peer[0].encode() + b"\n")
    there.close()
"#;

fn with_server(program: &str) -> String {
    let step = r#"
[[step]]
run = { on = "pc", command = ["python3", "-c", "import socket; s = socket.create_connection(('198.51.100.9', 8000)); print(s.makefile().read())"] }
expect = { status = 0, stdout = "hello from 203.0.113.7*" }
"#;
    let program = format!("[host.server]\nprogram = [{{ {program} }}]");
    let text = at_home(step).replace("[host.server]", &program);
    text.replace("SERVER", &toml_text(SERVER))
}

fn toml_text(text: &str) -> String {
    format!("{text:?}")
}

#[test]
fn a_hosts_program_is_awaited_and_answers() {
    if !can_lab() || !met(&[Requirement::Program("python3")]) {
        return;
    }
    let program = r#"command = ["python3", "{dir}/server.py", "8000", "{dir}/greeting"], files = { "server.py" = SERVER, greeting = "hello from " }, listens = 8000"#;
    assert_as_expected(&in_lab(&with_server(program)));
}

#[test]
fn a_hosts_program_that_ends_before_it_listens_is_told_with_its_stderr() {
    if !can_lab() {
        return;
    }
    let program = r#"command = ["sh", "-c", "echo no such luck >&2; exit 7"], listens = 8000"#;
    let Err(error) = try_in_lab(&with_server(program)) else { panic!("it was played") };
    assert!(matches!(&error, PlayError::Ended { port: 8000, .. }), "{error}");
    let words = error.to_string();
    assert!(words.contains("status 7") && words.contains("no such luck"), "{words}");
}

#[test]
fn a_hosts_program_that_is_not_there_is_told() {
    if !can_lab() {
        return;
    }
    let Err(error) = try_in_lab(&with_server(r#"command = ["no-such-program"]"#)) else {
        panic!("it was played")
    };
    assert!(matches!(&error, PlayError::Start { .. }), "{error}");
    assert!(error.to_string().contains("no-such-program"), "{error}");
}

#[test]
fn a_simulated_host_runs_no_programs_and_says_so() {
    let step = "[[step]]\nrun = { on = \"pc\", command = [\"true\"] }\nexpect = { outcome = \"ok\" }";
    for text in [at_home(step), with_server("command = [\"true\"]")] {
        let verdict = simulated(&text);
        assert!(!verdict.as_expected);
        assert!(verdict.steps[0].mismatches[0].seen.contains("--backend netns"), "{verdict:?}");
    }
}
