//! Every shipped scenario, simulated and in namespaces: outcome, wire text, events and tables are to agree. And what is
//! left of such a run is what Wireshark reads without a complaint.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use std::path::Path;
use std::process::{Command, Output};

use quirknat_sim::scenario::builtin;
use support::requirement::{Requirement, met};
use support::scratch::Scratch;

fn quirknat(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quirknat")).args(arguments).output().unwrap()
}

#[test]
fn every_shipped_scenario_agrees_on_both() {
    if !met(&[Requirement::Root, Requirement::Tun]) {
        return;
    }
    let output = quirknat(&["run", "--backend", "both"]);
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(report.ends_with(&format!("{} as expected, 0 not\n", builtin().len())), "{report}");
}

#[test]
fn tshark_reads_every_capture_without_a_complaint_and_finds_wires_and_comments() {
    if !met(&[Requirement::Root, Requirement::Tun, Requirement::Program("tshark")]) {
        return;
    }
    let scratch = Scratch::new();
    let out = scratch.join("out");
    let names = ["carrier-grade-nat", "port-other-untouched", "bad-line"];
    let mut arguments = vec!["run", "--backend", "both", "--out", out.to_str().unwrap()];
    arguments.extend(names);
    assert!(quirknat(&arguments).status.success());
    for name in names {
        for backend in ["sim", "netns"] {
            let capture = out.join(name).join(backend).join("capture.pcapng");
            let wires = fields(&capture, "frame.interface_name");
            assert!(wires.lines().any(|wire| wire == "home.wan"), "{name} on {backend}: {wires}");
            let comments = fields(&capture, "frame.comment");
            assert!(comments.contains("translat"), "{name} on {backend}: {comments}");
        }
    }
}

/// A field of every packet of a capture, read by tshark, which must have nothing to complain of.
fn fields(capture: &Path, field: &str) -> String {
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(capture).args(["-T", "fields", "-e", field]);
    let output = tshark.output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaints: Vec<&str> =
        complaints.lines().filter(|line| !line.starts_with("Running as user \"root\"")).collect();
    assert!(output.status.success() && complaints.is_empty(), "{}: {complaints:?}", capture.display());
    String::from_utf8_lossy(&output.stdout).into_owned()
}
