//! The story as Markdown, the ladder as Mermaid's text of a sequence diagram.

use std::fmt::Write as _;
use std::ops::Range;

use super::story::{Decision, End, LogLine, Packet, Row, StepStory, Story, Towards};
use super::words;
use crate::scenario::Mismatch;

/// The story in Markdown (CommonMark with tables).
pub fn markdown(story: &Story) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "# {}\n\n{}", prose(&story.name), prose(&story.title));
    let _ = writeln!(
        out,
        "\nTimes are seconds of the scenario's clock. What a router rewrote is in «…». Hidden: {}.",
        story.hidden
    );
    for step in &story.steps {
        step_markdown(&mut out, step);
    }
    for elsewhere in &story.elsewhere {
        let _ = writeln!(out, "\n## Step {}: {}", elsewhere.step, prose(&elsewhere.what));
        mismatches(&mut out, &elsewhere.mismatches);
    }
    out
}

fn step_markdown(out: &mut String, step: &StepStory) {
    let _ = writeln!(
        out,
        "\n## Step {}: {}\n\n{}.",
        step.number,
        prose(&step.step),
        prose(&words::outcome(step))
    );
    if let Some(why) = words::assumed(step) {
        let _ = writeln!(out, "\n*{}*", prose(&why));
    }
    if words::failed(step) {
        let _ = writeln!(out, "\n**Why it failed:** {}.", prose(&words::cause(step)));
        for about in words::about_cause(step) {
            let _ = writeln!(out, "\n{}", prose(&about));
        }
    }
    if !step.remedies.is_empty() {
        let _ = writeln!(out, "\n**What helps:**\n");
        for (number, remedy) in (1..).zip(&step.remedies) {
            let _ = writeln!(out, "{number}. {}", prose(remedy));
        }
    }
    let _ = writeln!(out, "\n### What crossed\n\n```mermaid");
    diagram(out, step);
    let _ = writeln!(out, "```");
    if step.acknowledgements > 0 {
        let _ = writeln!(out, "\nBare acknowledgements not shown: {}.", step.acknowledgements);
    }
    logs(out, step);
    table(out, step);
    mismatches(out, &step.mismatches);
}

/// The diagram. A packet is a message for each view that it crossed.
fn diagram(out: &mut String, step: &StepStory) {
    let _ = writeln!(out, "sequenceDiagram");
    for (place, station) in step.stations.iter().enumerate() {
        let mut lines = vec![station.name().to_owned()];
        lines.extend(words::station(station));
        let lines: Vec<String> = lines.iter().map(|line| mermaid(line)).collect();
        let _ = writeln!(out, "    participant s{place} as {}", lines.join("<br/>"));
    }
    for row in &step.rows {
        match row {
            Row::Packet(packet) => {
                messages(out, step, packet);
                let notes = packet.decisions.chunk_by(|one, other| one.station == other.station);
                notes.for_each(|decisions| note(out, step, decisions));
                let is_told = packet
                    .decisions
                    .iter()
                    .any(|decision| Some(&decision.text) == words::end(packet).as_ref());
                if let (Some(end), Some((_, to)), false) = (words::end(packet), packet.span(), is_told) {
                    let _ = writeln!(out, "    Note over s{to}: {}", mermaid(&end));
                }
            }
            Row::Note(decision) => note(out, step, std::slice::from_ref(decision)),
        }
    }
}

fn messages(out: &mut String, step: &StepStory, packet: &Packet) {
    let wires: Vec<usize> = packet.legs.iter().filter_map(|leg| leg.wire).collect();
    let mut crossed: Vec<_> = step
        .views
        .iter()
        .filter_map(|view| {
            let legs: Vec<_> = packet
                .legs
                .iter()
                .filter(|leg| leg.wire.is_some_and(|wire| view.wires().contains(&wire)))
                .collect();
            let wires = legs.iter().filter_map(|leg| leg.wire);
            Some((wires.clone().min()?, wires.max()?, *legs.first()?))
        })
        .collect();
    if packet.towards == Towards::Client {
        crossed.reverse();
    }
    let count = crossed.len();
    for (number, (first, last, leg)) in crossed.into_iter().enumerate() {
        let (from, to) = match packet.towards {
            Towards::Server => (first, last + 1),
            Towards::Client => (last + 1, first),
        };
        let stops = number + 1 == count && matches!(packet.end, End::Stopped { .. });
        let mut lines: Vec<String> = Vec::new();
        for line in &leg.lines {
            lines.push(marked(&line.text, &line.rewritten));
            lines.extend(line.announces.as_ref().map(|announces| mermaid(&format!("= {announces}"))));
        }
        lines.extend(words::more(packet).map(|more| mermaid(&format!("… {more}"))));
        let time = if number == 0 { format!("{} ", words::time(packet.at_us)) } else { String::new() };
        let arrow = if stops { "-x" } else { "->>" };
        let _ = writeln!(out, "    s{from}{arrow}s{to}: {time}{}", lines.join("<br/>"));
    }
    debug_assert!(count > 0 || wires.is_empty());
}

