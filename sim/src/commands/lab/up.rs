//! `quirknat lab up`: checks the scenario, starts the process that holds the lab, and waits until it stands.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::Args;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::hold::{self, HoldArgs, READY};
use super::list;
use super::recording::RecordingArgs;
use crate::commands::{print, read_scenario};
use crate::exit::Failure;
use crate::lab::control::{self, Status};
use crate::lab::registry::Registry;

/// Milliseconds that a lab may take to stand; real servers on it are waited for.
const PATIENCE: u16 = 60_000;

/// What to bring up.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// A scenario file, the name of a built-in one, or of a cell of the matrix; its steps are not played
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// Which cell of a scenario file with a matrix, as in `sweep[port=21]`
    #[arg(long, value_name = "NAME")]
    cell: Option<String>,
    /// What to call the lab; as the scenario if not given
    #[arg(long)]
    name: Option<String>,
    /// Seeds all that is random
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Stays in the foreground until SIGINT, SIGTERM or `lab down`; RUST_LOG=info shows the routers' decisions
    #[arg(long)]
    foreground: bool,
    #[command(flatten)]
    recording: RecordingArgs,
}

/// Brings it up.
pub(super) fn run(args: &UpArgs) -> Result<(), Failure> {
    let (default_name, _) = read_scenario(&args.scenario, args.cell.as_deref())?;
    let name = args.name.clone().unwrap_or_else(|| default_name.replace(['[', ']', '=', ','], "-"));
    let registry = Registry::open()?;
    let socket = registry.reserve(&name)?;
    let hold = HoldArgs {
        name,
        scenario: args.scenario.clone(),
        cell: args.cell.clone(),
        seed: args.seed,
        detached: !args.foreground,
        recording: args.recording.clone(),
    };
    if args.foreground {
        return hold::run(&hold);
    }
    start(&hold, &registry.log(&hold.name))?;
    let status = control::status(&socket)?;
    print(&list::describe(&status))?;
    print(&format!("quirknat lab exec {} -- COMMAND runs a command on a host\n", first_host(&status)))
}

fn first_host(status: &Status) -> &str {
    status.hosts.first().map_or("HOST", |host| host.name.as_str())
}

/// Starts the holding process, and waits until it says that the lab stands. What it says otherwise is told as the
/// reason why it does not.
fn start(hold: &HoldArgs, log: &Path) -> Result<(), Failure> {
    let cannot_start = |error: std::io::Error| {
        Failure::environment(format!("cannot start the process that holds the lab: {error}"))
    };
    let log_file = File::options().read(true).write(true).create(true).truncate(true).open(log);
    let mut log_file = log_file.map_err(cannot_start)?;
    let mut command = Command::new("/proc/self/exe");
    command.args(["lab", "hold", "--detached", "--seed", &hold.seed.to_string(), "--name", &hold.name]);
    command.args(hold.cell.iter().map(|cell| format!("--cell={cell}")));
    for (option, path) in [("--pcap", &hold.recording.pcap), ("--events", &hold.recording.events)] {
        // Two words would be a problem for names that begin with `-`.
        command.args(path.iter().map(|path| joined(option, path)));
    }
    let mut child = command
        .arg("--")
        .arg(&hold.scenario)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log_file.try_clone().map_err(cannot_start)?)
        .spawn()
        .map_err(cannot_start)?;
    if says_ready(&mut child) {
        return Ok(());
    }
    let _ = child.kill();
    let status = child.wait().map_err(cannot_start)?;
    let mut said = String::new();
    let _ = log_file.seek(SeekFrom::Start(0)).and_then(|_| log_file.read_to_string(&mut said));
    let _ = std::fs::remove_file(log);
    let said = said.trim().strip_prefix("error: ").unwrap_or(said.trim()).to_owned();
    let said = if said.is_empty() { "the lab does not stand after a minute".to_owned() } else { said };
    Err(if status.code() == Some(2) { Failure::usage(said) } else { Failure::environment(said) })
}

fn joined(option: &str, path: &Path) -> OsString {
    let mut word = OsString::from(option);
    word.push("=");
    word.push(path);
    word
}

fn says_ready(child: &mut Child) -> bool {
    let Some(mut stdout) = child.stdout.take() else { return false };
    let mut said: Vec<u8> = Vec::new();
    let mut buffer = [0; 64];
    while said.len() < READY.len() {
        let mut waiting = [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)];
        match poll(&mut waiting, PollTimeout::from(PATIENCE)) {
            Ok(1..) => {}
            Err(Errno::EINTR) => continue,
            _ => return false,
        }
        match stdout.read(&mut buffer) {
            Ok(0) | Err(_) => return false,
            Ok(count) => said.extend(buffer.iter().take(count)),
        }
    }
    said == READY.as_bytes()
}
