//! FTP software as data: how a client or server of a name behaves, as far as the built-in ones can do as it does.
//!
//! Each value carries its evidence, as those of a router's profile do.

use quirknat_router::diagnostic::from_toml;
use quirknat_router::profile::Stated;
use serde::{Deserialize, Serialize};

use crate::ftp::{
    ClientPlan, DataMode, DataSource, Fallback, ForeignAddress, ServerConfig, SetupCommand, Trouble, Trust,
};
use crate::net::units::TimeSpan;

/// A client, a server, or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Software {
    /// What scenarios call it.
    pub name: String,
    /// Its name and version, for people.
    pub title: String,
    /// How it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerSoftware>,
    /// How it fetches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientSoftware>,
}

/// How a server behaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServerSoftware {
    /// The commands for data connections that it does not know.
    pub lacks: Stated<Vec<SetupCommand>>,
    /// Whether it dials the client's default data port where neither PORT nor PASV came.
    pub no_command: Stated<bool>,
    /// What it does with a PORT that names another host than the client.
    pub foreign_port: Stated<Treatment>,
    /// What it does with a data connection of PASV that comes from another host than the client.
    pub foreign_passive_peer: Stated<Treatment>,
    /// Which port it dials data connections from.
    pub data_source: Stated<SourcePort>,
    /// Whether it can be told which address to announce in 227; untold it announces its own.
    pub passive_address: Stated<bool>,
    /// Whether it can be told which ports to listen on for PASV; untold it listens on any.
    pub passive_ports: Stated<bool>,
    /// How long it waits for a data connection.
    pub data_timeout: Stated<TimeSpan>,
    /// How long it waits for a command.
    pub idle_timeout: Stated<TimeSpan>,
}

/// How a client behaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientSoftware {
    /// The ways in which it can have data connections made.
    pub modes: Stated<Vec<DataMode>>,
    /// The one that it uses unless its user says otherwise.
    pub mode: Stated<DataMode>,
    /// When it turns from one way to another.
    pub fallback: Stated<Vec<Turn>>,
    /// How often it tries PASV or EPSV where it cannot dial the data connection.
    pub passive_tries: Stated<usize>,
    /// A setting of its user's that is not what it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Stated<Setting>>,
    /// Whether it can be told which address to announce in PORT and EPRT; untold it announces its own.
    pub announce: Stated<bool>,
    /// Whether it can be told which ports to listen on; untold it listens on any.
    pub data_ports: Stated<bool>,
    /// Whether it dials the address in a 227 as announced.
    pub trust_passive_address: Stated<Trust>,
    /// How long it waits for a reply or a data connection.
    pub patience: Stated<TimeSpan>,
}

/// A client turns from one way to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Turn {
    /// The way that failed.
    pub from: DataMode,
    /// How it failed.
    pub on: Vec<Trouble>,
    /// The way that is tried next.
    pub to: DataMode,
}

/// A setting whose label and behaviour disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Setting {
    /// As it is called.
    pub label: String,
    /// What that promises.
    pub says: DataMode,
    /// What is done.
    pub does: DataMode,
}

/// What a server does about an address that is not the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// It refuses it.
    Refuse,
    /// It takes it as it is.
    Accept,
    /// It takes the port of a PORT, with the client's own address.
    Replace,
    /// Likewise where the address is private (RFC 1918) and the client's is not; it refuses it otherwise.
    ReplacePrivate,
}

/// Which port a server dials data connections from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SourcePort {
    /// This one.
    Fixed(u16),
    /// One that depends.
    Rule(SourceRule),
}

/// A rule for a server's source port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceRule {
    /// The one below its control port.
    BelowControl,
    /// Any.
    Any,
}

macro_rules! software {
    ($($name:literal),* $(,)?) => {
        static BUILTIN: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../software/", $name, ".toml")))),*];
    };
}

