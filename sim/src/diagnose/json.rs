//! The report as one JSON document. Its times are microseconds on each source's own clock.

use serde_json::{Value, json};

use super::candidates::Comparison;
use super::diagnosis::Diagnosis;
use super::facts::{Announced, Facts};
use super::material::{Material, Medium, Observed, Source, Stated};
use super::words;
use crate::cause::Finding;
use crate::session::{DataAttempt, Ending, Fate, Line, Speaker};

/// The report.
pub fn json(material: &Material, diagnoses: &[Diagnosis]) -> Value {
    let failed = diagnoses.iter().filter(|diagnosis| diagnosis.is_failure()).count();
    let sessions: Vec<Value> = diagnoses.iter().map(|diagnosis| session(material, diagnosis)).collect();
    json!({
        "sources": material.sources.iter().map(source).collect::<Vec<_>>(),
        "failed": failed,
        "sessions": sessions,
    })
}

fn source(source: &Source) -> Value {
    let medium = match source.medium {
        Medium::Capture => "capture",
        Medium::ClientLog => "client-log",
        Medium::ServerLog => "server-log",
        Medium::Log => "log",
    };
    let stated = source.stated.map(|stated| if stated == Stated::Lan { "lan" } else { "wan" });
    json!({
        "name": source.name,
        "medium": medium,
        "stated": stated,
        "from_us": source.span.map(|(first, _)| first.total_micros()),
        "to_us": source.span.map(|(_, last)| last.total_micros()),
        "sees_data": source.sees_data,
        "notes": source.notes,
    })
}

fn session(material: &Material, diagnosis: &Diagnosis) -> Value {
    let facts = Facts::of(material, &diagnosis.session);
    let told_by = |place: Option<usize>| {
        diagnosis.session.told_by.iter().find(|(of, _)| Some(*of) == place).map(|(_, told_by)| *told_by)
    };
    let (outcome, cause) = match &diagnosis.finding {
        Finding::NoFailure => ("ok", None),
        Finding::Undecided { .. } => ("undecided", None),
        Finding::Unseen { .. } => ("unseen", None),
        Finding::Cause(found) => {
            let cause = json!({
                "cause": found.cause,
                "text": found.cause.to_string(),
                "explanation": found.cause.explanation(),
                "details": found.details,
            });
            ("failed", Some(cause))
        }
    };
    let transfer = facts.transfer().map(
        |transfer| json!({ "command": transfer.command, "reply": transfer.reply, "code": transfer.code }),
    );
    json!({
        "session": diagnosis.number,
        "outcome": outcome,
        "control_port": facts.control_port(),
        "established": facts.established(),
        "encrypted": facts.encrypted(),
        "mode": facts.mode(),
        "client_behind_router": facts.client_behind(),
        "server_behind_router": facts.server_behind(),
        "announcement_rewritten": facts.rewritten(),
        "transfer": transfer,
        "at_client": facts.at_client.map(|it| view(it, told_by(diagnosis.session.at_client))),
        "at_server": facts.at_server.map(|it| view(it, told_by(diagnosis.session.at_server))),
        "cause": cause,
        "wanted": words::wanted(&diagnosis.finding, &facts),
        "routers": diagnosis.candidates.as_ref().map(candidates),
    })
}

fn candidates(candidates: &Result<Comparison, super::NotRebuilt>) -> Value {
    match candidates {
        Ok(Comparison { seen, stand_ins, routers, remedies }) => {
            let exactly = routers.iter().filter(|candidate| candidate.differs.is_empty());
            let exactly: Vec<&str> = exactly.map(|candidate| candidate.profile.as_str()).collect();
            json!({ "seen": seen, "stand_ins": stand_ins, "exactly": exactly, "compared": routers, "remedies": remedies })
        }
        Err(why) => json!({ "not_compared": why.to_string() }),
    }
}

fn view(view: &Observed, told_by: Option<&str>) -> Value {
    let account = &view.account;
    let line = |line: &Line| json!({ "at_us": line.at.map(|at| at.total_micros()), "by": words::speaker(line), "text": line.text });
    let announced = Facts::announced(view).map(|Announced { by, line, to }| {
        let by = if by == Speaker::Client { "client" } else { "server" };
        json!({ "by": by, "line": line, "to": to })
    });
    json!({
        "source": view.source,
        "told_by": told_by,
        "client": { "ip": account.client.ip, "port": account.client.port },
        "server": { "ip": account.server.ip, "port": account.server.port },
        "begins_in_the_middle": view.joined,
        "encrypted": view.encrypted,
        "announced": announced,
        "dialogue": account.dialogue.lines.iter().map(line).collect::<Vec<_>>(),
        "data": account.data.iter().map(data).collect::<Vec<_>>(),
        "notes": view.notes,
    })
}

fn data(attempt: &DataAttempt) -> Value {
    let fate = match attempt.fate {
        Fate::Unknown => "unknown",
        Fate::Opened => "opened",
        Fate::Refused => "refused",
        Fate::Unreachable => "unreachable",
        Fate::NoAnswer => "no-answer",
    };
    let ended = attempt.ended.map(|ended| if ended == Ending::Closed { "closed" } else { "reset" });
    let dialled_by = attempt.dialled_by.map(|by| if by == Speaker::Client { "client" } else { "server" });
    json!({
        "at_us": attempt.at.map(|at| at.total_micros()),
        "dialled_by": dialled_by,
        "from": attempt.from,
        "to": attempt.to,
        "fate": fate,
        "octets": attempt.carried,
        "ended": ended,
    })
}
