//! The client's log and the server's log next to each other.

use super::difference::characters;
use super::label::announced;
use super::secrets::{Secrets, masked_output};
use crate::explain::story::{LogLine, LogRow, Logs, Output, Towards};
use crate::ftp::{Direction, TranscriptLine};
use crate::scenario::{Log, PlayedSession};

/// What both ends say.
pub(super) fn logs(session: &PlayedSession, secrets: &Secrets) -> Logs {
    let output = match &session.client_log {
        Log::Output { stdout, stderr } => Some(Output {
            stdout: masked_output(&secrets.out_of(stdout)),
            stderr: masked_output(&secrets.out_of(stderr)),
        }),
        _ => None,
    };
    let mut rows = beside(dialogue(&session.client_log), dialogue(&session.server_log));
    rows.iter_mut().for_each(mark);
    let has_server = matches!(session.server_log, Log::Dialogue(_));
    let moral = if has_server && output.is_none() { moral(&rows) } else { Vec::new() };
    Logs { rows, output, has_server, moral }
}

fn dialogue(log: &Log) -> &[TranscriptLine] {
    match log {
        Log::Dialogue(lines) => lines,
        Log::None | Log::Output { .. } => &[],
    }
}

/// Lines beside each other that are the same line of the dialogue: TCP keeps each end's lines in order.
fn beside(client: &[TranscriptLine], server: &[TranscriptLine]) -> Vec<LogRow> {
    let by_client =
        |is_clients: bool, line: &TranscriptLine| is_clients == (line.direction == Direction::Sent);
    let of = |wanted: bool| server.iter().filter(move |line| by_client(false, line) == wanted);
    let (mut commands, mut replies) = (of(true), of(false));
    let mut rows: Vec<LogRow> = Vec::new();
    for line in client {
        let is_command = by_client(true, line);
        let twin = if is_command { commands.next() } else { replies.next() };
        rows.push(LogRow { by_client: is_command, client: Some(log_line(line)), server: twin.map(log_line) });
    }
    // What the server alone has: the client never heard it.
    let rest = commands.map(|line| (true, line)).chain(replies.map(|line| (false, line)));
    for (is_command, line) in rest {
        rows.push(LogRow { by_client: is_command, client: None, server: Some(log_line(line)) });
    }
    rows.sort_by_key(|row| row.client.as_ref().or(row.server.as_ref()).map(|line| line.at_us));
    rows
}

fn log_line(line: &TranscriptLine) -> LogLine {
    LogLine { at_us: line.at.total_micros(), text: line.text.clone(), differing: None }
}

fn mark(row: &mut LogRow) {
    if let (Some(client), Some(server)) = (&mut row.client, &mut row.server) {
        client.differing = characters(&client.text, &server.text);
        server.differing = characters(&server.text, &client.text);
    }
}

/// What the two logs together say of trusting either.
fn moral(rows: &[LogRow]) -> Vec<String> {
    let said = |row: &LogRow| {
        let (client, server) = (row.client.as_ref()?, row.server.as_ref()?);
        let (own, other, sent, got) = if row.by_client {
            ("client", "server", &client.text, &server.text)
        } else {
            ("server", "client", &server.text, &client.text)
        };
        Some(format!("the {own}'s log says `{sent}`; what the {other} got is `{got}`"))
    };
    let differing: Vec<String> = rows.iter().filter(|row| row.differs()).filter_map(said).collect();
    if !differing.is_empty() {
        return differing;
    }
    let towards = |row: &LogRow| if row.by_client { Towards::Server } else { Towards::Client };
    let announces = |row: &&LogRow| {
        row.client.as_ref().is_some_and(|line| announced(&line.text, towards(row)).is_some())
            && row.server.is_some()
    };
    match rows.iter().rev().find(announces).and_then(|row| row.client.as_ref()) {
        Some(line) => vec![format!("both logs agree on `{}`: nothing was rewritten on the way", line.text)],
        None => Vec::new(),
    }
}
