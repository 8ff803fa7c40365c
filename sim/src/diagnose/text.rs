//! The report in the terminal: a line for each session, and the details of those that failed.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::candidates::{Candidate, Comparison, Helping};
use super::diagnosis::Diagnosis;
use super::facts::Facts;
use super::material::{Material, Observed};
use super::words;
use crate::cause::Finding;
use crate::explain::wrap;
use crate::report::for_line;
use crate::session::{DataAttempt, Line, Speaker};

/// Columns of the report.
const WIDTH: usize = 80;
/// Columns before what a label stands for.
const LABEL: usize = 13;
/// Lines of a dialogue that are shown; of a longer one its beginning and its end.
const MOST_LINES: usize = 60;

/// The report. `details` says of which sessions more than a line is shown.
pub fn text(
    material: &Material,
    diagnoses: &[Diagnosis],
    coloured: bool,
    details: impl Fn(&Diagnosis) -> bool,
) -> String {
    let mut page = Page { text: String::new(), coloured };
    for source in &material.sources {
        for note in &source.notes {
            page.paragraph(0, &format!("note: {}: {note}", source.name));
        }
    }
    for diagnosis in diagnoses {
        let facts = Facts::of(material, &diagnosis.session);
        page.heading(diagnosis, &facts);
        if details(diagnosis) {
            page.details(material, diagnosis, &facts);
        }
    }
    let failed = diagnoses.iter().filter(|diagnosis| diagnosis.is_failure()).count();
    let unseen = match diagnoses.iter().filter(|diagnosis| diagnosis.is_unseen()).count() {
        0 => String::new(),
        count => format!(", {count} not to be told"),
    };
    let _ = writeln!(page.text, "{}, {failed} failed{unseen}", words::count(diagnoses.len(), "session"));
    page.text
}

struct Page {
    text: String,
    coloured: bool,
}

impl Page {
    fn style(&self, colour: AnsiColor) -> Style {
        if self.coloured { colour.on_default().bold() } else { Style::new() }
    }

    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    fn paragraph(&mut self, indent: usize, text: &str) {
        for piece in wrap(&for_line(text), WIDTH - indent) {
            self.line(&format!("{:indent$}{}", "", piece.text));
        }
    }

