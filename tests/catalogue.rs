//! The catalogue: no claim without a scenario, no scenario of a claim without a row, no row that only looks whole.

use std::collections::BTreeMap;
use std::process::Command;

use quirknat_sim::scenario::language::{Outcome, Step};
use quirknat_sim::scenario::{Scenario, builtin};
use support::scratch::Scratch;

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

const PAGE: &str = include_str!("../docs/catalogue.md");
const HEAD: &str = "| id | claim | set-up | outcome | documented | assumed |";

/// Every claim, in the catalogue's order.
const CLAIMS: [&str; 23] = [
    "two-connections",
    "port-mode",
    "pasv-mode",
    "no-command",
    "data-is-at-fault",
    "port-21-rewritten",
    "port-21-forwarded",
    "log-fools-you",
    "port-other-untouched",
    "pasv-21",
    "pasv-other",
    "no-command-behind-nat",
    "client-announces-wan",
    "client-announces-wan-unforwarded",
    "server-port-mode",
    "server-pasv-leaks",
    "server-pasv-aware",
    "server-pasv-aware-unforwarded",
    "both-21-port",
    "both-21-pasv",
    "both-other-port",
    "both-other-pasv",
    "both-other-aware",
];

/// A row of the page.
struct Row {
    id: &'static str,
    cells: Vec<&'static str>,
}

fn rows() -> Vec<Row> {
    let cells = |line: &'static str| -> Vec<&'static str> {
        line.trim_matches('|').split(" | ").map(str::trim).collect()
    };
    let lines = PAGE.lines().filter(|line| line.starts_with("| [`"));
    let row = |line| {
        let cells = cells(line);
        let id = cells[0].strip_prefix("[`").and_then(|cell| cell.split('`').next()).unwrap();
        Row { id, cells }
    };
    lines.map(row).collect()
}

/// The built-in scenarios that show a claim, by its id.
fn scenarios() -> BTreeMap<String, Scenario> {
    let read = |name, toml| Scenario::from_toml(name, toml).unwrap();
    let all = builtin().iter().map(|builtin| read(builtin.name, builtin.toml));
    all.filter_map(|scenario| Some((scenario.quirk.clone()?, scenario))).collect()
}

fn sorted(ids: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut ids: Vec<String> = ids.into_iter().map(Into::into).collect();
    ids.sort();
    ids
}

#[test]
fn every_claim_has_a_row_and_a_scenario_and_none_has_more() {
    let rows: Vec<&str> = rows().iter().map(|row| row.id).collect();
    assert_eq!(rows, CLAIMS);
    assert_eq!(sorted(scenarios().into_keys()), sorted(CLAIMS));
    assert_eq!(PAGE.matches(HEAD).count(), PAGE.matches("\n## ").count(), "each section has a table");
}

#[test]
fn every_row_is_whole_and_names_its_file() {
    for Row { id, cells } in rows() {
        assert_eq!(cells.len(), 6, "{id}: {cells:?}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{id}: {cells:?}");
        assert_eq!(cells[0], format!("[`{id}`](../scenarios/{id}.toml)"));
    }
}

#[test]
fn what_a_row_calls_assumed_its_scenario_does_and_the_other_way_round() {
    let scenarios = scenarios();
    for Row { id, cells } in rows() {
        let assumes = scenarios[id].step.iter().any(|step| step.assumed.is_some());
        assert_eq!(cells[5] != "nothing", assumes, "{id}: {}", cells[5]);
    }
}

#[test]
fn every_claim_is_judged_on_the_wire_and_every_failure_by_its_cause() {
    for (id, scenario) in scenarios() {
        let sessions: Vec<&Step> = scenario.step.iter().filter(|step| step.ftp.is_some()).collect();
        assert!(!sessions.is_empty(), "{id} has no session");
        let mut judged = false;
        for Step { expect, .. } in &sessions {
            assert_eq!(expect.control, Some(Outcome::Ok), "{id}: login works in every row");
            assert!(expect.data.is_some(), "{id}: what came of the transfer");
            assert_eq!(expect.data == Some(Outcome::Failed), expect.cause.is_some(), "{id}: a cause");
            judged |= expect.data_syn_at_client.is_some() && expect.data_syn_at_server.is_some();
            judged |= expect.client_sent.is_some() && expect.server_saw.is_some();
        }
        assert!(judged, "{id}: nothing is expected of both wires");
    }
}

/// Of `data-is-at-fault` the report is the evidence: which of the two connections, and why; never a time-out alone.
#[test]
fn a_report_tells_the_two_connections_apart_and_says_the_cause() {
    let fails = include_str!("../scenarios/data-is-at-fault.toml");
    let steps = fails.matches("data = \"failed\"").count();
    let folder = Scratch::new();
    let wanted = folder.write("wanted.toml", fails.replace("data = \"failed\"", "data = \"ok\""));
    let report = printed(&["run", wanted.to_str().unwrap()]);
    assert!(steps >= 3 && !report.contains("control: expected"), "{report}");
    assert_eq!(report.matches("       data: expected ok\n").count(), steps, "{report}");
    assert_eq!(report.matches("       cause: ").count(), steps, "{report}");
    let explained = printed(&["explain", "data-is-at-fault"]);
    let told = explained.matches("control connection ok, data connection failed").count();
    assert_eq!((told, explained.matches("\nWhy it failed\n").count()), (steps, steps), "{explained}");
}

fn printed(arguments: &[&str]) -> String {
    let mut quirknat = Command::new(env!("CARGO_BIN_EXE_quirknat"));
    let output = quirknat.args(arguments).env_remove("RUST_LOG").output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
