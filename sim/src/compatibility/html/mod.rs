//! The picture as one page that needs nothing else: light and dark, on a phone and on paper. Every cell leads to what is
//! told of it further down. What is shown can be narrowed to a cause or to what the article speaks of, by style alone.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::coordinates::{Aware, Behind, ControlPort, Coordinate};
use super::document::{Document, ProfileNamed};
use super::entry::{Announced, Entry, Works};
use super::sign::{DIFFERS, FAILS, Kind, SAME, Sign, UNSPOKEN, WORKS, behind_name, called, mode_name};
use crate::report::for_line;
use crate::scenario::language::Mode;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The document as a page. With `pages`, each cell has a page of its own in the folder `cells`.
pub fn html(document: &Document, pages: bool) -> String {
    let mut page = Page { document, pages, text: String::new() };
    page.head();
    page.filters();
    page.put(format_args!("<div class=\"pictures\">\n"));
    for profile in &document.profiles {
        page.picture(profile);
    }
    page.put(format_args!("<aside class=\"key\">\n"));
    page.causes();
    page.legend();
    page.put(format_args!("</aside>\n</div>\n"));
    page.mismatches();
    for profile in &document.profiles {
        page.cells(profile);
    }
    page.foot();
    page.text
}

struct Page<'a> {
    document: &'a Document,
    pages: bool,
    text: String,
}

