//! Steps: one action each, with what it names there, and not one that can never happen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::ops::Range;

use quirknat_router::diagnostic::Diagnostic;
use smoltcp::wire::Ipv4Cidr;
use toml::Spanned;

use super::place::Part;
use super::{Check, topology};
use crate::net::WireSpec;
use crate::net::units::TimeSpan;
use crate::packet_text;
use crate::scenario::language::{
    BackendName, LinkChange, LinkStep, PacketStep, PingStep, RestartStep, RunStep, Step, WanAddressStep,
};
use crate::scenario::play::LONGEST_STEP;
use crate::scenario::resolve::{self, INTERNET, upper};

/// What earlier steps have made of the scenario.
pub(super) struct SoFar<'a> {
    wan: BTreeMap<&'a str, Ipv4Addr>,
    pub(super) wires: BTreeMap<String, WireSpec>,
    /// Files by their server's host.
    pub(super) stored: BTreeSet<(&'a str, &'a str)>,
}

/// A step, where it stands, and when it begins at the earliest, after the steps before it.
pub(super) struct At<'s, 'a> {
    pub(super) step: &'a Step,
    pub(super) path: &'s [Part<'a>],
    pub(super) micros: u64,
}

impl At<'_, '_> {
    /// The path of a key of one of the step's tables.
    pub(super) fn key(&self, keys: [&'static str; 2]) -> Vec<Part<'_>> {
        self.path.iter().copied().chain(keys.map(Part::Key)).collect()
    }
}

impl<'a> Check<'a> {
    pub(super) fn steps(&self) -> Result<(), Diagnostic> {
        if self.scenario.step.is_empty() {
            return Err(self.whole("a scenario needs at least one [[step]]"));
        }
        let wan = |(name, network): (&'a String, &'a crate::scenario::language::NetworkSpec)| {
            (name.as_str(), *network.router.wan.get_ref())
        };
        let mut so_far = SoFar {
            wan: self.scenario.network.iter().map(wan).collect(),
            wires: resolve::wires(self.scenario),
            stored: BTreeSet::new(),
        };
        for (index, step) in self.scenario.step.iter().enumerate() {
            let path = [Part::Key("step"), Part::Item(index)];
            self.step(&At { step, path: &path, micros: 0 }, &mut so_far)?;
        }
        Ok(())
    }

    fn step(&self, at: &At<'_, 'a>, so_far: &mut SoFar<'a>) -> Result<(), Diagnostic> {
        let actions = actions(at.step);
        let action = match actions.as_slice() {
            [(action, _)] => *action,
            [] => {
                let known: Vec<String> = ACTIONS.iter().map(|action| format!("`{action}`")).collect();
                let diagnostic = self.at_value(at.path, "this step does nothing");
                return Err(diagnostic.with_help(format!("give it one of {}", known.join(", "))));
            }
            [(first, _), (second, place), ..] => {
                let message = format!("a step does one thing, and this one has `{first}` and `{second}`");
                let help = "make two steps of it, or two in the list of a `parallel`";
                return Err(self.span(place.clone(), message).with_help(help));
            }
        };
        let begins = at.micros.saturating_add(at.step.after.unwrap_or_default().micros());
        if begins > LONGEST_STEP.total_micros() {
            return Err(self.too_long(&self.at_value(&at.key_of_step("after"), String::new()), "it begins"));
        }
        self.action(at, begins, so_far)?;
        self.expectations(at, action, so_far)
    }

    fn action(&self, at: &At<'_, 'a>, begins: u64, so_far: &mut SoFar<'a>) -> Result<(), Diagnostic> {
        let step = at.step;
        if let Some(ftp) = &step.ftp {
            self.ftp(at, ftp.get_ref(), so_far)?;
        }
        if let Some(exchange) = &step.udp {
            self.exchange(at, "udp", exchange.get_ref())?;
        }
        if let Some(exchange) = &step.tcp {
            self.exchange(at, "tcp", exchange.get_ref())?;
        }
        if let Some(ping) = &step.ping {
            self.ping(at, ping.get_ref())?;
        }
        if let Some(packet) = &step.packet {
            self.packets(packet.get_ref(), packet)?;
        }
        if let Some(run) = &step.run {
            self.run(at, run.get_ref(), run)?;
        }
        if let Some(restart) = &step.restart {
            let RestartStep { network, .. } = restart.get_ref();
            self.network(network)?;
        }
        if let Some(change) = &step.wan_address {
            self.wan_address(change.get_ref(), so_far)?;
        }
        if let Some(link) = &step.link {
            self.link(at, link.get_ref(), so_far)?;
        }
        self.lasts(at, begins)?;
        match &step.parallel {
            Some(steps) => self.parallel(at, begins, steps, so_far),
            None => Ok(()),
        }
    }

    /// What a step takes at least must fit into the time that a step has.
    fn lasts(&self, at: &At<'_, 'a>, begins: u64) -> Result<(), Diagnostic> {
        let repeated = |times: u64, every: TimeSpan| times.saturating_sub(1).saturating_mul(every.micros());
        let step = at.step;
        let exchange = step.udp.as_ref().or(step.tcp.as_ref()).map(Spanned::get_ref);
        let packet = step.packet.as_ref().map(Spanned::get_ref);
        let ping = step.ping.as_ref().map(Spanned::get_ref);
        let lasts = [
            step.wait.as_ref().map(|wait| wait.get_ref().micros()),
            exchange.map(|exchange| repeated(exchange.times.into(), exchange.every)),
            packet.map(|packet| repeated(packet.send.len() as u64, packet.every)),
            ping.map(|ping| repeated(ping.count.into(), ping.every)),
        ];
        let lasts = lasts.into_iter().flatten().max().unwrap_or_default();
        if begins.saturating_add(lasts) <= LONGEST_STEP.total_micros() {
            return Ok(());
        }
        let (_, place) = actions(step).into_iter().next().unwrap_or_default();
        Err(self.too_long(&self.span(place, String::new()), "it ends"))
    }

    fn too_long(&self, place: &Diagnostic, what: &str) -> Diagnostic {
        let hours = LONGEST_STEP.secs() / 3600;
        let message = format!("{what} more than {hours} h after the step before it");
        let diagnostic = self.whole(message).with_help("a longer time is several steps of `wait`");
        match place.span() {
            Some(span) => diagnostic.at(span),
            None => diagnostic,
        }
    }

    fn parallel(
        &self,
        at: &At<'_, 'a>,
        begins: u64,
        steps: &'a Spanned<Vec<Step>>,
        so_far: &mut SoFar<'a>,
    ) -> Result<(), Diagnostic> {
        if steps.get_ref().is_empty() {
            return Err(self.at(steps, "no steps that begin together"));
        }
        // What one stores another can fetch, whatever their order is here.
        for step in steps.get_ref() {
            if let Some(ftp) = step.ftp.as_ref().map(Spanned::get_ref)
                && let Some(put) = &ftp.put
            {
                so_far.stored.insert((ftp.server.get_ref(), &put.name));
            }
        }
        for (index, step) in steps.get_ref().iter().enumerate() {
            let path: Vec<Part<'a>> =
                at.path.iter().copied().chain([Part::Key("parallel"), Part::Item(index)]).collect();
            self.step(&At { step, path: &path, micros: begins }, so_far)?;
        }
        Ok(())
    }

    fn ping(&self, at: &At<'_, 'a>, step: &'a PingStep) -> Result<(), Diagnostic> {
        self.host(&step.from)?;
        let to = step.to.get_ref();
        if to == step.from.get_ref() {
            return Err(self.at(&step.to, format!("`{to}` cannot ping itself: nothing would cross a wire")));
        }
        if to.parse::<Ipv4Addr>().is_err() {
            self.host(&step.to)?;
        }
        let nothing = [
            (step.count == 0, "count", "0 requests are none at all"),
            (step.ttl == 0, "ttl", "a packet with a time to live of 0 never leaves"),
            // 65535 less the IP header's 20 and the ICMP header's 8.
            (step.length > 65507, "length", "an echo request has 65507 bytes of payload at most"),
        ];
        match nothing.into_iter().find(|(wrong, ..)| *wrong) {
            Some((_, key, message)) => Err(self.at_value(&at.key(["ping", key]), message)),
            None => Ok(()),
        }
    }

    fn packets(&self, step: &PacketStep, place: &Spanned<PacketStep>) -> Result<(), Diagnostic> {
        self.host(&step.from)?;
        if step.send.is_empty() {
            return Err(self.at(place, "no packet is sent: write at least one line in `send`"));
        }
        for line in &step.send {
            packet_text::parse(line.get_ref())
                .map_err(|error| self.span(self.inside(line, error.span()), error.to_string()))?;
        }
        Ok(())
    }

    /// A part of a text's value, where it stands in the file; the whole text if it is written with escapes.
    pub(super) fn inside(&self, text: &Spanned<String>, part: Range<usize>) -> Range<usize> {
        let span = text.span();
        let written = self.text.get(span.clone()).unwrap_or_default();
        match written.find(text.get_ref().as_str()) {
            // Behind the opening quotes; a part that is missing is shown at its place.
            Some(quotes) if quotes > 0 && !text.get_ref().is_empty() => {
                let start = span.start + quotes;
                start + part.start..start + part.end.max(part.start + 1)
            }
            _ => span,
        }
    }

    fn run(&self, at: &At<'_, 'a>, step: &RunStep, place: &Spanned<RunStep>) -> Result<(), Diagnostic> {
        self.host(&step.on)?;
        step.server.as_ref().map_or(Ok(()), |server| self.host(server).map(|_| ()))?;
        if step.command.is_empty() {
            return Err(self.at_value(&at.key(["run", "command"]), "no program is named"));
        }
        self.needs_namespaces(place)
    }

    /// Real programs run in namespaces, and a scenario with them says so.
    pub(super) fn needs_namespaces<T>(&self, place: &Spanned<T>) -> Result<(), Diagnostic> {
        match &self.scenario.only {
            Some(only) if only.backend == BackendName::Netns => Ok(()),
            Some(_) => Err(self
                .at(place, "a real program cannot run in a simulated world, and `only` wants one")
                .with_help("write only = { backend = \"netns\", because = \"…\" }")),
            None => Err(self
                .at(place, "a real program runs in namespaces alone, and the scenario does not say so")
                .with_help(
                    "write at the top: only = { backend = \"netns\", because = \"it runs real programs\" }",
                )),
        }
    }

    fn wan_address(&self, step: &'a WanAddressStep, so_far: &mut SoFar<'a>) -> Result<(), Diagnostic> {
        let network = self.network(&step.network)?;
        let (name, address) = (step.network.get_ref().as_str(), *step.address.get_ref());
        let on = upper(&network.router);
        self.possible(on, &step.address)?;
        let hosts = self.scenario.host.iter().filter(|(_, host)| host.on.get_ref() == on);
        let mut taken = hosts.filter(|(_, host)| *host.address.get_ref() == address);
        let other = taken.next().map(|(host, _)| format!("`{host}`'s"));
        let beside = |(other, wan): (&&str, &Ipv4Addr)| {
            let beside =
                self.scenario.network.get(*other).is_some_and(|network| upper(&network.router) == on);
            (beside && *wan == address).then(|| format!("that of the router of `{other}`"))
        };
        let internet = on == INTERNET && address == self.scenario.internet.address;
        let internet = internet.then(|| "that of the public network itself".to_owned());
        if let Some(whose) = other.or_else(|| so_far.wan.iter().find_map(beside)).or(internet) {
            return Err(self.at(&step.address, format!("{address} is {whose} already")));
        }
        let profile = self.profile(network)?;
        let mut config = resolve::config(self.scenario, name, network)
            .map_err(|(span, message)| self.span(span, message))?;
        config.wan = Ipv4Cidr::new(address, 32);
        config.check(&profile).map_err(|error| {
            let place = topology::place_of(&error, network);
            let at_wan = place == network.router.wan.span();
            self.span(if at_wan { step.address.span() } else { place }, error.to_string())
        })?;
        so_far.wan.insert(name, address);
        Ok(())
    }

    fn link(&self, at: &At<'_, 'a>, step: &LinkStep, so_far: &mut SoFar<'a>) -> Result<(), Diagnostic> {
        let known: Vec<&str> = so_far.wires.keys().map(String::as_str).collect();
        if !known.contains(&step.wire.get_ref().as_str()) {
            return Err(self.unknown(&step.wire, "wire", &known));
        }
        let changes = [&step.both, &step.up, &step.down];
        if changes.iter().all(|change| **change == LinkChange::default()) {
            let diagnostic = self.at(&step.wire, "nothing is said of the wire that changes it");
            return Err(
                diagnostic.with_help("say it in `both`, `up` or `down`, as in both = { loss = \"5%\" }")
            );
        }
        let Some(wire) = so_far.wires.get_mut(step.wire.get_ref()) else { return Ok(()) };
        for (direction, own) in [(&mut wire.up, &step.up), (&mut wire.down, &step.down)] {
            step.both.apply(direction);
            own.apply(direction);
        }
        let path: Vec<Part<'_>> = at.path.iter().copied().chain([Part::Key("link")]).collect();
        self.wire(wire, &path, ["up", "down", "both"])
    }
}

impl At<'_, '_> {
    fn key_of_step(&self, key: &'static str) -> Vec<Part<'_>> {
        self.path.iter().copied().chain([Part::Key(key)]).collect()
    }
}

/// What a step can do.
pub(super) const ACTIONS: [&str; 11] =
    ["ftp", "udp", "tcp", "ping", "packet", "run", "wait", "restart", "wan-address", "link", "parallel"];

/// What a step does, with its places, in the file's order.
fn actions(step: &Step) -> Vec<(&'static str, Range<usize>)> {
    let places = [
        step.ftp.as_ref().map(Spanned::span),
        step.udp.as_ref().map(Spanned::span),
        step.tcp.as_ref().map(Spanned::span),
        step.ping.as_ref().map(Spanned::span),
        step.packet.as_ref().map(Spanned::span),
        step.run.as_ref().map(Spanned::span),
        step.wait.as_ref().map(Spanned::span),
        step.restart.as_ref().map(Spanned::span),
        step.wan_address.as_ref().map(Spanned::span),
        step.link.as_ref().map(Spanned::span),
        step.parallel.as_ref().map(Spanned::span),
    ];
    let mut actions: Vec<_> =
        ACTIONS.into_iter().zip(places).filter_map(|(action, place)| Some((action, place?))).collect();
    actions.sort_by_key(|(_, place)| place.start);
    actions
}
