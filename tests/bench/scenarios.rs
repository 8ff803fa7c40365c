//! What a simulated world costs: plays of a scenario a second, and the time that ten megabytes take from host to host.
//! Each figure stands beside something measured in the same run, since absolute ones are a machine's.
//!
//!     cargo bench -p quirknat --bench scenarios
//!     cargo bench -p quirknat --bench scenarios -- --quick   # a short round

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use quirknat_router::config::Config;
use quirknat_router::event::Detail;
use quirknat_router::profile::Profile;
use quirknat_sim::ftp::{ClientPlan, DataMode, Files, ServerConfig, Transfer, TransferOutcome};
use quirknat_sim::net::{InternetSpec, Place, WireSpec};
use quirknat_sim::scenario::{Scenario, play};
use quirknat_sim::world::{Simulated, World, public};
use smoltcp::time::{Duration as Virtual, Instant as VirtualInstant};
use smoltcp::wire::Ipv4Cidr;

/// Login, PORT and a listing; then the same with a file of 10 kB.
const SCENARIO: &str = r#"
title = "two sessions"

[network.home]
lan = "192.168.1.1/24"
router = { profile = "linksys-befsr41-1.39", wan = "203.0.113.7" }

[host.pc]
on = "home"
address = "192.168.1.100"

[host.server]
on = "internet"
address = "198.51.100.9"
ftp-server = { files = { "file.bin" = 10000 } }

[[step]]
ftp = { client = "pc", server = "server", mode = "port" }
expect = { control = "ok", data = "ok", gateway = "rewritten" }

[[step]]
ftp = { client = "pc", server = "server", mode = "port", get = "file.bin" }
expect = { control = "ok", data = "ok", gateway = "rewritten" }
"#;
const FILE: usize = 10_000_000;
const THREADS: u32 = 2;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Without `--bench` this is `cargo test --benches`, which only wants to know that it runs.
    let quick = arguments.iter().any(|argument| argument == "--quick")
        || !arguments.iter().any(|argument| argument == "--bench");
    let (plays, rounds) = if quick { (20, 1) } else { (2000, 15) };
    let copy = median(rounds, copied_and_summed);
    let bare = median(rounds, || transferred(false));
    let world = median(rounds, || transferred(true));
    let ratio = |one: Duration, other: Duration| one.as_secs_f64() / other.as_secs_f64();
    println!("10 MB copied and summed once         {:8.2} ms", millis(copy));
    println!(
        "10 MB from host to host              {:8.2} ms, {:.1} times that",
        millis(bare),
        ratio(bare, copy)
    );
    println!(
        "10 MB by router and internet, kept   {:8.2} ms, {:.1} times that",
        millis(world),
        ratio(world, copy)
    );
    let scenario = Scenario::from_toml("bench.toml", SCENARIO).expect("the scenario is sound");
    let took = played(&scenario, plays);
    let each = took / (plays * THREADS);
    println!(
        "plays a second on {THREADS} threads          {:8.0}, {:.1} of them as 10 MB copied",
        1.0 / each.as_secs_f64(),
        ratio(copy, each)
    );
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(rounds: usize, mut measure: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..rounds).map(|_| measure()).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

/// The least that a network can do with bytes: one copy, one checksum.
fn copied_and_summed() -> Duration {
    let bytes = vec![0x5a_u8; FILE];
    timed(|| {
        let packets = black_box(&bytes).chunks(1460).map(<[u8]>::to_vec);
        packets.fold(0_u64, |sum, packet| sum + u64::from(smoltcp::wire::checksum::data(black_box(&packet))))
    })
}

/// A file fetched from another host: on one network without router, internet and record; or behind a router, from the
/// internet, with all that crossed kept.
fn transferred(through_router: bool) -> Duration {
    let mut world = World::new(Simulated, InternetSpec::default(), 1);
    let wire = WireSpec::default();
    let (client, server) = (Ipv4Addr::new(192, 168, 1, 100), Ipv4Addr::new(198, 51, 100, 9));
    let (place, cidr) = if through_router {
        let lan = Ipv4Cidr::new(Ipv4Addr::new(192, 168, 1, 1), 24);
        let mut config = Config::new(vec![lan], Ipv4Cidr::new(Ipv4Addr::new(203, 0, 113, 7), 32));
        config.detail = Detail::Packets;
        let profile = Profile::resolve("linksys-befsr41-1.39").expect("a built-in profile");
        let network = world.network_mut();
        let home = network.add_router("home", profile, config, Place::Internet, &wire);
        (Place::Behind(home.expect("a sound configuration")), Ipv4Cidr::new(client, 24))
    } else {
        world.network_mut().forget();
        (Place::Internet, public(client))
    };
    let Ok(pc) = world.add_host("pc", cidr, place, &wire);
    let Ok(there) = world.add_host("server", public(server), Place::Internet, &wire);
    let files: Files = [("file.bin", vec![0x5a; FILE])].into_iter().collect();
    let host = world.host(there).expect("it was placed");
    assert!(host.serve(21, ServerConfig::default(), files));
    let plan = ClientPlan {
        data_mode: DataMode::Pasv,
        transfers: vec![Transfer::Get { name: "file.bin".to_owned() }],
        ..ClientPlan::default()
    };
    let host = world.host(pc).expect("it was placed");
    let session = host.connect(VirtualInstant::ZERO, plan, None, SocketAddrV4::new(server, 21));
    let deadline = VirtualInstant::ZERO + Virtual::from_secs(600);
    let took = timed(|| world.run(deadline, |world| world.is_finished((pc, session))));
    let client = world.host(pc).and_then(|host| host.client(session)).expect("it has ended");
    let transfers = client.outcome().map(|outcome| outcome.transfers.as_slice());
    assert!(
        matches!(transfers, Some([TransferOutcome::Received(bytes)]) if bytes.len() == FILE),
        "all of it arrives"
    );
    took
}

fn played(scenario: &Scenario, plays: u32) -> Duration {
    timed(|| {
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || {
                    for number in 0..plays {
                        let played = play("bench", scenario, u64::from(thread * plays + number));
                        assert!(played.verdict.as_expected, "{:?}", played.verdict);
                    }
                });
            }
        });
    })
}
