//! What each command does on the control connection: login, parameters, files. Data connections are elsewhere.

use std::net::SocketAddrV4;

use smoltcp::time::Instant;

use super::command::{Command, CommandError, parse};
use super::data::{Direction, Setup};
use super::{Login, Security, ServerSession};
use crate::ftp::{Action, DataType, Reply, ascii};

/// After so many wrong passwords the session ends (RFC 2577 §5).
const MAX_FAILED_LOGINS: u32 = 3;

/// Ports below this are services', not clients' (RFC 2577 §3).
const FIRST_HIGH_PORT: u16 = 1024;

impl ServerSession {
    pub(super) fn serve(&mut self, now: Instant, line: &str) {
        match parse(line, &self.config.lacks) {
            Ok(command) if self.login == Login::In || is_open_to_all(&command) => self.execute(now, command),
            Ok(_) => self.reply(now, 530, "Please login with USER and PASS."),
            Err(error) => self.answer(now, &error.reply()),
        }
    }

    fn execute(&mut self, now: Instant, command: Command) {
        match command {
            Command::User(name) => self.user(now, name),
            Command::Pass(password) => self.pass(now, &password),
            Command::Superfluous => self.reply(now, 202, "Command superfluous at this site."),
            Command::AuthTls => self.auth(now),
            Command::BufferSize | Command::Protection(_) if self.security == Security::None => {
                self.no_security(now);
            }
            Command::BufferSize => {
                self.security = Security::Sized;
                self.reply(now, 200, "PBSZ=0");
            }
            Command::Protection(_) if self.security == Security::Control => {
                self.reply(now, 503, "PBSZ first.");
            }
            Command::Protection(protects) => {
                self.security = if protects { Security::Data } else { Security::Sized };
                self.reply(now, 200, "PROT ok.");
            }
            Command::Syst => self.reply(now, 215, "UNIX Type: L8"),
            Command::Feat => self.feat(now),
            Command::Help => {
                self.reply(now, 214, "USER PASS TYPE PORT PASV LIST NLST RETR STOR DELE SIZE QUIT");
            }
            Command::Noop => self.reply(now, 200, "NOOP ok."),
            Command::Quit => {
                self.reply(now, 221, "Goodbye.");
                self.hang_up(Some(Action::CloseControl));
            }
            Command::Abor => {
                self.drop_data();
                self.reply(now, 226, "ABOR successful; no transfer in progress.");
            }
            Command::Type(data_type) => self.set_type(now, data_type),
            Command::AsItIs => self.reply(now, 200, "Ok."),
            Command::RestartAtZero => self.reply(now, 350, "Restarting at 0. Send STOR or RETR."),
            Command::Pwd => self.reply(now, 257, "\"/\" is the current directory."),
            Command::Cwd(path) => self.cwd(now, path.as_deref()),
            Command::Port(address) => self.port(now, "PORT", address),
            Command::Eprt(address) => self.port(now, "EPRT", address),
            Command::Pasv => self.passive(now, false),
            Command::Epsv => self.passive(now, true),
            Command::EpsvAll => {
                self.epsv_only = true;
                self.reply(now, 200, "EPSV ALL ok.");
            }
            Command::List(path) => self.list(now, path.as_deref()),
            Command::Nlst(path) => self.nlst(now, path.as_deref()),
            Command::Retr(path) => self.retr(now, &path),
            Command::Stor(path) => self.stor(now, &path),
            Command::Dele(path) => self.dele(now, &path),
            Command::Size(path) => self.size(now, &path),
        }
    }

    fn auth(&mut self, now: Instant) {
        if !self.config.tls {
            self.no_security(now);
        } else if self.security != Security::None {
            self.reply(now, 503, "TLS is on already.");
        } else {
            self.reply(now, 234, "AUTH TLS ok.");
            self.actions.push_back(Action::SecureControl);
            self.security = Security::Control;
            // What was sent behind AUTH in plain does not count, nor does a login before it (RFC 4217 §4).
            self.forget_lines();
            self.login = Login::Out;
        }
    }

