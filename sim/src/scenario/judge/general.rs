//! What can be expected of any step: packets on wires, events, and the tables at its end.

use std::collections::BTreeMap;

use smoltcp::time::Instant;

use super::{Findings, fits};
use crate::net::NetworkEvent;
use crate::packet_text::{self, Pattern};
use crate::scenario::language::{Expect, Text};
use crate::scenario::stage::Stage;
use crate::world::Backend;

/// Seen packets and events that a report lists in place of the one expected.
const LISTED: usize = 5;

pub(super) fn judge<B: Backend>(
    stage: &Stage<'_, B>,
    expect: &Expect,
    since: Instant,
    findings: &mut Findings,
) {
    judge_packets(stage, &expect.packets, since, true, findings);
    judge_packets(stage, &expect.no_packets, since, false, findings);
    judge_events(stage, &expect.events, since, true, findings);
    judge_events(stage, &expect.no_events, since, false, findings);
    judge_tables(stage, expect, findings);
}

fn judge_packets<B: Backend>(
    stage: &Stage<'_, B>,
    patterns: &BTreeMap<Text, Vec<Text>>,
    since: Instant,
    wanted: bool,
    findings: &mut Findings,
) {
    let what = if wanted { "packets" } else { "no-packets" };
    for (wire, patterns) in patterns {
        let place = stage.wire(wire.get_ref());
        let crossed = || {
            let record = stage.world.network().record().iter();
            record.filter(move |crossing| {
                Some(crossing.wire) == place && crossing.at >= since && !crossing.lost
            })
        };
        for text in patterns {
            let Ok(pattern) = Pattern::parse(text.get_ref()) else { continue };
            let found = crossed().find(|crossing| pattern.matches(&crossing.bytes));
            let seen = match found {
                Some(_) if wanted => continue,
                Some(crossing) => packet_text::print(&crossing.bytes),
                None if wanted => list(crossed().map(|crossing| packet_text::print(&crossing.bytes))),
                None => continue,
            };
            findings.mismatch(&format!("{what} on {}", wire.get_ref()), text.get_ref(), &seen);
        }
    }
}

fn judge_events<B: Backend>(
    stage: &Stage<'_, B>,
    patterns: &BTreeMap<Text, Vec<String>>,
    since: Instant,
    wanted: bool,
    findings: &mut Findings,
) {
    let what = if wanted { "events" } else { "no-events" };
    for (place, patterns) in patterns {
        let told = || {
            let events = stage.world.network().events().iter();
            events
                .filter(move |event| event.at() >= since && is_told_at(event, place.get_ref()))
                .map(ToString::to_string)
        };
        for pattern in patterns {
            let seen = match told().find(|text| fits(pattern, text)) {
                Some(_) if wanted => continue,
                Some(text) => text,
                None if wanted => list(told().filter(|text| !text.starts_with("translated"))),
                None => continue,
            };
            findings.mismatch(&format!("{what} at {}", place.get_ref()), pattern, &seen);
        }
    }
}

/// A router's events are told under its network's name; all others under `network`.
fn is_told_at(event: &NetworkEvent, place: &str) -> bool {
    match event {
        NetworkEvent::Router { router, .. } => **router == *place,
        NetworkEvent::Lost(_) | NetworkEvent::Changed(_) => place == "network",
    }
}

fn list(texts: impl Iterator<Item = String>) -> String {
    let mut texts: Vec<String> = texts.collect();
    let left_out = texts.len().saturating_sub(LISTED);
    texts.truncate(LISTED);
    match (texts.is_empty(), left_out) {
        (true, _) => "none at all".to_owned(),
        (false, 0) => texts.join("\n"),
        (false, more) => format!("{}\n… and {more} more", texts.join("\n")),
    }
}

fn judge_tables<B: Backend>(stage: &Stage<'_, B>, expect: &Expect, findings: &mut Findings) {
    let router = |network: &Text| stage.world.network().router(stage.router(network.get_ref())?);
    for (network, expected) in &expect.translations {
        let Some(router) = router(network) else { continue };
        let seen = router.translations().len();
        if seen != *expected {
            let what = format!("translations of {}", network.get_ref());
            findings.mismatch(&what, &expected.to_string(), &seen.to_string());
        }
    }
    for (network, patterns) in &expect.table {
        let Some(router) = router(network) else { continue };
        let rows: Vec<String> = router.translations().iter().map(ToString::to_string).collect();
        for pattern in patterns.iter().filter(|pattern| !rows.iter().any(|row| fits(pattern, row))) {
            findings.mismatch(
                &format!("table of {}", network.get_ref()),
                pattern,
                &list(rows.iter().cloned()),
            );
        }
    }
}
