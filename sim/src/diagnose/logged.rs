//! A log as material.

use std::io::BufRead;

use super::log::{self, Format, LogError, LogReading, Note, Remark, Standpoint};
use super::material::{Material, Medium, Observed, Source};
use crate::session::{Account, Speaker};

/// Adds what a log tells; its program is told from its lines where `format` does not say it.
pub(super) fn read_log(
    material: &mut Material,
    name: &str,
    file: &mut impl BufRead,
    format: Option<Format>,
) -> Result<(), LogError> {
    let LogReading { format, sessions, notes } = match format {
        Some(format) => log::read_as(file, format)?,
        None => log::read(file)?,
    };
    let medium = match format.standpoint() {
        Standpoint::Client => Medium::ClientLog,
        Standpoint::Server => Medium::ServerLog,
        Standpoint::Unknown => Medium::Log,
    };
    let of = |session: Option<usize>| notes.iter().filter(move |note: &&Note| note.session == session);
    let texts = |session| of(session).map(|note| note.remark.to_string()).collect();
    let source = material.sources.len();
    material.sources.push(Source {
        name: if medium == Medium::Log { name.to_owned() } else { format!("{name}, by {format}") },
        medium,
        clock: source,
        stated: None,
        span: span(&sessions),
        sees_data: false,
        notes: texts(None),
    });
    let observed = sessions.into_iter().enumerate().map(|(place, account)| Observed {
        source,
        began: account.dialogue.lines.first().and_then(|line| line.at),
        joined: is_joined(&account),
        encrypted: of(Some(place)).any(|note| note.remark == Remark::Encrypted),
        notes: texts(Some(place)),
        account,
    });
    material.observed.extend(observed);
    Ok(())
}

fn span(sessions: &[Account]) -> Option<(smoltcp::time::Instant, smoltcp::time::Instant)> {
    let times = || sessions.iter().flat_map(|session| &session.dialogue.lines).filter_map(|line| line.at);
    Some((times().min()?, times().max()?))
}

/// Whether the first words are missing: a greeting, or what a client says before it has logged in.
fn is_joined(account: &Account) -> bool {
    const BEFORE_LOGIN: [&str; 5] = ["AUTH", "CLNT", "FEAT", "HOST", "USER"];
    account.dialogue.lines.first().is_some_and(|line| match line.by {
        Speaker::Server => !(line.text.starts_with("220") || line.text.starts_with("120")),
        Speaker::Client => !line.verb().is_some_and(|verb| BEFORE_LOGIN.contains(&verb.as_str())),
    })
}
