use std::collections::BTreeSet;

use super::*;
use crate::committed::assert_current;
use crate::remedy::suggest;
use crate::scenario::play;

fn played(cell: &Cell) -> Entry {
    let (name, scenario) = cell.file().unwrap().cell(0).unwrap();
    Entry::played(cell, play(&name, &scenario, 0).verdict, Vec::new())
}

fn played_with_remedies(cell: &Cell) -> Entry {
    let (name, scenario) = cell.file().unwrap().cell(0).unwrap();
    let verdict = play(&name, &scenario, 0).verdict;
    let found = verdict.steps[0].found();
    let remedies = found.map(|found| suggest(&scenario, 0, &found, 0)).unwrap_or_default();
    Entry::played(cell, verdict, remedies)
}

/// Every row of the article's catalogue that is about a place in the picture, as the catalogue words it. `*` stands for
/// either control port.
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("port-mode", "nobody * port neither", "ok", ""),
    ("pasv-mode", "nobody * pasv neither", "ok", ""),
    ("no-command", "nobody 21 no-command neither", "ok", ""),
    ("port-21-rewritten", "client 21 port neither", "ok", "PORT 203,0,113,7,65,43"),
    (
        "port-other-untouched",
        "client 2121 port neither",
        "control-port-not-watched",
        "PORT 192,168,1,100,65,43",
    ),
    ("pasv-21", "client 21 pasv neither", "ok", ""),
    ("pasv-other", "client 2121 pasv neither", "ok", ""),
    ("client-announces-wan", "client 2121 port client", "ok", "PORT 203,0,113,7,65,43"),
    ("server-port-mode", "server * port neither", "ok", ""),
    (
        "server-pasv-leaks",
        "server * pasv neither",
        "lan-address-in-passive-reply",
        "227 Entering Passive Mode (192,168,1,100,158,26).",
    ),
    ("server-pasv-aware", "server * pasv server", "ok", "227 Entering Passive Mode (203,0,113,7,158,26)."),
    ("both-21-port", "both 21 port neither", "ok", "PORT 203,0,113,7,65,43"),
    ("both-21-pasv", "both 21 pasv neither", "lan-address-in-passive-reply", ""),
    ("both-other-port", "both 2121 port neither", "control-port-not-watched", "PORT 192,168,1,100,65,43"),
    ("both-other-pasv", "both 2121 pasv neither", "lan-address-in-passive-reply", ""),
    ("both-other-aware", "both 2121 port client", "ok", "PORT 203,0,113,7,65,43"),
    ("both-other-aware", "both 2121 pasv server", "ok", "227 Entering Passive Mode (203,0,113,8,158,26)."),
];

#[test]
fn every_cell_the_article_speaks_of_comes_to_what_it_says() {
    let mut spoken = BTreeSet::new();
    for (row, place, expected, announced) in ROWS {
        for control in ["21", "2121"] {
            let name = match place.split(' ').collect::<Vec<_>>()[..] {
                [behind, port, mode, aware] if port == "*" || port == control => {
                    format!("matrix[behind={behind},control={control},mode={mode},aware={aware}]")
                }
                _ => continue,
            };
            let cells = Selection::parse(&name).unwrap().unwrap().cells();
            let [cell] = cells.as_slice() else { panic!("{name} is {} cells", cells.len()) };
            let entry = played(cell);
            let cause = entry.outcome.cause.map(|cause| serde_json::to_value(cause).unwrap());
            let seen = match entry.outcome.outcome {
                Works::Works => "ok".to_owned(),
                _ => cause.map_or_else(String::new, |cause| cause.as_str().unwrap().to_owned()),
            };
            assert_eq!(seen, *expected, "{row}: {entry:#?}");
            assert_eq!(entry.outcome.control, "ok", "{row}: login works even where the transfer does not");
            if !announced.is_empty() {
                assert_eq!(entry.outcome.announced.as_ref().unwrap().arrived, *announced, "{row}");
            }
            assert!(entry.article.contains(row), "{name} does not say that {row} is about it");
            assert_eq!(entry.is_as_claimed(), Some(true), "{row}: {entry:#?}");
            assert!(entry.mismatches.is_empty(), "{row}: {:?}", entry.mismatches);
            spoken.insert(name);
        }
    }
    let claimed = Cell::all(ARTICLE_PROFILE).into_iter().filter(Cell::awareness_applies);
    let claimed = claimed.filter(|cell| cell.claim().is_some()).map(|cell| cell.to_string());
    assert_eq!(claimed.collect::<BTreeSet<_>>(), spoken, "no cell passes for the article's that is not");
}

