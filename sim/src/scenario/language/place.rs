//! What there is: networks, routers, hosts, and what is on them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use quirknat_router::profile::{PortRange, Profile};
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{LinkChange, Text, schema};
pub use crate::ftp::SetupCommand;
use crate::net::units::TimeSpan;

/// A network behind a router.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NetworkSpec {
    /// The router's address and subnet on the LAN, as in `"192.168.1.1/24"`.
    #[schemars(with = "String", regex(pattern = schema::CIDR))]
    pub lan: Text,
    /// Its router.
    pub router: RouterSpec,
}

/// A network's router. Its WAN's wire is called `NETWORK.wan`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RouterSpec {
    /// A built-in profile's name, or a file's path, from the scenario's folder or from where the program runs.
    #[schemars(with = "String")]
    pub profile: Text,
    /// Values of the profile to be replaced, by their path: `{ "alg.ftp.control-ports" = [21, 2121] }`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub set: BTreeMap<Text, Spanned<toml::Value>>,
    /// Its address on the WAN.
    #[schemars(with = "Ipv4Addr")]
    pub wan: Spanned<Ipv4Addr>,
    /// What its WAN is plugged into: another network, as behind a carrier's NAT, or `internet`, which it is without
    /// this.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub on: Option<Text>,
    /// The user's forwards, as in `"tcp/21=192.168.1.100"`, `"udp/5000-5010=192.168.1.100:6000"`.
    #[serde(default)]
    #[schemars(with = "Vec<String>", inner(regex(pattern = schema::FORWARD)))]
    pub forward: Vec<Text>,
    /// Ports that open for a LAN host which sends to certain others, as in `"tcp/6667=tcp/113"`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub trigger: Vec<Text>,
    /// The DMZ host.
    #[serde(default)]
    #[schemars(with = "Option<Ipv4Addr>")]
    pub dmz: Option<Spanned<Ipv4Addr>>,
    /// Its WAN's wire, both directions.
    #[serde(default)]
    pub link: LinkChange,
    /// From the home, where it differs from `link`.
    #[serde(default)]
    pub uplink: LinkChange,
    /// To the home, where it differs from `link`.
    #[serde(default)]
    pub downlink: LinkChange,
    /// What `profile` and `set` come to.
    #[serde(skip)]
    pub(in crate::scenario) resolved: Option<Arc<Profile>>,
}

/// A host. Its wire is called `NETWORK.lan.HOST`, or `internet.HOST`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HostSpec {
    /// A network's name, or `internet`.
    #[schemars(with = "String")]
    pub on: Text,
    /// Its address there.
    #[schemars(with = "Ipv4Addr")]
    pub address: Spanned<Ipv4Addr>,
    /// The FTP server on it.
    #[serde(default)]
    pub ftp_server: Option<FtpServer>,
    /// Real programs that run on it from beginning to end. They need `--backend netns`.
    #[serde(default)]
    pub program: Vec<Program>,
    /// Its wire, both directions.
    #[serde(default)]
    pub link: LinkChange,
    /// From the host, where it differs from `link`.
    #[serde(default)]
    pub uplink: LinkChange,
    /// To the host, where it differs from `link`.
    #[serde(default)]
    pub downlink: LinkChange,
}

/// The built-in FTP server. What is left out is as `software` says, and without it as of vsftpd's defaults.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FtpServer {
    /// The port of its control connections.
    #[serde(default = "control_port")]
    #[schemars(range(min = 1))]
    pub port: u16,
    /// Behaves as this software does: `quirknat software list` names them.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub software: Option<Text>,
    /// What it does with a PORT that names another host than the client; `refuse` without this and `software`.
    #[serde(default)]
    pub foreign_port: Option<ForeignAddress>,
    /// What it does with a data connection of PASV that comes from another host than the client; likewise `refuse`.
    #[serde(default)]
    pub foreign_passive_peer: Option<ForeignAddress>,
    /// Which port it dials data connections from; `below-control` without this and `software`.
    #[serde(default)]
    pub data_source: Option<DataSource>,
    /// The lowest and highest port it listens on for PASV, as in `"40000-40100"`; any without this.
    #[serde(default)]
    #[schemars(with = "Option<String>", regex(pattern = schema::PORTS))]
    pub passive_ports: Option<PortRange>,
    /// The address it announces in 227 instead of its own.
    #[serde(default)]
    pub passive_address: Option<Ipv4Addr>,
    /// Commands that it answers with 502, as one that is older than RFC 2428 does EPRT and EPSV; none without this and
    /// `software`.
    #[serde(default)]
    pub lacks: Option<Vec<SetupCommand>>,
    /// Whether it dials the client's default data port (RFC 959 §3.2) where neither PORT nor PASV came, or answers 425; it
    /// dials without this and `software`.
    #[serde(default)]
    pub no_command: Option<bool>,
    /// How long it waits before it dials a data connection; it does so at once without this.
    #[serde(default)]
    pub data_delay: TimeSpan,
    /// Knows AUTH TLS (RFC 4217), by TLS 1.3; a client may do without it.
    #[serde(default)]
    pub tls: bool,
    /// The text of its greeting; `Service ready` without this and `software`.
    #[serde(default)]
    pub banner: Option<String>,
    /// How long it waits for a data connection; 60 s without this and `software`.
    #[serde(default)]
    pub data_timeout: Option<TimeSpan>,
    /// How long it waits for a command, and a transfer for a byte; 5 min without this and `software`.
    #[serde(default)]
    pub idle_timeout: Option<TimeSpan>,
    /// Its files: name and size in bytes, up to 64 MiB.
    #[serde(default = "files")]
    pub files: BTreeMap<String, usize>,
}

fn control_port() -> u16 {
    21
}

fn files() -> BTreeMap<String, usize> {
    BTreeMap::from([("readme.txt".to_owned(), 1024)])
}

/// What is done about an address that is not the other end's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForeignAddress {
    /// It is refused, as vsftpd does.
    Refuse,
    /// It is taken as it is.
    Accept,
    /// The port is taken, with the client's own address.
    Replace,
    /// Likewise where the address is private (RFC 1918) and the client's is not; it is refused otherwise. As ProFTPD does.
    ReplacePrivate,
}

/// Which port a server dials data connections from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DataSource {
    /// The one below its control port: 20 for 21 (RFC 959 §5.2).
    BelowControl,
    /// Any.
    Any,
}

/// A real program on a host.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Program {
    /// The program and its arguments. `{dir}` stands for a folder of its own, where `files` are.
    #[schemars(with = "Vec<String>")]
    pub command: Spanned<Vec<String>>,
    /// Variables added to its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Text files put into its folder before it starts. `{dir}` stands for that folder in them too.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The scenario begins once it listens on this TCP port.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub listens: Option<u16>,
}
