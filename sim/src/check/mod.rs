//! What a NAT is held against: the requirements of RFC 4787, 5382, 5508 and 7857 and of FTP, each measured by packets alone.
//!
//! Probes are written once, against a [`Subject`]: packets in on one side, packets out on the other, and time. The subject
//! is a profile's router on a virtual clock ([`ProfileRouter`]), or whatever stands between two interfaces ([`Outside`]).
//! Nobody asks the subject what it is; what it says of itself is not heard.

mod catalogue;
mod executor;
mod findings;
mod outside;
mod packets;
mod probe;
mod profile_router;
mod report;
mod site;
mod subject;
#[cfg(test)]
mod tests;

pub use catalogue::{REQUIREMENTS, Requirement};
pub use outside::{NotReady, Outside};
pub use profile_router::ProfileRouter;
pub use report::{Behaviour, Finding, Report, Verdict};
pub use site::{Limits, Site, SiteError};
pub use subject::{Side, Subject, SubjectError};

use executor::Executor;
use findings::Findings;
use probe::PROBES;

/// Measures `subject`, which stands at `site`, as far as `limits` go; only requirements whose name has `filter` in it.
pub fn measure(
    subject: &mut dyn Subject,
    site: &Site,
    limits: Limits,
    filter: &str,
) -> Result<Report, SubjectError> {
    let mut findings = Findings::default();
    // All wait at the same time. What fills the router's table comes when nothing else needs it.
    for last in [false, true] {
        let mut executor = Executor::new(subject);
        for (place, probe) in (0..).zip(PROBES) {
            if probe.fills_the_table() == last && probe.serves(filter) {
                let bench = executor.bench(place, site, limits);
                executor.spawn(probe.run(bench));
            }
        }
        for found in executor.run()? {
            findings.absorb(found);
        }
    }
    Ok(Report::new(findings, filter))
}
