//! The picture as one page that needs nothing else: light and dark, on a phone and on paper. Every cell leads to what is
//! told of it further down. What is shown can be narrowed to a cause or to what the article speaks of, by style alone.
//! The page's frame is `templates/matrix.html`; what it says is made here.

use askama::Template;

use super::coordinates::{Aware, Behind, ControlPort, Coordinate};
use super::document::{Document, ProfileNamed};
use super::entry::{Announced, Entry, Works};
use super::sign::{
    DIFFERS, FAILS, Kind, NOT_PLAYED, SAME, Sign, UNSPOKEN, WORKS, behind_name, called, cells, mode_name,
};
use crate::report::for_line;
use crate::scenario::language::Mode;

/// The document as a page. With `pages`, each cell has a page of its own in the folder `cells`.
///
/// # Errors
/// Where the template cannot be rendered, which only a mistake in it can bring about.
pub fn html(document: &Document, pages: bool) -> Result<String, askama::Error> {
    Page::new(document, pages).render()
}

#[derive(Template)]
#[template(path = "matrix.html")]
struct Page {
    names: String,
    style: &'static str,
    script: &'static str,
    ports: Vec<&'static str>,
    awareness: Vec<&'static str>,
    choices: Vec<Choice>,
    pictures: Vec<Picture>,
    causes: Vec<CauseLine>,
    legend: Vec<LegendItem>,
    mismatches: Vec<MismatchLine>,
    version: &'static str,
    backend: String,
    seed: u64,
}

/// What can be chosen to be seen, and the class of what stays in sight then: what is not of it fades in the picture, and
/// is gone from the list.
struct Choice {
    words: String,
    class: String,
}

/// A profile's cells, in the picture and in the list.
struct Picture {
    called: String,
    title: String,
    groups: Vec<Group>,
}

/// Those with the same ends behind a router.
struct Group {
    behind: &'static str,
    rows: Vec<Row>,
    cells: Vec<Told>,
}

struct Row {
    mode: String,
    tiles: Vec<Tile>,
}

/// A cell in the picture.
struct Tile {
    class: String,
    /// What of the list it leads to.
    target: String,
    title: String,
    sign: String,
    notes: String,
}

/// A cell in the list.
struct Told {
    class: String,
    tag: &'static str,
    sign: String,
    place: String,
    why: String,
    anchor: String,
    facts: Vec<Fact>,
    remedies: Vec<String>,
    page: Option<String>,
    command: String,
    scenario: String,
}

/// One thing seen of a session: in pieces, each with whether it is marked.
struct Fact {
    what: &'static str,
    is_code: bool,
    pieces: Vec<(String, bool)>,
}

struct CauseLine {
    sign: String,
    key: &'static str,
    cells: String,
    because: String,
    explanation: &'static str,
}

struct LegendItem {
    class: &'static str,
    mark: &'static str,
    words: &'static str,
}

struct MismatchLine {
    name: String,
    what: String,
    expected: String,
    seen: String,
}

impl Page {
    fn new(document: &Document, pages: bool) -> Self {
        let names: Vec<String> = document.profiles.iter().map(called).collect();
        Self {
            names: names.join(", "),
            style: include_str!("../../templates/matrix.css"),
            script: include_str!("../../templates/matrix.js"),
            ports: ControlPort::ALL.iter().map(|port| port.word()).collect(),
            awareness: Aware::ALL.iter().map(|aware| aware.word()).collect(),
            choices: choices(document),
            pictures: document.profiles.iter().map(|profile| picture(document, profile, pages)).collect(),
            causes: causes(document),
            legend: legend(document),
            mismatches: mismatches(document),
            version: env!("CARGO_PKG_VERSION"),
            backend: document.backend.clone(),
            seed: document.seed,
        }
    }
}

