//! `quirknat router`: a live router on TUN devices.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use quirknat_router::config::Config;
use quirknat_router::device::{self, Device, Port, Tun};
use quirknat_router::event::{Detail, Interface};
use quirknat_router::profile::Profile;
use quirknat_router::{Counters, Router};
use smoltcp::time::Instant;
use smoltcp::wire::Ipv4Cidr;

use super::print;
use crate::exit::Failure;
use crate::record::{Recorder, RecorderFiles};

/// What a live router is told.
#[derive(Debug, Args)]
pub struct RouterArgs {
    /// A built-in profile's name, or a file
    #[arg(long, value_name = "NAME|FILE")]
    profile: String,
    /// A LAN port: the TUN device to make and the router's address on it. Repeatable; ports with the same address and
    /// subnet are ports of one switch
    #[arg(long, required = true, value_name = "IFNAME=ROUTER_CIDR")]
    lan: Vec<String>,
    /// The WAN: the TUN device to make and the router's address on it
    #[arg(long, value_name = "IFNAME=ROUTER_CIDR")]
    wan: String,
    /// A forward from the WAN to a LAN host. Repeatable
    #[arg(long, value_name = "PROTO/PORT[-PORT]=IP[:PORT]")]
    forward: Vec<String>,
    /// Ports that open for a LAN host which sends to certain others. Repeatable
    #[arg(long, value_name = "PROTO/PORT[-PORT]=PROTO/PORT[-PORT]")]
    trigger: Vec<String>,
    /// The LAN host that gets what nothing else wants
    #[arg(long, value_name = "IP")]
    dmz: Option<String>,
    /// Writes what crosses each wire to a pcapng file
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Writes every event to a file, a JSON object a line
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

/// Runs until SIGINT or SIGTERM.
pub fn run(args: &RouterArgs) -> Result<(), Failure> {
    let profile = Profile::resolve(&args.profile).map_err(Failure::usage)?;
    let (names, config) = read_config(args)?;
    let mut router = Router::new(&profile, &config).map_err(Failure::usage)?;
    // Blocked before any thread starts, so that they reach nobody but the descriptor.
    let stop = stop_signals()?;
    let mut ports = make_devices(&names)?;
    let names: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
    let clock = LiveClock::start();
    let mut recorder = start_recorder(args, &names, &clock)?;
    print("ready\n")?;

    let ended = device::run(&mut router, &mut ports, stop.as_fd(), || clock.now(), &mut recorder);
    let written = recorder.finish();
    print(&summary(router.counters(), &ports))?;
    ended.map_err(Failure::environment)?;
    written.map_err(Failure::Environment)
}

type Named = (Interface, String);

fn read_config(args: &RouterArgs) -> Result<(Vec<Named>, Config), Failure> {
    let mut names = Vec::new();
    let mut lan = Vec::new();
    for (index, text) in args.lan.iter().enumerate() {
        let (name, cidr) = read_interface("--lan", text)?;
        let port =
            u8::try_from(index).map_err(|_| Failure::usage("--lan: a router has at most 255 LAN ports"))?;
        names.push((Interface::Lan(port), name));
        lan.push(cidr);
    }
    let (name, wan) = read_interface("--wan", &args.wan)?;
    names.push((Interface::Wan, name));
    for (index, (_, name)) in names.iter().enumerate() {
        if names.iter().take(index).any(|(_, other)| other == name) {
            return Err(Failure::usage(format!("interface `{name}` is named twice: give each its own name")));
        }
    }
    let mut config = Config::new(lan, wan);
    for text in &args.forward {
        let forward = text.parse().map_err(|error| Failure::usage(format!("--forward: {error}")))?;
        config.forwards.push(forward);
    }
    for text in &args.trigger {
        let trigger = text.parse().map_err(|error| Failure::usage(format!("--trigger: {error}")))?;
        config.triggers.push(trigger);
    }
    if let Some(text) = &args.dmz {
        let host = Ipv4Addr::from_str(text).map_err(|_| {
            Failure::usage(format!("--dmz: `{text}` is not an IPv4 address, as in 192.168.1.100"))
        })?;
        config.dmz_host = Some(host);
    }
    let told = args.pcap.is_some() || args.events.is_some() || log::log_enabled!(log::Level::Info);
    config.detail = if told { Detail::Changes } else { Detail::Nothing };
    Ok((names, config))
}

/// An interface's name, and the router's address on it.
pub(super) fn read_interface(option: &str, text: &str) -> Result<(String, Ipv4Cidr), Failure> {
    let Some((name, cidr)) = text.split_once('=') else {
        return Err(Failure::usage(format!(
            "{option}: `{text}` names no address: write IFNAME=ROUTER_CIDR, as in lan0=192.168.1.1/24"
        )));
    };
    Ok((name.to_owned(), read_cidr(&format!("{option} {name}"), cidr)?))
}

/// A router's address with its subnet; `what` names it where it is wrong.
pub(super) fn read_cidr(what: &str, cidr: &str) -> Result<Ipv4Cidr, Failure> {
    let wrong = || {
        Failure::usage(format!(
            "{what}: `{cidr}` is not an IPv4 address with its prefix length: write one as in 192.168.1.1/24"
        ))
    };
    let (address, prefix) = cidr.split_once('/').ok_or_else(wrong)?;
    let (address, prefix) = (address.parse().map_err(|_| wrong())?, prefix.parse().map_err(|_| wrong())?);
    if prefix > 32 { Err(wrong()) } else { Ok(Ipv4Cidr::new(address, prefix)) }
}

fn make_devices(names: &[Named]) -> Result<Vec<Port<Tun>>, Failure> {
    let make = |(interface, name): &Named| match Tun::create(name) {
        Ok(device) => Ok(Port { interface: *interface, device, lost: 0 }),
        Err(error) if error.is_usage() => Err(Failure::usage(error)),
        Err(error) => Err(Failure::environment(error)),
    };
    names.iter().map(make).collect()
}

fn stop_signals() -> Result<SignalFd, Failure> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    signals.thread_block().map_err(Failure::environment)?;
    SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .map_err(Failure::environment)
}

