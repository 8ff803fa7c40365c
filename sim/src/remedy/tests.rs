//! What is offered was tried and works; what does not work is not offered.

use std::fmt::Write;

use super::*;
use crate::cause::Details;
use crate::compatibility::{ARTICLE_PROFILE, Cell};
use crate::scenario::language::BackendName;

/// The scenarios that come to the causes, each with its failed step's place and cause.
fn failures() -> Vec<(&'static str, Scenario, usize, Found)> {
    let mut failures = Vec::new();
    for cause in Cause::ALL {
        let path = format!("{}/src/cause/tests/{}.toml", env!("CARGO_MANIFEST_DIR"), cause.key());
        let scenario = Scenario::from_file(path.as_ref()).unwrap();
        if scenario.runs_only_on().is_none_or(|(backend, _)| backend == BackendName::Sim) {
            let (position, found) = failure(&scenario, *cause);
            failures.push((cause.key(), scenario, position, found));
        }
    }
    failures
}

fn failure(scenario: &Scenario, cause: Cause) -> (usize, Found) {
    let steps = play("failure", scenario, 1).verdict.steps;
    let position = steps.iter().position(|step| step.cause == Some(cause)).unwrap();
    (position, Found { cause, details: steps[position].details.clone() })
}

#[test]
fn what_helps_after_each_cause() {
    let mut told = String::new();
    for (key, scenario, position, found) in failures() {
        writeln!(told, "{key}").unwrap();
        for remedy in suggest(&scenario, position, &found, 1) {
            writeln!(told, "    {remedy}").unwrap();
        }
    }
    insta::assert_snapshot!(told);
}

/// Whatever the seed: a remedy that is offered lets the transfer through, and the same change with the same seed again.
#[test]
fn what_is_offered_works_with_other_seeds_too() {
    let mut offered = 0;
    for (key, scenario, position, found) in failures() {
        let scenario = scenario.up_to(position);
        let tries = measures::of(&Failed { scenario: &scenario, position, found: &found });
        assert!(tries.len() <= TRIED, "{key}: {}", tries.len());
        let suggested = suggest(&scenario, position, &found, 1);
        for change in tries.iter().filter(|change| suggested.contains(&change.remedy)) {
            assert!(change.scenario.can_be_built(), "{key}: {}", change.remedy);
            for seed in [1, 7] {
                assert!(transfers(&change.scenario, position, seed), "{key}, seed {seed}: {}", change.remedy);
            }
            offered += 1;
        }
        assert!(!transfers(&scenario, position, 1), "{key}: nothing is to be mended");
        assert_eq!(suggest(&scenario, position, &found, 1), suggested, "{key}");
    }
    assert!(offered > 50, "{offered}");
}

#[test]
fn what_would_not_help_is_not_offered() {
    let text = include_str!("../cause/tests/control-port-not-watched.toml");
    let useless = |text: &str| {
        let scenario = Scenario::from_toml("useless.toml", text).unwrap();
        let (position, found) = failure(&scenario, Cause::ControlPortNotWatched);
        let remedies = suggest(&scenario, position, &found, 1);
        remedies.iter().map(|remedy| remedy.text.clone()).collect::<Vec<_>>()
    };
    let has = |remedies: &[String], word: &str| remedies.iter().any(|text| text.contains(word));
    assert!(has(&useless(text), "use PASV") && has(&useless(text), "on port 21"));
    // A router with room for the control connection alone.
    let full =
        text.replace("wan = \"203.0.113.7\"", "wan = \"203.0.113.7\", set = { \"table.translations\" = 1 }");
    assert!(!has(&useless(&full), "use PASV"), "{:?}", useless(&full));
    // A server without PASV and EPSV.
    let lacking = text.replace("port = 2121", "port = 2121, lacks = [\"pasv\", \"epsv\"]");
    assert!(!has(&useless(&lacking), "use PASV"), "{:?}", useless(&lacking));
    assert!(has(&useless(&lacking), "on port 21"));
    // A gateway that watches, and rewrites nothing of a PORT.
    let forwards =
        text.replace("wan = \"203.0.113.7\"", "wan = \"203.0.113.7\", set = { \"forwards.entries\" = 0 }");
    assert!(!has(&useless(&forwards), "and forward"), "{:?}", useless(&forwards));
}

#[test]
fn every_failure_of_the_article_has_what_helps() {
    let mut told = String::new();
    let cells = Cell::all(ARTICLE_PROFILE).into_iter().filter(Cell::awareness_applies);
    for cell in cells {
        let scenario = Scenario::from_toml("cell.toml", &cell.to_toml()).unwrap();
        let verdict = play("cell", &scenario, 0).verdict;
        let Some(position) = verdict.steps.iter().position(|step| step.cause.is_some()) else { continue };
        let (cause, details) =
            (verdict.steps[position].cause.unwrap(), verdict.steps[position].details.clone());
        let remedies = suggest(&scenario, position, &Found { cause, details }, 0);
        assert!(!remedies.is_empty(), "{cell}: {}", cause.key());
        writeln!(told, "{cell} {}", cause.key()).unwrap();
        for remedy in remedies {
            writeln!(told, "    {remedy}").unwrap();
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn where_the_network_is_not_at_fault_nothing_is_tried() {
    let scenario =
        Scenario::from_toml("file.toml", include_str!("../cause/tests/file-refused.toml")).unwrap();
    let found = Found { cause: Cause::FileRefused, details: Details::default() };
    assert_eq!(suggest(&scenario, 1, &found, 1), []);
    assert_eq!(suggest(&scenario, 99, &Cause::DataPortNotForwarded.into(), 1), []);
}