    fn no_security(&mut self, now: Instant) {
        let error = if self.config.tls { None } else { Some(CommandError::NotImplemented) };
        let first = || Reply::new(503, "AUTH TLS first.");
        self.answer(now, &error.map_or_else(first, CommandError::reply));
    }

    fn user(&mut self, now: Instant, name: String) {
        // Whether there is such a user is not told before the password (RFC 2577 §7).
        self.login = Login::User(name);
        self.reply(now, 331, "Please specify the password.");
    }

    fn pass(&mut self, now: Instant, password: &str) {
        let Login::User(name) = &self.login else {
            self.reply(now, 503, "Login with USER first.");
            return;
        };
        let guest = self.config.anonymous
            && ["anonymous", "ftp"].iter().any(|known| name.eq_ignore_ascii_case(known));
        if guest || self.config.users.get(name).is_some_and(|expected| expected == password) {
            self.login = Login::In;
            self.reply(now, 230, "Login successful.");
            return;
        }
        self.login = Login::Out;
        self.failed_logins = self.failed_logins.saturating_add(1);
        if self.failed_logins < MAX_FAILED_LOGINS {
            self.reply(now, 530, "Login incorrect.");
        } else {
            self.end(now, "Too many wrong passwords.");
        }
    }

    fn feat(&mut self, now: Instant) {
        let known = |verb: &&str| self.config.lacks.iter().all(|lacking| lacking.verb() != *verb);
        let set_ups = ["EPRT", "EPSV", "PASV"].into_iter().filter(known);
        let tls: &[&str] = if self.config.tls { &["AUTH TLS", "PBSZ", "PROT"] } else { &[] };
        let lines =
            ["Features:"].into_iter().chain(tls.iter().copied()).chain(set_ups).chain(["SIZE", "End"]);
        let lines = lines.map(str::to_owned).collect();
        self.answer(now, &Reply { code: 211, lines });
    }

    fn set_type(&mut self, now: Instant, data_type: DataType) {
        self.data_type = data_type;
        let text = match data_type {
            DataType::Image => "Switching to Binary mode.",
            DataType::Ascii => "Switching to ASCII mode.",
        };
        self.reply(now, 200, text);
    }

    /// There is one directory, and it is its own parent.
    fn cwd(&mut self, now: Instant, path: Option<&str>) {
        match path {
            None | Some("/" | "." | ".." | "./") => self.reply(now, 250, "Directory successfully changed."),
            Some(_) => self.reply(now, 550, "Failed to change directory."),
        }
    }

    fn port(&mut self, now: Instant, verb: &str, address: SocketAddrV4) {
        let Some(control) = self.control else { return };
        let client = *control.remote.ip();
        let host = match *address.ip() {
            own if own == client => Some(own),
            foreign => self.config.foreign_port.taken(foreign, client),
        };
        if self.epsv_only {
            self.reply(now, 501, "Only EPSV after EPSV ALL.");
        } else if address.port() == 0 {
            self.answer(now, &CommandError::Syntax.reply());
        } else if let Some(host) = host {
            self.take_port(now, verb, SocketAddrV4::new(host, address.port()));
        } else {
            self.reply(now, 500, &format!("Illegal {verb} command."));
        }
    }

    fn take_port(&mut self, now: Instant, verb: &str, address: SocketAddrV4) {
        if address.port() < FIRST_HIGH_PORT && self.config.refuse_low_ports {
            self.answer(now, &CommandError::Parameter.reply());
        } else {
            self.drop_data();
            self.setup = Setup::Port(address);
            self.reply(now, 200, &format!("{verb} command successful."));
        }
    }

