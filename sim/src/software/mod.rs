//! FTP software as data: how a client or server of a name behaves, as far as the built-in ones can do as it does.
//!
//! Each value carries its evidence, as those of a router's profile do.

use quirknat_router::diagnostic::from_toml;
use quirknat_router::profile::Stated;
use serde::{Deserialize, Serialize};

use crate::ftp::{ClientPlan, DataMode, DataSource, ForeignAddress, ServerConfig, SetupCommand};
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
    /// What it does with a PORT that names another host than the client.
    pub foreign_port: Stated<PortTreatment>,
    /// Which port it dials data connections from.
    pub data_source: Stated<SourcePort>,
    /// The commands for data connections that it does not know.
    pub lacks: Stated<Vec<SetupCommand>>,
    /// How long it waits for a data connection.
    pub data_timeout: Stated<TimeSpan>,
    /// How long it waits for a command.
    pub idle_timeout: Stated<TimeSpan>,
}

/// How a client behaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientSoftware {
    /// How it has data connections made.
    pub mode: Stated<DataMode>,
    /// Whether it dials the address in a 227 as announced.
    pub trust_passive_address: Stated<bool>,
    /// How long it waits for a reply or a data connection.
    pub patience: Stated<TimeSpan>,
}

/// What a server does with a PORT that names another host than the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortTreatment {
    /// It refuses it.
    Refuse,
    /// It takes it as it is.
    Accept,
    /// It takes the port, with the client's own address.
    Replace,
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

software!("curl", "ftplib", "lftp", "ncftp", "proftpd", "pure-ftpd", "pyftpdlib", "tnftp", "vsftpd", "wget",);

/// The names there are, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name)
}

/// The text of the file of that name.
pub fn text(name: &str) -> Option<&'static str> {
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

impl ServerSoftware {
    /// Makes a configuration that of this software.
    pub fn apply(&self, config: &mut ServerConfig) {
        config.foreign_port = match *self.foreign_port {
            PortTreatment::Refuse => ForeignAddress::Refuse,
            PortTreatment::Accept => ForeignAddress::Accept,
            PortTreatment::Replace => ForeignAddress::Replace,
        };
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
        assert_eq!(config.foreign_port, ForeignAddress::Replace);
        Software::named("vsftpd").unwrap().server.unwrap().apply(&mut config);
        assert_eq!(
            (config.foreign_port, config.data_source),
            (ForeignAddress::Refuse, DataSource::Fixed(20))
        );
        let mut plan = ClientPlan::default();
        Software::named("curl").unwrap().client.unwrap().apply(&mut plan);
        assert_eq!((plan.data_mode, plan.trust_passive_address), (DataMode::Epsv, false));
    }
}
