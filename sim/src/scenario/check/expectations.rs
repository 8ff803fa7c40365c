//! Expectations: whether a step of this kind can be told by them, and whether what they name is there.

use std::net::{Ipv4Addr, SocketAddrV4};

use quirknat_router::diagnostic::{Diagnostic, did_you_mean, word_list};

use super::place::{self, Part};
use super::steps::{At, SoFar};
use super::{Check, NETWORK};
use crate::packet_text::Pattern;
use crate::scenario::language::Text;

/// Keys that not every step can be told by, and the actions of those that can.
pub(super) const OF_ACTIONS: [(&str, &[&str]); 22] = [
    ("control", &["ftp"]),
    ("data", &["ftp"]),
    ("mode", &["ftp"]),
    ("reply", &["ftp"]),
    ("client-sent", &["ftp", "run"]),
    ("server-saw", &["ftp", "run"]),
    ("server-sent", &["ftp", "run"]),
    ("client-saw", &["ftp", "run"]),
    ("client-log", &["ftp"]),
    ("server-log", &["ftp"]),
    ("data-syn-at-client", &["ftp", "run"]),
    ("data-syn-at-server", &["ftp", "run"]),
    ("gateway", &["ftp", "run"]),
    ("outcome", &["udp", "tcp", "ping", "run"]),
    ("answered", &["udp", "tcp", "ping"]),
    ("arrived", &["udp", "tcp"]),
    ("seen-from", &["udp", "tcp"]),
    ("icmp-error", &["ping"]),
    ("status", &["run"]),
    ("stdout", &["run"]),
    ("stderr", &["run"]),
    ("cause", &["ftp", "udp", "tcp", "run"]),
];

/// What a program's step is told by only if it says who the server is.
const OF_A_SERVER: [&str; 3] = ["server-saw", "server-sent", "data-syn-at-server"];

/// ICMP errors as a ping's outcome calls them.
const ICMP_ERRORS: [&str; 7] = [
    "time-exceeded",
    "net-unreachable",
    "host-unreachable",
    "port-unreachable",
    "fragmentation-needed",
    "prohibited",
    "destination-unreachable",
];

impl<'a> Check<'a> {
    pub(super) fn expectations(
        &self,
        at: &At<'_, 'a>,
        action: &str,
        so_far: &SoFar<'a>,
    ) -> Result<(), Diagnostic> {
        let path: Vec<Part<'_>> = at.path.iter().copied().chain([Part::Key("expect")]).collect();
        for (key, place) in place::keys(self.document, &path) {
            if action == "parallel" {
                let diagnostic = self.span(place, "nothing can be expected of a `parallel` as a whole");
                return Err(diagnostic.with_help("expect it of the steps in its list"));
            }
            let of = OF_ACTIONS.iter().find(|(known, _)| *known == key).map(|(_, of)| *of);
            if let Some(of) = of.filter(|of| !of.contains(&action)) {
                let message = format!("`{key}` cannot be expected of a step with `{action}`");
                let diagnostic = self.span(place, message);
                return Err(diagnostic.with_help(word_list("it can be of:", of)));
            }
            let run = at.step.run.as_ref().map(toml::Spanned::get_ref);
            if run.is_some_and(|run| run.server.is_none()) && OF_A_SERVER.contains(&key) {
                let diagnostic =
                    self.span(place, format!("`{key}` is of a server, and this step names none"));
                return Err(diagnostic.with_help("name its host in the step: run = { server = \"HOST\", … }"));
            }
        }
        self.words(at)?;
        self.packets_on_wires(at, so_far)?;
        self.of_networks(at)
    }

