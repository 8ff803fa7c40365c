//! Makes the story of a scenario from what was played: the record of crossings, the one stream of events, both ends'
//! logs and the verdict. All that is judged was judged before.

mod difference;
mod fields;
mod journeys;
mod label;
mod logs;
mod rows;
mod secrets;
mod sight;
mod table;

use std::ops::Range;

use super::story::{Elsewhere, Explained, Outcome, StepStory, Story, View};
use crate::net::Network;
use crate::scenario::language::BackendName;
use crate::scenario::{Mismatch, Played, PlayedSession, PlayedStep, Station, StepVerdict};
use journeys::{Connections, journeys};
use secrets::Secrets;

pub(super) use label::thousands;

/// How a scenario was played, and what of it is to be told.
#[derive(Debug, Clone, Copy)]
pub struct Telling {
    /// Where its hosts were.
    pub backend: BackendName,
    /// The seed of all that was random.
    pub seed: u64,
    /// The number of the one step to be told, from 1; without it all FTP sessions are.
    pub step: Option<usize>,
    /// Whether every packet has a row of its own, bare acknowledgements too.
    pub all_packets: bool,
}

/// Why there is nothing to tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NothingToTell {
    /// It has no FTP session.
    #[error(
        "`{scenario}` has no FTP session to explain: its steps are none of `ftp`, or of `run` with a `server`"
    )]
    NoFtp {
        /// Its name.
        scenario: String,
    },
    /// The step that was asked for has none.
    #[error("step {step} of `{scenario}` is no FTP session but: {what}; those that are: {sessions}")]
    NotFtp {
        /// Its name.
        scenario: String,
        /// The step's number.
        step: usize,
        /// What the step is.
        what: String,
        /// The numbers of the FTP sessions.
        sessions: String,
    },
    /// There is no such step.
    #[error(
        "`{scenario}` has no step {step}: its steps are 1 to {steps}, those of a `parallel` one counted each"
    )]
    NoStep {
        /// Its name.
        scenario: String,
        /// The number asked for.
        step: usize,
        /// How many there are.
        steps: usize,
    },
}

/// Tells what was played.
pub fn tell(played: &Played, telling: Telling) -> Result<Story, NothingToTell> {
    let Played { verdict, steps, network } = played;
    let sessions: Vec<usize> =
        (1..).zip(steps).filter(|(_, step)| step.session.is_some()).map(|(number, _)| number).collect();
    let scenario = || verdict.name.clone();
    if sessions.is_empty() {
        return Err(NothingToTell::NoFtp { scenario: scenario() });
    }
    if let Some(step) = telling.step.filter(|step| !sessions.contains(step)) {
        let Some(judged) = step.checked_sub(1).and_then(|at| verdict.steps.get(at)) else {
            return Err(NothingToTell::NoStep { scenario: scenario(), step, steps: verdict.steps.len() });
        };
        let numbers: Vec<String> = sessions.iter().map(ToString::to_string).collect();
        let (what, sessions) = (judged.step.clone(), numbers.join(", "));
        return Err(NothingToTell::NotFtp { scenario: scenario(), step, what, sessions });
    }
    let is_told = |number: usize| telling.step.map_or(sessions.contains(&number), |step| step == number);
    let mut story = Story {
        name: verdict.name.clone(),
        title: verdict.title.clone(),
        backend: telling.backend,
        seed: telling.seed,
        as_expected: verdict.as_expected,
        hidden: "the argument of PASS is **** in lines, and * for each of its octets in bytes; checksums are those \
                 that crossed",
        steps: Vec::new(),
        elsewhere: Vec::new(),
    };
    for (number, (judged, step)) in (1..).zip(verdict.steps.iter().zip(steps)) {
        if is_told(number)
            && let Some(session) = &step.session
        {
            story.steps.push(tell_step(network, number, (judged, step), session, telling.all_packets));
        } else if !judged.mismatches.is_empty() {
            let (what, mismatches) = (judged.step.clone(), judged.mismatches.clone());
            story.elsewhere.push(Elsewhere { step: number, what, mismatches });
        }
    }
    Ok(story)
}

fn tell_step(
    network: &Network,
    number: usize,
    (judged, step): (&StepVerdict, &PlayedStep),
    session: &PlayedSession,
    all_packets: bool,
) -> StepStory {
    let (since, until) = (step.since.unwrap_or(step.until), step.until);
    let views = views(&session.stations);
    let connections = Connections::of(network, since, session);
    let journeys = journeys(network, session, &connections, (since, until));
    let secrets = Secrets::find(&journeys);
    let ladder = rows::ladder(network, session, &views, &journeys, &secrets, (since, until), all_packets);
    let decisions = rows::decisions(&ladder.rows);
    let table = table::entries(&decisions, network.events());
    StepStory {
        number,
        step: secrets.out_of(&judged.step),
        assumed: judged.assumed.clone(),
        since_us: since.total_micros(),
        until_us: until.total_micros(),
        outcome: outcome(judged),
        cause: judged.cause.map(|cause| Explained {
            cause,
            text: cause.to_string(),
            explanation: cause.explanation(),
            details: judged.details.clone(),
        }),
        // Whoever has the scenario can try what would help.
        remedies: Vec::new(),
        mismatches: judged.mismatches.iter().map(|mismatch| shown(mismatch, &secrets)).collect(),
        stations: session.stations.clone(),
        wires: session.wires.clone(),
        views,
        acknowledgements: ladder.acknowledgements,
        logs: logs::logs(session, &secrets),
        table,
        rows: ladder.rows,
    }
}

/// A mismatch may quote what a real program wrote.
fn shown(mismatch: &Mismatch, secrets: &Secrets) -> Mismatch {
    let [what, expected, seen] =
        [&mismatch.what, &mismatch.expected, &mismatch.seen].map(|text| secrets.out_of(text));
    Mismatch { what, expected, seen }
}

fn outcome(judged: &StepVerdict) -> Outcome {
    let seen = |what: &str| judged.seen.iter().find(|seen| seen.what == what).map(|seen| seen.was.clone());
    Outcome { control: seen("control"), data: seen("data"), reply: seen("reply"), program: seen("status") }
}

/// The parts of the way between routers. The internet translates nothing, so it divides none.
fn views(stations: &[Station]) -> Vec<View> {
    let is_divide = |station: &Station| matches!(station, Station::Router { .. });
    let last = stations.len().saturating_sub(1);
    let mut bounds: Vec<usize> = stations
        .iter()
        .enumerate()
        .filter(|(_, station)| is_divide(station))
        .map(|(place, _)| place)
        .collect();
    bounds.insert(0, 0);
    bounds.push(last);
    let ranges: Vec<Range<usize>> =
        bounds.iter().zip(bounds.iter().skip(1)).map(|(from, to)| *from..*to).collect();
    let has_internet = |range: &Range<usize>| {
        stations.get(range.start..=range.end).is_some_and(|part| part.contains(&Station::Internet))
    };
    let name = |range: &Range<usize>| {
        if has_internet(range) {
            return "WAN".to_owned();
        }
        // Of two neighbours the one whose LAN it is has the other one inside.
        let inner =
            if ranges.iter().position(has_internet).is_some_and(|internet| {
                ranges.get(internet).is_some_and(|internet| internet.start >= range.end)
            }) {
                range.end
            } else {
                range.start
            };
        stations.get(inner).map_or_else(String::new, |station| format!("LAN of {}", station.name()))
    };
    ranges.iter().map(|range| View { name: name(range), from: range.start, to: range.end }).collect()
}