    /// A label, and a paragraph beside it.
    fn item(&mut self, label: &str, text: &str) {
        for (number, piece) in wrap(&for_line(text), WIDTH - 2 - LABEL).into_iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            self.line(&format!("  {label:LABEL$}{}", piece.text));
        }
    }

    fn heading(&mut self, diagnosis: &Diagnosis, facts: &Facts<'_>) {
        let (style, word) = match diagnosis.finding {
            Finding::NoFailure => (self.style(AnsiColor::Green), "ok"),
            Finding::Cause(_) => (self.style(AnsiColor::Red), "FAIL"),
            Finding::Undecided { .. } => (self.style(AnsiColor::Yellow), "FAIL"),
            Finding::Unseen { .. } => (self.style(AnsiColor::Yellow), "?"),
        };
        let number = diagnosis.number;
        let head = format!("{word:4} session {number}  ");
        let indent = head.chars().count();
        let head = format!("{style}{word:4}{style:#} session {number}  ");
        for (place, piece) in wrap(&for_line(&words::title(facts)), WIDTH - indent).into_iter().enumerate() {
            let head = if place == 0 { head.clone() } else { " ".repeat(indent) };
            self.line(&format!("{head}{}", piece.text));
        }
    }

    fn details(&mut self, material: &Material, diagnosis: &Diagnosis, facts: &Facts<'_>) {
        self.seen_by(material, diagnosis, facts);
        self.item("control", &words::control(facts));
        self.item("mode", &words::mode(facts));
        if let Some(announced) = words::announced(facts) {
            self.item("announced", &announced);
        }
        for (number, line) in words::data(facts).iter().enumerate() {
            self.item(if number == 0 { "data" } else { "" }, line);
        }
        self.line("");
        if facts.views().any(|view| !view.account.dialogue.lines.is_empty()) {
            self.dialogue(facts);
            self.line("");
        }
        match &diagnosis.finding {
            Finding::Cause(found) => {
                self.item("cause", &found.to_string());
                self.item("", found.cause.explanation());
            }
            Finding::NoFailure => self.item("cause", "nothing failed"),
            Finding::Undecided { .. } => self.item("cause", "cannot be told from this material"),
            Finding::Unseen { .. } => {
                self.item("cause", "cannot be told from this material, nor whether anything failed");
            }
        }
        for (number, wanted) in words::wanted(&diagnosis.finding, facts).iter().enumerate() {
            self.item(if number == 0 { "record too" } else { "" }, wanted);
        }
        self.candidates(diagnosis);
        self.line("");
    }

    fn seen_by(&mut self, material: &Material, diagnosis: &Diagnosis, facts: &Facts<'_>) {
        let session = &diagnosis.session;
        for (number, (place, told_by)) in session.told_by.iter().enumerate() {
            let Some(source) = material.observed.get(*place).and_then(|view| facts.source(view)) else {
                continue;
            };
            self.item(if number == 0 { "seen in" } else { "" }, &format!("{} ({told_by})", source.name));
        }
        if !session.others.is_empty() {
            let more = words::count(session.others.len(), "other view");
            self.item("", &format!("{more} of the same session"));
        }
        if let Some(apart) = words::clocks_apart(facts) {
            self.item("", &apart);
        }
        for note in facts.views().flat_map(words::notes) {
            self.item("note", &note);
        }
    }

    fn dialogue(&mut self, facts: &Facts<'_>) {
        let views: Vec<&Observed> = facts.views().collect();
        match views.as_slice() {
            [view] => self.one_dialogue(view),
            [one, other] => self.two_dialogues(one, other),
            _ => {}
        }
    }

    fn one_dialogue(&mut self, view: &Observed) {
        let entries = entries(view);
        let start = entries.iter().find_map(Entry::at);
        for entry in shortened(&entries) {
            match entry {
                Some(entry) => {
                    let text = entry.text();
                    let time = words::since(start, entry.at());
                    for (number, piece) in wrap(&for_line(&text), WIDTH - 16).into_iter().enumerate() {
                        let (time, mark) =
                            if number == 0 { (time.as_str(), entry.mark()) } else { ("", " ") };
                        self.line(&format!("  {time:>9}  {mark} {}", piece.text));
                    }
                }
                None => self.line("              …"),
            }
        }
    }

    /// Both sides' lines beside each other: as they were sent, and as they arrived. A `*` marks what differs.
    fn two_dialogues(&mut self, one: &Observed, other: &Observed) {
        const COLUMN: usize = (WIDTH - 7) / 2;
        let rows = beside(&entries(one), &entries(other));
        self.line(&format!("    {:COLUMN$} | at the server", "at the client"));
        for row in shortened(&rows) {
            let Some((left, right)) = row else {
                self.line("    …");
                continue;
            };
            let text = |entry: &Option<Entry>| entry.as_ref().map(Entry::text).unwrap_or_default();
            let mark = left.as_ref().or(right.as_ref()).map_or(" ", Entry::mark);
            let (left_text, right_text) = (text(left), text(right));
            let differs = if left_text == right_text { " " } else { "*" };
            let left_pieces = wrap(&for_line(&left_text), COLUMN);
            let right_pieces = wrap(&for_line(&right_text), COLUMN);
            for number in 0..left_pieces.len().max(right_pieces.len()) {
                let piece = |pieces: &[crate::explain::Piece]| {
                    pieces.get(number).map(|piece| piece.text.clone()).unwrap_or_default()
                };
                let (mark, differs) = if number == 0 { (mark, differs) } else { (" ", " ") };
                let (left, right) = (piece(&left_pieces), piece(&right_pieces));
                self.line(&format!(" {differs}{mark} {left:COLUMN$} | {right}"));
            }
        }
    }

    fn remedies(&mut self, remedies: &[Helping], exact: usize) {
        for (number, helping) in (1..).zip(remedies) {
            let Helping { remedy, behind } = helping;
            let some =
                if behind.len() < exact { format!("; behind {}", behind.join(", ")) } else { String::new() };
            self.item(if number == 1 { "what helps" } else { "" }, &format!("{number}. {remedy}{some}"));
        }
    }

    fn candidates(&mut self, diagnosis: &Diagnosis) {
        match &diagnosis.candidates {
            None => {}
            Some(Err(why)) => self.item("routers", &format!("cannot be compared: {why}")),
            Some(Ok(comparison)) => self.comparison(comparison),
        }
    }

    fn comparison(&mut self, comparison: &Comparison) {
        let Comparison { seen, stand_ins, routers, remedies } = comparison;
        let (exact, others): (Vec<&Candidate>, Vec<_>) =
            routers.iter().partition(|candidate| candidate.differs.is_empty());
        let seen = seen.join(", ");
        if exact.is_empty() {
            self.item("routers", &format!("no known profile does what was seen: {seen}"));
        } else {
            let names: Vec<&str> = exact.iter().map(|candidate| candidate.profile.as_str()).collect();
            self.item("routers", &format!("{} would do exactly this: {seen}", names.join(", ")));
        }
        let causes = exact.iter().filter_map(|candidate| Some((candidate.cause.clone()?, candidate)));
        for (cause, names) in by_what_they_share(causes) {
            let there = if names.len() == exact.len() { "there".to_owned() } else { names.join(", ") };
            self.item("", &format!("{there}: {cause}"));
        }
        self.remedies(remedies, exact.len());
        if !stand_ins.is_empty() && !exact.is_empty() {
            self.item("", &format!("{}: not in the material", stand_ins.join(", ")));
        }
        let differences = others.iter().map(|candidate| {
            let differs = candidate.differs.iter().map(|it| format!("{} {}", it.what, it.would_be));
            (differs.collect::<Vec<_>>().join(", "), candidate)
        });
        for (would_be, names) in by_what_they_share(differences) {
            self.item("", &format!("not {}: there {would_be}", names.join(", ")));
        }
    }
}

