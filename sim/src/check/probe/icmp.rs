//! ICMP queries and errors (RFC 5508, RFC 4787 REQ-12).

use std::net::SocketAddrV4;

use quirknat_router::packet::IcmpError;

use crate::check::executor::{Bench, End};
use crate::check::packets::{Header, Seen, What, datagram, echo, error_about, with_wrong_icmp_checksum};
use crate::check::report::Verdict;
use crate::check::subject::Side;

use super::endpoints::{Kind, Names, echo_answered, echoed, knock, outside};
use super::tcp::{Came, inbound_error, name};
use crate::check::findings::Findings;

const PEER: u16 = 3478;

/// Queries and their identifiers.
pub(super) async fn queries(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let remotes = [bench.remote(0, 0), bench.remote(1, 0)];
    let mut worst = None;
    // Where no other host has the identifier, where one has it towards the first remote, and towards the second.
    for (number, other_asks) in (0..).zip([None, Some(remotes[0]), Some(remotes[1])]) {
        let (host, other) = (bench.inside(0, number), bench.inside(1, number));
        if let Some(remote) = other_asks {
            echoed(&bench, other, remote).await;
        }
        let externals = (echoed(&bench, host, remotes[0]).await, echoed(&bench, host, remotes[1]).await);
        let (Some(first), Some(second)) = externals else {
            found.judge("5508-1", false, format!("a query of {} did not come out", host.at.ip()));
            found.say("5508-1a", Verdict::NotApplicable, "not every query gets out");
            return found;
        };
        if number == 0 {
            let answered = echo_answered(&bench, remotes[0], first, host).await;
            let word = if answered { "came back" } else { "did not" };
            let evidence =
                format!("a query of {} to {} came out, its answer {word}", host.at.ip(), remotes[0].at.ip());
            found.judge("5508-1", answered, evidence);
        }
        let mut names = Names::default();
        let own = host.at.port();
        let (one, two) = (names.of(first, own), names.of(second, own));
        let whose = if other_asks.is_some() { " (another host has it towards one of them)" } else { "" };
        let evidence = format!(
            "identifier {own} of {}{whose} is {one} towards {} and {two} towards {}",
            host.at.ip(),
            remotes[0].at.ip(),
            remotes[1].at.ip()
        );
        if worst.is_none() || first != second {
            worst = Some((first == second, evidence));
        }
    }
    if let Some((is_same, evidence)) = worst {
        found.judge("5508-1a", is_same, evidence);
        found.behaves("nat.icmp.mapping", if is_same { "endpoint-independent" } else { "address-dependent" });
    }
    found
}

/// Errors from outside about each protocol, about nothing, and with a wrong checksum.
pub(super) async fn inbound_errors(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let (router, peer) = (bench.remote(9, 0), bench.remote(0, PEER));
    let mut told = Vec::new();
    let mut holds = true;
    for (number, protocol) in ["UDP", "TCP", "an echo"].into_iter().enumerate() {
        let host = bench.inside(u32::try_from(number).unwrap_or_default(), 10);
        let Some(packet) = first_packet(&bench, number, host, peer).await else { continue };
        let came = inbound_error(&bench, IcmpError::HostUnreachable, &packet, router, host).await;
        holds &= came == Came::Translated;
        told.push(format!("about {protocol} {}", came.words()));
    }
    let stray = stray_error(&bench, router).await;
    holds &= !stray && told.len() == 3;
    told.push(format!("about no mapping {}", if stray { "came" } else { "was dropped" }));
    found.judge("5508-4", holds, format!("host unreachable from {} {}", router.at.ip(), told.join(", ")));

    let host = bench.inside(3, 20);
    let Some(packet) = first_packet(&bench, 0, host, peer).await else {
        found.say("5508-3", Verdict::NotApplicable, "nothing gets out");
        return found;
    };
    if let Some(error) = error_about(IcmpError::HostUnreachable, &packet.bytes, *router.at.ip()) {
        bench.send(Side::Wan, with_wrong_icmp_checksum(error));
    }
    let came =
        bench.expect(host, |seen| seen.what == What::Broken || seen.quoted().is_some()).await.is_some();
    let true_one = inbound_error(&bench, IcmpError::HostUnreachable, &packet, router, host).await;
    let evidence = format!(
        "host unreachable with a wrong checksum {}, with a true one it {}",
        if came { "came" } else { "did not come" },
        if true_one == Came::Not { "did not either" } else { "did" }
    );
    found.judge("5508-3", !came, evidence);
    found
}

