//! The story as one page that needs nothing besides: no network, no fonts, and no script either, which only makes it
//! handier. Layout and bytes are made here, the page's frame is `templates/explain.html`.

mod ladder;
mod packet;
mod svg;
mod timeline;

use askama::Template;

use super::story::{LogLine, LogRow, Output, Row, StepStory, Story};
use super::words;
use crate::scenario::{Mismatch, Station};
use packet::Panel;

/// The story as an HTML document.
///
/// # Errors
/// Where the template cannot be rendered, which only a mistake in it can bring about.
pub fn html(story: &Story) -> Result<String, askama::Error> {
    Page::new(story).render()
}

#[derive(Template)]
#[template(path = "explain.html")]
struct Page {
    name: String,
    title: String,
    backend: &'static str,
    seed: u64,
    as_expected: bool,
    hidden: &'static str,
    style: &'static str,
    script: &'static str,
    steps: Vec<Step>,
    elsewhere: Vec<(usize, String, Vec<Mismatch>)>,
}

/// A step on the page.
struct Step {
    number: usize,
    what: String,
    failed: bool,
    /// What of it went how, and the class of that.
    outcome: Vec<(String, &'static str)>,
    assumed: Option<Prose>,
    cause: Prose,
    about_cause: Vec<Prose>,
    remedies: Vec<Prose>,
    mismatches: Vec<Mismatch>,
    wide: ladder::Ladder,
    narrow: ladder::Ladder,
    acknowledgements: usize,
    profiles: Vec<String>,
    logs: Logs,
    timeline: Option<(String, String)>,
    panels: Vec<Panel>,
    command: String,
}

/// Both logs on the page.
struct Logs {
    client: String,
    server: String,
    rows: Vec<LogPair>,
    differs: bool,
    has_server: bool,
    output: Option<Output>,
    moral: Vec<Prose>,
}

/// A sentence: pieces of it, each with whether it is code.
#[derive(Template)]
#[template(
    ext = "html",
    source = "{% for (text, is_code) in pieces %}{% if *is_code %}<code>{{ text }}</code>{% else %}{{ text }}{% endif %}{% endfor %}"
)]
struct Prose {
    pieces: Vec<(String, bool)>,
}

impl Prose {
    fn new(text: &str) -> Self {
        Self { pieces: words::prose(text) }
    }
}

/// A line in both logs: the client's, the server's.
struct LogPair {
    sides: [Option<Side>; 2],
    differs: bool,
}

/// A line in pieces, with whether each is not in the other log.
struct Side {
    sign: char,
    time: String,
    pieces: Vec<(String, bool)>,
}

impl Page {
    fn new(story: &Story) -> Self {
        let elsewhere = story
            .elsewhere
            .iter()
            .map(|elsewhere| (elsewhere.step, words::shown(&elsewhere.what), elsewhere.mismatches.clone()));
        Self {
            name: words::shown(&story.name),
            title: words::shown(&story.title),
            backend: story.backend.name(),
            seed: story.seed,
            as_expected: story.as_expected,
            hidden: story.hidden,
            style: include_str!("../../../templates/explain.css"),
            script: include_str!("../../../templates/explain.js"),
            steps: story.steps.iter().map(|step| Step::new(story, step)).collect(),
            elsewhere: elsewhere.collect(),
        }
    }
}

impl Step {
    fn new(story: &Story, step: &StepStory) -> Self {
        let packets = step.rows.iter().filter_map(|row| match row {
            Row::Packet(packet) => Some(packet),
            Row::Note(_) => None,
        });
        let timeline = timeline::timeline(step, 1080.0).zip(timeline::timeline(step, 344.0));
        Self {
            number: step.number,
            what: words::shown(&step.step),
            failed: words::failed(step),
            outcome: outcome(step),
            assumed: words::assumed(step).map(|why| Prose::new(&why)),
            cause: Prose::new(&words::cause(step)),
            about_cause: words::about_cause(step).iter().map(|about| Prose::new(about)).collect(),
            remedies: step.remedies.iter().map(|remedy| Prose::new(remedy)).collect(),
            mismatches: step.mismatches.clone(),
            wide: ladder::wide(step),
            narrow: ladder::narrow(step),
            acknowledgements: step.acknowledgements,
            profiles: step.stations.iter().filter_map(profile).collect(),
            logs: logs(step),
            timeline,
            panels: packets.map(|packet| Panel::new(step, packet)).collect(),
            command: command(story, step),
        }
    }
}

fn profile(station: &Station) -> Option<String> {
    match station {
        Station::Router { name, profile, .. } => {
            Some(format!("the router of {} is a {}", words::shown(name), words::shown(profile)))
        }
        Station::Host { .. } | Station::Internet => None,
    }
}

fn outcome(step: &StepStory) -> Vec<(String, &'static str)> {
    let outcome = &step.outcome;
    let class = |value: &str| match value {
        "ok" | "0" => "good",
        "failed" => "bad",
        _ => "",
    };
    let chip = |name: &str, value: &Option<String>| {
        value.as_ref().map(|value| (format!("{name}: {}", words::shown(value)), class(value)))
    };
    [
        chip("control", &outcome.control),
        chip("data", &outcome.data),
        chip("last reply", &outcome.reply.as_ref().map(|reply| reply.replace("no reply", "none"))),
        chip("program", &outcome.program),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What a user types to see it again.
fn command(story: &Story, step: &StepStory) -> String {
    let name = words::shown(&story.name);
    let name = if name.contains(['[', ' ', '\'']) { format!("'{name}'") } else { name };
    let backend = if story.backend.name() == "sim" {
        String::new()
    } else {
        format!(" --backend {}", story.backend.name())
    };
    let seed = if story.seed == 0 { String::new() } else { format!(" --seed {}", story.seed) };
    format!("quirknat explain {name} --step {}{backend}{seed}", step.number)
}

fn logs(step: &StepStory) -> Logs {
    let logs = &step.logs;
    let [client, server] = [step.stations.first(), step.stations.last()]
        .map(|station| station.map_or_else(String::new, |station| words::shown(station.name())));
    Logs {
        client,
        server,
        rows: logs.rows.iter().map(pair).collect(),
        differs: logs.rows.iter().any(LogRow::differs),
        has_server: logs.has_server,
        output: logs.output.clone(),
        moral: logs.moral.iter().map(|moral| Prose::new(moral)).collect(),
    }
}

fn pair(row: &LogRow) -> LogPair {
    let side = |line: &Option<LogLine>, is_own: bool| {
        line.as_ref().map(|line| {
            let differing: Vec<_> = line.differing.clone().into_iter().collect();
            Side {
                sign: if is_own { '>' } else { '<' },
                time: words::time(line.at_us),
                pieces: words::pieces(&line.text, &differing),
            }
        })
    };
    LogPair {
        sides: [side(&row.client, row.by_client), side(&row.server, !row.by_client)],
        differs: row.differs(),
    }
}
