//! Writes down what a live router does: captures and events, on a thread of their own so that a slow disk holds up
//! packets only when its queue is full.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::thread::JoinHandle;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, Sender, bounded};
use quirknat_router::device::{Direction, Observer};
use quirknat_router::event::{Event, EventKind, Interface};
use smoltcp::time::{Duration, Instant};

use crate::capture::CaptureWriter;

/// Records that wait for the disk at most. Beyond it the router waits too: a capture with holes is worth nothing.
const QUEUE: usize = 4096;

/// Where to write.
#[derive(Debug, Default)]
pub struct RecorderFiles {
    /// The pcapng file.
    pub capture: Option<BufWriter<File>>,
    /// The file of events.
    pub events: Option<BufWriter<File>>,
}

/// Hands records to the writing thread.
#[derive(Debug)]
pub struct Recorder {
    sender: Option<Sender<Record>>,
    writer: Option<JoinHandle<anyhow::Result<()>>>,
    captures: bool,
    writes_events: bool,
    /// LAN ports; the WAN's wire comes after them.
    lan_ports: usize,
    epoch: Duration,
}

enum Record {
    Packet { wire: usize, at: Instant, bytes: Vec<u8>, comment: Option<String> },
    Events(Vec<Event>),
}

impl Recorder {
    /// Begins to write. `wires` are the LAN ports' names and then the WAN's; `epoch` is when the router's time began,
    /// in microseconds since 1970.
    pub fn start(files: RecorderFiles, wires: &[&str], epoch: i64) -> anyhow::Result<Self> {
        let (captures, writes_events) = (files.capture.is_some(), files.events.is_some());
        let mut recorder = Self {
            sender: None,
            writer: None,
            captures,
            writes_events,
            lan_ports: wires.len().saturating_sub(1),
            epoch: Duration::from_micros(u64::try_from(epoch).unwrap_or_default()),
        };
        if captures || writes_events {
            let capture = files
                .capture
                .map(|file| CaptureWriter::new(file, wires))
                .transpose()
                .context("cannot write the capture")?;
            let (sender, receiver) = bounded(QUEUE);
            recorder.sender = Some(sender);
            recorder.writer = Some(std::thread::spawn(move || write(&receiver, capture, files.events)));
        }
        Ok(recorder)
    }

    /// Writes what is left and closes the files; says what could not be written.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.sender = None;
        match self.writer.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => anyhow::bail!("the thread that writes captures and events ended badly"),
            None => Ok(()),
        }
    }

    fn send(&mut self, record: Record) {
        if self.sender.as_ref().is_some_and(|sender| sender.send(record).is_err()) {
            // The writer has ended over an error, which `finish` reports; the router goes on.
            log::error!("captures and events are no longer written");
            self.sender = None;
        }
    }

    fn wire(&self, interface: Interface) -> usize {
        match interface {
            Interface::Lan(port) => usize::from(port),
            Interface::Wan => self.lan_ports,
        }
    }
}

impl Observer for Recorder {
    fn packet(&mut self, at: Instant, wire: Interface, _: Direction, bytes: &[u8], events: &[Event]) {
        let record = Record::Packet {
            wire: self.wire(wire),
            at: at + self.epoch,
            bytes: bytes.to_vec(),
            comment: comment(events),
        };
        self.send(record);
    }

    fn events(&mut self, events: &[Event]) {
        for event in events {
            match event.kind {
                EventKind::TranslationRefreshed { .. } => log::trace!("{}", event.kind),
                _ => log::info!("{}", event.kind),
            }
        }
        if self.writes_events {
            self.send(Record::Events(events.to_vec()));
        }
    }

    fn wants_packets(&self) -> bool {
        self.captures
    }
}

/// What the router did with a packet and why, for the one who reads the capture.
pub fn comment(events: &[Event]) -> Option<String> {
    let mut text = String::new();
    for event in events.iter().filter(|event| !matches!(event.kind, EventKind::TranslationRefreshed { .. })) {
        let separator = if text.is_empty() { "" } else { "\n" };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}{}", event.kind);
    }
    (!text.is_empty()).then_some(text)
}

fn write(
    records: &Receiver<Record>,
    mut capture: Option<CaptureWriter<BufWriter<File>>>,
    mut events: Option<BufWriter<File>>,
) -> anyhow::Result<()> {
    let result = write_records(records, &mut capture, &mut events);
    // Whatever was written stays readable, also after an error.
    let capture_closed = capture.map(CaptureWriter::finish).transpose().context("cannot write the capture");
    let events_closed = events.map(|mut file| file.flush()).transpose().context("cannot write the events");
    result.and(capture_closed.map(drop)).and(events_closed.map(drop))
}

fn write_records(
    records: &Receiver<Record>,
    capture: &mut Option<CaptureWriter<BufWriter<File>>>,
    events: &mut Option<BufWriter<File>>,
) -> anyhow::Result<()> {
    for record in records {
        match record {
            Record::Packet { wire, at, bytes, comment } => {
                if let Some(capture) = capture {
                    capture
                        .write(wire, at, &bytes, comment.as_deref())
                        .context("cannot write the capture")?;
                }
            }
            Record::Events(list) => {
                let Some(file) = events else { continue };
                for event in &list {
                    write_json_line(file, event).context("cannot write the events")?;
                }
            }
        }
        // A user who looks on sees what has happened so far.
        if records.is_empty() {
            if let Some(capture) = capture {
                capture.flush().context("cannot write the capture")?;
            }
            if let Some(file) = events {
                file.flush().context("cannot write the events")?;
            }
        }
    }
    Ok(())
}

/// One value as a line of JSON.
pub fn write_json_line(out: &mut impl Write, value: &impl serde::Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}
