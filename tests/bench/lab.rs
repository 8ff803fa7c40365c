//! How long a two-host lab takes to come up and to go down, beside the bare kernel work of it: two namespaces with a
//! TUN device each, made and closed.
//!
//! `cargo bench -p quirknat --bench lab` as root; `-- --quick` for a short round.
#![expect(clippy::disallowed_methods, clippy::print_stderr, reason = "a benchmark reads the clock")]

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use quirknat_sim::lab::{Nowhere, close_devices, open_host};
use smoltcp::wire::Ipv4Cidr;

const SCENARIO: &str = "port-21-rewritten";

fn main() -> ExitCode {
    let rounds = if std::env::args().any(|argument| argument == "--quick") { 3 } else { 40 };
    let runtime = std::env::temp_dir().join(format!("quirknat-bench-{}", std::process::id()));
    if let Err(error) = std::fs::create_dir(&runtime) {
        eprintln!("cannot make {}: {error}", runtime.display());
        return ExitCode::FAILURE;
    }
    let measured = measure(&runtime, rounds);
    let _ = std::fs::remove_dir_all(&runtime);
    match measured {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(runtime: &Path, rounds: usize) -> Result<String, String> {
    let nowhere = Nowhere::enter().map_err(|error| error.to_string())?;
    let (mut up, mut down, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        // In alternation, so that both meet the same machine.
        bare.push(bare_round(&nowhere)?);
        up.push(lab(runtime, &["up", SCENARIO])?);
        down.push(lab(runtime, &["down"])?);
    }
    let whole: Vec<Duration> = up.iter().zip(&down).map(|(up, down)| *up + *down).collect();
    let ratio = median(&whole).as_secs_f64() / median(&bare).as_secs_f64();
    Ok(format!(
        "lab of two hosts, medians of {rounds} rounds: up {:.1?}, down {:.1?}, both {:.1?} (slowest {:.1?}); \
         bare namespaces and devices {:.1?}; ratio {ratio:.2}",
        median(&up),
        median(&down),
        median(&whole),
        whole.iter().max().copied().unwrap_or_default(),
        median(&bare),
    ))
}

fn bare_round(nowhere: &Nowhere) -> Result<Duration, String> {
    let begin = Instant::now();
    let mut devices = Vec::new();
    for address in ["192.168.1.100", "198.51.100.9"] {
        let address = address.parse().map_err(|error| format!("{error}"))?;
        let (_, device) = open_host(nowhere, "eth0", Ipv4Cidr::new(address, 24), 1500)
            .map_err(|error| error.to_string())?;
        devices.push(device);
    }
    close_devices(devices);
    Ok(begin.elapsed())
}

fn lab(runtime: &Path, words: &[&str]) -> Result<Duration, String> {
    let begin = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_quirknat"))
        .arg("lab")
        .args(words)
        .env("XDG_RUNTIME_DIR", runtime)
        .stdout(Stdio::null())
        .status()
        .map_err(|error| error.to_string())?;
    if status.success() { Ok(begin.elapsed()) } else { Err(format!("lab {words:?} ended with {status}")) }
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
