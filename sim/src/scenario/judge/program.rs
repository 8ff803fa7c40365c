//! A real program: its end, what it wrote, and its FTP session on the wires.

use smoltcp::time::Instant;

use super::ftp::{gateway, judge_gateway, judge_wires, views, why};
use super::mask::Mask;
use super::{Findings, fits};
use crate::host::ProgramEnd;
use crate::scenario::language::{Outcome, Step};
use crate::scenario::stage::Stage;
use crate::world::Backend;

/// How much of an output a report shows in place of the one expected: its end.
const SHOWN: usize = 2000;

pub(super) fn judge<B: Backend>(
    stage: &Stage<'_, B>,
    step: &Step,
    since: Instant,
    end: &Result<Option<ProgramEnd>, String>,
    mask: &Mask,
    findings: &mut Findings,
) {
    let Some(run) = step.run.as_ref().map(toml::Spanned::get_ref) else { return };
    let expect = &step.expect;
    let (end, how) = match end {
        Err(why) => {
            // Not even a program that is to fail may do so in this way.
            findings.mismatch("run", "it starts", why);
            return;
        }
        Ok(None) => (None, "it did not end".to_owned()),
        Ok(Some(end)) => match &end.status {
            Ok(status) => (Some(end), status.to_string()),
            Err(how) => (Some(end), how.clone()),
        },
    };
    let status = end.and_then(|end| end.status.as_ref().ok());
    let stderr = text(end.map(|end| end.stderr.as_slice()));
    let outcome = match status {
        Some(0) => (Outcome::Ok, "ok".to_owned()),
        Some(status) => (Outcome::Failed, format!("failed: status {status}; stderr: {stderr}")),
        None => (Outcome::Failed, format!("failed: {how}; stderr: {stderr}")),
    };
    findings.outcome("outcome", expect.outcome, &outcome);
    findings.saw("status", how.clone());
    if let Some(expected) = expect.status.filter(|expected| status != Some(expected)) {
        findings.mismatch("status", &expected.to_string(), &format!("{how}; stderr: {stderr}"));
    }
    let stdout = text(end.map(|end| end.stdout.as_slice()));
    for (what, expected, seen) in [("stdout", &expect.stdout, stdout), ("stderr", &expect.stderr, stderr)] {
        if let Some(expected) = expected.as_deref().filter(|expected| !fits(&format!("*{expected}*"), &seen))
        {
            findings.mismatch(what, expected, &shown(&seen));
        }
    }
    if let Some(server) = &run.server {
        let (on, server) = (run.on.get_ref().as_str(), server.get_ref().as_str());
        let (at_client, at_server) = views(stage, since, None, (on, server));
        judge_wires(expect, &at_client, &at_server, mask, findings);
        let router = stage.host(on).and_then(|host| host.network);
        let ends = at_client.control.as_ref().map(|control| (control.from, control.to));
        judge_gateway(expect, &gateway(stage.world.network(), since, router, ends), findings);
        if outcome.0 == Outcome::Failed {
            findings.because(why(stage, since, (on, server), [(&at_client, &[]), (&at_server, &[])]));
        }
    }
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

fn shown(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let from = (text.len().saturating_sub(SHOWN)..text.len()).find(|at| text.is_char_boundary(*at));
    from.and_then(|from| text.get(from..)).unwrap_or_default().to_owned()
}
