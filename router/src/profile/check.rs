//! What a profile's types let through and no router can do.

use std::collections::BTreeSet;
use std::fmt::Display;

use quirknat_alg::{Gaps, KeywordPosition, Reassembly, SequenceNumbers};

use super::{
    Filtering, FragmentHandling, Ftp, Mapping, MidStream, PortAllocation, PortConflict, Profile, TcpTracking,
    UnsolicitedTcp,
};
use crate::diagnostic::{Diagnostic, span_of};

/// A translation takes about a hundred octets: more than these would be a mistyped number.
const MOST_TRANSLATIONS: u32 = 4_000_000;

/// A held fragment can take 64 KiB.
const MOST_FRAGMENTS_HELD: u32 = 65_536;

/// Everything that is wrong with the profile that `source` states, in the file's order.
pub(super) fn check(profile: &Profile, file_name: &str, source: &str) -> Vec<Diagnostic> {
    let mut checks = Checks { file_name, source, faults: Vec::new() };
    checks.names(profile);
    checks.sessions(profile);
    checks.timeouts(profile);
    checks.tables(profile);
    checks.ftp(profile);
    let mut faults = checks.faults;
    faults.sort_by_key(|fault| fault.span().map(|span| span.start));
    faults
}

struct Checks<'a> {
    file_name: &'a str,
    source: &'a str,
    faults: Vec<Diagnostic>,
}

