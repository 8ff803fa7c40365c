//! Plays a scenario: builds its world, takes its steps, and has each judged by what crossed the wires.

mod act;
mod client;
mod error;
mod programs;

use std::convert::Infallible;

use smoltcp::time::{Duration, Instant};

pub use error::PlayError;

use super::done::Done;
use super::kept::{self, PlayedStep};
use super::language::Step;
use super::stage::Stage;
use super::{Mismatch, Scenario, StepVerdict, Verdict, describe, judge};
use crate::cause::Details;
use crate::net::Network;
use crate::world::{Activity, Backend, Simulated};
use act::Running;

/// A step that is not over by then has failed; what programs wait for at most comes long before.
pub(super) const LONGEST_STEP: Duration = Duration::from_secs(24 * 3600);
/// After a step the last acknowledgements and FINs cross.
const AFTERMATH: Duration = Duration::from_secs(1);

/// A scenario played.
pub struct Played {
    /// The judgement.
    pub verdict: Verdict,
    /// What is kept of the steps besides, one for each in the verdict.
    pub steps: Vec<PlayedStep>,
    /// The network at the end, with all that crossed its wires.
    pub network: Network,
}

/// Plays `scenario`, called `name`, in a simulated world, with a seed for all that is random in it.
pub fn play(name: &str, scenario: &Scenario, seed: u64) -> Played {
    play_on(Simulated, name, scenario, seed).unwrap_or_else(|error| not_played(name, scenario, &error))
}

/// A simulated world lacks nothing but real programs: no step is taken, and each says why.
fn not_played(name: &str, scenario: &Scenario, error: &PlayError<Infallible>) -> Played {
    let step = |step| StepVerdict {
        step: describe::step(step),
        assumed: step.assumed.as_ref().map(|why| why.get_ref().clone()),
        seen: Vec::new(),
        cause: None,
        details: Details::default(),
        mismatches: vec![Mismatch {
            what: "step".to_owned(),
            expected: "it begins".to_owned(),
            seen: error.to_string(),
        }],
    };
    let steps = scenario.step.iter().map(step).collect();
    let verdict = Verdict { name: name.to_owned(), title: scenario.title.clone(), as_expected: false, steps };
    Played { verdict, steps: Vec::new(), network: Network::new(scenario.internet.clone(), 0) }
}

/// Plays `scenario` on the ground of your choice.
pub fn play_on<B: Backend>(
    backend: B,
    name: &str,
    scenario: &Scenario,
    seed: u64,
) -> Result<Played, PlayError<B::Error>> {
    let mut stage = Stage::build(backend, scenario, seed).map_err(PlayError::Ground)?;
    stage.start_programs()?;
    let mut steps = Vec::new();
    let mut kept = Vec::new();
    for step in &scenario.step {
        for (verdict, step) in take(&mut stage, step) {
            steps.push(verdict);
            kept.push(step);
        }
    }
    let verdict = Verdict {
        name: name.to_owned(),
        title: scenario.title.clone(),
        as_expected: steps.iter().all(|step| step.mismatches.is_empty()),
        steps,
    };
    Ok(Played { verdict, steps: kept, network: stage.world.into_network() })
}

/// Takes a step, or those of a parallel one together; a verdict for each and what is kept of it, in the file's order.
fn take<B: Backend>(stage: &mut Stage<'_, B>, step: &Step) -> Vec<(StepVerdict, PlayedStep)> {
    let began = stage.world.now();
    let mut leaves = Vec::new();
    collect_leaves(step, began, &mut leaves);
    let deadline = began + LONGEST_STEP;
    loop {
        let now = stage.world.now();
        for leaf in &mut leaves {
            if leaf.running.is_none() && leaf.starts <= now {
                leaf.running = Some(Running::begin(stage, leaf.step));
            }
            if let Some(running) = &mut leaf.running {
                running.advance(stage);
            }
        }
        if leaves.iter().all(Leaf::is_over) || now >= deadline {
            break;
        }
        pass_time(stage, &leaves, deadline);
    }
    stage.world.settle(AFTERMATH);
    let done: Vec<(&Step, Option<Done>)> =
        leaves.into_iter().map(|leaf| (leaf.step, leaf.running.map(|running| running.end(stage)))).collect();
    let judged = done.iter().map(|(step, done)| {
        let verdict = judge::judge(stage, step, done.as_ref());
        (verdict, kept::keep(stage, step, done.as_ref()))
    });
    let judged = judged.collect();
    stage.world.forget_finished();
    judged
}

/// Lets time pass until something is to be done.
fn pass_time<B: Backend>(stage: &mut Stage<'_, B>, leaves: &[Leaf<'_>], deadline: Instant) {
    let next = leaves.iter().filter_map(Leaf::next).chain([deadline]).min().unwrap_or(deadline);
    let watched: Vec<Activity> = leaves.iter().filter_map(Leaf::watched).collect();
    if watched.is_empty() && leaves.iter().all(Leaf::is_idle) {
        stage.world.pass(next - stage.world.now());
    } else {
        stage.world.run(next, |world| watched.iter().any(|activity| world.is_finished(*activity)));
    }
}

/// A step that consists of no others.
struct Leaf<'a> {
    step: &'a Step,
    starts: Instant,
    running: Option<Running>,
}

impl Leaf<'_> {
    fn is_over(&self) -> bool {
        self.running.as_ref().is_some_and(Running::is_over)
    }

    fn next(&self) -> Option<Instant> {
        self.running.as_ref().map_or(Some(self.starts), Running::next)
    }

    fn watched(&self) -> Option<Activity> {
        self.running.as_ref().and_then(Running::watched)
    }

    /// Whether it waits for time alone.
    fn is_idle(&self) -> bool {
        self.running.as_ref().is_none_or(|running| running.is_over() || running.idle_until().is_some())
    }
}

/// The steps that a step consists of, each with when it starts.
fn collect_leaves<'a>(step: &'a Step, from: Instant, into: &mut Vec<Leaf<'a>>) {
    let starts = from + step.after.unwrap_or_default().into();
    match &step.parallel {
        Some(steps) => steps.get_ref().iter().for_each(|step| collect_leaves(step, starts, into)),
        None => into.push(Leaf { step, starts, running: None }),
    }
}
