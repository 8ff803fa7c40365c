//! `quirknat matrix`: what works for whom, by playing every cell of the picture.

mod pages;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};
use crossbeam_channel::never;
use quirknat_router::profile::Profile;

use self::pages::{PageForm, Pages};
use super::run::ground::{Backend, Outcome as Ground, play_on_one};
use super::run::workers::{self, Ended, Observer, Settings};
use super::run::{interrupt, threads};
use super::{Source, invalid, print};
use crate::compatibility::{
    ARTICLE_PROFILE, Cell, Document, Entry, ProfileNamed, Selection, SelectionError, Works, html, markdown,
    table,
};
use crate::exit::Failure;
use crate::remedy::suggest;
use crate::scenario::language::BackendName;
use crate::scenario::{StepVerdict, Verdict};

/// What to play, and how to show it.
#[derive(Debug, Args)]
pub struct MatrixArgs {
    /// The routers' profile, a built-in one or a file; several are set against each other
    #[arg(long = "profile", value_name = "NAME|FILE", default_value = ARTICLE_PROFILE)]
    profiles: Vec<String>,
    /// The shape of the result
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// As --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Prints a cell's scenario instead, to save and to change: `matrix[behind=client,control=21,mode=port,aware=neither]`
    #[arg(long, value_name = "CELL", conflicts_with_all = ["format", "json", "profiles"])]
    scenario: Option<String>,
    /// Where the hosts are
    #[arg(long, value_enum, default_value = "sim")]
    backend: Backend,
    /// Seeds all that is random
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Writes the picture into this folder, with an explanation of each cell on a page of its own
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How many to play at a time; as many as there are processors if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
}

/// The shapes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for a terminal
    Table,
    /// Markdown, as GitHub shows it
    Markdown,
    /// One JSON object, whose `cells` is the list
    Json,
    /// One page that needs nothing else
    Html,
}

/// Plays every cell and shows what came of it. A cell that is not as the article says makes the status 1.
pub fn run(args: &MatrixArgs) -> Result<(), Failure> {
    if let Some(cell) = &args.scenario {
        return print(&only_cell(cell)?.to_toml());
    }
    let profiles = named(&args.profiles)?;
    let pages = pages(args, &profiles)?;
    let _folders = args.backend.prepare()?;
    let cells: Vec<Cell> = args.profiles.iter().flat_map(|profile| Cell::all(profile)).collect();
    let entries = play(args, cells, pages.clone())?;
    let document = Document::new(args.seed, args.backend.name(), profiles, entries);
    let shown = match if args.json { Format::Json } else { args.format } {
        Format::Table => {
            let coloured = AutoStream::choice(&std::io::stdout()) != ColorChoice::Never;
            table(&document, coloured)
        }
        Format::Markdown => markdown(&document, pages.is_some()),
        Format::Html => html(&document, pages.is_some()).map_err(Failure::environment)?,
        Format::Json => format!("{:#}\n", serde_json::to_value(&document).map_err(Failure::usage)?),
    };
    match pages {
        Some(pages) => print(&format!("{}\n", pages.write_index(&shown)?.display()))?,
        None => print(&shown)?,
    }
    verdict(&document)
}

/// Where the pages go, if there are to be any.
fn pages(args: &MatrixArgs, profiles: &[ProfileNamed]) -> Result<Option<Arc<Pages>>, Failure> {
    let Some(folder) = &args.out else { return Ok(None) };
    let form = match args.format {
        Format::Markdown if !args.json => PageForm::Markdown,
        Format::Html if !args.json => PageForm::Html,
        _ => {
            return Err(Failure::usage(
                "--out writes pages: say `--format html` or `--format markdown` with it",
            ));
        }
    };
    let ground = match args.backend {
        Backend::Sim => BackendName::Sim,
        Backend::Netns => BackendName::Netns,
        Backend::Both => {
            return Err(Failure::usage(
                "--out explains what was played on one ground: sim or netns, not both",
            ));
        }
    };
    let profiles = profiles.iter().map(|profile| profile.given.clone()).collect();
    Pages::begin(folder, form, ground, profiles).map(|pages| Some(Arc::new(pages)))
}

fn verdict(document: &Document) -> Result<(), Failure> {
    let lacking = document.cells.iter().filter(|entry| entry.lacking).count();
    if lacking > 0 {
        return Err(Failure::environment(format!(
            "cells that could not be played here, since this machine lacks something: {lacking}"
        )));
    }
    let is_bad = |entry: &Entry| !entry.mismatches.is_empty() || entry.outcome.outcome == Works::NotPlayed;
    if document.cells.iter().any(is_bad) { Err(Failure::Unexpected) } else { Ok(()) }
}

