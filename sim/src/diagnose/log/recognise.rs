//! Which program wrote a log, told from its lines.

use super::format::Format;
use super::transcript;
use crate::session::Speaker;

/// How many lines are looked at, from the first one on that looks like a log of something.
pub(super) const WINDOW: usize = 500;
/// How many lines before that one are kept, too.
pub(super) const BEFORE: usize = 50;

/// How well a format fits.
#[derive(Debug, Clone, Copy, Default)]
struct Fit {
    /// Lines that only this program writes.
    own: usize,
    /// Lines of a dialogue, in this format.
    said: usize,
}

/// The format that fits these lines best: with lines of its own, and the most of a dialogue.
pub(super) fn format_of<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> Option<Format> {
    let fit = |format: Format| {
        lines.clone().fold(Fit::default(), |fit, line| Fit {
            own: fit.own + usize::from(format.recognises(line)),
            said: fit.said + usize::from(format.speaks(line)),
        })
    };
    // Bare commands and replies are in other programs' logs, too.
    let told = Format::ALL
        .into_iter()
        .filter(|format| *format != Format::Transcript)
        .map(|format| (format, fit(format)))
        .filter(|(_, fit)| fit.own > 0)
        // The first of several that fit equally well: max_by_key would take the last.
        .rev()
        .max_by_key(|(_, fit)| (fit.said, fit.own))
        .map(|(format, _)| format);
    told.or_else(|| is_dialogue(lines).then_some(Format::Transcript))
}

/// Whether a line is worth looking at by [`format_of`].
pub(super) fn is_promising(line: &str) -> bool {
    Format::ALL.into_iter().any(|format| format.recognises(line) || format.speaks(line))
}

/// A command that no other protocol has, and a reply.
fn is_dialogue<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    const ONLY_FTP: [&str; 12] =
        ["PORT", "PASV", "EPRT", "EPSV", "TYPE", "CWD", "RETR", "STOR", "NLST", "SYST", "PWD", "PASS"];
    let (mut commands, mut replies) = (false, false);
    for line in lines {
        match transcript::said(line) {
            Some((Speaker::Client, text)) => {
                commands |= text.split(' ').next().is_some_and(|verb| ONLY_FTP.contains(&verb));
            }
            Some((Speaker::Server, _)) => replies = true,
            None => {}
        }
    }
    commands && replies
}
