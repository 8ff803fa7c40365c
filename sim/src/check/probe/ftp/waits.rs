//! How long an announced port waits, and whether the control connection outlives a long transfer (RFC 6384 §12).

use quirknat_router::packet::TcpFlags;
use smoltcp::time::Duration;

use crate::check::executor::{Bench, End};
use crate::check::report::Verdict;
use crate::ftp::format_host_port;

use super::super::connection::Connection;
use super::super::lifetime::{lifetime, needs, no_step, text};
use super::control::Control;
use super::{Announced, announce, dial};
use crate::check::findings::Findings;

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

/// A control connection that is idle while its transfer runs.
struct Transfer {
    control: Control,
    data: Connection,
}

impl Transfer {
    /// The client has announced a port, and the server dialled it.
    async fn active(bench: &Bench) -> Result<Self, String> {
        let (control, external, data) = match announce(bench, 0).await {
            Announced::Rewritten { control, external, data, .. } => (control, external, data),
            Announced::Otherwise(why) => return Err(why),
        };
        let data = Connection::open_from_outside(bench, control.server_at(20), external, data).await;
        Ok(Self { control, data: data.ok_or("no data connection got in")? })
    }

    /// The server has, and the client dialled it.
    async fn passive(bench: &Bench) -> Result<Self, String> {
        const LOST: &str = "no passive transfer could begin";
        let mut control = Control::open(bench, 0, 2).await.ok_or(LOST)?;
        let server = control.server_at(50_000);
        control.say("PASV\r\n").await.ok_or(LOST)?;
        let reply = format!("227 Entering Passive Mode ({})\r\n", format_host_port(server.at));
        control.reply(&reply).await.ok_or(LOST)?;
        let data = Connection::open(bench, bench.inside(0, 3), server).await;
        Ok(Self { control, data: data.ok_or(LOST)? })
    }

    async fn both(bench: &Bench) -> Result<[Self; 2], String> {
        Ok([Self::active(bench).await?, Self::passive(bench).await?])
    }
}

/// Transfers that run while their control connections are idle.
pub(in crate::check::probe) async fn control_outlives(bench: Bench) -> Findings {
    const ID: &str = "6384-12-control";
    let mut found = Findings::default();
    let [mut active, mut passive] = match Transfer::both(&bench).await {
        Ok(both) => both,
        Err(why) => {
            found.say(ID, Verdict::NotApplicable, why);
            return found;
        }
    };
    let lasts = TRANSFER.min(bench.limits().longest);
    for _ in 0..lasts / EVERY {
        bench.sleep(Duration::from_secs(EVERY.into())).await;
        for transfer in [&mut active, &mut passive] {
            if transfer.data.outbound(TcpFlags::ACK, b"data").await.is_none() {
                found.say(ID, Verdict::NotApplicable, "a transfer does not last that long");
                return found;
            }
        }
    }
    let mut pass = [false; 2];
    for (passes, transfer) in pass.iter_mut().zip([&mut active, &mut passive]) {
        *passes = transfer.control.say("NOOP\r\n").await.is_some();
    }
    let lasted = text(lasts / EVERY * EVERY);
    let [in_active, in_passive] = pass.map(|passes| if passes { "passed" } else { "did not pass" });
    let evidence = format!(
        "after a transfer of {lasted} a command {in_active} in active mode, and {in_passive} in passive mode"
    );
    if pass == [true; 2] && lasts < TRANSFER {
        found.say(ID, Verdict::NotMeasured, format!("{evidence}; {}", needs(TRANSFER)));
    } else {
        found.judge(ID, pass == [true; 2], evidence);
    }
    found
}
