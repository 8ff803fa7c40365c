//! Steps in a line each.

use super::language::{ExchangeStep, FtpStep, Mode, Step};
use crate::software::Software;

/// What a step is, as reports call it.
pub(super) fn step(step: &Step) -> String {
    if let Some(name) = &step.name {
        return name.clone();
    }
    if let Some(ftp) = &step.ftp {
        return describe_ftp(ftp.get_ref());
    }
    if let Some(exchange) = &step.udp {
        return describe_exchange("udp", exchange.get_ref());
    }
    if let Some(exchange) = &step.tcp {
        return describe_exchange("tcp", exchange.get_ref());
    }
    if let Some(ping) = step.ping.as_ref().map(toml::Spanned::get_ref) {
        return format!("ping from {} to {}", ping.from.get_ref(), ping.to.get_ref());
    }
    if let Some(packet) = step.packet.as_ref().map(toml::Spanned::get_ref) {
        let first = packet.send.first().map_or("nothing", |line| line.get_ref());
        let more = if packet.send.len() > 1 { " …" } else { "" };
        return format!("packet from {}: {first}{more}", packet.from.get_ref());
    }
    if let Some(run) = step.run.as_ref().map(toml::Spanned::get_ref) {
        return format!("run on {}: {}", run.on.get_ref(), run.command.join(" "));
    }
    if let Some(wait) = &step.wait {
        return format!("wait {}", wait.get_ref());
    }
    if let Some(restart) = &step.restart {
        return format!("restart the router of {}", restart.get_ref().network.get_ref());
    }
    if let Some(change) = step.wan_address.as_ref().map(toml::Spanned::get_ref) {
        return format!("{} gets the WAN address {}", change.network.get_ref(), change.address.get_ref());
    }
    if let Some(link) = &step.link {
        return format!("change the wire {}", link.get_ref().wire.get_ref());
    }
    "nothing".to_owned()
}

fn describe_ftp(step: &FtpStep) -> String {
    let software = step.software.as_ref().and_then(|name| Software::named(name.get_ref()));
    let client = software.and_then(|software| software.client);
    let mode = step.mode.or(client.map(|client| *client.mode)).unwrap_or(Mode::Pasv);
    let mode = if mode == Mode::NoCommand { "no command" } else { mode.verb() };
    let what = match (&step.get, &step.put) {
        (Some(file), _) => format!("get {}", file.get_ref()),
        (None, Some(put)) => format!("put {}", put.name),
        (None, None) => "list".to_owned(),
    };
    format!("ftp {} to {}, {mode}, {what}", step.client.get_ref(), step.server.get_ref())
}

fn describe_exchange(protocol: &str, step: &ExchangeStep) -> String {
    format!("{protocol} from {} to {}, port {}", step.client.get_ref(), step.server.get_ref(), step.port)
}
