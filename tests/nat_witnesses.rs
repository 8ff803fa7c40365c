//! What others say of our routers: coturn's NAT behaviour discovery (RFC 5780), traceroute, ping and large datagrams of
//! the kernel's, held against what each profile says of itself.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use quirknat_router::profile::{
    Filtering, FragmentHandling, Hairpinning, IcmpErrors, Mapping, PortAllocation, Profile, ToWan,
};
use support::deadline::Deadline;
use support::home::{Home, ROUTER, WAN};
use support::process::{Finished, Process, command};
use support::requirement::{LAB, Requirement, met};
use support::scratch::{Scratch, content};

const SERVER: &str = "198.51.100.9";
/// The STUN server's other address: RFC 5780 §4 tells mappings and filters apart by a second one.
const SERVER_TOO: &str = "198.51.100.10";

/// The types of NAT that are known by name, and some routers.
const CLASSIFIED: [&str; 8] = [
    "full-cone",
    "restricted-cone",
    "port-restricted-cone",
    "symmetric",
    "rfc-4787",
    "carrier-grade",
    "linksys-befsr41-1.39",
    "linux-netfilter",
];

fn can(programs: &[&'static str]) -> bool {
    let programs: Vec<_> = programs.iter().map(|name| Requirement::Program(name)).collect();
    met(&LAB) && met(&programs)
}

fn run(from: &support::namespace::Namespace, program: &str, arguments: &str, seconds: u64) -> Finished {
    let mut all = command(program);
    all.args(arguments.split_whitespace());
    from.run(program, all, seconds)
}

/// A STUN server with two addresses, in the namespace outside.
fn stun_server(home: &Home, scratch: &Scratch) -> Process {
    home.outside.ip(&format!("addr add {SERVER_TOO}/24 dev wan0"));
    let mut server = command("turnserver");
    server.args(["-n", "-S", "--no-auth", "--no-cli", "--no-tls", "--no-dtls", "--log-file", "stdout"]);
    server.args(["-L", SERVER, "-L", SERVER_TOO]);
    server.arg("--pidfile").arg(scratch.path().join("pid")).arg("--db").arg(scratch.path().join("db"));
    let mut server = home.outside.start("turnserver", server);
    server.wait_stdout("its last line before it serves", Deadline::seconds(20), |output| {
        String::from_utf8_lossy(output).contains("SQLite DB connection success")
    });
    server
}

/// A router that keeps the source's port for each remote looks like one that has one mapping for all of them, as long as
/// nobody else wants the port.
fn mapping_words(profile: &Profile) -> &'static str {
    let keeps_ports = *profile.ports.allocation == PortAllocation::Preserving && *profile.ports.overloading;
    match *profile.nat.udp.mapping {
        _ if keeps_ports => "NAT with Endpoint Independent Mapping!",
        Mapping::EndpointIndependent => "NAT with Endpoint Independent Mapping!",
        Mapping::AddressDependent => "NAT with Address Dependent Mapping!",
        Mapping::AddressAndPortDependent => "NAT with Address and Port Dependent Mapping!",
    }
}

fn filtering_words(filtering: Filtering) -> &'static str {
    match filtering {
        Filtering::EndpointIndependent => "NAT with Endpoint Independent Filtering!",
        Filtering::AddressDependent => "NAT with Address Dependent Filtering!",
        Filtering::AddressAndPortDependent => "NAT with Address and Port Dependent Filtering!",
    }
}

/// What the discovery says of a router, and what it should say.
fn classify(name: &str) {
    let profile = Profile::named(name).unwrap();
    let udp = &profile.nat.udp;
    let scratch = Scratch::new();
    let home = Home::of(name, SERVER);
    let _server = stun_server(&home, &scratch);
    let discover = |what: &str| run(home.client(), "turnutils_natdiscovery", &format!("{what} {SERVER}"), 30);
    let mapping = discover("-m");
    assert!(mapping.text().contains(mapping_words(&profile)), "{name}: {}", mapping.story());
    let filtering = discover("-f");
    assert!(filtering.text().contains(filtering_words(*udp.filtering)), "{name}: {}", filtering.story());
    // Its request comes from another of the host's sockets, so from an external port that the first has not sent to.
    let comes_back = *udp.hairpinning != Hairpinning::Off && *udp.filtering == Filtering::EndpointIndependent;
    let hairpinning = discover("-H");
    let says = hairpinning.text().contains("maybe a successful hairpinning");
    assert_eq!(says, comes_back, "{name}: {}", hairpinning.story());
}

