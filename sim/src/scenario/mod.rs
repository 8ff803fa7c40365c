//! Scenarios: a small internet and what happens in it, as a file a person writes.

mod builtin;
mod check;
mod judge;
mod play;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use quirknat_router::diagnostic::{Diagnostic, ReadError, from_toml, read_text};
use serde::{Deserialize, Serialize};
use toml::Spanned;

pub use builtin::{Builtin, builtin};
pub use judge::{Mismatch, StepVerdict};
pub use play::{Played, Verdict, play};

/// A scenario file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// One line for people.
    pub title: String,
    /// Which claim of the quirk catalogue it shows.
    #[serde(default)]
    pub quirk: Option<String>,
    /// The homes, by name.
    #[serde(default)]
    pub network: BTreeMap<String, Network>,
    /// The hosts, by name.
    pub host: BTreeMap<String, Host>,
    /// What happens, in order.
    pub step: Vec<Step>,
    /// Where its file lies; files it names may lie beside it.
    #[serde(skip)]
    folder: PathBuf,
}

/// A home: a LAN behind a router.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Network {
    /// The router's address and subnet on the LAN.
    pub lan: Spanned<String>,
    /// Its router.
    pub router: RouterSpec,
}

/// A home's router.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RouterSpec {
    /// A built-in profile's name, or a file's path, from the scenario's folder or from where the program runs.
    pub profile: Spanned<String>,
    /// Its public address.
    pub wan: Spanned<Ipv4Addr>,
    /// The user's forwards, as `quirknat router --forward` has them.
    #[serde(default)]
    pub forward: Vec<Spanned<String>>,
    /// The DMZ host.
    #[serde(default)]
    pub dmz: Option<Spanned<Ipv4Addr>>,
}

/// A host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Host {
    /// A network's name, or `internet`.
    pub on: Spanned<String>,
    /// Its address there.
    pub address: Spanned<Ipv4Addr>,
    /// The FTP server on it.
    #[serde(default)]
    pub ftp_server: Option<FtpServer>,
}

/// An FTP server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FtpServer {
    /// The port of its control connections.
    #[serde(default = "control_port")]
    pub port: u16,
    /// What it does with a PORT that names another host than the client.
    #[serde(default)]
    pub foreign_port: ForeignPort,
    /// The lowest and highest port it listens on for PASV, as in `"40000-40100"`.
    #[serde(default)]
    pub passive_ports: Option<quirknat_router::profile::PortRange>,
    /// The address it announces in 227 instead of its own.
    #[serde(default)]
    pub passive_address: Option<Ipv4Addr>,
    /// Its files: name and size in bytes.
    #[serde(default = "files")]
    pub files: BTreeMap<String, usize>,
}

fn control_port() -> u16 {
    21
}

fn files() -> BTreeMap<String, usize> {
    BTreeMap::from([("readme.txt".to_owned(), 1024)])
}

/// What an FTP server does with a PORT that names another host than the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForeignPort {
    /// Refuses it, as vsftpd does.
    #[default]
    Refuse,
    /// Accepts it and dials the address.
    Accept,
}

/// One thing that happens, and what is expected of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// An FTP session.
    pub ftp: FtpStep,
    /// What is expected.
    #[serde(default)]
    pub expect: Expect,
}

/// An FTP session: login, one transfer, QUIT.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FtpStep {
    /// The client's host.
    pub client: Spanned<String>,
    /// The server's host.
    pub server: Spanned<String>,
    /// How the data connection is made.
    pub mode: Mode,
    /// The port the client listens on in PORT mode; any if it is not given.
    #[serde(default)]
    pub data_port: Option<u16>,
    /// Fetches this file; with neither `get` nor `put` the directory is listed.
    #[serde(default)]
    pub get: Option<Spanned<String>>,
    /// Stores this file.
    #[serde(default)]
    pub put: Option<Put>,
}

/// A file to store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Put {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: usize,
}

/// How the data connection is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// PORT: the client listens.
    Port,
    /// PASV: the server listens.
    Pasv,
    /// Neither command: the client listens on its control connection's port (RFC 959 §3.2).
    NoCommand,
}

/// What is expected of a step. What is left out is not looked at.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The control connection: login and QUIT.
    pub control: Option<Outcome>,
    /// The data connection: the transfer, compared byte for byte.
    pub data: Option<Outcome>,
    /// The code of the reply that ends the transfer, or refuses it.
    pub reply: Option<u16>,
    /// A line on the client's wire, from the client.
    pub client_sent: Option<String>,
    /// The line of the same command on the server's wire.
    pub server_saw: Option<String>,
    /// A line on the server's wire, from the server.
    pub server_sent: Option<String>,
    /// The line with the same code on the client's wire.
    pub client_saw: Option<String>,
    /// The data connection's SYN on the client's wire, as `"198.51.100.9:20 > 192.168.1.100:16683"`; `*` for a port
    /// that may be any; `"none"` if none is to cross.
    pub data_syn_at_client: Option<String>,
    /// The same on the server's wire.
    pub data_syn_at_server: Option<String>,
    /// What the client's router did with the announcement: `"rewritten"`, `"left alone: REASON"`, or `"silent"`.
    pub gateway: Option<String>,
}

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As its user wanted it.
    Ok,
    /// Not so.
    Failed,
}

/// Why a scenario cannot be played. All of it is the user's to mend.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Its file could not be read as text.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// It says something that makes no scenario.
    #[error("{0}")]
    Invalid(Box<Diagnostic>),
}

impl Scenario {
    /// The scenario that a file's text describes; `file_name` is for its diagnostics.
    pub fn from_toml(file_name: &str, text: &str) -> Result<Self, ScenarioError> {
        let invalid = |diagnostic| ScenarioError::Invalid(Box::new(diagnostic));
        let mut scenario: Self = from_toml(file_name, text).map_err(invalid)?;
        scenario.folder = Path::new(file_name).parent().map_or_else(PathBuf::new, Path::to_path_buf);
        check::check(&scenario, file_name, text).map_err(invalid)?;
        Ok(scenario)
    }

    /// The scenario in a file.
    pub fn from_file(path: &Path) -> Result<Self, ScenarioError> {
        Self::from_toml(&path.display().to_string(), &read_text(path)?)
    }
}

#[cfg(test)]
mod tests;
