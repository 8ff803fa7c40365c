//! `quirknat profile check`: the requirements upon a NAT, measured against a profile or against any router.

use std::net::Ipv4Addr;

use clap::Args;
use quirknat_router::device::{Device, Ethernet, Tun, is_there};
use quirknat_router::diagnostic::help_with_choices;
use quirknat_router::profile::Profile;
use smoltcp::time::Duration;
use smoltcp::wire::Ipv4Cidr;

use super::print;
use super::router::{read_cidr, read_interface};
use crate::check::{Limits, Outside, ProfileRouter, REQUIREMENTS, Report, Site, Verdict, measure};
use crate::exit::Failure;

/// What is measured, where, and how far.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A built-in profile's name, or a file: its router, on a virtual clock. Without it, the router between two interfaces
    #[arg(value_name = "NAME|FILE", required_unless_present_any = ["lan", "wan"])]
    profile: Option<String>,
    /// The LAN: an Ethernet interface that leads to the router, or the TUN device to make, whose other end is the router's;
    /// and the router's address there. With a profile, the address alone [default: 10.0.0.1/24]
    #[arg(long, value_name = "[IFNAME=]ROUTER_CIDR", requires = "wan")]
    lan: Option<String>,
    /// The WAN, likewise [default: 203.0.113.7/24]
    #[arg(long, value_name = "[IFNAME=]ROUTER_CIDR", requires = "lan")]
    wan: Option<String>,
    /// The WAN's MTU, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1500)]
    wan_mtu: usize,
    /// The LAN host that port 21 of the WAN address leads to. With a profile it is led to the LAN's 250th
    #[arg(long, value_name = "IP")]
    server: Option<Ipv4Addr>,
    /// The longest idle time that is tried. With a profile, whose time is virtual, 500000; without, 2
    #[arg(long, value_name = "SECONDS")]
    longest: Option<u32>,
    /// As many translations are made to fill the table. With a profile 70000; without, 2000
    #[arg(long, value_name = "COUNT")]
    flows: Option<u32>,
    /// Only requirements with TEXT in their names
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Status 1 unless these hold or are not applicable; `all` stands for all of the report. Several with commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    require: Vec<String>,
    /// One JSON document instead
    #[arg(long)]
    json: bool,
}

/// A packet takes microseconds through a router in the kernel; what does not come in this time is taken for lost.
const PATIENCE: Duration = Duration::from_millis(200);
/// Somebody sets up the router's side meanwhile.
const SETTING_UP: Duration = Duration::from_secs(120);

/// Measures and reports.
pub fn run(args: &CheckArgs) -> Result<(), Failure> {
    check_names(args)?;
    let report = match &args.profile {
        Some(name) => of_profile(name, args)?,
        None => from_outside(args)?,
    };
    if args.json {
        let document = serde_json::to_value(&report).map_err(Failure::usage)?;
        print(&format!("{document:#}\n"))?;
    } else {
        print(&report.text())?;
    }
    if is_as_required(&report, &args.require) { Ok(()) } else { Err(Failure::Unexpected) }
}

fn check_names(args: &CheckArgs) -> Result<(), Failure> {
    let names: Vec<&str> = REQUIREMENTS.iter().map(|requirement| requirement.id).collect();
    for name in args.require.iter().filter(|name| *name != "all") {
        if !names.contains(&name.as_str()) {
            let help = help_with_choices(name, "requirements there are:", &names);
            return Err(Failure::usage(format!("--require: no requirement `{name}`\n{help}")));
        }
    }
    if !names.iter().any(|name| name.contains(&args.filter)) {
        let help = help_with_choices(&args.filter, "requirements there are:", &names);
        return Err(Failure::usage(format!(
            "--filter: no requirement has `{}` in its name\n{help}",
            args.filter
        )));
    }
    Ok(())
}

fn is_as_required(report: &Report, required: &[String]) -> bool {
    let is_required = |id: &str| required.iter().any(|name| name == id || name == "all");
    report
        .requirements
        .iter()
        .filter(|finding| is_required(finding.requirement.id))
        .all(|finding| matches!(finding.verdict, Verdict::Holds | Verdict::NotApplicable))
}

