//! Captures and events of a lab, written while it is up, on a thread of their own.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::UNIX_EPOCH;

use clap::Args;
use crossbeam_channel::{Receiver, Sender, bounded};
use smoltcp::time::{Duration, Instant};

use crate::capture::CaptureWriter;
use crate::exit::Failure;
use crate::lab::Lab;
use crate::net::{Crossing, NetworkEvent, TakenLog};
use crate::record::write_json_line;
use crate::world::World;

/// What is handed to the disk at a time, in packets that cross wires, and how long it may wait for more.
const MOST_AT_A_TIME: u64 = 1000;
const LONGEST_WAIT: Duration = Duration::from_millis(100);
/// How much of that waits for the disk at most; then the lab waits too, for so long.
const QUEUE: usize = 16;
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// What to write.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct RecordingArgs {
    /// Writes what crosses each wire to a pcapng file, with what became of it, while the lab is up
    #[arg(long, value_name = "FILE")]
    pub(super) pcap: Option<PathBuf>,
    /// Writes every event to a file, a JSON object a line, while the lab is up
    #[arg(long, value_name = "FILE")]
    pub(super) events: Option<PathBuf>,
}

impl RecordingArgs {
    /// Makes the files.
    pub(super) fn create(&self) -> Result<Files, Failure> {
        let create = |path: &Option<PathBuf>| match path {
            Some(path) => Output::create(path)
                .map(Some)
                .map_err(|error| Failure::environment(format!("cannot write {}: {error}", path.display()))),
            None => Ok(None),
        };
        Ok(Files { capture: create(&self.pcap)?, events: create(&self.events)? })
    }
}

/// A file that is written.
struct Output {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Output {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: BufWriter::new(File::create(path)?) })
    }
}

/// The files.
pub(super) struct Files {
    capture: Option<Output>,
    events: Option<Output>,
}

/// Hands a lab's log to the writing thread.
pub(super) struct Recording {
    /// None once nothing can be written any more.
    sender: Option<Sender<TakenLog>>,
    writer: JoinHandle<()>,
    /// Packets that had crossed when the log was taken last.
    taken: u64,
}

impl Recording {
    /// Begins to write; `None` where nothing is to be written.
    pub(super) fn start(files: Files, world: &World<Lab>) -> Result<Option<Self>, Failure> {
        if files.capture.is_none() && files.events.is_none() {
            return Ok(None);
        }
        let capture = files.capture.map(|Output { path, file }| {
            let began = CaptureWriter::new(file, &world.network().wires());
            let capture = began
                .map_err(|error| Failure::environment(format!("cannot write {}: {error}", path.display())))?;
            Ok::<_, Failure>((path, capture))
        });
        // A lab's time begins at zero; captures want the day.
        let day = UNIX_EPOCH.elapsed().unwrap_or_default().as_micros();
        let day = Instant::from_micros(i64::try_from(day).unwrap_or_default());
        let mut writer = Writer {
            capture: capture.transpose()?,
            events: files.events,
            epoch: day - (world.now() - Instant::ZERO),
        };
        let (sender, receiver) = bounded(QUEUE);
        let write = move || writer.write_all(&receiver);
        let writer = std::thread::Builder::new().name("recorder".to_owned()).spawn(write);
        let writer = writer.map_err(Failure::environment)?;
        Ok(Some(Self { sender: Some(sender), writer, taken: 0 }))
    }

    /// Lets time pass until `deadline`, or until `done` says so, and writes what happens.
    pub(super) fn run(&mut self, world: &mut World<Lab>, deadline: Instant, done: impl Fn() -> bool) {
        let crossings = |world: &World<Lab>| world.network().crossings();
        if crossings(world) == self.taken {
            let taken = self.taken;
            world.run(deadline, |world| done() || crossings(world) != taken);
        }
        if crossings(world) != self.taken && !done() {
            let (full, soon) = (self.taken + MOST_AT_A_TIME, world.now() + LONGEST_WAIT);
            world.run(soon.min(deadline), |world| done() || crossings(world) >= full);
        }
        self.taken = crossings(world);
        self.send(world.network_mut().take_log());
    }

    /// Writes what is left, and closes the files.
    pub(super) fn finish(mut self, world: &mut World<Lab>) {
        let mut rest = world.network_mut().take_log();
        let network = world.network();
        // Of those under way it is known that they left.
        rest.packets
            .extend(network.record().iter().map(|crossing| (crossing.clone(), network.comment(crossing))));
        self.send(rest);
        self.sender = None;
        if self.writer.join().is_err() {
            log::error!("the thread that writes captures and events ended badly");
        }
    }

    fn send(&mut self, log: TakenLog) {
        for event in &log.events {
            log::info!("{event}");
        }
        if log.packets.is_empty() && log.events.is_empty() {
            return;
        }
        if self.sender.as_ref().is_some_and(|sender| sender.send_timeout(log, PATIENCE).is_err()) {
            log::error!("captures and events are no longer written; the lab goes on without them");
            self.sender = None;
        }
    }
}

/// Writes to the files; one that cannot be written any more is told of and left.
struct Writer {
    capture: Option<(PathBuf, CaptureWriter<BufWriter<File>>)>,
    events: Option<Output>,
    /// When the lab's time began.
    epoch: Instant,
}

impl Writer {
    fn write_all(&mut self, logs: &Receiver<TakenLog>) {
        for log in logs {
            // A user who looks on sees what has happened so far.
            let all = logs.is_empty();
            if let Some((path, capture)) = &mut self.capture
                && let Err(error) = write_packets(capture, &log.packets, self.epoch, all)
            {
                tell(path, &error);
                self.capture = None;
            }
            if let Some(Output { path, file }) = &mut self.events
                && let Err(error) = write_events(file, &log.events, all)
            {
                tell(path, &error);
                self.events = None;
            }
        }
    }
}

fn tell(path: &Path, error: &io::Error) {
    log::error!("cannot write to {}: {error}; the lab goes on without it", path.display());
}

fn write_packets(
    capture: &mut CaptureWriter<BufWriter<File>>,
    packets: &[(Crossing, Option<String>)],
    epoch: Instant,
    all: bool,
) -> io::Result<()> {
    for (crossing, comment) in packets {
        let at = epoch + (crossing.at - Instant::ZERO);
        capture.write(crossing.wire, at, &crossing.bytes, comment.as_deref())?;
    }
    if all { capture.flush() } else { Ok(()) }
}

fn write_events(file: &mut BufWriter<File>, events: &[NetworkEvent], all: bool) -> io::Result<()> {
    for event in events {
        write_json_line(file, event)?;
    }
    if all { file.flush() } else { Ok(()) }
}
