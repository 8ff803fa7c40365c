//! What a scenario leaves behind in a folder of its own.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;

use crate::capture::CaptureWriter;
use crate::record::write_json_line;
use crate::scenario::Played;

/// Writes the capture, the events and the verdict.
pub(super) fn write(folder: &Path, played: &Played) -> anyhow::Result<()> {
    let folder = folder.join(&played.verdict.name);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot write to {}", folder.display()))?;
    let network = &played.network;
    in_file(&folder.join("capture.pcapng"), |file| {
        let wires = network.wires();
        let mut capture = CaptureWriter::new(file, &wires)?;
        for crossing in network.record() {
            let comment = network.comment(crossing);
            capture.write(crossing.wire, crossing.at, &crossing.bytes, comment.as_deref())?;
        }
        capture.finish()?;
        Ok(())
    })?;
    in_file(&folder.join("events.jsonl"), |mut file| {
        for event in network.events() {
            write_json_line(&mut file, event)?;
        }
        Ok(file.flush()?)
    })?;
    in_file(&folder.join("verdict.json"), |mut file| {
        serde_json::to_writer_pretty(&mut file, &played.verdict)?;
        Ok(file.flush()?)
    })
}

fn in_file(path: &Path, write: impl FnOnce(BufWriter<File>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let file = File::create(path).map(BufWriter::new).map_err(anyhow::Error::new);
    file.and_then(write).with_context(|| format!("cannot write to {}", path.display()))
}