async fn first_packet(bench: &Bench, protocol: usize, host: End, peer: End) -> Option<Seen> {
    match protocol {
        0 | 1 => {
            let kind = if protocol == 0 { Kind::Udp } else { Kind::Tcp };
            bench.send(Side::Lan, kind.first(host.at, peer.at));
            bench.expect(peer, |seen| kind.is(seen)).await
        }
        _ => {
            let asked = bench.remote(1, 0);
            bench.send(Side::Lan, echo(true, *host.at.ip(), *asked.at.ip(), host.at.port()));
            bench.expect(asked, |seen| seen.what == What::Echo { request: true }).await
        }
    }
}

/// Whether an error about a packet that the router never sent gets to the host with that port.
async fn stray_error(bench: &Bench, router: End) -> bool {
    let host = bench.inside(3, 30);
    let never = SocketAddrV4::new(bench.site().wan(), host.at.port());
    let packet = datagram(never, bench.remote(2, PEER).at, Header::default(), b"never sent");
    if let Some(error) = error_about(IcmpError::HostUnreachable, &packet, *router.at.ip()) {
        bench.send(Side::Wan, error);
    }
    bench.expect(host, |seen| seen.quoted().is_some()).await.is_some()
}

/// Errors from inside, about what a mapping let in and about nothing.
pub(super) async fn outbound_errors(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let (host, peer) = (bench.inside(0, 0), bench.remote(0, PEER));
    let Some(external) = outside(&bench, Kind::Udp, host, peer).await else {
        found.say("5508-5", Verdict::NotApplicable, "nothing gets out");
        return found;
    };
    bench.send(Side::Wan, Kind::Udp.first(peer.at, external));
    let Some(got) = bench.expect(host, |seen| seen.what == What::Udp).await else {
        found.say("5508-5", Verdict::NotApplicable, "no answer gets in");
        return found;
    };
    refuse(&bench, &got.bytes, host);
    let any = End { at: SocketAddrV4::new(*peer.at.ip(), 0), ..peer };
    let heard = bench.expect(any, |seen| seen.quoted().is_some()).await;
    let (is_translated, told) = match heard.as_ref().and_then(|seen| Some((seen, seen.quoted()?))) {
        Some((seen, quoted)) => (
            *seen.source.ip() == bench.site().wan() && quoted.destination == external && quoted.is_whole,
            format!(
                "came from {}, about a packet to {}",
                seen.source.ip(),
                Names::default().of(quoted.destination, host.at.port())
            ),
        ),
        None => (false, "did not come".to_owned()),
    };
    let stranger = bench.remote(1, PEER);
    refuse(
        &bench,
        &datagram(stranger.at, bench.inside(1, 1).at, Header::default(), b"never came"),
        bench.inside(1, 1),
    );
    let stray = bench
        .expect(End { at: SocketAddrV4::new(*stranger.at.ip(), 0), ..stranger }, |seen| {
            seen.quoted().is_some()
        })
        .await;
    let stray_told = if stray.is_some() { "came" } else { "was dropped" };
    let evidence = format!(
        "{}'s port unreachable about {}'s datagram {told}; one about no mapping {stray_told}",
        host.at.ip(),
        peer.at
    );
    found.judge("5508-5", is_translated && stray.is_none(), evidence);
    found
}

fn refuse(bench: &Bench, packet: &[u8], host: End) {
    if let Some(error) = error_about(IcmpError::PortUnreachable, packet, *host.at.ip()) {
        bench.send(Side::Lan, error);
    }
}

/// Whether a UDP mapping outlives ICMP errors about it.
pub(super) async fn udp_survives(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let (host, peer) = (bench.inside(0, 0), bench.remote(0, PEER));
    let mut told = Vec::new();
    let mut holds = true;
    for error in [IcmpError::HostUnreachable, IcmpError::PortUnreachable, IcmpError::TimeExceeded] {
        bench.send(Side::Lan, Kind::Udp.first(host.at, peer.at));
        let Some(packet) = bench.expect(peer, |seen| seen.what == What::Udp).await else { break };
        inbound_error(&bench, error, &packet, bench.remote(9, 0), host).await;
        let lives = knock(&bench, Kind::Udp, peer, packet.source, host).await;
        holds &= lives;
        told.push(format!(
            "after {} a datagram of {} {}",
            name(error),
            peer.at,
            if lives { "came" } else { "did not come" }
        ));
    }
    found.judge("4787-12", holds && told.len() == 3, told.join("; "));
    found
}
