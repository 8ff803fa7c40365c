//! What the types cannot say: that a scenario's parts fit together. Every fault is shown where it stands.

mod actions;
mod expectations;
mod links;
mod place;
mod software;
mod steps;
mod topology;
mod transfers;

use std::ops::Range;

use quirknat_router::diagnostic::{Diagnostic, help_with_choices};
use toml::Spanned;
use toml::de::DeTable;

use super::language::Scenario;
use super::resolve::INTERNET;
use place::Part;

/// The word under which expectations are told of what wires and the public network do.
const NETWORK: &str = "network";

/// Finds the first fault. The routers' profiles must have been read.
pub(super) fn check(scenario: &Scenario, file_name: &str, text: &str) -> Result<(), Diagnostic> {
    let document =
        DeTable::parse(text).map_err(|error| Diagnostic::from_toml_error(file_name, text, &error))?;
    let check = Check { scenario, file_name, text, document: document.get_ref() };
    if scenario.title.trim().is_empty() {
        return Err(check.at_key(&[Part::Key("title")], "the title is empty: say what the scenario shows"));
    }
    check.topology()?;
    check.links()?;
    check.steps()
}

struct Check<'a> {
    scenario: &'a Scenario,
    file_name: &'a str,
    text: &'a str,
    document: &'a DeTable<'a>,
}

impl<'a> Check<'a> {
    fn whole(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.file_name, self.text, message)
    }

    fn at<T>(&self, place: &Spanned<T>, message: impl Into<String>) -> Diagnostic {
        self.span(place.span(), message)
    }

    fn span(&self, place: Range<usize>, message: impl Into<String>) -> Diagnostic {
        self.whole(message).at(place)
    }

    /// At the key that a path ends with.
    fn at_key(&self, path: &[Part<'_>], message: impl Into<String>) -> Diagnostic {
        match place::key(self.document, path) {
            Some(span) => self.span(span, message),
            None => self.whole(message),
        }
    }

    /// At the value that a path leads to.
    fn at_value(&self, path: &[Part<'_>], message: impl Into<String>) -> Diagnostic {
        match place::value(self.document, path) {
            Some(value) => self.span(value.span(), message),
            None => self.whole(message),
        }
    }

    fn unknown(&self, word: &Spanned<String>, what: &str, known: &[&str]) -> Diagnostic {
        let message = format!("unknown {what} `{}`", word.get_ref());
        let lead =
            if what.ends_with('s') { format!("{what} there is:") } else { format!("{what}s there are:") };
        let help = if known.is_empty() {
            format!("there is no {what} at all")
        } else {
            help_with_choices(word.get_ref(), &lead, known)
        };
        self.at(word, message).with_help(help)
    }

    /// Where one of the networks may stand, and the public one.
    fn networks(&self) -> Vec<&'a str> {
        self.scenario.network.keys().map(String::as_str).chain([INTERNET]).collect()
    }

    fn hosts(&self) -> Vec<&'a str> {
        self.scenario.host.keys().map(String::as_str).collect()
    }

    /// The host of that name must be there.
    fn host(&self, word: &Spanned<String>) -> Result<&'a super::language::HostSpec, Diagnostic> {
        self.scenario.host.get(word.get_ref()).ok_or_else(|| self.unknown(word, "host", &self.hosts()))
    }

    /// A network with a router must have that name.
    fn network(&self, word: &Spanned<String>) -> Result<&'a super::language::NetworkSpec, Diagnostic> {
        let known: Vec<&str> = self.scenario.network.keys().map(String::as_str).collect();
        self.scenario.network.get(word.get_ref()).ok_or_else(|| self.unknown(word, "network", &known))
    }
}

#[cfg(test)]
mod tests;
