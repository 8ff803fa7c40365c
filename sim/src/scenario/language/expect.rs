//! What is expected. What is left out is not looked at.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Mode, Text, schema};
use crate::cause::Cause;

/// What is expected of a step, from its beginning until it is over and what it sent has arrived.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// ftp: the control connection: login and QUIT.
    pub control: Option<Outcome>,
    /// ftp: the data connection: the transfer, compared byte for byte.
    pub data: Option<Outcome>,
    /// ftp: the way in which the data connection that carried the transfer was made.
    pub mode: Option<Mode>,
    /// ftp: the code of the reply that ends the transfer, or refuses it.
    #[schemars(range(min = 100, max = 599))]
    pub reply: Option<u16>,
    /// ftp, run: a line on the client's wire, from the client.
    pub client_sent: Option<String>,
    /// ftp, run: the line of the same command on the server's wire.
    pub server_saw: Option<String>,
    /// ftp, run: a line on the server's wire, from the server.
    pub server_sent: Option<String>,
    /// ftp, run: the line with the same code on the client's wire.
    pub client_saw: Option<String>,
    /// ftp: lines of the client's own log, in this order, each as a whole, where `*` stands for anything. It is what the
    /// client believes: it says nothing of what a router does to a line on its way.
    pub client_log: Vec<String>,
    /// ftp: the same of the server's own log.
    pub server_log: Vec<String>,
    /// ftp, run: the data connection's SYN on the client's wire, as `"198.51.100.9:20 > 192.168.1.100:16683"`; `*` for
    /// a port that may be any; `"none"` if none is to cross.
    #[schemars(regex(pattern = schema::CONNECTION))]
    pub data_syn_at_client: Option<String>,
    /// ftp, run: the same on the server's wire.
    #[schemars(regex(pattern = schema::CONNECTION))]
    pub data_syn_at_server: Option<String>,
    /// ftp, run: what the client's router did with the announcement: `"rewritten"`, `"left alone: REASON"`, or
    /// `"silent"`.
    #[schemars(regex(pattern = schema::GATEWAY))]
    pub gateway: Option<String>,
    /// udp, tcp, ping: whether every request was answered. run: whether the status was 0.
    pub outcome: Option<Outcome>,
    /// udp, tcp, ping: how many requests were answered.
    pub answered: Option<u32>,
    /// udp, tcp: how many requests came to the server.
    pub arrived: Option<u32>,
    /// udp, tcp: whom the server saw the requests come from, as `"203.0.113.7:*"`.
    pub seen_from: Option<String>,
    /// ping: an ICMP error that came, as `"time-exceeded from 203.0.113.7"`; `"none"` if none is to come.
    pub icmp_error: Option<String>,
    /// run: the program's exit status.
    pub status: Option<i32>,
    /// run: something in what it wrote to stdout; `*` stands for anything.
    pub stdout: Option<String>,
    /// run: something in what it wrote to stderr; `*` stands for anything.
    pub stderr: Option<String>,
    /// Packets that must cross, by wire, as patterns: `tcp 203.0.113.7:* > 198.51.100.9:21 SYN`.
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub packets: BTreeMap<Text, Vec<Text>>,
    /// Packets that must not cross, likewise.
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub no_packets: BTreeMap<Text, Vec<Text>>,
    /// Events that must happen, by network: the text that captures and logs show, where `*` stands for anything. What
    /// wires and the internet lose is told under `network`.
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub events: BTreeMap<Text, Vec<String>>,
    /// Events that must not happen, likewise.
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub no_events: BTreeMap<Text, Vec<String>>,
    /// How many translations a network's router holds when the step is over.
    #[schemars(with = "BTreeMap<String, usize>")]
    pub translations: BTreeMap<Text, usize>,
    /// Translations that it must hold then, as in `"tcp 192.168.1.100:* is 203.0.113.7:* towards 198.51.100.9:21"`.
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub table: BTreeMap<Text, Vec<String>>,
    /// ftp, udp, tcp, run: why the step failed; of a `run`, its FTP session with its `server`.
    #[schemars(with = "Option<Cause>")]
    pub cause: Option<Spanned<Cause>>,
}

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As its user wanted it.
    Ok,
    /// Not so.
    Failed,
}
