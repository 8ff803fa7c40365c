//! How long an announced port waits, and whether the control connection outlives a long transfer (RFC 6384 §12).

use quirknat_router::packet::TcpFlags;
use smoltcp::time::Duration;

use crate::check::executor::{Bench, End};
use crate::check::report::Verdict;

use super::super::Findings;
use super::super::connection::Connection;
use super::super::lifetime::{lifetime, needs, no_step, text};
use super::control::Control;
use super::{Announced, announce, dial};

/// RFC 6384 §12.
const LEAST_WAIT: u32 = 30;
/// Longer than an established connection may be idle (RFC 5382 REQ-5).
const TRANSFER: u32 = 7500;
/// A transfer's segments come often enough.
const EVERY: u32 = 20;

struct Waiting {
    control: Control,
    external: std::net::SocketAddrV4,
    data: End,
}

/// An announced port that nobody dials for a while.
pub(in crate::check::probe) async fn forward_waits(bench: Bench) -> Findings {
    const ID: &str = "6384-12-forward";
    let mut found = Findings::default();
    if let Announced::Otherwise(why) = announce(&bench, 490).await {
        found.say(ID, Verdict::NotApplicable, why);
        return found;
    }
    let open = async |number: u16| match announce(&bench, 2 * number).await {
        Announced::Rewritten { control, external, data, .. } => Some(Waiting { control, external, data }),
        Announced::Otherwise(_) => None,
    };
    let is_alive = async |waiting: &mut Waiting| {
        dial(&bench, waiting.control.server_at(20), waiting.external, waiting.data).await
    };
    let lives = lifetime(&bench, open, no_step(), is_alive).await;
    let (verdict, told) = lives.judge(LEAST_WAIT);
    found.say(ID, verdict, told);
    found.lives("alg.ftp.forward-lifetime", lives);
    found
}

/// A transfer that runs while the control connection is idle.
pub(in crate::check::probe) async fn control_outlives(bench: Bench) -> Findings {
    const ID: &str = "6384-12-control";
    let mut found = Findings::default();
    let (mut control, external, data) = match announce(&bench, 0).await {
        Announced::Rewritten { control, external, data, .. } => (control, external, data),
        Announced::Otherwise(why) => {
            found.say(ID, Verdict::NotApplicable, why);
            return found;
        }
    };
    let Some(mut transfer) =
        Connection::open_from_outside(&bench, control.server_at(20), external, data).await
    else {
        found.say(ID, Verdict::NotApplicable, "no data connection got in");
        return found;
    };
    let lasts = TRANSFER.min(bench.limits().longest);
    for _ in 0..lasts / EVERY {
        bench.sleep(Duration::from_secs(EVERY.into())).await;
        if transfer.outbound(TcpFlags::ACK, b"data").await.is_none() {
            found.say(ID, Verdict::NotApplicable, "a transfer does not last that long");
            return found;
        }
    }
    let passes = control.say("NOOP\r\n").await.is_some();
    let lasted = text(lasts / EVERY * EVERY);
    let evidence =
        format!("after a transfer of {lasted} a command {}", if passes { "passed" } else { "did not pass" });
    if passes && lasts < TRANSFER {
        found.say(ID, Verdict::NotMeasured, format!("{evidence}; {}", needs(TRANSFER)));
    } else {
        found.judge(ID, passes, evidence);
    }
    found
}
