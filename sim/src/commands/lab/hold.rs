//! The process that holds a lab: the lab stands as long as this runs.

use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::{Path, PathBuf};

use clap::Args;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::setsid;
use quirknat_router::Translation;
use quirknat_router::diagnostic::help_with_choices;
use smoltcp::time::Instant;

use super::recording::{Recording, RecordingArgs};
use crate::commands::{print, read_scenario};
use crate::exit::Failure;
use crate::lab::control::{Answer, HostStatus, NetworkStatus, Request, Status, TranslationStatus, Way};
use crate::lab::keeper::{Keeper, Turn};
use crate::lab::registry::{Registry, RegistryError};
use crate::lab::{self, Lab};
use crate::scenario::Stage;
use crate::scenario::language::NetworkSpec;

/// Said on stdout once the lab stands.
pub(super) const READY: &str = "ready\n";

/// What to hold.
#[derive(Debug, Clone, Args)]
pub struct HoldArgs {
    /// What the lab is called
    #[arg(long)]
    pub(super) name: String,
    /// The scenario
    pub(super) scenario: PathBuf,
    /// The cell of a file with a matrix
    #[arg(long)]
    pub(super) cell: Option<String>,
    /// Seeds all that is random
    #[arg(long, default_value_t = 0)]
    pub(super) seed: u64,
    /// Leaves the terminal that it was started from
    #[arg(long)]
    pub(super) detached: bool,
    #[command(flatten)]
    pub(super) recording: RecordingArgs,
}

/// Holds it until somebody wants it to end.
pub(super) fn run(args: &HoldArgs) -> Result<(), Failure> {
    let (_, scenario) = read_scenario(&args.scenario, args.cell.as_deref())?;
    // Where a user's own folder is has to be known before this process is root in a namespace of its own.
    let registry = Registry::open()?;
    let socket = registry.reserve(&args.name)?;
    if args.detached {
        // The terminal's end is not the lab's. It fails for the leader of a group, which a child just started is not.
        let _ = setsid();
    }
    lab::enter().map_err(Failure::environment)?;
    if args.detached {
        // Until it stands it is wanted by the one who waits for it. What changes a process's rights undoes this.
        set_pdeathsig(Signal::SIGTERM).map_err(Failure::environment)?;
    }
    let files = args.recording.create()?;
    let lab = Lab::enter().map_err(Failure::environment)?;
    let mut stage = Stage::build(lab, &scenario, args.seed).map_err(Failure::environment)?;
    let mut recording = Recording::start(files, &stage.world)?;
    if recording.is_none() {
        // It may stand for days.
        stage.world.network_mut().forget();
    }
    stage.start_programs().map_err(Failure::environment)?;
    let mut keeper = Keeper::listen(&socket).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => RegistryError::Taken(args.name.clone()).into(),
        _ => cannot_listen(&socket, &error),
    })?;
    let ready = keeper.as_fd().try_clone_to_owned().map_err(|error| cannot_listen(&socket, &error))?;
    stage.world.backend().wake_on(ready);
    say_ready(args.detached)?;
    let served = serve(&mut stage, &mut keeper, &args.name, &mut recording);
    let sent_away = keeper.send_away();
    if let Some(recording) = recording {
        recording.finish(&mut stage.world);
    }
    drop(stage);
    served.and(sent_away).map_err(Failure::environment)?;
    if args.detached {
        // What it said matters where it ended badly.
        let _ = std::fs::remove_file(registry.log(&args.name));
    }
    keeper.leave();
    Ok(())
}

fn cannot_listen(socket: &Path, error: &io::Error) -> Failure {
    Failure::environment(format!("cannot listen at {}: {error}", socket.display()))
}