software!(
    "bpftp",
    "bpftpserver",
    "curl",
    "cuteftp",
    "flashfxp",
    "ftp",
    "ftpd",
    "ftplib",
    "iis",
    "lftp",
    "msie-5.5",
    "ncftp",
    "netscape",
    "proftpd",
    "pure-ftpd",
    "pyftpdlib",
    "serv-u",
    "tnftp",
    "vsftpd",
    "wget",
    "ws_ftp",
    "wu-ftpd",
);

/// The names there are, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name)
}

/// The text of the file of that name.
fn text(name: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

impl Software {
    /// The software of that name.
    pub fn named(name: &str) -> Option<Self> {
        let software = from_toml(&format!("{name}.toml"), text(name)?);
        debug_assert!(software.is_ok(), "a test reads every file");
        software.ok()
    }
}

impl From<Treatment> for ForeignAddress {
    fn from(treatment: Treatment) -> Self {
        match treatment {
            Treatment::Refuse => Self::Refuse,
            Treatment::Accept => Self::Accept,
            Treatment::Replace => Self::Replace,
            Treatment::ReplacePrivate => Self::ReplacePrivate,
        }
    }
}

impl ServerSoftware {
    /// Makes a configuration that of this software.
    pub fn apply(&self, config: &mut ServerConfig) {
        config.no_command = (*self.no_command).into();
        config.foreign_port = (*self.foreign_port).into();
        config.foreign_passive_peer = (*self.foreign_passive_peer).into();
        config.data_source = match *self.data_source {
            SourcePort::Fixed(port) => DataSource::Fixed(port),
            SourcePort::Rule(SourceRule::BelowControl) => DataSource::BelowControl,
            SourcePort::Rule(SourceRule::Any) => DataSource::Any,
        };
        config.lacks.clone_from(&self.lacks);
        config.data_timeout = (*self.data_timeout).into();
        config.idle_timeout = (*self.idle_timeout).into();
    }
}

impl ClientSoftware {
    /// Makes a plan that of this software.
    pub fn apply(&self, plan: &mut ClientPlan) {
        plan.data_mode = *self.mode;
        let rules = self
            .fallback
            .iter()
            .flat_map(|turn| turn.on.iter().map(|on| Fallback { from: turn.from, on: *on, to: turn.to }));
        plan.fallbacks = rules.collect();
        plan.passive_tries = *self.passive_tries;
        plan.trust_passive_address = *self.trust_passive_address;
        (plan.reply_timeout, plan.data_timeout) = ((*self.patience).into(), (*self.patience).into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_built_in_and_each_of_its_values_has_its_evidence() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/software");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(".toml", ""))
            .collect();
        files.sort();
        assert_eq!(files, names().collect::<Vec<_>>());
        for name in names() {
            let software = Software::named(name).unwrap();
            assert_eq!(software.name, name);
            assert!(software.server.is_some() || software.client.is_some(), "{name} does nothing");
            let values = serde_json::to_value(&software).unwrap();
            for part in ["server", "client"] {
                for (key, value) in values[part].as_object().into_iter().flatten() {
                    assert!(!value["evidence"].is_null(), "{name}: {part}.{key} has no evidence");
                    assert_ne!(value["source"], "", "{name}: {part}.{key} has no source");
                }
            }
        }
    }

    #[test]
    fn software_makes_a_configuration_its_own() {
        let mut config = ServerConfig::default();
        Software::named("proftpd").unwrap().server.unwrap().apply(&mut config);
        assert_eq!(config.foreign_port, ForeignAddress::ReplacePrivate);
        Software::named("vsftpd").unwrap().server.unwrap().apply(&mut config);
        assert_eq!(
            (config.foreign_port, config.data_source),
            (ForeignAddress::Refuse, DataSource::Fixed(20))
        );
        let mut plan = ClientPlan::default();
        Software::named("curl").unwrap().client.unwrap().apply(&mut plan);
        assert_eq!((plan.data_mode, plan.trust_passive_address), (DataMode::Epsv, Trust::Never));
    }
}