/// The cell of that name.
fn only_cell(name: &str) -> Result<Cell, Failure> {
    let selection =
        Selection::parse(name).unwrap_or_else(|| Err(SelectionError::Malformed { name: name.to_owned() }));
    let mut cells = selection.map_err(Failure::usage)?.cells();
    match (cells.pop(), cells.len()) {
        (Some(cell), 0) => Ok(cell),
        (_, more) => Err(Failure::usage(format!(
            "`{name}` is {} cells: state all of behind, control, mode and aware",
            more + 1
        ))),
    }
}

/// The profiles, all of which can be read, and no two of which are the same.
fn named(given: &[String]) -> Result<Vec<ProfileNamed>, Failure> {
    let mut profiles: Vec<ProfileNamed> = Vec::new();
    for name in given {
        if profiles.iter().any(|known| known.given == *name) {
            return Err(Failure::usage(format!("the profile `{name}` is given twice")));
        }
        let profile = Profile::resolve(name).map_err(Failure::usage)?;
        let is_file = quirknat_router::profile::builtin().iter().all(|entry| entry.name != name);
        profiles.push(ProfileNamed {
            given: name.clone(),
            name: profile.name,
            title: profile.title,
            is_file,
        });
    }
    Ok(profiles)
}

/// Plays them, several at a time; gives what came of them in their order.
fn play(args: &MatrixArgs, cells: Vec<Cell>, pages: Option<Arc<Pages>>) -> Result<Vec<Entry>, Failure> {
    // In namespaces an interrupted session is to leave nothing behind; simulated ones leave nothing anyway.
    let interrupted = if args.backend == Backend::Sim { never() } else { interrupt::listen()? };
    let settings = Settings { threads: threads(args.jobs), interrupted, ticks: never() };
    let (backend, seed) = (args.backend, args.seed);
    let player = Arc::new(move |cell: &Cell| play_cell(backend, pages.as_deref(), cell, seed));
    let mut collected = Collected { entries: Vec::new(), failed: None };
    let ended = workers::play_in_order(cells.into_iter(), &player, &settings, &mut collected);
    if let Some(failure) = collected.failed {
        return Err(failure);
    }
    match ended.map_err(Failure::environment)? {
        Ended::Done | Ended::Unwanted => Ok(collected.entries),
        Ended::Interrupted => Err(Failure::environment("interrupted")),
    }
}

fn play_cell(backend: Backend, pages: Option<&Pages>, cell: &Cell, seed: u64) -> Result<Entry, Failure> {
    let (name, scenario) =
        Source::Cell(cell.clone()).read().and_then(|file| file.cell(0)).map_err(invalid)?;
    let helps = |verdict: &Verdict| {
        let found = verdict.steps.first().and_then(StepVerdict::found);
        found.map(|found| suggest(&scenario, 0, &found, seed)).unwrap_or_default()
    };
    let ground = match pages {
        None => backend.play(&name, &scenario, seed),
        Some(pages) => match play_on_one(pages.ground, &name, &scenario, seed) {
            Err(ground) => ground,
            Ok(played) => {
                let remedies = helps(&played.verdict);
                pages.write(cell, &played, &remedies, seed)?;
                return Ok(Entry::played(cell, played.verdict, remedies));
            }
        },
    };
    Ok(match ground {
        Ground::Played { verdict, .. } => {
            let remedies = helps(&verdict);
            Entry::played(cell, verdict, remedies)
        }
        Ground::Skipped(because) | Ground::Failed(because) => Entry::not_played(cell, because),
        Ground::Lacking(because) => Entry::lacking(cell, because),
    })
}

struct Collected {
    entries: Vec<Entry>,
    failed: Option<Failure>,
}

impl Observer<Cell, Result<Entry, Failure>> for Collected {
    fn finished(&mut self, cell: &Cell, result: Result<Result<Entry, Failure>, String>) -> bool {
        match result {
            Ok(Ok(entry)) => self.entries.push(entry),
            Ok(Err(failure)) => self.failed = Some(failure),
            Err(panic) => {
                let because = format!("the player panicked, which is a mistake in quirknat: {panic}");
                self.entries.push(Entry::not_played(cell, because));
            }
        }
        self.failed.is_none()
    }

    fn tick(&mut self, _: Instant) {}
}
