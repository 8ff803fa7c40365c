//! From one LAN host to another by the router's external address (RFC 4787 §6), and ICMP errors about it.

use quirknat_router::packet::IcmpError;

use crate::check::executor::{Bench, End};
use crate::check::packets::{Seen, error_about};
use crate::check::report::Verdict;
use crate::check::subject::Side;

use super::endpoints::{Kind, Names, outside};
use crate::check::findings::Findings;

const PEER: u16 = 3478;

pub(super) async fn run(bench: Bench, kind: Kind) -> Findings {
    let mut found = Findings::default();
    let (id, error_id, key) = match kind {
        Kind::Udp => ("4787-9", "5508-7", "nat.udp.hairpinning"),
        Kind::Tcp => ("5382-8", "7857-12", "nat.tcp.hairpinning"),
    };
    let (one, other, peer) = (bench.inside(0, 0), bench.inside(1, 1), bench.remote(0, PEER));
    let externals = (outside(&bench, kind, one, peer).await, outside(&bench, kind, other, peer).await);
    let (Some(of_one), Some(of_other)) = externals else {
        found.say(id, Verdict::NotApplicable, "nothing gets out");
        found.say(error_id, Verdict::NotApplicable, "nothing gets out");
        return found;
    };
    // Each sends to the other, so that the second finds what a filter asks for.
    let there = hairpinned(&bench, kind, one, of_other, other).await;
    let back = hairpinned(&bench, kind, other, of_one, one).await;
    let (from, to, target, seen) = match (there, back) {
        (_, Some(seen)) => (other, one, of_one, seen),
        (Some(seen), None) => (one, other, of_other, seen),
        (None, None) => {
            let evidence = format!(
                "{}s of {} and {} to each other's external endpoints did not come",
                kind.packet(),
                one.at,
                other.at
            );
            found.judge(id, false, evidence);
            found.say(error_id, Verdict::NotApplicable, "nothing is hairpinned");
            found.behaves(key, "off");
            return found;
        }
    };
    let is_external = *seen.source.ip() == bench.site().wan();
    let mut names = Names::default();
    let evidence = format!(
        "a {} of {} to {} came to {} from {}",
        kind.packet(),
        from.at,
        names.of(target, to.at.port()),
        to.at,
        names.of(seen.source, from.at.port())
    );
    found.judge(id, is_external, evidence);
    found.behaves(key, if is_external { "external-source" } else { "internal-source" });
    error(&bench, error_id, to, from, &seen, &mut found).await;
    found
}

async fn hairpinned(
    bench: &Bench,
    kind: Kind,
    from: End,
    external: std::net::SocketAddrV4,
    to: End,
) -> Option<Seen> {
    bench.send(Side::Lan, kind.first(from.at, external));
    bench.expect(to, |seen| kind.is(seen)).await
}

/// The receiver of a hairpinned packet refuses it; whether its sender hears so.
async fn error(
    bench: &Bench,
    id: &'static str,
    refuser: End,
    sender: End,
    about: &Seen,
    found: &mut Findings,
) {
    let Some(packet) = error_about(IcmpError::PortUnreachable, &about.bytes, *refuser.at.ip()) else {
        return;
    };
    bench.send(Side::Lan, packet);
    let heard = bench.expect(sender, |seen| seen.quoted().is_some()).await;
    let quoted = heard.as_ref().and_then(Seen::quoted);
    let holds = quoted.is_some_and(|quoted| quoted.source == sender.at && quoted.is_whole);
    let told = match quoted {
        Some(quoted) if holds => {
            format!("came to {}, with its own packet from {} in it", sender.at, quoted.source)
        }
        Some(quoted) => format!("came to {} about a packet from {}", sender.at, quoted.source),
        None => format!("did not come to {}", sender.at),
    };
    found.judge(id, holds, format!("a port unreachable of {} about it {told}", refuser.at.ip()));
}
