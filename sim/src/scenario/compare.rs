//! The same scenario on two grounds: where what was seen differs.

use super::{Mismatch, StepVerdict, Verdict};

/// One verdict of two: what was not as expected on either, and where they differ. `backends` are their names.
pub fn compare(first: Verdict, second: Verdict, [one, other]: [&str; 2]) -> Verdict {
    let mut steps = Vec::new();
    let mut second_steps = second.steps.into_iter();
    for step in first.steps {
        let Some(twin) = second_steps.next() else { break };
        steps.push(compare_steps(step, twin, [one, other]));
    }
    Verdict {
        name: first.name,
        title: first.title,
        as_expected: steps.iter().all(|step| step.mismatches.is_empty()),
        steps,
    }
}

fn compare_steps(first: StepVerdict, second: StepVerdict, [one, other]: [&str; 2]) -> StepVerdict {
    let named = |backend: &str, mismatch: Mismatch| Mismatch {
        what: format!("{} on {backend}", mismatch.what),
        ..mismatch
    };
    let mut mismatches: Vec<Mismatch> =
        first.mismatches.into_iter().map(|mismatch| named(one, mismatch)).collect();
    mismatches.extend(second.mismatches.into_iter().map(|mismatch| named(other, mismatch)));
    for seen in &first.seen {
        let there = second.seen.iter().find(|there| there.what == seen.what);
        let there = there.map_or("nothing", |there| there.was.as_str());
        if there != seen.was {
            mismatches.push(difference(&seen.what, [one, other], &seen.was, there));
        }
    }
    for seen in second.seen.iter().filter(|seen| first.seen.iter().all(|here| here.what != seen.what)) {
        mismatches.push(difference(&seen.what, [one, other], "nothing", &seen.was));
    }
    if first.cause != second.cause {
        let words = |cause: Option<crate::cause::Cause>| {
            cause.map_or_else(|| "none that could be told".to_owned(), |cause| cause.to_string())
        };
        mismatches.push(difference("cause", [one, other], &words(first.cause), &words(second.cause)));
    }
    StepVerdict { mismatches, ..first }
}

fn difference(what: &str, [one, other]: [&str; 2], here: &str, there: &str) -> Mismatch {
    Mismatch {
        what: format!("{what} on {other}"),
        expected: format!("as on {one}: {here}"),
        seen: there.to_owned(),
    }
}