    fn list(&mut self, now: Instant, path: Option<&str>) {
        let file = path.map(file_name);
        let listing = match file {
            None | Some(FileName::Directory) => self.files.long_listing(None),
            Some(FileName::File(name)) => self.files.long_listing(Some(name)),
            Some(FileName::Elsewhere) => String::new(),
        };
        let is_directory = matches!(file, None | Some(FileName::Directory));
        if listing.is_empty() && !is_directory {
            self.no_such_file(now);
        } else {
            self.start(
                now,
                Direction::Out { bytes: listing.into_bytes() },
                "Here comes the directory listing.",
            );
        }
    }

    fn nlst(&mut self, now: Instant, path: Option<&str>) {
        let names = self.files.names();
        let wanted: Vec<_> = match path.map(file_name) {
            None | Some(FileName::Directory) => names,
            Some(FileName::File(only)) => names.into_iter().filter(|name| name == only).collect(),
            Some(FileName::Elsewhere) => Vec::new(),
        };
        let bytes: Vec<u8> =
            wanted.iter().flat_map(|name| [name.as_str(), "\r\n"]).flat_map(str::bytes).collect();
        if bytes.is_empty() && path.is_some_and(|path| file_name(path) != FileName::Directory) {
            self.no_such_file(now);
        } else {
            self.start(now, Direction::Out { bytes }, "Here comes the directory listing.");
        }
    }

    fn retr(&mut self, now: Instant, path: &str) {
        let data_type = self.data_type;
        let on_the_wire = |stored: &[u8]| match data_type {
            DataType::Image => stored.to_vec(),
            DataType::Ascii => ascii::to_wire(stored),
        };
        match as_file(path).and_then(|name| self.files.with(name, on_the_wire)) {
            Some(bytes) => self.start(now, Direction::Out { bytes }, "Opening data connection."),
            None => self.no_such_file(now),
        }
    }

    fn stor(&mut self, now: Instant, path: &str) {
        match as_file(path) {
            Some(name) => {
                let name = name.to_owned();
                self.start(now, Direction::In { name, received: Vec::new() }, "Ok to send data.");
            }
            None => self.reply(now, 553, "Could not create file."),
        }
    }

    fn dele(&mut self, now: Instant, path: &str) {
        if as_file(path).is_some_and(|name| self.files.remove(name)) {
            self.reply(now, 250, "Delete operation successful.");
        } else {
            self.no_such_file(now);
        }
    }

    /// The size in bytes on the wire, in the current type (RFC 3659 §4).
    fn size(&mut self, now: Instant, path: &str) {
        let data_type = self.data_type;
        let length = |stored: &[u8]| match data_type {
            DataType::Image => stored.len(),
            DataType::Ascii => ascii::wire_len(stored),
        };
        match as_file(path).and_then(|name| self.files.with(name, length)) {
            Some(size) => self.reply(now, 213, &size.to_string()),
            None => self.no_such_file(now),
        }
    }

    fn no_such_file(&mut self, now: Instant) {
        self.reply(now, 550, "Failed to open file.");
    }
}

/// Commands that need no login.
fn is_open_to_all(command: &Command) -> bool {
    use Command::{AuthTls, BufferSize, Feat, Help, Noop, Pass, Protection, Quit, Syst, User};
    let of_login = matches!(command, AuthTls | BufferSize | Protection(_) | User(_) | Pass(_));
    of_login || matches!(command, Syst | Feat | Help | Noop | Quit)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FileName<'a> {
    Directory,
    File(&'a str),
    /// In a directory that there is not.
    Elsewhere,
}

fn file_name(path: &str) -> FileName<'_> {
    let name = path.strip_prefix("./").unwrap_or(path).trim_start_matches('/');
    match name {
        "" | "." | ".." => FileName::Directory,
        name if name.contains('/') => FileName::Elsewhere,
        name => FileName::File(name),
    }
}

fn as_file(path: &str) -> Option<&str> {
    match file_name(path) {
        FileName::File(name) => Some(name),
        FileName::Directory | FileName::Elsewhere => None,
    }
}
