//! `quirknat replay`: a capture's LAN packets through a profile, and the translated capture out.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use clap::Args;
use quirknat_router::Router;
use quirknat_router::config::{Config, StaticForward};
use quirknat_router::event::Detail;
use quirknat_router::profile::Profile;
use serde_json::{Value, json};
use smoltcp::wire::Ipv4Cidr;

use super::print;
use super::router::{count_line, counters};
use crate::capture::CaptureWriter;
use crate::exit::Failure;
use crate::replay::{Output, ReplayError, Survey, Tally, WIRES, replay, survey};

/// What is to be replayed, and where it goes.
#[derive(Debug, Args)]
#[command(
    after_help = "What LAN hosts sent is sent as it was recorded. What came to them is sent on the WAN, to where \
                        this router has it come from; what it could not have come from is left out and counted. Hosts do \
                        not react to what becomes of it."
)]
pub struct ReplayArgs {
    /// A capture (pcap, pcapng) that was recorded on the LAN
    #[arg(value_name = "CAPTURE")]
    capture: PathBuf,
    /// A built-in profile's name, or a file
    #[arg(long, value_name = "NAME|FILE")]
    profile: String,
    /// The router's address and subnet on the LAN; without this as the capture suggests
    #[arg(long, value_name = "CIDR", value_parser = cidr)]
    lan: Option<Ipv4Cidr>,
    /// The router's address on the WAN
    #[arg(long, value_name = "ADDRESS", default_value = "203.0.113.7")]
    wan: Ipv4Addr,
    /// The capture's interface that is the LAN, by its number from 0 or its name; without this the one with most of it
    #[arg(long, value_name = "N|NAME")]
    interface: Option<String>,
    /// A forward from the WAN to a LAN host. Repeatable
    #[arg(long, value_name = "PROTO/PORT[-PORT]=IP[:PORT]")]
    forward: Vec<StaticForward>,
    /// The capture that comes out: raw IPv4, with the interfaces `lan` and `wan`
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Writes every event to a file, a JSON object a line
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// The counters as a JSON document
    #[arg(long)]
    json: bool,
}

fn cidr(text: &str) -> Result<Ipv4Cidr, String> {
    let parts = text.split_once('/').and_then(|(address, prefix)| {
        Some((address.parse().ok()?, prefix.parse().ok().filter(|prefix| *prefix <= 32)?))
    });
    let (address, prefix): (Ipv4Addr, u8) =
        parts.ok_or("write an address and a prefix, as in 192.168.1.1/24")?;
    Ok(Ipv4Cidr::new(address, prefix))
}

/// Replays, and counts.
pub fn run(args: &ReplayArgs) -> Result<(), Failure> {
    let profile = Profile::resolve(&args.profile).map_err(Failure::usage)?;
    for output in [Some(&args.output), args.events.as_ref()].into_iter().flatten() {
        if same_file(output, &args.capture) {
            return Err(Failure::usage(format!(
                "{} is the capture itself: choose another file",
                output.display()
            )));
        }
    }
    let in_capture =
        |error: &dyn std::fmt::Display| Failure::usage(format!("{}: {error}", args.capture.display()));
    let surveyed = survey(open(&args.capture)?).map_err(|error| in_capture(&error))?;
    let (interface, lan) = choose(args, &surveyed)?;
    let mut config = Config::new(vec![lan], Ipv4Cidr::new(args.wan, WAN_PREFIX));
    // A network card would have cut what is longer: here it passes whole.
    (config.lan_mtu, config.wan_mtu) = (LONGEST, LONGEST);
    config.detail = Detail::Changes;
    config.forwards.clone_from(&args.forward);
    let mut router = Router::new(&profile, &config).map_err(Failure::usage)?;
    let cannot_write = |path: &Path, error: std::io::Error| {
        Failure::environment(format!("cannot write {}: {error}", path.display()))
    };
    let create =
        |path: &Path| File::create(path).map(BufWriter::new).map_err(|error| cannot_write(path, error));
    let capture = CaptureWriter::new(create(&args.output)?, &WIRES);
    let mut output = Output {
        capture: capture.map_err(|error| cannot_write(&args.output, error))?,
        events: args.events.as_deref().map(create).transpose()?,
    };
    let tally =
        replay(open(&args.capture)?, interface, lan, &mut router, &mut output).map_err(
            |error| match error {
                ReplayError::Capture(error) => in_capture(&error),
                output @ ReplayError::Output(_) => Failure::environment(output),
            },
        )?;
    output.capture.finish().map_err(|error| cannot_write(&args.output, error))?;
    if let (Some(mut events), Some(path)) = (output.events, &args.events) {
        events.flush().map_err(|error| cannot_write(path, error))?;
    }
    if let Some(offset) = tally.cut_off {
        log::warn!("{}: the file ends in the middle of a packet, at offset {offset}", args.capture.display());
    }
    if args.json {
        return print(&format!("{:#}\n", document(args, lan, &tally, &router)));
    }
    print(&summary(&tally, &router))
}

