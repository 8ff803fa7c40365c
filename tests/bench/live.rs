//! What the live router costs: TCP, small datagrams and connections from a client's namespace to a server's, through
//! `quirknat router` and through a bare copy loop between two TUN devices, in alternation. Absolute figures drift from
//! hour to hour and from machine to machine; the ratio is what counts.
//!
//!     cargo bench -p quirknat --bench live              # about two minutes
//!     cargo bench -p quirknat --bench live -- --quick   # one short round
//!
//! Needs root: all of it happens in namespaces of its own.

#[expect(dead_code, unreachable_pub, reason = "a lab for several programs, each of which uses its part")]
#[path = "../support/mod.rs"]
mod support;

mod bare_loop;
mod traffic;

use std::time::Duration;

use support::home::{Home, ROUTER, WAN, start_router};
use support::namespace::Namespace;
use support::process::command;
use support::requirement::{LAB, met};
use support::scratch::Scratch;
use support::session::PUBLIC_SERVER;
use traffic::Direction;

const BEFSRX1: &str = include_str!("../../router/profiles/linksys-befsr41-1.39.toml");
const ROUNDS: usize = 40;
const SLICE: Duration = Duration::from_millis(400);
const BARE_LOOP: &str = "--bare-copy-loop";

#[derive(Clone, Copy)]
enum Path {
    Bare,
    Router,
}

const QUANTITIES: [&str; 4] =
    ["TCP up, Gbit/s", "TCP down, Gbit/s", "UDP 64 B, 1000 packets/s", "TCP connections, 1000/s"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, lan, wan] = &arguments[..]
        && first == BARE_LOOP
    {
        return bare_loop::run([lan, wan]);
    }
    if !met(&LAB) {
        return;
    }
    // Without `--bench` this is `cargo test --benches`, which only wants to know that it runs.
    let quick = arguments.iter().any(|argument| argument == "--quick")
        || !arguments.iter().any(|argument| argument == "--bench");
    let rounds = if quick { 1 } else { ROUNDS };
    let scratch = Scratch::new();
    let homes = [Path::Bare, Path::Router].map(|path| lay(path, &scratch));
    let figures: Vec<[[f64; 2]; 4]> = (0..rounds).map(|round| measure(&homes, round)).collect();
    print(&figures);
}

/// Each quantity through both paths, one right after the other: other load on the machine then spoils a round, not
/// the comparison.
fn measure(homes: &[Home; 2], round: usize) -> [[f64; 2]; 4] {
    let quantities: [fn(&Home) -> f64; 4] = [
        |home| traffic::tcp_throughput(home, Direction::Up, SLICE),
        |home| traffic::tcp_throughput(home, Direction::Down, SLICE),
        |home| traffic::datagrams(home, SLICE),
        traffic::connections,
    ];
    quantities.map(|quantity| {
        // Whoever comes second finds the machine warmer: take turns.
        let mut pair = [0.0; 2];
        let order = if round.is_multiple_of(2) { [0, 1] } else { [1, 0] };
        for path in order {
            pair[path] = quantity(&homes[path]);
        }
        pair
    })
}

fn lay(path: Path, scratch: &Scratch) -> Home {
    let place = Namespace::new("path");
    let process = match path {
        Path::Router => {
            let (lan, wan) = (format!("lan0={ROUTER}/24"), format!("wan0={WAN}/24"));
            // With room for all connections of all rounds: closed ones stay in the table for minutes.
            let text = BEFSRX1.replace("translations = { value = 2048", "translations = { value = 100000");
            assert_ne!(text, BEFSRX1, "the table's size is a line of the profile");
            let profile = scratch.write("profile.toml", text);
            let profile = profile.to_str().expect("a path of ASCII");
            start_router(&place, &["--profile", profile, "--lan", &lan, "--wan", &wan])
        }
        Path::Bare => {
            let myself = std::env::current_exe().expect("a running program has a file");
            let mut bare = command("env");
            bare.arg(myself).args([BARE_LOOP, "lan0", "wan0"]);
            place.start("bare copy loop", bare)
        }
    };
    Home::around(place, process, 1, PUBLIC_SERVER)
}

fn print(figures: &[[[f64; 2]; 4]]) {
    println!(
        "{:<26} {:>10} {:>10} {:>8}   half of the rounds",
        format!("median of {}", figures.len()),
        "bare loop",
        "router",
        "ratio"
    );
    for (number, name) in QUANTITIES.iter().enumerate() {
        let column =
            |figure: fn([f64; 2]) -> f64| sorted(figures.iter().map(|round| figure(round[number])).collect());
        let (bare, router) = (column(|pair| pair[0]), column(|pair| pair[1]));
        let ratios = column(|[bare, router]| router / bare);
        println!(
            "{name:<26} {:>10.2} {:>10.2} {:>8.2}   {:.2} to {:.2}",
            quantile(&bare, 2),
            quantile(&router, 2),
            quantile(&ratios, 2),
            quantile(&ratios, 1),
            quantile(&ratios, 3)
        );
    }
}

fn sorted(mut figures: Vec<f64>) -> Vec<f64> {
    figures.sort_by(f64::total_cmp);
    figures
}

fn quantile(sorted: &[f64], quarter: usize) -> f64 {
    sorted[(sorted.len() - 1) * quarter / 4]
}