fn of_profile(name: &str, args: &CheckArgs) -> Result<Report, Failure> {
    /// Beyond any usual timeout; on a virtual clock that costs nothing.
    const LONGEST: u32 = 500_000;
    const FLOWS: u32 = 70_000;
    let profile = Profile::resolve(name).map_err(Failure::usage)?;
    let address = |option: &str, text: &Option<String>, default: Ipv4Cidr| match text {
        None => Ok(default),
        Some(text) if text.contains('=') => Err(Failure::usage(format!(
            "{option}: a profile is measured without interfaces: give the router's address alone, as in {default}"
        ))),
        Some(text) => read_cidr(option, text),
    };
    let lan = address("--lan", &args.lan, Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, 1), 24))?;
    let wan = address("--wan", &args.wan, Ipv4Cidr::new(Ipv4Addr::new(203, 0, 113, 7), 24))?;
    let mut site = site_of(lan, wan, args)?;
    if site.server.is_none() && *profile.forwards.entries > 0 {
        let server = Ipv4Addr::from(u32::from(lan.network().address()) + 250);
        site = site.with_server(server).map_err(Failure::usage)?;
    }
    let mut router = ProfileRouter::new(&profile, &site).map_err(Failure::usage)?;
    let limits = limits(args, LONGEST, FLOWS);
    measure(&mut router, &site, limits, &args.filter).map_err(Failure::environment)
}

fn from_outside(args: &CheckArgs) -> Result<Report, Failure> {
    /// In real time.
    const LONGEST: u32 = 2;
    const FLOWS: u32 = 2000;
    let interface =
        |option: &str, text: &Option<String>| read_interface(option, text.as_deref().unwrap_or_default());
    let (lan_name, lan) = interface("--lan", &args.lan)?;
    let (wan_name, wan) = interface("--wan", &args.wan)?;
    let mut site = site_of(lan, wan, args)?;
    let lan_device = open(&lan_name, site.lan().address())?;
    site.lan_mtu = lan_device.largest;
    let wan_device = open(&wan_name, site.wan())?;
    let mut router = Outside::new(lan_device.device, wan_device.device);
    say_ready(&lan_name, &wan_name)?;
    router
        .wait_until_ready(&site, SETTING_UP)
        .map_err(Failure::environment)?
        .map_err(Failure::environment)?;
    measure(&mut router, &site, limits(args, LONGEST, FLOWS), &args.filter).map_err(Failure::environment)
}

/// An interface to measure through.
struct Opened {
    device: Box<dyn Device>,
    /// The largest packet it takes, where that is known.
    largest: Option<usize>,
}

/// The Ethernet interface of that name, or else a TUN device that is made.
fn open(name: &str, router: Ipv4Addr) -> Result<Opened, Failure> {
    if is_there(name) {
        let device = Ethernet::open(name, router).map_err(Failure::environment)?;
        let largest = Some(device.mtu());
        return Ok(Opened { device: Box::new(device), largest });
    }
    match Tun::create(name) {
        Ok(device) => Ok(Opened { device: Box::new(device), largest: None }),
        Err(error) if error.is_usage() => Err(Failure::usage(error)),
        Err(error) => Err(Failure::environment(error)),
    }
}

/// Says that the devices can be placed. Stdout is the report's.
fn say_ready(lan: &str, wan: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    writeln!(
        std::io::stderr(),
        "ready: {lan} and {wan}; measuring begins when a ping gets through the router"
    )
    .map_err(|error| Failure::environment(format!("cannot write to stderr: {error}")))
}

fn site_of(lan: Ipv4Cidr, wan: Ipv4Cidr, args: &CheckArgs) -> Result<Site, Failure> {
    let mut site =
        Site::new(lan, wan).and_then(|site| site.with_wan_mtu(args.wan_mtu)).map_err(Failure::usage)?;
    if let Some(server) = args.server {
        site = site.with_server(server).map_err(Failure::usage)?;
    }
    Ok(site)
}

fn limits(args: &CheckArgs, longest: u32, flows: u32) -> Limits {
    Limits {
        longest: args.longest.unwrap_or(longest),
        flows: args.flows.unwrap_or(flows),
        patience: PATIENCE,
    }
}