/// A link that takes any IPv4 packet.
const LONGEST: usize = 65_535;
/// Of the WAN's address: a link to the provider alone, as of PPP.
const WAN_PREFIX: u8 = 32;

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))
}

fn same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    real(one).is_some_and(|one| Some(one) == real(other))
}

/// Which interface is the LAN, and the router's address on it; says what was inferred.
fn choose(args: &ReplayArgs, survey: &Survey) -> Result<(usize, Ipv4Cidr), Failure> {
    let named = args.interface.as_deref().map(|name| interface_named(name, survey)).transpose()?;
    let found = survey.lan(named);
    let only = (survey.interfaces.len() == 1).then_some(0);
    let interface = named.or(found.map(|(interface, ..)| interface)).or(only);
    let (Some(interface), Some(lan)) = (interface, args.lan.or(found.map(|(_, lan, _)| lan))) else {
        return Err(Failure::usage(format!(
            "{}: no packet goes from a private address to a public one: say which subnet is the LAN, as with \
             --lan 192.168.1.1/24, and with several interfaces which one, as with --interface 0",
            args.capture.display()
        )));
    };
    if args.lan.is_none() {
        let others = found.map_or(0, |(_, _, others)| others);
        let beside =
            if others > 0 { format!("; {others} other subnets are left out") } else { String::new() };
        note(&format!("the LAN is taken for {lan}, from the addresses in the capture{beside}"));
    }
    if args.interface.is_none() && survey.interfaces.len() > 1 {
        let name = survey.interfaces.get(interface).and_then(|interface| interface.name.clone());
        note(&format!(
            "interface {interface}{} is taken for the LAN's",
            name.map_or_else(String::new, |name| format!(" ({name})"))
        ));
    }
    Ok((interface, lan))
}

fn interface_named(name: &str, survey: &Survey) -> Result<usize, Failure> {
    let by_name = survey.interfaces.iter().position(|interface| interface.name.as_deref() == Some(name));
    let by_number = name.parse().ok().filter(|number| *number < survey.interfaces.len());
    by_name.or(by_number).ok_or_else(|| {
        let all = survey.interfaces.iter().enumerate();
        let all: Vec<String> = all
            .map(|(number, interface)| interface.name.clone().unwrap_or_else(|| number.to_string()))
            .collect();
        Failure::usage(format!("--interface: no `{name}` in the capture; there are: {}", all.join(", ")))
    })
}

/// A remark for the user, beside the result.
fn note(text: &str) {
    // Where stderr is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn summary(tally: &Tally, router: &Router) -> String {
    let mut text = String::new();
    count_line(&mut text, tally.outbound, &"packets of the capture from the LAN");
    count_line(&mut text, tally.inbound, &"packets of the capture to the LAN, sent on the WAN");
    if tally.repaired > 0 {
        count_line(&mut text, tally.repaired, &"of them with what their sender had left to its network card");
    }
    for (why, count) in &tally.left_out {
        count_line(&mut text, *count, &format_args!("packets of the capture left out: {why}"));
    }
    text + &counters(router.counters())
}

fn document(args: &ReplayArgs, lan: Ipv4Cidr, tally: &Tally, router: &Router) -> Value {
    let left_out: Value = tally.left_out.iter().map(|(why, count)| (why.to_string(), json!(count))).collect();
    let counters = router.counters();
    let dropped: Value =
        counters.dropped.iter().map(|(why, count)| (why.to_string(), json!(count))).collect();
    let answered: Value =
        counters.answered.iter().map(|(what, count)| (what.to_string(), json!(count))).collect();
    json!({
        "capture": args.capture.display().to_string(),
        "profile": args.profile,
        "lan": lan.to_string(),
        "wan": args.wan,
        "output": args.output.display().to_string(),
        "from_lan": tally.outbound,
        "to_lan": tally.inbound,
        "repaired": tally.repaired,
        "left_out": left_out,
        "cut_off_at": tally.cut_off,
        "router": {
            "received": counters.received,
            "forwarded": counters.forwarded,
            "answered": answered,
            "dropped": dropped,
            "translations": counters.translations,
            "commands_rewritten": counters.commands_rewritten,
            "commands_left_alone": counters.commands_left_alone,
        },
    })
}
