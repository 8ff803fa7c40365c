//! Real FTP servers, started in a namespace over a directory of the test's own.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::deadline::Deadline;
use super::namespace::Namespace;
use super::process::{Process, command, run};
use super::requirement::{Requirement, find_program};
use super::scratch::Scratch;

/// Everyone's password.
pub const PASSWORD: &str = "nat";
/// The same by `md5crypt`, for servers that want it hashed.
const PASSWORD_HASH: &str = "$1$xqpTxnzI$M4dkzLznaNIEJhXEnFl2y.";
/// Who owns what is stored: nobody, on Debian.
const NOBODY: &str = "65534:65534";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Vsftpd,
    /// With `port_promiscuous`: answers 200 to a `PORT` that names another host, and dials it for the data.
    VsftpdPromiscuous,
    Pyftpdlib,
    /// With `permit_foreign_addresses`: dials the other host of a `PORT` before it answers the command.
    PyftpdlibPermitting,
    Proftpd,
    PureFtpd,
}

/// What a server behind NAT is told to announce.
pub struct Told {
    pub address: Ipv4Addr,
    pub ports: RangeInclusive<u16>,
}

/// Whom a `PORT` may name.
#[derive(Clone, Copy)]
enum Announced {
    MustBeTheClient,
    AnyHost,
}

impl Server {
    pub fn requirements(self) -> Vec<Requirement> {
        match self {
            Self::Vsftpd | Self::VsftpdPromiscuous => vec![Requirement::Program("vsftpd")],
            Self::Pyftpdlib | Self::PyftpdlibPermitting => {
                vec![Requirement::Program("python3"), Requirement::Pyftpdlib]
            }
            Self::Proftpd => vec![Requirement::Program("proftpd")],
            Self::PureFtpd => {
                ["pure-ftpd", "pure-pw", "unshare", "python3"].map(Requirement::Program).to_vec()
            }
        }
    }

    pub fn user(self) -> &'static str {
        match self {
            Self::Vsftpd | Self::VsftpdPromiscuous => "anonymous",
            _ => "quirk",
        }
    }

    /// What scenarios call it.
    pub fn software(self) -> &'static str {
        match self {
            Self::Vsftpd | Self::VsftpdPromiscuous => "vsftpd",
            Self::Pyftpdlib | Self::PyftpdlibPermitting => "pyftpdlib",
            Self::Proftpd => "proftpd",
            Self::PureFtpd => "pure-ftpd",
        }
    }

    /// Starts it over `<scratch>/root`, in which `pub` is open to all, and waits until it listens.
    pub fn start(self, namespace: &Namespace, scratch: &Scratch, port: u16) -> Process {
        let command = self.command(scratch, port, None);
        let mut process = namespace.start(&format!("{self:?} on {port}"), command);
        wait_until_listening(namespace, &mut process, port);
        process
    }

    /// What starts it there.
    pub fn command(self, scratch: &Scratch, port: u16, told: Option<&Told>) -> Command {
        let root = scratch.directory("root", 0o755);
        scratch.directory("root/pub", 0o1777);
        match self {
            Self::Vsftpd => vsftpd(scratch, &root, port, Announced::MustBeTheClient, told),
            Self::VsftpdPromiscuous => vsftpd(scratch, &root, port, Announced::AnyHost, told),
            Self::Pyftpdlib => pyftpdlib(&root, port, Announced::MustBeTheClient, told),
            Self::PyftpdlibPermitting => pyftpdlib(&root, port, Announced::AnyHost, told),
            Self::Proftpd => proftpd(scratch, &root, port, told),
            Self::PureFtpd => pure_ftpd(scratch, &root, port, told),
        }
    }
}

/// Tries to connect from inside the namespace, over its loopback.
fn wait_until_listening(namespace: &Namespace, process: &mut Process, port: u16) {
    let deadline = Deadline::seconds(20);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    namespace.enter(|| {
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            // Waiting for its end doubles as the pause between two tries.
            let ended = process.exits_within(Duration::from_millis(20));
            if ended || deadline.passed() {
                process.wait_stdout(&format!("listener on {port}"), Deadline::seconds(0), |_| false);
            }
        }
    });
}

