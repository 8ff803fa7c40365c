//! Every sample under `tests/logs`, read; and what no file may do.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::cause::{self, Evidence, Finding};
use crate::session::{DataAttempt, End, Line};

/// The password of everybody in the samples.
const PASSWORD: &str = "Open5esame";

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/logs")
}

/// The samples of a program, in order of their names.
fn of_program(program: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(samples().join(program)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let named =
        |file: PathBuf| (file.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(file).unwrap());
    files.into_iter().map(named).collect()
}

fn programs() -> Vec<String> {
    let entries = fs::read_dir(samples()).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn shown(reading: &LogReading) -> String {
    let mut out = format!("{}, {:?}\n", reading.format, reading.standpoint());
    for (number, session) in reading.sessions.iter().enumerate() {
        let (client, server) = (end(session.client), end(session.server));
        let established = session.established;
        let lines = session.dialogue.lines.len();
        let timed = session.dialogue.lines.iter().filter(|line| line.at.is_some()).count();
        writeln!(
            out,
            "{number}: {client} to {server}, established {established:?}, {lines} lines, {timed} with a time"
        )
        .unwrap();
        for line in session.dialogue.lines.iter().filter(|line| tells(line)) {
            writeln!(out, "   {:?}: {}", line.by, line.text).unwrap();
        }
        for attempt in &session.data {
            writeln!(out, "   data: {}", data(attempt)).unwrap();
        }
        writeln!(out, "   {}", finding(reading, session)).unwrap();
    }
    for note in &reading.notes {
        writeln!(out, "note {:?}: {}", note.session, note.remark).unwrap();
    }
    out
}

/// What can be found from this log alone.
fn finding(reading: &LogReading, session: &Account) -> String {
    let evidence = match reading.standpoint() {
        Standpoint::Server => Evidence { at_server: Some(session), ..Evidence::default() },
        Standpoint::Client | Standpoint::Unknown => {
            Evidence { at_client: Some(session), ..Evidence::default() }
        }
    };
    match cause::find(&evidence) {
        Finding::Cause(found) => format!("cause: {:?}; {}", found.cause, found.details),
        Finding::NoFailure => "no failure".to_owned(),
        Finding::Undecided { wanted } => format!("cannot tell; wanted: {wanted:?}"),
        Finding::Unseen { wanted } => format!("not seen whether it failed; wanted: {wanted:?}"),
    }
}

/// What a diagnosis looks at.
fn tells(line: &Line) -> bool {
    line.announces().is_some()
        || line
            .verb()
            .is_some_and(|verb| matches!(verb.as_str(), "PASS" | "EPSV" | "RETR" | "MLSD" | "LIST" | "AUTH"))
        || line.code().is_some_and(|code| code >= 400 || code == 226)
}

fn end(end: End) -> String {
    let ip = end.ip.map_or_else(|| "?".to_owned(), |ip| ip.to_string());
    let port = end.port.map_or_else(|| "?".to_owned(), |port| port.to_string());
    format!("{ip}:{port}")
}

fn data(attempt: &DataAttempt) -> String {
    let DataAttempt { dialled_by, from, to, fate, ended, .. } = attempt;
    format!("{dialled_by:?} from {from:?} to {to:?}: {fate:?}, {ended:?}")
}

#[test]
fn every_sample_is_read_as_its_program_wrote_it() {
    for program in programs() {
        let mut out = String::new();
        for (name, bytes) in of_program(&program) {
            let reading =
                read(&mut bytes.as_slice()).unwrap_or_else(|error| panic!("{program}/{name}: {error}"));
            writeln!(out, "## {name}\n{}", shown(&reading)).unwrap();
        }
        insta::assert_snapshot!(program, out);
    }
}

#[test]
fn no_sample_gives_its_password_away() {
    let mut with_password = 0;
    for program in programs() {
        for (name, bytes) in of_program(&program) {
            with_password += usize::from(String::from_utf8_lossy(&bytes).contains(PASSWORD));
            let reading = format!("{:?}", read(&mut bytes.as_slice()));
            assert!(!reading.contains(PASSWORD), "{program}/{name}: {reading}");
        }
    }
    assert!(with_password > 20, "only {with_password} samples have the password, so this says little");
}

#[test]
fn a_file_without_ftp_says_what_it_is_and_what_is_known() {
    let error = |mut bytes: &[u8]| read(&mut bytes).unwrap_err().to_string();
    assert!(
        error(b"")
            .starts_with("no log of FTP in a known format: it is empty; known are the logs of curl, lftp")
    );
    let smtp = b"220 mail ready\r\nHELO me\r\n250 hello\r\nQUIT\r\n221 bye\r\n";
    assert!(error(smtp).contains("5 lines, the first of which is \"220 mail ready\""), "{}", error(smtp));
    let web = b"*   Trying 192.0.2.1:80...\n* Connected to x (192.0.2.1) port 80 (#0)\n> GET / HTTP/1.1\n< HTTP/1.1 200 OK\n";
    assert!(
        error(web)
            .starts_with("a log of curl, with no line of an FTP dialogue in it; it has one after: curl -v")
    );
    assert!(!error(b"PASS hunter2\n").contains("hunter2"));
    assert!(!error(b"get ftp://me:hunter2@host/\n").contains("hunter2"));
    assert!(error(b"\x1b[31mred\n").contains("u{1b}"), "a terminal's commands are not repeated");
}

#[test]
fn a_connection_that_is_refused_is_a_session_without_words() {
    let log = b"*   Trying 192.0.2.1:21...\n* connect to 192.0.2.1 port 21 failed: Connection refused\n";
    let reading = read(&mut log.as_slice()).unwrap();
    assert_eq!(reading.sessions.len(), 1);
    assert_eq!(reading.sessions[0].established, Some(false));
    assert_eq!(reading.sessions[0].server.whole(), Some("192.0.2.1:21".parse().unwrap()));
}

#[test]
fn a_format_can_be_named() {
    let log = b"> PASV\n< 227 =1,2,3,4,5,6\n";
    assert_eq!(read(&mut log.as_slice()).unwrap().format, Format::Transcript);
    assert_eq!(read_as(&mut log.as_slice(), Format::Curl).unwrap().standpoint(), Standpoint::Client);
    assert!(matches!(read_as(&mut log.as_slice(), Format::Vsftpd), Err(LogError::NoDialogue { .. })));
    for format in Format::ALL {
        assert_eq!(format.name().parse(), Ok(format));
    }
    assert!(
        "telnet"
            .parse::<Format>()
            .unwrap_err()
            .to_string()
            .starts_with("no log format is called \"telnet\"; there")
    );
}

#[test]
fn a_progress_meter_and_a_hexadecimal_trace_do_not_hide_the_dialogue() {
    let meter = "  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0";
    let log = format!("{meter}* Connected to x (192.0.2.1) port 21 (#0)\n{meter}< 220 hi\n> PASV\n");
    let reading = read(&mut log.as_bytes()).unwrap();
    assert_eq!((reading.format, reading.sessions[0].dialogue.lines.len()), (Format::Curl, 2));
    let log = "=> Send header, 6 bytes (0x6)\n0000: 50 41 53 56 0d 0a                               PASV..\n\
               <= Recv header, 20 bytes (0x14)\n\
               0000: 32 32 37 20 3d 31 2c 32 2c 33 2c 34 2c 35 2c 36 227 =1,2,3,4,5,6\n\
               0010: 0d 0a                                           ..\n";
    let reading = read(&mut log.as_bytes()).unwrap();
    let said: Vec<_> = reading.sessions[0].dialogue.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(said, ["PASV", "227 =1,2,3,4,5,6"]);
}

#[test]
fn a_log_by_way_of_syslog_is_the_same_log() {
    let vsftpd = "Nov 25 21:51:20 nas vsftpd[30871]: [anonymous] FTP response: Client \"::ffff:192.0.2.7\", \"220 hi\"\n";
    let proftpd = "Nov 25 21:51:20 nas proftpd[7]: 127.0.0.1 (pc[192.0.2.7]) - FTP session opened.\n\
                   Nov 25 21:51:20 nas proftpd[7]: 127.0.0.1 (pc[192.0.2.7]) - dispatching CMD command 'PASV' to mod_core\n";
    let pure = "Nov 25 21:51:20 nas pure-ftpd[9]: (?@192.0.2.7) [DEBUG] Command [pasv] []\n";
    for (log, format) in [(vsftpd, Format::Vsftpd), (proftpd, Format::ProftpdDebug), (pure, Format::PureFtpd)]
    {
        let reading = read(&mut log.as_bytes()).unwrap();
        assert_eq!(reading.format, format);
        assert_eq!(reading.sessions[0].client.ip, Some("192.0.2.7".parse().unwrap()), "{log}");
        assert_eq!(reading.sessions[0].dialogue.lines.len(), 1, "{log}");
    }
}

#[test]
fn rubbish_between_the_lines_changes_nothing() {
    for program in ["curl", "filezilla", "vsftpd", "pyftpdlib"] {
        for (name, bytes) in of_program(program) {
            let text = String::from_utf8(bytes).unwrap();
            let rubbish = "\u{1}\u{fffd} rubbish\n\n";
            let mixed: String = text.lines().flat_map(|line| [line, "\r\n", rubbish]).collect();
            let (clean, mixed) = (read(&mut text.as_bytes()).unwrap(), read(&mut mixed.as_bytes()).unwrap());
            assert_eq!(clean, mixed, "{program}/{name}");
        }
    }
}

#[test]
fn a_log_without_end_is_kept_within_bounds() {
    let mut log = String::new();
    for number in 0..3000 {
        writeln!(log, "[pid {number}] CONNECT: Client \"192.0.2.1\"").unwrap();
        for _ in 0..50 {
            writeln!(log, "[pid {number}] FTP command: Client \"192.0.2.1\", \"NOOP\"").unwrap();
        }
    }
    let reading = read(&mut log.as_bytes()).unwrap();
    assert_eq!(reading.sessions.len(), book::MAX_SESSIONS);
    let remarks: Vec<_> = reading.notes.iter().map(|note| note.remark).collect();
    assert!(remarks.contains(&Remark::SessionsLeftOut), "{remarks:?}");
    assert!(remarks.contains(&Remark::LinesLeftOut(100_000)), "{remarks:?}");
}

/// A line of any sample, or another one.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<Vec<u8>> = programs()
        .iter()
        .flat_map(|program| of_program(program))
        .flat_map(|(_, bytes)| bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>())
        .collect();
    prop_oneof![
        6 => prop::sample::select(known),
        1 => prop::collection::vec(any::<u8>(), 0..80),
        1 => "[ -~]{0,60}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn lines_of_any_program_in_any_order_are_read_or_refused(
        lines in prop::collection::vec(line(), 0..60), cut in 0..60_usize,
    ) {
        let mut bytes = lines.join(&b'\n');
        bytes.truncate(bytes.len().saturating_sub(cut));
        let told = format!("{:?}", read(&mut bytes.as_slice()));
        prop_assert!(!told.contains(PASSWORD), "{}", told);
        for format in Format::ALL {
            let told = format!("{:?}", read_as(&mut bytes.as_slice(), format));
            prop_assert!(!told.contains(PASSWORD), "{}: {}", format, told);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = read(&mut bytes.as_slice());
        for format in Format::ALL {
            let _ = read_as(&mut bytes.as_slice(), format);
        }
    }

    #[test]
    fn the_argument_of_pass_is_kept_by_no_format(secret in "[a-zA-Z0-9]{12}", verb in "[Pp][Aa][Ss][Ss]|ACCT") {
        let logs = [
            format!("* Connected to x (192.0.2.1) port 21 (#0)\n> {verb} {secret}\n< 230 ok\n"),
            format!("=> Send header, 9 bytes (0x9)\n0000: {verb} {secret}\n<= Recv header\n0000: 230 ok\n"),
            format!("---> {verb} {secret}\n<--- 230 ok\n"),
            format!("---> {verb} {secret}\n230 ok\n"),
            format!("--> {verb} {secret}\r\n\r\n230 ok\n"),
            format!("2026-11-25 21:50:48  Cmd: {verb} {secret}\n2026-11-25 21:50:48  230: ok\n"),
            format!("*cmd* '{verb} {secret}'\n*resp* '230 ok'\n"),
            format!("Command:\t{verb} {secret}\nResponse:\t230 ok\n"),
            format!("> 2026-11-25 21:50:47.191 {verb} {secret}\n< 2026-11-25 21:50:47.191 230 ok\n"),
            format!("[pid 1] FTP command: Client \"192.0.2.1\", \"{verb} {secret}\"\n"),
            format!("[pid 1] OK LOGIN: Client \"192.0.2.1\", anon password \"{secret}\"\n[pid 1] FTP command: Client \"192.0.2.1\", \"PASV\"\n"),
            format!("proftpd[1] x (y[192.0.2.1]): dispatching CMD command '{verb} {secret}' to mod_auth\n"),
            format!("192.0.2.1 x x [25/Nov/2026:21:51:28 +0000] \"{verb} {secret}\" 230 -\n"),
            format!("pure-ftpd: (?@192.0.2.1) [DEBUG] Command [{verb}] [{secret}]\n"),
            format!("[D 2026-11-25 21:51:24] 192.0.2.1:5-[] <- {verb} {secret}\n"),
            format!("(000001) 25/11/2026 21:50:47 - (not logged in) (192.0.2.1)> {verb} {secret}\n"),
            format!("2026-11-25T21:50:47.1Z >> [FTP Session 1 192.0.2.1] {verb} {secret}\n"),
            format!("Client> PASV\nClient> {verb} {secret}\nServer> 230 ok\n"),
        ];
        for log in logs {
            let told = format!("{:?}", read(&mut log.as_bytes()));
            prop_assert!(!told.contains(&secret), "{}\n{}", log, told);
        }
    }
}
