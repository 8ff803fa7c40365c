//! A report as JUnit XML, for CI systems: a suite a scenario, a case a step.
//!
//! A suite must say how many of its cases failed before the first of them, so a suite is what can be written at once.
//! A case bears the scenario's name as its class: Jenkins and GitLab tell cases apart by class and name. There are no
//! times: scenarios run on a virtual clock, and the same run gives the same bytes.

use std::fmt::Write as _;
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::escape::{for_line, for_xml};
use super::{Entry, Header, Report, Step, Summary};
use crate::scenario::Mismatch;

/// Writes the file.
pub struct Junit<W: Write> {
    xml: Writer<W>,
}

impl<W: Write> Junit<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { xml: Writer::new_with_indent(out, b' ', 2) }
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        self.xml.write_event(Event::Start(element(name, attributes)))
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        self.xml.write_event(Event::Empty(element(name, attributes)))
    }

    fn close(&mut self, name: &str) -> io::Result<()> {
        self.xml.write_event(Event::End(BytesEnd::new(name)))
    }

    fn properties(&mut self, properties: &[(&str, &str)]) -> io::Result<()> {
        self.open("properties", &[])?;
        for (name, value) in properties {
            self.empty("property", &[("name", name), ("value", value)])?;
        }
        self.close("properties")
    }

    /// A case that went wrong. Readers show the message in a list, the text on a page of its own.
    fn bad_case(&mut self, class: &str, name: &str, wrong: &Wrong) -> io::Result<()> {
        self.open("testcase", &[("classname", class), ("name", name)])?;
        self.open(wrong.element, &[("type", wrong.kind), ("message", &wrong.message)])?;
        self.xml.write_event(Event::Text(BytesText::new(&for_xml(&wrong.text))))?;
        self.close(wrong.element)?;
        self.close("testcase")
    }

    fn step(&mut self, class: &str, number: usize, step: &Step) -> io::Result<()> {
        let name = format!("step {number}: {}", step.step);
        match Wrong::of(step) {
            Some(wrong) => self.bad_case(class, &name, &wrong),
            None => self.empty("testcase", &[("classname", class), ("name", &name)]),
        }
    }
}

fn element<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
    let mut element = BytesStart::new(name);
    for (key, value) in attributes {
        element.push_attribute((*key, for_xml(value).as_ref()));
    }
    element
}

/// What is said of a case that went wrong.
struct Wrong {
    element: &'static str,
    kind: &'static str,
    message: String,
    text: String,
}

impl Wrong {
    fn of(step: &Step) -> Option<Self> {
        let Step { mismatches, remedies, .. } = step;
        let first = mismatches.first()?;
        let mut message = format!("{}: expected {}, saw {}", first.what, first.expected, first.seen);
        if let more @ 1.. = mismatches.len() - 1 {
            // Writing to a string cannot fail.
            let _ = write!(message, " (and {more} more)");
        }
        let mut text = String::new();
        for Mismatch { what, expected, seen } in mismatches {
            let _ = writeln!(text, "{what}\n  expected {expected}\n  saw      {seen}");
        }
        if let Some(because) = step.because() {
            let _ = writeln!(text, "cause: {because}");
        }
        for remedy in remedies {
            let _ = writeln!(text, "what helps: {remedy}");
        }
        Some(Self { element: "failure", kind: "mismatch", message: for_line(&message).into_owned(), text })
    }

    fn error(error: &str) -> Self {
        let line = error.lines().next().unwrap_or_default().to_owned();
        Self { element: "error", kind: "not played", message: line, text: error.to_owned() }
    }
}

impl<W: Write> Report for Junit<W> {
    fn begin(&mut self, _: &Header) -> io::Result<()> {
        self.xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        self.open("testsuites", &[("name", "quirknat")])
    }

    fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        let failures = entry.steps.iter().filter(|step| !step.mismatches.is_empty()).count();
        let errors = usize::from(entry.error.is_some());
        let attributes = [
            ("name", entry.name.as_str()),
            ("tests", &(entry.steps.len() + errors + usize::from(entry.skipped.is_some())).to_string()),
            ("failures", &failures.to_string()),
            ("errors", &errors.to_string()),
            ("skipped", if entry.skipped.is_some() { "1" } else { "0" }),
        ];
        self.open("testsuite", &attributes)?;
        let assumed = (1..).zip(&entry.steps).filter_map(|(number, step)| {
            Some((format!("step {number} is assumed"), step.assumed.as_deref()?))
        });
        let assumed: Vec<(String, &str)> = assumed.collect();
        let title = [("title", entry.title.as_str())];
        let properties = title.into_iter().chain(assumed.iter().map(|(name, why)| (name.as_str(), *why)));
        self.properties(&properties.collect::<Vec<_>>())?;
        for (number, step) in (1..).zip(&entry.steps) {
            self.step(&entry.name, number, step)?;
        }
        if let Some(because) = &entry.skipped {
            self.open("testcase", &[("classname", &entry.name), ("name", "play")])?;
            self.empty("skipped", &[("message", because)])?;
            self.close("testcase")?;
        }
        if let Some(error) = &entry.error {
            self.bad_case(&entry.name, "play", &Wrong::error(error))?;
        }
        self.close("testsuite")
    }

    fn end(&mut self, _: &Summary) -> io::Result<()> {
        self.close("testsuites")?;
        self.xml.get_mut().write_all(b"\n")?;
        self.xml.get_mut().flush()
    }
}
