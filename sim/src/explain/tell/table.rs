//! What routers held for a session, over time: translations and forwards from their making to their end.

use quirknat_router::event::{Event, EventKind};

use crate::explain::story::{Decision, Entry, EntryEnd, EntryKind};
use crate::net::{ChangeKind, NetworkEvent};

/// A session's translations and forwards as its own packets made them, followed through all that happened after.
pub(super) fn entries(decisions: &[&Decision], events: &[NetworkEvent]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = decisions.iter().filter_map(|decision| made(decision)).collect();
    for entry in &mut entries {
        follow(entry, events);
    }
    entries
}

fn made(decision: &Decision) -> Option<Entry> {
    let NetworkEvent::Router { router, event } = &decision.event else { return None };
    let entry = |kind, id, text, why: &str, expires_s| Entry {
        router: router.to_string(),
        kind,
        id,
        text,
        why: why.to_owned(),
        since_us: event.at.total_micros(),
        used_us: Vec::new(),
        ended: None,
        expires_s,
    };
    Some(match &event.kind {
        EventKind::TranslationCreated { translation, protocol, inside, external, remote, origin } => entry(
            EntryKind::Translation,
            *translation,
            format!("{protocol} {inside} is {external} towards {remote}"),
            &origin.to_string(),
            None,
        ),
        EventKind::ForwardOpened { forward, external, target, allowed, expires_s, .. } => entry(
            EntryKind::Forward,
            *forward,
            format!("{external} leads to {target}"),
            &format!("for {allowed}"),
            *expires_s,
        ),
        _ => return None,
    })
}

/// Reads on from where an entry was made until it ends.
fn follow(entry: &mut Entry, events: &[NetworkEvent]) {
    let since_us = entry.since_us;
    let later = events.iter().filter(|event| event.at().total_micros() >= since_us);
    for event in later {
        let at_us = event.at().total_micros();
        let reason = match event {
            NetworkEvent::Router { router, event } if **router == *entry.router => {
                note(entry, event);
                ending(entry, &event.kind)
            }
            NetworkEvent::Changed(change) => match &change.what {
                ChangeKind::RouterRestarted { router } if *router == entry.router => {
                    Some("the router restarted".to_owned())
                }
                ChangeKind::WanAddressChanged { router, .. } if *router == entry.router => {
                    Some("the router got another WAN address".to_owned())
                }
                _ => None,
            },
            _ => None,
        };
        if let Some(reason) = reason {
            entry.ended = Some(EntryEnd { at_us, reason });
            return;
        }
    }
}

fn note(entry: &mut Entry, event: &Event) {
    match (entry.kind, &event.kind) {
        (
            EntryKind::Translation,
            EventKind::TranslationRefreshed { translation, expires_s }
            | EventKind::ControlKept { translation, expires_s },
        ) if *translation == entry.id => {
            entry.expires_s = Some(*expires_s);
        }
        (EntryKind::Forward, EventKind::ForwardRefreshed { forward, expires_s }) if *forward == entry.id => {
            entry.expires_s = Some(*expires_s);
        }
        (EntryKind::Forward, EventKind::ForwardUsed { forward, .. }) if *forward == entry.id => {
            entry.used_us.push(event.at.total_micros());
        }
        _ => {}
    }
}

fn ending(entry: &Entry, kind: &EventKind) -> Option<String> {
    match (entry.kind, kind) {
        (EntryKind::Translation, EventKind::TranslationEnded { translation, reason })
            if *translation == entry.id =>
        {
            Some(reason.to_string())
        }
        (EntryKind::Forward, EventKind::ForwardEnded { forward, reason }) if *forward == entry.id => {
            Some(reason.to_string())
        }
        _ => None,
    }
}

/// Which of a session's translations and forwards an event that nobody's packet brought about is of.
pub(super) fn concerns(event: &NetworkEvent, decisions: &[&Decision]) -> bool {
    let NetworkEvent::Router { router, event } = event else {
        return matches!(event, NetworkEvent::Changed(_));
    };
    let (kind, id) = match &event.kind {
        EventKind::TranslationEnded { translation, .. } | EventKind::ControlKept { translation, .. } => {
            (EntryKind::Translation, *translation)
        }
        EventKind::ForwardEnded { forward, .. } => (EntryKind::Forward, *forward),
        _ => return false,
    };
    let is_own = |entry: &Entry| (entry.kind, entry.id) == (kind, id) && *entry.router == **router;
    decisions.iter().filter_map(|decision| made(decision)).any(|entry| is_own(&entry))
}
