//! The report in the terminal.

use std::fmt::Write as _;

use super::material::Material;
use super::sessions::Session;
use crate::session::Speaker;

/// The report.
pub fn text(material: &Material, sessions: &[Session]) -> String {
    let mut text = String::new();
    for (number, session) in (1..).zip(sessions) {
        let _ = writeln!(text, "session {number}");
        for place in [session.at_client, session.at_server].into_iter().flatten() {
            let Some(observed) = material.observed.get(place) else { continue };
            let Some(source) = material.sources.get(observed.source) else { continue };
            let _ = writeln!(text, "  {}", source.name);
            for line in &observed.account.dialogue.lines {
                let who = if line.by == Speaker::Client { ">" } else { "<" };
                let _ = writeln!(text, "    {who} {}", line.text);
            }
            for data in &observed.account.data {
                let _ = writeln!(text, "    {data:?}");
            }
        }
    }
    text
}
