//! Logs that real programs write today, read as `quirknat diagnose` reads them: each client and server with the router
//! between them, once with a PORT that the router leaves alone and once with PASV. The samples in `tests/logs` are what
//! they wrote when the readers were made; this shows that they still write so.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use quirknat_sim::diagnose::log::{self, Format, LogReading, Standpoint};
use quirknat_sim::session::{Account, Announcement, Fate, Speaker};
use support::client::Client::{self, Curl, Ftplib, Lftp, Ncftp, Tnftp, Wget};
use support::deadline::Deadline;
use support::home::{Home, WAN, lan_address, program};
use support::process::{Process, command, run};
use support::requirement::{LAB, Requirement, met};
use support::scratch::Scratch;
use support::server::{PASSWORD, Server};
use support::session::PUBLIC_SERVER;

/// Where the gateway does not look.
const PORT: u16 = 2121;
const FILE: &str = "readme.txt";

#[test]
fn every_clients_log_tells_of_a_refused_port_and_of_a_passive_transfer() {
    let server = Server::Vsftpd;
    let Some(stage) = Stage::set(server) else { return };
    for client in [Curl, Lftp, Ncftp, Wget, Tnftp, Ftplib] {
        if !met(&[client.requirement()]) {
            continue;
        }
        let refused = stage.fetch(client, server, false);
        let session = only_session(&refused);
        assert_eq!((refused.format, refused.standpoint()), (format(client), Standpoint::Client));
        let announced = session.dialogue.announced_last_by(Speaker::Client).and_then(Announcement::endpoint);
        assert_eq!(
            announced.map(|end| end.ip().to_string()),
            Some(lan_address(0)),
            "{client:?}: {refused:?}"
        );
        assert!(has_reply(session, 500), "{client:?}: {refused:?}");
        assert!(session.data.is_empty(), "{client:?}: {refused:?}");

        let works = stage.fetch(client, server, true);
        let session = only_session(&works);
        let announced = session.dialogue.announced_last_by(Speaker::Server).and_then(Announcement::endpoint);
        assert_eq!(
            announced.map(|end| end.ip().to_string()).as_deref(),
            Some(PUBLIC_SERVER),
            "{client:?}: {works:?}"
        );
        assert!(has_reply(session, 226), "{client:?}: {works:?}");
        assert_eq!(
            session.data.last().map(|attempt| attempt.fate),
            Some(Fate::Opened),
            "{client:?}: {works:?}"
        );
        assert_eq!(session.data.last().and_then(|attempt| attempt.dialled_by), Some(Speaker::Client));
    }
}

#[test]
fn vsftpds_log_tells_what_arrived() {
    server_tells(Server::Vsftpd, Format::Vsftpd, |session| has_reply(session, 500));
}

#[test]
fn pyftpdlibs_log_tells_what_arrived() {
    server_tells(Server::Pyftpdlib, Format::Pyftpdlib, |session| has_reply(session, 501));
}

#[test]
fn pure_ftpds_log_tells_what_arrived() {
    server_tells(Server::PureFtpd, Format::PureFtpd, |session| has_reply(session, 500));
}

#[test]
fn proftpds_logs_tell_what_arrived_and_whom_it_dialled() {
    // It takes the client's own address in place of a private one, and meets the router's closed port.
    let dialled_wan = |session: &Account| {
        session.data.last().is_some_and(|attempt| {
            attempt.dialled_by == Some(Speaker::Server)
                && attempt.to.is_some_and(|to| to.ip().to_string() == WAN)
        })
    };
    server_tells(Server::Proftpd, Format::ProftpdDebug, dialled_wan);
    server_tells(Server::Proftpd, Format::ProftpdExtended, |session| has_reply(session, 425));
}