fn choices(document: &Document) -> Vec<Choice> {
    let choice = |words: String, class: &str| Choice { words, class: class.to_owned() };
    let mut choices = vec![choice(format!("{WORKS} works"), "works")];
    for (number, cause) in (1..).zip(&document.causes) {
        choices.push(choice(format!("{FAILS}{number} {}", cause.key()), &format!("cause-{number}")));
    }
    if document.cells.iter().any(|entry| !entry.assumed) {
        choices.push(choice("what the article speaks of".to_owned(), "spoken"));
    }
    if document.profiles.len() > 1 {
        choices.push(choice(format!("{DIFFERS} differs from the first profile"), "differs"));
    }
    choices
}

fn picture(document: &Document, profile: &ProfileNamed, pages: bool) -> Picture {
    let group = |behind: Behind| {
        let own = document.of(profile).filter(|entry| entry.behind == behind && entry.same_as.is_none());
        Group {
            behind: behind_name(behind),
            rows: Mode::ALL.iter().map(|mode| row(document, profile, behind, *mode)).collect(),
            cells: own.map(|entry| told(document, entry, pages)).collect(),
        }
    };
    Picture {
        called: called(profile),
        title: shown(&profile.title),
        groups: Behind::ALL.iter().map(|behind| group(*behind)).collect(),
    }
}

fn row(document: &Document, profile: &ProfileNamed, behind: Behind, mode: Mode) -> Row {
    let places = ControlPort::ALL.iter().flat_map(|port| Aware::ALL.iter().map(move |aware| (*port, *aware)));
    let entries = places.filter_map(|(port, aware)| document.at(profile, (behind, port, mode, aware)));
    Row { mode: mode_name(mode), tiles: entries.map(|entry| tile(document, entry)).collect() }
}

/// A cell's sign, leading to what is told of it, or of the cell whose scenario it shares.
fn tile(document: &Document, entry: &Entry) -> Tile {
    let sign = Sign::of(document, entry);
    let title = match &entry.outcome.because {
        Some(because) => format!("{}: {because}", entry.title),
        None => entry.title.clone(),
    };
    Tile {
        class: class(entry, sign),
        target: document.anchor(&entry.cell.essence()),
        title: shown(&title),
        sign: sign.main(),
        notes: format!("{}{}", sign.unspoken(), sign.other()),
    }
}

/// What a cell is, for style and choices.
fn class(entry: &Entry, sign: Sign) -> String {
    let mut class = match sign.kind {
        Kind::Works => "works".to_owned(),
        Kind::Fails(number) => format!("fails cause-{number}"),
        Kind::NotPlayed => "fails".to_owned(),
        Kind::Same => "same".to_owned(),
    };
    for (is_so, word) in [
        (sign.is_unspoken, " unspoken"),
        (sign.differs, " differs"),
        (!entry.assumed && sign.kind != Kind::Same, " spoken"),
    ] {
        if is_so {
            class.push_str(word);
        }
    }
    class
}

fn told(document: &Document, entry: &Entry, pages: bool) -> Told {
    let sign = Sign::of(document, entry);
    let anchor = document.anchor(&entry.cell);
    let (tag, why) = match (sign.kind, &entry.outcome.because) {
        (Kind::Works, _) => ("works", "works"),
        (_, Some(because)) => ("fails", because.as_str()),
        (_, None) => ("fails", "what was seen does not tell why"),
    };
    let aware = match entry.aware {
        Aware::Neither => "neither NAT-aware",
        Aware::Client => "NAT-aware client",
        Aware::Server => "NAT-aware server",
    };
    Told {
        class: class(entry, sign),
        tag,
        sign: sign.main(),
        place: format!("{}, control port {}, {aware}", mode_name(entry.mode), entry.control_port.word()),
        why: shown(why),
        facts: facts(entry),
        remedies: entry.remedies.iter().map(|remedy| shown(&remedy.to_string())).collect(),
        page: pages.then(|| format!("cells/{anchor}.html")),
        command: shown(&entry.explain),
        scenario: entry.cell.to_toml().lines().map(|line| shown(line) + "\n").collect(),
        anchor,
    }
}