impl Page<'_> {
    fn put(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.text.write_fmt(what);
    }

    fn head(&mut self) {
        let names: Vec<String> = self.document.profiles.iter().map(called).collect();
        let names = text(&names.join(", "));
        let filters = self.filter_rules();
        self.put(format_args!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>What works for whom: {names}</title>\n<style>\n{STYLE}{filters}</style>\n</head>\n<body>\n<header>\n\
             <h1>What works for whom</h1>\n\
             <p>FTP through home routers: who is behind one, on which control port, how the data connection is made, and \
             whose software knows of its NAT and has a range of ports forwarded. Every cell was played, and judged by what \
             crossed the wires. A cell leads to how it went.</p>\n</header>\n"
        ));
    }

    /// What can be chosen, each with the class of what stays in sight.
    fn choices(&self) -> Vec<(String, String)> {
        let mut choices = vec![(format!("{WORKS} works"), "works".to_owned())];
        for (number, cause) in (1..).zip(&self.document.causes) {
            choices.push((format!("{FAILS}{number} {}", cause.key()), format!("cause-{number}")));
        }
        if self.document.cells.iter().any(|entry| !entry.article.is_empty()) {
            choices.push(("what the article speaks of".to_owned(), "spoken".to_owned()));
        }
        if self.document.profiles.len() > 1 {
            choices.push((format!("{DIFFERS} differs from the first profile"), "differs".to_owned()));
        }
        choices
    }

    fn filters(&mut self) {
        self.put(format_args!(
            "<fieldset aria-label=\"What to show\">\n\
             <label><input type=\"radio\" name=\"show\" id=\"show-all\" checked>everything</label>\n"
        ));
        for (words, class) in self.choices() {
            self.put(format_args!(
                "<label><input type=\"radio\" name=\"show\" id=\"show-{class}\">{}</label>\n",
                text(&words)
            ));
        }
        self.put(format_args!("</fieldset>\n"));
    }

    /// What is not of the chosen class fades in the picture, and is gone from the list.
    fn filter_rules(&self) -> String {
        let mut rules = String::new();
        for (_, class) in self.choices() {
            let chosen = format!("body:has(#show-{class}:checked)");
            // Writing to a string cannot fail.
            let _ = writeln!(
                rules,
                "{chosen} table.matrix td:not(.{class}) a {{ opacity: .18; }}\n\
                 {chosen} details.cell:not(.{class}) {{ display: none; }}"
            );
        }
        rules
    }

    fn picture(&mut self, profile: &ProfileNamed) {
        let (called, title) = (text(&called(profile)), text(&profile.title));
        self.put(format_args!(
            "<section class=\"picture\">\n<h2>{called}<small>{title}</small></h2>\n<table class=\"matrix\">\n\
             <colgroup><col class=\"label\"><col span=\"6\"></colgroup>\n<thead>\n<tr><td></td>"
        ));
        for control in ControlPort::ALL {
            let port = control.word();
            self.put(format_args!(
                "<th class=\"port\" colspan=\"3\" scope=\"colgroup\">control port {port}</th>"
            ));
        }
        self.put(format_args!("</tr>\n<tr><th scope=\"col\">NAT-aware:</th>"));
        for _ in ControlPort::ALL {
            for aware in Aware::ALL {
                self.put(format_args!("<th scope=\"col\">{}</th>", aware.word()));
            }
        }
        self.put(format_args!("</tr>\n</thead>\n"));
        for &behind in Behind::ALL {
            self.put(format_args!(
                "<tbody>\n<tr><th class=\"behind\" colspan=\"7\" scope=\"rowgroup\">{}</th></tr>\n",
                behind_name(behind)
            ));
            for &mode in Mode::ALL {
                self.put(format_args!("<tr><th scope=\"row\">{}</th>", mode_name(mode)));
                for &control in ControlPort::ALL {
                    for &aware in Aware::ALL {
                        match self.document.at(profile, (behind, control, mode, aware)) {
                            Some(entry) => self.tile(entry),
                            None => self.put(format_args!("<td></td>")),
                        }
                    }
                }
                self.put(format_args!("</tr>\n"));
            }
            self.put(format_args!("</tbody>\n"));
        }
        self.put(format_args!("</table>\n</section>\n"));
    }

    /// A cell's sign, leading to what is told of it.
    fn tile(&mut self, entry: &Entry) {
        let sign = Sign::of(self.document, entry);
        let target = self.document.anchor(&entry.cell.essence());
        let classes = self.classes(entry);
        let title = match &entry.outcome.because {
            Some(because) => format!("{}: {because}", entry.title),
            None => entry.title.clone(),
        };
        let (main, notes) = (sign.main(), format!("{}{}", sign.unspoken(), sign.other()));
        let notes = if notes.is_empty() { notes } else { format!("<sup>{notes}</sup>") };
        self.put(format_args!(
            "<td class=\"{classes}\"><a href=\"#{target}\" title=\"{}\">{main}{notes}</a></td>",
            text(&title)
        ));
    }

    /// What a cell is, for style and filters.
    fn classes(&self, entry: &Entry) -> String {
        let sign = Sign::of(self.document, entry);
        let mut classes = match sign.kind {
            Kind::Works => "works".to_owned(),
            Kind::Fails(number) => format!("fails cause-{number}"),
            Kind::NotPlayed => "fails".to_owned(),
            Kind::Same => "same".to_owned(),
        };
        for (is_so, class) in [
            (sign.is_unspoken, " unspoken"),
            (sign.differs, " differs"),
            (!entry.article.is_empty() && sign.kind != Kind::Same, " spoken"),
        ] {
            if is_so {
                classes.push_str(class);
            }
        }
        classes
    }

    fn legend(&mut self) {
        let mut items = vec![
            ("swatch tag works", WORKS, "works"),
            ("swatch tag fails", "✗N", "login works, the transfer fails, by cause N"),
            ("swatch", SAME, "no NAT there to know of: as neither"),
        ];
        if self.document.cells.iter().any(Entry::is_unspoken) {
            items.push(("swatch unspoken", UNSPOKEN, "assumed: the article does not speak of it"));
        }
        if self.document.profiles.len() > 1 {
            items.push(("swatch differs", DIFFERS, "not as with the first profile"));
        }
        self.put(format_args!("<ul class=\"legend\">\n"));
        for (class, mark, words) in items {
            self.put(format_args!("<li><span class=\"{class}\">{mark}</span>{words}</li>\n"));
        }
        self.put(format_args!("</ul>\n"));
    }

    fn causes(&mut self) {
        if self.document.causes.is_empty() {
            return;
        }
        self.put(format_args!("<h2>Why it fails</h2>\n<ol class=\"causes\">\n"));
        for (number, cause) in (1..).zip(&self.document.causes) {
            let cells = if cause.cells == 1 { "1 cell".to_owned() } else { format!("{} cells", cause.cells) };
            let (key, because) = (text(&cause.key()), text(&cause.because));
            self.put(format_args!(
                "<li><span class=\"tag fails\">{FAILS}{number}</span><b>{key}</b>, {cells}<br>{because}</li>\n"
            ));
        }
        self.put(format_args!("</ol>\n"));
    }

    fn mismatches(&mut self) {
        if self.document.not_as_expected().next().is_none() {
            return;
        }
        self.put(format_args!("<h2>Not as expected</h2>\n<ul>\n"));
        for entry in self.document.not_as_expected() {
            for mismatch in &entry.mismatches {
                let (what, expected, seen) = (&mismatch.what, &mismatch.expected, &mismatch.seen);
                self.put(format_args!(
                    "<li><code>{}</code>: {}: expected {}, saw {}</li>\n",
                    text(&entry.name),
                    text(what),
                    text(expected),
                    text(seen)
                ));
            }
        }
        self.put(format_args!("</ul>\n"));
    }

    fn cells(&mut self, profile: &ProfileNamed) {
        self.put(format_args!("<h2>Cell by cell<small>{}</small></h2>\n", text(&called(profile))));
        for &behind in Behind::ALL {
            self.put(format_args!("<h3>{}</h3>\n", behind_name(behind)));
            let own =
                self.document.of(profile).filter(|entry| entry.behind == behind && entry.same_as.is_none());
            for entry in own {
                self.cell(entry);
            }
        }
    }

    fn cell(&mut self, entry: &Entry) {
        let sign = Sign::of(self.document, entry);
        let anchor = self.document.anchor(&entry.cell);
        let (tag, why) = match (sign.kind, &entry.outcome.because) {
            (Kind::Works, _) => ("works", "works"),
            (_, Some(because)) => ("fails", because.as_str()),
            (_, None) => ("fails", "what was seen does not tell why"),
        };
        let place = format!(
            "{}, control port {}, {}",
            mode_name(entry.mode),
            entry.control_port.word(),
            match entry.aware {
                Aware::Neither => "neither NAT-aware",
                Aware::Client => "NAT-aware client",
                Aware::Server => "NAT-aware server",
            }
        );
        self.put(format_args!(
            "<details class=\"cell {}\"><summary><span class=\"tag {tag}\">{}</span><span><b>{place}</b> \
             <span class=\"why\">{}</span></span></summary>\n<div id=\"{anchor}\">\n",
            self.classes(entry),
            sign.main(),
            text(why)
        ));
        self.facts(entry);
        if self.pages {
            self.put(format_args!(
                "<p><a href=\"cells/{anchor}.html\">The whole session, explained</a></p>\n"
            ));
        } else {
            self.put(format_args!("<p>Explained by <code>{}</code></p>\n", text(&entry.explain)));
        }
        self.put(format_args!(
            "<details><summary>Its scenario</summary><pre>{}</pre></details>\n</div>\n</details>\n",
            text_of_lines(&entry.cell.to_toml())
        ));
    }

    /// What was seen of a cell's session.
    fn facts(&mut self, entry: &Entry) {
        let outcome = &entry.outcome;
        self.put(format_args!("<dl>\n"));
        if outcome.outcome != Works::NotPlayed {
            self.fact("Control connection", &text(&outcome.control));
            self.fact(
                "Data connection",
                &format!("{} (reply: {})", text(&outcome.data), text(&outcome.reply)),
            );
            if let Some(announced) = &outcome.announced {
                let [sent, arrived] = marked(announced);
                self.fact("Announced", &format!("<code>{sent}</code>"));
                self.fact("Arrived as", &format!("<code>{arrived}</code>"));
            }
            self.fact("The client's router", &text(&outcome.gateway));
            self.fact(
                "Data SYN at the client",
                &format!("<code>{}</code>", text(&outcome.data_syn_at_client)),
            );
            self.fact(
                "Data SYN at the server",
                &format!("<code>{}</code>", text(&outcome.data_syn_at_server)),
            );
        }
        let rows: Vec<String> = entry.article.iter().map(|row| format!("<code>{row}</code>")).collect();
        if !rows.is_empty() {
            self.fact("The article", &format!("speaks of it: {}", rows.join(", ")));
        } else if entry.is_unspoken() {
            self.fact(
                "The article",
                "does not speak of it: it rests on assumed values of the profile, or on a newer mode",
            );
        }
        self.put(format_args!("</dl>\n"));
    }

    fn fact(&mut self, what: &str, html: &str) {
        self.put(format_args!("<dt>{what}</dt><dd>{html}</dd>\n"));
    }

    fn foot(&mut self) {
        let Document { seed, backend, .. } = self.document;
        self.put(format_args!(
            "<footer>quirknat {}, ground {backend}, seed {seed}</footer>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
            env!("CARGO_PKG_VERSION")
        ));
    }
}

/// Any text, made fit to stand in a page.
fn text(words: &str) -> String {
    escape(for_line(words)).into_owned()
}

/// The same, of several lines.
fn text_of_lines(words: &str) -> String {
    words.lines().map(|line| text(line) + "\n").collect()
}

/// What was sent and what arrived, with what differs marked.
fn marked(announced: &Announced) -> [String; 2] {
    let Announced { sent, arrived } = announced;
    if sent == arrived {
        return [text(sent), text(arrived)];
    }
    let start = sent.bytes().zip(arrived.bytes()).take_while(|(one, other)| one == other).count();
    let end = sent.bytes().rev().zip(arrived.bytes().rev()).take_while(|(one, other)| one == other).count();
    [sent, arrived].map(|line| {
        let other = sent.len().min(arrived.len());
        let start = line.floor_char_boundary(start);
        let end = line.ceil_char_boundary(line.len() - end.min(other - start));
        let (before, rest) = line.split_at(start);
        let (differs, after) = rest.split_at(end.saturating_sub(start));
        format!("{}<mark>{}</mark>{}", text(before), text(differs), text(after))
    })
}
