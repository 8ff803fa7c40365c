//! Steps: one action each, with what it names there, and not one that can never happen.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::ops::Range;

use quirknat_router::diagnostic::Diagnostic;
use toml::Spanned;

use super::Check;
use super::place::{self, Part};
use crate::net::WireSpec;
use crate::net::units::TimeSpan;
use crate::scenario::language::schema::ACTIONS;
use crate::scenario::language::{NetworkSpec, RestartStep, Step};
use crate::scenario::play::LONGEST_STEP;
use crate::scenario::resolve;

/// What earlier steps have made of the scenario.
pub(super) struct SoFar<'a> {
    pub(super) wan: BTreeMap<&'a str, Ipv4Addr>,
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

    /// The path of a key of the step's own.
    pub(super) fn key_of_step(&self, key: &'static str) -> Vec<Part<'_>> {
        self.path.iter().copied().chain([Part::Key(key)]).collect()
    }
}

impl<'a> Check<'a> {
    pub(super) fn steps(&self) -> Result<(), Diagnostic> {
        if self.scenario.step.is_empty() {
            return Err(self.whole("a scenario needs at least one [[step]]"));
        }
        let wan =
            |(name, network): (&'a String, &'a NetworkSpec)| (name.as_str(), *network.router.wan.get_ref());
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
        self.assumed(at, action)?;
        let begins = at.micros.saturating_add(at.step.after.unwrap_or_default().micros());
        if begins > LONGEST_STEP.total_micros() {
            return Err(self.too_long(&self.at_value(&at.key_of_step("after"), String::new()), "it begins"));
        }
        self.action(at, begins, so_far)?;
        self.expectations(at, action, so_far)
    }

    /// An assumption says why, and of what.
    fn assumed(&self, at: &At<'_, 'a>, action: &str) -> Result<(), Diagnostic> {
        let Some(why) = &at.step.assumed else { return Ok(()) };
        if why.get_ref().trim().is_empty() {
            let diagnostic = self.at(why, "nothing says why this is assumed");
            return Err(diagnostic.with_help("say why it is expected though no source does"));
        }
        let expect = at.key_of_step("expect");
        if action == "parallel" || place::keys(self.document, &expect).is_empty() {
            let diagnostic = self.at(why, "an assumption of nothing: this step has no `expect`");
            return Err(
                diagnostic.with_help("`assumed` says of a step's expectations that no source has them")
            );
        }
        Ok(())
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
}

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
