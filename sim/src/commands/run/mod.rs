//! `quirknat run`: plays scenarios and says which were as expected.
//!
//! A scenario's verdict is told as it comes, in the scenarios' order, and dropped: a run holds paths and names of the
//! scenarios, and no more than a window of them in full.

mod artifacts;
pub(super) mod ground;
pub(super) mod interrupt;
mod load;
mod programs;
pub(super) mod workers;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use self::ground::{Backend, Outcome as Ground};
use self::load::{Job, WorkList};
use self::workers::{Ended, Observer, Settings};
use crate::exit::Failure;
use crate::report::{Entry, Format, Header, Outlet, Partition, Progress, names_width};

/// What to play, and how.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Scenario files, folders of them, names of built-in ones, or cells of the matrix as in `matrix[behind=client]`; all
    /// the built-in ones without any
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
    /// Plays the Kth of N parts, which have no scenario in common; `quirknat merge` puts their --json reports together
    #[arg(long, value_name = "K/N")]
    partition: Option<Partition>,
    /// Writes for each scenario a folder with capture.pcapng, events.jsonl and verdict.json
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// One JSON document instead of lines
    #[arg(long)]
    json: bool,
    /// Writes a JUnit XML report too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Plays them all; a scenario that is not as expected makes the status 1, one that this machine cannot play 3.
pub fn run(args: &RunArgs) -> Result<(), Failure> {
    let _folders = args.backend.prepare()?;
    let mut list = WorkList::load(&args.paths, args.filter.as_deref())?;
    let header = Header {
        seed: args.seed,
        backend: args.backend.name().to_owned(),
        total: list.len(),
        partition: args.partition,
    };
    if let Some(partition) = args.partition {
        list.keep(partition);
    }
    // Before any thread starts, so that the signals reach nobody else.
    let interrupted = interrupt::listen()?;
    let format = if args.json { Format::Json } else { Format::Text { width: names_width(list.names()) } };
    let outlet = Outlet::begin(format, args.junit.as_deref(), &header, Progress::start(list.len()));

    let settings = Settings { threads: threads(args.jobs), interrupted, ticks: outlet.progress().ticks() };
    let mut teller = Teller { outlet, stops_unread: args.out.is_none() };
    let ended = workers::play_in_order(list.jobs(), &player(args), &settings, &mut teller);
    // What is told is closed in good order, whatever came.
    let (summary, written) = teller.outlet.end(!matches!(ended, Ok(Ended::Done)));
    let ended = ended.map_err(Failure::environment)?;
    if ended == Ended::Interrupted {
        let (played, all) = (summary.played(), list.len());
        let said = format!("interrupted: {played} of {all} scenarios were played");
        return Err(match written {
            Ok(()) => Failure::environment(said),
            Err(error) => Failure::Environment(error.context(said)),
        });
    }
    written.map_err(Failure::Environment)?;
    summary.verdict()
}

/// How many to play at a time: as many as there are processors, if the user does not say.
pub(super) fn threads(jobs: Option<u16>) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    jobs.map_or_else(processors, usize::from)
}

/// A scenario, and the artifacts it left behind.
type Outcome = (Entry, anyhow::Result<()>);

/// What a worker does with a job.
fn player(args: &RunArgs) -> Arc<dyn Fn(&Job) -> Outcome + Send + Sync> {
    let (backend, seed, out) = (args.backend, args.seed, args.out.clone());
    Arc::new(move |job| {
        let scenario = match job.scenario() {
            Ok(scenario) => scenario,
            Err(error) => {
                let error = format!("changed since it was checked: {error}");
                return (Entry::not_played(job.position, &job.name, error), Ok(()));
            }
        };
        match backend.play(&job.name, &scenario, seed) {
            Ground::Played { verdict, networks } => {
                let written =
                    out.as_deref().map_or(Ok(()), |folder| artifacts::write(folder, &verdict, &networks));
                (Entry::played(job.position, verdict).with_remedies(&scenario, seed), written)
            }
            Ground::Skipped(because) => {
                (Entry::skipped(job.position, &job.name, &scenario.title, because), Ok(()))
            }
            Ground::Failed(error) => (Entry::not_played(job.position, &job.name, error), Ok(())),
            Ground::Lacking(error) => (Entry::lacking(job.position, &job.name, error), Ok(())),
        }
    })
}

/// Tells what comes of the jobs.
struct Teller {
    outlet: Outlet,
    /// Without artifacts, a run that nobody reads any more has no purpose.
    stops_unread: bool,
}

impl Observer<Job, Outcome> for Teller {
    fn finished(&mut self, job: &Job, outcome: Result<Outcome, String>) -> bool {
        let (entry, written) = outcome.unwrap_or_else(|panic| {
            let error = format!("the player panicked, which is a mistake in quirknat: {panic}");
            (Entry::not_played(job.position, &job.name, error), Ok(()))
        });
        self.outlet.entry(&entry);
        if let Err(error) = written {
            self.outlet.fail(error);
        }
        !self.stops_unread || self.outlet.is_read()
    }

    fn tick(&mut self, now: std::time::Instant) {
        self.outlet.tick(now);
    }
}