#[test]
fn every_failure_has_a_cause_and_login_works_all_the_same() {
    for cell in Cell::all(ARTICLE_PROFILE) {
        let entry = played(&cell);
        assert_eq!(entry.outcome.control, "ok", "{cell}");
        let fails = entry.outcome.outcome == Works::Fails;
        assert_eq!(fails, entry.outcome.cause.is_some(), "{cell}: {:?}", entry.outcome);
        assert!(entry.mismatches.is_empty(), "{cell}: {:?}", entry.mismatches);
        if let Some(same) = &entry.same_as {
            let twin = played(&Selection::parse(same).unwrap().unwrap().cells()[0]);
            assert_eq!(entry.outcome, twin.outcome, "{cell} is the same scenario as {same}");
        }
    }
}

#[test]
fn a_server_that_dials_foreign_addresses_changes_no_outcome() {
    for cell in Cell::all(ARTICLE_PROFILE).into_iter().filter(Cell::awareness_applies) {
        let refusing = cell.to_toml();
        let accepting = refusing.replace("data-timeout", "foreign-port = \"accept\"\ndata-timeout");
        assert_ne!(refusing, accepting);
        let scenario = crate::scenario::Scenario::from_toml("accepting", &accepting).unwrap();
        let entry = Entry::played(&cell, play("accepting", &scenario, 0).verdict, Vec::new());
        let default = played(&cell);
        assert_eq!(entry.outcome.outcome, default.outcome.outcome, "{cell}");
        assert_eq!(entry.outcome.cause, default.outcome.cause, "{cell}");
    }
}

#[test]
fn a_name_is_read_as_it_is_written() {
    for profile in [ARTICLE_PROFILE, "./my,odd]router's.toml"] {
        for cell in Cell::all(profile) {
            let selected = Selection::parse(&cell.to_string()).unwrap().unwrap().cells();
            assert_eq!(selected, [cell]);
        }
    }
    let count = |name: &str| Selection::parse(name).unwrap().unwrap().cells().len();
    assert_eq!(
        [
            count("matrix"),
            count("matrix[]"),
            count("matrix[mode=port]"),
            count("matrix[mode=port,behind=both]")
        ],
        [120, 120, 24, 6]
    );
    for other in ["matrix.toml", "matrices", "sweep[port=21]", "./matrix[mode=port]"] {
        assert_eq!(Selection::parse(other), None, "{other}");
    }
}

proptest::proptest! {
    #[test]
    fn any_name_is_read_or_refused(name in "matrix\\[?([a-z]{0,9}[=,\\[\\]]?(client|2121|port|\\PC)?,?){0,6}\\]?") {
        if let Some(Ok(selection)) = Selection::parse(&name) {
            let cells = selection.cells();
            assert!(!cells.is_empty(), "{name}");
            // What is written of a cell names it alone.
            let again = Selection::parse(&cells[0].to_string()).unwrap().unwrap().cells();
            assert_eq!(again, [cells[0].clone()]);
        }
    }
}

