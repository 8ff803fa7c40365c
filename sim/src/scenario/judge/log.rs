//! What both ends of a session logged themselves. It is beside what the wires saw, never in its place: a router may have
//! changed a line on its way.

use super::mask::Mask;
use super::{Findings, fits};
use crate::ftp::TranscriptLine;
use crate::scenario::language::Expect;

pub(super) fn judge(
    expect: &Expect,
    client: &[TranscriptLine],
    server: &[TranscriptLine],
    mask: &Mask,
    findings: &mut Findings,
) {
    for (what, expected, log) in
        [("client-log", &expect.client_log, client), ("server-log", &expect.server_log, server)]
    {
        let lines: Vec<&str> = log.iter().map(|line| line.text.as_str()).collect();
        if let Some(missing) = first_missing(expected, &lines) {
            let word = missing.split(' ').next().unwrap_or_default();
            let instead = lines.iter().filter(|line| line.split(' ').next() == Some(word));
            let instead: Vec<&str> = instead.copied().collect();
            let seen = if instead.is_empty() { format!("no such {word} there") } else { instead.join("\n") };
            findings.mismatch(what, missing, &seen);
        }
        findings.saw(what, mask.text(&lines.join("\n")));
    }
}

/// The first of the expected lines that does not stand behind those before it.
fn first_missing<'e>(expected: &'e [String], lines: &[&str]) -> Option<&'e str> {
    let mut lines = lines.iter();
    expected.iter().find(|pattern| !lines.any(|line| fits(pattern, line))).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_in_the_order_in_which_they_are_expected() {
        let lines = ["220 Service ready", "PORT 192,168,1,100,65,43", "200 PORT command successful."];
        let missing = |expected: &[&str]| {
            let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
            first_missing(&expected, &lines).map(str::to_owned)
        };
        assert_eq!(missing(&["220 *", "PORT 192,168,1,100,*", "200 PORT *"]), None);
        assert_eq!(missing(&["PORT *", "220 *"]), Some("220 *".to_owned()));
        assert_eq!(missing(&["PORT"]), Some("PORT".to_owned()));
    }
}
