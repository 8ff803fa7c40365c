//! What happens.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use quirknat_router::profile::PortRange;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::{Content, Expect, LinkChange, Segments, Text, schema};
pub use crate::ftp::{DataMode as Mode, Trouble};
use crate::net::units::TimeSpan;

/// One thing that happens, and what is expected of it. It has exactly one of the actions `ftp`, `udp`, `tcp`, `ping`,
/// `packet`, `run`, `wait`, `restart`, `wan-address`, `link`, `parallel`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(transform = schema::one_action)]
pub struct Step {
    /// What to call it in reports, instead of a description made from it.
    pub name: Option<String>,
    /// Why what is expected of it is so, where no source says what happens: the expectation is an assumption. Reports
    /// repeat it.
    #[schemars(with = "Option<String>")]
    pub assumed: Option<Text>,
    /// Begins so long after the steps before it ended; in `parallel`, after those beside it began.
    pub after: Option<TimeSpan>,
    /// An FTP session of the built-in client.
    #[schemars(with = "Option<FtpStep>")]
    pub ftp: Option<Spanned<FtpStep>>,
    /// Datagrams and their answers.
    #[schemars(with = "Option<ExchangeStep>")]
    pub udp: Option<Spanned<ExchangeStep>>,
    /// A connection, requests on it and their answers.
    #[schemars(with = "Option<ExchangeStep>")]
    pub tcp: Option<Spanned<ExchangeStep>>,
    /// Echo requests.
    #[schemars(with = "Option<PingStep>")]
    pub ping: Option<Spanned<PingStep>>,
    /// Packets made by hand.
    #[schemars(with = "Option<PacketStep>")]
    pub packet: Option<Spanned<PacketStep>>,
    /// A real program. It needs `--backend netns`.
    #[schemars(with = "Option<RunStep>")]
    pub run: Option<Spanned<RunStep>>,
    /// Nothing happens for so long. Hours take no time; in namespaces the routers age by it, the hosts' kernels do not.
    #[schemars(with = "Option<TimeSpan>")]
    pub wait: Option<Spanned<TimeSpan>>,
    /// A router is switched off and on: its tables are empty.
    #[schemars(with = "Option<RestartStep>")]
    pub restart: Option<Spanned<RestartStep>>,
    /// A router gets another address on its WAN: its tables are empty.
    #[schemars(with = "Option<WanAddressStep>")]
    pub wan_address: Option<Spanned<WanAddressStep>>,
    /// A wire is another one from now on.
    #[schemars(with = "Option<LinkStep>")]
    pub link: Option<Spanned<LinkStep>>,
    /// Steps that begin together; the next step begins when all of them are over.
    #[schemars(with = "Option<Vec<Step>>")]
    pub parallel: Option<Spanned<Vec<Step>>>,
    /// What is expected.
    pub expect: Expect,
}

/// An FTP session: login, one transfer, QUIT.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FtpStep {
    /// The client's host.
    #[schemars(with = "String")]
    pub client: Text,
    /// The server's host.
    #[schemars(with = "String")]
    pub server: Text,
    /// Behaves as this software does: `quirknat software list` names them.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub software: Option<Text>,
    /// How the data connection is made; without this as `software` does, and without both by PASV.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// Other ways to turn to, one after the other, where the one before fails; without this as `software` does, and
    /// without both none.
    #[serde(default)]
    pub fallback: Option<Vec<Mode>>,
    /// What of a way makes the client turn to the next of `fallback`: both without this.
    #[serde(default)]
    pub fallback_on: Option<Vec<Trouble>>,
    /// The address it dials: the server's without this, or its router's where the server is in another network.
    #[serde(default)]
    pub to: Option<Ipv4Addr>,
    /// The port it dials: that of the server's `ftp-server` without this.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// The port that the control connection comes from; any if it is not given. Without PORT and PASV it is the client's
    /// data port too.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub source_port: Option<u16>,
    /// The port the client listens on for PORT and EPRT; any if it is not given.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub data_port: Option<u16>,
    /// Likewise the lowest and highest port, tried in turn, as in `"50000-50010"`: a range that is forwarded.
    #[serde(default)]
    #[schemars(with = "Option<String>", regex(pattern = schema::PORTS))]
    pub data_ports: Option<PortRange>,
    /// The address the client announces in PORT and EPRT instead of its own: a client that knows of the NAT before it.
    #[serde(default)]
    pub announce: Option<Ipv4Addr>,
    /// Whether the client dials the address in a 227 as announced, as it does without this and `software`; otherwise
    /// that of the control connection.
    #[serde(default)]
    pub trust_passive_address: Option<bool>,
    /// Writes each command in several TCP segments, every one sent once the one before was acknowledged: of at most so
    /// many bytes each, or as in `[3]` the first of so many bytes and the rest in one. A command is one without this.
    #[serde(default)]
    pub segments: Option<Segments>,
    /// Insists on TLS (RFC 4217): AUTH TLS before the login, PROT P after it. No certificate is looked at.
    #[serde(default)]
    pub tls: bool,
    /// Fetches this file; with neither `get` nor `put` the directory is listed.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub get: Option<Text>,
    /// Stores this file.
    #[serde(default)]
    pub put: Option<Put>,
    /// How long the client waits for a reply, and for a data connection or its next byte; 60 s without this.
    #[serde(default)]
    pub patience: Option<TimeSpan>,
}

