//! Real programs on a host, each with a folder of its own.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path};

use nix::sys::signal::Signal;
use smoltcp::time::Instant;
use tempfile::TempDir;

use crate::host::{Process, ProgramEnd, ProgramFailure, ProgramPlan};
use crate::lab::{Ending, Namespace, Program, ProgramOutcome, ProgramSpec};

/// All programs of a host.
#[derive(Debug, Default)]
pub(super) struct Processes(BTreeMap<Process, Running>);

#[derive(Debug)]
struct Running {
    // Dropped first: the folder is the program's as long as it runs.
    program: Program,
    _folder: TempDir,
    end: Option<ProgramEnd>,
}

impl Processes {
    pub(super) fn start(
        &mut self,
        process: Process,
        plan: &ProgramPlan,
        place: (&Namespace, &Path),
        now: Instant,
    ) -> Result<(), ProgramFailure> {
        let (namespace, supervisor) = place;
        let folder = make_folder(plan)?;
        let spec = spec(plan, folder.path());
        let program = Program::spawn(namespace, &spec, supervisor, now)?;
        self.0.insert(process, Running { program, _folder: folder, end: None });
        Ok(())
    }

    /// Takes in what they wrote; true: one has ended.
    pub(super) fn poll(&mut self, now: Instant) -> bool {
        let mut ended = false;
        for running in self.0.values_mut().filter(|running| running.end.is_none()) {
            if running.program.poll(now) {
                running.end = running.program.outcome().map(end);
                ended = true;
            }
        }
        ended
    }

    pub(super) fn poll_at(&self) -> Option<Instant> {
        self.0.values().filter_map(|running| running.program.poll_timeout()).min()
    }

    /// What to wait on for reading.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let alive = self.0.values().filter(|running| running.end.is_none());
        alive.flat_map(|running| running.program.descriptors())
    }

    pub(super) fn end_of(&self, process: Process) -> Option<&ProgramEnd> {
        self.0.get(&process)?.end.as_ref()
    }

    /// Kills what still runs of it.
    pub(super) fn remove(&mut self, process: Process) {
        self.0.remove(&process);
    }
}

fn make_folder(plan: &ProgramPlan) -> Result<TempDir, ProgramFailure> {
    // Servers give up their rights and read on.
    let everybody = Permissions::from_mode(0o755);
    let folder = tempfile::Builder::new().prefix("quirknat-").permissions(everybody).tempdir();
    let folder = folder.map_err(ProgramFailure::Folder)?;
    for (name, text) in &plan.files {
        let below = Path::new(name);
        let stays_below = |component| matches!(component, Component::Normal(_) | Component::CurDir);
        if below.file_name().is_none() || !below.components().all(stays_below) {
            return Err(ProgramFailure::FileOutside(name.clone()));
        }
        let file = folder.path().join(below);
        let made = file.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::write(&file, in_folder(text, folder.path())))
            .map_err(|source| ProgramFailure::File { name: name.clone(), source })?;
    }
    Ok(folder)
}

fn spec(plan: &ProgramPlan, folder: &Path) -> ProgramSpec {
    let variable = |(name, value): (&String, &String)| (name.clone(), in_folder(value, folder));
    ProgramSpec {
        argv: plan.command.iter().map(|word| in_folder(word, folder)).collect(),
        environment: plan.environment.iter().map(variable).collect(),
        directory: folder.to_owned(),
        time_limit: plan.time_limit.map(Into::into),
        output_limit: plan.output_limit,
    }
}

fn in_folder(text: &str, folder: &Path) -> String {
    text.replace("{dir}", &folder.to_string_lossy())
}

fn end(outcome: &ProgramOutcome) -> ProgramEnd {
    let status = match &outcome.ending {
        Ending::Exited(status) => Ok(*status),
        Ending::Signalled(number) => Err(match Signal::try_from(*number) {
            Ok(signal) => format!("ended by {signal}"),
            Err(_) => format!("ended by signal {number}"),
        }),
        Ending::RanOutOfTime => Err("killed: its time limit was over".to_owned()),
        Ending::WroteTooMuch => Err("killed: it wrote more than its output limit".to_owned()),
        Ending::NotStarted(error) => Err(format!("not started: {error}")),
        Ending::Lost => Err("lost: its supervisor was killed from outside".to_owned()),
    };
    ProgramEnd { status, stdout: outcome.stdout.clone(), stderr: outcome.stderr.clone() }
}

/// Whether a socket of the calling thread's namespace listens on this TCP port.
pub(super) fn listens(port: u16) -> bool {
    /// TCP_LISTEN of net/tcp_states.h.
    const LISTEN: &str = "0A";
    // `sl local_address rem_address st …`, as in `0: 00000000:0015 00000000:0000 0A …` (Documentation/networking/proc_net_tcp.rst).
    let is_it = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let local = fields.next().and_then(|local| u16::from_str_radix(local.rsplit(':').next()?, 16).ok());
        local == Some(port) && fields.nth(1) == Some(LISTEN)
    };
    // /proc/net would be the main thread's.
    ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"]
        .iter()
        .any(|file| fs::read_to_string(file).is_ok_and(|table| table.lines().any(is_it)))
}
