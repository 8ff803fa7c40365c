//! What stands below the ladder: both logs, the routers' tables, the cause, what helps.

use super::Page;
use super::canvas::Canvas;
use crate::explain::story::{LogLine, LogRow, StepStory};
use crate::explain::words;
use crate::explain::wrap::marked_pieces;
use crate::scenario::Mismatch;

/// Both ends' logs next to each other.
pub(super) fn logs(page: &mut Page, step: &StepStory) {
    let logs = &step.logs;
    if logs.rows.is_empty() && logs.output.is_none() {
        return;
    }
    page.heading("Both logs");
    let half = page.width.saturating_sub(3) / 2;
    if !logs.rows.is_empty() {
        let [client, server] = [step.stations.first(), step.stations.last()]
            .map(|station| station.map_or_else(String::new, |station| words::shown(station.name())));
        let mut canvas = Canvas::new(page.width);
        canvas.text(0, &format!("the client's, on {client}"), page.style.faint);
        let server =
            if logs.has_server { format!("the server's, on {server}") } else { "no server's log".to_owned() };
        canvas.text(half + 3, &server, page.style.faint);
        page.line(&canvas);
        logs.rows.iter().for_each(|row| log_row(page, row, half));
    }
    if let Some(output) = &logs.output {
        for (name, text) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if text.trim().is_empty() {
                continue;
            }
            page.paragraph(0, &format!("the program's {name}"), page.style.faint);
            text.lines().for_each(|line| page.paragraph(2, &words::shown(line), page.style.plain));
        }
    }
    for moral in &logs.moral {
        let style = if logs.rows.iter().any(LogRow::differs) { page.style.warning } else { page.style.faint };
        page.paragraph(0, &words::shown(moral), style);
    }
}

fn log_row(page: &mut Page, row: &LogRow, half: usize) {
    let sign = |is_own: bool| if is_own { '>' } else { '<' };
    let side = |line: &Option<LogLine>| {
        line.as_ref().map(|line| with_marks(line, half.saturating_sub(2))).unwrap_or_default()
    };
    let (client, server) = (side(&row.client), side(&row.server));
    for at in 0..client.len().max(server.len()) {
        let mut canvas = Canvas::new(page.width);
        for (pieces, column, sign) in
            [(&client, 0, sign(row.by_client)), (&server, half + 3, sign(!row.by_client))]
        {
            let Some((text, is_marks)) = pieces.get(at) else { continue };
            if at == 0 {
                canvas.put(column, sign, page.style.faint);
            }
            canvas.text(column + 2, text, if *is_marks { page.style.warning } else { page.style.plain });
        }
        if at == 0 && row.differs() {
            canvas.put(half + 1, '≠', page.style.bad);
        }
        page.line(&canvas);
    }
}

/// A line in pieces, each with marks below it where the other log has something else.
fn with_marks(line: &LogLine, columns: usize) -> Vec<(String, bool)> {
    let differing: Vec<_> = line.differing.clone().into_iter().collect();
    let pieces = marked_pieces(&line.text, &differing, columns).into_iter();
    pieces
        .flat_map(|piece| {
            let marks = (!piece.marks.is_empty()).then(|| (piece.marks_below(), true));
            std::iter::once((piece.text, false)).chain(marks)
        })
        .collect()
}

/// What routers held.
pub(super) fn table(page: &mut Page, step: &StepStory) {
    if step.table.is_empty() {
        return;
    }
    page.heading("What the routers held");
    for entry in &step.table {
        page.paragraph(
            0,
            &format!("{}: {} ({})", words::entry_name(entry), entry.text, entry.why),
            page.style.plain,
        );
        let since = words::time(entry.since_us);
        let used: Vec<String> =
            entry.used_us.iter().map(|at| format!(", used at {}", words::time(*at))).collect();
        let line = format!("from {since}{}, {}", used.concat(), words::entry_end(entry));
        page.paragraph(4, &line, page.style.faint);
    }
}

/// The cause, and what helps.
pub(super) fn why(page: &mut Page, step: &StepStory) {
    if !words::failed(step) {
        return;
    }
    page.heading("Why it failed");
    page.paragraph(2, &words::cause(step), page.style.bad);
    for about in words::about_cause(step) {
        page.paragraph(2, &words::shown(&about), page.style.plain);
    }
    if !step.remedies.is_empty() {
        page.heading("What helps");
        for (number, remedy) in (1..).zip(&step.remedies) {
            page.paragraph(2, &format!("{number}. {}", words::shown(remedy)), page.style.good);
        }
    }
}

/// What was not as expected.
pub(super) fn mismatches(page: &mut Page, mismatches: &[Mismatch]) {
    if mismatches.is_empty() {
        return;
    }
    page.heading("Not as the scenario expects");
    for Mismatch { what, expected, seen } in mismatches {
        let [what, expected, seen] = [what, expected, seen].map(|text| words::shown(text));
        page.paragraph(2, &format!("{what}: expected {expected}, saw {seen}"), page.style.bad);
    }
}
