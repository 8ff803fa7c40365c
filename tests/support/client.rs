//! Real FTP clients, each told in its own words to use one mode only (no EPRT, no EPSV, no falling back, and to believe
//! the address of a 227), or left as it is.

use std::path::Path;
use std::process::Command;

use super::process::command;
use super::requirement::Requirement;
use super::scratch::Scratch;
use super::server::{PASSWORD, Server};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    Curl,
    Lftp,
    Ncftp,
    Wget,
    Tnftp,
    Ftplib,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// PORT, and nothing else.
    Port,
    /// PASV, and nothing else.
    Pasv,
    /// As the client is without options.
    Own,
    /// Likewise, but for being told to have the server dial.
    OwnActive,
    /// Likewise, and to announce [`TOLD_ADDRESS`] with a port of [`TOLD_PORTS`].
    OwnTold,
}

pub const TOLD_ADDRESS: &str = "203.0.113.7";
pub const TOLD_PORTS: &str = "50000-50009";

/// One session: log in, move one file, leave.
pub struct Transfer<'a> {
    pub mode: Mode,
    pub server: Server,
    pub host: &'a str,
    pub port: u16,
    /// The file's path on the server.
    pub remote: &'a str,
    /// The file here. For a fetch its last part is that of `remote` too, since ncftp lets only the directory be chosen.
    pub local: &'a Path,
    pub direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Fetch,
    Store,
}

impl Client {
    pub fn requirement(self) -> Requirement {
        Requirement::Program(match self {
            Self::Curl => "curl",
            Self::Lftp => "lftp",
            Self::Ncftp => "ncftpget",
            Self::Wget => "wget",
            Self::Tnftp => "tnftp",
            Self::Ftplib => "python3",
        })
    }

    /// What scenarios call it.
    pub fn software(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Lftp => "lftp",
            Self::Ncftp => "ncftp",
            Self::Wget => "wget",
            Self::Tnftp => "tnftp",
            Self::Ftplib => "ftplib",
        }
    }

    pub fn can_store(self) -> bool {
        self != Self::Wget
    }

    pub fn command(self, transfer: &Transfer<'_>, scratch: &Scratch) -> Command {
        let mut command = match self {
            Self::Curl => transfer.curl(),
            Self::Lftp => transfer.lftp(),
            Self::Ncftp => transfer.ncftp(),
            Self::Wget => transfer.wget(),
            Self::Tnftp => transfer.tnftp(scratch),
            Self::Ftplib => transfer.ftplib(),
        };
        // No settings of the user's own, and no directory listing cached from an earlier run.
        command.env("HOME", scratch.path()).env_remove("ftp_proxy").env_remove("FTP_PROXY");
        command
    }
}

