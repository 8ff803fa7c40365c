//! `quirknat explain`: what crossed the wire, the view of each side beside the other, and why it worked or did not.

use std::io::IsTerminal;
use std::path::PathBuf;

use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};
use tempfile::TempDir;

use super::run::ground::{Backend, Outcome, play_on_one};
use super::{print, read_scenario};
use crate::exit::Failure;
use crate::explain::{Story, Telling, html, markdown, tell, text};
use crate::remedy::suggest;
use crate::scenario::language::BackendName;
use crate::scenario::{Played, Scenario, StepVerdict};

/// What to explain, and in which form.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A scenario file, the name of a built-in one, or of a cell of the matrix
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// The cell of a scenario with a matrix, by its name, as in `sweep[port=21]` or `port=21`
    #[arg(long, value_name = "CELL")]
    cell: Option<String>,
    /// Explains one step, counted from 1; those of a `parallel` one count each. Without it, all FTP sessions
    #[arg(long, value_name = "N")]
    step: Option<usize>,
    /// Where the hosts are
    #[arg(long, value_enum, default_value = "sim")]
    backend: Ground,
    /// Seeds all that is random
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// The form
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    /// One JSON document instead
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Shows every packet by itself, bare acknowledgements too
    #[arg(long)]
    all_packets: bool,
    /// Columns of the text; the terminal's, or 100 where there is none
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..))]
    width: Option<u16>,
    /// Writes to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Where the hosts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ground {
    /// A simulated world on a virtual clock
    Sim,
    /// Network namespaces, with a kernel's sockets and real programs
    Netns,
}

impl Ground {
    fn name(self) -> BackendName {
        match self {
            Self::Sim => BackendName::Sim,
            Self::Netns => BackendName::Netns,
        }
    }

    /// Makes this process one that can play there.
    fn prepare(self) -> Result<Option<TempDir>, Failure> {
        match self {
            Self::Sim => Backend::Sim.prepare(),
            Self::Netns => Backend::Netns.prepare(),
        }
    }
}

/// The form of an explanation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For a terminal
    Text,
    /// Markdown, the ladder as a Mermaid diagram
    Markdown,
    /// One page that needs nothing besides; every packet's bytes are in it
    Html,
}

/// Columns where there is no terminal.
const COLUMNS: usize = 100;

/// Plays the scenario and explains it.
pub fn run(args: &ExplainArgs) -> Result<(), Failure> {
    // Before any thread starts.
    let _folders = args.backend.prepare()?;
    let (name, scenario) = read_scenario(&args.scenario, args.cell.as_deref())?;
    let backend = args.backend.name();
    let played = played(backend, &name, &scenario, args.seed)?;
    let telling = Telling { backend, seed: args.seed, step: args.step, all_packets: args.all_packets };
    let mut story = tell(&played, telling).map_err(Failure::usage)?;
    for told in &mut story.steps {
        let position = told.number.saturating_sub(1);
        if let Some(found) = played.verdict.steps.get(position).and_then(StepVerdict::found) {
            let remedies = suggest(&scenario, position, &found, args.seed);
            told.remedies = remedies.iter().map(ToString::to_string).collect();
        }
    }
    let document = render(args, &story)?;
    match &args.output {
        Some(path) => std::fs::write(path, document)
            .map_err(|error| Failure::environment(format!("cannot write to {}: {error}", path.display())))?,
        None => print(&document)?,
    }
    if story.as_expected { Ok(()) } else { Err(Failure::Unexpected) }
}

fn played(backend: BackendName, name: &str, scenario: &Scenario, seed: u64) -> Result<Played, Failure> {
    play_on_one(backend, name, scenario, seed).map_err(|outcome| match outcome {
        Outcome::Skipped(because) => {
            let other = if backend == BackendName::Sim { BackendName::Netns } else { BackendName::Sim };
            Failure::usage(format!("`{name}` needs `--backend {}`: {because}", other.name()))
        }
        Outcome::Lacking(missing) => Failure::environment(missing),
        // It began and did not come to its end: what it told on the way is lost.
        Outcome::Failed(error) => Failure::environment(format!("`{name}` could not be played: {error}")),
        Outcome::Played { .. } => Failure::environment(format!("`{name}` was played without a record")),
    })
}

fn render(args: &ExplainArgs, story: &Story) -> Result<String, Failure> {
    if args.json {
        let document = serde_json::to_string_pretty(story).map_err(Failure::environment)?;
        return Ok(format!("{document}\n"));
    }
    let stdout = std::io::stdout();
    Ok(match args.format {
        Form::Markdown => markdown(story),
        Form::Html => html(story).map_err(Failure::environment)?,
        Form::Text => {
            let to_stdout = args.output.is_none();
            let coloured = to_stdout && AutoStream::choice(&stdout) != ColorChoice::Never;
            let terminal = (to_stdout && stdout.is_terminal()).then(columns).flatten();
            let width = args.width.map(usize::from).or(terminal).unwrap_or(COLUMNS);
            text(story, width, coloured)
        }
    })
}

fn columns() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}
