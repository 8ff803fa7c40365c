//! The catalogue: no claim without a scenario, no scenario of a claim without a row, no row that only looks whole.

use std::collections::BTreeMap;

use quirknat_sim::scenario::language::{Outcome, Step};
use quirknat_sim::scenario::{Scenario, builtin};

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
