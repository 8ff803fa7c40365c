//! `quirknat router` with the kernel as its judge: pings, fragments, the switch, signals, and what it says when it
//! cannot start. What its FTP rewriting does is seen in `real_programs.rs`.

#[expect(dead_code, unreachable_pub, reason = "a lab for several test programs, each of which uses its part")]
mod support;

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use nix::sys::signal::Signal;
use support::deadline::Deadline;
use support::home::{Home, PROFILE, ROUTER, WAN, lan_address, start_router};
use support::namespace::Namespace;
use support::process::{Finished, command};
use support::requirement::{LAB, Requirement, met};
use support::scratch::Scratch;

const SERVER: &str = "198.51.100.9";

fn can_ping() -> bool {
    met(&LAB) && met(&[Requirement::Program("ping")])
}

fn ping(from: &Namespace, arguments: &str) -> Finished {
    let mut ping = command("ping");
    ping.args(["-n", "-c", "3", "-i", "0.2", "-W", "2"]).args(arguments.split(' '));
    from.run("ping", ping, 20)
}

#[track_caller]
fn answered(ping: &Finished) {
    assert!(ping.text().contains(" 3 received, 0% packet loss"), "{}", ping.story());
}

#[track_caller]
fn unanswered(ping: &Finished) {
    assert!(ping.text().contains(" 0 received"), "{}", ping.story());
}

/// One datagram and its answer, which tells where the datagram came from.
fn echo(client: &Namespace, server: &Namespace, to: &str, payload: &[u8]) -> Option<SocketAddr> {
    let patience = Some(Duration::from_secs(2));
    let listener = server.enter(|| UdpSocket::bind("0.0.0.0:5300")).expect("the port is free there");
    let sender = client.enter(|| UdpSocket::bind("0.0.0.0:0")).expect("a port is free there");
    listener.set_read_timeout(patience).expect("a timeout can be set");
    sender.set_read_timeout(patience).expect("a timeout can be set");

    let mut buffer = vec![0; 65536];
    sender.send_to(payload, (to, 5300)).expect("the client has a route");
    let (length, source) = listener.recv_from(&mut buffer).ok()?;
    assert!(buffer[..length] == *payload, "the datagram arrived changed");
    listener.send_to(&buffer[..length], source).expect("the server has a route");
    let (length, answerer) = sender.recv_from(&mut buffer).ok()?;
    assert!(buffer[..length] == *payload, "the answer arrived changed");
    assert_eq!(answerer, SocketAddr::new(to.parse().expect("an address"), 5300));
    Some(source)
}

#[test]
fn the_router_answers_pings_on_its_lan_address() {
    if can_ping() {
        let home = Home::start(1, SERVER, &[]);
        answered(&ping(home.client(), ROUTER));
    }
}

#[test]
fn pings_from_the_wan_are_dropped_whichever_address_they_go_to() {
    if can_ping() {
        let home = Home::start(1, SERVER, &[]);
        unanswered(&ping(&home.outside, WAN));
        unanswered(&ping(&home.outside, ROUTER));
        unanswered(&ping(&home.outside, &lan_address(0)));
    }
}

#[test]
fn hosts_on_two_ports_of_the_switch_reach_each_other() {
    if can_ping() {
        let home = Home::start(2, SERVER, &[]);
        answered(&ping(&home.inside[0], &lan_address(1)));
        answered(&ping(&home.inside[1], &lan_address(0)));
        let source = echo(&home.inside[1], &home.inside[0], &lan_address(0), b"hello, neighbour");
        assert_eq!(source.map(|source| source.ip().to_string()), Some(lan_address(1)), "untranslated");
    }
}

#[test]
fn pings_go_through_the_router_from_every_lan_port() {
    if can_ping() {
        let home = Home::start(2, SERVER, &[]);
        for host in &home.inside {
            answered(&ping(host, SERVER));
        }
    }
}

#[test]
fn a_datagram_leaves_with_the_wan_address_and_its_answer_comes_back() {
    if met(&LAB) {
        let home = Home::start(1, SERVER, &[]);
        let source = echo(home.client(), &home.outside, SERVER, b"hello, world");
        assert_eq!(source.map(|source| source.ip().to_string()).as_deref(), Some(WAN));
    }
}

