//! What a scenario leaves behind in a folder of its own.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;

use crate::capture::CaptureWriter;
use crate::net::Network;
use crate::record::write_json_line;
use crate::scenario::Verdict;
use crate::scenario::language::BackendName;

/// Writes the verdict, and the capture and events of each network: where there is more than one, in a folder each.
pub(super) fn write(
    folder: &Path,
    verdict: &Verdict,
    networks: &[(BackendName, Network)],
) -> anyhow::Result<()> {
    let folder = folder.join(&verdict.name);
    make(&folder)?;
    for (backend, network) in networks {
        if networks.len() > 1 {
            let folder = folder.join(backend.name());
            make(&folder)?;
            write_network(&folder, network)?;
        } else {
            write_network(&folder, network)?;
        }
    }
    in_file(&folder.join("verdict.json"), |mut file| {
        serde_json::to_writer_pretty(&mut file, verdict)?;
        Ok(file.flush()?)
    })
}

fn make(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot write to {}", folder.display()))
}

fn write_network(folder: &Path, network: &Network) -> anyhow::Result<()> {
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
    })
}

fn in_file(path: &Path, write: impl FnOnce(BufWriter<File>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let file = File::create(path).map(BufWriter::new).map_err(anyhow::Error::new);
    file.and_then(write).with_context(|| format!("cannot write to {}", path.display()))
}