/// Curl fetches by PORT, then by PASV; the server's log is read after each.
fn server_tells(server: Server, format: Format, failed: impl Fn(&Account) -> bool) {
    let Some(mut stage) = Stage::set(server) else { return };
    if !met(&[Curl.requirement()]) {
        return;
    }
    stage.fetch(Curl, server, false);
    stage.fetch(Curl, server, true);
    let reading = stage.server_log(format);
    assert_eq!((reading.format, reading.standpoint()), (format, Standpoint::Server));
    let from_outside = |session: &&Account| session.client.ip.is_some_and(|ip| ip.to_string() == WAN);
    let sessions: Vec<&Account> = reading.sessions.iter().filter(from_outside).collect();
    let [active, passive] = sessions[..] else { panic!("two sessions of {WAN}: {reading:?}") };
    let announced = active.dialogue.announced_last_by(Speaker::Client).and_then(Announcement::endpoint);
    assert_eq!(announced.map(|end| end.ip().to_string()), Some(lan_address(0)), "not rewritten: {active:?}");
    assert!(failed(active), "{active:?}");
    // Where an answer is logged by its code alone, its address is in no log.
    if format != Format::ProftpdExtended {
        let announced = passive.dialogue.announced_last_by(Speaker::Server).and_then(Announcement::endpoint);
        assert_eq!(announced.map(|end| end.ip().to_string()).as_deref(), Some(PUBLIC_SERVER), "{passive:?}");
    }
    assert_eq!(passive.data.last().map(|attempt| attempt.fate), Some(Fate::Opened), "{passive:?}");
    let all = format!("{reading:?}");
    assert!(!all.contains(&format!("PASS {PASSWORD}")), "{all}");
}

fn only_session(reading: &LogReading) -> &Account {
    let [session] = &reading.sessions[..] else { panic!("one session: {reading:?}") };
    session
}

fn has_reply(session: &Account, code: u16) -> bool {
    session.dialogue.lines.iter().any(|line| line.code() == Some(code))
}

fn format(client: Client) -> Format {
    match client {
        Curl => Format::Curl,
        Lftp => Format::Lftp,
        Ncftp => Format::Ncftp,
        Wget => Format::Wget,
        Tnftp => Format::Ftp,
        Ftplib => Format::Ftplib,
    }
}

/// A client behind the router, a server outside that serves one file.
struct Stage {
    // Dropped before the namespaces they run in.
    server: Option<Process>,
    home: Home,
    scratch: Scratch,
}

impl Stage {
    /// `None` where something is missing; it has been said what.
    fn set(server: Server) -> Option<Self> {
        let requirements: Vec<Requirement> = LAB.into_iter().chain(server.requirements()).collect();
        if !met(&requirements) {
            return None;
        }
        let scratch = Scratch::new();
        let home = Home::start(1, PUBLIC_SERVER, &[]);
        let process = server.start(&home.outside, &scratch, PORT);
        scratch.write(&format!("root/pub/{FILE}"), "a file behind a router\n");
        Some(Self { server: Some(process), home, scratch })
    }

    /// The client fetches the file, told to tell everything; what it told is read.
    fn fetch(&self, client: Client, server: Server, passive: bool) -> LogReading {
        let told = self.scratch.join("client.log");
        let _ = fs::remove_file(&told);
        let finished =
            self.home.client().run("client", talkative(client, server, passive, &self.scratch, &told), 30);
        let text = fs::read_to_string(&told).unwrap_or_else(|_| finished.stderr.clone() + &finished.text());
        let reading =
            log::read(&mut text.as_bytes()).unwrap_or_else(|error| panic!("{client:?}: {error}\n{text}"));
        // What works by PASV fails by PORT: the command says so, too, and shows no password.
        let mut diagnose = command("env");
        diagnose.arg(program()).arg("diagnose").arg("--all").arg(self.scratch.write("told.log", &text));
        let told = run("quirknat diagnose", diagnose, 30);
        assert_eq!(told.code(), Some(i32::from(!passive)), "{client:?}: {}", told.story());
        assert!(!told.text().contains(&format!("PASS {PASSWORD}")), "{}", told.text());
        reading
    }