#[test]
fn a_datagram_from_the_wan_reaches_only_a_forwarded_port() {
    if met(&LAB) {
        let home = Home::start(1, SERVER, &[]);
        assert_eq!(echo(&home.outside, home.client(), WAN, b"knock"), None, "no forward, no way in");
        drop(home);

        let forward = format!("udp/5300={}", lan_address(0));
        let home = Home::start(1, SERVER, &["--forward", &forward]);
        let source = echo(&home.outside, home.client(), WAN, b"knock");
        assert_eq!(source.map(|source| source.ip().to_string()).as_deref(), Some(SERVER));
    }
}

#[test]
fn a_dmz_host_gets_what_nobody_asked_for() {
    if met(&LAB) {
        let home = Home::start(1, SERVER, &["--dmz", &lan_address(0)]);
        let source = echo(&home.outside, home.client(), WAN, b"knock");
        assert_eq!(source.map(|source| source.ip().to_string()).as_deref(), Some(SERVER));
    }
}

#[test]
fn the_first_hop_reports_a_time_to_live_that_ends_at_it() {
    if can_ping() {
        let home = Home::start(1, SERVER, &[]);
        let first_hop = ping(home.client(), &format!("-t 1 {SERVER}"));
        unanswered(&first_hop);
        let told = format!("From {ROUTER} icmp_seq=1 Time to live exceeded");
        assert!(first_hop.text().contains(&told), "{}", first_hop.story());
        answered(&ping(home.client(), &format!("-t 2 {SERVER}")));
    }
}

#[test]
fn large_pings_and_datagrams_pass_in_fragments() {
    if can_ping() {
        let home = Home::start(1, SERVER, &[]);
        answered(&ping(home.client(), &format!("-s 4000 {SERVER}")));
        let payload = support::scratch::content(1, 9000);
        let source = echo(home.client(), &home.outside, SERVER, &payload);
        assert_eq!(source.map(|source| source.ip().to_string()).as_deref(), Some(WAN));
    }
}

#[test]
fn the_router_answers_a_large_ping_on_its_lan_address() {
    if can_ping() {
        let home = Home::start(1, SERVER, &[]);
        answered(&ping(home.client(), &format!("-s 4000 {ROUTER}")));
    }
}

#[test]
fn sigterm_and_sigint_end_it_with_its_counters_and_leave_nothing_behind() {
    if !can_ping() {
        return;
    }
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut home = Home::start(1, SERVER, &[]);
        answered(&ping(home.client(), SERVER));
        let ended = home.stop_router(signal);
        assert_eq!(ended.code(), Some(0), "{signal}: {}", ended.story());
        let counters = ended.text();
        let counters = counters.strip_prefix("ready\n").expect("the first line is still there");
        assert!(counters.contains(|digit: char| digit.is_ascii_digit()), "{signal}: {}", ended.story());
        assert!(!home.client().has_device("lan0"), "lan0 outlives the router");
        assert!(!home.outside.has_device("wan0"), "wan0 outlives the router");
    }
}

/// The router's UPnP-IGD service, asked by MiniUPnP's client.
#[test]
fn upnpc_has_a_port_opened_and_closed_again() {
    if !met(&LAB) || !met(&[Requirement::Program("upnpc")]) {
        return;
    }
    // Not a documentation's address: upnpc takes a router that has one for one without a connection.
    let (wan, guest) = ("45.0.0.7", "45.0.0.9");
    let scratch = Scratch::new();
    let profile = include_str!("../router/profiles/port-restricted-cone.toml")
        .replace("\nupnp-igd = { value = false", "\nupnp-igd = { value = true")
        .replace("\nupnp-igd-forwards = { value = 0", "\nupnp-igd-forwards = { value = 8");
    let profile = scratch.write("with-upnp.toml", profile).display().to_string();
    let place = Namespace::new("router");
    let wan_port = format!("wan0={wan}/24");
    let arguments = ["--profile", &profile, "--lan", "lan0=192.168.1.1/24", "--wan", &wan_port];
    let router = start_router(&place, &arguments);
    let home = Home::around(place, router, 1, guest);
    let upnpc = |arguments: &str| {
        let mut upnpc = command("upnpc");
        upnpc.args(arguments.split(' '));
        let finished = home.client().run("upnpc", upnpc, 20);
        assert_eq!(finished.code(), Some(0), "upnpc {arguments}: {}", finished.story());
        finished.text()
    };
    let listener = home.client().enter(|| TcpListener::bind("0.0.0.0:5300")).expect("the port is free there");
    let door = SocketAddr::new(wan.parse().expect("an address"), 8080);
    let knock = || home.outside.enter(|| TcpStream::connect_timeout(&door, Duration::from_secs(1)));

    assert!(knock().is_err(), "nobody has asked yet");
    let status = upnpc("-s");
    for told in [
        "desc: http://192.168.1.1:5000/description.xml",
        "Status : Connected",
        "ExternalIPAddress = 45.0.0.7",
    ] {
        assert!(status.contains(told), "{told}: {status}");
    }
    let there = "-u http://192.168.1.1:5000/description.xml";
    let added = upnpc(&format!("{there} -a {} 5300 8080 TCP 600", lan_address(0)));
    assert!(
        added.contains("external 45.0.0.7:8080 TCP is redirected to internal 192.168.1.100:5300"),
        "{added}"
    );
    let list = upnpc(&format!("{there} -l"));
    assert!(list.contains("TCP  8080->192.168.1.100:5300"), "{list}");
    let guest_end = knock().expect("the port is open");
    let (_, from) = listener.accept().expect("who is let in can be accepted");
    assert_eq!(Some(from), guest_end.local_addr().ok(), "with the guest's own address");
    upnpc(&format!("{there} -d 8080 TCP"));
    assert!(knock().is_err(), "it is closed");
}

