//! Actions one by one: pings, packets, programs, and what is done to routers and wires.

use std::net::Ipv4Addr;
use std::ops::Range;

use quirknat_router::diagnostic::Diagnostic;
use smoltcp::wire::Ipv4Cidr;
use toml::Spanned;

use super::place::Part;
use super::steps::{At, SoFar};
use super::{Check, topology};
use crate::packet_text;
use crate::scenario::language::{
    BackendName, LinkChange, LinkStep, PacketStep, PingStep, RunStep, WanAddressStep,
};
use crate::scenario::resolve::{self, INTERNET, upper};

impl<'a> Check<'a> {
    pub(super) fn ping(&self, at: &At<'_, 'a>, step: &'a PingStep) -> Result<(), Diagnostic> {
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

    pub(super) fn packets(&self, step: &PacketStep, place: &Spanned<PacketStep>) -> Result<(), Diagnostic> {
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

    pub(super) fn run(
        &self,
        at: &At<'_, 'a>,
        step: &RunStep,
        place: &Spanned<RunStep>,
    ) -> Result<(), Diagnostic> {
        self.host(&step.on)?;
        step.server.as_ref().map_or(Ok(()), |server| self.host(server).map(|_| ()))?;
        if step.command.is_empty() {
            return Err(self.at_value(&at.key(["run", "command"]), "no program is named"));
        }
        self.needs_namespaces(place)
    }

    /// Real programs run in namespaces alone.
    pub(super) fn needs_namespaces<T>(&self, place: &Spanned<T>) -> Result<(), Diagnostic> {
        match &self.scenario.only {
            Some(only) if only.backend == BackendName::Sim => Err(self
                .at(place, "a real program cannot run in a simulated world, and `only` wants one")
                .with_help("leave `only` out: a scenario with real programs runs in namespaces alone")),
            _ => Ok(()),
        }
    }

    pub(super) fn wan_address(
        &self,
        step: &'a WanAddressStep,
        so_far: &mut SoFar<'a>,
    ) -> Result<(), Diagnostic> {
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

    pub(super) fn link(
        &self,
        at: &At<'_, 'a>,
        step: &LinkStep,
        so_far: &mut SoFar<'a>,
    ) -> Result<(), Diagnostic> {
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
