//! A home with its router: `quirknat router` in a namespace of its own, hosts on its LAN ports, one host outside.

use std::ffi::OsString;
use std::fs;

use nix::sys::signal::Signal;

use super::deadline::Deadline;
use super::namespace::Namespace;
use super::process::{Finished, Process, command};

pub const ROUTER: &str = "192.168.1.1";
pub const WAN: &str = "203.0.113.7";
pub const PROFILE: &str = "linksys-befsr41-1.39";

/// The program under test; `QUIRKNAT_PROGRAM` names another build of it, an installed one for example.
pub fn program() -> OsString {
    std::env::var_os("QUIRKNAT_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_quirknat").into())
}

/// `quirknat router` with these arguments, in the namespace, whatever comes of it.
pub fn start_router(place: &Namespace, arguments: &[&str]) -> Process {
    let mut command = command("env");
    command.arg(program()).arg("router").args(arguments);
    place.start("quirknat router", command)
}

/// The address of the host on LAN port `port`: .100 and up, as the BEFSR41's DHCP gives them out.
pub fn lan_address(port: usize) -> String {
    format!("192.168.1.{}", 100 + port)
}

pub struct Home {
    // Fields are dropped in this order: the router first, then the namespaces.
    router: Option<Process>,
    pub inside: Vec<Namespace>,
    pub outside: Namespace,
    place: Namespace,
}

impl Home {
    /// A router with the BEFSR41's profile, a host on each of `ports` LAN ports, and a host outside at `outside`.
    pub fn start(ports: usize, outside: &str, extra: &[&str]) -> Self {
        let place = Namespace::new("router");
        let lan_ports: Vec<String> = (0..ports).map(|port| format!("lan{port}={ROUTER}/24")).collect();
        let wan_port = format!("wan0={WAN}/24");
        let mut arguments = vec!["--profile", PROFILE];
        for port in &lan_ports {
            arguments.extend(["--lan", port]);
        }
        arguments.extend(["--wan", &wan_port]);
        arguments.extend(extra);

        let router = start_router(&place, &arguments);
        Self::around(place, router, ports, outside)
    }

    /// A router of this profile, by name or file, a host inside, and one outside at `outside`.
    pub fn of(profile: &str, outside: &str) -> Self {
        let place = Namespace::new("router");
        let (lan, wan) = (format!("lan0={ROUTER}/24"), format!("wan0={WAN}/24"));
        let router = start_router(&place, &["--profile", profile, "--lan", &lan, "--wan", &wan]);
        Self::around(place, router, 1, outside)
    }

    /// The same around any process in `place` that makes `lan0`… and `wan0` there and then prints `ready`.
    pub fn around(place: Namespace, mut router: Process, ports: usize, outside: &str) -> Self {
        router.wait_stdout("line \"ready\"", Deadline::seconds(10), |output| output.starts_with(b"ready\n"));
        let inside = (0..ports).map(|port| lan_host(&place, port)).collect();
        let outside = outside_host(&place, outside);
        Self { router: Some(router), inside, outside, place }
    }

    pub fn client(&self) -> &Namespace {
        &self.inside[0]
    }

    /// Where the router runs, and with it whatever device it still owns.
    pub fn place(&self) -> &Namespace {
        &self.place
    }

    /// Waits for the router to end by itself.
    pub fn wait_router(mut self) -> Finished {
        self.router.take().expect("the router is stopped once").finish(Deadline::seconds(10))
    }

    /// Sends the router a signal and waits for its end.
    pub fn stop_router(&mut self, signal: Signal) -> Finished {
        let router = self.router.take().expect("the router is stopped once");
        router.signal(signal);
        router.finish(Deadline::seconds(10))
    }
}

fn lan_host(place: &Namespace, port: usize) -> Namespace {
    let host = Namespace::new(&format!("pc{port}"));
    let device = format!("lan{port}");
    place.give_device(&device, &host, &format!("{}/24", lan_address(port)));
    host.ip(&format!("route add default via {ROUTER} dev {device}"));
    host
}

/// A host of the internet. Its default route leads back over the wire, so that what it sends to a private address
/// can be seen there, and what becomes of it is the router's doing.
fn outside_host(place: &Namespace, address: &str) -> Namespace {
    let host = Namespace::new("outside");
    place.give_device("wan0", &host, &format!("{address}/24"));
    host.ip("route add default dev wan0");
    // Who dials an address that does not answer gives up after three seconds, not after two minutes.
    host.enter(|| fs::write("/proc/sys/net/ipv4/tcp_syn_retries", "1")).expect("the namespace's own setting");
    host
}
