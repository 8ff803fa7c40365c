//! Packets too large for a link, fragments, and identifications (RFC 4787 REQ-13, 14; RFC 7857 §10).

use std::collections::BTreeSet;

use quirknat_router::packet::{Fragment, fragments};

use crate::check::executor::{Bench, End};
use crate::check::packets::{Header, Seen, What, datagram, together};
use crate::check::report::Verdict;
use crate::check::subject::Side;

use super::endpoints::{Kind, outside};
use crate::check::findings::Findings;

const PEER: u16 = 3478;
/// How much larger than the WAN's MTU a packet is.
const OVER: usize = 100;
/// ICMP destination unreachable, fragmentation needed.
const FRAGMENTATION_NEEDED: What = What::Error { kind: 3, code: 4 };
const UDP_AND_IP: usize = 28;

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap_or_default()).collect()
}

/// Packets larger than the WAN takes.
pub(super) async fn oversize(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let (host, peer) = (bench.inside(0, 0), bench.remote(0, PEER));
    let mtu = bench.site().wan_mtu;
    if bench.site().lan_mtu.is_some_and(|lan| lan < mtu + OVER) {
        let why = format!(
            "the LAN takes no packet of {} bytes: give the router's WAN a smaller MTU, and name it with --wan-mtu",
            mtu + OVER
        );
        found.say("4787-13", Verdict::NotMeasured, why);
        return found;
    }
    let payload = content(mtu + OVER - UDP_AND_IP);
    let large = |dont_fragment, identification| {
        datagram(host.at, peer.at, Header { dont_fragment, identification }, &payload)
    };
    bench.send(Side::Lan, large(true, 0));
    let told = bench.expect(host, |seen| seen.what == FRAGMENTATION_NEEDED).await.is_some();
    let passed = bench.receive(Side::Wan, *peer.at.ip()).await.is_some();

    bench.send(Side::Lan, large(false, 0x4d31));
    let parts = collect(&bench, peer).await;
    let is_whole = together(&parts).is_some_and(|whole| whole.ends_with(&payload));
    let offsets: Vec<usize> = parts.iter().map(Seen::fragment_offset).collect();
    let in_order = offsets.is_sorted();
    let fits = parts.iter().all(|part| part.bytes.len() <= mtu);
    let evidence = format!(
        "of {} bytes where the WAN takes {mtu}: with DF, {}{}; without, {}",
        mtu + OVER,
        if told { "fragmentation needed" } else { "no answer" },
        if passed { ", and it came out" } else { "" },
        match (parts.len(), is_whole && fits) {
            (0, _) => "nothing came out".to_owned(),
            (count, true) if in_order => format!("{count} fragments in order"),
            (count, true) => format!("{count} fragments out of order"),
            (count, false) => format!("{count} packets that do not make it up"),
        }
    );
    found.judge("4787-13", told && !passed && is_whole && fits && in_order, evidence);
    found
}

/// All fragments of one packet to `end`'s host, in the order they come.
async fn collect(bench: &Bench, end: End) -> Vec<Seen> {
    let mut parts: Vec<Seen> = Vec::new();
    while let Some(seen) = bench.receive(end.side, *end.at.ip()).await {
        if matches!(seen.what, What::Udp | What::Other) {
            parts.push(seen);
        }
        if together(&parts).is_some() {
            break;
        }
    }
    parts
}

/// Fragments in order and out of order, both ways.
pub(super) async fn order(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let (host, peer) = (bench.inside(0, 0), bench.remote(0, PEER));
    let Some(external) = outside(&bench, Kind::Udp, host, peer).await else {
        found.say("4787-14", Verdict::NotApplicable, "nothing gets out");
        return found;
    };
    let payload = content(2000);
    let mut told = Vec::new();
    let mut holds = true;
    let ways = [("out", Side::Lan, host.at, peer.at, peer), ("in", Side::Wan, peer.at, external, host)];
    for (way, side, from, to, end) in ways {
        for (number, (order, name)) in
            [([0, 1, 2], "in order"), ([2, 1, 0], "the last one first")].into_iter().enumerate()
        {
            let identification = 0x5100 + u16::try_from(number).unwrap_or_default();
            let packet = datagram(from, to, Header { dont_fragment: false, identification }, &payload);
            let cut = fragments(&packet, 820);
            bench.forget(end.side, *end.at.ip());
            for part in order {
                if let Some(fragment) = cut.get(part) {
                    bench.send(side, fragment.clone());
                }
            }
            let parts = collect(&bench, end).await;
            let came = together(&parts).is_some_and(|whole| whole.ends_with(&payload));
            holds &= came;
            told.push(format!("{way} {name} {}", if came { "whole" } else { "not whole" }));
        }
    }
    found.judge("4787-14", holds, format!("three fragments of a datagram came {}", told.join(", ")));
    found
}

/// Whether packets of two hosts that have one identification still have one outside.
pub(super) async fn identifications(bench: Bench) -> Findings {
    let mut found = Findings::default();
    let peer = bench.remote(0, PEER);
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for identification in 0x6200..0x6208 {
        for number in [0, 1] {
            let host = bench.inside(number, u16::try_from(number).unwrap_or_default());
            let header = Header { dont_fragment: false, identification };
            bench.send(Side::Lan, datagram(host.at, peer.at, header, b"may become a fragment"));
            if let Some(packet) =
                bench.expect(peer, |seen| seen.what == What::Udp && seen.fragment == Fragment::Whole).await
            {
                seen.insert(packet.identification);
                count += 1;
            }
        }
    }
    let evidence =
        format!("{count} datagrams of two hosts that count alike had {} identifications outside", seen.len());
    match count {
        0 => found.say("7857-10", Verdict::NotApplicable, "nothing gets out"),
        _ => found.judge("7857-10", seen.len() == count, evidence),
    }
    found
}
