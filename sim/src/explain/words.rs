//! Words and numbers that all forms have in common.

use std::ops::Range;

use super::story::{Decision, End, Entry, EntryKind, Packet, StepStory};
use crate::report::escape::for_line;
use crate::scenario::Station;

/// A time of the scenario's clock, in seconds with six digits behind the point, as captures and events have it.
pub(super) fn time(us: i64) -> String {
    let sign = if us < 0 { "-" } else { "" };
    let us = us.unsigned_abs();
    format!("{sign}{}.{:06}", us / 1_000_000, us % 1_000_000)
}

/// That what is expected of a step is an assumption, and why.
pub(super) fn assumed(step: &StepStory) -> Option<String> {
    let why = step.assumed.as_ref()?;
    Some(format!("that it goes so is an assumption: {}", shown(why)))
}

/// How a session ended, in a line.
pub(super) fn outcome(step: &StepStory) -> String {
    let outcome = &step.outcome;
    let part = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name} {value}"));
    let parts = [
        part("control connection", &outcome.control),
        part("data connection", &outcome.data),
        part("last reply", &outcome.reply.as_ref().map(|reply| reply.replace("no reply", "none"))),
        part("program ended with", &outcome.program),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Whether something of a session failed.
pub(super) fn failed(step: &StepStory) -> bool {
    let is_failed = |value: &Option<String>| value.as_deref() == Some("failed");
    let program = step.outcome.program.as_deref().is_some_and(|status| status != "0");
    is_failed(&step.outcome.control) || is_failed(&step.outcome.data) || program
}

/// Why, where it is known.
pub(super) fn cause(step: &StepStory) -> String {
    match &step.cause {
        Some(cause) => format!("{} ({})", cause.text, key(&cause.cause)),
        None if failed(step) => "none that could be told from what was seen".to_owned(),
        None => "nothing failed".to_owned(),
    }
}

/// What the cause has to do with here, and how it comes about.
pub(super) fn about_cause(step: &StepStory) -> Vec<String> {
    let Some(cause) = &step.cause else { return Vec::new() };
    let here = (!cause.details.is_empty()).then(|| format!("here: {}", cause.details));
    here.into_iter().chain([cause.explanation.to_owned()]).collect()
}

/// The name that a value has in files.
pub(super) fn key(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a station is, under its name.
pub(super) fn station(station: &Station) -> Vec<String> {
    match station {
        Station::Host { address, .. } => vec![address.to_string()],
        Station::Router { lan, wan, .. } => vec![lan.to_string(), wan.to_string()],
        Station::Internet => Vec::new(),
    }
}

/// From which station to which a packet went.
pub(super) fn way(step: &StepStory, packet: &Packet) -> String {
    let name =
        |place: usize| step.stations.get(place).map_or_else(String::new, |station| shown(station.name()));
    match packet.span() {
        Some((from, to)) => format!("{} → {}", name(from), name(to)),
        None => packet.legs.first().map_or_else(String::new, |leg| shown(&leg.wire_name)),
    }
}

/// How a packet ended, if not where it was to.
pub(super) fn end(packet: &Packet) -> Option<String> {
    match &packet.end {
        End::Arrived => None,
        End::Stopped { reason, .. } => Some(reason.clone()),
        End::Elsewhere { wire } => {
            Some(format!("goes on over the wire {wire}, which is not between the two"))
        }
        End::UnderWay => Some("still under way when the step was over".to_owned()),
    }
}

/// Packets that are told with another one.
pub(super) fn more(packet: &Packet) -> Option<String> {
    let more = packet.more.as_ref()?;
    let until = time(more.until_us);
    if more.octets > 0 && !packet.again {
        let (segments, octets) =
            (super::tell::thousands(more.packets + 1), super::tell::thousands(more.octets));
        return Some(format!("{segments} segments, {octets} octets, until {until}"));
    }
    let times = if more.packets == 1 { "once".to_owned() } else { format!("{} times", more.packets) };
    Some(format!("and the same {times} more, until {until}"))
}

/// What an entry of a table is called.
pub(super) fn entry_name(entry: &Entry) -> String {
    let kind = match entry.kind {
        EntryKind::Translation => "translation",
        EntryKind::Forward => "forward",
    };
    format!("{kind} {} of {}", entry.id, shown(&entry.router))
}

/// When an entry ended.
pub(super) fn entry_end(entry: &Entry) -> String {
    match (&entry.ended, entry.expires_s) {
        (Some(end), _) => format!("until {}: {}", time(end.at_us), end.reason),
        (None, Some(expires)) => {
            format!("held to the end of the scenario; unused, it would end at {expires} s")
        }
        (None, None) => "held to the end of the scenario".to_owned(),
    }
}

/// A line as it can be shown, in pieces: each with whether it was rewritten.
pub(super) fn pieces(text: &str, rewritten: &[Range<usize>]) -> Vec<(String, bool)> {
    let characters: Vec<char> = text.chars().collect();
    let part =
        |range: Range<usize>| shown(&characters.get(range).unwrap_or_default().iter().collect::<String>());
    let mut pieces = Vec::new();
    let mut at = 0;
    for range in rewritten {
        let range = range.start.min(characters.len())..range.end.min(characters.len());
        pieces.push((part(at..range.start), false));
        at = range.end;
        pieces.push((part(range), true));
    }
    pieces.push((part(at..characters.len()), false));
    pieces.retain(|(text, _)| !text.is_empty());
    pieces
}

/// Who decided what.
pub(super) fn decided(decision: &Decision) -> String {
    let by = if decision.by.is_empty() { "network" } else { &decision.by };
    format!("{by}: {}", decision.text)
}

/// Prose in pieces: each with whether it stands between backticks, as what crossed a wire does in our sentences.
pub(super) fn prose(text: &str) -> Vec<(String, bool)> {
    let text = shown(text);
    let parts: Vec<&str> = text.split('`').collect();
    // With an odd one the text has backticks of its own.
    if parts.len().is_multiple_of(2) {
        return vec![(text.clone(), false)];
    }
    let pieces = parts.into_iter().enumerate().map(|(number, part)| (part.to_owned(), number % 2 == 1));
    pieces.filter(|(part, _)| !part.is_empty()).collect()
}

/// Text from wires and files, on one line: what would steer a terminal is spelled out.
pub(super) fn shown(text: &str) -> String {
    for_line(text).into_owned()
}
