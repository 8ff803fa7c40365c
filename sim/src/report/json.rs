//! A report as one JSON document, a scenario a line: it can be followed while it grows, and `quirknat merge` reads it.

use std::io::{self, Write};

use serde::Deserialize;

use super::{Entry, Header, Report, Summary};

/// Writes the document.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    first: bool,
}

impl<W: Write> Json<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, first: true }
    }
}

impl<W: Write> Report for Json<W> {
    fn begin(&mut self, header: &Header) -> io::Result<()> {
        // The header's members are the document's first, the summary's its last.
        let object = serde_json::to_string(header)?;
        write!(self.out, "{},\"scenarios\":[", object.strip_suffix('}').unwrap_or(&object))?;
        self.out.flush()
    }

    fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        self.out.write_all(if self.first { b"\n" } else { b",\n" })?;
        self.first = false;
        serde_json::to_writer(&mut self.out, entry)?;
        self.out.flush()
    }

    fn end(&mut self, summary: &Summary) -> io::Result<()> {
        let object = serde_json::to_string(summary)?;
        writeln!(self.out, "\n],{}", object.strip_prefix('{').unwrap_or(&object))?;
        self.out.flush()
    }
}

/// The document, read back whole.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Document {
    /// What stands before the scenarios.
    #[serde(flatten)]
    pub header: Header,
    /// The scenarios, in their order.
    pub scenarios: Vec<Entry>,
    /// What stands after them.
    #[serde(flatten)]
    pub summary: Summary,
}
