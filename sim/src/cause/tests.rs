//! For every cause a scenario that comes to it, and the page that lists them.

use std::fmt::Write;

use super::*;
use crate::scenario::language::BackendName;
use crate::scenario::{Mismatch, Scenario, play};

mod accounts;

const PAGE: &str = include_str!("../../../docs/causes.md");

/// The scenario that comes to a cause.
fn scenario_of(cause: Cause) -> Option<Scenario> {
    let path = format!("{}/src/cause/tests/{}.toml", env!("CARGO_MANIFEST_DIR"), cause.key());
    std::path::Path::new(&path).exists().then(|| Scenario::from_file(path.as_ref()).unwrap())
}

#[test]
fn every_cause_has_a_scenario_that_comes_to_it() {
    let mut wrong = String::new();
    for cause in Cause::ALL.iter().copied() {
        let Some(scenario) = scenario_of(cause) else {
            writeln!(wrong, "{}: no scenario", cause.key()).unwrap();
            continue;
        };
        let expected = scenario.step.iter().flat_map(|step| {
            let beside = step.parallel.iter().flat_map(toml::Spanned::get_ref);
            beside.chain([step]).filter_map(|step| step.expect.cause.as_ref())
        });
        let expected: Vec<Cause> = expected.map(|cause| *cause.get_ref()).collect();
        assert_eq!(expected, [cause], "{}", cause.key());
        // Those with real programs are played by tests/lab_scenarios/causes.rs.
        if scenario.runs_only_on().is_some_and(|(backend, _)| backend == BackendName::Netns) {
            continue;
        }
        for seed in [1, 7] {
            let verdict = play(cause.key(), &scenario, seed).verdict;
            let mismatches: Vec<&Mismatch> = verdict.steps.iter().flat_map(|step| &step.mismatches).collect();
            if !mismatches.is_empty() {
                writeln!(wrong, "{}, seed {seed}: {mismatches:?}", cause.key()).unwrap();
            }
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn a_key_is_its_variant_in_small_letters() {
    for cause in Cause::ALL {
        let name = format!("{cause:?}");
        let mut kebab = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !kebab.is_empty() {
                kebab.push('-');
            }
            kebab.extend(letter.to_lowercase());
        }
        assert_eq!(cause.key(), kebab);
        assert_eq!(serde_json::to_value(cause).unwrap(), serde_json::Value::from(kebab));
    }
}

#[test]
fn the_page_is_made_from_the_list() {
    let (before, behind) = PAGE.split_once("<!-- made: causes -->\n").unwrap();
    let (_, after) = behind.split_once("<!-- end -->").unwrap();
    let mut made = format!("{before}<!-- made: causes -->\n");
    for cause in Cause::ALL {
        let scenario = format!("../sim/src/cause/tests/{}.toml", cause.key());
        write!(
            made,
            "\n### `{}`\n\n**{}.** {}\n\nFound from: {}. See: {}. [A scenario]({scenario}).\n",
            cause.key(),
            capital(&cause.to_string()),
            cause.explanation(),
            cause.found_from(),
            cause.source(),
        )
        .unwrap();
    }
    write!(made, "\n<!-- end -->{after}").unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/causes.md");
    if std::env::var_os("QUIRKNAT_UPDATE_DOCS").is_some() {
        std::fs::write(path, &made).unwrap();
    } else {
        assert!(
            PAGE == made,
            "docs/causes.md is not current: QUIRKNAT_UPDATE_DOCS=1 cargo test -p quirknat --lib cause"
        );
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