#[test]
fn a_stun_server_classifies_each_profile_as_it_says() {
    if can(&["turnserver", "turnutils_natdiscovery"]) {
        // Where packets are filtered the discovery waits for them: all at once.
        thread::scope(|scope| {
            let all = CLASSIFIED.map(|name| scope.spawn(move || classify(name)));
            let failed: Vec<_> = all.into_iter().filter_map(|one| one.join().err()).collect();
            if let Some(first) = failed.into_iter().next() {
                std::panic::resume_unwind(first);
            }
        });
    }
}

/// A home whose router is a built-in one with something changed.
fn changed(profile: &str, scratch: &Scratch, change: impl FnOnce(&mut Profile)) -> Home {
    let mut profile = Profile::named(profile).unwrap();
    change(&mut profile);
    let file = scratch.path().join("router.toml");
    std::fs::write(&file, toml::to_string(&profile).unwrap()).unwrap();
    Home::of(file.to_str().unwrap(), SERVER)
}

/// The hops that traceroute found, from the first.
fn hops(home: &Home, way: &str) -> Vec<String> {
    let trace = run(home.client(), "traceroute", &format!("-n -q 1 -w 1 -m 4 {way} {SERVER}"), 30);
    let text = trace.text();
    let hops = text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned));
    hops.collect()
}

#[test]
fn traceroute_sees_the_router_and_what_is_behind_it_as_far_as_errors_come_through() {
    if !can(&["traceroute"]) {
        return;
    }
    let scratch = Scratch::new();
    let home = changed("rfc-4787", &scratch, |_| {});
    for way in ["", "-I", "-T -p 80"] {
        assert_eq!(hops(&home, way), [ROUTER, SERVER], "traceroute {way}");
    }
    // The end answers datagrams with an ICMP error, pings with an answer.
    let home = changed("rfc-4787", &scratch, |profile| profile.icmp.inbound_errors.value = IcmpErrors::Drop);
    assert_eq!(hops(&home, ""), [ROUTER, "*", "*", "*"]);
    assert_eq!(hops(&home, "-I"), [ROUTER, SERVER]);
}

#[test]
fn a_ping_to_the_wan_address_is_answered_where_the_profile_says_so() {
    if can(&["ping"]) {
        for name in ["rfc-4787", "full-cone", "linksys-befsr41-1.39", "linux-netfilter"] {
            let home = Home::of(name, SERVER);
            let ping = run(&home.outside, "ping", &format!("-n -c 2 -i 0.2 -W 1 {WAN}"), 10);
            let expected = *Profile::named(name).unwrap().wan.ping == ToWan::Answer;
            assert_eq!(ping.code() == Some(0), expected, "{name}: {}", ping.story());
        }
    }
}

/// Whether a datagram of so many octets gets to the server, and its answer back.
fn echoes(home: &Home, length: usize) -> bool {
    let payload = content(1, length);
    let server = home.outside.enter(|| UdpSocket::bind((SERVER, 5300))).unwrap();
    let client = home.client().enter(|| UdpSocket::bind("0.0.0.0:0")).unwrap();
    for socket in [&server, &client] {
        socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    }
    client.send_to(&payload, (SERVER, 5300)).unwrap();
    let mut buffer = vec![0; 65536];
    let Ok((count, source)) = server.recv_from(&mut buffer) else { return false };
    assert!(buffer[..count] == payload, "the datagram arrived changed");
    server.send_to(&payload, source).unwrap();
    client.recv_from(&mut buffer).is_ok_and(|(count, _)| buffer[..count] == payload)
}

#[test]
fn large_datagrams_and_pings_pass_in_fragments_as_the_profile_says() {
    if !can(&["ping"]) {
        return;
    }
    let scratch = Scratch::new();
    for (handling, pass) in [
        (FragmentHandling::Follow, true),
        (FragmentHandling::Reassemble, true),
        (FragmentHandling::Drop, false),
    ] {
        let home = changed("rfc-4787", &scratch, |profile| profile.fragments.handling.value = handling);
        assert!(echoes(&home, 1400), "{handling:?}: one packet");
        assert_eq!(echoes(&home, 20_000), pass, "{handling:?}: a datagram");
        let ping = run(home.client(), "ping", &format!("-n -c 1 -W 1 -s 8000 {SERVER}"), 10);
        assert_eq!(ping.code() == Some(0), pass, "{handling:?}: {}", ping.story());
    }
}