fn vsftpd(scratch: &Scratch, root: &Path, port: u16, announced: Announced, told: Option<&Told>) -> Command {
    let root = root.display();
    scratch.directory("root/empty", 0o555);
    // Promiscuous, version 3.0.3 cannot bind port 20.
    let (promiscuous, from_20) = match announced {
        Announced::MustBeTheClient => ("NO", "YES"),
        Announced::AnyHost => ("YES", "NO"),
    };
    // The anonymous user must have a home directory that exists, which Debian's `daemon` has; `nobody` has none.
    let told = told.map_or_else(String::new, |Told { address, ports }| {
        let (first, last) = (ports.start(), ports.end());
        format!("pasv_address={address}\npasv_min_port={first}\npasv_max_port={last}\n")
    });
    let text = format!(
        "listen=YES\nlisten_ipv6=NO\nbackground=NO\nlisten_port={port}\nanonymous_enable=YES\nlocal_enable=NO\n\
         ftp_username=daemon\nnopriv_user=nobody\nanon_root={root}\nsecure_chroot_dir={root}/empty\n\
         allow_writeable_chroot=YES\nwrite_enable=YES\nanon_upload_enable=YES\nanon_umask=022\n\
         connect_from_port_20={from_20}\nseccomp_sandbox=NO\nconnect_timeout=3\n\
         port_promiscuous={promiscuous}\nxferlog_enable=YES\nxferlog_std_format=NO\nlog_ftp_protocol=YES\n\
         vsftpd_log_file={log}\n{told}",
        log = scratch.join(&format!("vsftpd-{port}.log")).display()
    );
    let mut command = command("vsftpd");
    command.arg(scratch.write(&format!("vsftpd-{port}.conf"), text));
    command
}

fn pyftpdlib(root: &Path, port: u16, announced: Announced, told: Option<&Told>) -> Command {
    let foreign = match announced {
        Announced::MustBeTheClient => "refuse",
        Announced::AnyHost => "permit",
    };
    let mut command = command("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/support/ftp_server.py"));
    command.arg(port.to_string()).arg(root).arg(foreign);
    if let Some(Told { address, ports }) = told {
        command.args([address.to_string(), ports.start().to_string(), ports.end().to_string()]);
    }
    command
}

fn proftpd(scratch: &Scratch, root: &Path, port: u16, told: Option<&Told>) -> Command {
    let (root, scratched) = (root.display(), scratch.path().display());
    scratch.write("proftpd.passwd", format!("quirk:{PASSWORD_HASH}:{NOBODY}::{root}:/bin/false\n"));
    scratch.set_mode("proftpd.passwd", 0o600);
    let told = told.map_or_else(String::new, |Told { address, ports }| {
        format!("MasqueradeAddress {address}\nPassivePorts {} {}\n", ports.start(), ports.end())
    });
    let text = format!(
        "ServerType standalone\nServerName quirk\nDefaultServer on\nPort {port}\nUseIPv6 off\nUser nobody\n\
         Group nogroup\nWtmpLog off\nUseReverseDNS off\nAuthPAM off\nRequireValidShell off\n\
         AuthOrder mod_auth_file.c\nAuthUserFile {scratched}/proftpd.passwd\nDefaultRoot ~\nTransferLog none\n\
         PidFile {scratched}/proftpd-{port}.pid\nScoreboardFile {scratched}/proftpd-{port}.score\n\
         SystemLog {scratched}/proftpd-{port}.log\nDebugLevel 9\nDelayEngine off\n\
         LogFormat dialogue \"%t [%P] %a %u \\\"%r\\\" %s %b\"\n\
         ExtendedLog {scratched}/proftpd-{port}.extended.log ALL dialogue\n{told}"
    );
    let mut command = command("proftpd");
    command.args(["-n", "-q", "-c"]).arg(scratch.write(&format!("proftpd-{port}.conf"), text));
    command
}

fn pure_ftpd(scratch: &Scratch, root: &Path, port: u16, told: Option<&Told>) -> Command {
    let line = format!("quirk:{PASSWORD_HASH}:{NOBODY}::{}/./::::::::::::\n", root.display());
    let users = scratch.write("pure.passwd", line);
    let database = scratch.join("pure.pdb");
    let mut compile = command("pure-pw");
    compile.arg("mkdb").arg(&database).arg("-f").arg(users);
    let compiled = run("pure-pw", compile, 10);
    assert!(compiled.code() == Some(0), "pure-pw: {}", compiled.story());

    // Its log is syslog's alone, and nobody else's business.
    let mut command = command("unshare");
    command.args(["--mount", "sh", concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/support/with_syslog.sh")]);
    command.arg(scratch.join(&format!("pure-{port}.log")));
    command.arg(find_program("pure-ftpd").expect("it was asked for as a requirement"));
    // -4 IPv4 only, -H no reverse lookups, -E no anonymous, -A everyone in a chroot, -u the lowest user id let in,
    // -d twice: commands and replies are logged.
    command.args(["-4", "-H", "-E", "-A", "-u", "1", "-d", "-d", "-S", &port.to_string()]);
    command.arg("-l").arg(format!("puredb:{}", database.display()));
    command.arg("-g").arg(scratch.join(&format!("pure-{port}.pid")));
    if let Some(Told { address, ports }) = told {
        command.args(["-P", &address.to_string(), "-p", &format!("{}:{}", ports.start(), ports.end())]);
    }
    command
}
