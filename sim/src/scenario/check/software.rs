//! Software: that there is such, and that it can do what it is told to do.

use quirknat_router::diagnostic::{Diagnostic, help_with_choices};
use toml::Spanned;

use super::Check;
use super::place::Part;
use crate::scenario::language::{FtpServer, FtpStep, Mode};
use crate::software::{ClientSoftware, ServerSoftware, Software, names};

const ADDRESS: &str = "another address to announce";
const PORTS: &str = "which ports to listen on";

/// A key by which software is told something, and whether it can be.
struct Told<T> {
    key: &'static str,
    given: bool,
    what: &'static str,
    can_be: fn(&T) -> bool,
}

impl<T> Told<T> {
    fn new(key: &'static str, given: bool, what: &'static str, can_be: fn(&T) -> bool) -> Self {
        Self { key, given, what, can_be }
    }
}

impl Check<'_> {
    /// The client's software can use the ways that the step names, and be told what it tells. `key` leads to a key of the
    /// step's table.
    pub(super) fn client_software<'p>(
        &self,
        step: &FtpStep,
        key: impl Fn(&'static str) -> Vec<Part<'p>>,
    ) -> Result<(), Diagnostic> {
        let Some(word) = &step.software else { return Ok(()) };
        let client = self.part(word, "client", |software| software.client)?;
        let ways: Vec<Mode> = step.mode.into_iter().chain(step.fallback.iter().flatten().copied()).collect();
        if let Some(mode) = ways.into_iter().find(|mode| !client.modes.contains(mode)) {
            let place = if step.mode == Some(mode) { "mode" } else { "fallback" };
            let known: Vec<String> = client.modes.iter().map(|mode| format!("`{mode}`")).collect();
            let message = format!("`{}` cannot use `{mode}`", word.get_ref());
            let diagnostic = self.at_value(&key(place), message);
            return Err(diagnostic.with_help(format!("it can use {}", known.join(", "))));
        }
        // A lone `data-port` is what a client without a range happens to choose.
        let told = [
            Told::new("announce", step.announce.is_some(), ADDRESS, |client: &ClientSoftware| {
                *client.announce
            }),
            Told::new("data-ports", step.data_ports.is_some(), PORTS, |client| *client.data_ports),
        ];
        self.told(word, &client, |software| software.client, &told, key)
    }

    /// Likewise of a server's.
    pub(super) fn server_software<'p>(
        &self,
        server: &FtpServer,
        key: impl Fn(&'static str) -> Vec<Part<'p>>,
    ) -> Result<(), Diagnostic> {
        let Some(word) = &server.software else { return Ok(()) };
        let software = self.part(word, "server", |software| software.server)?;
        let told = [
            Told::new(
                "passive-address",
                server.passive_address.is_some(),
                ADDRESS,
                |server: &ServerSoftware| *server.passive_address,
            ),
            Told::new("passive-ports", server.passive_ports.is_some(), PORTS, |server| *server.passive_ports),
        ];
        self.told(word, &software, |software| software.server, &told, key)
    }

    /// What it is told it can be told.
    fn told<'p, T>(
        &self,
        word: &Spanned<String>,
        part: &T,
        part_of: fn(Software) -> Option<T>,
        told: &[Told<T>],
        key: impl Fn(&'static str) -> Vec<Part<'p>>,
    ) -> Result<(), Diagnostic> {
        let Some(Told { key: name, what, can_be, .. }) =
            told.iter().find(|told| told.given && !(told.can_be)(part))
        else {
            return Ok(());
        };
        let is_able = |name: &&str| Software::named(name).and_then(part_of).is_some_and(|part| can_be(&part));
        let able: Vec<String> = names().filter(is_able).map(|name| format!("`{name}`")).collect();
        let message = format!("`{}` cannot be told {what}", word.get_ref());
        let help = format!("leave it out, or choose software that can: {}", able.join(", "));
        Err(self.at_key(&key(name), message).with_help(help))
    }

    /// Software that there is, and the part of it that is asked for.
    fn part<T>(
        &self,
        word: &Spanned<String>,
        role: &str,
        part: impl Fn(Software) -> Option<T>,
    ) -> Result<T, Diagnostic> {
        let known = Software::named(word.get_ref());
        let is_known = known.is_some();
        if let Some(part) = known.and_then(&part) {
            return Ok(part);
        }
        let message = if is_known {
            format!("`{}` is no FTP {role}", word.get_ref())
        } else {
            format!("unknown software `{}`", word.get_ref())
        };
        let fit: Vec<&str> = names().filter(|name| Software::named(name).and_then(&part).is_some()).collect();
        let help = help_with_choices(word.get_ref(), &format!("FTP {role}s there are:"), &fit);
        Err(self.at(word, message).with_help(help))
    }
}