impl Transfer<'_> {
    fn fetches(&self) -> bool {
        self.direction == Direction::Fetch
    }

    fn passive(&self) -> bool {
        matches!(self.mode, Mode::Pasv | Mode::Own)
    }

    /// One mode and no other.
    fn is_strict(&self) -> bool {
        matches!(self.mode, Mode::Port | Mode::Pasv)
    }

    fn url(&self) -> String {
        format!("ftp://{}:{}/{}", self.host, self.port, self.remote)
    }

    fn curl(&self) -> Command {
        let mut command = command("curl");
        command.args(["--disable", "--silent", "--show-error", "--verbose", "--max-time", "15"]);
        command.args(["--connect-timeout", "6"]);
        if self.is_strict() {
            command.args(["--disable-eprt", "--disable-epsv", "--no-ftp-skip-pasv-ip"]);
        }
        command.args(["--user", &format!("{}:{}", self.server.user(), PASSWORD)]);
        if self.mode == Mode::OwnTold {
            command.args(["--ftp-port", &format!("{TOLD_ADDRESS}:{TOLD_PORTS}")]);
        } else if !self.passive() {
            command.args(["--ftp-port", "-"]);
        }
        command
            .arg(if self.fetches() { "--output" } else { "--upload-file" })
            .arg(self.local)
            .arg(self.url());
        command
    }

    fn lftp(&self) -> Command {
        let mut settings = vec![
            "net:max-retries 1".to_owned(),
            "net:timeout 6".to_owned(),
            "net:reconnect-interval-base 1".to_owned(),
            "dns:order inet".to_owned(),
            "ftp:ssl-allow no".to_owned(),
            "xfer:clobber yes".to_owned(),
            "cmd:fail-exit yes".to_owned(),
        ];
        if self.is_strict() {
            let strict = ["ftp:prefer-epsv no", "ftp:auto-passive-mode no", "ftp:fix-pasv-address no"];
            settings.extend(strict.map(str::to_owned));
        }
        if self.mode != Mode::Own {
            settings.push(format!("ftp:passive-mode {}", if self.passive() { "yes" } else { "no" }));
        }
        if self.mode == Mode::OwnTold {
            settings.push(format!("ftp:port-ipv4 {TOLD_ADDRESS}"));
            settings.push(format!("ftp:port-range {TOLD_PORTS}"));
        }
        let (local, remote) = (self.local.display(), self.remote);
        let order = if self.fetches() {
            format!("get {remote} -o {local}")
        } else {
            format!("put {local} -o {remote}")
        };
        let script = format!(
            "set {}; open -u {},{PASSWORD} -p {} {}; {order}",
            settings.join("; set "),
            self.server.user(),
            self.port,
            self.host
        );
        let mut command = command("lftp");
        command.args(["--norc", "-c", &script]);
        command
    }

    fn ncftp(&self) -> Command {
        let mut command = command(if self.fetches() { "ncftpget" } else { "ncftpput" });
        command.args(["-V", "-Z", "-t", "6", "-r", "1"]);
        if self.mode != Mode::Own {
            command.arg(if self.passive() { "-F" } else { "-E" });
        }
        command.args(["-u", self.server.user(), "-p", PASSWORD, "-P", &self.port.to_string()]);
        if self.fetches() {
            let directory = self.local.parent().expect("a file lies in a directory");
            command.arg(self.host).arg(directory).arg(self.remote);
        } else {
            command.args(["-C", self.host]).arg(self.local).arg(self.remote);
        }
        command
    }

    fn wget(&self) -> Command {
        let mut command = command("wget");
        command.args(["--no-config", "--no-proxy", "--tries=1", "--timeout=6"]);
        if !self.passive() {
            command.arg("--no-passive-ftp");
        }
        command.arg(format!("--ftp-user={}", self.server.user()));
        command.arg(format!("--ftp-password={PASSWORD}"));
        command.arg("--output-document").arg(self.local).arg(self.url());
        command
    }

    /// tnftp takes its orders on standard input.
    fn tnftp(&self, scratch: &Scratch) -> Command {
        let (local, remote) = (self.local.display(), self.remote);
        let order =
            if self.fetches() { format!("get {remote} {local}") } else { format!("put {local} {remote}") };
        let user = self.server.user();
        let one_way = if self.is_strict() { "epsv4 off\n" } else { "" };
        let script = format!("user {user} {PASSWORD}\n{one_way}binary\n{order}\nquit\n");
        let orders = scratch.write("tnftp-orders", script);
        let mut tnftp = command("tnftp");
        tnftp.args(["-n", "-i", "-v", "-q", "8"]);
        if self.mode != Mode::Own {
            tnftp.arg(if self.passive() { "-p" } else { "-A" });
        }
        tnftp.args([self.host, &self.port.to_string()]);
        let mut shell = command("sh");
        shell.args(["-c", "orders=$1; shift; exec \"$@\" <\"$orders\"", "sh"]).arg(orders);
        shell.arg(tnftp.get_program()).args(tnftp.get_args());
        shell
    }

    fn ftplib(&self) -> Command {
        let mut command = command("python3");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/support/ftp_client.py"));
        command.args([self.host, &self.port.to_string(), self.server.user(), PASSWORD]);
        command.arg(match self.mode {
            Mode::Port => "port",
            Mode::Pasv => "pasv",
            Mode::Own => "own",
            Mode::OwnActive | Mode::OwnTold => "own-active",
        });
        command.arg(if self.fetches() { "get" } else { "put" });
        command.arg(self.remote).arg(self.local);
        command
    }
}