#[test]
fn a_lab_removes_its_namespaces_with_everything_in_them() {
    if met(&LAB) {
        let home = Home::start(2, SERVER, &[]);
        let mut paths: Vec<_> = home.inside.iter().map(Namespace::path).collect();
        paths.extend([home.outside.path(), home.place().path()]);
        assert!(paths.iter().all(|path| path.exists()));
        drop(home);
        assert!(paths.iter().all(|path| !path.exists()), "{paths:?}");
    }
}

/// Starts a router that must not come up; hands over the status, and what it said on stderr.
#[track_caller]
fn refused(place: &Namespace, lan: &str, wan: &str) -> (Option<i32>, String) {
    let refused = start_router(place, &["--profile", PROFILE, "--lan", lan, "--wan", wan])
        .finish(Deadline::seconds(10));
    assert!(refused.stdout.is_empty(), "--lan {lan} --wan {wan}: {}", refused.story());
    (refused.code(), refused.stderr)
}

#[test]
fn a_taken_interface_name_is_told_in_one_line_with_status_3() {
    if met(&LAB) {
        let place = Namespace::new("router");
        let running = ["--profile", PROFILE, "--lan", "lan0=192.168.1.1/24", "--wan", "wan0=203.0.113.7/24"];
        let mut running = start_router(&place, &running);
        running.wait_stdout("line \"ready\"", Deadline::seconds(10), |output| output.starts_with(b"ready\n"));

        let rows = [
            ("lan0=192.168.2.1/24", "wan1=203.0.113.8/24", "lan0"),
            ("lan1=192.168.2.1/24", "wan0=203.0.113.8/24", "wan0"),
            ("lo=192.168.2.1/24", "wan1=203.0.113.8/24", "lo"),
        ];
        for (lan, wan, named) in rows {
            let (status, said) = refused(&place, lan, wan);
            assert_eq!(status, Some(3), "--lan {lan} --wan {wan}: {said}");
            assert!(said.lines().count() == 1 && said.contains(named), "names {named} in one line: {said}");
            assert!(!place.has_device("lan1") && !place.has_device("wan1"), "leaves a device behind");
        }
        assert!(place.has_device("lan0") && place.has_device("wan0"), "the running router keeps its devices");
    }
}

#[test]
fn wrong_addresses_and_names_are_told_with_status_2() {
    if met(&LAB) {
        let place = Namespace::new("router");
        let (inside, outside) = ("lan0=192.168.1.1/24", "wan0=203.0.113.7/24");
        // LAN, WAN, what the message must name.
        let rows = [
            (inside, "wan0=192.168.1.77/16", "192.168."),
            ("lan0=192.168.1.300/24", outside, "192.168.1.300"),
            ("lan0=192.168.1.1/33", outside, "33"),
            ("lan0", outside, "lan0"),
            ("sixteen-letters-=192.168.1.1/24", outside, "sixteen-letters-"),
            (inside, "lan0=203.0.113.7/24", "lan0"),
        ];
        for (lan, wan, named) in rows {
            let (status, said) = refused(&place, lan, wan);
            assert_eq!(status, Some(2), "--lan {lan} --wan {wan}: {said}");
            assert!(said.lines().next().is_some_and(|line| line.contains(named)), "names {named}: {said}");
            assert!(!place.has_device("lan0") && !place.has_device("wan0"), "leaves a device behind");
        }
    }
}
