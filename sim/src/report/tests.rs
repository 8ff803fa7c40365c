use super::*;
use crate::cause::Details;
use crate::scenario::Mismatch;

fn header() -> Header {
    Header { seed: 3, backend: "sim".to_owned(), total: 2, partition: Some(Partition { part: 2, of: 2 }) }
}

fn not_played() -> Entry {
    Entry::not_played(2, "bug", "the player panicked: <left> & \u{1b}[31m\nright")
}

fn assumes(steps: &[(&str, Option<&str>, bool)]) -> Entry {
    let mismatch =
        || Mismatch { what: "data".to_owned(), expected: "ok".to_owned(), seen: "failed".to_owned() };
    let steps = steps.iter().map(|(step, assumed, ok)| Step {
        step: (*step).to_owned(),
        assumed: assumed.map(str::to_owned),
        cause: None,
        details: Details::default(),
        remedies: Vec::new(),
        mismatches: if *ok { Vec::new() } else { vec![mismatch()] },
    });
    let steps: Vec<Step> = steps.collect();
    let as_expected = steps.iter().all(|step| step.mismatches.is_empty());
    let title = "what nobody says".to_owned();
    Entry { title, as_expected, error: None, steps, ..Entry::not_played(1, "quiet", "") }
}

/// What a run of this one scenario writes, and what it has written by the scenario's end.
fn written(report: impl FnOnce(&mut Vec<u8>, &dyn Fn(&mut dyn Report))) -> String {
    let mut out = Vec::new();
    report(&mut out, &|report| {
        let mut summary = Summary::default();
        summary.count(&not_played());
        report.begin(&header()).unwrap();
        report.entry(&not_played()).unwrap();
        report.end(&summary).unwrap();
    });
    String::from_utf8(out).unwrap()
}

#[test]
fn lines_say_why_a_scenario_could_not_be_played() {
    assert_eq!(
        written(|out, tell| tell(&mut Text::new(out, 5, false))),
        "FAIL bug\n     error: the player panicked: <left> & \\u{1b}[31m\n            right\n0 as expected, 1 not\n"
    );
}

#[test]
fn lines_say_what_of_an_expectation_is_assumed() {
    let line = |entry: &Entry| {
        let mut out = Vec::new();
        Text::new(&mut out, 5, false).entry(entry).unwrap();
        String::from_utf8(out).unwrap()
    };
    let why = Some("no source says it");
    assert_eq!(line(&assumes(&[("one", why, true)])), "ok   quiet  what nobody says (assumed)\n");
    assert_eq!(
        line(&assumes(&[("one", None, true), ("two", why, true)])),
        "ok   quiet  what nobody says (step 2 is assumed)\n"
    );
    assert_eq!(
        line(&assumes(&[("one", why, true), ("two", None, true), ("three", why, false)])),
        "FAIL quiet  what nobody says (steps 1, 3 are assumed)\n     step 3: three\n       assumed: no source says \
         it\n       data: expected ok\n             saw      failed\n"
    );
}

#[test]
fn documents_say_why_it_is_assumed() {
    let entry = assumes(&[("one", None, true), ("two", Some("no source says it"), true)]);
    let mut json = Vec::new();
    Json::new(&mut json).entry(&entry).unwrap();
    assert_eq!(serde_json::from_slice::<Entry>(&json[1..]).unwrap(), entry);
    let mut junit = Vec::new();
    Junit::new(&mut junit).entry(&entry).unwrap();
    let junit = String::from_utf8(junit).unwrap();
    assert!(junit.contains("<property name=\"step 2 is assumed\" value=\"no source says it\"/>"), "{junit}");
}

#[test]
fn junit_has_it_as_an_error_and_not_as_a_failure() {
    let text = written(|out, tell| tell(&mut Junit::new(out)));
    assert!(
        text.contains("<testsuite name=\"bug\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\">"),
        "{text}"
    );
    let error = "<error type=\"not played\" message=\"the player panicked: &lt;left&gt; &amp; \\u{1b}[31m\">the player \
                 panicked: &lt;left&gt; &amp; \\u{1b}[31m\nright</error>";
    assert!(text.contains(error), "{text}");
}

#[test]
fn a_json_document_reads_back_as_what_was_written() {
    let text = written(|out, tell| tell(&mut Json::new(out)));
    let document: Document = serde_json::from_str(&text).unwrap();
    let summary = Summary { as_expected: 0, not_as_expected: 1, ..Summary::default() };
    assert_eq!(document, Document { header: header(), scenarios: vec![not_played()], summary });
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn each_position_belongs_to_one_part() {
    for of in 1..20 {
        for position in 1..100 {
            assert_eq!((1..=of).filter(|&part| Partition { part, of }.has(position)).count(), 1);
        }
    }
    assert!(!Partition { part: 1, of: 0 }.has(1), "a document may say anything");
}