fn note(out: &mut String, step: &StepStory, decisions: &[Decision]) {
    let last = step.stations.len().saturating_sub(1);
    let texts: Vec<String> = decisions.iter().map(|decision| mermaid(&words::decided(decision))).collect();
    let over = match decisions.first().and_then(|decision| decision.station) {
        Some(station) => format!("s{station}"),
        None => format!("s0,s{last}"),
    };
    let _ = writeln!(out, "    Note over {over}: {}", texts.join("<br/>"));
}

/// A line with what was rewritten in it between «».
fn marked(text: &str, rewritten: &[Range<usize>]) -> String {
    let pieces = words::pieces(text, rewritten).into_iter();
    pieces
        .map(|(text, marked)| if marked { format!("«{}»", mermaid(&text)) } else { mermaid(&text) })
        .collect()
}

/// Text that Mermaid shows as it is: what would end it or be markup is written as entities.
pub(super) fn mermaid(text: &str) -> String {
    let mut shown = String::new();
    for character in words::shown(text).chars() {
        match character {
            '#' | ';' | '<' | '>' | '&' | '"' | '%' | '`' | '\\' | '{' | '}' | '$' | '_' | '*' | '~' => {
                let _ = write!(shown, "#{};", u32::from(character));
            }
            _ => shown.push(character),
        }
    }
    shown
}

fn logs(out: &mut String, step: &StepStory) {
    let logs = &step.logs;
    if logs.rows.is_empty() && logs.output.is_none() {
        return;
    }
    let _ = writeln!(out, "\n### Both logs\n");
    if !logs.rows.is_empty() {
        let [client, server] = [step.stations.first(), step.stations.last()]
            .map(|station| station.map_or_else(String::new, |station| cell(station.name())));
        let server =
            if logs.has_server { format!("the server's, on {server}") } else { "no server's log".to_owned() };
        let _ = writeln!(out, "| the client's, on {client} | | {server} |\n|---|---|---|");
        for row in &logs.rows {
            let sign = |is_own: bool| if is_own { ">" } else { "<" };
            let side = |line: &Option<LogLine>, is_own: bool| {
                line.as_ref()
                    .map_or_else(String::new, |line| code(&format!("{} {}", sign(is_own), line.text)))
            };
            let differs = if row.differs() { "≠" } else { "" };
            let (client, server) = (side(&row.client, row.by_client), side(&row.server, !row.by_client));
            let _ = writeln!(out, "| {client} | {differs} | {server} |");
        }
    }
    if let Some(output) = &logs.output {
        for (name, text) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if !text.trim().is_empty() {
                let fence = fence(text, 3);
                let _ = writeln!(out, "The program's {name}:\n\n{fence}text");
                text.lines().for_each(|line| {
                    let _ = writeln!(out, "{}", words::shown(line));
                });
                let _ = writeln!(out, "{fence}\n");
            }
        }
    }
    for moral in &logs.moral {
        let _ = writeln!(out, "\n{}.", prose(moral));
    }
}

fn table(out: &mut String, step: &StepStory) {
    if step.table.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### What the routers held\n\n| | | since | used | |\n|---|---|---|---|---|");
    for entry in &step.table {
        let used: Vec<String> = entry.used_us.iter().map(|at| words::time(*at)).collect();
        let _ = writeln!(
            out,
            "| {} | {} ({}) | {} | {} | {} |",
            cell(&words::entry_name(entry)),
            code(&entry.text),
            cell(&entry.why),
            words::time(entry.since_us),
            used.join(", "),
            cell(&words::entry_end(entry))
        );
    }
}

fn mismatches(out: &mut String, mismatches: &[Mismatch]) {
    if mismatches.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### Not as the scenario expects\n");
    for Mismatch { what, expected, seen } in mismatches {
        let _ = writeln!(out, "- {}: expected {}, saw {}", prose(what), code(expected), code(seen));
    }
}

/// Text in which nothing is markup.
fn prose(text: &str) -> String {
    let mut shown = String::new();
    let mut in_code = false;
    for character in words::shown(text).chars() {
        // What is between backticks in our own sentences stays code.
        if character == '`' {
            in_code = !in_code;
        } else if !in_code
            && matches!(character, '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '&' | '|' | '~' | '!')
        {
            shown.push('\\');
        }
        shown.push(character);
    }
    // An odd backtick would take the rest of the paragraph with it.
    if in_code { words::shown(text).replace('`', "\\`").replace('<', "\\<") } else { shown }
}

/// The same, in a cell of a table.
fn cell(text: &str) -> String {
    prose(text)
}

/// A code span, fit for a cell of a table.
fn code(text: &str) -> String {
    let text = words::shown(text).replace('|', "\\|");
    let fence = fence(&text, 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// More backticks than stand next to each other in a text.
fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(least.max(longest + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_markup_is_none() {
        assert_eq!(prose("a*b_c<img>"), "a\\*b\\_c\\<img\\>");
        assert_eq!(prose("says `PORT 1_2`, <x>"), "says `PORT 1_2`, \\<x\\>");
        assert_eq!(prose("odd ` and <x>"), "odd \\` and \\<x>");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
    }

    #[test]
    fn mermaid_reads_no_markup_and_no_end_of_line_in_a_text() {
        assert_eq!(mermaid("a;b#c<br>\nd"), "a#59;b#35;c#60;br#62;#92;u#123;a#125;d");
        assert_eq!(marked("PORT 1,2;", &[5..6, 7..8]), "PORT «1»,«2»#59;");
    }
}