/// The profiles with the same to be said of them, in the order of the first.
fn by_what_they_share<'a>(
    said: impl Iterator<Item = (String, &'a &'a Candidate)>,
) -> Vec<(String, Vec<&'a str>)> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (what, candidate) in said {
        match groups.iter_mut().find(|(known, _)| *known == what) {
            Some((_, names)) => names.push(&candidate.profile),
            None => groups.push((what, vec![&candidate.profile])),
        }
    }
    groups
}

/// Something that happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Said(Line),
    Data(DataAttempt),
}

impl Entry {
    fn at(&self) -> Option<smoltcp::time::Instant> {
        match self {
            Self::Said(line) => line.at,
            Self::Data(attempt) => attempt.at,
        }
    }

    fn mark(&self) -> &'static str {
        match self {
            Self::Said(Line { by: Speaker::Client, .. }) => ">",
            Self::Said(_) => "<",
            Self::Data(_) => "=",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Said(line) => line.text.clone(),
            Self::Data(attempt) => words::attempt(attempt),
        }
    }

    /// Whether it is the same thing, as the other side has it.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Said(one), Self::Said(other)) => {
                one.by == other.by && one.verb() == other.verb() && one.code() == other.code()
            }
            (Self::Data(one), Self::Data(other)) => one.dialled_by == other.dialled_by,
            _ => false,
        }
    }
}

/// What a view has, in order of time; data connections without a time come last.
fn entries(view: &Observed) -> Vec<Entry> {
    let said = view.account.dialogue.lines.iter().cloned().map(Entry::Said);
    let mut entries: Vec<Entry> = said.collect();
    for attempt in &view.account.data {
        let later = |entry: &Entry| attempt.at.is_some_and(|at| entry.at().is_some_and(|entry| entry > at));
        let place = entries.iter().position(later).unwrap_or(entries.len());
        entries.insert(place, Entry::Data(attempt.clone()));
    }
    entries
}

type Row = (Option<Entry>, Option<Entry>);

/// Two views beside each other: what one of them has alone stands alone.
fn beside(one: &[Entry], other: &[Entry]) -> Vec<Row> {
    /// How far ahead a line's like is looked for.
    const AHEAD: usize = 20;
    let (mut rows, mut left, mut right) = (Vec::new(), 0, 0);
    while left < one.len() || right < other.len() {
        let (Some(mine), Some(theirs)) = (one.get(left), other.get(right)) else {
            rows.extend(one.get(left..).unwrap_or_default().iter().map(|entry| (Some(entry.clone()), None)));
            rows.extend(
                other.get(right..).unwrap_or_default().iter().map(|entry| (None, Some(entry.clone()))),
            );
            break;
        };
        let ahead = |list: &[Entry], from: usize, like: &Entry| {
            list.iter().skip(from).take(AHEAD).position(|entry| entry.is(like))
        };
        match (ahead(other, right, mine), ahead(one, left, theirs)) {
            (Some(0), _) => {
                rows.push((Some(mine.clone()), Some(theirs.clone())));
                (left, right) = (left + 1, right + 1);
            }
            (Some(skip), back) if back.is_none_or(|back| skip <= back) => {
                rows.push((None, Some(theirs.clone())));
                right += 1;
            }
            _ => {
                rows.push((Some(mine.clone()), None));
                left += 1;
            }
        }
    }
    rows
}

/// All of a list, or of a long one the beginning and the end, with a gap between.
fn shortened<T>(list: &[T]) -> Vec<Option<&T>> {
    if list.len() <= MOST_LINES {
        return list.iter().map(Some).collect();
    }
    let (head, tail) = (MOST_LINES / 3, MOST_LINES - MOST_LINES / 3);
    let head = list.iter().take(head).map(Some);
    head.chain([None]).chain(list.iter().skip(list.len() - tail).map(Some)).collect()
}
