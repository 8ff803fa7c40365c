//! What a sender hears that gets no translation (RFC 5508 REQ-8, RFC 6888 REQ-11).

use crate::check::executor::{Bench, End};
use crate::check::packets::What;
use crate::check::report::Verdict;
use crate::check::subject::Side;

use super::endpoints::{Kind, knock};
use crate::check::findings::Findings;

const ID: &str = "5508-8";
const PEER: u16 = 3478;
/// ICMP destination unreachable: communication administratively prohibited, and host unreachable.
const TOLD: [What; 2] = [What::Error { kind: 3, code: 13 }, What::Error { kind: 3, code: 1 }];
const FIRST_PORT: u16 = 1024;

/// One host sends from as many ports as it takes, and then to the next remote.
pub(super) async fn exhaustion(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let most = bench.limits().flows;
    let mut first = None;
    for number in 0..most {
        let ports = u32::from(u16::MAX - FIRST_PORT) + 1;
        let port = FIRST_PORT + u16::try_from(number % ports).unwrap_or_default();
        let (host, remote) = (bench.inside_at(0, port), bench.remote(number / ports, PEER));
        bench.send(Side::Lan, Kind::Udp.first(host.at, remote.at));
        let ours = bench.site().wan();
        let out = bench.expect(remote, |seen| seen.what == What::Udp && *seen.source.ip() == ours).await;
        let Some(seen) = out else {
            refused(&bench, number, host, &mut found).await;
            return found;
        };
        first.get_or_insert((host, remote, seen.source));
    }
    let is_there = match first {
        Some((host, remote, external)) => knock(&bench, Kind::Udp, remote, external, host).await,
        None => true,
    };
    if is_there {
        let evidence = format!("none of {most} translations of one host was refused; --flows tries more");
        found.say(ID, Verdict::NotMeasured, evidence);
    } else {
        let evidence =
            format!("none of {most} translations of one host was refused, and the first one is gone");
        found.say(ID, Verdict::NotApplicable, evidence);
    }
    found
}

async fn refused(bench: &Bench, number: u32, host: End, found: &mut Findings) {
    // Its answer came while its packet was waited for.
    let answer = bench.receive(Side::Lan, *host.at.ip()).await;
    let is_told = answer.as_ref().is_some_and(|seen| TOLD.contains(&seen.what));
    let told = match answer.map(|seen| seen.what) {
        Some(What::Error { kind, code }) => format!("ICMP type {kind}, code {code}"),
        Some(_) => "another packet".to_owned(),
        None => "nothing".to_owned(),
    };
    found.judge(
        ID,
        is_told,
        format!("translation {} of {} was refused, and its sender told {told}", number + 1, host.at.ip()),
    );
}