impl Checks<'_> {
    fn names(&mut self, profile: &Profile) {
        let name = &profile.name;
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if name.is_empty() || !name.chars().all(allowed) {
            self.fault(
                &["name"],
                format!("unusable name `{name}`"),
                "a name is one word of letters, digits, `-`, `_` and `.`, as in \"my-router-1.0\"",
            );
        }
        if profile.title.trim().is_empty() || profile.title.contains(char::is_control) {
            self.fault(
                &["title"],
                "unusable title",
                "a title is one line that names the device and its firmware",
            );
        }
    }

    /// Values that contradict one another.
    fn sessions(&mut self, profile: &Profile) {
        let (nat, ports) = (&profile.nat, &profile.ports);
        let overloading = ports.overloading.value;
        for (protocol, sessions) in [("tcp", &nat.tcp), ("udp", &nat.udp)] {
            if overloading && sessions.mapping.value != Mapping::AddressAndPortDependent {
                self.fault(
                    &["nat", protocol, "mapping"],
                    "a mapping that holds for many remotes cannot share its port",
                    "`overloading` tells hosts apart by where they go: say \"address-and-port-dependent\" here, or \
                     `overloading = false`",
                );
            }
            if overloading && sessions.filtering.value != Filtering::AddressAndPortDependent {
                self.fault(
                    &["nat", protocol, "filtering"],
                    "a packet from elsewhere to a shared port has no one host to go to",
                    "with `overloading`, say \"address-and-port-dependent\" here",
                );
            }
        }
        if overloading && nat.icmp.mapping.value == Mapping::EndpointIndependent {
            self.fault(
                &["nat", "icmp", "mapping"],
                "a mapping that holds for many remotes cannot share its identifier",
                "with `overloading`, say \"address-dependent\" here",
            );
        }
        if overloading && nat.icmp.filtering.value == Filtering::EndpointIndependent {
            self.fault(
                &["nat", "icmp", "filtering"],
                "a reply from elsewhere to a shared identifier has no one host to go to",
                "with `overloading`, say \"address-dependent\" here",
            );
        }
        if ports.parity.value && ports.range.first == ports.range.last {
            self.fault(
                &["ports", "range"],
                "a range of one port has one parity only",
                "`parity = true` needs an even and an odd port to choose from",
            );
        }
        self.no_duplicates(&["icmp", "queries"], &profile.icmp.queries);
        self.no_duplicates(&["nat", "other", "protocols"], &nat.other.protocols);
        let tcp = &profile.tcp;
        if tcp.tracking.value == TcpTracking::Strict && tcp.mid_stream.value == MidStream::Translate {
            self.fault(
                &["tcp", "mid-stream"],
                "strict tracking begins with a handshake",
                "say \"drop\" here, or `tracking = \"loose\"`",
            );
        }
        let preserves = ports.allocation.value == PortAllocation::Preserving;
        if !preserves && ports.on_conflict.value == PortConflict::TakeOver {
            self.fault(
                &["ports", "on-conflict"],
                "only a preserved port can be taken over",
                "say `allocation = \"preserving\"`, or \"next\" here",
            );
        }
        if ports.reuse_delay.value > 0 && overloading {
            self.fault(
                &["ports", "reuse-delay"],
                "a shared port is never free",
                "with `overloading = true`, say 0 here",
            );
        }
        if ports.reuse_delay.value > 0 && ports.on_conflict.value == PortConflict::TakeOver {
            self.fault(
                &["ports", "reuse-delay"],
                "a port that is taken over has no rest",
                "with `on-conflict = \"take-over\"`, say 0 here",
            );
        }
        if profile.wan.syn_answer_delay.value > 0 && profile.wan.unsolicited_tcp.value == UnsolicitedTcp::Drop
        {
            self.fault(
                &["wan", "syn-answer-delay"],
                "there is no answer to delay",
                "with `unsolicited-tcp = \"drop\"`, say 0 here",
            );
        }
    }

    fn timeouts(&mut self, profile: &Profile) {
        let timeouts = &profile.timeouts;
        for (key, seconds) in [
            ("tcp-opening", &timeouts.tcp_opening),
            ("tcp-opening-answered", &timeouts.tcp_opening_answered),
            ("tcp-half-closed-acknowledged", &timeouts.tcp_half_closed_acknowledged),
            ("tcp-closing-unacknowledged", &timeouts.tcp_closing_unacknowledged),
            ("tcp-retransmitted", &timeouts.tcp_retransmitted),
            ("tcp-unacknowledged", &timeouts.tcp_unacknowledged),
            ("tcp-established", &timeouts.tcp_established),
            ("tcp-half-closed", &timeouts.tcp_half_closed),
            ("tcp-closing", &timeouts.tcp_closing),
            ("tcp-reset", &timeouts.tcp_reset),
            ("udp", &timeouts.udp),
            ("udp-answered", &timeouts.udp_answered),
            ("icmp", &timeouts.icmp),
            ("icmp-answered", &timeouts.icmp_answered),
            ("other", &timeouts.other),
            ("other-answered", &timeouts.other_answered),
            ("gre", &timeouts.gre),
            ("gre-answered", &timeouts.gre_answered),
        ] {
            self.at_least_one(&["timeouts", key], seconds.value, "a translation lives 1 second or more");
        }
        let lifetime = profile.forwards.trigger_lifetime.value;
        self.at_least_one(
            &["forwards", "trigger-lifetime"],
            lifetime,
            "triggered ports are open 1 second or more",
        );
        let services = &profile.services;
        let lifetime = services.nat_pmp_lifetime.value;
        self.at_least_one(
            &["services", "nat-pmp-lifetime"],
            lifetime,
            "a port is granted for 1 second or more",
        );
        let (forwards, path) = (services.nat_pmp_forwards.value, ["services", "nat-pmp-forwards"]);
        if services.nat_pmp.value {
            self.at_least_one(&path, forwards, "to grant none, say `nat-pmp = false`");
        }
        self.at_most(&path, forwards, u16::MAX.into());
        let (forwards, path) = (services.upnp_igd_forwards.value, ["services", "upnp-igd-forwards"]);
        if services.upnp_igd.value {
            self.at_least_one(&path, forwards, "to grant none, say `upnp-igd = false`");
        }
        self.at_most(&path, forwards, u16::MAX.into());
        let port = services.upnp_igd_port.value;
        self.at_least_one(&["services", "upnp-igd-port"], port, "ports go from 1 to 65535");
        self.at_most(&["forwards", "triggers"], profile.forwards.triggers.value, u16::MAX.into());
        let wait = profile.fragments.timeout.value;
        self.at_least_one(&["fragments", "timeout"], wait, "fragments are waited for 1 second or more");
    }

    fn tables(&mut self, profile: &Profile) {
        let translations = profile.table.translations.value;
        let path = ["table", "translations"];
        self.at_least_one(&path, translations, "a router without a translation lets nothing through");
        self.at_most(&path, translations, MOST_TRANSLATIONS);
        let held = profile.fragments.held.value;
        let path = ["fragments", "held"];
        if profile.fragments.handling.value == FragmentHandling::Reassemble {
            self.at_least_one(
                &path,
                held,
                "a packet is whole once its fragments have waited for one another",
            );
        }
        self.at_most(&path, held, MOST_FRAGMENTS_HELD);
    }

    fn ftp(&mut self, profile: &Profile) {
        let ftp = &profile.alg.ftp;
        let ports = ["alg", "ftp", "control-ports"];
        if ftp.control_ports.contains(&0) {
            self.fault(
                &ports,
                "0 is no control port",
                "ports go from 1 to 65535; `[]` means no gateway at all",
            );
        }
        self.no_duplicates(&ports, &ftp.control_ports);
        let commands: Vec<_> = ftp.commands.iter().map(|command| command.keyword()).collect();
        self.no_duplicates(&["alg", "ftp", "commands"], &commands);
        self.at_least_one(
            &["alg", "ftp", "forward-outstanding"],
            ftp.forward_outstanding.value,
            "a gateway that keeps no forward rewrites in vain; for none at all, say `control-ports = []`",
        );
        if ftp.forward_lifetime.value == 0 && !ftp.forward_ends_with_control.value {
            self.fault(
                &["alg", "ftp", "forward-lifetime"],
                "forward-lifetime is 0, and forward-ends-with-control false: the forward would never end",
                "say how many seconds it waits for its connection, or let it end with its control connection",
            );
        }
        self.at_least_one(
            &["alg", "ftp", "data-port-tries"],
            ftp.data_port_tries.value,
            "the port that is tried first counts as a try",
        );
        self.rewrites_remembered(ftp);
        self.reassembly(ftp);
    }

    /// What is held and acknowledged must be decided on once, in order, and sent on as it was.
    fn reassembly(&mut self, ftp: &Ftp) {
        let in_order = ftp.sequence_numbers.value == SequenceNumbers::ExactMap
            && ftp.keyword_position.value == KeywordPosition::AnyLineStart
            && ftp.gaps.value == Gaps::Drop;
        if ftp.reassembly.value == Reassembly::Line && !in_order {
            self.fault(
                &["alg", "ftp", "reassembly"],
                "reassembly is by line where bytes are not decided on by line and in order",
                "say `sequence-numbers = \"exact-map\"`, `keyword-position = \"any-line-start\"` and `gaps = \"drop\"`",
            );
        }
    }

    fn rewrites_remembered(&mut self, ftp: &Ftp) {
        let (path, remembered) = (["alg", "ftp", "rewrites-remembered"], ftp.rewrites_remembered.value);
        match ftp.sequence_numbers.value.remembers() {
            Some(fixed) if fixed != remembered => self.fault(
                &path,
                format!("rewrites-remembered is {remembered}, expected {fixed}"),
                "only `exact-map` and `ring` remember as many as one likes",
            ),
            _ => self.at_least_one(
                &path,
                remembered,
                "without one, a retransmitted command would be rewritten another way",
            ),
        }
    }

    fn at_least_one(&mut self, path: &[&str], number: impl Into<u32>, help: &str) {
        if number.into() == 0 {
            self.fault(path, format!("{} is 0, expected 1 or more", last(path)), help);
        }
    }

    fn at_most(&mut self, path: &[&str], number: u32, most: u32) {
        if number > most {
            let message = format!("{} is {number}, expected {most} or less", last(path));
            self.fault(path, message, "memory is taken for the table's full size");
        }
    }

    fn no_duplicates(&mut self, path: &[&str], items: &[impl Ord + Display]) {
        let mut seen = BTreeSet::new();
        if let Some(twice) = items.iter().find(|item| !seen.insert(*item)) {
            self.fault(path, format!("{} names {twice} twice", last(path)), "name each once");
        }
    }

    fn fault(&mut self, path: &[&str], message: impl Into<String>, help: &str) {
        let diagnostic = Diagnostic::new(self.file_name, self.source, message).with_help(help);
        self.faults.push(match span_of(self.source, path) {
            Some(span) => diagnostic.at(span),
            None => diagnostic,
        });
    }
}

fn last<'a>(path: &[&'a str]) -> &'a str {
    path.last().copied().unwrap_or_default()
}
