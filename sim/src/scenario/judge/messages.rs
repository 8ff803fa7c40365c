//! Requests and answers, and echoes.

use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::time::Instant;

use super::mask::Mask;
use super::{Findings, fits};
use crate::cause::{Finding, Witness, find_exchange};
use crate::host::{EchoAnswer, EchoAnswerKind, ExchangeOutcome, PingOutcome, Seen};
use crate::scenario::language::{Expect, Outcome, Step};
use crate::scenario::stage::Stage;
use crate::world::Backend;

pub(super) fn judge_exchange(
    expect: &Expect,
    outcome: Option<&ExchangeOutcome>,
    seen: &Seen,
    mask: &Mask,
    findings: &mut Findings,
) {
    let (answered, words) = match outcome {
        None => (0, "failed: it did not end".to_owned()),
        Some(ExchangeOutcome { failure: None, answered, .. }) => (*answered, "ok".to_owned()),
        Some(ExchangeOutcome { failure: Some(failure), answered, .. }) => {
            (*answered, format!("failed: {failure}"))
        }
    };
    let ok = if words == "ok" { Outcome::Ok } else { Outcome::Failed };
    findings.outcome("outcome", expect.outcome, &(ok, words));
    findings.count("answered", expect.answered, answered);
    findings.count("arrived", expect.arrived, seen.requests);
    let from: Vec<String> = seen.from.iter().map(ToString::to_string).collect();
    let words = if from.is_empty() { "nobody".to_owned() } else { from.join(", ") };
    if let Some(expected) = &expect.seen_from
        && !from.iter().any(|from| fits(expected, from))
    {
        findings.mismatch("seen-from", expected, &words);
    }
    findings.saw("seen-from", mask.text(&words));
}

pub(super) fn judge_ping(expect: &Expect, outcome: Option<&PingOutcome>, findings: &mut Findings) {
    let default = PingOutcome::default();
    let outcome = outcome.unwrap_or(&default);
    let words = match outcome {
        PingOutcome { sent: 0, .. } => "failed: nothing was sent".to_owned(),
        PingOutcome { sent, answered, .. } if sent == answered => "ok".to_owned(),
        PingOutcome { sent, answered, .. } => format!("failed: {answered} of {sent} answered"),
    };
    let ok = if words == "ok" { Outcome::Ok } else { Outcome::Failed };
    findings.outcome("outcome", expect.outcome, &(ok, words));
    findings.count("answered", expect.answered, outcome.answered.into());
    let mut errors: Vec<String> = outcome.errors.iter().map(icmp_error).collect();
    errors.dedup();
    let words = if errors.is_empty() { "none".to_owned() } else { errors.join(", ") };
    if let Some(expected) = &expect.icmp_error
        && !errors.iter().chain(errors.is_empty().then_some(&words)).any(|error| fits(expected, error))
    {
        findings.mismatch("icmp-error", expected, &words);
    }
    findings.saw("icmp-error", words);
}

/// Why an exchange failed.
pub(super) fn cause<B: Backend>(stage: &Stage<'_, B>, step: &Step, since: Instant) -> Finding {
    let undecided = || Finding::Undecided { wanted: Vec::new() };
    asked(stage, step).map_or_else(undecided, |(client, to)| {
        find_exchange(Witness { network: stage.world.network(), since }, client, to)
    })
}

/// Who asked, and whom.
fn asked<B: Backend>(stage: &Stage<'_, B>, step: &Step) -> Option<(Ipv4Addr, SocketAddrV4)> {
    let exchange = step.udp.as_ref().or(step.tcp.as_ref())?.get_ref();
    let (client, server) = (exchange.client.get_ref(), exchange.server.get_ref());
    let to = match &exchange.to {
        Some(to) => to.get_ref().parse().ok()?,
        None => stage.reached_at(client, server, exchange.port)?,
    };
    Some((stage.host(client)?.address, to))
}

/// As a person would write it in an expectation.
fn icmp_error(answer: &EchoAnswer) -> String {
    let what = match &answer.kind {
        EchoAnswerKind::Reply(..) => "echo-reply",
        EchoAnswerKind::TimeExceeded => "time-exceeded",
        EchoAnswerKind::Unreachable(0) => "net-unreachable",
        EchoAnswerKind::Unreachable(1) => "host-unreachable",
        EchoAnswerKind::Unreachable(3) => "port-unreachable",
        EchoAnswerKind::Unreachable(4) => "fragmentation-needed",
        EchoAnswerKind::Unreachable(13) => "prohibited",
        EchoAnswerKind::Unreachable(_) => "destination-unreachable",
    };
    format!("{what} from {}", answer.from)
}
