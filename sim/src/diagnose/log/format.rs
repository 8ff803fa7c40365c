//! The logs that can be read: their names, whose they are, how they are told apart, and how each is turned on.

use std::fmt;
use std::str::FromStr;

use super::Dialect;
use super::client::{bsd, curl, filezilla, ftplib, lftp, ncftp, wget, winscp};
use super::server::{filezilla_server, proftpd, pure_ftpd, pyftpdlib, vsftpd};
use super::transcript;

/// Whose log it is: a client tells what it believes its address to be, a server what arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standpoint {
    /// The client's.
    Client,
    /// The server's.
    Server,
    /// The log does not say.
    Unknown,
}

/// A way in which a program writes its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// curl.
    Curl,
    /// lftp.
    Lftp,
    /// LibNcFTP.
    Ncftp,
    /// tnftp and the other command-line ftp programs.
    Ftp,
    /// GNU Wget.
    Wget,
    /// Python's ftplib.
    Ftplib,
    /// FileZilla.
    Filezilla,
    /// WinSCP.
    Winscp,
    /// vsftpd.
    Vsftpd,
    /// ProFTPD's SystemLog.
    ProftpdDebug,
    /// ProFTPD's ExtendedLog.
    ProftpdExtended,
    /// Pure-FTPd.
    PureFtpd,
    /// pyftpdlib.
    Pyftpdlib,
    /// FileZilla Server.
    FilezillaServer,
    /// Commands and replies on lines of their own.
    Transcript,
}

/// What is known of a format.
struct Facts {
    name: &'static str,
    standpoint: Standpoint,
    how: &'static str,
    /// Whether no other program writes such a line.
    recognises: fn(&str) -> bool,
    /// Whether a line is of a dialogue, in this format.
    speaks: fn(&str) -> bool,
}

impl Format {
    /// All of them. Where two fit a log equally well, the one named first is taken.
    pub const ALL: [Self; 15] = [
        Self::Curl,
        Self::Lftp,
        Self::Ncftp,
        Self::Wget,
        Self::Ftp,
        Self::Ftplib,
        Self::Filezilla,
        Self::Winscp,
        Self::Vsftpd,
        Self::ProftpdDebug,
        Self::ProftpdExtended,
        Self::PureFtpd,
        Self::Pyftpdlib,
        Self::FilezillaServer,
        Self::Transcript,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Whose log it is.
    pub fn standpoint(self) -> Standpoint {
        self.facts().standpoint
    }

    /// How a log that tells enough is got from the program.
    pub fn how(self) -> &'static str {
        self.facts().how
    }

    pub(super) fn recognises(self, line: &str) -> bool {
        (self.facts().recognises)(line)
    }

    pub(super) fn speaks(self, line: &str) -> bool {
        (self.facts().speaks)(line)
    }

    pub(super) fn dialect(self) -> Box<dyn Dialect> {
        match self {
            Self::Curl => Box::<curl::Curl>::default(),
            Self::Lftp => Box::<lftp::Lftp>::default(),
            Self::Ncftp => Box::<ncftp::Ncftp>::default(),
            Self::Ftp => Box::<bsd::Bsd>::default(),
            Self::Wget => Box::<wget::Wget>::default(),
            Self::Ftplib => Box::<ftplib::Ftplib>::default(),
            Self::Filezilla => Box::<filezilla::Filezilla>::default(),
            Self::Winscp => Box::<winscp::Winscp>::default(),
            Self::Vsftpd => Box::<vsftpd::Vsftpd>::default(),
            Self::ProftpdDebug => Box::<proftpd::Debug>::default(),
            Self::ProftpdExtended => Box::<proftpd::Extended>::default(),
            Self::PureFtpd => Box::<pure_ftpd::PureFtpd>::default(),
            Self::Pyftpdlib => Box::<pyftpdlib::Pyftpdlib>::default(),
            Self::FilezillaServer => Box::<filezilla_server::FilezillaServer>::default(),
            Self::Transcript => Box::<transcript::Transcript>::default(),
        }
    }

    fn facts(self) -> Facts {
        use Standpoint::{Client, Server, Unknown};
        let facts = |name, standpoint, recognises: fn(&str) -> bool, speaks: fn(&str) -> bool, how| Facts {
            name,
            standpoint,
            how,
            recognises,
            speaks,
        };
        match self {
            Self::Curl => facts(
                "curl",
                Client,
                curl::recognises,
                curl::speaks,
                "curl -v, or --trace-ascii FILE --trace-time",
            ),
            Self::Lftp => facts("lftp", Client, lftp::recognises, lftp::speaks, "lftp -e 'debug 9'"),
            Self::Ncftp => {
                facts("ncftp", Client, ncftp::recognises, ncftp::speaks, "ncftpget -d FILE, or ncftpput")
            }
            Self::Ftp => facts("ftp", Client, bsd::recognises, bsd::speaks, "ftp -d -v (tnftp and its kin)"),
            Self::Wget => facts("wget", Client, wget::recognises, wget::speaks, "wget -d"),
            Self::Ftplib => facts(
                "ftplib",
                Client,
                ftplib::recognises,
                ftplib::recognises,
                "FTP.set_debuglevel(1) before connect",
            ),
            Self::Filezilla => facts(
                "filezilla",
                Client,
                filezilla::recognises,
                filezilla::recognises,
                "the message log, copied; or Settings, Logging, Log to file",
            ),
            Self::Winscp => {
                facts("winscp", Client, winscp::recognises, winscp::recognises, "winscp.com /log=FILE")
            }
            Self::Vsftpd => facts(
                "vsftpd",
                Server,
                vsftpd::recognises,
                vsftpd::recognises,
                "xferlog_enable=YES, xferlog_std_format=NO, log_ftp_protocol=YES",
            ),
            Self::ProftpdDebug => facts(
                "proftpd",
                Server,
                proftpd::recognises_debug,
                proftpd::recognises_debug,
                "SystemLog FILE with DebugLevel 9",
            ),
            Self::ProftpdExtended => facts(
                "proftpd-extended",
                Server,
                proftpd::recognises_extended,
                proftpd::recognises_extended,
                "LogFormat dialogue '%t [%P] %a %u \"%r\" %s', ExtendedLog FILE ALL dialogue",
            ),
            Self::PureFtpd => facts(
                "pure-ftpd",
                Server,
                pure_ftpd::recognises,
                pure_ftpd::recognises,
                "pure-ftpd -d -d (VerboseLog), read from syslog",
            ),
            Self::Pyftpdlib => facts(
                "pyftpdlib",
                Server,
                pyftpdlib::recognises,
                pyftpdlib::recognises,
                "pyftpdlib.log.config_logging(level=logging.DEBUG), or python -m pyftpdlib -D",
            ),
            Self::FilezillaServer => facts(
                "filezilla-server",
                Server,
                filezilla_server::recognises,
                filezilla_server::recognises,
                "Logging, Verbose (1.x); Settings, Logging (0.9)",
            ),
            Self::Transcript => facts(
                "transcript",
                Unknown,
                transcript::recognises,
                transcript::recognises,
                "commands and replies, a line each, with or without > and <",
            ),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// No format has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no log format is called {0:?}; there are {known}", known = names())]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// Their names, for messages.
pub(super) fn names() -> String {
    Format::ALL.map(Format::name).join(", ")
}