/// Without its reader, whoever wanted a lab in the background was interrupted: there is to be none.
fn say_ready(detached: bool) -> Result<(), Failure> {
    if !detached {
        return print(READY);
    }
    // Before, since the one who waits ends at once.
    set_pdeathsig(None).map_err(Failure::environment)?;
    let mut stdout = io::stdout().lock();
    stdout.write_all(READY.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::environment)
}

fn serve(
    stage: &mut Stage<'_, Lab>,
    keeper: &mut Keeper,
    name: &str,
    recording: &mut Option<Recording>,
) -> io::Result<()> {
    /// Farther than any clock goes.
    const NEVER: Instant = Instant::from_micros_const(i64::MAX / 2);
    loop {
        match recording {
            Some(recording) => recording.run(&mut stage.world, NEVER, || keeper.is_ready()),
            None => stage.world.run(NEVER, |_| keeper.is_ready()),
        }
        stage.world.forget_finished();
        stage.world.backend().take_wake();
        if keeper.turn(|request| answer(stage, name, request))? == Turn::Ends {
            return Ok(());
        }
    }
}

fn answer(stage: &mut Stage<'_, Lab>, name: &str, request: &Request) -> Answer {
    match request {
        Request::Status => Answer::Status(Box::new(status(stage, name))),
        Request::Down => Answer::Done,
        Request::Enter { host } => way(stage, host).map_or_else(
            || {
                let hosts: Vec<&str> = stage.scenario.host.keys().map(String::as_str).collect();
                let help = help_with_choices(host, "hosts there are:", &hosts);
                Answer::Refused { why: format!("no host `{host}` in the lab {name}; {help}") }
            },
            Answer::Way,
        ),
    }
}

fn way(stage: &mut Stage<'_, Lab>, host: &str) -> Option<Way> {
    let id = stage.host(host)?.id;
    let namespace = stage.world.host(id)?.stack.namespace();
    let process = std::process::id();
    Some(Way {
        user: PathBuf::from(format!("/proc/{process}/ns/user")),
        network: PathBuf::from(format!("/proc/{process}/fd/{}", namespace.as_fd().as_raw_fd())),
    })
}

fn status(stage: &Stage<'_, Lab>, name: &str) -> Status {
    let scenario = stage.scenario;
    let hosts = scenario.host.iter().map(|(host, spec)| HostStatus {
        name: host.clone(),
        address: *spec.address.get_ref(),
        on: spec.on.get_ref().clone(),
        ftp_servers: spec.ftp_server.iter().map(|server| server.port).collect(),
        programs: spec.program.iter().map(|program| program.command.get_ref().join(" ")).collect(),
    });
    let networks = scenario.network.iter().map(|(network, spec)| network_status(stage, network, spec));
    Status {
        name: name.to_owned(),
        title: scenario.title.clone(),
        process: std::process::id(),
        seconds: stage.world.now().secs().unsigned_abs(),
        networks: networks.collect(),
        hosts: hosts.collect(),
    }
}

fn network_status(stage: &Stage<'_, Lab>, name: &str, spec: &NetworkSpec) -> NetworkStatus {
    let now = stage.world.now();
    let row = |translation: Translation| TranslationStatus {
        translation: translation.to_string(),
        expires_in_seconds: (translation.expires.max(now) - now).secs(),
    };
    let router = stage.router(name).and_then(|id| stage.world.network().router(id));
    NetworkStatus {
        name: name.to_owned(),
        profile: spec.router.profile.get_ref().clone(),
        lan: spec.lan.get_ref().clone(),
        wan: stage.wan_of(name).unwrap_or(Ipv4Addr::UNSPECIFIED),
        on: spec.router.on.as_ref().map_or("internet", |on| on.get_ref().as_str()).to_owned(),
        forwards: spec.router.forward.iter().map(|forward| forward.get_ref().clone()).collect(),
        dmz: spec.router.dmz.as_ref().map(|host| *host.get_ref()),
        translations: router
            .map(|router| router.translations().into_iter().map(row).collect())
            .unwrap_or_default(),
    }
}
