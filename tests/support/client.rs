//! Real FTP clients, each told in its own words to use one mode only: no EPRT, no EPSV, no falling back, and to
//! believe the address of a 227.

use std::fs::File;
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
    Port,
    Pasv,
}

/// One session: log in, move one file, leave.
pub struct Transfer<'a> {
    pub mode: Mode,
    pub server: Server,
    pub host: &'a str,
    pub port: u16,
    /// The file's name in the server's `pub`.
    pub remote: &'a str,
    /// The file here. For a fetch its last part is `remote` too, since ncftp lets only the directory be chosen.
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
        self.mode == Mode::Pasv
    }

    fn url(&self) -> String {
        format!("ftp://{}:{}/pub/{}", self.host, self.port, self.remote)
    }

    fn curl(&self) -> Command {
        let mut command = command("curl");
        command.args(["--disable", "--silent", "--show-error", "--verbose", "--max-time", "15"]);
        command.args(["--disable-eprt", "--disable-epsv", "--no-ftp-skip-pasv-ip", "--connect-timeout", "6"]);
        command.args(["--user", &format!("{}:{}", self.server.user(), PASSWORD)]);
        if !self.passive() {
            command.args(["--ftp-port", "-"]);
        }
        command
            .arg(if self.fetches() { "--output" } else { "--upload-file" })
            .arg(self.local)
            .arg(self.url());
        command
    }

    fn lftp(&self) -> Command {
        let settings = [
            "net:max-retries 1",
            "net:timeout 6",
            "net:reconnect-interval-base 1",
            "dns:order inet",
            "ftp:ssl-allow no",
            "ftp:prefer-epsv no",
            "ftp:auto-passive-mode no",
            "ftp:fix-pasv-address no",
            "xfer:clobber yes",
            "cmd:fail-exit yes",
        ];
        let passive = if self.passive() { "yes" } else { "no" };
        let (local, remote) = (self.local.display(), format!("pub/{}", self.remote));
        let order = if self.fetches() {
            format!("get {remote} -o {local}")
        } else {
            format!("put {local} -o {remote}")
        };
        let script = format!(
            "set {}; set ftp:passive-mode {passive}; open -u {},{PASSWORD} -p {} {}; {order}",
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
        command.args(["-V", "-Z", "-t", "6", "-r", "1"]).arg(if self.passive() { "-F" } else { "-E" });
        command.args(["-u", self.server.user(), "-p", PASSWORD, "-P", &self.port.to_string()]);
        if self.fetches() {
            let directory = self.local.parent().expect("a file lies in a directory");
            command.arg(self.host).arg(directory).arg(format!("pub/{}", self.remote));
        } else {
            command.args(["-C", self.host]).arg(self.local).arg(format!("pub/{}", self.remote));
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
        let (local, remote) = (self.local.display(), format!("pub/{}", self.remote));
        let order =
            if self.fetches() { format!("get {remote} {local}") } else { format!("put {local} {remote}") };
        let user = self.server.user();
        let script = format!("user {user} {PASSWORD}\nepsv4 off\nbinary\n{order}\nquit\n");
        let orders = scratch.write("tnftp-orders", script);
        let mut command = command("tnftp");
        command.args(["-n", "-i", "-v", "-q", "8"]).arg(if self.passive() { "-p" } else { "-A" });
        command.args([self.host, &self.port.to_string()]);
        command.stdin(File::open(orders).expect("the orders were just written"));
        command
    }

    fn ftplib(&self) -> Command {
        let mut command = command("python3");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/support/ftp_client.py"));
        command.args([self.host, &self.port.to_string(), self.server.user(), PASSWORD]);
        command.arg(if self.passive() { "pasv" } else { "port" });
        command.arg(if self.fetches() { "get" } else { "put" });
        command.arg(format!("pub/{}", self.remote)).arg(self.local);
        command
    }
}