    /// Texts that have a form.
    fn words(&self, at: &At<'_, 'a>) -> Result<(), Diagnostic> {
        let expect = &at.step.expect;
        let wrong = |key, message: String, help: &str| {
            Err(self.at_value(&at.key(["expect", key]), message).with_help(help))
        };
        if let Some(code) = expect.reply.filter(|code| !(100..=599).contains(code)) {
            return wrong(
                "reply",
                format!("{code} is no reply's code"),
                "codes go from 100 to 599 (RFC 959 §4.2)",
            );
        }
        for (key, log) in [("client-log", &expect.client_log), ("server-log", &expect.server_log)] {
            if let Some(line) = log.iter().find(|line| line.contains(['\r', '\n'])) {
                let help = "a log's line is written without its end";
                return wrong(key, format!("`{}` is no line", line.escape_debug()), help);
            }
        }
        for (key, syn) in [
            ("data-syn-at-client", &expect.data_syn_at_client),
            ("data-syn-at-server", &expect.data_syn_at_server),
        ] {
            if let Some(syn) = syn.as_ref().filter(|syn| !is_connection(syn)) {
                let help = "write \"ADDRESS:PORT > ADDRESS:PORT\", with `*` for any port, or \"none\"";
                return wrong(key, format!("`{syn}` is no connection"), help);
            }
        }
        if let Some(gateway) = expect.gateway.as_ref().filter(|words| !words.split(", ").all(is_gateway)) {
            let help =
                "write \"rewritten\", \"left alone: REASON\" or \"silent\"; several with a comma between";
            return wrong("gateway", format!("`{gateway}` is nothing that a gateway does"), help);
        }
        if let Some(from) = expect.seen_from.as_ref().filter(|from| !from.contains([':', '*'])) {
            return wrong("seen-from", format!("`{from}` has no port"), "for any port, end it with `:*`");
        }
        match &expect.icmp_error {
            Some(error) => self.icmp_error(at, error),
            None => Ok(()),
        }
    }

    fn icmp_error(&self, at: &At<'_, 'a>, error: &str) -> Result<(), Diagnostic> {
        let (kind, from) = error.split_once(" from ").unwrap_or((error, ""));
        if error == "none" || kind.contains('*') || (ICMP_ERRORS.contains(&kind) && !from.is_empty()) {
            return Ok(());
        }
        let mut help = word_list(
            "write \"KIND from ADDRESS\"; `*` stands for anything, and KIND is one of",
            &ICMP_ERRORS,
        );
        if let Some(meant) = did_you_mean(kind, ICMP_ERRORS).filter(|meant| *meant != kind) {
            help = format!("did you mean `{meant}`?\n{help}");
        }
        let message = format!("`{error}` is no ICMP error and whom it is from");
        Err(self.at_value(&at.key(["expect", "icmp-error"]), message).with_help(help))
    }

    fn packets_on_wires(&self, at: &At<'_, 'a>, so_far: &SoFar<'a>) -> Result<(), Diagnostic> {
        let wires: Vec<&str> = so_far.wires.keys().map(String::as_str).collect();
        for (wire, patterns) in at.step.expect.packets.iter().chain(&at.step.expect.no_packets) {
            if !wires.contains(&wire.get_ref().as_str()) {
                return Err(self.unknown(wire, "wire", &wires));
            }
            self.some(wire, patterns)?;
            for pattern in patterns {
                Pattern::parse(pattern.get_ref())
                    .map_err(|error| self.span(self.inside(pattern, error.span()), error.to_string()))?;
            }
        }
        Ok(())
    }

    /// What is told of networks and their routers.
    fn of_networks(&self, at: &At<'_, 'a>) -> Result<(), Diagnostic> {
        let expect = &at.step.expect;
        let routers: Vec<&str> = self.scenario.network.keys().map(String::as_str).collect();
        let tellers: Vec<&str> = routers.iter().copied().chain([NETWORK]).collect();
        let known = |network: &Text, known: &[&str]| {
            if known.contains(&network.get_ref().as_str()) {
                Ok(())
            } else {
                Err(self.unknown(network, "network", known))
            }
        };
        for (network, patterns) in expect.events.iter().chain(&expect.no_events) {
            known(network, &tellers)?;
            self.some(network, patterns)?;
        }
        expect.translations.keys().try_for_each(|network| known(network, &routers))?;
        for (network, patterns) in &expect.table {
            known(network, &routers)?;
            self.some(network, patterns)?;
        }
        Ok(())
    }

    fn some<T>(&self, key: &Text, patterns: &[T]) -> Result<(), Diagnostic> {
        if patterns.is_empty() {
            let diagnostic = self.at(key, format!("nothing is expected of `{}`", key.get_ref()));
            return Err(diagnostic.with_help("list at least one pattern, or leave it out"));
        }
        Ok(())
    }
}

fn is_connection(text: &str) -> bool {
    let is_end = |end: &str| match end.strip_suffix(":*") {
        Some(address) => address.parse::<Ipv4Addr>().is_ok(),
        None => end.parse::<SocketAddrV4>().is_ok(),
    };
    text == "none" || text.split_once(" > ").is_some_and(|(from, to)| is_end(from) && is_end(to))
}

fn is_gateway(words: &str) -> bool {
    words == "rewritten"
        || words == "silent"
        || words.strip_prefix("left alone: ").is_some_and(|why| !why.is_empty())
}
