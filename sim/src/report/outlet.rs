//! Where the reports of a run go: one to stdout, and if wanted one to a file. What becomes of one does not touch the
//! other.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anstream::{AutoStream, ColorChoice};
use anyhow::anyhow;

use super::{Entry, Header, Json, Junit, Progress, Report, Summary, Text};

/// The shape of the report on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines, with a column of this width for the names.
    Text {
        /// In characters.
        width: usize,
    },
    /// A JSON document.
    Json,
}

/// Writes the reports, and remembers what could not be written.
pub struct Outlet {
    sinks: Sinks,
    stdout_is_terminal: bool,
    progress: Progress,
    summary: Summary,
}

struct Sinks {
    stdout: Box<dyn Report>,
    /// The reader of stdout went away, or it cannot be written to.
    stdout_ended: bool,
    file: Option<(Junit<BufWriter<File>>, PathBuf)>,
    /// The first thing that could not be written.
    failed: Option<anyhow::Error>,
}

impl Outlet {
    /// Begins the reports. A file that cannot be written is told at the end: no result is lost over it.
    pub fn begin(format: Format, junit: Option<&Path>, header: &Header, progress: Progress) -> Self {
        let stdout = io::stdout();
        let stdout_is_terminal = stdout.is_terminal();
        let coloured = AutoStream::choice(&stdout) != ColorChoice::Never;
        let stdout: Box<dyn Report> = match format {
            Format::Text { width } => Box::new(Text::new(BufWriter::new(stdout), width, coloured)),
            Format::Json => Box::new(Json::new(BufWriter::new(stdout))),
        };
        let mut sinks = Sinks { stdout, stdout_ended: false, file: None, failed: None };
        if let Some(path) = junit {
            match File::create(path) {
                Ok(file) => sinks.file = Some((Junit::new(BufWriter::new(file)), path.to_path_buf())),
                Err(error) => sinks.fail(cannot_write(path, error)),
            }
        }
        sinks.write(|report| report.begin(header));
        Self { sinks, stdout_is_terminal, progress, summary: Summary::default() }
    }

    /// Tells what came of a scenario.
    pub fn entry(&mut self, entry: &Entry) {
        self.summary.count(entry);
        let on_terminal = self.stdout_is_terminal;
        let (summary, sinks) = (self.summary, &mut self.sinks);
        self.progress.aside(on_terminal, &summary, || sinks.write(|report| report.entry(entry)));
    }

    /// Remembers what could not be written elsewhere; the first one is told at the end.
    pub fn fail(&mut self, error: anyhow::Error) {
        self.sinks.fail(error);
    }

    /// Draws the progress line.
    pub fn tick(&mut self, now: Instant) {
        self.progress.show(now, &self.summary);
    }

    /// The progress line, for its clock.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Whether somebody reads on.
    pub fn is_read(&self) -> bool {
        !self.sinks.stdout_ended || self.sinks.file.is_some()
    }

    /// Completes the reports; gives the counts, and the first thing that could not be written.
    pub fn end(mut self, interrupted: bool) -> (Summary, anyhow::Result<()>) {
        self.summary.interrupted = interrupted;
        self.progress.clear();
        let summary = self.summary;
        self.sinks.write(|report| report.end(&summary));
        (summary, self.sinks.failed.map_or(Ok(()), Err))
    }
}

impl Sinks {
    fn fail(&mut self, error: anyhow::Error) {
        self.failed.get_or_insert(error);
    }

    fn write(&mut self, write: impl Fn(&mut dyn Report) -> io::Result<()>) {
        if !self.stdout_ended
            && let Err(error) = write(self.stdout.as_mut())
        {
            self.stdout_ended = true;
            // A reader that went away ends the report quietly, as in any pipe.
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.fail(anyhow!("cannot write to stdout: {error}"));
            }
        }
        if let Some((report, path)) = &mut self.file
            && let Err(error) = write(report)
        {
            let error = cannot_write(path, error);
            self.file = None;
            self.fail(error);
        }
    }
}

fn cannot_write(path: &Path, error: io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("cannot write to {}", path.display()))
}