fn start_recorder(args: &RouterArgs, names: &[&str], clock: &LiveClock) -> Result<Recorder, Failure> {
    let create = |path: &Option<PathBuf>| match path {
        Some(path) => File::create(path)
            .map(|file| Some(BufWriter::new(file)))
            .map_err(|error| Failure::environment(format!("cannot write {}: {error}", path.display()))),
        None => Ok(None),
    };
    let files = RecorderFiles { capture: create(&args.pcap)?, events: create(&args.events)? };
    Recorder::start(files, names, clock.epoch).map_err(Failure::Environment)
}

/// The one place where a clock is read. The router's time begins at zero when it starts; captures want the day.
struct LiveClock {
    start: std::time::Instant,
    /// Microseconds from 1970 to the start.
    epoch: i64,
}

#[expect(clippy::disallowed_methods, reason = "the live router's edge: here time comes into the core")]
impl LiveClock {
    fn start() -> Self {
        let epoch = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_micros();
        Self { start: std::time::Instant::now(), epoch: i64::try_from(epoch).unwrap_or_default() }
    }

    fn now(&self) -> Instant {
        Instant::from_micros(i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX))
    }
}

/// What the router has done, a line a figure.
fn summary(counted: &Counters, ports: &[Port<Tun>]) -> String {
    let mut text = counters(counted);
    for port in ports.iter().filter(|port| port.lost > 0) {
        let what = format_args!("packets lost at {}, which had no room", port.device.name());
        count_line(&mut text, port.lost, &what);
    }
    text
}

/// A router's counters, a line a figure.
pub(super) fn counters(counters: &Counters) -> String {
    let mut text = String::new();
    let mut line = |count: u64, what: &dyn std::fmt::Display| count_line(&mut text, count, what);
    line(counters.received, &"packets received");
    line(counters.forwarded, &"packets forwarded");
    for (answer, count) in &counters.answered {
        line(*count, &format_args!("packets answered: {answer}"));
    }
    for (reason, count) in &counters.dropped {
        line(*count, &format_args!("packets dropped: {reason}"));
    }
    line(counters.translations, &"translations created");
    line(counters.commands_rewritten, &"announcements rewritten");
    line(counters.commands_left_alone, &"announcements left alone");
    text
}

/// A figure on a line of its own.
pub(super) fn count_line(text: &mut String, count: u64, what: &dyn std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{count:>12} {what}");
}