/// What was seen of a cell's session.
fn facts(entry: &Entry) -> Vec<Fact> {
    let fact = |what, is_code, words: String| Fact { what, is_code, pieces: vec![(words, false)] };
    let outcome = &entry.outcome;
    let mut facts = Vec::new();
    if !outcome.details.is_empty() {
        facts.push(fact("The cause here", false, shown(&outcome.details.to_string())));
    }
    if outcome.outcome != Works::NotPlayed {
        facts.push(fact("Control connection", false, shown(&outcome.control)));
        let data = format!("{} (reply: {})", outcome.data, outcome.reply);
        facts.push(fact("Data connection", false, shown(&data)));
        if let Some(announced) = &outcome.announced {
            let [sent, arrived] = marked(announced);
            facts.push(Fact { what: "Announced", is_code: true, pieces: sent });
            facts.push(Fact { what: "Arrived as", is_code: true, pieces: arrived });
        }
        facts.push(fact("The client's router", false, shown(&outcome.gateway)));
        facts.push(fact("Data SYN at the client", true, shown(&outcome.data_syn_at_client)));
        facts.push(fact("Data SYN at the server", true, shown(&outcome.data_syn_at_server)));
    }
    if !entry.assumed {
        facts.push(fact("The article's rows", true, entry.article.join(", ")));
    } else if entry.is_unspoken() {
        let words =
            "it does not speak of this: it rests on assumed values of the profile, or on a newer mode";
        facts.push(fact("The article", false, words.to_owned()));
    }
    facts
}

/// What was sent and what arrived, with what differs marked.
fn marked(announced: &Announced) -> [Vec<(String, bool)>; 2] {
    let Announced { sent, arrived } = announced;
    if sent == arrived {
        return [sent, arrived].map(|line| vec![(shown(line), false)]);
    }
    let start = sent.bytes().zip(arrived.bytes()).take_while(|(one, other)| one == other).count();
    let end = sent.bytes().rev().zip(arrived.bytes().rev()).take_while(|(one, other)| one == other).count();
    let shorter = sent.len().min(arrived.len());
    [sent, arrived].map(|line| {
        let start = line.floor_char_boundary(start);
        let end = line.ceil_char_boundary(line.len() - end.min(shorter - start));
        let (before, rest) = line.split_at(start);
        let (differs, after) = rest.split_at(end.saturating_sub(start));
        vec![(shown(before), false), (shown(differs), true), (shown(after), false)]
    })
}

fn causes(document: &Document) -> Vec<CauseLine> {
    let line = |(number, cause): (usize, &super::CauseCount)| CauseLine {
        sign: format!("{FAILS}{number}"),
        key: cause.key(),
        cells: cells(cause.cells),
        because: shown(&cause.because),
        explanation: cause.explanation,
    };
    (1..).zip(&document.causes).map(line).collect()
}

fn legend(document: &Document) -> Vec<LegendItem> {
    let has = |what: fn(&Entry) -> bool| document.cells.iter().any(what);
    let item = |is_there: bool, class, mark, words| is_there.then_some(LegendItem { class, mark, words });
    [
        item(true, "tag works", WORKS, "works"),
        item(true, "tag fails", "✗N", "login works, the transfer fails, by cause N"),
        item(true, "", SAME, "no NAT there to know of: as neither"),
        item(has(Entry::is_unspoken), "unspoken", UNSPOKEN, "assumed: the article does not speak of it"),
        item(document.profiles.len() > 1, "differs", DIFFERS, "not as with the first profile"),
        item(
            has(|entry| entry.outcome.outcome == Works::NotPlayed),
            "tag fails",
            NOT_PLAYED,
            "could not be played",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn mismatches(document: &Document) -> Vec<MismatchLine> {
    let lines = document.not_as_expected().flat_map(|entry| {
        entry.mismatches.iter().map(|mismatch| MismatchLine {
            name: shown(&entry.name),
            what: shown(&mismatch.what),
            expected: shown(&mismatch.expected),
            seen: shown(&mismatch.seen),
        })
    });
    lines.collect()
}

/// Any text, without what steers a terminal; the template escapes what steers a page.
fn shown(words: &str) -> String {
    for_line(words).into_owned()
}