/// A file to store.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Put {
    /// Its name.
    pub name: String,
    /// Its size in bytes, up to 64 MiB.
    pub size: usize,
}

/// Requests from one host to another, and their answers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExchangeStep {
    /// The host that asks.
    #[schemars(with = "String")]
    pub client: Text,
    /// The host that answers.
    #[schemars(with = "String")]
    pub server: Text,
    /// The port that it answers on.
    #[schemars(range(min = 1))]
    pub port: u16,
    /// Where the requests go, as in `"203.0.113.7:4000"`: to the server's port without this, or to the same port of its
    /// router where the server is in another network.
    #[serde(default)]
    #[schemars(with = "Option<String>", regex(pattern = schema::ENDPOINT))]
    pub to: Option<Text>,
    /// The port that the requests come from; any if it is not given.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub source_port: Option<u16>,
    /// What is sent: a text, or a number of bytes; `hello` without this.
    #[serde(default)]
    pub request: Content,
    /// What is answered: as much as was sent if it is not given; `0`: nothing.
    #[serde(default)]
    pub answer: Option<Content>,
    /// How many requests.
    #[serde(default = "once")]
    #[schemars(range(min = 1))]
    pub times: u32,
    /// From one request to the next.
    #[serde(default)]
    pub every: TimeSpan,
    /// How long the client waits for a connection, and for an answer.
    #[serde(default = "exchange_patience")]
    pub patience: TimeSpan,
}

fn once() -> u32 {
    1
}

fn exchange_patience() -> TimeSpan {
    TimeSpan::from_micros(5_000_000)
}

/// Echo requests.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PingStep {
    /// The host that pings.
    #[schemars(with = "String")]
    pub from: Text,
    /// A host's name, or any address.
    #[schemars(with = "String")]
    pub to: Text,
    /// How many requests.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub count: u16,
    /// From one request to the next.
    #[serde(default = "a_second")]
    pub every: TimeSpan,
    /// Bytes of payload.
    #[serde(default = "ping_length")]
    pub length: u16,
    /// The time to live.
    #[serde(default = "ping_time_to_live")]
    #[schemars(range(min = 1))]
    pub ttl: u8,
    /// How long to wait for answers after the last request.
    #[serde(default = "a_second")]
    pub patience: TimeSpan,
}

fn one() -> u16 {
    1
}

fn a_second() -> TimeSpan {
    TimeSpan::from_micros(1_000_000)
}

/// As of the `ping` programs: 56 bytes make an ICMP message of 64.
fn ping_length() -> u16 {
    56
}

fn ping_time_to_live() -> u8 {
    64
}

/// Packets made by hand, in order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PacketStep {
    /// The host on whose wire they leave.
    #[schemars(with = "String")]
    pub from: Text,
    /// Each a line, as in `tcp 192.168.1.100:4321 > 198.51.100.9:21 SYN seq=1000`.
    #[schemars(with = "Vec<String>")]
    pub send: Vec<Text>,
    /// From one to the next.
    #[serde(default)]
    pub every: TimeSpan,
}

/// A real program.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunStep {
    /// The host it runs on.
    #[schemars(with = "String")]
    pub on: Text,
    /// The program and its arguments. `{dir}` stands for a folder of its own, where `files` are.
    pub command: Vec<String>,
    /// The host whose wire the expectations call the server's.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub server: Option<Text>,
    /// Variables added to its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Text files put into its folder before it starts.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// It and all it has started are ended after this time.
    #[serde(default = "run_time_limit")]
    pub time_limit: TimeSpan,
    /// It is ended when it has written more than this on one of stdout and stderr, in bytes.
    #[serde(default = "run_output_limit")]
    pub output_limit: usize,
}

fn run_time_limit() -> TimeSpan {
    TimeSpan::from_micros(30_000_000)
}

fn run_output_limit() -> usize {
    1 << 20
}

/// A router that is switched off and on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RestartStep {
    /// Its network.
    #[schemars(with = "String")]
    pub network: Text,
    /// How long it is off; the step does not wait for it.
    #[serde(default)]
    pub off_for: TimeSpan,
}

/// A router that gets another address.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WanAddressStep {
    /// Its network.
    #[schemars(with = "String")]
    pub network: Text,
    /// The new address.
    #[schemars(with = "Ipv4Addr")]
    pub address: Spanned<Ipv4Addr>,
}

/// A wire that is another one from now on. What is not said stays as it is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LinkStep {
    /// `NETWORK.wan`, `NETWORK.lan.HOST` or `internet.HOST`.
    #[schemars(with = "String", regex(pattern = schema::WIRE))]
    pub wire: Text,
    /// Both directions.
    #[serde(default)]
    pub both: LinkChange,
    /// From the host or home.
    #[serde(default)]
    pub up: LinkChange,
    /// To it.
    #[serde(default)]
    pub down: LinkChange,
}