    /// Ends the server and reads its log.
    fn server_log(&mut self, format: Format) -> LogReading {
        let file = match format {
            Format::Vsftpd => Some(format!("vsftpd-{PORT}.log")),
            Format::PureFtpd => Some(format!("pure-{PORT}.log")),
            Format::ProftpdDebug => Some(format!("proftpd-{PORT}.log")),
            Format::ProftpdExtended => Some(format!("proftpd-{PORT}.extended.log")),
            _ => None,
        };
        let server = self.server.take().expect("the server is ended once");
        server.signal(nix::sys::signal::Signal::SIGTERM);
        let finished = server.finish(Deadline::seconds(10));
        let text = file.map_or(finished.stderr, |file| {
            fs::read_to_string(self.scratch.join(&file)).unwrap_or_else(|error| panic!("{file}: {error}"))
        });
        log::read(&mut text.as_bytes()).unwrap_or_else(|error| panic!("{format}: {error}\n{text}"))
    }
}

/// The client, told to log all it can: to `log`, or to its own output.
fn talkative(client: Client, server: Server, passive: bool, scratch: &Scratch, log: &Path) -> Command {
    let user = server.user();
    let url = format!("ftp://{PUBLIC_SERVER}:{PORT}/pub/{FILE}");
    let local = scratch.directory("fetched", 0o755).join(FILE);
    let mut command = match client {
        Curl => {
            let mut command = command("curl");
            command.args([
                "--disable",
                "--silent",
                "--show-error",
                "--verbose",
                "--max-time",
                "15",
                "--disable-epsv",
            ]);
            command.args(["--disable-eprt", "--user", &format!("{user}:{PASSWORD}")]);
            if !passive {
                command.args(["--ftp-port", "-"]);
            }
            command.arg("--output").arg(local).arg(url);
            command
        }
        Lftp => {
            let mode = if passive { "yes" } else { "no" };
            let script = format!(
                "debug 9; set net:max-retries 1; set net:timeout 6; set dns:order inet; set ftp:ssl-allow no; \
                 set ftp:prefer-epsv no; set ftp:auto-passive-mode no; set xfer:clobber yes; \
                 set ftp:passive-mode {mode}; open -u {user},{PASSWORD} -p {PORT} {PUBLIC_SERVER}; \
                 get pub/{FILE} -o {}",
                local.display()
            );
            let mut command = command("lftp");
            command.args(["--norc", "-c", &script]);
            command
        }
        Ncftp => {
            let mut command = command("ncftpget");
            command.arg("-d").arg(log).args([
                "-V",
                "-Z",
                "-t",
                "6",
                "-r",
                "1",
                if passive { "-F" } else { "-E" },
            ]);
            command.args(["-u", user, "-p", PASSWORD, "-P", &PORT.to_string(), PUBLIC_SERVER]);
            command.arg(local.parent().expect("a file lies in a directory")).arg(format!("pub/{FILE}"));
            command
        }
        Wget => {
            let mut command = command("wget");
            command.args(["-d", "--no-config", "--no-proxy", "--tries=1", "--timeout=6"]);
            if !passive {
                command.arg("--no-passive-ftp");
            }
            command.args([format!("--ftp-user={user}"), format!("--ftp-password={PASSWORD}")]);
            command.arg("--output-document").arg(local).arg(url);
            command
        }
        Tnftp => {
            let script = format!(
                "user {user} {PASSWORD}\nepsv4 off\nbinary\nget pub/{FILE} {}\nquit\n",
                local.display()
            );
            let orders = scratch.write("orders", script);
            let mut command = command("tnftp");
            command.args(["-n", "-i", "-v", "-d", "-q", "8", if passive { "-p" } else { "-A" }]);
            command.args([PUBLIC_SERVER, &PORT.to_string()]);
            command.stdin(File::open(orders).expect("the orders were just written"));
            command
        }
        Ftplib => {
            let script = format!(
                "import ftplib, sys\nftp = ftplib.FTP(timeout=8)\nftp.set_debuglevel(1)\n\
                 ftp.connect({PUBLIC_SERVER:?}, {PORT})\nftp.login({user:?}, {PASSWORD:?})\nftp.set_pasv({})\n\
                 ftp.retrbinary('RETR pub/{FILE}', bytearray().extend)\nftp.quit()\n",
                if passive { "True" } else { "False" }
            );
            let mut command = command("python3");
            command.args(["-c", &script]);
            command
        }
    };
    command.env("HOME", scratch.path()).env_remove("ftp_proxy").env_remove("FTP_PROXY");
    command
}
