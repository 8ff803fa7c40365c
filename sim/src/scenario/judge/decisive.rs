//! The decisive events of a step and the tables at its end, in a form in which two runs on different ground are the
//! same: each once, in order of the alphabet, without numbers that count, without times, with ports masked. What
//! chance or a queue's length decides is left out.

use std::collections::BTreeSet;

use quirknat_router::event::{EventKind, Origin};
use quirknat_router::packet::Protocol;
use quirknat_router::reason::DropReason;
use quirknat_router::{Router, Translation};
use smoltcp::time::Instant;

use super::mask::Mask;
use super::{Findings, key};
use crate::net::link::LinkLoss;
use crate::net::{LossReason, NetworkEvent};
use crate::scenario::stage::Stage;
use crate::world::Backend;

/// Notes what routers and the network have decided since `since`, and what they hold now.
pub(super) fn note<B: Backend>(stage: &Stage<'_, B>, since: Instant, mask: &Mask, findings: &mut Findings) {
    let events = || stage.world.network().events().iter().filter(|event| event.at() >= since);
    let by_chance = stage.world.network().leaves_to_chance();
    for network in stage.scenario.network.keys() {
        let told: BTreeSet<String> = events()
            .filter_map(|event| match event {
                NetworkEvent::Router { router, event } if **router == **network => {
                    in_words(&event.kind, by_chance, mask)
                }
                _ => None,
            })
            .collect();
        findings.saw(&format!("events at {network}"), lines(told));
        let router = stage.router(network).and_then(|id| stage.world.network().router(id));
        let rows = router.map(Router::translations).unwrap_or_default();
        let rows = rows.iter().map(|translation| row(translation, mask)).collect();
        findings.saw(&format!("table of {network}"), lines(rows));
    }
    let lost = events().filter_map(|event| match event {
        // Who happens to send while something is off is a matter of moments.
        NetworkEvent::Lost(loss) if is_outage(loss.reason) => Some(event.to_string()),
        NetworkEvent::Lost(loss) if !is_chance(loss.reason, by_chance) => Some(format!(
            "{} > {} lost {}: {}",
            loss.packet_source, loss.packet_destination, loss.place, loss.reason
        )),
        _ => None,
    });
    findings.saw("events at network", lines(lost.collect()));
}

fn lines(texts: BTreeSet<String>) -> String {
    texts.into_iter().collect::<Vec<_>>().join("\n")
}

fn in_words(kind: &EventKind, by_chance: bool, mask: &Mask) -> Option<String> {
    Some(match kind {
        EventKind::CommandRewritten { before, after, .. } => {
            format!("rewritten: `{}` leaves as `{}`", mask.text(before), mask.text(after))
        }
        EventKind::CommandLeftAlone { reason, line, .. } => {
            let line = line.as_deref().map(|line| format!(": `{}`", mask.text(line))).unwrap_or_default();
            format!("left alone, {}{line}", key(reason))
        }
        EventKind::ForwardOpened { external, target, .. } => {
            format!("forward opened: {} leads to {}", mask.endpoint(*external), mask.endpoint(*target))
        }
        EventKind::ForwardUsed { .. } => "forward used".to_owned(),
        EventKind::TranslationCreated { protocol, inside, external, remote, origin, .. } => {
            let ends = [inside, external, remote].map(|end| endpoint(*protocol, *end, mask));
            let [inside, external, remote] = ends;
            format!("created, {}: {protocol} {inside} is {external} towards {remote}", origin_name(*origin))
        }
        EventKind::TranslationRefused { protocol, remote, reason, .. } => {
            format!(
                "no translation, {}: {protocol} towards {}",
                key(reason),
                endpoint(*protocol, *remote, mask)
            )
        }
        // A late or damaged segment is dropped where chance has made one.
        EventKind::PacketDropped { reason: DropReason::Malformed(_) | DropReason::GapInControl, .. }
            if by_chance =>
        {
            return None;
        }
        EventKind::PacketDropped { reason, packet_source, packet_destination } => {
            let ends = packet_source.zip(*packet_destination);
            let ends = ends.map(|(from, to)| format!(" ({from} > {to})")).unwrap_or_default();
            format!("dropped: {reason}{ends}")
        }
        EventKind::PacketAnswered { answer, to } => format!("answered with {answer} to {to}"),
        _ => return None,
    })
}

fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Outbound => "outbound",
        Origin::Mapping => "mapping",
        Origin::AlgForward => "alg-forward",
        Origin::StaticForward => "static-forward",
        Origin::Requested => "requested",
        Origin::UpnpIgd => "upnp-igd",
        Origin::Triggered => "triggered",
        Origin::DmzHost => "dmz-host",
    }
}

fn row(translation: &Translation, mask: &Mask) -> String {
    let Translation { protocol, inside, external, remote, .. } = translation;
    let [inside, external, remote] = [inside, external, remote].map(|end| endpoint(*protocol, *end, mask));
    format!("{protocol} {inside} is {external} towards {remote}")
}

fn endpoint(protocol: Protocol, end: std::net::SocketAddrV4, mask: &Mask) -> String {
    if protocol == Protocol::Icmp { format!("{}:*", end.ip()) } else { mask.endpoint(end) }
}

fn is_outage(reason: LossReason) -> bool {
    matches!(reason, LossReason::RouterOff | LossReason::Link(LinkLoss::Down))
}

fn is_chance(reason: LossReason, by_chance: bool) -> bool {
    match reason {
        LossReason::Link(LinkLoss::Random | LinkLoss::Burst | LinkLoss::QueueFull { .. }) => true,
        LossReason::Malformed => by_chance,
        _ => false,
    }
}
