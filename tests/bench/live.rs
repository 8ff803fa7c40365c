//! What the live router costs: TCP, small datagrams and connections from a client's namespace to a server's, through
//! `quirknat router` and through a bare copy loop between two TUN devices, in alternation. Absolute figures drift from
//! hour to hour and from machine to machine; the ratio is what counts.
//!
//!     cargo bench -p quirknat --bench live              # five rounds
//!     cargo bench -p quirknat --bench live -- --quick   # one short round
//!
//! Needs root: all of it happens in namespaces of its own.

#[expect(dead_code, unreachable_pub, reason = "a lab for several programs, each of which uses its part")]
#[path = "../support/mod.rs"]
mod support;

mod bare_loop;
mod traffic;

use std::time::Duration;

use support::home::{Home, PROFILE, ROUTER, WAN, start_router};
use support::namespace::Namespace;
use support::process::command;
use support::requirement::{LAB, met};
use support::session::PUBLIC_SERVER;
use traffic::Direction;

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
    let (rounds, time) = if quick { (1, Duration::from_millis(500)) } else { (5, Duration::from_secs(3)) };

    let mut figures = [(); 2].map(|()| QUANTITIES.map(|_| Vec::new()));
    for round in 0..rounds {
        // Whoever comes second finds the machine warmer: take turns.
        let order = if round % 2 == 0 { [Path::Bare, Path::Router] } else { [Path::Router, Path::Bare] };
        for path in order {
            for (all, figure) in figures[path as usize].iter_mut().zip(measure(path, time)) {
                all.push(figure);
            }
        }
    }
    print(&figures, rounds);
}

/// All quantities through one path, in namespaces made for it.
fn measure(path: Path, time: Duration) -> [f64; 4] {
    let home = lay(path);
    let short = time.min(Duration::from_secs(1));
    [
        traffic::tcp_throughput(&home, Direction::Up, time),
        traffic::tcp_throughput(&home, Direction::Down, time),
        traffic::datagrams(&home, short),
        traffic::connections(&home),
    ]
}

fn lay(path: Path) -> Home {
    let place = Namespace::new("path");
    let process = match path {
        Path::Router => {
            let (lan, wan) = (format!("lan0={ROUTER}/24"), format!("wan0={WAN}/24"));
            start_router(&place, &["--profile", PROFILE, "--lan", &lan, "--wan", &wan])
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

fn print(figures: &[[Vec<f64>; 4]; 2], rounds: usize) {
    println!(
        "{:<26} {:>10} {:>10} {:>8}   from round to round",
        format!("median of {rounds}"),
        "bare loop",
        "router",
        "ratio"
    );
    let mut drifts = false;
    for (number, name) in QUANTITIES.iter().enumerate() {
        let [bare, router] = figures.each_ref().map(|path| median(&path[number]));
        let pairs = figures[Path::Bare as usize][number].iter().zip(&figures[Path::Router as usize][number]);
        let mut ratios: Vec<f64> = pairs.map(|(bare, router)| router / bare).collect();
        ratios.sort_by(f64::total_cmp);
        let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
        println!("{name:<26} {bare:>10.2} {router:>10.2} {:>8.2}   {least:.2} to {most:.2}", router / bare);
        drifts |= most > 2.0 * least;
    }
    if drifts {
        println!(
            "the ratios differ more than twofold from round to round: the machine is busy, measure again"
        );
    }
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
