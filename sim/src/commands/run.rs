//! `quirknat run`: plays scenarios and says which were as expected.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use crossbeam_channel::unbounded;
use serde_json::json;

use super::print;
use crate::capture::CaptureWriter;
use crate::exit::Failure;
use crate::record::write_json_line;
use crate::report;
use crate::scenario::{Played, Scenario, Verdict, builtin, play};

/// What to play, and how.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Scenario files, folders of them, or names of built-in ones; all the built-in ones without any
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Where the hosts are
    #[arg(long, value_enum, default_value = "sim")]
    backend: Backend,
    /// Seeds all that is random
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// How many to play at a time; as many as there are processors if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Plays those whose name or title has this in it
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Writes for each scenario a folder with capture.pcapng, events.jsonl and verdict.json
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// One JSON document instead of lines
    #[arg(long)]
    json: bool,
}

/// Where the hosts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// Simulated, on a virtual clock
    Sim,
}

/// Plays them all; a scenario that is not as expected makes the status 1.
pub fn run(args: &RunArgs) -> Result<(), Failure> {
    let Backend::Sim = args.backend;
    let mut scenarios = load(&args.paths)?;
    if let Some(text) = &args.filter {
        scenarios.retain(|(name, scenario)| name.contains(text) || scenario.title.contains(text));
    }
    if scenarios.is_empty() {
        return Err(Failure::usage("no scenario is left to play: look at PATH and --filter"));
    }
    if let Some(name) = twice(&scenarios) {
        return Err(Failure::usage(format!(
            "two scenarios are called `{name}`: rename one, or play them apart"
        )));
    }
    let (verdicts, written) = play_all(&scenarios, args)?;
    let text = if args.json {
        format!("{:#}\n", json!({ "scenarios": verdicts }))
    } else {
        report::lines(&verdicts)
    };
    print(&text)?;
    written.map_err(Failure::Environment)?;
    if verdicts.iter().all(|verdict| verdict.as_expected) { Ok(()) } else { Err(Failure::Unexpected) }
}

type Named = (String, Scenario);

fn load(paths: &[PathBuf]) -> Result<Vec<Named>, Failure> {
    let built_in = |entry: &crate::scenario::Builtin| {
        let scenario = Scenario::from_toml(&format!("{}.toml", entry.name), entry.toml);
        scenario.map(|scenario| (entry.name.to_owned(), scenario)).map_err(Failure::usage)
    };
    if paths.is_empty() {
        return builtin().iter().map(built_in).collect();
    }
    let mut scenarios = Vec::new();
    for path in paths {
        let entry = builtin().iter().find(|entry| path.as_os_str() == entry.name);
        match entry.filter(|_| !path.exists()) {
            Some(entry) => scenarios.push(built_in(entry)?),
            None if path.is_dir() => {
                for file in files_in(path)? {
                    scenarios.push(from_file(&file)?);
                }
            }
            None => scenarios.push(from_file(path)?),
        }
    }
    Ok(scenarios)
}

fn from_file(path: &Path) -> Result<Named, Failure> {
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    Scenario::from_file(path).map(|scenario| (name, scenario)).map_err(Failure::usage)
}

/// The scenario files of a folder, by name.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let wrong = |error| Failure::usage(format!("cannot read the folder {}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Failure::usage(format!("{} holds no scenario file (*.toml)", folder.display())));
    }
    files.sort();
    Ok(files)
}

/// A name that two scenarios have: reports and artifacts could not tell them apart.
fn twice(scenarios: &[Named]) -> Option<&str> {
    let mut names: Vec<&str> = scenarios.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).find_map(|pair| if pair[0] == pair[1] { Some(pair[0]) } else { None })
}

/// Plays on several threads; the verdicts come in the scenarios' order whatever thread was faster. Beside them stands
/// the first artifact that could not be written: a verdict is not lost over it.
fn play_all(scenarios: &[Named], args: &RunArgs) -> Result<(Vec<Verdict>, anyhow::Result<()>), Failure> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let jobs = args.jobs.map_or(processors, usize::from).min(scenarios.len());
    let (to_do, work) = unbounded();
    let (finished, results) = unbounded();
    for index in 0..scenarios.len() {
        to_do.send(index).map_err(Failure::environment)?;
    }
    drop(to_do);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (work, finished) = (work.clone(), finished.clone());
            scope.spawn(move || {
                for index in work {
                    let Some((name, scenario)) = scenarios.get(index) else { continue };
                    let played = play(name, scenario, args.seed);
                    let written = args.out.as_deref().map_or(Ok(()), |folder| write(folder, &played));
                    if finished.send((index, played.verdict, written)).is_err() {
                        return;
                    }
                }
            });
        }
    });
    drop(finished);
    let mut results: Vec<(usize, Verdict, anyhow::Result<()>)> = results.iter().collect();
    results.sort_by_key(|(index, ..)| *index);
    let mut all_written = Ok(());
    let mut verdicts = Vec::new();
    for (_, verdict, written) in results {
        verdicts.push(verdict);
        all_written = all_written.and(written);
    }
    Ok((verdicts, all_written))
}

/// Writes what a scenario left behind.
fn write(folder: &Path, played: &Played) -> anyhow::Result<()> {
    let folder = folder.join(&played.verdict.name);
    let context = || format!("cannot write to {}", folder.display());
    std::fs::create_dir_all(&folder).with_context(context)?;
    let create = |name: &str| File::create(folder.join(name)).map(BufWriter::new).with_context(context);

    let network = &played.network;
    let wires = network.wires();
    let mut capture = CaptureWriter::new(create("capture.pcapng")?, &wires).with_context(context)?;
    for crossing in network.record() {
        let comment = network.comment(crossing);
        capture
            .write(crossing.wire, crossing.at, &crossing.bytes, comment.as_deref())
            .with_context(context)?;
    }
    capture.finish().with_context(context)?;

    let mut events = create("events.jsonl")?;
    for event in network.events() {
        write_json_line(&mut events, event).with_context(context)?;
    }
    std::io::Write::flush(&mut events).with_context(context)?;

    let mut verdict = create("verdict.json")?;
    serde_json::to_writer_pretty(&mut verdict, &played.verdict).with_context(context)?;
    std::io::Write::flush(&mut verdict).with_context(context)
}
