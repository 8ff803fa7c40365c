//! FTP sessions and exchanges: whether client and server are there, and can have to do with each other.

use std::net::SocketAddrV4;

use quirknat_router::diagnostic::Diagnostic;
use toml::Spanned;

use super::Check;
use super::place::Part;
use super::steps::{At, SoFar};
use super::topology::LARGEST_FILE;
use crate::scenario::language::{Content, ExchangeStep, FtpServer, FtpStep, HostSpec};

/// What a UDP datagram holds: 65535 less the IP header's 20 and the UDP header's 8.
const LARGEST_DATAGRAM: usize = 65507;

impl<'a> Check<'a> {
    pub(super) fn ftp(
        &self,
        at: &At<'_, 'a>,
        step: &'a FtpStep,
        so_far: &mut SoFar<'a>,
    ) -> Result<(), Diagnostic> {
        let host = self.ends(&step.client, &step.server)?;
        self.client_software(step, |name| at.key(["ftp", name]))?;
        self.no_port_is_zero(&[
            (step.port, at.key(["ftp", "port"])),
            (step.source_port, at.key(["ftp", "source-port"])),
            (step.data_port, at.key(["ftp", "data-port"])),
        ])?;
        self.ways(at, step)?;
        match &host.ftp_server {
            Some(server) => self.fetched(step, server, so_far)?,
            None => self.other_server(step, host)?,
        }
        if let (Some(file), Some(_)) = (&step.get, &step.put) {
            return Err(self.at(file, "a session has one transfer: `get` or `put`"));
        }
        if let Some(put) = &step.put {
            if put.size > LARGEST_FILE {
                let message = format!("`{}` is larger than {} MiB", put.name, LARGEST_FILE >> 20);
                let diagnostic = self.at_value(&at.key(["ftp", "put"]), message);
                return Err(diagnostic.with_help("the built-in client and server take no larger one"));
            }
            so_far.stored.insert((step.server.get_ref(), &put.name));
        }
        Ok(())
    }

    /// Nothing that contradicts or comes to nothing in how data connections are made.
    fn ways(&self, at: &At<'_, 'a>, step: &FtpStep) -> Result<(), Diagnostic> {
        if step.data_port.is_some() && step.data_ports.is_some() {
            let message = "`data-port` names one port, and `data-ports` names several";
            return Err(self.at_key(&at.key(["ftp", "data-ports"]), message).with_help("give one of them"));
        }
        if step.fallback_on.is_some() && step.fallback.is_none() {
            let message = "`fallback-on` says when to turn to another way, and there is none";
            let help = "name the ways to turn to: fallback = [\"pasv\"]";
            return Err(self.at_key(&at.key(["ftp", "fallback-on"]), message).with_help(help));
        }
        Ok(())
    }

    /// Two hosts, and not one.
    fn ends(&self, client: &Spanned<String>, server: &Spanned<String>) -> Result<&'a HostSpec, Diagnostic> {
        self.host(client)?;
        let host = self.host(server)?;
        if client.get_ref() == server.get_ref() {
            let message = format!("`{}` is client and server: nothing would cross a wire", server.get_ref());
            return Err(self.at(server, message));
        }
        Ok(host)
    }

    /// The file must be there, or have been stored by then.
    fn fetched(&self, step: &FtpStep, server: &FtpServer, so_far: &SoFar<'a>) -> Result<(), Diagnostic> {
        let Some(file) = &step.get else { return Ok(()) };
        let host = step.server.get_ref().as_str();
        let stored = so_far.stored.iter().filter(|(server, _)| *server == host).map(|(_, file)| *file);
        let known: Vec<&str> = server.files.keys().map(String::as_str).chain(stored).collect();
        if known.contains(&file.get_ref().as_str()) {
            Ok(())
        } else {
            Err(self.unknown(file, "file", &known))
        }
    }

    /// A host without the built-in server can have a program that is one.
    fn other_server(&self, step: &FtpStep, host: &HostSpec) -> Result<(), Diagnostic> {
        let name = step.server.get_ref();
        if host.program.is_empty() {
            let servers = self.scenario.host.iter().filter(|(_, host)| host.ftp_server.is_some());
            let servers: Vec<String> = servers.map(|(name, _)| format!("`{name}`")).collect();
            let help = if servers.is_empty() {
                "give it one: ftp-server = {}".to_owned()
            } else {
                format!("give it one: ftp-server = {{}}; there is one on {}", servers.join(", "))
            };
            return Err(self.at(&step.server, format!("`{name}` has no `ftp-server`")).with_help(help));
        }
        if step.port.is_none() {
            let message = format!("the port of the server on `{name}` is not known");
            return Err(self.at(&step.server, message).with_help("say it with `port`"));
        }
        Ok(())
    }

    pub(super) fn exchange(
        &self,
        at: &At<'_, 'a>,
        protocol: &'static str,
        step: &'a ExchangeStep,
    ) -> Result<(), Diagnostic> {
        let host = self.ends(&step.client, &step.server)?;
        self.no_port_is_zero(&[
            (Some(step.port), at.key([protocol, "port"])),
            (step.source_port, at.key([protocol, "source-port"])),
        ])?;
        if protocol == "tcp" {
            self.port_is_free(&at.key([protocol, "port"]), step, host)?;
        }
        if step.times == 0 {
            return Err(self.at_value(&at.key([protocol, "times"]), "0 requests are none at all"));
        }
        if let Some(to) = &step.to
            && !to.get_ref().parse::<SocketAddrV4>().is_ok_and(|to| to.port() > 0)
        {
            let message = format!("`{}` is no address with a port, as in 203.0.113.7:4000", to.get_ref());
            return Err(self.at(to, message));
        }
        let most = if protocol == "udp" { LARGEST_DATAGRAM } else { LARGEST_FILE };
        for (key, content) in [("request", Some(&step.request)), ("answer", step.answer.as_ref())] {
            if content.is_some_and(|content| length(content) > most) {
                let message = format!("more than the {most} bytes that can be sent at once");
                return Err(self.at_value(&at.key([protocol, key]), message));
            }
        }
        Ok(())
    }

    /// A connection to a port that another server has would be answered by that one.
    fn port_is_free(
        &self,
        path: &[Part<'_>],
        step: &ExchangeStep,
        host: &HostSpec,
    ) -> Result<(), Diagnostic> {
        let name = step.server.get_ref();
        let whose = if host.ftp_server.as_ref().is_some_and(|server| server.port == step.port) {
            "its `ftp-server`"
        } else if host.program.iter().any(|program| program.listens == Some(step.port)) {
            "one of its programs"
        } else {
            return Ok(());
        };
        let message = format!("port {} of `{name}` is that of {whose} already", step.port);
        Err(self.at_value(path, message).with_help("choose another port"))
    }

    fn no_port_is_zero(&self, ports: &[(Option<u16>, Vec<Part<'_>>)]) -> Result<(), Diagnostic> {
        match ports.iter().find(|(port, _)| *port == Some(0)) {
            Some((_, path)) => Err(self.at_value(path, "0 is no port: ports go from 1 to 65535")),
            None => Ok(()),
        }
    }
}

fn length(content: &Content) -> usize {
    match content {
        Content::Text(text) => text.len(),
        Content::Bytes(bytes) => usize::try_from(*bytes).unwrap_or(usize::MAX),
    }
}
