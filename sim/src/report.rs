//! Verdicts as lines for people.

use std::fmt::Write as _;

use crate::scenario::Verdict;

/// A line a scenario; under one that is not as expected, what was expected and what was seen.
pub fn lines(verdicts: &[Verdict]) -> String {
    let width = verdicts.iter().map(|verdict| verdict.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for verdict in verdicts {
        let mark = if verdict.as_expected { "ok  " } else { "FAIL" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{mark} {:width$}  {}", verdict.name, verdict.title);
        for (number, step) in (1..).zip(&verdict.steps).filter(|(_, step)| !step.mismatches.is_empty()) {
            let _ = writeln!(text, "     step {number}: {}", step.step);
            for mismatch in &step.mismatches {
                let _ = writeln!(text, "       {}: expected {}", mismatch.what, mismatch.expected);
                let _ = writeln!(
                    text,
                    "       {:indent$}  saw      {}",
                    "",
                    mismatch.seen,
                    indent = mismatch.what.len()
                );
            }
        }
    }
    let failed = verdicts.iter().filter(|verdict| !verdict.as_expected).count();
    let passed = verdicts.len() - failed;
    let _ = writeln!(text, "{passed} as expected, {failed} not");
    text
}
