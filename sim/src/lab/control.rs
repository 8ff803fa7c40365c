//! What is asked of a lab that is up, and what it answers: a line of JSON each way, over its socket.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use socket2::{Domain, SockAddr, Socket, Type};

/// A lab answers between two packets; one that does not is stopped.
const PATIENCE: Duration = Duration::from_secs(8);
/// In octets: more than the largest table of translations takes.
const LONGEST_ANSWER: u64 = 1 << 28;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Request {
    /// How it stands.
    Status,
    /// The way into a host. The connection stays open: when the lab closes it, whoever is inside has to go.
    Enter {
        /// Which host.
        host: String,
    },
    /// To end. The connection is closed when the lab is gone.
    Down,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// How it stands.
    Status(Box<Status>),
    /// The way into a host.
    Way(Way),
    /// It will be done.
    Done,
    /// It cannot be done.
    Refused {
        /// Why.
        why: String,
    },
    /// It cannot be done now: too many others are at it.
    Busy {
        /// Why.
        why: String,
    },
}

/// The way into a host: namespaces to enter, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// The lab's user namespace: one of its own where it runs without privilege.
    pub user: PathBuf,
    /// The network namespace.
    pub network: PathBuf,
}

/// How a lab stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The lab's name.
    pub name: String,
    /// The scenario's title.
    pub title: String,
    /// The process that holds it.
    pub process: u32,
    /// Since when, in seconds.
    pub seconds: u64,
    /// Its networks behind a router.
    pub networks: Vec<NetworkStatus>,
    /// Its hosts.
    pub hosts: Vec<HostStatus>,
}

/// How a network and its router stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkStatus {
    /// Its name.
    pub name: String,
    /// The router's profile.
    pub profile: String,
    /// The router's address and subnet on the LAN.
    pub lan: String,
    /// The router's address on the WAN.
    pub wan: Ipv4Addr,
    /// What its WAN is plugged into.
    pub on: String,
    /// The user's forwards.
    pub forwards: Vec<String>,
    /// The DMZ host.
    pub dmz: Option<Ipv4Addr>,
    /// The live translations, and in how many seconds each ends if nothing refreshes it.
    pub translations: Vec<TranslationStatus>,
}

/// A live translation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranslationStatus {
    /// As in `tcp 192.168.1.100:49152 is 203.0.113.7:49152 towards 198.51.100.9:21`.
    pub translation: String,
    /// It ends in so many seconds.
    pub expires_in_seconds: u64,
}

/// How a host stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostStatus {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// The network it is on.
    pub on: String,
    /// The ports of its built-in FTP servers.
    pub ftp_servers: Vec<u16>,
    /// The real programs on it.
    pub programs: Vec<String>,
}

/// Why a lab gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It is gone, or stuck.
    #[error("the lab does not answer: {0}; if its process is stopped, continue it or kill it")]
    Connection(#[from] io::Error),
    /// It says something that this version does not know.
    #[error("the lab's answer cannot be read ({0}): was it brought up by another version of quirknat?")]
    Answer(#[from] serde_json::Error),
    /// It refuses.
    #[error("{0}")]
    Refused(String),
    /// It cannot now.
    #[error("{0}")]
    Busy(String),
    /// It answered another question.
    #[error("the lab answered another question: was it brought up by another version of quirknat?")]
    Unexpected,
}

/// Asks the lab behind a socket. The connection is given back with the answer.
pub fn ask(socket: &Path, request: &Request) -> Result<(Answer, UnixStream), ControlError> {
    let mut stream = connect(socket, |socket| socket.set_write_timeout(Some(PATIENCE))).map_err(said)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).map_err(said)?;
    let mut answer = String::new();
    BufReader::new((&stream).take(LONGEST_ANSWER)).read_line(&mut answer).map_err(said)?;
    if answer.is_empty() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is going down").into());
    }
    match serde_json::from_str(&answer)? {
        Answer::Refused { why } => Err(ControlError::Refused(why)),
        Answer::Busy { why } => Err(ControlError::Busy(why)),
        answer => Ok((answer, stream)),
    }
}

/// A connection, or an error at once: [`io::ErrorKind::WouldBlock`] where a lab is behind the socket and takes none.
pub(super) fn connect_at_once(socket: &Path) -> io::Result<UnixStream> {
    connect(socket, |socket| socket.set_nonblocking(true))
}

/// A stopped lab lets so many wait as its queue holds. With `limit` nobody waits there for ever.
fn connect(path: &Path, limit: impl FnOnce(&Socket) -> io::Result<()>) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    limit(&socket)?;
    socket.connect(&SockAddr::unix(path)?)?;
    Ok(OwnedFd::from(socket).into())
}

/// The kernel calls a time-out "resource temporarily unavailable".
fn said(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => late(PATIENCE),
        _ => error,
    }
}

/// The error for a lab that let so much time pass.
pub fn late(patience: Duration) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("nothing came within {} s", patience.as_secs()))
}

/// How a lab stands.
pub fn status(socket: &Path) -> Result<Status, ControlError> {
    match ask(socket, &Request::Status)? {
        (Answer::Status(status), _) => Ok(*status),
        _ => Err(ControlError::Unexpected),
    }
}
