//! `quirknat merge`: one report from those of the parts of a divided run.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::exit::Failure;
use crate::report::{Document, Entry, Format, Header, Outlet, Partition, Progress, Summary, names_width};

/// Which reports to put together, and how to show the whole.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// What `quirknat run --partition K/N --json` printed, for each K, in any order
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One JSON document instead of lines
    #[arg(long)]
    json: bool,
    /// Writes a JUnit XML report too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Prints what the undivided run would have printed. The parts' scenarios are all read before the first is told.
pub fn run(args: &MergeArgs) -> Result<(), Failure> {
    let parts = args.files.iter().map(|path| Part::read(path)).collect::<Result<Vec<_>, _>>()?;
    let (header, entries) = merge(parts)?;
    let width = names_width(entries.iter().map(|entry| entry.name.as_str()));
    let format = if args.json { Format::Json } else { Format::Text { width } };
    let mut outlet = Outlet::begin(format, args.junit.as_deref(), &header, Progress::start(entries.len()));
    let mut summary = Summary::default();
    for entry in &entries {
        summary.count(entry);
    }
    for entry in &entries {
        outlet.entry(entry);
        if !outlet.is_read() {
            break;
        }
    }
    let (_, written) = outlet.end(false);
    written.map_err(Failure::Environment)?;
    summary.verdict()
}

struct Part {
    path: PathBuf,
    document: Document,
    /// A report of an undivided run is its only part.
    partition: Partition,
}

impl Part {
    fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |what: &dyn std::fmt::Display| Failure::usage(format!("{}: {what}", path.display()));
        let file = File::open(path).map_err(|error| wrong(&error))?;
        let document: Document = serde_json::from_reader(BufReader::new(file))
            .map_err(|error| wrong(&format_args!("not a whole report of `quirknat run --json`: {error}")))?;
        let part = Self {
            path: path.to_path_buf(),
            partition: document.header.partition.unwrap_or(Partition { part: 1, of: 1 }),
            document,
        };
        part.check().map_err(|what| wrong(&what))?;
        Ok(part)
    }

    /// Whether it has all of its part's scenarios, and no other.
    fn check(&self) -> Result<(), String> {
        let Partition { part, of } = self.partition;
        if !self.partition.is_valid() {
            return Err(format!("there is no part {part} of {of}"));
        }
        let (total, entries) = (self.document.header.total, &self.document.scenarios);
        let expected = total.saturating_add(of - part) / of;
        if self.document.summary.interrupted {
            let played = entries.len();
            return Err(format!(
                "the run was interrupted after {played} of {expected} scenarios: play this part again"
            ));
        }
        let in_place = (0..)
            .zip(entries)
            .all(|(index, entry)| entry.position == of.saturating_mul(index).saturating_add(part));
        if entries.len() != expected || !in_place {
            return Err(format!("these are not the scenarios of part {part} of {of}, of {total} in all"));
        }
        Ok(())
    }
}

/// The whole, if these are all parts of one run.
fn merge(mut parts: Vec<Part>) -> Result<(Header, Vec<Entry>), Failure> {
    parts.sort_by_key(|part| part.partition.part);
    let Some(first) = parts.first() else { return Err(Failure::usage("no report is given")) };
    let header = Header { partition: None, ..first.document.header.clone() };
    for part in &parts {
        same_run(first, part)?;
    }
    for pair in parts.windows(2) {
        if let [one, other] = pair
            && one.partition == other.partition
        {
            let (one_path, other_path) = (one.path.display(), other.path.display());
            return Err(Failure::usage(format!(
                "part {} is given twice: {one_path} and {other_path}",
                one.partition.part
            )));
        }
    }
    missing(&parts, first.partition.of)?;
    let mut entries: Vec<Entry> = parts.into_iter().flat_map(|part| part.document.scenarios).collect();
    entries.sort_by_key(|entry| entry.position);
    let mut names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    names.sort_unstable();
    if let Some([name, _]) = names.windows(2).find(|pair| pair.first() == pair.last()) {
        return Err(Failure::usage(format!(
            "these reports are of different runs: more than one has the scenario `{name}`"
        )));
    }
    Ok((header, entries))
}

fn same_run(one: &Part, other: &Part) -> Result<(), Failure> {
    let (left, right) = (&one.document.header, &other.document.header);
    let differ = |what: &str, left: &dyn std::fmt::Display, right: &dyn std::fmt::Display| {
        Err(Failure::usage(format!(
            "these reports are of different runs: {what} is {left} in {} and {right} in {}",
            one.path.display(),
            other.path.display()
        )))
    };
    if left.seed != right.seed {
        return differ("the seed", &left.seed, &right.seed);
    }
    if left.backend != right.backend {
        return differ("the backend", &left.backend, &right.backend);
    }
    if left.total != right.total {
        return differ("the number of scenarios", &left.total, &right.total);
    }
    if one.partition.of != other.partition.of {
        return differ("the number of parts", &one.partition.of, &other.partition.of);
    }
    Ok(())
}

/// How many missing parts are named.
const NAMED: usize = 10;

fn missing(parts: &[Part], of: usize) -> Result<(), Failure> {
    let lacking = of.saturating_sub(parts.len());
    if lacking == 0 {
        return Ok(());
    }
    let has = |number: &usize| parts.binary_search_by_key(number, |part| part.partition.part).is_ok();
    let mut names: Vec<String> =
        (1..=of).filter(|number| !has(number)).take(NAMED).map(|number| number.to_string()).collect();
    if let more @ 1.. = lacking - names.len() {
        names.push(format!("{more} more"));
    }
    Err(Failure::usage(format!("of {of} parts, these are missing: {}", names.join(", "))))
}
