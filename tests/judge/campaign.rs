//! The kernel as judge in a long run of generated conversations, and what differed.
//!
//!     cargo run --release --example kernel_judge -- --conversations 10000 --seed 1
//!
//! `--profile FILE` judges another profile, `--first N` begins with conversation N, and of differences, the
//! first of each kind is shrunk and printed as packets, up to `--differences N` (3) of them; all are counted. Needs root, `ip` and `nft`; all of it happens in a
//! namespace of its own. The exit status is 1 where something differs, 3 where the machine lacks something.

#[expect(dead_code, unreachable_pub, reason = "a harness for several programs, each of which uses its part")]
#[path = "mod.rs"]
mod judge;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use judge::cases::{self, Case};
use judge::generate::generate;
use judge::shrink::shrink;
use judge::{Exchange, Judge, tell};

struct Wanted {
    conversations: u64,
    seed: u64,
    first: u64,
    without_port: Option<u16>,
    cases: bool,
    differences: usize,
    profile: String,
}

fn main() -> ExitCode {
    let wanted = match wanted() {
        Ok(wanted) => wanted,
        Err(why) => {
            println!("{why}");
            return ExitCode::from(2);
        }
    };
    match run(&wanted) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(why) => {
            println!("{why}");
            ExitCode::from(3)
        }
    }
}

fn wanted() -> Result<Wanted, String> {
    let mut wanted = Wanted {
        conversations: 10_000,
        seed: 1,
        first: 0,
        without_port: None,
        cases: false,
        differences: 3,
        profile: judge::PROFILE.to_owned(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{argument} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|error| format!("{argument} {value}: {error}"));
        match argument.as_str() {
            "--conversations" => wanted.conversations = number()?,
            "--seed" => wanted.seed = number()?,
            "--cases" => wanted.cases = value == "yes",
            "--without-port" => wanted.without_port = Some(u16::try_from(number()?).unwrap_or_default()),
            "--first" => wanted.first = number()?,
            "--differences" => wanted.differences = usize::try_from(number()?).unwrap_or(usize::MAX),
            "--profile" => wanted.profile = value,
            _ => {
                return Err(format!(
                    "{argument}: there is --conversations, --seed, --first, --differences, --profile"
                ));
            }
        }
    }
    Ok(wanted)
}

/// The cases of the test in place of generated conversations.
fn written_cases(judge: &mut Judge) -> usize {
    let mut differing = 0;
    for Case { number, name, conversation } in cases::all() {
        if let Some(exchanges) = judge.difference(&conversation) {
            differing += 1;
            println!("{number} {name}\n{}", tell::story(&exchanges));
        }
    }
    differing
}

/// How many conversations differed.
#[expect(clippy::disallowed_methods, reason = "how fast it was is told to a person")]
fn run(wanted: &Wanted) -> Result<usize, String> {
    let mut judge = Judge::open(&wanted.profile)?;
    if wanted.cases {
        return Ok(written_cases(&mut judge));
    }
    let begun = Instant::now();
    let (mut played, mut packets) = (0, 0);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for number in wanted.first..wanted.first.saturating_add(wanted.conversations) {
        let conversation = generate(wanted.seed, number);
        if wanted.without_port.is_some_and(|port| conversation.has_port(port)) {
            continue;
        }
        played += 1;
        let exchanges = judge.play(&conversation);
        packets += exchanges.len();
        if !exchanges.last().is_some_and(Exchange::differs) {
            continue;
        }
        let kind = tell::kind(&exchanges);
        let known = kinds.len();
        let count = kinds.entry(kind.clone()).or_default();
        *count += 1;
        if *count == 1 && known < wanted.differences {
            println!("\nconversation {number} of seed {} differs; the smallest that does so:", wanted.seed);
            let smallest = shrink(&mut judge, conversation, &kind);
            println!("{}", tell::story(&judge.difference(&smallest).unwrap_or(exchanges)));
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    for (kind, count) in &kinds {
        println!("{count:6} {kind}");
    }
    println!("what the router did: {}", judge.tally());
    let differing = kinds.values().sum();
    println!(
        "seed {}: {played} conversations, {packets} packets, {differing} differ in {} ways; {seconds:.1} s",
        wanted.seed,
        kinds.len()
    );
    Ok(differing)
}