#[test]
fn a_wrong_name_says_what_there_is() {
    let refused = [
        "matrix[",
        "matrix[behind]",
        "matrix[behind=clint]",
        "matrix[control=990]",
        "matrix[mode=pasv,mode=port]",
        "matrix[modus=port]",
        "matrix[mode=port,profile=]",
        "matrix[mode=PORT]",
    ];
    let told = refused.map(|name| format!("{name}\n{}\n", Selection::parse(name).unwrap().unwrap_err()));
    insta::assert_snapshot!(told.join("\n"));
}

fn document() -> Document {
    let entries = Cell::all(ARTICLE_PROFILE).iter().map(played_with_remedies).collect();
    Document::new(0, "sim", vec![profile(ARTICLE_PROFILE)], entries)
}

#[test]
fn the_table_is_as_it_was() {
    let document = document();
    let text = table(&document, false);
    // What is to be typed stays in one piece.
    let mut told = text.lines().filter(|line| !line.contains("quirknat explain"));
    assert!(told.all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
    let coloured = table(&document, true);
    assert_ne!(coloured, text);
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), text);
}

#[test]
fn the_committed_page_is_what_playing_the_cells_comes_to() {
    assert_current("docs/compatibility.md", &markdown(&document(), false));
}

#[test]
fn every_link_of_page_and_text_leads_to_a_cell_and_every_cell_is_led_to() {
    let document = document();
    let (markdown, html) = (markdown(&document, false), html(&document, false).unwrap());
    let pieces = |text: &str, before: &str, end: char| -> BTreeSet<String> {
        let after = text.split(before).skip(1).map(str::to_owned);
        after.map(|rest| rest.split(end).next().unwrap_or_default().to_owned()).collect()
    };
    let own: BTreeSet<String> = document
        .cells
        .iter()
        .filter(|entry| entry.same_as.is_none())
        .map(|entry| document.anchor(&entry.cell))
        .collect();
    assert_eq!(own.len(), 2 * 5 * (1 + 2 + 2 + 3));
    assert_eq!(pieces(&markdown, "](#", ')'), own);
    assert_eq!(pieces(&markdown, "<a id=\"", '"'), own);
    assert_eq!(pieces(&html, "<a href=\"#", '"'), own);
    assert_eq!(pieces(&html, "<div id=\"", '"'), own);
}

#[test]
fn nothing_that_a_file_says_becomes_part_of_the_page() {
    let cells = Selection::parse("matrix[behind=client,mode=port,aware=neither,profile=./<b>`|$(x)'.toml]");
    let cells = cells.unwrap().unwrap().cells();
    let entries: Vec<Entry> =
        cells.iter().map(|cell| Entry::not_played(cell, "<script>alert(1)</script>\u{7}")).collect();
    let mut profile = profile("./<b>`|$(x)'.toml");
    (profile.title, profile.is_file) = ("<img src=x> & \u{1b}[31m".to_owned(), true);
    let document = Document::new(0, "sim", vec![profile], entries);
    let page = html(&document, false).unwrap();
    assert_eq!(page.matches("<script").count(), 1, "{page}");
    assert!(!page.contains("<b>`") && !page.contains("<img"), "{page}");
    assert!(page.contains("&#60;img src=x&#62; &#38; \\u{1b}[31m"), "{page}");
    assert!(!page.contains("http"), "it needs nothing from elsewhere");
    let text = markdown(&document, false);
    assert!(!text.contains("<img") && !text.contains("<script"), "{text}");
    assert!(
        text.contains(
            r"'matrix[behind=client,control=21,mode=port,aware=neither,profile=./<b>`|$(x)'\''.toml]'"
        ),
        "{text}"
    );
    assert!(!table(&document, false).contains(['\u{1b}', '\u{7}']));
}

fn profile(given: &str) -> ProfileNamed {
    ProfileNamed {
        given: given.to_owned(),
        name: ARTICLE_PROFILE.to_owned(),
        title: "Linksys BEFSRx1 family, firmware 1.39".to_owned(),
        is_file: false,
    }
}
